"""What a sweep believes of Bigin's lists, and until when its verdict holds."""

import json
import time
from collections import Counter
from contextlib import suppress
from itertools import count
from typing import Any

import pytest
from botocore import handlers
from botocore.exceptions import EndpointConnectionError

from bigin_archive.bigin.client import Bigin
from bigin_archive.deadline import Deadline
from bigin_archive.network.transport import session
from bigin_archive.sweep.cursor import Cursor, SweepState
from bigin_archive.sweep.lists import Lists, is_wanted
from bigin_archive.sweep.sweep import SweepRequest
from tests.account import Account, Killed, Tokens, archived, at, ledger, many
from tests.aws import Aws
from tests.bigin import Simulator
from tests.functional.test_operate_stack import deploy, run
from tests.functional.test_sweep import listed_by
from tests.lambdas import Context, api_event, load

pytestmark = pytest.mark.in_memory

NIGHTLY, BY_RECORD = SweepRequest(nightly=True), SweepRequest(by_record=True)
BEFORE = "2026-01-05T10:00:00+00:00"
LONG_AGO = "2023-01-09T09:00:00+03:00"


def report(aws: Aws) -> dict[str, Any]:
    """The last audit's."""
    found: dict[str, Any] = json.loads(
        aws.s3.get_object(Bucket=aws.bucket, Key="bigin/_audit/latest.json")["Body"].read()
    )
    return found


def test_the_verdict_says_until_when_the_lists_were_whole(aws: Aws, bigin: Simulator) -> None:
    """A nightly sweep of changes proves no more than the last sweep of everything, and names what it cannot see."""
    many(bigin, 3)
    account = Account(aws, bigin)
    first = account.sweep(NIGHTLY)
    account.clock.now_s += 86400
    bigin.add(b"unseen", record_id="5001", attachment_id="777")
    bigin.control("PATCH", "records", {"module": "Contacts", "record_ids": ["5001"], "modified_time": BEFORE})

    second = account.sweep(NIGHTLY)
    told = report(aws)
    account.clock.now_s += 8 * 86400
    third = account.sweep(NIGHTLY)

    assert first.complete_as_of == first.started_at
    assert ("complete", first.started_at, first.started_at) == (
        second.result,
        second.complete_as_of,
        told["complete_as_of"],
    )
    assert any("attached without such a change" in limit for limit in told["limits"])
    assert ("complete", third.started_at) == (third.result, third.complete_as_of)
    assert "777" in ledger(aws)


def test_a_list_that_is_not_whole_has_no_time(aws: Aws, bigin: Simulator) -> None:
    """Where a module was refused the report names no time; the sweep keeps the last one, so that its age shows."""
    many(bigin, 2)
    account = Account(aws, bigin)
    first = account.sweep(NIGHTLY)
    account.clock.now_s += 8 * 86400
    refusal = {"code": "NO_PERMISSION", "status": "error", "message": "m", "details": {}}
    bigin.answer(403, refusal, call="records", skip=1, times=1)

    second = account.sweep(NIGHTLY)

    assert ("partial", None, first.started_at) == (
        second.result,
        report(aws)["complete_as_of"],
        second.complete_as_of,
    )


@pytest.mark.parametrize("behind_s", [120, 14 * 60])
def test_a_clock_of_bigin_that_is_behind_hides_nothing(aws: Aws, bigin: Simulator, behind_s: int) -> None:
    """What is attached a minute after the full sweep began is found by the nightly one, whatever Bigin's clock says."""
    many(bigin, 3)
    account = Account(aws, bigin)
    attached_at = at(account, 60 - behind_s)
    account.sweep(NIGHTLY)
    bigin.add(b"new", record_id="5001", attachment_id="777", created_time=attached_at)
    bigin.control("PATCH", "records", {"module": "Contacts", "record_ids": ["5001"], "modified_time": attached_at})
    account.clock.now_s += 86400

    state = account.sweep(NIGHTLY)

    assert (False, True) == (state.is_full, "777" in ledger(aws))


DENIED = {
    "no such page": (404, "<html>not found</html>"),
    "no such record": (400, {"code": "INVALID_DATA", "status": "error", "message": "m", "details": {"id": "x"}}),
}


@pytest.mark.parametrize(("status", "body"), DENIED.values(), ids=DENIED)
def test_a_record_that_is_denied_once_is_asked_for_again(aws: Aws, bigin: Simulator, status: int, body: object) -> None:
    """Where the list of its module still shows it, what it holds is archived as all else."""
    many(bigin, 4)
    bigin.answer(status, body, call="list", record_id="5002", times=1)

    state = Account(aws, bigin).sweep(BY_RECORD)

    assert (4, [], "complete") == (len(archived(aws)), state.refused, state.result)


def test_one_empty_answer_of_the_list_of_all_is_not_believed(
    aws: Aws, bigin: Simulator, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The list had entries a moment ago: one empty answer does not make the account empty for a sweep or an audit."""
    listed_by(bigin, "all")
    many(bigin, 4)
    bigin.answer(204, call="records", skip=1, times=1)

    state = Account(aws, bigin).sweep()

    assert (4, "complete") == (len(archived(aws)), state.result)
    bigin.add(b"unseen", record_id="5001", attachment_id="777")
    bigin.answer(204, call="records", skip=1, times=1)
    assert 2 == run(monkeypatch, "audit", "--stack", deploy(aws))
    assert [("777", "not_archived")] == [(each["attachment_id"], each["kind"]) for each in report(aws)["differences"]]


def test_a_record_that_is_listed_and_always_denied_is_told(aws: Aws, bigin: Simulator) -> None:
    """The other records are archived, and the verdict is not complete."""
    many(bigin, 4)
    bigin.answer(404, "<html>not found</html>", call="list", record_id="5002", times=None)

    state = Account(aws, bigin).sweep(BY_RECORD)

    assert (3, ["Contacts/5002"], "partial") == (len(archived(aws)), state.refused, state.result)


def test_a_record_that_really_went_is_no_obstacle(aws: Aws, bigin: Simulator) -> None:
    """If a record is deleted before its attachments are listed, the archive is complete without it."""
    many(bigin, 3)
    entries = [{"id": found} for found in (*bigin.record_ids("Contacts"), "99999")]
    bigin.control("DELETE", "calls")
    listing = {"data": entries, "info": {"more_records": False}}
    bigin.answer(200, listing, {"Content-Type": "application/json"}, call="records", times=1)
    bigin.answer(404, "<html>not found</html>", call="list", record_id="99999", times=None)

    state = Account(aws, bigin).sweep(SweepRequest(("Contacts",), by_record=True))

    assert (3, [], []) == (len(archived(aws)), state.refused, state.doubted)


def test_an_outage_that_is_watched_leaves_nothing_out(aws: Aws, bigin: Simulator) -> None:
    """A hundred failures of slices that follow every 15 seconds are 25 minutes, not a day: nothing is left out."""
    many(bigin, 3)
    bigin.answer(503, "down", call="list", record_id="5001", times=60)

    state = Account(aws, bigin).sweep(BY_RECORD, every_s=15)

    assert ([], 3) == (state.refused, len(archived(aws)))


def test_one_failure_after_a_day_of_a_dead_token_leaves_out_no_module(aws: Aws, bigin: Simulator) -> None:
    """Patience begins with the first failure of its cause."""
    many(bigin, 3)
    account = Account(aws, bigin)
    bigin.answer(503, "down", call="records", times=1)
    account.slice(BY_RECORD)
    bigin.answer(401, {"code": "INVALID_TOKEN", "status": "error", "message": "m"}, call="records", times=2)
    for _ in range(2):
        account.clock.now_s += 14 * 3600
        account.slice()
    bigin.no_faults()
    bigin.answer(503, "down", call="records", times=1)

    state = account.sweep(BY_RECORD)

    assert ([], 3, "complete") == (state.refused, len(archived(aws)), state.result)


def test_a_list_that_repeats_its_page_costs_little_and_is_told(aws: Aws, bigin: Simulator) -> None:
    """After a day the module is left out, and the verdict will name it; until then a slice costs four calls."""
    many(bigin, 2)
    page = {"data": [{"id": "7001"}], "info": {"more_records": True}}
    bigin.answer(200, page, {"Content-Type": "application/json"}, call="records", times=None)
    account = Account(aws, bigin)

    first = account.slice(SweepRequest(("Notes",), by_record=True))
    used = bigin.calls()["credits_used"]
    stuck = []
    for _ in range(2):
        account.clock.now_s += 3600
        later = account.slice()
        stuck.append(later and later.stuck_since)
    account.clock.now_s += 23 * 3600
    second = account.slice()

    assert first
    assert second
    # What is read again up to there is no progress: the alarm counts on.
    assert stuck[0] == stuck[1] is not None
    assert (4, [], ["Notes"]) == (used, first.refused, second.refused)
    assert "Bigin's list of Notes promises more, and shows nothing new" in str(first.waits_for)


def test_a_file_has_a_second_message_only_where_no_mark_could_be_made(aws: Aws, bigin: Simulator) -> None:
    """Killed at each call while it queues, a sweep loses no file, and sends it twice only between SQS and the mark."""
    many(bigin, 1, 3)
    order = SweepRequest(("Contacts",), by_record=True)
    whole = Account(aws, bigin)
    whole.slice(order)
    calls, twice = whole.executioner.calls, []

    for kill_at in range(calls - 20, calls):
        empty(aws)
        account = Account(aws, bigin)
        with suppress(Killed):
            account.slice(order, kill_at)
        account.clock.now_s += 16 * 60
        account.slice(order)
        bodies = [message["Body"] for message in aws.messages(aws.queue_url)]
        assert 3 == len(set(bodies)), kill_at
        if len(bodies) > 3:
            twice.append(kill_at)

    assert 1 == len(twice)


def test_a_sweep_sends_no_second_message_for_what_a_caller_queued(aws: Aws, bigin: Simulator) -> None:
    """A request that is answered 202 has a message, as one of a sweep has."""
    many(bigin, 2)
    request = {"module": "Contacts", "record_id": "5001", "attachment_id": "10007"}
    event = api_event(request, headers={"Prefer": "respond-async"})
    assert load("archive_now").handler(event, Context())["statusCode"] == 202

    state = Account(aws, bigin).slice(BY_RECORD)

    assert state
    assert (1, 1) == (state.queued, state.known)
    assert ["0", "1"] == sorted(
        json.loads(message["Body"])["attachment_id"][0] for message in aws.messages(aws.queue_url)
    )


def test_a_sweep_sends_no_second_message_for_what_a_repair_queued(
    aws: Aws, bigin: Simulator, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Whatever an audit found missing has its message then."""
    many(bigin, 3)
    assert 2 == run(monkeypatch, "audit", "--repair", "--by-record", "--stack", deploy(aws))

    state = Account(aws, bigin).slice(BY_RECORD)

    assert state
    assert (0, 3, 3) == (state.queued, state.known, len(aws.messages(aws.queue_url)))


def test_a_sweep_sends_no_second_message_for_what_a_person_queued(
    aws: Aws, bigin: Simulator, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The command marks it, as a caller's request does."""
    many(bigin, 2)
    assert 0 == run(monkeypatch, "request", "--stack", deploy(aws), "Contacts/5001/10007", "Contacts/5001")

    state = Account(aws, bigin).slice(BY_RECORD)

    assert state
    assert (1, 1, 3) == (state.queued, state.known, len(aws.messages(aws.queue_url)))


def test_a_sweep_sends_no_second_message_for_what_an_event_queued(aws: Aws, bigin: Simulator) -> None:
    """The worker marks the files of a record; of a file that is archived it does not, which would cost a write."""
    many(bigin, 1, 2)
    account = Account(aws, bigin)
    account.sweep(BY_RECORD)
    many(bigin, 1, 4)
    record = {"module": "Contacts", "record_id": "5000"}
    assert not aws.worker().work(aws.deliver(record), Deadline(60))

    state = account.slice(BY_RECORD)

    assert state
    assert (0, 4, 4) == (state.queued, state.known, len(aws.messages(aws.queue_url)))
    assert Counter(archived=2, pending=2) == Counter(entry.state for entry in ledger(aws).values())


def test_a_repair_that_breaks_off_marks_no_more_than_one_batch_too_many(
    aws: Aws, bigin: Simulator, monkeypatch: pytest.MonkeyPatch
) -> None:
    """What was not marked is queued by the next sweep; the rest waits until its messages count as lost."""
    many(bigin, 25)
    sent = count()

    def fails_later(**_: object) -> None:
        if next(sent):
            raise EndpointConnectionError(endpoint_url="https://sqs.example")

    stack = deploy(aws)
    hooks = [("before-call.sqs.SendMessageBatch", fails_later), *handlers.BUILTIN_HANDLERS]
    with monkeypatch.context() as broken:
        broken.setattr("botocore.handlers.BUILTIN_HANDLERS", hooks)
        assert 1 == run(broken, "audit", "--repair", "--by-record", "--stack", stack)

    state = Account(aws, bigin).slice(BY_RECORD)

    assert state
    assert (5, 20) == (state.queued, state.known)


def test_a_message_that_vanished_is_named_and_sent_again(aws: Aws, bigin: Simulator) -> None:
    """The audit names its file; the next sweep that finds the queue empty again queues it, and no other one does."""
    many(bigin, 2)
    account = Account(aws, bigin)
    account.slice(BY_RECORD)
    aws.sqs.purge_queue(QueueUrl=aws.queue_url)
    first = account.sweep()
    kinds = [found["kind"] for found in report(aws)["differences"]]

    account.clock.now_s += 86400
    aws.sqs.send_message(QueueUrl=aws.queue_url, MessageBody="another one, which may be any of them")
    second = account.slice(BY_RECORD)
    while second and not second.is_done:
        account.clock.now_s += 15 * 60
        second = account.slice()
    aws.sqs.purge_queue(QueueUrl=aws.queue_url)
    account.clock.now_s += 86400
    third = account.sweep(BY_RECORD)

    assert second
    assert ("partial", ["not_archived", "not_archived"], 0) == (first.result, kinds, second.queued)
    assert (2, "complete") == (third.queued, third.result)


def empty(aws: Aws) -> None:
    """As before the sweep."""
    aws.sqs.purge_queue(QueueUrl=aws.queue_url)
    for item in aws.dynamodb.scan(TableName=aws.ledger_table)["Items"]:
        key = {name: item[name] for name in ("record", "attachment_id")}
        aws.dynamodb.delete_item(TableName=aws.ledger_table, Key=key)


def test_the_audit_does_not_wait_for_old_retries(aws: Aws, bigin: Simulator) -> None:
    """A file that fails for ever is queued once while its message lives, and holds up the next audit for minutes."""
    many(bigin, 2)
    aws.sqs.send_message(QueueUrl=aws.queue_url, MessageBody="an old one that nobody works on")
    account = Account(aws, bigin)
    state = account.slice(BY_RECORD)
    keep = aws.messages(aws.queue_url)
    assert 3 == len(keep)
    while state and not state.is_done:
        account.clock.now_s += 15 * 60
        state = account.slice()
    first_s = account.clock.now_s
    second = account.slice(BY_RECORD)
    while second and not second.is_done:
        account.clock.now_s += 15 * 60
        second = account.slice()

    assert second
    assert 0 == second.queued
    assert account.clock.now_s - first_s <= 45 * 60


def test_a_list_of_changes_that_is_read_in_pieces_is_believed(aws: Aws, bigin: Simulator) -> None:
    """One function for each page, and a new record before each: what is not covered is known again as well."""
    many(bigin, 1)
    bigin.control("POST", "records", {"module": "Contacts", "count": 650, "modified_time": LONG_AGO})
    client = Bigin(session(1), bigin.url, Tokens())
    cursor = Cursor(aws.dynamodb, aws.ledger_table, "one", time.time)
    state = SweepState("2026-01-31T09:30:00.000+00:00", ["Contacts"], BEFORE, by_record=True)
    steps = 0

    while state.phase == "listing":
        Lists(client, time.time).store_next(cursor, state, Deadline(60))
        state = SweepState(**json.loads(json.dumps(state.as_dict())))
        bigin.control("POST", "records", {"module": "Contacts"})
        steps += 1

    rows = [row for number in range(state.pages) for row in cursor.page(state, number)]
    assert ([], 1 + 2 * 4) == (state.refused, steps)
    assert 650 == sum(not is_wanted(row) for row in rows)
