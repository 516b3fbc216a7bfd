"""The use case: one archive request becomes one verified object. Only this module downloads files."""

import hashlib
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace

from bigin_archive.archive_request import NO_HINTS, ArchiveRequest, Hints
from bigin_archive.archiving.listed_size import OtherSizeError, compare, conflict, incomplete
from bigin_archive.archiving.own_objects import own_objects
from bigin_archive.archiving.restored_files import is_unchanged
from bigin_archive.bigin.client import Bigin
from bigin_archive.bigin.listing import Link, ListedAttachment
from bigin_archive.bigin.response_body import BLOCK_BYTES, decoded, spool, too_large
from bigin_archive.deadline import Deadline
from bigin_archive.errors import (
    AttachmentGoneError,
    DownloadIncompleteError,
    LinkAttachmentError,
    StorageUnavailableError,
)
from bigin_archive.ledger.ledger_entry import LedgerEntry
from bigin_archive.storage import object_attributes
from bigin_archive.storage.archived_object import StoredObject
from bigin_archive.storage.link_shortcut import shortcut
from bigin_archive.storage.object_store import AlreadyThereError, ObjectStore


@dataclass(frozen=True, slots=True)
class Archived:
    """The object of the attachment; ``already`` if it was archived before.

    ``hints`` are what Bigin lists now, if the size in the request was not true any more.
    """

    stored: StoredObject
    already: bool
    hints: Hints | None = None

    @property
    def file_name(self) -> str:
        """The name in the key."""
        return self.stored.key.rpartition("/")[2]


class Archiver:
    """Archives attachments of one Bigin account in one bucket."""

    def __init__(
        self,
        bigin: Bigin,
        storage: ObjectStore,
        *,
        key_prefix: str,
        max_size_bytes: int,
        answered: Callable[[], None] = lambda: None,
        restored: Callable[[ArchiveRequest], LedgerEntry | None] = lambda request: None,
        sizes_are_right: Callable[[], bool] = lambda: True,
    ) -> None:
        """``answered`` is called when Bigin begins to send a file, long before the end of a large one.

        ``restored`` returns the row of an attachment that was sent back to Bigin, see :class:`RestoredFiles`.
        ``sizes_are_right`` tells whether Bigin lists the sizes of the files, see :class:`ProbedAnswers`; it is asked
        only about a size that does not fit.
        """
        self._bigin = bigin
        self._storage = storage
        self._restored = restored
        self._key_prefix = key_prefix
        self._max_size_bytes = max_size_bytes
        self._answered = answered
        self._sizes_are_right = sizes_are_right

    @property
    def bucket(self) -> str:
        """The bucket of the objects."""
        return self._storage.bucket

    def archive(self, request: ArchiveRequest, deadline: Deadline) -> Archived:
        """Archive the attachment that ``request`` names, unless it is archived already.

        A size in the hints may be old: the file was replaced while its message waited. If it does not fit, the record's
        list is asked for the size again. Where this account's sizes are known to be wrong, the file is archived without
        one.

        Raises an ArchiveError. Then nothing was written, and an existing object is untouched.
        """
        own = self._own(request, is_link=False)
        if not own and (first := self._first_object(request, deadline)):
            return Archived(first, already=True)
        try:
            return self._archived(request, own, deadline)
        except OtherSizeError as other_size:
            sizes_count = self._sizes_are_right()
            if sizes_count and request.hints.size_bytes is None:
                raise other_size.error from None  # the list was asked a moment ago
            if not sizes_count:
                return self._archived(request.without_size, own, deadline, asks_size=False)
            listed = self.listed(request, deadline)
            if listed and listed.link:
                raise LinkAttachmentError("Bigin lists a link under this id, not a file.") from None
            if listed is None or listed.size_bytes == request.hints.size_bytes:
                raise other_size.error from None
        current = replace(request, hints=listed.hints)
        try:
            return replace(self._archived(current, own, deadline), hints=listed.hints)
        except OtherSizeError as other_size:
            raise other_size.error from None

    def archive_link(self, request: ArchiveRequest, link: Link, deadline: Deadline) -> Archived:
        """Archive a link attachment as an Internet shortcut, unless it has one already. Raises ArchiveError."""
        if own := self._own(request, is_link=True):
            return Archived(own[0], already=True)
        attributes, content = shortcut(self._key_prefix, request, link)
        try:
            return Archived(self._storage.put(attributes, content), already=False)
        except AlreadyThereError as other:
            return self._compared(request, other, deadline)

    def listed(self, request: ArchiveRequest, deadline: Deadline) -> ListedAttachment | None:
        """The attachment in its record's list; None if it is not there. Costs a list call. Raises ArchiveError."""
        try:
            listed = self._bigin.attachments(request, deadline)
            return next((entry for entry in listed if entry.attachment_id == request.attachment_id), None)
        except AttachmentGoneError:
            return None

    def _archived(
        self, request: ArchiveRequest, own: Sequence[StoredObject], deadline: Deadline, *, asks_size: bool = True
    ) -> Archived:
        """Raises OtherSizeError, and what :meth:`archive` raises."""
        if own:
            return _already(request, own)
        self._check_size(request.hints.size_bytes)
        try:
            return Archived(self._transfer(request, deadline, asks_size), already=False)
        except AlreadyThereError as other:
            return self._compared(request, other, deadline)

    def _own(self, request: ArchiveRequest, *, is_link: bool) -> list[StoredObject]:
        """The attachment's own objects, the oldest first; foreign objects under its prefix do not count."""
        folder = object_attributes.folder(self._key_prefix, request)
        return own_objects(self._storage, folder, request.place, is_link=is_link)

    def _first_object(self, request: ArchiveRequest, deadline: Deadline) -> StoredObject | None:
        """The object of a file that a restore has sent back; None if the file has to be downloaded.

        A request with hints was listed, and its sender has already compared it with the ledger.
        """
        entry = None if request.hints != NO_HINTS else self._restored(request)
        if entry is None or not entry.key or not entry.restored_from:
            return None
        listed = self.listed(request, deadline)
        if listed is None or not is_unchanged(entry, listed):
            return None
        there = self._storage.head(entry.key, entry.restored_from)
        is_same = there and there.is_own and (there.size_bytes, there.sha256) == (entry.size_bytes, entry.sha256)
        return there if is_same else None

    def _transfer(self, request: ArchiveRequest, deadline: Deadline, asks_size: bool) -> StoredObject:
        with self._bigin.download(request, deadline) as download:
            self._answered()
            attributes = object_attributes.describe(
                self._key_prefix, request, download.disposition, download.content_type
            )
            listed, size_bytes = request.hints.size_bytes, download.size_bytes
            if size_bytes is not None:
                self._check_size(size_bytes)
                compare(size_bytes, listed)
                return self._storage.put(attributes, download.body)
            raw = spool(download.body, compressed=False, max_bytes=self._max_size_bytes)
        with raw.file:
            if asks_size and listed is None and (download.compressed or not download.end_is_certain):
                listed = self._bigin.listed_size(request, deadline)
            if listed is None and not download.end_is_certain:
                raise DownloadIncompleteError(
                    "Bigin gave neither the length nor the end of the file, and the record's list has no size. "
                    "Nothing was stored. Try again later."
                )
            spooled = decoded(raw, compressed=download.compressed, listed_bytes=listed, max_bytes=self._max_size_bytes)
            with spooled.file:
                compare(spooled.size_bytes, listed)
                return self._storage.put(attributes, spooled)

    def _compared(self, request: ArchiveRequest, other: AlreadyThereError, deadline: Deadline) -> Archived:
        """The object under this very key, whoever wrote it, if it has the same bytes."""
        there = self._storage.head(other.key, request.place)
        if there is None:
            raise StorageUnavailableError(
                "An object was there and has gone again. Nothing was stored. Try again later."
            )
        if there.size_bytes != other.size_bytes:
            raise conflict("of another size")
        sha256 = there.sha256 or self._storage.sha256(other.key, deadline)
        # A streamed body has no SHA-256 here. This race is rare enough for one more request.
        if sha256 != (other.sha256 or self._sha256(request, other.size_bytes, deadline)):
            raise conflict("with another SHA-256")
        return Archived(there, already=True)

    def _sha256(self, request: ArchiveRequest, size_bytes: int, deadline: Deadline) -> str:
        digest = hashlib.sha256()
        block = memoryview(bytearray(BLOCK_BYTES))
        with self._bigin.download(request, deadline) as download:
            found_bytes = download.size_bytes
            if found_bytes is None:
                raw = spool(download.body, compressed=False, max_bytes=self._max_size_bytes)
                with raw.file:
                    spooled = decoded(
                        raw, compressed=download.compressed, listed_bytes=size_bytes, max_bytes=self._max_size_bytes
                    )
                    spooled.file.close()
                found_bytes, found = spooled.size_bytes, spooled.sha256.hex()
            else:
                while count := download.body.readinto(block):
                    digest.update(block[:count])
                found = digest.hexdigest()
        if found_bytes != size_bytes:
            raise incomplete(found_bytes, size_bytes)
        return found

    def _check_size(self, size_bytes: int | None) -> None:
        if size_bytes is not None and size_bytes > self._max_size_bytes:
            raise too_large(self._max_size_bytes)


def _already(request: ArchiveRequest, own: Sequence[StoredObject]) -> Archived:
    listed = request.hints.size_bytes
    fitting = next((each for each in own if listed is None or each.size_bytes == listed), None)
    if fitting is None:
        raise OtherSizeError(conflict(f"of another size than the {listed} bytes that Bigin lists"))
    return Archived(fitting, already=True)
