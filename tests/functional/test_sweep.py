"""The sweep against simulator and emulator: what it finds, what it costs, and how it is interrupted."""

import itertools
import json
import secrets
import time
from contextlib import suppress
from datetime import UTC, datetime
from typing import Any

import pytest

from bigin_archive.archive_request import ArchiveRequest
from bigin_archive.deadline import Deadline
from bigin_archive.ledger.credit_usage import CreditUsage
from bigin_archive.ledger.ledger import Ledger
from bigin_archive.ledger.ledger_entry import LedgerEntry
from bigin_archive.sweep.cursor import Cursor, SweepState
from bigin_archive.sweep.sweep import SweepRequest
from tests.account import Account, Killed, archived, at, attachments, ledger, listed_by, many
from tests.archived import Archive
from tests.aws import Aws
from tests.bigin import Simulator
from tests.functional.test_operate_stack import deploy, run

OLD, LATER = "2026-01-05T10:00:00+00:00", "2099-01-01T00:00:00+00:00"
pytestmark = pytest.mark.in_memory
WAYS = pytest.mark.parametrize("way", ["records", "all"])


@WAYS
def test_a_sweep_archives_the_whole_account(aws: Aws, bigin: Simulator, way: str) -> None:
    """Every file and every link that Bigin lists stands in S3, and in the ledger."""
    listed_by(bigin, way)
    bigin.control("PATCH", f"attachments/{bigin.attachments()[-1]['attachment_id']}", {"kind": "gone"})

    state = Account(aws, bigin).sweep()

    entries, expected = ledger(aws), attachments(bigin)
    assert way == state.strategy
    assert set(expected) == set(entries)
    states = {"file": "archived", "link": "link", "gone": "gone"}
    assert {key: states[found["kind"]] for key, found in expected.items()} == {
        key: entry.state for key, entry in entries.items()
    }
    files = {key: found for key, found in expected.items() if found["kind"] == "file"}
    assert {(found["sha256"], found["size_bytes"]) for found in files.values()} == {
        (entries[key].sha256, entries[key].size_bytes) for key in files
    }
    assert {entry.key for entry in entries.values() if entry.is_stored} == archived(aws)


@WAYS
def test_a_second_sweep_downloads_nothing(aws: Aws, bigin: Simulator, way: str) -> None:
    """What the ledger knows as Bigin lists it is not queued again."""
    listed_by(bigin, way)
    account = Account(aws, bigin)
    account.sweep()
    downloads = bigin.calls()["by_call"]["download"]

    second = account.sweep()

    assert (0, downloads) == (second.queued, bigin.calls()["by_call"]["download"])
    assert second.known == second.listed > 0


@WAYS
def test_a_sweep_survives_a_kill_at_any_call(aws: Aws, bigin: Simulator, way: str) -> None:
    """Killed at every thirteenth of its calls to AWS and resumed, a sweep archives everything, and nothing twice."""
    listed_by(bigin, way)
    many(bigin, 23, 2)
    account = Account(aws, bigin)
    kills, state = 0, None

    for kill_at in itertools.count(1, 13):
        try:
            state = account.slice(SweepRequest(), kill_at)
        except Killed:
            kills += 1
            account.clock.now_s += 16 * 60  # the lease of the dead has to end
            account.drain()
            continue
        if kills > 3 and (state is None or state.phase in ("draining", "closing", "done")):
            break
    account.drain()
    while state is None or not state.is_done:
        account.clock.now_s += 16 * 60
        state = account.slice()

    assert kills > 3
    assert 46 == len(archived(aws))
    assert {1} == set(bigin.calls()["downloads"].values())
    assert {"archived"} == {entry.state for entry in ledger(aws).values()}
    assert "complete" == state.result


def test_what_page_numbers_do_not_reach_is_listed_too(aws: Aws, bigin: Simulator) -> None:
    """A module of more than 2,000 records is stored whole, page by page."""
    many(bigin, 0)
    made = bigin.control("POST", "records", {"module": "Accounts", "count": 2100})
    account = Account(aws, bigin, 400)  # 25 credits an hour: enough for the list, twice

    state = account.slice(SweepRequest(modules=("Accounts",), by_record=True))

    assert state is not None
    cursor = Cursor(aws.dynamodb, aws.ledger_table, "", account.clock)
    stored = [record_id for number in range(state.pages) for _, record_id, _ in cursor.page(state, number)]
    assert ("attachments", sorted(made["record_ids"])) == (state.phase, sorted(stored))


def test_a_list_whose_page_token_has_ended_is_begun_again(aws: Aws, bigin: Simulator) -> None:
    """A sweep that was interrupted for longer than a token lives forgets no record."""
    many(bigin, 0)
    bigin.control("POST", "records", {"module": "Contacts", "count": 201})
    bigin.control("PATCH", "settings", {"page_token_lifetime_s": 0})
    account = Account(aws, bigin)
    bigin.fault({"kind": "answer", "status": 503, "headers": {}, "body": ""}, call="records", skip=2, times=1)

    states = [account.slice(SweepRequest(modules=("Contacts",)))]
    bigin.control("PATCH", "settings", {"page_token_lifetime_s": 86400})
    states.append(account.slice())

    assert states[0]
    assert states[1]
    assert ("listing", 201) == (states[0].phase, states[1].records)


def test_a_sweep_waits_for_its_share(aws: Aws, bigin: Simulator) -> None:
    """No 24 hours see more credits than the share; events go on while a sweep waits, and count."""
    many(bigin, 40)
    account = Account(aws, bigin, 120)
    event = bigin.add(b"event", record_id="4000")

    state = account.slice(SweepRequest())
    account.drain()

    assert state is not None
    assert "credits" in str(state.waits_for)
    assert [] == account.aws.worker().work(aws.deliver(event), Deadline(60))
    state = account.sweep(every_s=2 * 3600)
    assert account.most_in_a_day() <= 60
    assert (41, "complete") == (len(archived(aws)), state.result)
    assert {1} == set(bigin.calls()["downloads"].values())


def test_bigins_own_word_goes_before_the_count(aws: Aws, bigin: Simulator) -> None:
    """Where other integrations have used the account's credits, a sweep leaves the rest to them."""
    many(bigin, 30)
    bigin.control("PATCH", "settings", {"daily_credits": 40})
    account = Account(aws, bigin, 1000)

    state = account.slice(SweepRequest())
    account.drain()
    state = account.slice()

    assert state
    assert state.waits_for
    assert bigin.calls()["credits_used"] <= 40


def test_the_credits_that_are_counted_are_those_of_bigin(aws: Aws, bigin: Simulator) -> None:
    """What sweep and workers record is what the simulator counted."""
    many(bigin, 20, 2)
    account = Account(aws, bigin)

    account.sweep()

    usage = CreditUsage(aws.dynamodb, aws.ledger_table, account.clock)
    assert bigin.calls()["credits_used"] == usage.used().used


def test_a_sweep_pauses_while_the_queue_is_full(aws: Aws, bigin: Simulator) -> None:
    """With more than 20,000 messages waiting nothing is listed and nothing is queued."""
    many(bigin, 3)
    entries = [{"Id": str(number), "MessageBody": "x"} for number in range(10)]
    for _ in range(2001):
        aws.sqs.send_message_batch(QueueUrl=aws.queue_url, Entries=entries)

    state = Account(aws, bigin).slice(SweepRequest())

    assert state
    assert state.waits_for
    assert "20010" in state.waits_for
    assert state.stuck_since is None
    assert 0 == bigin.calls()["credits_used"]


@WAYS
def test_only_what_was_changed_since(aws: Aws, bigin: Simulator, way: str) -> None:
    """A sweep of changes leaves out what was not touched after the date; its audit does not call that complete."""
    listed_by(bigin, way)
    many(bigin, 4)
    bigin.control("POST", "records", {"module": "Notes", "record_id": "3000", "modified_time": OLD})
    old = bigin.add(b"old", module="Notes", record_id="3000", created_time=OLD, attachment_id="3001")
    bigin.control("PATCH", "records", {"module": "Notes", "record_ids": ["3000"], "modified_time": OLD})

    state = Account(aws, bigin).sweep(SweepRequest(since="2026-06-01T00:00:00+00:00"))

    assert old["attachment_id"] not in ledger(aws)
    assert (4, "partial") == (len(archived(aws)), state.result)


def test_a_nightly_sweep_by_record_looks_at_changes_alone(aws: Aws, bigin: Simulator) -> None:
    """After a full sweep it costs one call for each changed record, and once a week one for all."""
    many(bigin, 30)
    ids = bigin.record_ids("Contacts")
    bigin.control("PATCH", "records", {"module": "Contacts", "record_ids": ids, "modified_time": OLD})
    account = Account(aws, bigin)
    account.sweep(SweepRequest(nightly=True))
    account.clock.now_s += 3600
    bigin.control("PATCH", "records", {"module": "Contacts", "record_ids": ["5003"], "modified_time": LATER})

    second = account.sweep(SweepRequest(nightly=True))
    account.clock.now_s += 8 * 86400
    third = account.sweep(SweepRequest(nightly=True))

    assert (False, 1, "complete") == (second.is_full, second.records, second.result)
    assert (True, 30) == (third.is_full, third.records)


def test_a_refused_module_is_told(aws: Aws, bigin: Simulator) -> None:
    """What Bigin keeps back is named; the rest is swept, and the audit is not complete."""
    many(bigin, 2)
    refusal = {"code": "NO_PERMISSION", "status": "error", "message": "m", "details": {}}
    bigin.answer(403, refusal, call="records", times=1)

    state = Account(aws, bigin).sweep(SweepRequest(modules=("Tasks", "Contacts"), by_record=True))

    assert (["Tasks"], 2, "partial") == (state.refused, len(archived(aws)), state.result)


def test_attachments_of_a_foreign_module_are_counted_not_lost(aws: Aws, bigin: Simulator) -> None:
    """What the list of all attachments names of modules that are not archived makes the audit say so."""
    listed_by(bigin, "all")
    many(bigin, 2)
    bigin.add(b"call", record_id="6000", attachment_id="6001", listed={"$se_module": "Calls"})

    state = Account(aws, bigin).sweep()

    assert ({"Calls": 1}, "partial") == (state.uncovered, state.result)


def test_one_sweep_at_a_time(aws: Aws, bigin: Simulator) -> None:
    """A slice that finds another at work does nothing; a second order does not begin a second sweep."""
    many(bigin, 3)
    account = Account(aws, bigin)
    with pytest.raises(Killed):
        account.slice(SweepRequest(), kill_at=12)

    assert account.slice(SweepRequest()) is None
    account.clock.now_s += 16 * 60
    state = account.slice(SweepRequest(modules=("Notes",)))

    assert state
    assert len(state.modules) == 7


def test_a_slice_with_nothing_to_do_turns_away_no_order(aws: Aws, bigin: Simulator) -> None:
    """Between sweeps the schedule's slices take no lease, so that the nightly order at the same minute is not lost."""
    many(bigin, 1)
    account = Account(aws, bigin)
    account.sweep()
    account.executioner.calls = 0
    account.slice()
    calls = account.executioner.calls

    for kill_at in range(calls):
        with suppress(Killed):
            account.slice(kill_at=kill_at)

    assert account.slice(SweepRequest()) is not None


def test_a_parked_attachment_is_not_queued_again(aws: Aws, bigin: Simulator) -> None:
    """It is queued again only when Bigin lists it otherwise, since the result would be the same."""
    many(bigin, 1)
    account = Account(aws, bigin)
    refusal = {"code": "NO_PERMISSION", "status": "error", "message": "m", "details": {}}
    bigin.answer(403, refusal, times=None)

    first, second = account.sweep(), account.sweep()
    bigin.no_faults()
    (entry,) = ledger(aws).values()

    assert ("parked", "bigin_refused") == (entry.state, entry.reason)
    assert (1, 0, "partial") == (first.queued, second.queued, second.result)


def test_a_dead_token_stops_a_sweep_for_a_while(aws: Aws, bigin: Simulator) -> None:
    """It says what it waits for, costs two calls a slice, and goes on where it was when there is a token again."""
    many(bigin, 12)
    account = Account(aws, bigin)
    with pytest.raises(Killed):
        account.slice(SweepRequest(), kill_at=60)
    account.clock.now_s += 16 * 60
    bigin.control("DELETE", "tokens")
    before = bigin.calls()["total"]

    state = account.slice()

    assert state is not None
    assert "token" in str(state.waits_for)
    assert bigin.calls()["total"] - before <= 2
    bigin.control("POST", "tokens", {"token": "another"})
    aws.store_token("another")
    assert ("complete", 12) == (account.sweep().result, len(archived(aws)))


@WAYS
def test_a_lost_ledger_costs_no_download(aws: Aws, bigin: Simulator, way: str) -> None:
    """The next sweep finds in S3 what is archived, links included, and the ledger knows it again."""
    listed_by(bigin, way)
    account = Account(aws, bigin)
    account.sweep()
    before, downloads = ledger(aws), bigin.calls()["downloads"]
    for item in aws.dynamodb.scan(TableName=aws.ledger_table)["Items"]:
        key = {name: item[name] for name in ("record", "attachment_id")}
        aws.dynamodb.delete_item(TableName=aws.ledger_table, Key=key)

    account.sweep()

    after = ledger(aws)
    assert {key: (entry.state, entry.key, entry.sha256) for key, entry in before.items()} == {
        key: (entry.state, entry.key, entry.sha256) for key, entry in after.items()
    }
    again = bigin.calls()["downloads"]
    assert {key for key in again if again[key] != downloads.get(key)} == {
        key for key, entry in after.items() if entry.state == "gone"
    }


def test_a_nightly_sweep_sees_what_a_narrow_one_left_out(aws: Aws, bigin: Simulator) -> None:
    """A change before a sweep of another module is found by the next nightly one."""
    many(bigin, 3)
    account = Account(aws, bigin)
    account.sweep(SweepRequest(nightly=True))
    bigin.add(b"new", record_id="5001", attachment_id="777")
    between = datetime.fromtimestamp(account.clock.now_s + 1800, UTC).isoformat(timespec="seconds")
    bigin.control("PATCH", "records", {"module": "Contacts", "record_ids": ["5001"], "modified_time": between})
    account.clock.now_s += 3600
    account.sweep(SweepRequest(modules=("Notes",)))
    account.clock.now_s += 3600

    account.sweep(SweepRequest(nightly=True))

    assert "777" in ledger(aws)


@pytest.mark.parametrize("call", ["records", "list"])
def test_what_was_refused_stays_told_until_it_was_listed(aws: Aws, bigin: Simulator, call: str) -> None:
    """A nightly sweep of changes alone does not call complete what the last whole one could not look at."""
    many(bigin, 3)
    ids = bigin.record_ids("Contacts")
    bigin.control("PATCH", "records", {"module": "Contacts", "record_ids": ids, "modified_time": OLD})
    account = Account(aws, bigin)
    refusal = {"code": "NO_PERMISSION", "status": "error", "message": "m", "details": {}}
    bigin.answer(403, refusal, call=call, times=1)
    nightly = SweepRequest(nightly=True, by_record=True)
    results = []

    for hours in (1, 1, 8 * 24):
        state = account.sweep(nightly)
        results.append((state.is_full, len(ledger(aws)) == 3, state.result))
        account.clock.now_s += hours * 3600
    last = account.sweep(nightly)

    assert [(True, False, "partial"), (False, False, "partial"), (False, False, "partial")] == results
    assert (True, [], 3, "complete") == (last.is_full, last.refused, len(ledger(aws)), last.result)


def test_a_sweep_of_one_module_makes_up_for_no_list_of_everything(
    aws: Aws, bigin: Simulator, monkeypatch: pytest.MonkeyPatch
) -> None:
    """What the last list of everything lacks is still missing: no removal is invented, nothing is called complete."""
    many(bigin, 3)
    account = Account(aws, bigin)
    account.sweep(SweepRequest(by_record=True))
    bigin.control("PATCH", "records", {"module": "Contacts", "record_ids": ["5001"], "modified_time": OLD})
    refusal = {"code": "NO_PERMISSION", "status": "error", "message": "m", "details": {}}
    bigin.answer(403, refusal, call="list", record_id="5001", times=1)
    full = account.sweep(SweepRequest(by_record=True))

    narrow = account.sweep(SweepRequest(modules=("Contacts",), by_record=True))
    stack = deploy(aws)
    as_of_sweep = run(monkeypatch, "audit", "--as-of-sweep", "--module", "Contacts", "--stack", stack)
    told = json.loads(Archive(aws, bigin).read("_audit/latest-Contacts.json"))
    nightly = account.sweep(SweepRequest(nightly=True))

    assert (["Contacts/5001"], []) == (full.refused, narrow.refused)
    assert (2, {}) == (as_of_sweep, told["kinds"])
    assert "Contacts: Bigin did not list Contacts/5001" in told["not_covered"]
    assert (False, ["Contacts/5001"], "partial") == (nightly.is_full, nightly.refused, nightly.result)


def test_a_gap_between_two_sweeps_is_no_proof(aws: Aws, bigin: Simulator) -> None:
    """What was changed after the last whole sweep and before ``since`` was never looked at, and the audit says so."""
    many(bigin, 3)
    account = Account(aws, bigin)
    account.sweep()
    bigin.add(b"new", record_id="5001", attachment_id="777")
    bigin.control(
        "PATCH", "records", {"module": "Contacts", "record_ids": ["5001"], "modified_time": at(account, 1800)}
    )
    account.clock.now_s += 7200

    state = account.sweep(SweepRequest(since=at(account, 0)))

    assert ("partial", 3) == (state.result, len(ledger(aws)))


LISTS_NOT = {
    "no such address": (404, {"code": "INVALID_URL_PATTERN", "status": "error", "message": "m", "details": {}}),
    "no such page": (404, "nothing here"),
    "another scope": (401, {"code": "OAUTH_SCOPE_MISMATCH", "status": "error", "message": "m", "details": {}}),
    "a bug of Bigin": (500, {"code": "INTERNAL_ERROR", "status": "error", "message": "m", "details": {}}),
    "no list": (200, {"data": "none"}),
}


@pytest.mark.parametrize(("status", "body"), LISTS_NOT.values(), ids=LISTS_NOT)
def test_a_list_of_all_that_bigin_does_not_offer_is_done_without(
    aws: Aws, bigin: Simulator, status: int, body: object
) -> None:
    """However the undocumented list fails, the sweep goes record by record."""
    many(bigin, 3)
    listed_by(bigin, "all")
    bigin.answer(status, body, call="records", times=1)

    state = Account(aws, bigin).sweep()

    assert ("records", 3, "complete") == (state.strategy, len(ledger(aws)), state.result)


def test_a_bigin_that_is_down_does_not_decide_the_way(aws: Aws, bigin: Simulator) -> None:
    """Where the documented lists fail as well, the sweep waits, and asks again for the list of all."""
    many(bigin, 3)
    listed_by(bigin, "all")
    bigin.answer(500, "down", call="records", times=2)
    account = Account(aws, bigin)

    first = account.slice(SweepRequest())
    state = account.sweep()

    assert first is not None
    assert (None, True) == (first.strategy, first.stuck_since is not None)
    assert ("all", None, "complete") == (state.strategy, state.stuck_since, state.result)


def test_a_list_of_all_that_breaks_off_is_given_up_for_the_records(aws: Aws, bigin: Simulator) -> None:
    """Where a later page fails for two hours, the sweep begins again, record by record."""
    many(bigin, 3, 70)
    listed_by(bigin, "all")
    account = Account(aws, bigin)
    bigin.answer(500, "down", call="records", skip=2, times=10)

    state = account.sweep()

    assert ("records", 210, "complete") == (state.strategy, len(ledger(aws)), state.result)
    assert {1} == set(bigin.calls()["downloads"].values())


@pytest.mark.parametrize("breaks", ["an entry of nobody", "a refusal"])
def test_a_list_of_all_that_is_none_in_the_middle_is_given_up(aws: Aws, bigin: Simulator, breaks: str) -> None:
    """Half a list proves nothing: the sweep goes record by record, and finds everything."""
    many(bigin, 3, 70)
    listed_by(bigin, "all")
    if breaks == "a refusal":
        bigin.answer(403, {"code": "NO_PERMISSION", "status": "error", "message": "m"}, call="records", skip=2, times=1)
    else:
        bigin.add(b"orphan", record_id="4999", attachment_id="1", listed={"$se_module": None})

    state = Account(aws, bigin).sweep()

    assert ("records", [], "complete") == (state.strategy, state.refused, state.result)
    assert set(attachments(bigin)) == set(ledger(aws))


def test_an_outage_of_an_hour_leaves_nothing_out(aws: Aws, bigin: Simulator) -> None:
    """The sweep goes on where it was, and is complete."""
    many(bigin, 5)
    bigin.answer(503, call="list", times=4)

    state = Account(aws, bigin).sweep()

    assert ([], 5, "complete") == (state.refused, len(ledger(aws)), state.result)


def test_a_record_whose_list_fails_for_ever_is_passed_over(aws: Aws, bigin: Simulator) -> None:
    """After two hours the sweep goes on with the others, and is not complete; the next one tries it again."""
    many(bigin, 5)
    bigin.answer(500, "down", call="list", record_id="5002", times=None)
    account = Account(aws, bigin)

    first, archived_first = account.sweep(), len(ledger(aws))
    bigin.no_faults()
    second = account.sweep()

    assert (["Contacts/5002"], 4, "partial") == (first.refused, archived_first, first.result)
    assert ([], 5, "complete") == (second.refused, len(ledger(aws)), second.result)


def test_a_record_that_can_be_listed_ends_the_silence(aws: Aws, bigin: Simulator) -> None:
    """A day later in the same sweep, another record that fails has its two hours again."""
    many(bigin, 5)
    bigin.answer(500, "down", call="list", record_id="5002", times=None)
    account = Account(aws, bigin)

    states = [account.slice(SweepRequest(by_record=True))]
    while states[-1] and not states[-1].refused:
        account.clock.now_s += 900
        states.append(account.slice())

    noted = [state and state.silent for state in states]
    assert (True, None) == (bool(noted[0]), noted[-1])


def test_a_module_none_of_whose_records_can_be_listed_is_passed_over(aws: Aws, bigin: Simulator) -> None:
    """For a day each record has two hours, then one try: the other modules need not wait for weeks."""
    many(bigin, 5)
    for number in range(40):
        bigin.add(b"note", record_id=f"{700 + number}", module="Notes", attachment_id=f"{number}1")
        bigin.answer(500, "down", call="list", record_id=f"{700 + number}", times=None)
    account = Account(aws, bigin)
    began_s = account.clock.now_s

    state = account.sweep(SweepRequest(modules=("Notes", "Contacts"), by_record=True), every_s=3600)

    assert (40, 5, "partial") == (len(state.refused), len(ledger(aws)), state.result)
    assert 24 <= (account.clock.now_s - began_s) / 3600 <= 27


def test_a_module_whose_list_fails_for_a_day_is_passed_over(aws: Aws, bigin: Simulator) -> None:
    """The other modules are swept; the audit is not complete."""
    many(bigin, 1)
    bigin.answer(500, "down", call="records", skip=1, times=98)  # the first asks for the list of all

    state = Account(aws, bigin).sweep(SweepRequest(modules=("Notes", "Contacts")))

    assert (["Notes"], 1, "partial") == (state.refused, len(ledger(aws)), state.result)


def test_page_tokens_that_always_end_too_early_do_not_keep_a_sweep_for_ever(aws: Aws, bigin: Simulator) -> None:
    """A module's list that never reaches its end is begun again three times, then left out, which the audit tells."""
    many(bigin, 1)
    bigin.control("POST", "records", {"module": "Notes", "count": 201})
    bigin.control("PATCH", "settings", {"page_token_lifetime_s": 0})

    state = Account(aws, bigin).sweep(SweepRequest(modules=("Notes", "Contacts")))

    assert ("done", ["Notes"], 1, "partial") == (state.phase, state.refused, len(ledger(aws)), state.result)


def test_a_list_of_all_whose_page_tokens_end_too_early_is_given_up_for_the_records(aws: Aws, bigin: Simulator) -> None:
    """The sweep goes record by record, and nothing is missing."""
    many(bigin, 3, 70)
    listed_by(bigin, "all")
    bigin.control("PATCH", "settings", {"page_token_lifetime_s": 0})

    state = Account(aws, bigin).sweep()

    assert ("records", 210, "complete") == (state.strategy, len(ledger(aws)), state.result)


def test_a_link_that_no_text_can_hold_stops_no_sweep(aws: Aws, bigin: Simulator) -> None:
    """JSON can carry half a character; the link is archived with a replacement for it."""
    many(bigin, 1)
    link = r'{"id": "5", "File_Name": "a\ud800", "$type": "Link URL", "$link_url": "https://x/\ud800"}'
    body = f'{{"data": [{link}], "info": {{}}}}'
    bigin.answer(200, body, {"Content-Type": "application/json"}, call="list", times=1)

    Account(aws, bigin).sweep()

    assert "a?.url" in str(ledger(aws)["5"].key)


def test_a_page_of_long_links_is_stored_whole(aws: Aws, bigin: Simulator) -> None:
    """200 addresses as long as Bigin takes them are more than one item of the table holds."""
    cursor = Cursor(aws.dynamodb, aws.ledger_table, "", time.time)
    rows = [["Contacts", str(number), secrets.token_hex(3000)] for number in range(200)]

    state = SweepState("2026-01-01T00:00:00+00:00", ["Contacts"])
    pages = cursor.store_rows(state, 7, rows)

    assert pages > 1
    assert rows == [row for number in range(pages) for row in cursor.page(state, 7 + number)]


def test_an_audit_that_kills_its_function_ends_the_sweep(aws: Aws, bigin: Simulator) -> None:
    """After an hour of tries the sweep is done, its audit failed, and the next one can begin."""
    many(bigin, 1)
    account = Account(aws, bigin)
    account.slice(SweepRequest())
    account.drain()
    state, kills = None, 0

    while state is None and kills < 10:
        account.clock.now_s += 16 * 60
        try:
            state = account.slice(kill_at=12)
        except Killed:
            kills += 1

    assert state is not None
    assert (True, "failed", 4) == (state.is_done, state.result, kills)


def test_a_sweep_says_when_it_waits_for_the_queue(aws: Aws, bigin: Simulator) -> None:
    """Its credits are reserved for the messages that wait, so it names those, and not a time."""
    for number in range(8):
        aws.sqs.send_message(QueueUrl=aws.queue_url, MessageBody=f"{number}")

    state = Account(aws, bigin, 120).slice(SweepRequest())

    assert state is not None
    assert "8 messages" in str(state.waits_for)


def test_attachments_of_two_records_with_one_id_are_two(aws: Aws) -> None:
    """An id counts within its record alone: what the ledger knows of one says nothing of the other."""
    rows = Ledger(aws.dynamodb, aws.ledger_table)
    one, other = (ArchiveRequest("Contacts", record_id, "77") for record_id in ("5001", "5002"))
    rows.put(LedgerEntry("Contacts", "5001", "77", "archived"))

    found = [rows.find([one, other]), rows.find([other, one])]

    assert [{one.place}, {one.place}] == [set(each) for each in found]


def test_the_audit_waits_until_the_queue_can_be_counted(aws: Aws, bigin: Simulator) -> None:
    """SQS may count nothing for a minute after something was sent: an empty queue is believed later."""
    many(bigin, 2)
    account = Account(aws, bigin)
    account.slice(SweepRequest())
    aws.sqs.purge_queue(QueueUrl=aws.queue_url)  # the count is empty while the ledger still waits for them

    phases = []
    for seconds in (0, 59, 2):
        account.clock.now_s += seconds
        state = account.slice()
        phases.append(state and state.phase)

    assert ["draining", "draining", "done"] == phases


def test_the_audit_of_a_small_account_begins_when_the_ledger_waits_for_nothing(aws: Aws, bigin: Simulator) -> None:
    """The ledger knows at once what SQS counts a minute later."""
    many(bigin, 2)
    account = Account(aws, bigin)
    account.slice(SweepRequest())
    account.drain()

    state = account.slice()

    assert state
    assert ("done", "complete") == (state.phase, state.result)


@pytest.mark.parametrize("wrong", [{"modules": ("Calls",)}, {"since": "yesterday"}, {"since": "2026-01-01"}], ids=str)
def test_a_wrong_order_begins_nothing(wrong: dict[str, Any]) -> None:
    """A date that cannot be read would mean everything, and an unknown module nothing: both are refused."""
    with pytest.raises(ValueError, match=r"modules|Invalid|time zone"):
        SweepRequest(**wrong)
