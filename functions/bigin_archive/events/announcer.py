"""Turns the queue's messages into events: a look at the version in S3, then the bus.

A message is done when the bus has accepted its event. If the function dies in between, the event is announced twice,
with the same id.
"""

from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass

from bigin_archive.deadline import Deadline
from bigin_archive.errors import ArchiveError, StorageUnavailableError
from bigin_archive.events import attachment_event, stored_version
from bigin_archive.events.attachment_event import AttachmentEvent
from bigin_archive.events.event_bus import MAX_ENTRIES, EventBus
from bigin_archive.events.stored_version import UnreadableError
from bigin_archive.queueing.archive_queue import ArchiveQueue
from bigin_archive.storage.version_reader import VersionReader

FIRST_DELAY_S, LONGEST_DELAY_S = 5, 900
_LEAST_TIME_S = 5  # one more look and one call to the bus


@dataclass(frozen=True, slots=True)
class Message:
    """A message of the event queue; ``attempt`` starts at 1."""

    message_id: str
    body: str
    receipt_handle: str
    attempt: int


@dataclass(frozen=True, slots=True)
class Announcer:
    """Announces for one stack. The queue retries, so the clients of ``versions`` and the bus do not.

    ``report`` writes a log line: an outcome and its fields.
    """

    versions: VersionReader
    bus: EventBus
    queue: ArchiveQueue
    stack: str
    report: Callable[[str, Mapping[str, object]], None]

    def announce(self, messages: Sequence[Message], deadline: Deadline) -> list[str]:
        """Announce the versions of a batch; return the ids of the messages that have to come again."""
        failed: dict[Message, str] = {}
        events: list[tuple[Message, AttachmentEvent]] = []
        for message in messages:
            if deadline.remaining_s() < _LEAST_TIME_S:
                failed[message] = "out_of_time"
                continue
            try:
                event = self._event(message)
            except ArchiveError as error:
                failed[message] = error.code
            except UnreadableError as error:
                self._tell(message, "event_unreadable", error_detail=str(error))
                failed[message] = "unreadable"
            else:
                if event is not None:
                    events.append((message, event))
        for start in range(0, len(events), MAX_ENTRIES):
            failed |= self._put(events[start : start + MAX_ENTRIES])
        for message, code in failed.items():
            self._retry(message, code)
        return [message.message_id for message in failed]

    def _event(self, message: Message) -> AttachmentEvent | None:
        """The event for a message; None if there is nothing to announce. Raises ArchiveError, UnreadableError."""
        named = stored_version.read(message.body, self.versions.bucket)
        if named is None or not self.versions.may_be_attachment(named.key):
            self._tell(message, "event_ignored")
            return None
        found = self.versions.read(named.key, named.version_id)
        if found is None:  # deleted for good meanwhile, so it is not announced
            self._tell(message, "event_of_nothing", version_id=named.version_id)
            return None
        event = attachment_event.of(found, self.versions.bucket, self.stack, replay=named.replay)
        if event is None:
            self._tell(message, "event_ignored", version_id=found.version_id)
        return event

    def _put(self, events: Sequence[tuple[Message, AttachmentEvent]]) -> dict[Message, str]:
        try:
            codes = self.bus.put([event for _, event in events])
        except StorageUnavailableError as error:
            return {message: error.code for message, _ in events}
        failed: dict[Message, str] = {}
        for (message, event), code in zip(events, codes, strict=True):
            if code is not None:
                failed[message] = code
                continue
            data, metadata = event.detail["data"], event.detail["metadata"]
            named = {name: data[name] for name in ("module", "record_id", "attachment_id", "version_id")}
            self._tell(message, "announced", event_id=event.event_id, replay=metadata["replay"], **named)
        return failed

    def _retry(self, message: Message, code: str) -> None:
        delay_s = min(FIRST_DELAY_S * 2 ** min(message.attempt - 1, 10), LONGEST_DELAY_S)
        self._tell(message, "event_retried", error_code=code)
        # Without the delay it comes back by itself, after the queue's own visibility timeout.
        with suppress(StorageUnavailableError):
            self.queue.delay(message.receipt_handle, delay_s)

    def _tell(self, message: Message, outcome: str, **fields: object) -> None:
        """Write a line. S3's events carry no correlation id, so the message's id connects its tries."""
        self.report(outcome, {**fields, "attempt": message.attempt, "correlation_id": message.message_id})
