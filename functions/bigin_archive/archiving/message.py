"""A message of the queue for the worker; the order within a batch, and the delay of a retry."""

import math
import random
from collections.abc import Callable, Iterable
from dataclasses import dataclass

from bigin_archive.archive_request import NO_HINTS, Hints
from bigin_archive.errors import InvalidRequestError
from bigin_archive.queueing.archive_queue import REPAIR, SWEEP


@dataclass(frozen=True, slots=True)
class Message:
    """One SQS message; ``attempt`` is 1 at its first delivery, ``hints`` come from a list of Bigin.

    ``correlation_id`` is empty for a message that another program sent. ``malformed`` says what is wrong with its
    attributes, which only a foreign sender gets wrong. ``sent_at_s`` is when it was queued, in seconds since 1970; None
    if that is not known. ``was_sent_back`` says that it comes from the dead-letter queue.
    """

    message_id: str
    body: str
    receipt_handle: str
    attempt: int
    hints: Hints = NO_HINTS
    correlation_id: str = ""
    malformed: InvalidRequestError | None = None
    sent_at_s: float | None = None
    was_sent_back: bool = False

    @property
    def is_paid(self) -> bool:
        """Whether a sweep has reserved the credit of this try's first call."""
        return self.attempt == 1 and not self.was_sent_back and self.correlation_id.startswith(SWEEP)

    @property
    def is_limited(self) -> bool:
        """Whether all of its calls count towards the sweep's part of the credits."""
        return self.correlation_id.startswith((SWEEP, REPAIR))


@dataclass(frozen=True, slots=True)
class Delays:
    """The delay of a retry: ``first_s`` seconds, doubling with each attempt to ``longest_s``."""

    first_s: int
    longest_s: int
    # Up to a quarter less, so that requests that failed together do not come back together.
    jitter: Callable[[float, float], float] = random.uniform

    def after(self, attempt: int) -> int:
        """Seconds until the next attempt, at least 1."""
        doubled: int = min(self.longest_s, self.first_s * 2 ** min(attempt - 1, 32))
        return max(1, round(doubled * self.jitter(0.75, 1.0)))


def start_order(messages: Iterable[Message]) -> list[Message]:
    """The batch in the order of work: retried messages, those of unknown size, then the largest file first.

    A batch ends with its last download, and threads are idle once no message is left to begin. With the large files
    first, small ones fill the gap (longest processing time first, a rule of scheduling).
    """

    def rank(message: Message) -> tuple[bool, float]:
        size = message.hints.size_bytes
        # A message that an earlier batch had no time for must not be the last one again.
        return message.attempt == 1, -(math.inf if size is None else size)

    return sorted(messages, key=rank)
