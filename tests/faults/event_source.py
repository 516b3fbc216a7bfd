"""The SQS event source of a Lambda function, rule by rule (Lambda developer guide, "Handling errors for an SQS event
source"): receives a batch, invokes, deletes what is not named as failed; nothing where the function fails as a whole.
"""

import json
import time
from collections.abc import Callable
from typing import Any

from botocore.exceptions import BotoCoreError, ClientError

from tests.faults.runtime import CrashedError

BATCH = 10
Invoke = Callable[[dict[str, Any]], Any]


class EventSource:
    """Polls one queue for one function. Waiting times of messages are let pass at once (:meth:`let_time_pass`)."""

    def __init__(self, sqs: Any, queue_url: str) -> None:
        self._sqs = sqs
        self._queue_url = queue_url
        self._kept: dict[str, str] = {}
        self.invocations = self.crashes = self.errors = 0

    def receive(self, wait_s: int = 0, most: int = BATCH) -> list[dict[str, Any]]:
        answer = self._sqs.receive_message(
            QueueUrl=self._queue_url,
            MaxNumberOfMessages=most,
            WaitTimeSeconds=wait_s,
            AttributeNames=["ApproximateReceiveCount"],
            MessageAttributeNames=["All"],
        )
        found: list[dict[str, Any]] = answer.get("Messages", [])
        return found

    def handle(self, messages: list[dict[str, Any]], invoke: Invoke) -> int:
        """Invoke the function with a batch; return how many of its messages are done."""
        self.invocations += 1
        handles = {message["MessageId"]: message["ReceiptHandle"] for message in messages}
        try:
            failed = _failed(invoke(_event(messages)), set(handles))
        except CrashedError:
            self.crashes += 1
            failed = set(handles)
        except RuntimeError:
            self.errors += 1
            failed = set(handles)
        done = [message_id for message_id in handles if message_id not in failed]
        self._kept.update({message_id: handles[message_id] for message_id in failed})
        return self._delete(done, handles)

    def _delete(self, done: list[str], handles: dict[str, str]) -> int:
        if not done:
            return 0
        entries = [{"Id": str(number), "ReceiptHandle": handles[name]} for number, name in enumerate(done)]
        try:
            answer = self._sqs.delete_message_batch(QueueUrl=self._queue_url, Entries=entries)
        except (ClientError, BotoCoreError):
            # Lambda gives up as well: the messages come back.
            self._kept.update({name: handles[name] for name in done})
            return 0
        gone = {done[int(entry["Id"])] for entry in answer.get("Successful", [])}
        for name in done:
            if name in gone:
                self._kept.pop(name, None)
            else:
                self._kept[name] = handles[name]
        return len(gone)

    @property
    def keeps_any(self) -> bool:
        """Whether messages wait that this poller gave back."""
        return bool(self._kept)

    def let_time_pass(self, seconds: int = 0) -> None:
        """Make every message that was given back visible in so many seconds, whatever its delay."""
        for message_id, handle in list(self._kept.items()):
            del self._kept[message_id]
            try:
                self._sqs.change_message_visibility(
                    QueueUrl=self._queue_url, ReceiptHandle=handle, VisibilityTimeout=seconds
                )
            except (ClientError, BotoCoreError):
                continue  # visible already, or received by another poller

    def is_empty(self) -> bool:
        names = ["ApproximateNumberOfMessages", "ApproximateNumberOfMessagesNotVisible"]
        counts = self._sqs.get_queue_attributes(QueueUrl=self._queue_url, AttributeNames=names)["Attributes"]
        return all(int(counts[name]) == 0 for name in names)

    def drain(self, invoke: Invoke, patience_s: float) -> bool:
        """Work until the queue is empty; return False if that takes too long."""
        end_s = time.monotonic() + patience_s
        in_vain = 0
        while time.monotonic() < end_s:
            # Where several batches came to nothing, a breaker is on: let it have its second.
            wait_s = 1 if in_vain > 1 else 0
            if messages := self.receive(wait_s):
                before = self.crashes
                in_vain = 0 if self.handle(messages, invoke) or self.crashes > before else in_vain + 1
            elif self.is_empty():
                return True
            else:
                self.let_time_pass(wait_s)
        return False


def _event(messages: list[dict[str, Any]]) -> dict[str, Any]:
    records = [
        {
            "messageId": message["MessageId"],
            "receiptHandle": message["ReceiptHandle"],
            "body": message["Body"],
            "attributes": message["Attributes"],
            "messageAttributes": {
                name: {"stringValue": value.get("StringValue"), "dataType": value["DataType"]}
                for name, value in message.get("MessageAttributes", {}).items()
            },
            "eventSource": "aws:sqs",
            "awsRegion": "us-east-1",
        }
        for message in messages
    ]
    event: dict[str, Any] = json.loads(json.dumps({"Records": records}))
    return event


def _failed(answer: Any, sent: set[str]) -> set[str]:
    """The failed ids that Lambda reads from an answer. A malformed one means that all have failed."""
    if not answer or answer.get("batchItemFailures") in (None, []):
        return set()
    failed = {item.get("itemIdentifier") for item in answer["batchItemFailures"]}
    return {str(name) for name in failed} if failed <= sent else sent
