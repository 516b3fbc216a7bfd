"""What became of one request: the value that the queue, the API, the ledger and the log share. Pure."""

from __future__ import annotations

import traceback
from dataclasses import dataclass
from typing import TYPE_CHECKING

from bigin_archive.archive_request import ArchiveRequest
from bigin_archive.errors import (
    ArchiveError,
    AttachmentGoneError,
    BiginScopeMissingError,
    BiginTokenRejectedError,
    InternalError,
    StorageRefusedError,
)

if TYPE_CHECKING:
    from bigin_archive.storage.archived_object import StoredObject

_COUNTERS = {
    "archived": "Archived",
    "already_archived": "AlreadyArchived",
    "gone": "Gone",
    "link": "Links",
    "parked": "Parked",
    "retried": "Retried",
    "refused": "Refused",
}
# What no retry mends without a person; the alarms stand on these.
_ALARMED: dict[type[ArchiveError], str] = {
    BiginTokenRejectedError: "TokenRejected",
    BiginScopeMissingError: "ScopeMissing",
    StorageRefusedError: "StorageRefused",
}


@dataclass(frozen=True, slots=True)
class Outcome:
    """The outcome of one request.

    ``outcome`` is one of archived, already_archived, queued, gone, link, parked, retried, refused (told to the
    caller, nothing kept) and recorded. ``stored`` is the object that stands for the attachment. ``queued`` counts
    messages, ``attempt`` starts at 1. ``channel_id`` is the notification channel that the request came through,
    ``key_id`` the caller's key. ``correlation_id`` is the same from the webhook, call or sweep that began it to its
    last outcome; where none came along, the request's own id begins it. ``is_unlisted`` tells of what is gone that
    Bigin's list agrees.
    """

    outcome: str
    request_id: str
    request: ArchiveRequest | None = None
    error: ArchiveError | None = None
    stored: StoredObject | None = None
    duration_ms: int = 0
    attempt: int = 1
    queued: int | None = None
    channel_id: str | None = None
    key_id: str | None = None
    correlation_id: str = ""
    is_unlisted: bool = False

    def __post_init__(self) -> None:
        if not self.correlation_id:
            object.__setattr__(self, "correlation_id", self.request_id)

    @property
    def size_bytes(self) -> int | None:
        """Of the object."""
        return self.stored.size_bytes if self.stored else None

    @property
    def is_done(self) -> bool:
        """Whether the request's message has nothing left to wait for."""
        return self.outcome != "retried"

    def fields(self) -> dict[str, object]:
        """For the log line."""
        request, error = self.request, self.error
        return {
            "error_code": error.code if error else None,
            "error_detail": error.detail if error else None,
            "module": request.module if request else None,
            "record_id": request.record_id if request else None,
            "attachment_id": request.attachment_id if request else None,
            "size_bytes": self.size_bytes,
            "queued": self.queued,
            "duration_ms": self.duration_ms,
            "attempt": self.attempt,
            "request_id": self.request_id,
            "correlation_id": self.correlation_id,
            "channel_id": self.channel_id,
            "key_id": self.key_id,
        }

    def metrics(self) -> dict[str, float]:
        """One sample each."""
        samples: dict[str, float] = {}
        if self.outcome in _COUNTERS:
            samples[_COUNTERS[self.outcome]] = 1
        if self.outcome == "retried":
            # The alarm on hours without a success can only compare with what was told.
            samples["Archived"] = 0
        if self.error and type(self.error) in _ALARMED:
            samples[_ALARMED[type(self.error)]] = 1
        if self.outcome == "archived":
            samples["BytesArchived"] = self.size_bytes or 0
            samples["ArchiveDuration"] = self.duration_ms
        return samples


def outcome_without_file(error: ArchiveError) -> str:
    """The outcome of a request for which there is no file."""
    return "gone" if isinstance(error, AttachmentGoneError) else "link"


def internal_error(error: Exception) -> InternalError:
    """A bug as an error that may be told: its type and place, never its text, which might hold a name."""
    frames = traceback.extract_tb(error.__traceback__)
    place = f"{frames[-1].name}, line {frames[-1].lineno}" if frames else "unknown place"
    return InternalError(
        f"A bug of Bigin Archive ({type(error).__name__} in {place}). Please report it with this sentence."
    )
