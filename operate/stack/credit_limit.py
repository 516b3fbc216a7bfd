"""Limits the API credits that a command uses: to the same part of the share as a sweep."""

from collections.abc import Callable
from typing import Any

from bigin_archive.bigin.credit_meter import CreditMeter
from bigin_archive.errors import StorageUnavailableError
from bigin_archive.ledger.credit_usage import CreditUsage
from bigin_archive.queueing.archive_queue import ArchiveQueue
from bigin_archive.sweep.credit_budget import CreditBudget, CreditLimit
from operate.stack.stack import Stack
from operate.terminal import say

_LOOK_S = 60  # between two looks; credits come back an hour after they were used


def limited(meter: CreditMeter, stack: Stack, dynamodb: Any, sqs: Any, now: Callable[[], float]) -> CreditLimit:
    """Limit the meter; return its limit. ``now`` is :meth:`Archive.clock`."""
    book = CreditUsage(dynamodb, stack.ledger_table, now)

    def enter() -> None:
        usage = meter.take()
        try:
            book.add(usage)
        except StorageUnavailableError:  # an audit also works with read-only rights
            meter.give_back(usage)

    budget = CreditBudget(stack.daily_credits, stack.share_percent)
    return CreditLimit(meter, budget, book, ArchiveQueue(sqs, stack.queue_url), enter, now)


def wait_for_credits(limit: CreditLimit, sleep: Callable[[float], None]) -> None:
    """Return when there are credits again. The limits per hour and per 24 hours are those of the sweep.

    Raises StorageUnavailableError.
    """
    if not limit.renew():
        say("Waiting for API credits. Continues by itself (Ctrl-C ends it).", "dim")
        while not limit.renew():
            sleep(_LOOK_S)
