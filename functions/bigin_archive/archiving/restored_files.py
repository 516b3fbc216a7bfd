"""Attachments that a restore sent back to Bigin. They have a new id, and keep the object of the original."""

from collections.abc import Iterable, Mapping

from bigin_archive.archive_request import ArchiveRequest
from bigin_archive.bigin.listing import ListedAttachment
from bigin_archive.errors import StorageUnavailableError
from bigin_archive.ledger.attachment_state import Step, next_step
from bigin_archive.ledger.ledger import Ledger
from bigin_archive.ledger.ledger_entry import LedgerEntry


class RestoredFiles:
    """Looks them up in the ledger."""

    def __init__(self, ledger: Ledger) -> None:
        self._ledger = ledger

    def rows(self, requests: Iterable[ArchiveRequest]) -> Mapping[str, LedgerEntry]:
        """The rows of the ``requests``, by their places, of whatever else, too.

        None if the ledger cannot be read: archiving a file twice does no harm, but waiting for a table does.
        """
        try:
            return self._ledger.find(list(requests))
        except StorageUnavailableError:
            return {}

    def row(self, request: ArchiveRequest) -> LedgerEntry | None:
        """The row of one attachment."""
        return self.rows([request]).get(request.place)


def is_unchanged(entry: LedgerEntry | None, listed: ListedAttachment) -> bool:
    """Whether it was sent back, and Bigin still lists it so. If it was changed there, it is a new file."""
    if entry is None or not entry.restored_from or not entry.is_stored:
        return False
    # The time of the list matters only for other states.
    return next_step(entry, listed, seen_at="") is Step.NOTHING
