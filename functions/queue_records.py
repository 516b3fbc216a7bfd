"""Lambda function: moves records from the record queue to the queue of archive requests, after their delay.

It makes no call to Bigin, so that the workers' limits cover all calls.
"""

from bigin_archive import cold_start  # must come first

# isort: split
import os
from typing import Any

from bigin_archive.queueing.archive_queue import Outgoing, read_correlation_id, string_values
from bigin_archive.wiring.queue_records import queue

# At cold start, while Lambda gives the function a whole processor.
_QUEUE = queue(os.environ)


def handler(event: dict[str, Any], context: Any) -> None:
    """Queue a batch. If SQS does not confirm all of it, all of it comes back, which does no harm."""
    _QUEUE.send(
        Outgoing(record["body"], correlation_id=read_correlation_id(string_values(record)) or record["messageId"])
        for record in event["Records"]
    )


cold_start.over()
