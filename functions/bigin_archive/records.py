"""Whole records: a request without attachment_id becomes one request for each attachment that Bigin lists."""

from dataclasses import replace

from bigin_archive.archive_request import ArchiveRequest
from bigin_archive.bigin import Bigin
from bigin_archive.deadline import Deadline
from bigin_archive.queue import Outgoing, Queue


class Records:
    """Finds out what records hold, and queues it."""

    def __init__(self, bigin: Bigin, queue: Queue) -> None:
        self._bigin = bigin
        self._queue = queue

    def queue_attachments(self, request: ArchiveRequest, deadline: Deadline) -> int:
        """Queue every attachment of the record with its listed size; return how many.

        Nothing is lost when this is cut short: the record's message comes back, and what was queued twice is
        archived once. Raises what the listing raises, and StorageUnavailableError.
        """
        return self._queue.send(
            Outgoing(replace(request, attachment_id=entry.attachment_id).to_json(), entry.size_bytes)
            for entry in self._bigin.attachments(request, deadline)
        )
