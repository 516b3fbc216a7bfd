"""The queue's worker: handles the messages of a batch several at once, each with its own outcome.

A message is done when its outcome is durable (in S3, in the dead-letter queue, or nothing is left to do). All others
stay on the queue and come back after a growing delay. The function succeeds even if all messages of a batch fail.
"""

import math
import time
from collections.abc import Callable, Iterable
from concurrent.futures import ThreadPoolExecutor
from contextlib import nullcontext, suppress
from dataclasses import replace

from bigin_archive import archive_request
from bigin_archive.archiving.archiver import Archiver
from bigin_archive.archiving.circuit_breaker import CircuitBreaker
from bigin_archive.archiving.link_archiver import LinkArchiver
from bigin_archive.archiving.message import Delays, Message, start_order
from bigin_archive.archiving.record_expander import RecordExpander
from bigin_archive.bigin.credit_meter import CreditMeter
from bigin_archive.deadline import Deadline
from bigin_archive.errors import (
    AttachmentGoneError,
    BiginRefusedError,
    BiginUnhealthyError,
    CreditsSpentError,
    DownloadIncompleteError,
    NothingToArchiveError,
    OutOfTimeError,
    PermanentError,
    StorageUnavailableError,
    TransferTooSlowError,
    TransientError,
)
from bigin_archive.ledger.ledger_writer import LedgerWriter
from bigin_archive.queueing.archive_queue import ArchiveQueue, Outgoing
from bigin_archive.request_outcome import Outcome, internal_error, outcome_without_file
from bigin_archive.telemetry import Reporter

MOST_TRIES = (
    100  # the queue's maxReceiveCount (template.yaml); after it SQS itself moves a message to the dead-letter queue
)
# After this many tries that took nearly all the time of the function, no try will ever be enough.
_SLOW_TRIES = 5
_NEARLY_ALL = 0.8
# With less time left nothing is begun: a small file takes a second, but a stalled connection would take all of it.
LEAST_TIME_S = 10
_UNTIL_CREDITS_S = 60 * 60  # by then the part of an hour is free again


class Worker:
    """Works on batches of messages."""

    def __init__(
        self,
        archiver: Archiver,
        links: LinkArchiver,
        records: RecordExpander,
        queue: ArchiveQueue,
        breaker: CircuitBreaker,
        delays: Delays,
        ledger_writer: LedgerWriter,
        reporter: Reporter,
        threads: int,
        now: Callable[[], float] = time.time,
        meter: CreditMeter | None = None,
        credits_left: Callable[[], int] = lambda: 1,
    ) -> None:
        """``meter`` counts the calls to Bigin. ``credits_left()`` says how many credits are left of a sweep's part, but
        for those that it has reserved for waiting messages; it may raise StorageUnavailableError.
        """
        self._archiver = archiver
        self._links = links
        self._records = records
        self._queue = queue
        self._breaker = breaker
        self._delays = delays
        self._ledger_writer = ledger_writer
        self._reporter = reporter
        self._now = now
        self._meter = meter or CreditMeter()
        self._credits_left = credits_left
        # The messages of this batch that a sweep has reserved a credit for, and that have not begun.
        self._paid: set[str] = set()
        self._pool = ThreadPoolExecutor(max_workers=threads, thread_name_prefix="archive")

    def work(self, messages: Iterable[Message], deadline: Deadline) -> list[str]:
        """Work on all messages; return the ids of those that stay on the queue."""
        messages, futures, whole_s = list(messages), [], deadline.remaining_s()
        self._paid = {message.message_id for message in messages if message.is_paid}
        for message in start_order(messages):
            futures.append(self._pool.submit(self._work_on, message, deadline, whole_s))
            # One call at a time until Bigin has answered one.
            if not self._breaker.is_closed:
                self._breaker.wait_for_answer(futures[-1])
        outcomes = [future.result() for future in futures]
        self._ledger_writer.flush_credits()
        self._reporter.flush()
        return [outcome.request_id for outcome in outcomes if not outcome.is_done]

    def _work_on(self, message: Message, deadline: Deadline, whole_s: float) -> Outcome:
        started = time.monotonic()
        self._paid.discard(message.message_id)  # at once, whatever the other threads do
        with self._meter.gated(self._gate(message)) if message.is_limited else nullcontext():
            outcome = self._outcome_of(message, deadline, whole_s)
        duration_s = time.monotonic() - started
        waited_s = duration_s if message.sent_at_s is None else max(duration_s, self._now() - message.sent_at_s)
        outcome = replace(outcome, duration_ms=round(duration_s * 1000), waited_ms=round(waited_s * 1000))
        self._ledger_writer.record(outcome)
        self._reporter.report(outcome.outcome, outcome.fields(), outcome.metrics())
        return outcome

    def _outcome_of(self, message: Message, deadline: Deadline, whole_s: float) -> Outcome:
        begin_s = deadline.remaining_s()
        outcome = Outcome("retried", message.message_id, attempt=message.attempt, correlation_id=message.correlation_id)
        try:
            request = archive_request.parse(message.body)
            outcome = replace(outcome, request=replace(request, hints=message.hints))
            if message.malformed:
                raise message.malformed
            return self._archive(outcome, deadline)
        except NothingToArchiveError as error:
            return self._without_file(message, replace(outcome, error=error), deadline)
        except PermanentError as error:
            return self._dead_letter(message, replace(outcome, error=error))
        except OutOfTimeError as error:
            is_slow = begin_s - deadline.remaining_s() >= _NEARLY_ALL * whole_s
            return self._out_of_time(message, replace(outcome, error=error), is_slow=is_slow)
        except TransientError as error:
            return self._retry(message, replace(outcome, error=error))
        except Exception as error:  # noqa: BLE001 - a bug must neither lose this message nor hold up its neighbours
            return self._retry(message, replace(outcome, error=internal_error(error)))

    def _archive(self, outcome: Outcome, deadline: Deadline) -> Outcome:
        request = outcome.request
        if request is None:
            raise ValueError("the message was not read")
        self._check_start(deadline)
        try:
            if request.attachment_id is None:
                queued = self._records.archive(request, deadline, outcome.correlation_id)
                self._breaker.record_success()
                return replace(outcome, outcome="queued", queued=queued)
            archived = self._archiver.archive(request, deadline)
        except (BiginUnhealthyError, DownloadIncompleteError) as error:
            if not isinstance(error, OutOfTimeError | CreditsSpentError):  # of our own limits
                self._breaker.record_failure(error, f"{request.record_id}/{request.attachment_id}")
            raise
        except (NothingToArchiveError, BiginRefusedError):
            self._breaker.record_success()
            raise
        if archived.hints:
            outcome = replace(outcome, request=replace(request, hints=archived.hints))
        if archived.already:
            return replace(outcome, outcome="already_archived", stored=archived.stored)
        self._breaker.record_success()
        return replace(outcome, outcome="archived", stored=archived.stored)

    def _check_start(self, deadline: Deadline) -> None:
        cause, pause_s = self._breaker.cause, self._breaker.remaining_s()
        if cause and pause_s > 0:
            raise type(cause)(cause.detail, retry_after_s=math.ceil(pause_s))
        if deadline.remaining_s() < LEAST_TIME_S:
            raise OutOfTimeError("Not begun, because the time of the function is nearly used up. Retried by itself.")

    def _gate(self, message: Message) -> Callable[[], None]:
        """What comes before each call to Bigin for a message whose credits are limited."""
        paid = iter([message] if message.is_paid else [])

        def check() -> None:
            if next(paid, None) is None and self._credits_left() <= len(self._paid):
                detail = "The sweep's part of the credits is used up for this hour or day. Retried by itself."
                raise CreditsSpentError(detail, retry_after_s=_UNTIL_CREDITS_S)

        return check

    def _without_file(self, message: Message, outcome: Outcome, deadline: Deadline) -> Outcome:
        """Bigin has no file: archive the link if it is one, and check whether the list still shows the attachment."""
        request, error = outcome.request, outcome.error
        if request is None or request.attachment_id is None or error is None:
            return replace(outcome, outcome="gone")
        settled = replace(outcome, outcome=outcome_without_file(error))
        try:
            if isinstance(error, AttachmentGoneError):
                return replace(settled, is_unlisted=self._archiver.listed(request, deadline) is None)
            self._links.archive_by_id(request, deadline, outcome.correlation_id)
        except BiginRefusedError:
            return settled
        except TransientError as cause:
            return self._retry(message, replace(outcome, error=cause))
        return settled

    def _out_of_time(self, message: Message, outcome: Outcome, *, is_slow: bool) -> Outcome:
        request, tries = outcome.request, 0
        if is_slow and request and request.attachment_id is not None:
            tries = self._ledger_writer.count_slow_try(request, outcome.correlation_id)
        if tries >= _SLOW_TRIES:
            slow = TransferTooSlowError(
                f"{_SLOW_TRIES} tries took nearly all the time of the function, and none was enough. Try again when "
                "Bigin is faster (bigin-archive request), or archive the file by hand."
            )
            return self._dead_letter(message, replace(outcome, error=slow))
        return self._retry(message, outcome)

    def _dead_letter(self, message: Message, outcome: Outcome) -> Outcome:
        if outcome.error is None:
            raise ValueError("a parked message needs a reason")
        try:
            self._queue.dead_letter(Outgoing(message.body, message.hints, outcome.correlation_id), outcome.error)
        except StorageUnavailableError as error:
            return self._delay(message, replace(outcome, error=error))
        return replace(outcome, outcome="parked")

    def _retry(self, message: Message, outcome: Outcome) -> Outcome:
        # SQS would move it after this try, without a reason.
        return self._dead_letter(message, outcome) if message.attempt >= MOST_TRIES else self._delay(message, outcome)

    def _delay(self, message: Message, outcome: Outcome) -> Outcome:
        wait_s = self._delays.after(message.attempt)
        if outcome.error:
            wait_s = max(wait_s, outcome.error.retry_after_s or 0)
        is_outage = isinstance(outcome.error, StorageUnavailableError)
        if isinstance(outcome.error, BiginUnhealthyError | DownloadIncompleteError):
            wait_s = max(wait_s, math.ceil(self._breaker.remaining_s()))
        if isinstance(outcome.error, BiginUnhealthyError):
            is_outage = not self._breaker.is_closed and not outcome.has_alarm
        # Without the delay the message still comes back, after the queue's own visibility timeout.
        with suppress(StorageUnavailableError):
            self._queue.delay(message.receipt_handle, wait_s)
        return replace(outcome, outcome="retried", is_outage=is_outage)
