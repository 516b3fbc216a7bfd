"""What a sweep found of attachments that did not change: stored as a list, and no row is written for them."""

import json
from collections import Counter
from typing import Any

import pytest

from bigin_archive.sweep.cursor import SweepState
from bigin_archive.sweep.sweep import SweepRequest
from tests.account import Account, ledger, listed_by, many
from tests.archived import Archive
from tests.aws import Aws
from tests.bigin import Simulator

pytestmark = pytest.mark.in_memory

WAYS = ("all", "records")


class Writes:
    """Counts what is written into the ledger's table, by the first word of its key."""

    def __init__(self, account: Account) -> None:
        self.rows: Counter[str] = Counter()
        self._table = account.aws.ledger_table
        account._session.events.register("before-parameter-build.dynamodb", self._count)

    def _count(self, params: dict[str, Any], model: Any, **_: Any) -> None:
        if model.name in ("PutItem", "UpdateItem") and params["TableName"] == self._table:
            key = params.get("Key") or params["Item"]
            self.rows["state" if key["record"]["S"].startswith("#") else "rows"] += 1


@pytest.fixture
def account(aws: Aws, bigin: Simulator) -> Account:
    """Eight records with three files each."""
    many(bigin, 8, 3)
    return Account(aws, bigin)


@pytest.mark.parametrize("way", WAYS)
def test_a_sweep_writes_no_row_of_what_did_not_change(account: Account, bigin: Simulator, way: str) -> None:
    """A sweep writes rows only of what is new. The audit knows all the same that Bigin lists every file."""
    writes = Writes(account)  # before the first slice, whose clients the others share
    listed_by(bigin, way)
    account.sweep()
    bigin.add(b"new", record_id="5000", module="Contacts", attachment_id="77777")
    writes.rows.clear()

    state = account.sweep()

    report = json.loads(Archive(account.aws, bigin).read("_audit/latest.json"))
    assert ("complete", 25, 24) == (state.result, state.listed, state.known)
    assert (25, {}) == (report["total"]["listed"], report["kinds"])
    assert writes.rows["rows"] <= 3  # marked as sent, and archived by the worker
    assert 1 <= writes.rows["state"] < 60


def test_what_changed_is_written_into_its_row(account: Account, bigin: Simulator) -> None:
    """A new time of an archived file is written into its row, because find and index go by the row."""
    listed_by(bigin, "records")
    account.sweep()
    changed, time = bigin.attachments()[0], "2026-11-02T09:30:00+00:00"
    ids = {name: changed[name] for name in ("module", "record_id", "attachment_id")}
    bigin.control("DELETE", f"attachments/{changed['attachment_id']}")
    bigin.add(b"0", **ids, listed={"Modified_Time": time})

    account.sweep()

    assert time == ledger(account.aws)[changed["attachment_id"]].modified_time


@pytest.mark.parametrize("way", WAYS)
def test_what_bigin_lists_no_more_is_told_by_the_next_sweep(account: Account, bigin: Simulator, way: str) -> None:
    """If the newest list lacks a file, the next sweep reports it as removed, although an older list had it."""
    listed_by(bigin, way)
    account.sweep()
    account.sweep()
    gone = bigin.attachments()[0]["attachment_id"]
    bigin.control("DELETE", f"attachments/{gone}")

    state = account.sweep()

    report = Archive(account.aws, bigin).read("_audit/latest.json").decode()
    assert ("complete", 23) == (state.result, state.listed)
    assert '"removed_in_bigin": 1' in report


@pytest.mark.parametrize("way", WAYS)
def test_a_row_that_is_lost_is_named(account: Account, bigin: Simulator, way: str) -> None:
    """After a nightly sweep, too, the audit names the attachment, since the last whole list is kept."""
    listed_by(bigin, way)
    account.sweep()
    account.sweep()
    lost = next(iter(ledger(account.aws).values()))
    Archive(account.aws, bigin).drop_row(lost)

    state = account.sweep(SweepRequest(nightly=True, since=account_began(state_of(account))))

    report = Archive(account.aws, bigin).read("_audit/latest.json").decode()
    assert "partial" == state.result
    assert '"kinds": {\n  "ledger_missing": 1\n }' in report
    assert lost.attachment_id in report


def state_of(account: Account) -> SweepState:
    """Where the last sweep stands."""
    state = account.slice()
    assert state
    return state


def account_began(state: SweepState) -> str:
    """Before the last sweep of everything."""
    assert state.full_since
    return state.full_since


@pytest.mark.parametrize("way", WAYS)
def test_a_list_that_is_lost_proves_nothing(account: Account, bigin: Simulator, way: str) -> None:
    """If a page is missing or belongs to another sweep, the audit fails, and invents no removal."""
    listed_by(bigin, way)
    account.sweep()
    state = account.sweep()
    assert state.full_list
    name, shelf, _ = state.full_list
    table = account.aws.dynamodb
    key = {"record": {"S": "#sweep"}, "attachment_id": {"S": f"{name}-{shelf}000000"}}
    table.update_item(
        TableName=account.aws.ledger_table,
        Key=key,
        UpdateExpression="SET sweep = :other",
        ExpressionAttributeValues={":other": {"S": "2026-01-01T00:00:00+00:00"}},
    )

    state = account.sweep(SweepRequest(since=state.full_since))

    assert "failed" == state.result
