"""A message of the queue as the worker gets it; which one of a batch is begun first, and when one comes back."""

import math
import random
from collections.abc import Callable, Iterable
from dataclasses import dataclass

from bigin_archive.archive_request import NO_HINTS, Hints
from bigin_archive.errors import InvalidRequestError


@dataclass(frozen=True, slots=True)
class Message:
    """One SQS message; ``attempt`` is 1 at its first delivery, ``hints`` come from our own listing.

    ``correlation_id`` came along with it; empty for a message that somebody else sent.
    ``malformed`` says what is wrong with its attributes, as nothing of ours sends them. ``sent_at_s`` is when it was
    queued, in seconds since 1970; None where that is not known.
    """

    message_id: str
    body: str
    receipt_handle: str
    attempt: int
    hints: Hints = NO_HINTS
    correlation_id: str = ""
    malformed: InvalidRequestError | None = None
    sent_at_s: float | None = None


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


def start_order(messages: Iterable[Message]) -> list[Message]:
    """The batch as it is begun: retried messages, then those of unknown size, then the largest file first.

    A batch ends with its last download, and its threads are idle from when no message is left to begin. With the
    large files first, small ones fill the gap (longest processing time first, a rule of scheduling).
    """

    def rank(message: Message) -> tuple[bool, float]:
        size = message.hints.size_bytes
        # What was returned because a batch ran out of time must not be the last one again.
        return message.attempt == 1, -(math.inf if size is None else size)

    return sorted(messages, key=rank)
