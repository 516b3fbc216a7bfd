"""An object as it is found in S3, and which attachment it stands for. Pure: the inverse of ``objects``."""

import base64
import binascii
import re
from collections.abc import Mapping
from dataclasses import dataclass
from urllib.parse import unquote

from bigin_archive.archive_request import MODULES, ArchiveRequest

# What this application writes beside the attachments, below the same prefix.
OWN_FOLDERS = ("_index/", "_audit/", "_restored/")
_PLACE = re.compile(rf"(({'|'.join(MODULES)})/([0-9]{{1,50}})/([0-9]{{1,50}}))/")
_ENCODED_WORD = re.compile(r"=\?UTF-8\?B\?([A-Za-z0-9+/=]*)\?=")


@dataclass(frozen=True, slots=True)
class StoredObject:
    """An object of the archive; ``sha256`` is S3's own full-object checksum, in hex."""

    key: str
    size_bytes: int
    sha256: str | None
    version_id: str | None
    content_type: str


@dataclass(frozen=True, slots=True)
class ArchivedObject:
    """An object below the prefix.

    ``path`` is its key without the prefix, ``sha256`` (hex) S3's own checksum, ``modified_at`` ISO 8601 in UTC.
    ``claimed`` is the attachment that its metadata names, ``original_name`` the name there, ``is_link`` whether it is a
    shortcut of ours, ``link_url`` its address where the metadata had room for it. ``bytes_right`` tells whether the
    bytes, read again, have that checksum; None where they were not read.
    """

    key: str
    path: str
    size_bytes: int
    sha256: str | None
    version_id: str | None
    modified_at: str
    claimed: str | None = None
    original_name: str | None = None
    is_link: bool = False
    link_url: str | None = None
    bytes_right: bool | None = None

    @property
    def file_name(self) -> str:
        """As in the key."""
        return self.key.rpartition("/")[2]

    @property
    def request(self) -> ArchiveRequest | None:
        """The attachment whose place the object takes; None for an object elsewhere."""
        match = _PLACE.match(self.path)
        return ArchiveRequest(match[2], match[3], match[4]) if match else None

    @property
    def is_ours(self) -> bool:
        """Whether this application put it there: metadata and key name the same attachment."""
        match = _PLACE.match(self.path)
        return match is not None and match.group(1) == self.claimed


def place_of(path: str) -> str:
    """``{module}/{record_id}/{attachment_id}`` of a key without its prefix; what is no such thing stays as it is."""
    match = _PLACE.match(path)
    return match.group(1) if match else path


def describe(
    prefix: str,
    key: str,
    size_bytes: int,
    sha256: str | None,
    version_id: str | None,
    modified_at: str,
    content_type: str,
    metadata: Mapping[str, str],
) -> ArchivedObject:
    """The object from what S3 answers to a HeadObject."""
    ids = [metadata.get(f"bigin-{name}", "") for name in ("module", "record-id", "attachment-id")]
    return ArchivedObject(
        key=key,
        path=key.removeprefix(prefix),
        size_bytes=size_bytes,
        sha256=sha256,
        version_id=version_id,
        modified_at=modified_at,
        claimed="/".join(ids) if all(ids) else None,
        original_name=_original_name(metadata.get("file-name")),
        # An address too long for the metadata leaves the type alone to tell.
        is_link="link-url" in metadata or (content_type == "application/internet-shortcut" and key.endswith(".url")),
        link_url=metadata.get("link-url"),
    )


def _original_name(header: str | None) -> str | None:
    """Bigin's own name; the inverse of ``objects.describe``'s metadata. What cannot be read is None."""
    if not header:
        return None
    if word := _ENCODED_WORD.fullmatch(header):
        try:
            return base64.b64decode(word.group(1), validate=True).decode()
        except (binascii.Error, UnicodeDecodeError):
            return None
    return unquote(header)
