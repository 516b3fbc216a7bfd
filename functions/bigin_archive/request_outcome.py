"""What became of one request: a value for the queue, the API, the ledger and the log. Pure."""

from __future__ import annotations

import traceback
from collections.abc import Iterator
from contextlib import contextmanager
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

# Causes that only a person can fix, each with the metric of its alarm.
_ALARMED: dict[type[ArchiveError], str] = {
    BiginTokenRejectedError: "ConnectionBroken",
    BiginScopeMissingError: "ConnectionBroken",
    StorageRefusedError: "StorageRefused",
}


@dataclass(frozen=True, slots=True)
class Outcome:
    """The outcome of one request.

    ``outcome`` is one of archived, already_archived, queued, gone, link, parked, retried, refused (the caller gets the
    error, nothing is kept) and recorded. ``stored`` is the object of the attachment. ``queued`` counts messages,
    ``attempt`` starts at 1. ``channel_id`` is the notification channel of the request, ``key_id`` the caller's key.
    ``correlation_id`` stays the same from the webhook, call or sweep that began the request to its last outcome;
    without one, the request's own id begins it. ``is_unlisted`` says that Bigin's list does not show an attachment that
    is gone. ``waited_ms`` is the time since a message was queued. ``is_outage`` says that Bigin or S3 failed, and not
    only this request.
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
    waited_ms: int | None = None
    is_outage: bool = False

    def __post_init__(self) -> None:
        if not self.correlation_id:
            object.__setattr__(self, "correlation_id", self.request_id)

    @property
    def size_bytes(self) -> int | None:
        """The size of the object."""
        return self.stored.size_bytes if self.stored else None

    @property
    def has_alarm(self) -> bool:
        """Whether its cause has an alarm of its own."""
        return type(self.error) in _ALARMED

    @property
    def is_done(self) -> bool:
        """Whether the request's message can be deleted."""
        return self.outcome != "retried"

    def fields(self) -> dict[str, object]:
        """For the log line."""
        request, error = self.request, self.error
        return {
            "error_code": error.code if error else None,
            "error_detail": error.detail if error else None,
            **(request.ids if request else {}),
            "size_bytes": self.size_bytes,
            "queued": self.queued,
            "duration_ms": self.duration_ms,
            "attempt": self.attempt,
            "request_id": self.request_id,
            "correlation_id": self.correlation_id,
            "channel_id": self.channel_id,
            "key_id": self.key_id,
        }

    def metrics(self) -> dict[str, float | tuple[float, ...]]:
        """Samples by the name of their metric, so that each cause rings one alarm.

        A cause with its own alarm sets only its own metric. In an outage every request fails, so there are retries
        without a 0 between them. A request that fails while others do not shows by its duration until now.
        """
        samples: dict[str, float | tuple[float, ...]] = {}
        if self.error and self.has_alarm:
            samples[_ALARMED[type(self.error)]] = 1
        if self.outcome == "archived":
            samples |= {"Archived": 1, "BytesArchived": self.size_bytes or 0}
        if self.outcome == "parked":
            samples["Parked"] = 1
        if self.waited_ms is not None:
            samples["Retried"] = 0 if self.is_done else 1 if self.is_outage else (1, 0)
        alone = not (self.is_done or self.is_outage or self.has_alarm or isinstance(self.error, InternalError))
        if self.outcome == "archived" or alone:
            samples["ArchiveDuration"] = self.duration_ms if self.waited_ms is None else self.waited_ms
        return samples


def outcome_without_file(error: ArchiveError) -> str:
    """The outcome of a request without a file."""
    return "gone" if isinstance(error, AttachmentGoneError) else "link"


@contextmanager
def bugs_as_errors() -> Iterator[None]:
    """Let an ArchiveError pass; raise any other exception inside the block as InternalError."""
    try:
        yield
    except ArchiveError:
        raise
    except Exception as error:
        raise internal_error(error) from error


def internal_error(error: Exception) -> InternalError:
    """A bug as an error for people: its type and place, never its text, which might hold a name."""
    frames = traceback.extract_tb(error.__traceback__)
    place = f"{frames[-1].name}, line {frames[-1].lineno}" if frames else "unknown place"
    return InternalError(
        f"A bug of Bigin Archive ({type(error).__name__} in {place}). Please report it with this sentence."
    )
