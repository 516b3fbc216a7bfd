"""SQS: queue requests, park what cannot be archived, let the rest come back later."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any
from urllib.parse import quote, unquote

from bigin_archive.archive_request import NO_HINTS, Hints
from bigin_archive.aws.error_codes import AWS_ERRORS, code_of
from bigin_archive.errors import ArchiveError, StorageUnavailableError
from bigin_archive.queueing.batches import batches

if TYPE_CHECKING:
    from mypy_boto3_sqs import SQSClient
    from mypy_boto3_sqs.literals import QueueAttributeNameType

MAX_VISIBILITY_S = 12 * 60 * 60  # SQS API Reference, ChangeMessageVisibility: from the receipt on
_RETRY_AFTER_S = 30

_COUNTS: "list[QueueAttributeNameType]" = [
    "ApproximateNumberOfMessages",
    "ApproximateNumberOfMessagesDelayed",
    "ApproximateNumberOfMessagesNotVisible",
]
# Message attributes. The name is percent-encoded: SQS carries only what XML 1.0 can.
LISTED_SIZE, LISTED_NAME, LISTED_TIME = "listed_size_bytes", "listed_name", "listed_modified_time"


def read_hints(attributes: Mapping[str, str]) -> Hints:
    """The hints that came as message attributes; what is malformed is no hint."""
    size, name = attributes.get(LISTED_SIZE, ""), attributes.get(LISTED_NAME, "")
    return Hints(
        size_bytes=int(size) if size.isascii() and size.isdigit() else None,
        name=unquote(name) or None,
        modified_time=attributes.get(LISTED_TIME) or None,
    )


def _attributes(hints: Hints) -> dict[str, dict[str, str]]:
    size = "" if hints.size_bytes is None else str(hints.size_bytes)
    name = quote(hints.name or "", safe="", errors="replace")
    given = ((LISTED_SIZE, "Number", size), (LISTED_NAME, "String", name), (LISTED_TIME, "String", hints.modified_time))
    return {name: {"DataType": kind, "StringValue": value} for name, kind, value in given if value}


@dataclass(frozen=True, slots=True)
class Outgoing:
    """A message to send: the request, and what the listing said of the attachment as message attributes.

    ``group`` and ``deduplication_id`` are for FIFO queues.
    """

    body: str
    hints: Hints = NO_HINTS
    group: str | None = None
    deduplication_id: str | None = None

    def entry(self) -> dict[str, Any]:
        """As SQS wants it, but for the id."""
        entry: dict[str, Any] = {"MessageBody": self.body}
        if attributes := _attributes(self.hints):
            entry["MessageAttributes"] = attributes
        if self.group is not None:
            entry |= {"MessageGroupId": self.group, "MessageDeduplicationId": self.deduplication_id}
        return entry


class ArchiveQueue:
    """The queue of archive requests, and its dead-letter queue."""

    def __init__(self, client: "SQSClient", url: str, dead_letter_url: str | None = None) -> None:
        self._client = client
        self._url = url
        self._dead_letter_url = dead_letter_url

    def send(self, messages: Iterable[Outgoing]) -> int:
        """Queue all messages; return how many. Raises StorageUnavailableError unless SQS confirmed every one.

        After an error some may be queued: sending all again is harmless, an archived file is not fetched twice.
        """
        sent = 0
        for batch in batches(messages, lambda message: message.body):
            entries = {str(number): message for number, message in enumerate(batch)}
            for last_try in (False, True):
                entries = self._send_batch(entries)
                if not entries:
                    break
                if last_try:
                    raise _unavailable("takes only some of the messages")
            sent += len(batch)
        return sent

    def waiting(self) -> int:
        """About how many messages there are: visible, delayed and being worked on. Raises StorageUnavailableError."""
        try:
            answer = self._client.get_queue_attributes(QueueUrl=self._url, AttributeNames=_COUNTS)
        except AWS_ERRORS as cause:
            raise _unavailable(code_of(cause)) from cause
        return sum(int(answer["Attributes"][name]) for name in _COUNTS)

    def dead_letter(self, message: Outgoing, error: ArchiveError) -> None:
        """Send a message unchanged to the dead-letter queue, with the reason. Raises StorageUnavailableError."""
        entry = message.entry()
        reason = {"error_code": error.code, "error_detail": error.detail}
        attributes = {name: {"DataType": "String", "StringValue": text} for name, text in reason.items()}
        try:
            answer = self._client.send_message(
                QueueUrl=str(self._dead_letter_url),
                MessageBody=message.body,
                MessageAttributes={**entry.get("MessageAttributes", {}), **attributes},
            )
        except AWS_ERRORS as cause:
            raise _unavailable(code_of(cause)) from cause
        if not answer.get("MessageId"):
            raise _unavailable("does not confirm the message")

    def delay(self, receipt_handle: str, seconds: int) -> None:
        """Let a received message come back after ``seconds``. Raises StorageUnavailableError."""
        try:
            self._client.change_message_visibility(
                QueueUrl=self._url,
                ReceiptHandle=receipt_handle,
                VisibilityTimeout=min(seconds, MAX_VISIBILITY_S),
            )
        except AWS_ERRORS as cause:
            raise _unavailable(code_of(cause)) from cause

    def _send_batch(self, entries: dict[str, Outgoing]) -> dict[str, Outgoing]:
        """Send; return the entries that SQS did not confirm."""
        try:
            answer = self._client.send_message_batch(
                QueueUrl=self._url,
                Entries=[{"Id": number, **message.entry()} for number, message in entries.items()],
            )
        except AWS_ERRORS as cause:
            raise _unavailable(code_of(cause)) from cause
        confirmed = {entry["Id"] for entry in answer.get("Successful", [])}
        return {number: message for number, message in entries.items() if number not in confirmed}


def _unavailable(reason: str) -> StorageUnavailableError:
    return StorageUnavailableError(
        f"The queue cannot be used ({reason}); what was not confirmed is not queued. Try again later.",
        retry_after_s=_RETRY_AFTER_S,
    )
