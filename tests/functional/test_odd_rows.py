"""Odd rows of the ledger's table, as another program or version may write them, cost themselves alone."""

import json
from pathlib import Path
from typing import Any

import pytest

from bigin_archive.sweep.sweep import SweepRequest
from tests.account import Account, ledger, many
from tests.aws import Aws
from tests.bigin import Simulator
from tests.functional.test_lists import report
from tests.functional.test_operate_stack import deploy, run

pytestmark = pytest.mark.in_memory

BY_RECORD = SweepRequest(by_record=True)
KEY = {"record": {"S": "Contacts/5001"}, "attachment_id": {"S": "10007"}}
STATE = {"record": {"S": "#sweep"}, "attachment_id": {"S": "state"}}
CALENDARS_END = "9999-12-31T23:59:59.000+00:00"
ODD: dict[str, dict[str, Any]] = {
    "a size that is no number": {"size_bytes": {"S": "one"}},
    "a size that is half a byte": {"size_bytes": {"N": "1.5"}},
    "a size below nothing": {"listed_size_bytes": {"N": "-1"}},
    "a name that is a number": {"file_name": {"N": "7"}},
    "a checksum that is a number": {"sha256": {"N": "7"}},
    "a key that is a list": {"key": {"L": []}},
    "a state that is a number": {"state": {"N": "7"}},
    "a state that nobody knows": {"state": {"S": "elsewhere"}},
    "a mark that is true": {"verified": {"BOOL": True}},
    "times that are numbers": {"first_seen": {"N": "7"}, "last_seen": {"N": "7"}},
    "a message from the calendar's end": {"state": {"S": "pending"}, "queued_at": {"S": CALENDARS_END}},
    "archived at the calendar's end": {"archived_at": {"S": CALENDARS_END}, "archived_modified_time": {"NULL": True}},
}


@pytest.mark.parametrize("odd", ODD.values(), ids=ODD)
def test_an_odd_value_costs_its_row_at_most(aws: Aws, bigin: Simulator, odd: dict[str, Any]) -> None:
    """The next sweep ends with an audit that compares everything, and names no other row."""
    many(bigin, 3)
    account = Account(aws, bigin)
    account.sweep(BY_RECORD)
    row = aws.dynamodb.get_item(TableName=aws.ledger_table, Key=KEY)["Item"]
    aws.dynamodb.put_item(TableName=aws.ledger_table, Item={**row, **odd})
    account.clock.now_s += 86400

    state = account.sweep(BY_RECORD)

    told = report(aws)
    assert (3, None) == (told["total"]["archived"], told["failure"])
    assert state.result == ("partial" if told["differences"] else "complete")
    assert {("ledger_wrong", "10007")} >= {(each["kind"], each["attachment_id"]) for each in told["differences"]}


@pytest.mark.parametrize(
    "key",
    [("Contacts", "1"), ("Else/1", "2"), ("Contacts/1/2", "3"), ("Contacts/x", "y"), ("Contacts/1", "2/3"), ("/", " ")],
    ids=" ".join,
)
def test_a_row_that_is_no_attachments_is_no_obstacle(aws: Aws, bigin: Simulator, key: tuple[str, str]) -> None:
    """Its neighbours are compared, and nothing of Bigin is missing."""
    many(bigin, 3)
    account = Account(aws, bigin)
    item = {"record": {"S": key[0]}, "attachment_id": {"S": key[1]}}
    aws.dynamodb.put_item(TableName=aws.ledger_table, Item=item)

    state = account.sweep(BY_RECORD)

    assert ("complete", 3) == (state.result, report(aws)["total"]["archived"])


def test_a_module_comes_back_in_spite_of_odd_rows(
    aws: Aws, bigin: Simulator, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    """Whoever reads all rows of a module passes over those whose ids are none, and says so."""
    many(bigin, 2)
    Account(aws, bigin).sweep(BY_RECORD)
    for record, attachment in (("Contacts/1/2", "3"), ("Contacts/", "\0"), ("Contacts/x", "y/z")):
        key = {"record": {"S": record}, "attachment_id": {"S": attachment}}
        aws.dynamodb.put_item(TableName=aws.ledger_table, Item={**key, "key": {"S": "bigin/odd"}})

    status = run(monkeypatch, "get", "--module", "Contacts", "--to", str(tmp_path), "--stack", deploy(aws))

    assert (1, 2) == (status, len(list(tmp_path.rglob("file.bin"))))
    assert "bug" not in capsys.readouterr().err


@pytest.mark.parametrize("text", ["{", "[]", "{}", '"x"', '{"started_at": "2026-01-01T00:00:00.000+00:00"}'])
def test_a_state_that_cannot_be_read_blocks_no_sweep(aws: Aws, bigin: Simulator, text: str) -> None:
    """The next order begins anew; nothing is downloaded twice."""
    many(bigin, 3)
    account = Account(aws, bigin)
    account.sweep(BY_RECORD)
    aws.dynamodb.put_item(TableName=aws.ledger_table, Item={**STATE, "sweep": {"S": text}})

    assert account.slice() is None
    state = account.sweep(BY_RECORD)

    assert ("complete", 3, {1}) == (state.result, len(ledger(aws)), set(bigin.calls()["downloads"].values()))


def test_the_state_of_another_version_goes_on(aws: Aws, bigin: Simulator) -> None:
    """The state of another version may lack fields or have others; the sweep goes on."""
    many(bigin, 3)
    account = Account(aws, bigin)
    account.slice(BY_RECORD)
    item = aws.dynamodb.get_item(TableName=aws.ledger_table, Key=STATE)["Item"]
    state = json.loads(item["sweep"]["S"])
    for name in ("compares_sizes", "doubted", "uncovered", "failing", "sent_until", "audit"):
        del state[name]
    state["mood"] = {"is": "good"}
    aws.dynamodb.put_item(TableName=aws.ledger_table, Item={**item, "sweep": {"S": json.dumps(state)}})

    assert account.sweep().result == "complete"
