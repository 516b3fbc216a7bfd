"""``bigin-archive callers`` and ``announce``: keys made, listed and ended; events repeated."""

import json
import time
from typing import Any

import pytest

from bigin_archive.callers import caller_key
from bigin_archive.callers.caller_limits import CallerLimits
from bigin_archive.callers.caller_table import CallerTable
from bigin_archive.clock import parse
from operate.doctor.callers import CallersDoctor
from operate.findings import State
from operate.stack.target import Target
from tests.archived import Archive
from tests.aws import Aws
from tests.bigin import Simulator
from tests.functional.test_operate_stack import deploy, run, told_outputs

URL = "https://127.0.0.1:1/v1/callers/attachments"


class Operator:
    """Whoever runs a stack with callers and events."""

    def __init__(self, aws: Aws, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
        self.aws, self._monkeypatch, self._capsys = aws, monkeypatch, capsys
        table = f"{aws.bucket}-callers"
        aws.dynamodb.create_table(
            TableName=table,
            BillingMode="PAY_PER_REQUEST",
            AttributeDefinitions=[{"AttributeName": "key_id", "AttributeType": "S"}],
            KeySchema=[{"AttributeName": "key_id", "KeyType": "HASH"}],
        )
        self.table = CallerTable(aws.dynamodb, table)
        self.limits = CallerLimits(aws.dynamodb, aws.environment["LEASES_TABLE"])
        self.event_queue_url = aws.sqs.create_queue(QueueName=f"{aws.bucket}-events")["QueueUrl"]
        outputs = {
            "CallersUrl": URL,
            "CallersTable": table,
            "LeasesTable": aws.environment["LEASES_TABLE"],
            "EventQueueUrl": self.event_queue_url,
        }
        self.stack = deploy(aws, {**told_outputs(aws), **outputs})

    def run(self, *arguments: str) -> tuple[int, str]:
        """Exit status and what was printed, wrapped lines as one."""
        status = run(self._monkeypatch, *arguments, "--stack", self.stack)
        printed = self._capsys.readouterr()
        return status, " ".join((printed.out + printed.err).split())

    def json(self, *arguments: str) -> Any:
        status = run(self._monkeypatch, *arguments, "--stack", self.stack, "--json")
        printed = self._capsys.readouterr()
        assert status == 0, printed.err
        return json.loads(printed.out)


@pytest.fixture
def operator(aws: Aws, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> Operator:
    return Operator(aws, monkeypatch, capsys)


def test_a_key_is_told_once_and_kept_as_a_hash(operator: Operator) -> None:
    """What ``add`` prints is a key; the table has its hash, the listing neither."""
    made = operator.json("callers", "add", "Zoho Flow", "--right", "link", "--days", "30")

    key = caller_key.parse(made["key"])
    assert key
    (entry,) = operator.table.all()
    assert (entry.key_id, entry.name, entry.right, entry.sha256) == (key.key_id, "Zoho Flow", "link", key.sha256)
    assert made["url"] == URL
    ends, now = parse(entry.ends_at), time.time()
    assert ends
    assert abs(ends.timestamp() - now - 30 * 24 * 3600) < 60
    stored = json.dumps(operator.aws.dynamodb.scan(TableName=f"{operator.aws.bucket}-callers")["Items"])
    for secret in (made["key"], made["key"][-43:]):
        assert secret not in stored
        assert secret not in operator.run("callers", "list")[1]


def test_the_list_tells_state_and_last_use(operator: Operator) -> None:
    """The list has every key that there ever was, with its state and its last use, if any."""
    first, second = operator.json("callers", "add", "one"), operator.json("callers", "add", "two")
    operator.limits.count_call(first["key_id"], 1_800_000_000.9)
    assert operator.run("callers", "end", "two") == (
        0,
        f"✓ Ended: {second['key_id']}. It stops working within a minute.",
    )

    listed = operator.json("callers", "list")

    assert [(one["name"], one["state"], one["last_used_at"]) for one in listed] == [
        ("one", "active", "2027-01-15T08:00:00.000+00:00"),
        ("two", "ended", None),
    ]
    assert "never" in operator.run("callers", "list")[1]


def test_a_name_has_one_key(operator: Operator) -> None:
    """A second key needs another name, or the end of the first. Ending a key twice is fine, an unknown one is not."""
    operator.json("callers", "add", "n8n")

    status, printed = operator.run("callers", "add", "n8n")
    assert (status, "n8n has a key already" in printed) == (2, True)
    assert operator.run("callers", "end", "n8n")[0] == 0
    assert operator.run("callers", "end", "n8n")[0] == 0
    assert operator.run("callers", "end", "nobody")[0] == 1
    assert operator.run("callers", "add", "n8n")[0] == 0


def test_what_is_wrong_makes_no_key(operator: Operator) -> None:
    """Wrong days, a wrong right or name, or no name: the command says so, with status 2, and makes no key."""
    for wrong in (
        ("x", "--days", "0"),
        ("x", "--days", "366"),
        ("x", "--right", "all"),
        ("",),
        ("x" * 65,),
        ("a\nb",),
        (),
    ):
        status, printed = operator.run("callers", "add", *wrong)
        assert status == 2, wrong
        assert printed

    assert operator.table.all() == []


def test_the_doctor_tells_of_keys_that_end_soon(operator: Operator) -> None:
    """The doctor names the keys that end soon, with the days that are left, but none that was ended."""
    target = Target(operator.stack, None, None)
    ((_, look),) = CallersDoctor(target).checks()
    assert look().state is State.OK
    operator.json("callers", "add", "lasting")
    operator.json("callers", "add", "given up", "--days", "2")
    operator.run("callers", "end", "given up")
    assert (look().state, look().detail) == (State.OK, "1 valid")

    operator.json("callers", "add", "n8n", "--days", "20")

    assert look().state is State.PROBLEM
    assert "n8n in 19 days" in look().detail
    assert "given up" not in look().detail


def test_a_stack_without_callers_or_events_says_which_parameter(
    aws: Aws, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """The remedy is to deploy with the parameter that the message names."""
    stack = deploy(aws)

    assert run(monkeypatch, "callers", "list", "--stack", stack) == 1
    assert "Callers=ON" in capsys.readouterr().err
    assert run(monkeypatch, "announce", "--all", "--stack", stack) == 1
    assert "Events=ON" in capsys.readouterr().err


def test_announce_queues_every_version_since_a_day(operator: Operator, bigin: Simulator) -> None:
    """The command queues all files, or those since a day, but no reports, in the form that the function reads."""
    entries = Archive(operator.aws, bigin).new(12)
    operator.aws.s3.put_object(Bucket=operator.aws.bucket, Key="bigin/_audit/latest.json", Body=b"{}")

    assert operator.json("announce", "--all") == {"queued": 12}
    assert operator.json("announce", "--since", "2000-01-01") == {"queued": 12}
    assert operator.json("announce", "--since", "2099-01-01") == {"queued": 0}

    orders = [json.loads(message["Body"]) for message in operator.aws.messages(operator.event_queue_url)]
    assert len(orders) == 24
    assert {(order["key"], order["version_id"]) for order in orders} == {
        (entry.key, entry.version_id) for entry in entries
    }
    assert {order["source"] for order in orders} == {"bigin-archive.replay"}
    assert operator.run("announce")[0] == operator.run("announce", "--all", "--since", "2026-01-01")[0] == 2
