"""The circuit breaker: while Bigin, the token or its scope is at fault, a container makes no calls to Bigin.

Without it an outage would cost one call for each message and try; with it, a few each quarter of an hour.
"""

import threading
import time
from collections.abc import Callable
from concurrent.futures import Future
from typing import Any

from bigin_archive.errors import (
    ArchiveError,
    BiginConcurrencyError,
    BiginUnavailableError,
    BiginUnhealthyError,
    DownloadIncompleteError,
)

# One file that Bigin cannot deliver (an error 500 each time) is no outage; this many different ones in a row are.
UNAVAILABLE_IN_A_ROW = 3
# This many different files in a row that break off: the same cause will break off the next one, too.
INCOMPLETE_IN_A_ROW = 10


class CircuitBreaker:
    """Pauses of ``first_s`` seconds, doubling to ``longest_s``; any success ends them. For several threads.

    ``is_closed`` says whether Bigin has answered since the last pause (or the cold start). Until then callers go one at
    a time, so that a dead token costs one call, not one for each thread.
    """

    def __init__(self, first_s: float, longest_s: float, clock: Callable[[], float] = time.monotonic) -> None:
        self._first_s = first_s
        self._longest_s = longest_s
        self._clock = clock
        self._lock = threading.Condition()
        self._pauses = 0
        self._until = clock()
        self._unavailable: set[str] = set()
        self._incomplete: set[str] = set()
        self.cause: ArchiveError | None = None
        self.is_closed = False

    def remaining_s(self) -> float:
        """Seconds until Bigin may be called; 0 if it may be called now."""
        with self._lock:
            return max(0.0, self._until - self._clock())

    def record_answer(self) -> None:
        """Bigin has begun to send a file: full speed, unless files break off."""
        with self._lock:
            if not isinstance(self.cause, DownloadIncompleteError):
                self._close()

    def record_success(self) -> None:
        """A request has ended well: full speed."""
        with self._lock:
            self._incomplete.clear()
            self._close()

    def _close(self) -> None:
        self.is_closed, self.cause = True, None
        self._pauses, self._until = 0, self._clock()
        self._unavailable.clear()
        self._lock.notify_all()

    def wait_for_answer(self, future: Future[Any]) -> None:
        """Wait until Bigin has answered a call, or ``future`` is done."""
        future.add_done_callback(self._wake)
        with self._lock:
            self._lock.wait_for(lambda: self.is_closed or future.done())

    def _wake(self, _: object) -> None:
        with self._lock:
            self._lock.notify_all()

    def record_failure(self, error: BiginUnhealthyError | DownloadIncompleteError, attachment: str) -> None:
        """Bigin has failed for ``attachment``: pause, unless the attachment itself may be the cause.

        After a pause the first failure is enough for the next one. Too many calls at one time are no reason to pause:
        then callers go one at a time.
        """
        with self._lock:
            if isinstance(error, BiginConcurrencyError):
                self.is_closed = False
                return
            if isinstance(error, BiginUnavailableError) and not self._pauses:
                self._unavailable.add(attachment)
                if len(self._unavailable) < UNAVAILABLE_IN_A_ROW:
                    return
            if isinstance(error, DownloadIncompleteError) and not self._pauses:
                self._incomplete.add(attachment)
                if len(self._incomplete) < INCOMPLETE_IN_A_ROW:
                    return
            self.is_closed, self.cause = False, error
            if self._until > self._clock():
                return  # calls that were running when another one opened the breaker
            pause_s = min(self._longest_s, self._first_s * 2 ** min(self._pauses, 32))
            self._until = self._clock() + max(pause_s, error.retry_after_s or 0)
            self._pauses += 1
