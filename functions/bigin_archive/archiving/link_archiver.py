"""Links: each becomes a shortcut at once, and its row in the ledger; they need no message and no download."""

from bigin_archive.archive_request import ArchiveRequest
from bigin_archive.archiving.archiver import Archiver
from bigin_archive.archiving.restored_files import RestoredFiles, is_unchanged
from bigin_archive.bigin.listing import ListedAttachment
from bigin_archive.deadline import Deadline
from bigin_archive.errors import ContentConflictError
from bigin_archive.ledger.ledger_writer import LedgerWriter


class LinkArchiver:
    """Archives the links that a list shows."""

    def __init__(self, archiver: Archiver, restored: RestoredFiles, ledger_writer: LedgerWriter) -> None:
        self._archiver = archiver
        self._restored = restored
        self._ledger_writer = ledger_writer

    def archive_by_id(self, request: ArchiveRequest, deadline: Deadline, correlation_id: str = "") -> None:
        """Archive what Bigin says is a link, if its record's list shows it; a listing tells the address.

        One that a restore has sent back has its shortcut already.
        Raises what listing and storage raise.
        """
        listed = self._archiver.listed(request, deadline)
        if listed and listed.link and not is_unchanged(self._restored.row(request), listed):
            self.archive(request, listed, None, deadline, correlation_id)

    def archive(
        self,
        request: ArchiveRequest,
        listed: ListedAttachment,
        record_name: str | None,
        deadline: Deadline,
        correlation_id: str = "",
    ) -> None:
        """Archive the link that is ``listed``; raises the ArchiveErrors that pass by themselves.

        Where something else lies under its key, that is noted in the ledger, and no other attachment waits for it.
        """
        if listed.link is None:
            raise ValueError("a file is no link")
        try:
            archived = self._archiver.archive_link(request, listed.link, deadline)
        except ContentConflictError as error:
            self._ledger_writer.record_link_conflict(request, listed, record_name, error, correlation_id)
        else:
            self._ledger_writer.record_link(
                request, listed, record_name, archived.stored, correlation_id, is_new=not archived.already
            )
