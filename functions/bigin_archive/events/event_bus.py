"""EventBridge: puts events on the stack's own bus, and returns which of them it accepted."""

from collections.abc import Sequence
from typing import TYPE_CHECKING

from bigin_archive.aws.error_codes import AWS_ERRORS, code_of
from bigin_archive.errors import StorageUnavailableError
from bigin_archive.events.attachment_event import AttachmentEvent

if TYPE_CHECKING:
    from mypy_boto3_events import EventBridgeClient

MAX_ENTRIES = 10  # of one call (EventBridge API Reference, PutEvents)


class EventBus:
    """One bus, by its name."""

    def __init__(self, client: "EventBridgeClient", name: str) -> None:
        self._client = client
        self._name = name

    def put(self, events: Sequence[AttachmentEvent]) -> list[str | None]:
        """Put at most MAX_ENTRIES events; for each return None if the bus accepted it, else the error's code.

        Raises StorageUnavailableError if there is no answer: the events may be on the bus or not.
        """
        try:
            answer = self._client.put_events(Entries=[event.entry(self._name) for event in events])
        except AWS_ERRORS as error:
            raise StorageUnavailableError(
                f"The event bus cannot be used ({code_of(error)}). Retried by itself."
            ) from error
        # An entry with an id is on the bus, whatever FailedEntryCount says.
        codes = [None if entry.get("EventId") else entry.get("ErrorCode", "") for entry in answer.get("Entries", [])]
        return [*codes, *["NoAnswer"] * len(events)][: len(events)]
