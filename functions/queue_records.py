"""Lambda function: hands records on from the record queue to the queue of archive requests, after their delay.

It calls nobody else, so that all calls to Bigin stay with the workers and their limits.
"""

from bigin_archive import cold_start  # first: see there

# isort: split
import os
from functools import cache
from typing import Any

from bigin_archive.queueing.archive_queue import ArchiveQueue, Outgoing, read_correlation_id, string_values
from bigin_archive.wiring.queue_records import queue


@cache
def _queue() -> ArchiveQueue:
    return queue(os.environ)


def handler(event: dict[str, Any], context: Any) -> None:
    """Queue a batch; where SQS does not confirm all of it, all of it comes back (twice is harmless)."""
    _queue().send(
        Outgoing(record["body"], correlation_id=read_correlation_id(string_values(record)) or record["messageId"])
        for record in event["Records"]
    )


_queue()  # at cold start, where the processor is faster than the memory size says
cold_start.over()
