"""The queue's worker: each message of a batch by its own fate, several at once.

A message is done when its outcome is durable (in S3, in the dead-letter queue, or nothing is left to do); all
others stay on the queue and come back after a growing delay. A batch in which all fail is no error of the function.
"""

import math
import random
import time
from collections.abc import Callable, Iterable
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from dataclasses import dataclass, replace

from bigin_archive import archive_request
from bigin_archive.archive import Archiver
from bigin_archive.archive_request import NO_HINTS, Hints
from bigin_archive.books import Books
from bigin_archive.brake import Brake
from bigin_archive.deadline import Deadline
from bigin_archive.errors import (
    BiginRefusedError,
    OutOfTimeError,
    PermanentError,
    SettledError,
    SickBiginError,
    StorageUnavailableError,
    TransientError,
)
from bigin_archive.outcome import Outcome, Reporter, internal_error, settled
from bigin_archive.queue import Outgoing, Queue
from bigin_archive.records import Records

# With less time left nothing is begun: a small file takes a second, a stalled connection would take it all.
LEAST_TIME_S = 10


@dataclass(frozen=True, slots=True)
class Message:
    """One SQS message; ``attempt`` is 1 at its first delivery, ``hints`` come from our own listing."""

    message_id: str
    body: str
    receipt_handle: str
    attempt: int
    hints: Hints = NO_HINTS


@dataclass(frozen=True, slots=True)
class Delays:
    """When a message comes back: ``first_s`` seconds, doubling with each attempt to ``longest_s``."""

    first_s: int
    longest_s: int
    # Up to a quarter less, so that what failed together does not come back together.
    jitter: Callable[[float, float], float] = random.uniform

    def after(self, attempt: int) -> int:
        """Seconds until the next attempt, at least 1."""
        doubled: int = min(self.longest_s, self.first_s * 2 ** min(attempt - 1, 32))
        return max(1, round(doubled * self.jitter(0.75, 1.0)))


class Worker:
    """Works on batches of messages."""

    def __init__(
        self,
        archiver: Archiver,
        records: Records,
        queue: Queue,
        brake: Brake,
        delays: Delays,
        books: Books,
        reporter: Reporter,
        threads: int,
    ) -> None:
        self._archiver = archiver
        self._records = records
        self._queue = queue
        self._brake = brake
        self._delays = delays
        self._books = books
        self._reporter = reporter
        self._pool = ThreadPoolExecutor(max_workers=threads, thread_name_prefix="archive")

    def work(self, messages: Iterable[Message], deadline: Deadline) -> list[str]:
        """Work on all messages; return the ids of those that stay on the queue."""
        futures = []
        for message in messages:
            futures.append(self._pool.submit(self._work_on, message, deadline))
            # Until Bigin has shown that it is well, one call at a time.
            if not self._brake.proven:
                self._brake.wait_for_answer(futures[-1])
        outcomes = [future.result() for future in futures]
        self._books.close()
        self._reporter.flush()
        return [outcome.request_id for outcome in outcomes if not outcome.is_done]

    def _work_on(self, message: Message, deadline: Deadline) -> Outcome:
        started = time.monotonic()
        fate = self._fate(message, deadline)
        outcome = replace(fate, duration_ms=round((time.monotonic() - started) * 1000))
        self._books.enter(outcome)
        self._reporter.report(outcome)
        return outcome

    def _fate(self, message: Message, deadline: Deadline) -> Outcome:
        fate = Outcome("retried", message.message_id, attempt=message.attempt)
        try:
            request = archive_request.parse(message.body)
            fate = replace(fate, request=replace(request, hints=message.hints))
            return self._archive(fate, deadline)
        except SettledError as error:
            return replace(fate, outcome=settled(error), error=error)
        except PermanentError as error:
            return self._park(message, replace(fate, error=error))
        except TransientError as error:
            return self._retry(message, replace(fate, error=error))
        except Exception as error:  # noqa: BLE001 - a bug must neither lose this message nor hold up its neighbours
            return self._retry(message, replace(fate, error=internal_error(error)))

    def _archive(self, fate: Outcome, deadline: Deadline) -> Outcome:
        request = fate.request
        if request is None:
            raise ValueError("the message was not read")
        self._check_start(deadline)
        try:
            if request.attachment_id is None:
                queued = self._records.archive(request, deadline)
                self._brake.released()
                return replace(fate, outcome="queued", queued=queued)
            archived = self._archiver.archive(request, deadline)
        except SickBiginError as error:
            self._brake.pull(error, f"{request.record_id}/{request.attachment_id}")
            raise
        except (SettledError, BiginRefusedError):
            self._brake.released()
            raise
        if archived.already:
            return replace(fate, outcome="already_archived", stored=archived.stored)
        self._brake.released()
        return replace(fate, outcome="archived", stored=archived.stored)

    def _check_start(self, deadline: Deadline) -> None:
        cause, pause_s = self._brake.cause, self._brake.remaining_s()
        if cause and pause_s > 0:
            raise type(cause)(cause.detail, retry_after_s=math.ceil(pause_s))
        if deadline.remaining_s() < LEAST_TIME_S:
            raise OutOfTimeError("The function's time is nearly used up; not begun. Retried by itself.")

    def _park(self, message: Message, fate: Outcome) -> Outcome:
        if fate.error is None:
            raise ValueError("what is parked needs a reason")
        try:
            self._queue.park(Outgoing(message.body, message.hints), fate.error)
        except StorageUnavailableError as error:
            return self._retry(message, replace(fate, error=error))
        return replace(fate, outcome="parked")

    def _retry(self, message: Message, fate: Outcome) -> Outcome:
        wait_s = self._delays.after(message.attempt)
        if fate.error:
            wait_s = max(wait_s, fate.error.retry_after_s or 0)
        if isinstance(fate.error, SickBiginError):
            wait_s = max(wait_s, math.ceil(self._brake.remaining_s()))
        # Without the delay the message still comes back, when the queue's own visibility time-out ends.
        with suppress(StorageUnavailableError):
            self._queue.delay(message.receipt_handle, wait_s)
        return replace(fate, outcome="retried")
