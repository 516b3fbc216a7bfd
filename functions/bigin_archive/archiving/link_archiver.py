"""Links: each becomes a shortcut and a row in the ledger at once, without a message or a download."""

from bigin_archive.archive_request import ArchiveRequest
from bigin_archive.archiving.archiver import Archiver
from bigin_archive.archiving.restored_files import RestoredFiles, is_unchanged
from bigin_archive.bigin.listing import ListedAttachment
from bigin_archive.deadline import Deadline
from bigin_archive.errors import ContentConflictError
from bigin_archive.ledger.ledger_writer import LedgerWriter


class LinkArchiver:
    """Archives the links of a list."""

    def __init__(self, archiver: Archiver, restored: RestoredFiles, ledger_writer: LedgerWriter) -> None:
        self._archiver = archiver
        self._restored = restored
        self._ledger_writer = ledger_writer

    def archive_by_id(self, request: ArchiveRequest, deadline: Deadline, correlation_id: str = "") -> None:
        """Archive the attachment that Bigin calls a link, if its record's list shows it with its address.

        A link that a restore has sent back has its shortcut already. Raises the errors of the list and of the storage.
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
        """Archive the ``listed`` link. Raises the ArchiveErrors that pass by themselves.

        If another object is under its key, the ledger notes the conflict, so that the other attachments go on.
        """
        if listed.link is None:
            raise ValueError("a file is not a link")
        try:
            archived = self._archiver.archive_link(request, listed.link, deadline)
        except ContentConflictError as error:
            self._ledger_writer.record_link(request, listed, record_name, error, correlation_id)
        else:
            self._ledger_writer.record_link(
                request, listed, record_name, archived.stored, correlation_id, is_new=not archived.already
            )
