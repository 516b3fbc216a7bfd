"""SQS in memory: visibility, delays, retention, dead letters and FIFO queues, as far as the project uses them."""

import hashlib
import itertools
import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from email.utils import formatdate
from typing import Any

from tests.histories.network import Reply, Request

_TARGET = "AmazonSQS."
_DEDUPLICATION_S = 5 * 60  # SQS Developer Guide, "Using the message deduplication ID"
_Asked = Mapping[str, Any]


@dataclass(slots=True)
class Message:
    """One message; ``visible_at_s`` is when it can be received (again)."""

    message_id: str
    body: str
    attributes: dict[str, Any]
    sent_at_s: float
    visible_at_s: float
    receives: int = 0
    receipt: str = ""
    deduplication_id: str = ""

    @property
    def correlation_id(self) -> str:
        return str(self.attributes.get("correlation_id", {}).get("StringValue", ""))


@dataclass(slots=True)
class Queue:
    """One queue. Its attributes are in seconds."""

    visibility_s: float = 30
    delay_s: float = 0
    retention_s: float = 14 * 24 * 3600
    dead_letters: str | None = None
    most_receives: int = 100
    is_fifo: bool = False
    messages: dict[str, Message] = field(default_factory=dict)
    deduplicated: dict[str, float] = field(default_factory=dict)


class Queues:
    """Queues by name."""

    def __init__(self, queues: dict[str, Queue], now: Callable[[], float], counts_lag_s: float = 0) -> None:
        """The counts of messages are ``counts_lag_s`` seconds old."""
        self.queues = queues
        self._counts_lag_s = counts_lag_s
        self._counts: dict[int, list[tuple[float, dict[str, int]]]] = {}  # what was true when, by queue
        self._now = now
        self._numbers = itertools.count(1)
        self._operations: dict[str, Callable[[Queue, _Asked], dict[str, Any]]] = {
            "SendMessage": self._send,
            "SendMessageBatch": self._send_batch,
            "ReceiveMessage": self._receive,
            "DeleteMessage": self._delete,
            "DeleteMessageBatch": lambda queue, asked: self._each(self._delete, queue, asked),
            "ChangeMessageVisibility": self._change,
            "ChangeMessageVisibilityBatch": lambda queue, asked: self._each(self._change, queue, asked),
            "GetQueueAttributes": self._attributes,
            "PurgeQueue": self._purge,
            "DeleteQueue": self._delete_queue,
        }

    def __call__(self, request: Request) -> Reply:
        asked = json.loads(request.body)
        queue = self.queues.get(asked["QueueUrl"].rpartition("/")[2])
        if queue is None:
            gone = {"__type": "com.amazonaws.sqs#QueueDoesNotExist", "message": "The specified queue does not exist."}
            # What boto3 names the error after.
            query = {"x-amzn-query-error": "AWS.SimpleQueueService.NonExistentQueue;Sender"}
            return Reply(400, {"content-type": "application/x-amz-json-1.0", **query}, json.dumps(gone).encode())
        self._expire(queue)
        answer = self._operations[request.headers["x-amz-target"].removeprefix(_TARGET)](queue, asked)
        if self._counts_lag_s:
            self._as_told(queue, self._counted(queue))
        headers = {"content-type": "application/x-amz-json-1.0", "date": formatdate(self._now(), usegmt=True)}
        return Reply(200, headers, json.dumps(answer).encode())

    def repeat(self, name: str, message: Message) -> None:
        """Deliver a message a second time, as standard queues do now and then."""
        message_id = f"{message.message_id}-again"
        self.queues[name].messages[message_id] = Message(
            message_id, message.body, dict(message.attributes), message.sent_at_s, self._now(), message.receives
        )

    def _expire(self, queue: Queue) -> None:
        oldest_s = self._now() - queue.retention_s
        for message in [each for each in queue.messages.values() if each.sent_at_s <= oldest_s]:
            del queue.messages[message.message_id]

    def _send(self, queue: Queue, asked: _Asked) -> dict[str, Any]:
        now, body = self._now(), str(asked["MessageBody"])
        message = Message(f"m{next(self._numbers)}", body, asked.get("MessageAttributes", {}), now, now + queue.delay_s)
        name = message.deduplication_id = asked.get("MessageDeduplicationId", "")
        if not (queue.is_fifo and name and queue.deduplicated.get(name, 0) > now - _DEDUPLICATION_S):
            queue.messages[message.message_id] = message
            if name:
                queue.deduplicated[name] = now
        md5 = hashlib.md5(body.encode()).hexdigest()
        return {"MessageId": message.message_id, "MD5OfMessageBody": md5}

    def _send_batch(self, queue: Queue, asked: _Asked) -> dict[str, Any]:
        if not 1 <= len(asked["Entries"]) <= 10:
            raise NotImplementedError("a batch of another size than 1 to 10")
        return self._each(self._send, queue, asked)

    def _each(
        self, one: Callable[[Queue, _Asked], dict[str, Any]], queue: Queue, asked: _Asked
    ) -> dict[str, list[dict[str, Any]]]:
        return {"Successful": [{"Id": entry["Id"], **one(queue, entry)} for entry in asked["Entries"]]}

    def receive(self, name: str, most: int, visibility_s: float | None = None) -> list[Message]:
        """Receive what is visible, and hide it. What was received too often goes to the dead letters."""
        queue, now, found = self.queues[name], self._now(), []
        self._expire(queue)
        for message in [each for each in queue.messages.values() if each.visible_at_s <= now]:
            if len(found) == most:
                break
            if queue.dead_letters and message.receives >= queue.most_receives:
                del queue.messages[message.message_id]
                message.receives = 0
                self.queues[queue.dead_letters].messages[message.message_id] = message
                continue
            message.receives += 1
            message.receipt = f"{message.message_id}#{message.receives}"
            message.visible_at_s = now + (queue.visibility_s if visibility_s is None else visibility_s)
            found.append(message)
        return found

    def _receive(self, _: Queue, asked: _Asked) -> dict[str, Any]:
        name = asked["QueueUrl"].rpartition("/")[2]
        found = self.receive(name, asked.get("MaxNumberOfMessages", 1), asked.get("VisibilityTimeout"))
        return {"Messages": [_told(message) for message in found]} if found else {}

    def _delete(self, queue: Queue, asked: _Asked) -> dict[str, Any]:
        queue.messages.pop(asked["ReceiptHandle"].rpartition("#")[0], None)
        return {}

    def _change(self, queue: Queue, asked: _Asked) -> dict[str, Any]:
        message = queue.messages.get(asked["ReceiptHandle"].rpartition("#")[0])
        if message:
            message.visible_at_s = self._now() + asked["VisibilityTimeout"]
        return {}

    def _purge(self, queue: Queue, _: _Asked) -> dict[str, Any]:
        queue.messages.clear()
        return {}

    def _delete_queue(self, _: Queue, asked: _Asked) -> dict[str, Any]:
        del self.queues[asked["QueueUrl"].rpartition("/")[2]]
        return {}

    def _attributes(self, queue: Queue, asked: _Asked) -> dict[str, Any]:
        figures = self._counted(queue)
        if self._counts_lag_s:
            figures = self._as_told(queue, figures)
        told = {**figures, "MessageRetentionPeriod": int(queue.retention_s)}
        arn = f"arn:aws:sqs:us-east-1:000000000000:{asked['QueueUrl'].rpartition('/')[2]}"
        policy = json.dumps({"maxReceiveCount": queue.most_receives})
        return {
            "Attributes": {name: str(value) for name, value in told.items()}
            | {"RedrivePolicy": policy, "QueueArn": arn}
        }

    def _as_told(self, queue: Queue, figures: dict[str, int]) -> dict[str, int]:
        """The counts as they were at the last call that is old enough."""
        seen, until_s = self._counts.setdefault(id(queue), []), self._now() - self._counts_lag_s
        seen.append((self._now(), figures))
        while len(seen) > 1 and seen[1][0] <= until_s:
            del seen[0]
        return seen[0][1] if seen[0][0] <= until_s else dict.fromkeys(figures, 0)

    def _counted(self, queue: Queue) -> dict[str, int]:
        now = self._now()
        hidden = [each for each in queue.messages.values() if each.visible_at_s > now]
        delayed = sum(not each.receives for each in hidden)
        return {
            "ApproximateNumberOfMessages": len(queue.messages) - len(hidden),
            "ApproximateNumberOfMessagesDelayed": delayed,
            "ApproximateNumberOfMessagesNotVisible": len(hidden) - delayed,
        }


def _told(message: Message) -> dict[str, Any]:
    attributes = {
        "ApproximateReceiveCount": str(message.receives),
        "SentTimestamp": str(round(message.sent_at_s * 1000)),
    }
    if message.deduplication_id:
        attributes["MessageDeduplicationId"] = message.deduplication_id
    return {
        "MessageId": message.message_id,
        "ReceiptHandle": message.receipt,
        "MD5OfBody": hashlib.md5(message.body.encode()).hexdigest(),
        "Body": message.body,
        "Attributes": attributes,
        "MessageAttributes": message.attributes,
    }
