"""The record queue: many events for one record become one list call, and no later change is missed.

A FIFO queue delivers a message after ``delay_s`` and drops others with the same deduplication id. The id names the
record and a span of two thirds of the delay. So the list is read after the span has ended, and shows every change that
an event of the span announced. The last third is room for different clocks and for Bigin's own index.
"""

from collections.abc import Iterable

from bigin_archive.archive_request import ArchiveRequest
from bigin_archive.queueing.archive_queue import ArchiveQueue, Outgoing


class RecordQueue:
    """Whole records wait here a moment before they are listed."""

    def __init__(self, queue: ArchiveQueue, delay_s: int) -> None:
        self._queue = queue
        self._span_s = max(1, delay_s * 2 // 3)

    def send(self, requests: Iterable[ArchiveRequest], at_s: float, correlation_id: str = "") -> int:
        """Queue the records of an event at ``at_s`` (seconds since 1970); return how many.

        Raises StorageUnavailableError unless SQS confirmed every one.
        """
        span = int(at_s // self._span_s)
        return self._queue.send(
            Outgoing(
                request.to_json(),
                correlation_id=correlation_id,
                group=f"{request.module}-{request.record_id}",
                deduplication_id=f"{request.module}-{request.record_id}-{span}",
            )
            for request in requests
        )
