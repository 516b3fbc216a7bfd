"""The archive of a stack for the commands: its objects and its ledger, with errors in plain words."""

import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from typing import Any

from bigin_archive.bigin.credit_meter import CreditMeter
from bigin_archive.clock import SKEW, iso, parse
from bigin_archive.errors import ArchiveError, StorageRefusedError, StorageUnavailableError
from bigin_archive.ledger.credit_usage import CreditUsage
from bigin_archive.ledger.ledger import Ledger
from bigin_archive.storage.inventory import Inventory
from operate.errors import OperateError
from operate.stack.aws import Account
from operate.stack.stack import Stack


@dataclass(frozen=True, slots=True)
class Archive:
    """One stack's archive, read with the operator's own rights."""

    stack: Stack
    dynamodb: Any
    ledger: Ledger
    inventory: Inventory

    def now(self) -> str:
        """AWS's time (ISO 8601, UTC), which rows carry, whatever this machine's clock says.

        Where S3 tells none, it is this machine's, earlier by the margin. Raises StorageUnavailableError and
        StorageRefusedError.
        """
        return self.inventory.now() or iso(time.time() - SKEW.total_seconds())

    def clock(self, machine: Callable[[], float] = time.time) -> Callable[[], float]:
        """AWS's clock, from what this ``machine``'s is off now; the machine's own where S3 tells no time.

        The functions and all commands enter their credits by it, so that none is forgotten before its day is over.
        """
        with suppress(StorageUnavailableError, StorageRefusedError):
            if there := parse(self.inventory.now()):
                ahead_s = there.timestamp() - machine()
                return lambda: machine() + ahead_s
        return machine


def archive_of(account: Account, stack: Stack) -> Archive:
    """The archive of the stack. Raises OperateError if no region is known."""
    dynamodb = account.client("dynamodb")
    return Archive(
        stack,
        dynamodb,
        Ledger(dynamodb, stack.ledger_table),
        Inventory(account.client("s3"), stack.bucket, stack.key_prefix),
    )


def enter_credits(dynamodb: Any, table: str, meter: CreditMeter, now: Callable[[], float]) -> int:
    """Record the credits that were used, since they count towards the stack's share; return how many.

    ``now`` is :meth:`Archive.clock`.
    """
    usage = meter.take()
    with suppress(StorageUnavailableError):  # the result matters more, and some users may only read
        CreditUsage(dynamodb, table, now).add(usage)
    return usage.used


@contextmanager
def translate_errors(doing: str) -> Iterator[None]:
    """Turn an ArchiveError inside the block into an OperateError; ``doing`` completes "could not ..."."""
    try:
        yield
    except ArchiveError as error:
        # A function retries by itself; a command does not.
        raise OperateError(f"Could not {doing}.", error.detail.removesuffix(" Retried by itself.")) from None
