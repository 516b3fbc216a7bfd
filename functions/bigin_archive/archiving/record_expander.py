"""Whole records: every file that Bigin lists becomes a request of its own, every link a shortcut at once."""

from collections.abc import Iterator
from dataclasses import replace

from bigin_archive.archive_request import ArchiveRequest
from bigin_archive.archiving.link_archiver import LinkArchiver
from bigin_archive.bigin.client import Bigin
from bigin_archive.deadline import Deadline
from bigin_archive.queueing.archive_queue import ArchiveQueue, Outgoing


class RecordExpander:
    """Finds out what records hold."""

    def __init__(self, bigin: Bigin, links: LinkArchiver, queue: ArchiveQueue) -> None:
        self._bigin = bigin
        self._links = links
        self._queue = queue

    def archive(self, request: ArchiveRequest, deadline: Deadline, correlation_id: str = "") -> int:
        """Queue every file of the record with what is listed of it, archive every link; return how many were queued.

        Nothing is lost when this is cut short: the record's message comes back, and what was queued twice is
        archived once. Raises what the listing and the storage raise, and StorageUnavailableError.
        """
        return self._queue.send(self._files(request, deadline, correlation_id))

    def _files(self, request: ArchiveRequest, deadline: Deadline, correlation_id: str) -> Iterator[Outgoing]:
        for entry in self._bigin.attachments(request, deadline):
            attachment = replace(request, attachment_id=entry.attachment_id)
            if entry.link:
                self._links.archive(attachment, entry, None, deadline, correlation_id)
            else:
                yield Outgoing(attachment.to_json(), entry.hints, correlation_id)
