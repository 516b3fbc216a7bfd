"""One row of the ledger: the state of one attachment, as a value and as an item of DynamoDB. Pure."""

import hashlib
import re
from collections.abc import Mapping
from dataclasses import dataclass, fields
from typing import Any, Protocol

from bigin_archive.archive_request import ArchiveRequest
from bigin_archive.bigin.listing import ListedAttachment
from bigin_archive.ledger.attachment_state import State

STATES = tuple(state.value for state in State)
STORED_STATES = (State.ARCHIVED, State.LINK)  # states with an object
_NUMBERS = ("size_bytes", "listed_size_bytes", "slow_tries")
_NUMBER = re.compile(r"[0-9]{1,18}")


@dataclass(frozen=True, slots=True)
class LedgerEntry:
    """The state of one attachment.

    ``state`` is one of :data:`STATES`, and ``state_at`` when it began. ``reason`` is an error code of a parked
    attachment or of a failed try. ``queued_at`` is when the message was sent that may still exist. ``key`` to
    ``archived_modified_time`` describe the object; the last is Bigin's Modified_Time at the download. ``file_name`` to
    ``link_url`` repeat Bigin's list, and ``first_seen`` and ``last_seen`` are when it was listed. Our times are ISO
    8601 in UTC, those of Bigin as it sent them.

    ``verified`` is the mark of an object that S3 itself confirmed (see :func:`verified_mark`); ``slow_tries`` counts
    tries that took nearly all the time of their function.

    A file that was sent back to Bigin has a new id there, and keeps the object of its origin. ``restored_from`` and
    ``restored_as`` are the places of the two in each other's rows.
    """

    module: str
    record_id: str
    attachment_id: str
    state: str = State.PENDING
    reason: str | None = None
    key: str | None = None
    version_id: str | None = None
    size_bytes: int | None = None
    sha256: str | None = None
    archived_at: str | None = None
    file_name: str | None = None
    record_name: str | None = None
    created_time: str | None = None
    modified_time: str | None = None
    owner: str | None = None
    listed_size_bytes: int | None = None
    link_url: str | None = None
    first_seen: str | None = None
    last_seen: str | None = None
    restored_from: str | None = None
    restored_as: str | None = None
    state_at: str | None = None
    queued_at: str | None = None
    archived_modified_time: str | None = None
    verified: str | None = None
    slow_tries: int | None = None

    @property
    def request(self) -> ArchiveRequest:
        """The request that would archive it."""
        return ArchiveRequest(self.module, self.record_id, self.attachment_id)

    @property
    def is_stored(self) -> bool:
        """Whether it has an object."""
        return self.state in STORED_STATES

    @property
    def is_verified(self) -> bool:
        """Whether S3 confirmed the object of this row: key, version, size and SHA-256."""
        return self.verified is not None and self.verified == verified_mark(self)

    def repeats(self, listed: ListedAttachment, record_name: str | None) -> bool:
        """Whether the row already holds everything in Bigin's entry."""
        return all(getattr(self, name) == value for name, value in listing_fields(listed, record_name).items())


def listing_fields(listed: ListedAttachment, record_name: str | None) -> dict[str, str | int | None]:
    """What a row repeats of Bigin's listing; of a record's name only one that is known."""
    return {
        "file_name": listed.name,
        "created_time": listed.created_time,
        "modified_time": listed.modified_time,
        "owner": listed.owner,
        "listed_size_bytes": listed.size_bytes,
        "link_url": listed.link.url if listed.link else None,
        **({"record_name": record_name} if record_name else {}),
    }


class _Facts(Protocol):
    @property
    def key(self) -> str | None: ...
    @property
    def version_id(self) -> str | None: ...
    @property
    def size_bytes(self) -> int | None: ...
    @property
    def sha256(self) -> str | None: ...


def verified_mark(facts: _Facts) -> str | None:
    """The mark of an object that S3 confirmed; None if S3 names no version or no checksum.

    It is made of all four facts. If one of them changes later, the mark no longer fits.
    """
    if facts.version_id is None or facts.sha256 is None:
        return None
    text = "\n".join((str(facts.key), facts.version_id, str(facts.size_bytes), facts.sha256))
    return hashlib.sha256(text.encode(errors="surrogatepass")).hexdigest()[:16]


_FIELDS = tuple(field.name for field in fields(LedgerEntry))


def key_of(request: ArchiveRequest) -> dict[str, Any]:
    """The key of an attachment's item."""
    return {
        "record": {"S": f"{request.module}/{request.record_id}"},
        "attachment_id": {"S": str(request.attachment_id)},
    }


def item_of(entry: LedgerEntry) -> dict[str, Any]:
    """The whole item."""
    names = [name for name in _FIELDS if name not in ("module", "record_id") and getattr(entry, name) is not None]
    return {name: typed(name, getattr(entry, name)) for name in names} | key_of(entry.request)


def entry_of(item: Mapping[str, Any]) -> LedgerEntry:
    """The entry of an item. Other attributes are left out, and so is a value of another type: another program wrote it,
    and one odd row must not end what reads all of them.
    """
    plain = {name: value for name in _FIELDS if (value := _plain(name, item.get(name, {}))) is not None}
    module, _, record_id = item["record"]["S"].partition("/")
    return LedgerEntry(**{**plain, "module": module, "record_id": record_id})


def typed(name: str, value: str | int) -> dict[str, str]:
    """A value in DynamoDB's form."""
    return {"N" if name in _NUMBERS else "S": str(value)}


def _plain(name: str, value: Mapping[str, Any]) -> Any:
    if name not in _NUMBERS:
        return value.get("S")
    number = value.get("N", "")
    return int(number) if _NUMBER.fullmatch(number) else None
