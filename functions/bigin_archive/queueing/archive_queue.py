"""SQS: queue requests, park the ones that cannot be archived, and let the others come back later."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any
from urllib.parse import quote, unquote

from bigin_archive.archive_request import NO_HINTS, Hints
from bigin_archive.aws.error_codes import AWS_ERRORS, code_of
from bigin_archive.errors import ArchiveError, InvalidRequestError, StorageUnavailableError
from bigin_archive.queueing.batches import batches

if TYPE_CHECKING:
    from mypy_boto3_sqs import SQSClient
    from mypy_boto3_sqs.literals import QueueAttributeNameType

MAX_VISIBILITY_S = 12 * 60 * 60  # SQS API Reference, ChangeMessageVisibility: counted from the receipt
_RETRY_AFTER_S = 30
_MAX_SIZE_DIGITS = 18  # digits that fit into a 64-bit number with any value

_COUNTS: "list[QueueAttributeNameType]" = [
    "ApproximateNumberOfMessages",
    "ApproximateNumberOfMessagesDelayed",
    "ApproximateNumberOfMessagesNotVisible",
]
# Message attributes. The name is percent-encoded: SQS carries only what XML 1.0 can.
LISTED_SIZE, LISTED_NAME, LISTED_TIME = "listed_size_bytes", "listed_name", "listed_modified_time"
CORRELATION_ID = "correlation_id"
# The ids of requests from a sweep or a repair begin like this. All their tries count towards the sweep's credits.
SWEEP, REPAIR = "sweep-", "repair-"
# An attribute of a message that was sent back from the dead-letter queue: nobody has reserved a credit for its tries.
SENT_BACK = "sent_back"
_MOST_ID = 128  # characters of a correlation id


def string_values(record: Mapping[str, Any]) -> dict[str, str]:
    """The message attributes of a record in Lambda's event; a binary one is empty."""
    attributes = record.get("messageAttributes") or {}
    return {name: found.get("stringValue") or "" for name, found in attributes.items()}


def read_correlation_id(attributes: Mapping[str, str]) -> str:
    """The correlation id in the message attributes; empty if there is none, or a malformed one."""
    value = attributes.get(CORRELATION_ID, "")
    return value if len(value) <= _MOST_ID and value.isascii() and value.isprintable() else ""


def read_hints(attributes: Mapping[str, str]) -> Hints:
    """The hints in the message attributes; a malformed one is left out.

    Raises InvalidRequestError for an impossible size, which only a foreign sender can have sent.
    """
    size, name = attributes.get(LISTED_SIZE, ""), attributes.get(LISTED_NAME, "")
    is_number = size.isascii() and size.isdigit()
    if is_number and len(size) > _MAX_SIZE_DIGITS:
        raise InvalidRequestError(f"The message attribute {LISTED_SIZE} has more than {_MAX_SIZE_DIGITS} digits.")
    return Hints(
        size_bytes=int(size) if is_number else None,
        name=unquote(name) or None,
        modified_time=attributes.get(LISTED_TIME) or None,
    )


def _attributes(hints: Hints, correlation_id: str) -> dict[str, dict[str, str]]:
    size = "" if hints.size_bytes is None else str(hints.size_bytes)
    given = (
        (LISTED_SIZE, "Number", size),
        (LISTED_NAME, "String", quote(hints.name or "", safe="", errors="replace")),
        (LISTED_TIME, "String", hints.modified_time),
        (CORRELATION_ID, "String", correlation_id),
    )
    return {name: {"DataType": kind, "StringValue": value} for name, kind, value in given if value}


@dataclass(frozen=True, slots=True)
class Outgoing:
    """A message to send: the request, with its hints and its correlation id as message attributes.

    ``group`` and ``deduplication_id`` are for FIFO queues.
    """

    body: str
    hints: Hints = NO_HINTS
    correlation_id: str = ""
    group: str | None = None
    deduplication_id: str | None = None

    def entry(self) -> dict[str, Any]:
        """The entry for SQS, without its id."""
        entry: dict[str, Any] = {"MessageBody": self.body}
        if attributes := _attributes(self.hints, self.correlation_id):
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

        After an error some may be queued. Sending all again does no harm: an archived file is not downloaded again.
        """
        sent = 0
        for batch in batches(messages, lambda message: message.body):
            entries = {str(number): message for number, message in enumerate(batch)}
            for last_try in (False, True):
                entries = self._send_batch(entries)
                if not entries:
                    break
                if last_try:
                    raise _unavailable("accepts only some of the messages")
            sent += len(batch)
        return sent

    def waiting(self) -> int:
        """The approximate number of messages: visible, delayed and in progress. Raises StorageUnavailableError."""
        return self._counted(_COUNTS)

    def ready(self) -> int:
        """The approximate number of messages that can be received now: first tries, and few others, for which a delay
        is over. Raises StorageUnavailableError.
        """
        return self._counted(_COUNTS[:1])

    def _counted(self, names: "list[QueueAttributeNameType]") -> int:
        try:
            answer = self._client.get_queue_attributes(QueueUrl=self._url, AttributeNames=names)
        except AWS_ERRORS as cause:
            raise _unavailable(code_of(cause)) from cause
        return sum(int(answer["Attributes"][name]) for name in names)

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
        """Send a batch; return the entries that SQS did not confirm."""
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
        f"The queue cannot be used ({reason}). Messages that it did not confirm are not queued. Try again later.",
        retry_after_s=_RETRY_AFTER_S,
    )
