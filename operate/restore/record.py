"""One record of Bigin during a restore: what it lists, and whether the bytes are the archived ones."""

import time
import unicodedata
from collections.abc import Callable, Iterable, Iterator
from typing import TypeVar

from bigin_archive.archive_request import ArchiveRequest
from bigin_archive.bigin.client import Bigin
from bigin_archive.bigin.listing import ListedAttachment
from bigin_archive.bigin.response_body import spool
from bigin_archive.deadline import Deadline
from bigin_archive.errors import (
    AttachmentGoneError,
    AttachmentTooLargeError,
    BiginRateLimitedError,
    BiginUnavailableError,
    DownloadIncompleteError,
    LinkAttachmentError,
)
from bigin_archive.ledger.ledger_entry import LedgerEntry
from operate.restore.archived_copy import ArchivedCopy, same_url

CALL_TIMEOUT_S = 120  # for a list; a download gets more, by its size
_LEAST_BYTES_PER_S = 50_000
WAITS_S = (2, 10, 30)  # between two tries of a call

_Answer = TypeVar("_Answer")


def patiently(sleep: Callable[[float], None], call: Callable[[], _Answer]) -> _Answer:
    """Repeat the call while that does no harm and may help. Raises the error of its last try."""
    for wait_s in WAITS_S:
        try:
            return call()
        except (BiginUnavailableError, BiginRateLimitedError, DownloadIncompleteError) as error:
            sleep(min(error.retry_after_s or wait_s, WAITS_S[-1]))
    return call()


class BiginRecord:
    """A record and its attachments as last listed.

    ``rows`` are the ledger's rows of the attachments that were there at first; ``claimed`` are ids that stand for a
    file of this run.
    """

    def __init__(self, bigin: Bigin, record: ArchiveRequest, sleep: Callable[[float], None] = time.sleep) -> None:
        self._bigin = bigin
        self._sleep = sleep
        self.record = record
        self.listed: dict[str, ListedAttachment] = {}
        self.claimed: set[str] = set()
        self.rows: dict[str, LedgerEntry] = {}
        self.is_gone = False

    def refresh(self) -> set[str]:
        """List again; return the ids that are new. Raises ArchiveError, AttachmentGoneError."""

        def read() -> dict[str, ListedAttachment]:
            found = self._bigin.attachments(self.record, Deadline(CALL_TIMEOUT_S))
            return {one.attachment_id: one for one in found}

        before, self.listed = self.listed, patiently(self._sleep, read)
        return self.listed.keys() - before.keys()

    def find(self, copy: ArchivedCopy, ids: Iterable[str], preferred: Iterable[str] = ()) -> str | None:
        """Find and claim the one of the listed ``ids`` with the same bytes. Raises ArchiveError."""
        for attachment_id in self._candidates(copy, set(ids), tuple(preferred)):
            if self.holds(attachment_id, copy):
                self.claimed.add(attachment_id)
                return attachment_id
        return None

    def _candidates(self, copy: ArchivedCopy, ids: set[str], preferred: tuple[str, ...]) -> Iterator[str]:
        free = [one for one in self.listed.values() if one.attachment_id in ids - self.claimed]
        yield from (one.attachment_id for one in free if one.attachment_id in preferred)
        for one in free:
            same_name = _normal(one.name) == _normal(copy.name)
            same_size = bool(one.link) if copy.link else one.size_bytes == copy.size_bytes and not one.link
            # An unknown attachment may be the upload of a killed run, under another name.
            row = self.rows.get(one.attachment_id)
            alike = same_name and same_size if row and row.key else same_name or same_size
            if alike and one.attachment_id not in preferred:
                yield one.attachment_id

    def holds(self, attachment_id: str, copy: ArchivedCopy) -> bool:
        """Whether the attachment has the bytes, or the address, of ``copy``. Raises ArchiveError."""
        listed = self.listed[attachment_id]
        if copy.link:
            return bool(listed.link) and same_url(listed.link.url if listed.link else "", copy.link.url)
        if listed.link:
            return False
        request = ArchiveRequest(self.record.module, self.record.record_id, attachment_id)
        try:
            return patiently(self._sleep, lambda: self._sha256(request, copy.size_bytes)) == copy.sha256
        except (AttachmentGoneError, LinkAttachmentError, AttachmentTooLargeError):
            return False

    def _sha256(self, request: ArchiveRequest, size_bytes: int) -> str:
        deadline = Deadline(CALL_TIMEOUT_S + size_bytes / _LEAST_BYTES_PER_S)
        with self._bigin.download(request, deadline) as download:
            spooled = spool(download.body, compressed=download.compressed, max_bytes=size_bytes)
            with spooled.file:
                return spooled.sha256.hex()


def _normal(name: str | None) -> str:
    return unicodedata.normalize("NFC", name or "")
