"""What a sweep, an audit and their messages may spend: never more than their part, in any hour or any day."""

import json
import time
from collections.abc import Callable
from contextlib import suppress
from dataclasses import replace
from itertools import cycle
from typing import Any

import pytest

from bigin_archive.archive_request import Hints
from bigin_archive.bigin.credit_meter import REMAINING_HEADER, CreditMeter, Usage
from bigin_archive.deadline import Deadline
from bigin_archive.errors import CreditsSpentError
from bigin_archive.ledger.credit_usage import CreditUsage
from bigin_archive.queueing.archive_queue import ArchiveQueue
from bigin_archive.sweep.credit_budget import CreditBudget, CreditLimit
from bigin_archive.sweep.sweep import SweepRequest
from tests.account import Account, Clock, archived, many
from tests.aws import Aws
from tests.bigin import Simulator
from tests.functional.test_operate_stack import deploy, run

pytestmark = pytest.mark.in_memory

IN_FLIGHT = 8
BY_RECORD = SweepRequest(by_record=True)
SWEEP_ID = "sweep-2026-01-31T09:30:00.000+00:00"


def most_in_an_hour(account: Account) -> int:
    """The most credits that the simulator counted in any simulated hour."""
    most = 0
    for number, (end_s, used) in enumerate(account.used_at):
        before = [earlier for at_s, earlier in account.used_at[:number] if at_s <= end_s - 3600]
        most = max(most, used - (before[-1] if before else 0))
    return most


def _uncount(aws: Aws) -> None:
    """Empty the queue, which then looks as if its count lagged behind."""
    aws.messages(aws.queue_url)
    aws.sqs.purge_queue(QueueUrl=aws.queue_url)


def _limit(
    aws: Aws, now: Callable[[], float], meter: CreditMeter | None = None, *, may_write: bool = True
) -> CreditLimit:
    """The limit of a command, with a share of 500."""
    meter, book = meter or CreditMeter(), CreditUsage(aws.dynamodb, aws.ledger_table, now)
    queue = ArchiveQueue(aws.sqs, aws.queue_url)

    def enter() -> None:
        if may_write:
            book.add(meter.take())

    return CreditLimit(meter, CreditBudget(1000, 50), book, queue, enter, now)


def _spend(meter: CreditMeter) -> int:
    """Call until no credit is left; return how many calls there were."""
    spent = 0
    with suppress(CreditsSpentError):
        while True:
            meter.ask()
            meter.count(200)
            spent += 1
    return spent


def test_a_record_with_many_files_is_queued_in_parts(aws: Aws, bigin: Simulator) -> None:
    """A record with ten times an hour's part is queued in parts. No hour exceeds its part, and all is archived."""
    many(bigin, 1, 260)
    account = Account(aws, bigin, 1000)  # a share of 500, 62 an hour, 450 a day for sweeps

    state = account.sweep(BY_RECORD)

    assert (260, "complete") == (len(archived(aws)), state.result)
    assert most_in_an_hour(account) <= 62 + IN_FLIGHT
    assert account.most_in_a_day() <= 450 + IN_FLIGHT
    assert {1} == set(bigin.calls()["downloads"].values())


def test_a_sweep_that_finds_nothing_new_keeps_to_its_part(aws: Aws, bigin: Simulator) -> None:
    """Its calls are lists alone: each is asked for."""
    many(bigin, 100)
    account = Account(aws, bigin, 1000)
    account.sweep(BY_RECORD)
    account.clock.now_s += 2 * 3600

    state = account.sweep(BY_RECORD)

    assert (0, "complete") == (state.queued, state.result)
    assert most_in_an_hour(account) <= 62 + IN_FLIGHT


def test_slices_that_follow_at_once_promise_nothing_twice(aws: Aws, bigin: Simulator) -> None:
    """The next slice counts messages that SQS does not count yet."""
    many(bigin, 1, 150)
    account = Account(aws, bigin, 1000)
    account.slice(BY_RECORD)
    _uncount(aws)

    before = account.slice()
    account.clock.now_s += 15
    after = account.slice()

    assert before
    assert after
    assert before.queued == after.queued <= 62


def test_a_command_counts_what_a_sweep_has_just_queued(aws: Aws, bigin: Simulator) -> None:
    """It may be a minute until SQS counts these messages."""
    many(bigin, 5, 5)
    account = Account(aws, bigin, 1000)
    account.slice(BY_RECORD)
    _uncount(aws)
    limit = _limit(aws, account.clock)

    account.clock.now_s += 59
    at_once = limit.renew()
    account.clock.now_s += 61
    later = limit.renew()

    assert 25 == later - at_once


def test_a_promise_is_entered_at_once(aws: Aws) -> None:
    """The messages are sent next: others must not spend their credits meanwhile, nor if the function is killed."""
    limit = _limit(aws, time.time)
    limit.begin()

    granted = limit.promise(100)

    assert 62 == granted == CreditUsage(aws.dynamodb, aws.ledger_table).spending().promised


def test_a_slice_counts_its_own_messages_once(aws: Aws, bigin: Simulator) -> None:
    """Though they wait in the queue, and were promised a moment ago, it uses the whole hour's part."""
    many(bigin, 8, 5)
    account = Account(aws, bigin, 1000)  # 62 an hour; 15 lists and 40 files

    state = account.slice(BY_RECORD)

    assert state
    assert 40 == state.queued


def test_who_spend_at_the_same_time_keep_to_the_part_together(aws: Aws) -> None:
    """A sweep and two commands take turns: each looks at what the others have spent after ten credits of its own."""
    limits = [(meter, _limit(aws, time.time, meter)) for meter in (CreditMeter(), CreditMeter(), CreditMeter())]
    limits[0][1].begin()

    spent = 0
    with suppress(CreditsSpentError):
        for meter, _ in cycle(limits):
            meter.ask()
            meter.count(200)
            spent += 1

    assert 62 <= spent <= 62 + 2 * 10


def test_calls_that_may_not_be_entered_count_for_their_hour_and_their_day(aws: Aws) -> None:
    """A command with rights to read only gets its own credits back as others do: else it would wait for ever."""
    clock, meter = Clock(), CreditMeter()
    _limit(aws, clock, meter, may_write=False)

    spent = []
    for _ in range(48):
        spent.append(_spend(meter))
        clock.now_s += 31 * 60

    assert [*[62, 0] * 7, 450 - 7 * 62, *[0] * 32, 62] == spent


def test_bigins_word_that_may_not_be_entered_counts_for_a_day(aws: Aws) -> None:
    """With rights to read only it is remembered by the command itself, and as long."""
    clock, meter = Clock(), CreditMeter()
    limit = _limit(aws, clock, meter, may_write=False)
    meter.ask()
    meter.count(200, {REMAINING_HEADER: "3"})

    left = []
    for hours in (0, 2, 21, 2):
        clock.now_s += hours * 3600
        left.append(limit.renew())

    assert [0, 0, 0, 62] == left


def test_bigins_word_is_believed_at_once(aws: Aws, bigin: Simulator) -> None:
    """If Bigin says that few credits are left, the slice ends, and no other begins that day."""
    many(bigin, 30)
    account = Account(aws, bigin)
    bigin.fault(
        {"kind": "answer", "status": 204, "headers": {REMAINING_HEADER: "3"}, "body": ""},
        call="list",
        record_id="5002",
        times=1,
    )

    account.slice(BY_RECORD)
    used = bigin.calls()["credits_used"]
    for _ in range(8):
        account.clock.now_s += 2 * 3600
        account.slice()

    assert used == bigin.calls()["credits_used"]
    account.clock.now_s += 9 * 3600
    account.slice()
    assert bigin.calls()["credits_used"] > used


@pytest.mark.parametrize(
    ("correlation_id", "attempt", "is_called"),
    [
        ("sweep-2026-01-31T09:30:00.000+00:00", 1, True),
        ("sweep-2026-01-31T09:30:00.000+00:00", 2, False),
        ("repair-1", 1, False),
        ("an-event", 2, True),
        ("", 9, True),
    ],
)
def test_retries_of_what_a_sweep_queued_keep_within_its_part(
    aws: Aws, bigin: Simulator, correlation_id: str, attempt: int, *, is_called: bool
) -> None:
    """With the part used up they wait for an hour; a first try was paid for, and an event is held up by nobody."""
    request = bigin.add(b"x")
    CreditUsage(aws.dynamodb, aws.ledger_table).add(Usage(25_000))
    (message,) = aws.deliver(request)
    message = replace(message, correlation_id=correlation_id, attempt=attempt)

    staying = aws.worker().work([message], Deadline(60))

    assert (is_called, not is_called) == (bool(bigin.calls()["total"]), bool(staying))


@pytest.mark.parametrize(("correlation_id", "calls"), [("sweep-2026-01-31T09:30:00.000+00:00", 1), ("an-event", 3)])
def test_an_old_size_is_looked_up_within_the_sweeps_part_of_the_credits(
    aws: Aws, bigin: Simulator, correlation_id: str, calls: int
) -> None:
    """A sweep pays for one call. The worker asks for credits before it reads the list and before it downloads again."""
    request = bigin.add(b"of another size now")
    CreditUsage(aws.dynamodb, aws.ledger_table).add(Usage(25_000))
    (message,) = aws.deliver(request)
    message = replace(message, correlation_id=correlation_id, hints=Hints(3))

    staying = aws.worker().work([message], Deadline(60))

    assert (calls, calls == 1) == (bigin.calls()["total"], bool(staying))


@pytest.mark.parametrize(("correlation_id", "calls"), [(SWEEP_ID, 1), ("an-event", 2)])
def test_a_worker_believes_bigins_word_before_it_is_entered(
    aws: Aws, bigin: Simulator, correlation_id: str, calls: int
) -> None:
    """Where the answer to a download says that nothing is left, a sweep's message costs no list."""
    request = bigin.add(b"a file")
    nothing = {"kind": "answer", "status": 204, "headers": {REMAINING_HEADER: "0"}, "body": ""}
    bigin.fault(nothing, call="download", record_id=request["record_id"], times=1)
    (message,) = aws.deliver(request)

    staying = aws.worker().work([replace(message, correlation_id=correlation_id)], Deadline(60))

    assert (calls, calls == 1) == (bigin.calls()["total"], bool(staying))


@pytest.mark.parametrize(("correlation_id", "calls"), [("sweep-2026-01-31T09:30:00.000+00:00", 1), ("an-event", 2)])
@pytest.mark.parametrize("kind", ["gone", "link"])
def test_what_a_list_tells_of_a_file_is_asked_within_the_sweeps_part_of_the_credits(
    aws: Aws, bigin: Simulator, kind: str, correlation_id: str, calls: int
) -> None:
    """A sweep pays for the download. If that brings no file, the worker asks for a credit for each page of the list."""
    request = bigin.add(b"a file", kind=kind, link_url="https://example.com/")
    CreditUsage(aws.dynamodb, aws.ledger_table).add(Usage(25_000))
    (message,) = aws.deliver(request)

    staying = aws.worker().work([replace(message, correlation_id=correlation_id)], Deadline(60))

    assert (calls, calls == 1) == (bigin.calls()["total"], bool(staying))


def test_a_sweeps_spent_credits_hold_up_no_event(aws: Aws, bigin: Simulator) -> None:
    """Our own limit is no outage of Bigin: the circuit breaker stays closed."""
    gone, file = bigin.add(b"gone", kind="gone"), bigin.add(b"a file")
    CreditUsage(aws.dynamodb, aws.ledger_table).add(Usage(25_000))
    messages = aws.deliver(gone, file)
    by_sweep, by_event = (
        replace(message, correlation_id=name) for message, name in zip(messages, (SWEEP_ID, "an-event"), strict=True)
    )
    worker = aws.worker()

    staying = [worker.work([message], Deadline(60)) for message in (replace(by_sweep, attempt=2), by_event)]

    assert [[by_sweep.message_id], []] == staying
    assert 1 == len(archived(aws))


@pytest.mark.parametrize(("ready", "promised", "is_called"), [(0, 0, True), (8, 0, False), (0, 8, False)])
def test_lists_and_retries_leave_reserved_credits_alone(
    aws: Aws, bigin: Simulator, ready: int, promised: int, *, is_called: bool
) -> None:
    """A sweep has reserved a credit for each message. Lists and retries leave the last eight to those that wait, and to
    those that SQS does not count yet.
    """
    request = bigin.add(b"a file")
    CreditUsage(aws.dynamodb, aws.ledger_table).add(Usage(3125 - 8, promised=promised))
    (message,) = aws.deliver(request)
    for _ in range(ready):
        aws.sqs.send_message(QueueUrl=aws.queue_url, MessageBody="{}")

    staying = aws.worker().work([replace(message, correlation_id=SWEEP_ID, attempt=2)], Deadline(60))

    assert (is_called, not is_called) == (bool(bigin.calls()["total"]), bool(staying))


def test_lists_and_retries_leave_the_credits_of_their_batch_alone(aws: Aws, bigin: Simulator) -> None:
    """A retry leaves the credits of the first tries behind it in its batch, which SQS does not count as waiting."""
    requests = [bigin.add(b"%d" % number) for number in range(4)]
    CreditUsage(aws.dynamodb, aws.ledger_table).add(Usage(3125 - 3))
    messages = [replace(message, correlation_id=SWEEP_ID) for message in aws.deliver(*requests)]

    staying = aws.worker().work([replace(messages[0], attempt=2), *messages[1:]], Deadline(60))

    assert ([messages[0].message_id], 3) == (staying, bigin.calls()["credits_used"])


def test_what_was_sent_back_is_not_paid(aws: Aws, bigin: Simulator, monkeypatch: pytest.MonkeyPatch) -> None:
    """A message that was sent back begins at its first try again, but no sweep has reserved a credit for it."""
    request = bigin.add(b"a file")
    attributes = {"correlation_id": {"DataType": "String", "StringValue": SWEEP_ID}}
    for url in (aws.queue_url, aws.dead_letter_queue_url):
        aws.sqs.send_message(QueueUrl=url, MessageBody=json.dumps(request), MessageAttributes=attributes)

    assert 0 == run(monkeypatch, "redrive", "--all", "--yes", "--stack", deploy(aws))

    received = {message.was_sent_back: message.is_paid for message in aws.receive()}
    assert {False: True, True: False} == received


@pytest.mark.parametrize(
    ("header", "left"),
    [
        ("60", 10),
        (" 60 ", 10),
        ("-5", 0),
        ("0", 0),
        ("1000", 99),
        ("9" * 5000, 99),
        ("soon", 99),
        ("60.5", 99),
        ("", 99),
        ("+60", 99),
    ],
)
def test_what_bigin_says_is_left_lowers_what_may_be_spent(header: str, left: int) -> None:
    """A negative number counts as none left; what is no number is ignored."""
    meter = CreditMeter()
    meter.limit(100, kept=50)

    meter.ask()
    meter.count(200, {REMAINING_HEADER: header})

    assert left == meter.promise(1000)


def test_a_meter_is_asked_before_each_call() -> None:
    """With nothing left nothing is called; an answer that cost nothing gives its credit back."""
    meter = CreditMeter()
    meter.limit(2)
    meter.ask()
    meter.count(429, {})
    meter.ask()
    meter.count(200, {})
    assert (1, 1) == (meter.promise(5), meter.total)

    with pytest.raises(CreditsSpentError):
        meter.ask()


def test_credits_whose_entry_fails_in_its_middle_count_once(aws: Aws) -> None:
    """What could not be written is written again, and nothing twice."""
    failing: list[str] = ["told"]

    class Client:
        def __getattr__(self, name: str) -> Any:
            def call(**arguments: Any) -> Any:
                if failing and name == "update_item" and "remaining" in arguments["UpdateExpression"]:
                    failing.pop()
                    raise ConnectionError
                return getattr(aws.dynamodb, name)(**arguments)

            return call

    usage = CreditUsage(Client(), aws.ledger_table)  # type: ignore[arg-type]
    with pytest.raises(ConnectionError):
        usage.add(Usage(7, 100))
    usage.add(Usage(7, 100))

    assert 7 == usage.used().used
