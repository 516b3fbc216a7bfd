"""Limits the API credits that a command uses: to the same part of the share as a sweep."""

import time
from collections.abc import Callable
from contextlib import suppress
from typing import Any

from bigin_archive.bigin.credit_meter import CreditMeter, Usage
from bigin_archive.errors import StorageUnavailableError
from bigin_archive.ledger.credit_usage import HOUR_S, CreditUsage
from bigin_archive.queueing.archive_queue import ArchiveQueue
from bigin_archive.sweep.credit_budget import CreditBudget
from operate.stack.stack import Stack
from operate.terminal import say

_LOOK_S = 60  # between two looks; credits come back an hour after they were used
_TRIES = 3


class CreditLimit:
    """Limits a meter, and records the credits that it counted."""

    def __init__(
        self,
        meter: CreditMeter,
        stack: Stack,
        dynamodb: Any,
        sqs: Any,
        now: Callable[[], float],
        sleep: Callable[[float], None] = time.sleep,
    ) -> None:
        """Nothing may be used yet. ``now`` is :meth:`Archive.clock`."""
        meter.limit(0)
        self._meter = meter
        self._budget = CreditBudget(stack.daily_credits, stack.share_percent)
        self._usage = CreditUsage(dynamodb, stack.ledger_table, now)
        self._queue = ArchiveQueue(sqs, stack.queue_url)
        self._sleep = sleep

    def renew(self) -> int:
        """Allow what may be used now; return how many credits.

        Raises StorageUnavailableError if it is not known what was used: then nothing may be used.
        """
        usage = self._meter.take()
        try:
            self._usage.add(usage)
        except StorageUnavailableError:  # an audit also works with read-only rights
            self._meter.give_back(usage)
            unwritten = usage.used
        else:
            unwritten = 0
        day, hour, waiting = self._used()
        allowance = self._budget.allowance(day.used + unwritten, hour.used + unwritten, waiting, day.remaining)
        self._meter.limit(allowance, kept=self._budget.kept_for_others)
        return allowance

    def _used(self) -> tuple[Usage, Usage, int]:
        """What was used in a day and in an hour, and what waits. Raises StorageUnavailableError."""
        for _ in range(_TRIES - 1):
            with suppress(StorageUnavailableError):
                return self._usage.used(), self._usage.used(HOUR_S), self._queue.waiting()
        return self._usage.used(), self._usage.used(HOUR_S), self._queue.waiting()

    def wait(self) -> None:
        """Return when there are credits again. The limits per hour and per 24 hours are those of the sweep.

        Raises StorageUnavailableError.
        """
        if not self.renew():
            say("Waiting for API credits. Continues by itself (Ctrl-C ends it).", "dim")
            while not self.renew():
                self._sleep(_LOOK_S)
