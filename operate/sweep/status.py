"""How far the archive of the whole account is: sweep, ledger, queue, credits. Only reads."""

import time
from collections import Counter
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any

from bigin_archive.bigin.credit_meter import Usage
from bigin_archive.clock import iso_or_none
from bigin_archive.errors import StorageUnavailableError
from bigin_archive.ledger.credit_usage import CreditUsage
from bigin_archive.ledger.ledger import Ledger
from bigin_archive.queueing.archive_queue import ArchiveQueue
from bigin_archive.sweep.credit_budget import CreditBudget
from bigin_archive.sweep.cursor import Cursor, SweepState
from operate.errors import OperateError
from operate.stack.stack import Stack

_ROWS_A_PAGE = 200  # of a stored list


@dataclass(frozen=True, slots=True)
class Status:
    """One look. ``states`` counts the ledger's rows by state, ``parked`` the parked ones by reason."""

    sweep: SweepState | None
    waiting: int
    dead_letters: int
    credits: Usage
    share: int
    states: dict[str, int]
    parked: dict[str, int]
    stored_bytes: int

    @property
    def left(self) -> int:
        """Credits of the share that may still be used."""
        return max(0, self.share - self.credits.used)

    def as_dict(self) -> dict[str, Any]:
        """For --json."""
        return {
            "sweep": self.sweep.as_dict() if self.sweep else None,
            "expected_end": iso_or_none(expected_end(self.sweep, self.share, datetime.now(UTC))),
            "waiting": self.waiting,
            "dead_letters": self.dead_letters,
            "credits": {
                "used_24h": self.credits.used,
                "share": self.share,
                "left": self.left,
                "remaining_of_account": self.credits.remaining,
            },
            "attachments": self.states,
            "parked": self.parked,
            "stored_bytes": self.stored_bytes,
        }


class Account:
    """The tables and queues of one stack, with the operator's rights."""

    def __init__(self, stack: Stack, dynamodb: Any, sqs: Any) -> None:
        self._budget = CreditBudget(stack.daily_credits, stack.share_percent)
        self._ledger = Ledger(dynamodb, stack.ledger_table)
        self._credits = CreditUsage(dynamodb, stack.ledger_table)
        self._cursor = Cursor(dynamodb, stack.ledger_table, "", time.time)
        self._queue = ArchiveQueue(sqs, stack.queue_url)
        self._dead_letters = ArchiveQueue(sqs, stack.dead_letter_queue_url)

    def status(self) -> Status:
        """Look at everything, which reads the whole ledger. Raises OperateError."""
        states: Counter[str] = Counter()
        parked: Counter[str] = Counter()
        stored_bytes = 0
        try:
            for entry in self._ledger.entries():
                states[entry.state] += 1
                stored_bytes += entry.size_bytes or 0 if entry.is_stored else 0
                if entry.state == "parked":
                    parked[entry.reason or "unknown"] += 1
            return Status(
                sweep=self._cursor.load(),
                waiting=self._queue.waiting(),
                dead_letters=self._dead_letters.waiting(),
                credits=self._credits.used(),
                share=self._budget.share,
                states=dict(states),
                parked=dict(parked),
                stored_bytes=stored_bytes,
            )
        except StorageUnavailableError as error:
            raise OperateError("The stack's ledger or queues cannot be read.", error.detail) from None

    def sweep(self) -> tuple[SweepState | None, bool]:
        """The state of the sweep, and whether a slice is running. Raises OperateError."""
        try:
            return self._cursor.load(), self._cursor.is_taken()
        except StorageUnavailableError as error:
            raise OperateError("The stack's ledger cannot be read.", error.detail) from None


def done_part(sweep: SweepState) -> float | None:
    """How much of the comparison is done, 0 to 1; None while lists are still being read."""
    if sweep.phase == "listing":
        return None
    if sweep.phase != "attachments" or not sweep.pages:
        return 1.0
    return min(1.0, (sweep.page + min(1.0, sweep.index / _ROWS_A_PAGE)) / sweep.pages)


def expected_end(sweep: SweepState | None, share: int, now: datetime) -> datetime | None:
    """When the sweep will be done, at the pace of its share; None if that is not known yet."""
    if sweep is None or sweep.is_done:
        return None
    part = done_part(sweep)
    if not part:
        return None
    rest = sweep.credits * (1 - part) / part
    return now + timedelta(days=rest / max(1, CreditBudget(share, 100).sweep_share))
