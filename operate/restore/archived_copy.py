"""The archived copy of one attachment, read from S3 and verified before a byte of it is sent."""

import hashlib
import re
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from typing import IO
from urllib.parse import unquote

from bigin_archive.bigin.listing import Link
from bigin_archive.errors import StorageRefusedError, StorageUnavailableError
from bigin_archive.ledger.ledger_entry import LedgerEntry
from bigin_archive.storage.archived_object import ArchivedObject
from bigin_archive.storage.inventory import BytesDifferError, Inventory
from bigin_archive.storage.s3_errors import NoObjectError

_SHORTCUT = re.compile(rb"\[InternetShortcut\]\r\n(?:URL=|; not opened: )([^\r\n]*)\r\n")
_MOST_SHORTCUT_BYTES = 64 * 1024
_TRIES = 2  # for a body that breaks off; the client itself repeats calls
_LOOK = "Run bigin-archive audit. The bucket keeps earlier versions."


class DamagedError(Exception):
    """The bytes are not the archived ones, or cannot be read. Nothing of them is sent."""

    def __init__(self, detail: str, remedy: str = _LOOK) -> None:
        super().__init__(detail)
        self.detail = detail
        self.remedy = remedy


@dataclass(frozen=True, slots=True)
class ArchivedCopy:
    """``name`` is the one from Bigin, ``sha256`` (hex) the ledger's; ``link`` is None for a file."""

    name: str
    size_bytes: int
    sha256: str
    key: str
    version_id: str | None
    link: Link | None = None


def look(inventory: Inventory, entry: LedgerEntry) -> ArchivedCopy:
    """Find the attachment's object in S3. Raises DamagedError, StorageUnavailableError."""
    if not entry.key or not entry.sha256:
        raise DamagedError(
            "the ledger has no SHA-256 of it", "Run bigin-archive audit --repair: it copies the SHA-256 from S3."
        )
    found = _head(inventory, entry.key, entry.version_id)
    if found is None and entry.version_id:
        # The version has expired, or was removed; the same bytes may have been put back.
        found = _head(inventory, entry.key, None)
    if found is None:
        raise DamagedError("no object is there", _LOOK)
    if found.sha256 not in (None, entry.sha256) or entry.size_bytes not in (None, found.size_bytes):
        raise DamagedError("the object is not the archived one")
    name = _name(entry, found)
    copy = ArchivedCopy(name, found.size_bytes, entry.sha256, entry.key, found.version_id)
    return _link(inventory, copy, name) if found.is_link or entry.state == "link" else copy


@contextmanager
def spooled(inventory: Inventory, copy: ArchivedCopy) -> Iterator[IO[bytes]]:
    """All bytes, verified, in a file without a name. Raises DamagedError, StorageUnavailableError."""
    with tempfile.TemporaryFile() as file:
        for last_try in (number == _TRIES for number in range(1, _TRIES + 1)):
            try:
                digest = _copy_bytes(inventory, copy, file)
                break
            except StorageUnavailableError:
                if last_try:
                    raise
            except StorageRefusedError as error:
                raise DamagedError(
                    "S3 does not give it out", error.detail.removesuffix(" Retried by itself.")
                ) from None
            except NoObjectError:
                raise DamagedError("no object is there") from None
            except BytesDifferError:
                raise DamagedError("its bytes are not those of S3's own checksum") from None
        if digest != copy.sha256:
            raise DamagedError("its bytes are not the archived ones")
        file.seek(0)
        yield file


def _copy_bytes(inventory: Inventory, copy: ArchivedCopy, file: IO[bytes]) -> str:
    file.seek(0)
    file.truncate()
    digest = hashlib.sha256()
    for block in inventory.blocks(copy.key, copy.version_id):
        digest.update(block)
        try:
            file.write(block)
        except OSError as error:
            raise StorageUnavailableError(
                f"The temporary folder of this machine cannot take the file ({type(error).__name__}): make room, or "
                "name another with TMPDIR."
            ) from None
    return digest.hexdigest()


def _head(inventory: Inventory, key: str, version_id: str | None) -> ArchivedObject | None:
    try:
        return inventory.head(key, version_id)
    except StorageRefusedError:
        # A version that is a delete marker, or an id that S3 does not know as one.
        if version_id is None:
            raise
        return None


def _name(entry: LedgerEntry, found: ArchivedObject) -> str:
    """The name in Bigin's list. Without one, the metadata have the original of the name in the key."""
    if entry.file_name and entry.file_name != found.file_name:
        return entry.file_name
    return found.original_name or entry.file_name or found.file_name


def _link(inventory: Inventory, copy: ArchivedCopy, name: str) -> ArchivedCopy:
    if copy.size_bytes > _MOST_SHORTCUT_BYTES:
        raise DamagedError("a link's shortcut of this size was not written by this application")
    with spooled(inventory, copy) as file:
        match = _SHORTCUT.fullmatch(file.read())
    if not match:
        raise DamagedError("the shortcut holds no address")
    url = match[1].decode(errors="replace")
    title = name.removesuffix(".url")
    return replace(copy, name=title, link=Link(title, url))


def same_url(first: str, second: str) -> bool:
    """Whether two addresses are the same. A shortcut stores non-ASCII characters percent-encoded."""
    return first == second or unquote(first) == unquote(second)
