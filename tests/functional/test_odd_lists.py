"""Odd entries and pages of Bigin's lists cost themselves alone: the sweep goes on, and what it cannot read is told."""

import itertools
import json
import time
from typing import Any

import pytest
from botocore.exceptions import EndpointConnectionError

from bigin_archive.archive_request import MODULES
from bigin_archive.audit.comparison import Audit
from bigin_archive.bigin.client import Bigin
from bigin_archive.bigin.credit_meter import CreditMeter
from bigin_archive.deadline import Deadline
from bigin_archive.network.transport import session
from bigin_archive.sweep.cursor import Cursor, SweepState
from bigin_archive.sweep.doubts import doubt
from bigin_archive.sweep.lists import Lists
from bigin_archive.sweep.sweep import SweepRequest
from operate.audit.bigin_listing import listing
from tests.account import Account, Tokens, archived, listed_by, many
from tests.archived import Archive
from tests.aws import Aws
from tests.bigin import Simulator

pytestmark = pytest.mark.in_memory

BY_RECORD = SweepRequest(by_record=True)


def page(*entries: dict[str, Any], **info: Any) -> dict[str, Any]:
    return {"data": list(entries), "info": {"more_records": False, **info}}


@pytest.mark.parametrize("module", ["\ud800", "Calls/../x", ""], ids=["surrogate", "path", "none"])
def test_a_module_that_no_module_is_called_costs_its_entry(aws: Aws, bigin: Simulator, module: str) -> None:
    """After an odd module name the sweep does not believe the list of all attachments, and goes record by record."""
    listed_by(bigin, "all")
    many(bigin, 3)
    odd = {"id": "77", "File_Name": "x", "$se_module": module, "Parent_Id": {"id": "5001"}}
    bigin.answer(200, page({**odd, "$se_module": "Contacts"}), call="records", times=1)
    bigin.answer(200, json.dumps(page(odd)), {"Content-Type": "application/json"}, call="records", times=1)

    state = Account(aws, bigin).sweep()

    assert ("records", 3, "complete") == (state.strategy, len(archived(aws)), state.result)


def test_more_modules_than_an_item_can_name_are_counted_together(aws: Aws, bigin: Simulator) -> None:
    """The sweep's state is one item of 400 KB: modules that do not fit into it are counted together."""
    listed_by(bigin, "all")
    many(bigin, 1)
    entries = [{"id": f"{each}", "$se_module": f"M{each}", "Parent_Id": {"id": "5"}} for each in range(1, 200)]
    bigin.answer(200, page(*entries), call="records", times=2)

    state = Account(aws, bigin).sweep()

    assert (101, 99) == (len(state.uncovered), state.uncovered["Other modules"])


def test_a_page_that_is_read_again_is_counted_once(aws: Aws, bigin: Simulator) -> None:
    """If a page cannot be stored for a moment, the next slice reads it again and counts it once."""
    listed_by(bigin, "all")
    many(bigin, 2)
    bigin.add(b"call", record_id="6000", attachment_id="6001", listed={"$se_module": "Calls"})
    account = Account(aws, bigin)
    failures = itertools.count()

    def fail_once(params: dict[str, Any], **_: Any) -> None:
        if params["Item"]["attachment_id"]["S"].startswith("page-") and next(failures) == 0:
            raise EndpointConnectionError(endpoint_url="https://dynamodb")

    account._session.events.register("before-parameter-build.dynamodb.PutItem", fail_once)

    state = account.sweep()

    assert next(failures) > 1
    assert ({"Calls": 1}, "partial") == (state.uncovered, state.result)


@pytest.mark.parametrize("day", ["0001-01-01T00:00:00+00:00", "9999-12-31T23:59:59+00:00"])
def test_a_sweep_since_the_ends_of_the_calendar_comes_to_its_end(aws: Aws, bigin: Simulator, day: str) -> None:
    """The margin before the date reaches beyond the calendar. The sweep ends all the same."""
    many(bigin, 2)

    state = Account(aws, bigin).sweep(SweepRequest(since=day, by_record=True))

    assert (2 if day.startswith("0001") else 0, "partial") == (len(archived(aws)), state.result)


def test_a_stored_page_that_is_lost_while_lists_are_read_is_read_again(aws: Aws, bigin: Simulator) -> None:
    """The sweep begins with its lists again, as if the page was lost later, and does not fail for ever."""
    many(bigin, 1)
    bigin.control("POST", "records", {"module": "Contacts", "count": 250})
    client, deadline = Bigin(session(1), bigin.url, Tokens()), Deadline(60)
    cursor = Cursor(aws.dynamodb, aws.ledger_table, "one", time.time)
    state = SweepState("2026-01-31T09:30:00.000+00:00", ["Contacts"], by_record=True)
    for _ in range(2):
        Lists(client, time.time).store_next(cursor, state, deadline)
    key = {"record": {"S": "#sweep"}, "attachment_id": {"S": f"page-{state.shelf}000000"}}
    lost = aws.dynamodb.delete_item(TableName=aws.ledger_table, Key=key, ReturnValues="ALL_OLD")
    assert (1, "listing") == (state.pages, state.phase)

    for _ in range(20):
        if state.phase == "listing":
            Lists(client, time.time).store_next(cursor, state, deadline)

    rows = [row for number in range(state.pages) for row in cursor.page(state, number)]
    assert ("attachments", [], 251) == (state.phase, state.refused, len(rows)), lost


def test_a_list_that_contradicts_itself_under_new_page_tokens_is_left_out_after_a_day(
    aws: Aws, bigin: Simulator
) -> None:
    """The list has other page tokens each time that it is begun again, but it counts as the same list."""
    many(bigin, 1)
    account, tokens = Account(aws, bigin), itertools.count()

    def slice_an_hour_later(order: SweepRequest | None = None) -> SweepState | None:
        for _ in range(2):
            repeated = page({"id": "5000"}, more_records=True, next_page_token=f"token{next(tokens)}")
            bigin.answer(200, repeated, call="records", times=2)
        account.clock.now_s += 3600
        return account.slice(order)

    states = [slice_an_hour_later(BY_RECORD), *(slice_an_hour_later() for _ in range(24))]

    assert [[]] * 24 + [["Contacts"]] == [state and state.refused for state in states]


def test_an_audit_with_few_credits_reads_a_long_list_to_its_end(bigin: Simulator) -> None:
    """With one credit at a time it goes on behind the page that it has read, and does not begin the list again."""
    many(bigin, 1)
    pages = [page({"id": "1"}, more_records=True), page({"id": "2"})]
    for answer in pages * 2:
        bigin.answer(200, answer, call="list", record_id="5000", times=1)
    meter, waits = CreditMeter(), itertools.count()
    meter.limit(1)

    def more() -> None:
        assert next(waits) < 40
        meter.limit(1)

    client = Bigin(session(1), bigin.url, Tokens(), meter=meter)
    side = listing(client, ("Contacts",), by_record=True, more_credits=more)

    assert (["1", "2"], {}) == ([each.listed.attachment_id for each in side.found or ()], side.unlisted)


def audited(archive: Archive, *, by_record: bool = True) -> Audit:
    """As `bigin-archive audit` does it, without its pauses, of which there is an end."""
    client, pauses = Bigin(session(1), archive.bigin.url, Tokens()), itertools.count()

    def sleep(seconds: float) -> None:
        assert next(pauses) < 40

    return archive.auditor.audit(listing(client, MODULES, by_record=by_record, more_credits=lambda: None, sleep=sleep))


@pytest.mark.parametrize(("broken", "verdict"), [(1, "partial"), (2, "partial"), (5, "failed")])
def test_a_list_that_no_audit_can_read_hides_no_other(aws: Aws, bigin: Simulator, broken: int, verdict: str) -> None:
    """The rest is compared, and the record is named. Where three lists in a row fail, Bigin is down."""
    archive = Archive(aws, bigin)
    many(bigin, 0)
    entries = [archive.new(1, module="Contacts", record_id=f"{5000 + number}")[0] for number in range(5)]
    archive.in_bigin(entries)
    for entry in entries[:broken]:
        repeated = page({"id": entry.attachment_id}, more_records=True)
        bigin.answer(200, repeated, call="list", record_id=entry.record_id, times=None)

    audit = audited(archive)

    assert (verdict, None, 0) == (audit.verdict, audit.complete_as_of, len(audit.differences))
    told = {f"record {entry.record_id}: Bigin's list" in str(audit.uncovered) for entry in entries[:broken]}
    assert broken == 5 or True in told
    assert bigin.calls()["by_call"]["list"] <= 16 * broken + 5


def test_lists_that_are_read_in_between_show_that_bigin_is_not_down(aws: Aws, bigin: Simulator) -> None:
    """Also where they are empty: three broken lists are then named, and the rest is compared."""
    archive = Archive(aws, bigin)
    many(bigin, 0)
    archive.in_bigin(archive.new(3, module="Notes"))
    repeated = page({"id": "1"}, more_records=True)
    for number in range(3):  # 16 reads of every other of the first five lists; an empty one is read twice
        bigin.answer(200, repeated, call="records", skip=2 * number, times=16)

    audit = audited(archive)

    assert ("partial", 3) == (audit.verdict, audit.total.archived)
    assert ["Accounts", "Contacts", "Tasks"] == sorted(audit.unlisted)


def test_a_list_of_all_that_no_audit_can_read_is_done_without(aws: Aws, bigin: Simulator) -> None:
    """Bigin does not document it: the audit goes record by record then, as a sweep does."""
    archive = Archive(aws, bigin)
    many(bigin, 0)
    archive.in_bigin(archive.new(3))
    listed_by(bigin, "all")
    odd = {"id": "1", "$se_module": "Contacts", "Parent_Id": {"id": "5"}}
    bigin.answer(200, page(odd), call="records", times=1)
    bigin.answer(500, "down", call="records", times=4)

    audit = audited(archive, by_record=False)

    assert ("complete", 3) == (audit.verdict, audit.total.archived)
    assert not any("Bigin does not document" in limit for limit in audit.limits)


def test_a_first_module_that_cannot_be_listed_holds_up_no_other(aws: Aws, bigin: Simulator) -> None:
    """With no list of all either, nothing tells this from an outage at first: after two hours the sweep goes on."""
    many(bigin, 2)
    many(bigin, 3, module="Notes")
    # Three looks at both; then a day of tries with the first module alone.
    bigin.answer(500, "down", call="records", times=3 * 2 + 25)

    state = Account(aws, bigin).sweep(SweepRequest(), every_s=3600)

    assert (["Contacts"], 3, "partial") == (state.refused, len(archived(aws)), state.result)


def test_a_first_module_that_no_audit_can_list_hides_no_other(aws: Aws, bigin: Simulator) -> None:
    """The audit goes record by record through the others, and names this one."""
    archive = Archive(aws, bigin)
    many(bigin, 0)
    archive.in_bigin(archive.new(2, module="Notes"))
    bigin.answer(500, "down", call="records", times=4 * 2 + 4)  # four looks at both, four at the first module alone

    audit = audited(archive, by_record=False)

    assert ("partial", {"Contacts"}, 2) == (audit.verdict, audit.unlisted, audit.total.archived)


def test_doubted_records_with_long_names_fit_into_the_state() -> None:
    """The sweep's state holds 400 KB. If the doubted records do not fit, their module is reported as not whole."""
    state = SweepState("2026-01-01T00:00:00.000+00:00", ["Contacts"])

    for number in range(1200):
        doubt(state, "Contacts", f"{number}", "名" * 2000)

    assert state.refused
    assert state.doubted
    assert len(json.dumps(state.as_dict())) < 300_000
