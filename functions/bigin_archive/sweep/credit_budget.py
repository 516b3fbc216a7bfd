"""How many credits a sweep may spend now. Pure, except for the given calls.

The application gets a share of the account's daily credits. Events always go first and never wait; their credits are
subtracted from the sweep's part. The commands that list the account keep to this part, too.
"""

from __future__ import annotations

from contextlib import suppress
from dataclasses import dataclass
from typing import TYPE_CHECKING

from bigin_archive.errors import StorageUnavailableError

if TYPE_CHECKING:
    from collections.abc import Callable

    from bigin_archive.bigin.credit_meter import CreditMeter
    from bigin_archive.ledger.credit_usage import CreditUsage, Spending
    from bigin_archive.queueing.archive_queue import ArchiveQueue

# A tenth of the share is left for events, so that they do not exceed it.
_SWEEP_PART = 0.9
# A tenth of a day's credits is left to other programs, by Bigin's own count of what remains.
_OTHERS_PART = 0.1
# The part of a day's share for any one hour: eight hours of work, and a queue short enough that events pass soon.
_HOUR_PART = 1 / 8
LEAST_ALLOWANCE = 2  # a look into a list, and one file of it
_TRIES = 3  # to read what was used
_AT_ONCE = 10  # credits, until it is asked again what others have spent meanwhile
_MINUTE_S, _HOUR_S, _DAY_S = 60, 60 * 60, 24 * 60 * 60


@dataclass(frozen=True, slots=True)
class CreditBudget:
    """``daily_credits`` of the account for any 24 hours; ``share_percent`` of them are for this application."""

    daily_credits: int
    share_percent: int

    @property
    def share(self) -> int:
        """Credits for this application in any 24 hours."""
        return self.daily_credits * self.share_percent // 100

    @property
    def sweep_share(self) -> int:
        """Credits of the share that sweeps may spend in any 24 hours."""
        return int(self.share * _SWEEP_PART)

    @property
    def kept_for_others(self) -> int:
        """Credits of a day that are left to other programs."""
        return int(self.daily_credits * _OTHERS_PART)

    def allowance(self, used_day: int, used_hour: int, waiting: int, remaining: int | None) -> int:
        """Credits that a sweep may spend now; 0 if it has to wait.

        ``waiting`` counts the messages in the queue, each of which will cost a credit soon. ``remaining`` is what Bigin
        says is left of the account's day, since other programs call, too.
        """
        rest = min(self.sweep_share - used_day, max(LEAST_ALLOWANCE, int(self.share * _HOUR_PART)) - used_hour)
        if remaining is not None:
            rest = min(rest, remaining - self.kept_for_others)
        return max(0, rest - waiting)

    def left(self, spending: Spending, waiting: int) -> int:
        """The same, by what was spent."""
        return self.allowance(spending.day, spending.hour, waiting, spending.remaining)


class CreditLimit:
    """Limits a meter to a sweep's part of the credits. Several functions and commands may spend of it at once, so each
    looks again at what is left after a few credits.

    Methods raise StorageUnavailableError if that is not known: then nothing may be used.
    """

    def __init__(
        self,
        meter: CreditMeter,
        budget: CreditBudget,
        book: CreditUsage,
        queue: ArchiveQueue,
        enter: Callable[[], None],
        now: Callable[[], float],
    ) -> None:
        """Nothing may be used without a look. ``enter()`` enters in the book what the meter counted, if it can."""
        meter.limit(0, renew=self.renew)
        self._meter = meter
        self._budget = budget
        self._book = book
        self._queue = queue
        self._enter = enter
        self._now = now
        self._most_waiting: int | None = None
        self._totals: dict[int, int] = {}  # by minute: what the meter had counted in all

    def begin(self) -> tuple[int, int]:
        """Allow what a sweep may use now; return how many credits, and how many it were without waiting messages.

        From now on what :meth:`promise` reserves is not counted twice, as promised and as waiting in the queue.
        """
        self._most_waiting = None
        spending, self._most_waiting = self._look()
        return self._allow(spending, self._most_waiting), self._budget.left(spending, 0)

    def renew(self, wanted: int = 1) -> int:
        """Allow some of what may be used now, ``wanted`` credits if there are as many; return how many there are."""
        return self._allow(*self._look(), wanted)

    def promise(self, count: int) -> int:
        """Reserve credits for messages, before they are sent; return for how many there are enough."""
        if granted := self._meter.promise(count):
            self._enter()
            self._most_waiting = None if self._most_waiting is None else self._most_waiting + granted
        return granted

    def _allow(self, spending: Spending, waiting: int, wanted: int = 1) -> int:
        left = self._budget.left(spending, waiting)
        self._meter.limit(min(left, max(wanted, _AT_ONCE)), kept=self._budget.kept_for_others, renew=self.renew)
        return left

    def _look(self) -> tuple[Spending, int]:
        """What was used, and how many credits waiting messages will cost."""
        self._enter()
        for _ in range(_TRIES - 1):
            with suppress(StorageUnavailableError):
                return self._read()
        return self._read()

    def _read(self) -> tuple[Spending, int]:
        self._totals[int(self._now() // _MINUTE_S)] = self._meter.total
        day = self._not_entered(_DAY_S)
        # Bigin's word is no newer than the last call.
        spending = self._book.spending().plus(day, self._not_entered(_HOUR_S), self._meter.remaining if day else None)
        waiting = self._queue.waiting() + spending.promised
        return spending, waiting if self._most_waiting is None else min(waiting, self._most_waiting)

    def _not_entered(self, seconds: int) -> int:
        """Calls of the last ``seconds`` that are not in the book: a command may have the right to read it only."""
        since = (self._now() - seconds) // _MINUTE_S
        before = max((total for minute, total in self._totals.items() if minute < since), default=0)
        return min(self._meter.pending, self._meter.total - before)
