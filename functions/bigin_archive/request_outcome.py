"""What became of one request: the value that the queue, the API, the ledger and the log share. Pure."""

from __future__ import annotations

import traceback
from dataclasses import dataclass
from typing import TYPE_CHECKING

from bigin_archive.archive_request import ArchiveRequest
from bigin_archive.errors import ArchiveError, AttachmentGoneError, InternalError

if TYPE_CHECKING:
    from bigin_archive.storage.archived_object import StoredObject


@dataclass(frozen=True, slots=True)
class Outcome:
    """The outcome of one request.

    ``outcome`` is one of archived, already_archived, queued, gone, link, parked, retried, refused (told to the
    caller, nothing kept) and recorded. ``stored`` is the object that stands for the attachment. ``queued`` counts
    messages, ``attempt`` starts at 1. ``channel_id`` is the notification channel that the request came through.
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

    @property
    def size_bytes(self) -> int | None:
        """Of the object."""
        return self.stored.size_bytes if self.stored else None

    @property
    def is_done(self) -> bool:
        """Whether the request's message has nothing left to wait for."""
        return self.outcome != "retried"


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
