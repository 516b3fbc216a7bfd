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
from bigin_archive.queueing.archive_queue import ArchiveQueue, Outgoing

_AT_ONCE = 100  # rows in one call (DynamoDB API Reference, BatchGetItem)


class RecordExpander:
    """Lists the attachments of records."""

    def __init__(self, bigin: Bigin, links: LinkArchiver, restored: RestoredFiles, queue: ArchiveQueue) -> None:
        self._bigin = bigin
        self._links = links
        self._restored = restored
        self._queue = queue

    def archive(self, request: ArchiveRequest, deadline: Deadline, correlation_id: str = "") -> int:
        """Queue every file of the record with its hints, archive every link; return how many were queued.

        Nothing is lost if this is interrupted: the record's message comes back, and a file that is queued twice is
        archived once. Raises the errors of the list and of the storage, and StorageUnavailableError.
        """
        return self._queue.send(self._files(request, deadline, correlation_id))

    def _files(self, request: ArchiveRequest, deadline: Deadline, correlation_id: str) -> Iterator[Outgoing]:
        listed = self._bigin.attachments(request, deadline)
        while some := [(replace(request, attachment_id=each.attachment_id), each) for each in islice(listed, _AT_ONCE)]:
            restored = self._restored.find(attachment for attachment, _ in some)
            for attachment, each in some:
                if is_unchanged(restored.get(attachment.place), each):
                    continue
                if each.link:
                    self._links.archive(attachment, each, None, deadline, correlation_id)
                else:
                    yield Outgoing(attachment.to_json(), each.hints, correlation_id)
