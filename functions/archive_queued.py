"""Lambda function: archives the requests of the queue (SQS event source, partial batch responses)."""

from bigin_archive import cold_start  # must come first

# isort: split
import os
from typing import Any

from bigin_archive.archive_request import NO_HINTS
from bigin_archive.archiving.message import Message
from bigin_archive.deadline import Deadline
from bigin_archive.errors import InvalidRequestError
from bigin_archive.queueing.archive_queue import SENT_BACK, read_correlation_id, read_hints, string_values
from bigin_archive.wiring.archive_queued import worker

# Kept for the time after the last byte: S3's answer (at most 30 s), visibility changes, dead letters, log lines.
RESERVE_S = 40

# At cold start, while Lambda gives the function a whole processor.
_WORKER = worker(os.environ)


def handler(event: dict[str, Any], context: Any) -> dict[str, Any]:
    """Work on a batch; return the messages that stay on the queue."""
    deadline = Deadline(context.get_remaining_time_in_millis() / 1000 - RESERVE_S)
    staying = _WORKER.work([_message(record) for record in event["Records"]], deadline)
    return {"batchItemFailures": [{"itemIdentifier": message_id} for message_id in staying]}


def _message(record: dict[str, Any]) -> Message:
    """Read one record. It raises nothing for what a sender chose: one odd message must not fail its batch."""
    attributes = string_values(record)
    hints, malformed = NO_HINTS, None
    try:
        hints = read_hints(attributes)
    except InvalidRequestError as error:
        malformed = error
    return Message(
        message_id=record["messageId"],
        body=record["body"],
        receipt_handle=record["receiptHandle"],
        attempt=int(record["attributes"]["ApproximateReceiveCount"]),
        hints=hints,
        malformed=malformed,
        correlation_id=read_correlation_id(attributes),
        was_sent_back=SENT_BACK in attributes,
        sent_at_s=int(sent_ms) / 1000 if (sent_ms := record["attributes"].get("SentTimestamp")) else None,
    )


cold_start.over()
