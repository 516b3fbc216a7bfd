"""What a command may spend of Bigin's credits: the same part of the share that the sweep has."""

import time
from collections.abc import Callable
from typing import Any

from bigin_archive.bigin.credit_meter import CreditMeter, Usage
from bigin_archive.errors import StorageUnavailableError
from bigin_archive.ledger.credit_usage import HOUR_S, CreditUsage
from bigin_archive.queueing.archive_queue import ArchiveQueue
from bigin_archive.sweep.credit_budget import CreditBudget
from operate.stack.stack import Stack
from operate.terminal import say

_LOOK_S = 60  # while it waits: credits come back as those of an hour ago are forgotten


NOTHING = Usage(0)


class CreditLimit:
    """Limits a meter, and enters what it counted in the stack's book."""

    def __init__(
        self,
        meter: CreditMeter,
        stack: Stack,
        dynamodb: Any,
        sqs: Any,
        sleep: Callable[[float], None] = time.sleep,
        now: Callable[[], float] = time.time,
    ) -> None:
        self._meter = meter
        self._budget = CreditBudget(stack.daily_credits, stack.share_percent)
        self._usage = CreditUsage(dynamodb, stack.ledger_table, now)
        self._queue = ArchiveQueue(sqs, stack.queue_url)
        self._sleep = sleep

    def renew(self) -> int:
        """Allow what may be used now; return how many credits."""
        usage = self._meter.take()
        try:
            self._usage.add(usage)
        except StorageUnavailableError:  # who may only read can audit, too
            self._meter.give_back(usage)
            unwritten = usage.used
        else:
            unwritten = 0
        try:
            day, hour, waiting = self._usage.used(), self._usage.used(HOUR_S), self._queue.waiting()
        except StorageUnavailableError:  # nothing can be proved then; that is told where it fails
            day, hour, waiting = NOTHING, NOTHING, 0
        allowance = self._budget.allowance(day.used + unwritten, hour.used + unwritten, waiting, day.remaining)
        self._meter.limit(allowance, kept=self._budget.kept_for_others)
        return allowance

    def wait(self) -> None:
        """Return once there are credits again; they are those of the sweep, for any hour and any 24 hours."""
        if not self.renew():
            say("Waits for credits of the share: goes on by itself (Ctrl-C ends it).", "dim")
            while not self.renew():
                self._sleep(_LOOK_S)
