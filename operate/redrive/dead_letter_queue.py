"""The dead-letter queue: read in passes, and sent back message by message.

SQS can read a queue only by receiving from it, and a received message is hidden from every other reader for a while. A
pass hides the messages that it reads, so it meets each one once, and shows them again at its end. To send a message
back, it is received, sent to the source queue, and then deleted. An interruption leaves it in at least one of the
queues. A message in both is archived once, because the archive finds what is archived already.
"""

import json
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any

from bigin_archive import clock
from bigin_archive.deadline import Deadline
from bigin_archive.queueing.archive_queue import CORRELATION_ID, SENT_BACK
from bigin_archive.queueing.batches import BATCH, batches
from operate.errors import OperateError
from operate.redrive.reasons import GAVE_UP
from operate.stack.aws import aws_errors

VISIBILITY_S = 15 * 60  # the longest time that a message is hidden if this program is killed
PASS_S = 10 * 60  # a pass ends before the first message that it hides comes back
MAX_HELD = 100_000  # SQS Developer Guide, "Amazon SQS message quotas": 120,000 in flight
WAIT_S = 1  # long polling: with 0, SQS asks only some of its servers, and a full queue may look empty
_REASON_ATTRIBUTES = ("error_code", "error_detail")


@dataclass(frozen=True, slots=True)
class DeadLetter:
    """One message; ``reason`` is its error_code, or GAVE_UP if SQS itself moved it."""

    message_id: str
    receipt_handle: str
    body: str
    sent_at: datetime
    reason: str
    detail: str
    attributes: Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class Depth:
    """SQS's own figures, which are approximate; ``tries`` is the source queue's maxReceiveCount."""

    visible: int
    hidden: int
    retention: timedelta
    tries: int | None
    now: datetime


class DeadLetterQueue:
    """The dead-letter queue of a stack, and the queue that its messages came from."""

    def __init__(self, client: Any, url: str, source_url: str, wait_s: int = WAIT_S) -> None:
        self._client = client
        self._url = url
        self._source_url = source_url
        self._wait_s = wait_s

    def depth(self) -> Depth:
        """How many messages there are. Raises OperateError."""
        with aws_errors("look at the queues"):
            answer = self._client.get_queue_attributes(QueueUrl=self._url, AttributeNames=["All"])
            source = self._client.get_queue_attributes(QueueUrl=self._source_url, AttributeNames=["RedrivePolicy"])
        figures = answer["Attributes"]
        return Depth(
            visible=int(figures["ApproximateNumberOfMessages"]),
            hidden=int(figures["ApproximateNumberOfMessagesNotVisible"]),
            retention=timedelta(seconds=int(figures["MessageRetentionPeriod"])),
            tries=_tries(source.get("Attributes", {}).get("RedrivePolicy")),
            now=_server_time(answer),
        )

    @contextmanager
    def one_pass(self) -> "Iterator[Pass]":
        """A pass. At its end every message that was not sent back is visible again, whatever happens."""
        made = Pass(self._client, self._url, self._source_url, Deadline(PASS_S), self._wait_s)
        try:
            yield made
        finally:
            made.release()


class Pass:
    """Receives each message once. ``complete`` says whether the end of the queue was reached."""

    def __init__(self, client: Any, url: str, source_url: str, deadline: Deadline, wait_s: int) -> None:
        self._client = client
        self._url = url
        self._source_url = source_url
        self._deadline = deadline
        self._wait_s = wait_s
        self._seen: set[str] = set()
        self._held: dict[str, str] = {}
        self.complete = False

    def batches(self) -> Iterator[list[DeadLetter]]:
        """All messages, up to ten at a time, until none is left or the pass is at its limits. Raises OperateError."""
        while self._deadline.remaining_s() > 0 and len(self._held) < MAX_HELD:
            with aws_errors("receive from the dead-letter queue"):
                answer = self._client.receive_message(
                    QueueUrl=self._url,
                    MaxNumberOfMessages=BATCH,
                    VisibilityTimeout=VISIBILITY_S,
                    WaitTimeSeconds=self._wait_s,
                    AttributeNames=["SentTimestamp"],
                    MessageAttributeNames=["All"],
                )
            letters = [_letter(message) for message in answer.get("Messages", [])]
            if not letters:
                self.complete = True
                return
            self._held.update({letter.message_id: letter.receipt_handle for letter in letters})
            # Standard queues deliver a message now and then twice.
            fresh = [letter for letter in letters if letter.message_id not in self._seen]
            self._seen.update(letter.message_id for letter in letters)
            if fresh:
                yield fresh

    def send_back(self, letters: Sequence[DeadLetter]) -> list[DeadLetter]:
        """Send to the source queue, then delete; return the messages that SQS accepted. Raises OperateError."""
        sent: list[DeadLetter] = []
        for group in batches(letters, lambda letter: letter.body):
            with aws_errors("send to the source queue"):
                answer = self._client.send_message_batch(
                    QueueUrl=self._source_url,
                    Entries=[_entry(number, letter) for number, letter in enumerate(group)],
                )
            taken = [group[int(entry["Id"])] for entry in answer.get("Successful", [])]
            self._delete(taken)
            sent += taken
        return sent

    def release(self) -> None:
        """Show the hidden messages again. Any others come back by themselves, after VISIBILITY_S at most."""
        handles = list(self._held.values())
        for start in range(0, len(handles), BATCH):
            entries = [
                {"Id": str(number), "ReceiptHandle": handle, "VisibilityTimeout": 0}
                for number, handle in enumerate(handles[start : start + BATCH])
            ]
            with suppress(OperateError), aws_errors("show the messages again"):
                self._client.change_message_visibility_batch(QueueUrl=self._url, Entries=entries)
        self._held.clear()

    def _delete(self, letters: Sequence[DeadLetter]) -> None:
        if not letters:
            return
        entries = [
            {"Id": str(number), "ReceiptHandle": self._held[letter.message_id]} for number, letter in enumerate(letters)
        ]
        with aws_errors("delete from the dead-letter queue"):
            answer = self._client.delete_message_batch(QueueUrl=self._url, Entries=entries)
        for entry in answer.get("Successful", []):
            del self._held[letters[int(entry["Id"])].message_id]


def _letter(message: Mapping[str, Any]) -> DeadLetter:
    attributes = message.get("MessageAttributes", {})
    code, detail = (attributes.get(name, {}).get("StringValue", "") for name in _REASON_ATTRIBUTES)
    sent_ms = int(message.get("Attributes", {}).get("SentTimestamp", 0))
    return DeadLetter(
        message_id=message["MessageId"],
        receipt_handle=message["ReceiptHandle"],
        body=message["Body"],
        sent_at=datetime.fromtimestamp(sent_ms / 1000, UTC),
        reason=code or GAVE_UP,
        detail=detail,
        attributes={name: value for name, value in attributes.items() if name not in _REASON_ATTRIBUTES},
    )


def _entry(number: int, letter: DeadLetter) -> dict[str, Any]:
    # Without a correlation id, the message's own id was used in the log, and is kept.
    own = {CORRELATION_ID: {"DataType": "String", "StringValue": letter.message_id}}
    attributes = {**own, **letter.attributes, SENT_BACK: {"DataType": "String", "StringValue": "1"}}
    return {"Id": str(number), "MessageBody": letter.body, "MessageAttributes": attributes}


def _tries(policy: str | None) -> int | None:
    try:
        return int(json.loads(policy or "{}")["maxReceiveCount"])
    except (ValueError, KeyError, TypeError):
        return None


def _server_time(answer: Mapping[str, Any]) -> datetime:
    """SQS's clock: it dates the messages, and this machine's clock may be wrong."""
    headers = answer["ResponseMetadata"]["HTTPHeaders"]
    return clock.parse_http(headers.get("date")) or datetime.now(UTC)
