"""Lambda function: announces stored files on the stack's event bus (from the queue of S3's events)."""

from bigin_archive import cold_start  # must come first

# isort: split
import os
from typing import Any

from bigin_archive.deadline import Deadline
from bigin_archive.events.announcer import Message
from bigin_archive.wiring.announce_archived import announcer

# At cold start, while Lambda gives the function a whole processor.
_ANNOUNCER = announcer(os.environ)


def handler(event: dict[str, Any], context: Any) -> dict[str, Any]:
    """Announce a batch; return the messages that could not be announced, which come again."""
    messages = [
        Message(
            record["messageId"],
            record["body"],
            record["receiptHandle"],
            int(record["attributes"]["ApproximateReceiveCount"]),
        )
        for record in event["Records"]
    ]
    failed = _ANNOUNCER.announce(messages, Deadline(context.get_remaining_time_in_millis() / 1000))
    return {"batchItemFailures": [{"itemIdentifier": message_id} for message_id in failed]}


cold_start.over()
