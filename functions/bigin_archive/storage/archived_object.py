"""An object found in S3, and the attachment that it belongs to. Pure: the inverse of ``object_attributes``."""

import base64
import binascii
import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import unquote

from bigin_archive.archive_request import MODULES, ArchiveRequest
from bigin_archive.clock import iso

# Folders that this application writes beside the attachments, below the same prefix.
OWN_FOLDERS = ("_index/", "_audit/", "_restored/")
SHORTCUT_TYPE = "application/internet-shortcut"
KIND, LINK_KIND = "bigin-kind", "link"  # marks a shortcut whose address is too long for metadata
_PLACE = re.compile(rf"(({'|'.join(MODULES)})/([0-9]{{1,50}})/([0-9]{{1,50}}))/")
# RFC 2047, 2: charset (with a language, RFC 2231, 5), encoding, text. Between two words white space means nothing.
_ENCODED_WORD = re.compile(r"=\?([!-)+->@-~]{1,40})(?:\*[^?\s]*)?\?([BbQq])\?([!->@-~]*)\?=\s*")


@dataclass(frozen=True, slots=True)
class StoredObject:
    """The object of an attachment.

    ``sha256`` is S3's own full-object checksum, in hex; ``modified_at`` (ISO 8601, UTC) is S3's time of the write, if
    S3 was asked. ``is_own`` says that its metadata name the attachment, ``is_link`` that it is a shortcut of ours.
    """

    key: str
    size_bytes: int
    sha256: str | None
    version_id: str | None
    content_type: str
    modified_at: str | None = field(default=None, compare=False)
    is_own: bool = True
    is_link: bool = False


@dataclass(frozen=True, slots=True)
class ArchivedObject:
    """An object below the prefix.

    ``path`` is its key without the prefix, ``sha256`` (hex) S3's own checksum, ``modified_at`` ISO 8601 in UTC.
    ``claimed`` is the attachment in its metadata, ``original_name`` the name there. ``is_link`` says whether it is a
    shortcut of ours; ``link_url`` is its address if the metadata had room for it. ``bytes_right`` says whether the
    bytes, read again, have that checksum; None if they were not read. ``is_cold`` says that an archive tier holds them.
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
    is_cold: bool = False
    content_type: str = ""

    @property
    def file_name(self) -> str:
        """The name in the key."""
        return self.key.rpartition("/")[2]

    @property
    def name(self) -> str:
        """The name in Bigin as far as it is known, else the one in the key."""
        return self.original_name or self.file_name

    @property
    def request(self) -> ArchiveRequest | None:
        """The attachment whose prefix the object is under; None for an object elsewhere."""
        match = _PLACE.match(self.path)
        return ArchiveRequest(match[2], match[3], match[4]) if match else None

    @property
    def as_stored(self) -> StoredObject:
        """What a request that found it answers, and the ledger keeps."""
        facts = (self.key, self.size_bytes, self.sha256, self.version_id, self.content_type, self.modified_at)
        return StoredObject(*facts, is_own=self.is_ours, is_link=self.is_link)

    @property
    def is_ours(self) -> bool:
        """Whether this application wrote it: metadata and key name the same attachment."""
        match = _PLACE.match(self.path)
        return match is not None and match.group(1) == self.claimed


def claimed(metadata: Mapping[str, str]) -> str | None:
    """The place of the attachment that an object's metadata name; None if they name none.

    Only the metadata say which attachment an object belongs to. A key proves nothing.
    """
    ids = [metadata.get(f"bigin-{name}", "") for name in ("module", "record-id", "attachment-id")]
    return "/".join(ids) if all(ids) else None


def is_shortcut(metadata: Mapping[str, str]) -> bool:
    """Whether an object with these metadata is a shortcut that this application wrote."""
    return "link-url" in metadata or metadata.get(KIND) == LINK_KIND


def identity(version_id: str | None) -> str | None:
    """A version id that names one version for ever; None for ``null``, which each write replaces.

    S3 User Guide, "Adding objects to versioning-suspended buckets".
    """
    return None if version_id in (None, "", "null") else version_id


def version_arguments(version_id: str | None) -> dict[str, str]:
    """For a call to S3 about this version; None means the current one."""
    return {"VersionId": version_id} if version_id else {}


def full_sha256(checksum: str | None) -> str | None:
    """S3's Base64 checksum of the whole object in hex; None for a checksum of parts.

    The latter has the number of parts behind a hyphen (S3 User Guide, "Checking object integrity").
    """
    try:
        return base64.b64decode(checksum, validate=True).hex() if checksum else None  # a hyphen is not Base64
    except binascii.Error:
        return None


def place_of(path: str) -> str:
    """``{module}/{record_id}/{attachment_id}`` of a key without its prefix; any other key unchanged."""
    match = _PLACE.match(path)
    return match.group(1) if match else path


def describe(prefix: str, key: str, head: Mapping[str, Any]) -> ArchivedObject:
    """The object, from boto3's answer to a HeadObject; its version id as S3 told it."""
    metadata = head.get("Metadata", {})
    return ArchivedObject(
        key=key,
        path=key.removeprefix(prefix),
        size_bytes=head["ContentLength"],
        sha256=full_sha256(head.get("ChecksumSHA256")),
        version_id=head.get("VersionId"),
        modified_at=iso(head["LastModified"]),
        content_type=head.get("ContentType", ""),
        claimed=claimed(metadata),
        original_name=_original_name(metadata.get("file-name")),
        is_link=is_shortcut(metadata),
        link_url=metadata.get("link-url"),
    )


def _original_name(header: str | None) -> str | None:
    """The name in Bigin, from the metadata of ``object_attributes.describe``; None if it cannot be read.

    S3 itself, and other programs that copy an archive, write non-ASCII text as encoded words.
    """
    if not header:
        return None
    try:
        # Our own form always encodes equals signs and question marks.
        return (_decoded_words(header.strip()) if "=?" in header else unquote(header, errors="strict")) or None
    except (ValueError, LookupError):  # bytes that are not text, or an unknown charset
        return None


def _decoded_words(header: str) -> str:
    """The text of a row of encoded words. Raises ValueError, LookupError."""
    runs: list[tuple[str, bytes]] = []
    position = 0
    while position < len(header):
        word = _ENCODED_WORD.match(header, position)
        if not word:
            raise ValueError("not only encoded words")
        charset, encoding, text = word[1].lower(), word[2].upper(), word[3]
        content = base64.b64decode(text, validate=True) if encoding == "B" else _unquoted(text)
        # Some programs split a character between two words.
        if runs and runs[-1][0] == charset:
            content = runs.pop()[1] + content
        runs.append((charset, content))
        position = word.end()
    return "".join(content.decode(charset) for charset, content in runs)


def _unquoted(text: str) -> bytes:
    """The Q encoding (RFC 2047, 4.2). Raises ValueError where an equals sign encodes nothing."""
    if not re.fullmatch(r"(?:[^=]|=[0-9A-Fa-f]{2})*", text):
        raise ValueError("no Q encoding")
    return binascii.a2b_qp(text.encode(), header=True)
