"""Whole records: every file in Bigin's list becomes a request, every link a shortcut at once.

Files that a restore has sent back are left out: they have an object.
"""

from collections.abc import Iterator
from dataclasses import replace
from itertools import islice

from bigin_archive.archive_request import ArchiveRequest
from bigin_archive.archiving.link_archiver import LinkArchiver
from bigin_archive.archiving.restored_files import RestoredFiles, is_unchanged
from bigin_archive.bigin.client import Bigin
from bigin_archive.deadline import Deadline
from bigin_archive.ledger.attachment_state import State
from bigin_archive.ledger.ledger_writer import LedgerWriter
from bigin_archive.queueing.archive_queue import ArchiveQueue, Outgoing

# For a file in another state a sweep sends no message, unless Bigin lists it differently.
_WITHOUT_OBJECT = (State.PENDING, State.GONE)
_AT_ONCE = 100  # rows in one call (DynamoDB API Reference, BatchGetItem)


class RecordExpander:
    """Lists the attachments of records."""

    def __init__(
        self,
        bigin: Bigin,
        links: LinkArchiver,
        restored: RestoredFiles,
        queue: ArchiveQueue,
        ledger_writer: LedgerWriter,
    ) -> None:
        self._bigin = bigin
        self._links = links
        self._restored = restored
        self._queue = queue
        self._ledger_writer = ledger_writer

    def archive(self, request: ArchiveRequest, deadline: Deadline, correlation_id: str = "") -> int:
        """Queue every file of the record with its hints, archive every link; return how many were queued.

        Nothing is lost if this is interrupted: the record's message comes back, and a file that is queued twice is
        archived once. Raises the errors of the list and of the storage, and StorageUnavailableError.
        """
        return self._queue.send(self._files(request, deadline, correlation_id))

    def _files(self, request: ArchiveRequest, deadline: Deadline, correlation_id: str) -> Iterator[Outgoing]:
        listed = self._bigin.attachments(request, deadline)
        while some := [(replace(request, attachment_id=each.attachment_id), each) for each in islice(listed, _AT_ONCE)]:
            known = self._restored.rows(attachment for attachment, _ in some)
            for attachment, each in some:
                entry = known.get(attachment.place)
                if is_unchanged(entry, each):
                    continue
                if each.link:
                    self._links.archive(attachment, each, None, deadline, correlation_id)
                else:
                    if entry is None or entry.state in _WITHOUT_OBJECT:
                        # Before the message is sent, because its outcome must be written last. No sweep sends another.
                        self._ledger_writer.record_queued(attachment, correlation_id)
                    yield Outgoing(attachment.to_json(), each.hints, correlation_id)
