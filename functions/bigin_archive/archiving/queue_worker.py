"""The queue's worker: each message of a batch by its own outcome, several at once.

A message is done when its outcome is durable (in S3, in the dead-letter queue, or nothing is left to do); all
others stay on the queue and come back after a growing delay. A batch in which all fail is no error of the function.
"""

import math
import time
from collections.abc import Callable, Iterable
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from dataclasses import replace

from bigin_archive import archive_request
from bigin_archive.archiving.archiver import Archiver
from bigin_archive.archiving.circuit_breaker import CircuitBreaker
from bigin_archive.archiving.link_archiver import LinkArchiver
from bigin_archive.archiving.message import Delays, Message, start_order
from bigin_archive.archiving.record_expander import RecordExpander
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
from bigin_archive.queueing.archive_queue import REPAIR, SWEEP, ArchiveQueue, Outgoing
from bigin_archive.request_outcome import Outcome, internal_error, outcome_without_file
from bigin_archive.telemetry import Reporter

MOST_TRIES = 100  # the queue's maxReceiveCount (template.yaml): after it SQS gives a message up by itself
# Tries that took nearly all the time of their function, until it is said that none will ever be enough.
_SLOW_TRIES = 5
_NEARLY_ALL = 0.8
# With less time left nothing is begun: a small file takes a second, a stalled connection would take it all.
LEAST_TIME_S = 10
_UNTIL_CREDITS_S = 60 * 60  # an hour's part is free again by then


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
        credits_left: Callable[[], int] = lambda: 1,
    ) -> None:
        """``credits_left()`` says how many a sweep might use now; it raises StorageUnavailableError."""
        self._archiver = archiver
        self._links = links
        self._records = records
        self._queue = queue
        self._breaker = breaker
        self._delays = delays
        self._ledger_writer = ledger_writer
        self._reporter = reporter
        self._now = now
        self._credits_left = credits_left
        self._pool = ThreadPoolExecutor(max_workers=threads, thread_name_prefix="archive")

    def work(self, messages: Iterable[Message], deadline: Deadline) -> list[str]:
        """Work on all messages; return the ids of those that stay on the queue."""
        futures, whole_s = [], deadline.remaining_s()
        for message in start_order(messages):
            futures.append(self._pool.submit(self._work_on, message, deadline, whole_s))
            # Until Bigin has shown that it is well, one call at a time.
            if not self._breaker.is_closed:
                self._breaker.wait_for_answer(futures[-1])
        outcomes = [future.result() for future in futures]
        self._ledger_writer.flush_credits()
        self._reporter.flush()
        return [outcome.request_id for outcome in outcomes if not outcome.is_done]

    def _work_on(self, message: Message, deadline: Deadline, whole_s: float) -> Outcome:
        started = time.monotonic()
        outcome = self._settle(message, deadline, whole_s)
        duration_s = time.monotonic() - started
        waited_s = duration_s if message.sent_at_s is None else max(duration_s, self._now() - message.sent_at_s)
        outcome = replace(outcome, duration_ms=round(duration_s * 1000), waited_ms=round(waited_s * 1000))
        self._ledger_writer.record(outcome)
        self._reporter.report(outcome.outcome, outcome.fields(), outcome.metrics())
        return outcome

    def _settle(self, message: Message, deadline: Deadline, whole_s: float) -> Outcome:
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
        self._check_start(outcome, deadline)
        try:
            if request.attachment_id is None:
                queued = self._records.archive(request, deadline, outcome.correlation_id)
                self._breaker.record_success()
                return replace(outcome, outcome="queued", queued=queued)
            archived = self._archiver.archive(request, deadline)
        except (BiginUnhealthyError, DownloadIncompleteError) as error:
            if not isinstance(error, OutOfTimeError):
                self._breaker.record_failure(error, f"{request.record_id}/{request.attachment_id}")
            raise
        except (NothingToArchiveError, BiginRefusedError):
            self._breaker.record_success()
            raise
        if archived.already:
            return replace(outcome, outcome="already_archived", stored=archived.stored)
        self._breaker.record_success()
        return replace(outcome, outcome="archived", stored=archived.stored)

    def _check_start(self, outcome: Outcome, deadline: Deadline) -> None:
        cause, pause_s = self._breaker.cause, self._breaker.remaining_s()
        if cause and pause_s > 0:
            raise type(cause)(cause.detail, retry_after_s=math.ceil(pause_s))
        if deadline.remaining_s() < LEAST_TIME_S:
            raise OutOfTimeError("The function's time is nearly used up; not begun. Retried by itself.")
        # A sweep has set a credit aside for the first try, and for no other.
        limited = (SWEEP, REPAIR) if outcome.attempt > 1 else REPAIR
        if outcome.correlation_id.startswith(limited) and self._credits_left() <= 0:
            detail = "The sweep's part of the credits is used up for this hour or day. Retried by itself."
            raise CreditsSpentError(detail, retry_after_s=_UNTIL_CREDITS_S)

    def _without_file(self, message: Message, outcome: Outcome, deadline: Deadline) -> Outcome:
        """Bigin has no file: archive the link that it may be, and ask the list whether nothing is there at all."""
        request, error = outcome.request, outcome.error
        if request is None or request.attachment_id is None or error is None:
            return replace(outcome, outcome="gone")
        told = replace(outcome, outcome=outcome_without_file(error))
        try:
            if isinstance(error, AttachmentGoneError):
                return replace(told, is_unlisted=self._archiver.listed(request, deadline) is None)
            self._links.archive_by_id(request, deadline, outcome.correlation_id)
        except BiginRefusedError:
            return told
        except TransientError as cause:
            return self._retry(message, replace(outcome, error=cause))
        return told

    def _out_of_time(self, message: Message, outcome: Outcome, *, is_slow: bool) -> Outcome:
        request, tries = outcome.request, 0
        if is_slow and request and request.attachment_id is not None:
            tries = self._ledger_writer.count_slow_try(request, outcome.correlation_id)
        if tries >= _SLOW_TRIES:
            slow = TransferTooSlowError(
                f"{_SLOW_TRIES} tries took nearly all the time that the function has, and none was enough. Archive it "
                "by hand, or when Bigin is faster: bigin-archive request sends it again."
            )
            return self._dead_letter(message, replace(outcome, error=slow))
        return self._retry(message, outcome)

    def _dead_letter(self, message: Message, outcome: Outcome) -> Outcome:
        if outcome.error is None:
            raise ValueError("what is parked needs a reason")
        try:
            self._queue.dead_letter(Outgoing(message.body, message.hints, outcome.correlation_id), outcome.error)
        except StorageUnavailableError as error:
            return self._delay(message, replace(outcome, error=error))
        return replace(outcome, outcome="parked")

    def _retry(self, message: Message, outcome: Outcome) -> Outcome:
        # SQS would move it after this try, and tell nobody why.
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
        # Without the delay the message still comes back, when the queue's own visibility time-out ends.
        with suppress(StorageUnavailableError):
            self._queue.delay(message.receipt_handle, wait_s)
        return replace(outcome, outcome="retried", is_outage=is_outage)
