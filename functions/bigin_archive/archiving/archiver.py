"""The use case: one archive request becomes one verified object. Nothing else in this project downloads."""

import hashlib
from collections.abc import Callable
from dataclasses import dataclass, replace

from bigin_archive.archive_request import NO_HINTS, ArchiveRequest
from bigin_archive.bigin.client import Bigin
from bigin_archive.bigin.listing import Link
from bigin_archive.bigin.response_body import BLOCK_BYTES, spool, too_large
from bigin_archive.deadline import Deadline
from bigin_archive.errors import ContentConflictError, DownloadIncompleteError
from bigin_archive.storage import object_attributes
from bigin_archive.storage.archived_object import StoredObject
from bigin_archive.storage.link_shortcut import shortcut
from bigin_archive.storage.object_store import AlreadyThereError, ObjectStore


@dataclass(frozen=True, slots=True)
class Archived:
    """The object that now stands for the attachment; ``already`` if it stood there before."""

    stored: StoredObject
    already: bool

    @property
    def file_name(self) -> str:
        """As in the key."""
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
    ) -> None:
        """``answered`` is called when Bigin begins to send a file: long before the end of a large one."""
        self._bigin = bigin
        self._storage = storage
        self._key_prefix = key_prefix
        self._max_size_bytes = max_size_bytes
        self._answered = answered

    @property
    def bucket(self) -> str:
        """Where the objects go."""
        return self._storage.bucket

    def archive(self, request: ArchiveRequest, deadline: Deadline) -> Archived:
        """Archive the attachment that ``request`` names, unless it is archived already.

        Raises an ArchiveError; then either nothing was written, or what was there is untouched.
        """
        present = self._storage.sizes(object_attributes.folder(self._key_prefix, request))
        if present:
            return self._already(request, present)
        self._check_size(request.hints.size_bytes)
        try:
            return Archived(self._transfer(request, deadline), already=False)
        except AlreadyThereError as lost:
            return self._lost_race(request, lost, deadline)

    def archive_link(self, request: ArchiveRequest, link: Link) -> Archived:
        """Archive a link attachment as an Internet shortcut, unless an object stands for it already."""
        request = replace(request, hints=NO_HINTS)  # the listed size is that of no shortcut
        present = self._storage.sizes(object_attributes.folder(self._key_prefix, request))
        if present:
            return self._already(request, present)
        attributes, content = shortcut(self._key_prefix, request, link)
        try:
            return Archived(self._storage.put(attributes, content), already=False)
        except AlreadyThereError:
            return Archived(self._storage.head(attributes.key), already=True)

    def _transfer(self, request: ArchiveRequest, deadline: Deadline) -> StoredObject:
        with self._bigin.download(request, deadline) as download:
            self._answered()
            attributes = object_attributes.describe(
                self._key_prefix, request, download.disposition, download.content_type
            )
            size_bytes = download.size_bytes
            if size_bytes is not None:
                self._check_size(size_bytes)
                _compare(size_bytes, request.hints.size_bytes)
                return self._storage.put(attributes, download.body)
            spooled = spool(download.body, compressed=download.compressed, max_bytes=self._max_size_bytes)
            end_is_certain = download.end_is_certain
        with spooled.file:
            listed = request.hints.size_bytes
            if listed is None and not end_is_certain:
                listed = self._bigin.listed_size(request, deadline)
                if listed is None:
                    raise DownloadIncompleteError(
                        "Bigin told neither the file's length nor its end, and the record's listing has no "
                        "size: nothing was stored. Try again later."
                    )
            _compare(spooled.size_bytes, listed)
            return self._storage.put(attributes, spooled)

    def _already(self, request: ArchiveRequest, present: dict[str, int]) -> Archived:
        listed = request.hints.size_bytes
        fitting = [key for key, size in present.items() if listed is None or size == listed]
        if not fitting:
            raise _conflict(f"of another size than the {listed} bytes that Bigin lists")
        return Archived(self._storage.head(min(fitting)), already=True)

    def _lost_race(self, request: ArchiveRequest, lost: AlreadyThereError, deadline: Deadline) -> Archived:
        winner = self._storage.head(lost.key)
        if winner.size_bytes != lost.size_bytes:
            raise _conflict("of another size")
        # Only a streamed body was not hashed by us; such a race is rare enough for a second look.
        if winner.sha256 != (lost.sha256 or self._sha256(request, lost.size_bytes, deadline)):
            raise _conflict("with another SHA-256")
        return Archived(winner, already=True)

    def _sha256(self, request: ArchiveRequest, size_bytes: int, deadline: Deadline) -> str:
        digest = hashlib.sha256()
        block = memoryview(bytearray(BLOCK_BYTES))
        with self._bigin.download(request, deadline) as download:
            found_bytes = download.size_bytes
            if found_bytes is None:
                spooled = spool(download.body, compressed=download.compressed, max_bytes=self._max_size_bytes)
                with spooled.file:
                    found_bytes, found = spooled.size_bytes, spooled.sha256.hex()
            else:
                while count := download.body.readinto(block):
                    digest.update(block[:count])
                found = digest.hexdigest()
        _compare(found_bytes, size_bytes)
        return found

    def _check_size(self, size_bytes: int | None) -> None:
        if size_bytes is not None and size_bytes > self._max_size_bytes:
            raise too_large(self._max_size_bytes)


def _compare(size_bytes: int, listed_bytes: int | None) -> None:
    if listed_bytes is not None and size_bytes != listed_bytes:
        raise DownloadIncompleteError(
            f"Bigin lists {listed_bytes} bytes for this file and sends {size_bytes}: nothing was stored. "
            "Try again later."
        )


def _conflict(difference: str) -> ContentConflictError:
    return ContentConflictError(
        f"An object {difference} already stands for this attachment; it was not touched. Compare the two, "
        "and remove or rename the object in S3 if the one in Bigin is right; then send the request again."
    )
