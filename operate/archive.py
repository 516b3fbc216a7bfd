"""The archive of a stack as the commands use it: its objects and its ledger, with their errors in plain words."""

from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from typing import Any

from bigin_archive.credits import Credits, Meter
from bigin_archive.errors import ArchiveError, StorageUnavailableError
from bigin_archive.inventory import Inventory
from bigin_archive.ledger import Ledger
from operate.aws import Account
from operate.failure import OperateError
from operate.stack import Stack


@dataclass(frozen=True, slots=True)
class Archive:
    """One stack's archive, with the operator's own rights."""

    stack: Stack
    dynamodb: Any
    ledger: Ledger
    inventory: Inventory


def archive_of(account: Account, stack: Stack) -> Archive:
    """The archive of the stack. Raises OperateError where there is no region."""
    dynamodb = account.client("dynamodb")
    return Archive(
        stack,
        dynamodb,
        Ledger(dynamodb, stack.ledger_table),
        Inventory(account.client("s3"), stack.bucket, stack.key_prefix),
    )


def enter_credits(dynamodb: Any, table: str, meter: Meter) -> int:
    """Enter what was used in the account's book, which the sweep's share is counted from; return how many."""
    usage = meter.take()
    with suppress(StorageUnavailableError):  # the result matters more, also to one who may only read
        Credits(dynamodb, table).add(usage)
    return usage.used


@contextmanager
def told(doing: str) -> Iterator[None]:
    """Turn an ArchiveError inside the block into an OperateError; ``doing`` completes "could not ..."."""
    try:
        yield
    except ArchiveError as error:
        # What a function does by itself, nobody does here.
        raise OperateError(f"Could not {doing}.", error.detail.removesuffix(" Retried by itself.")) from None
