"""Lambda function: archives what waits in the queue (SQS event source, partial batch responses)."""

from bigin_archive import cold_start  # first: see there

# isort: split
import os
from functools import cache
from typing import Any

from bigin_archive.archiving.queue_worker import Message, Worker
from bigin_archive.deadline import Deadline
from bigin_archive.queueing.archive_queue import read_hints
from bigin_archive.wiring.archive_queued import worker

# For what follows the last byte: S3's answer (30 s at the longest), visibility changes, dead letters, log lines.
RESERVE_S = 40


@cache
def _worker() -> Worker:
    return worker(os.environ)


def handler(event: dict[str, Any], context: Any) -> dict[str, Any]:
    """Work on a batch; name the messages that stay on the queue."""
    messages = [
        Message(
            message_id=record["messageId"],
            body=record["body"],
            receipt_handle=record["receiptHandle"],
            attempt=int(record["attributes"]["ApproximateReceiveCount"]),
            hints=read_hints(
                {
                    name: attribute.get("stringValue", "")
                    for name, attribute in record.get("messageAttributes", {}).items()
                }
            ),
        )
        for record in event["Records"]
    ]
    deadline = Deadline(context.get_remaining_time_in_millis() / 1000 - RESERVE_S)
    staying = _worker().work(messages, deadline)
    return {"batchItemFailures": [{"itemIdentifier": message_id} for message_id in staying]}


_worker()  # at cold start, where the processor is faster than the memory size says
cold_start.over()
