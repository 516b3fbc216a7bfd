"""The differences of one attachment, from Bigin's list, the ledger and S3. Pure.

Only the gravest finding about the attachment's object counts: a truncated file also has another size than Bigin lists.
Other objects in its place, and changes in Bigin, are found besides.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import timedelta
from typing import TYPE_CHECKING

from bigin_archive import clock
from bigin_archive.audit.difference_kinds import Kind
from bigin_archive.ledger.attachment_state import State, is_after

if TYPE_CHECKING:
    from bigin_archive.audit.attachment_view import AttachmentView
    from bigin_archive.ledger.ledger_entry import LedgerEntry
    from bigin_archive.storage.archived_object import ArchivedObject

# For the clocks of S3, DynamoDB and Lambda, which AWS keeps in step. S3 gives its times in whole seconds.
_AWS_SKEW = timedelta(seconds=2)
_SECONDS = len("2026-01-31T09:30:00")


@dataclass(frozen=True, slots=True)
class Finding:
    """One difference. ``key`` is its object, if that is not the attachment's own."""

    kind: Kind
    detail: str
    key: str | None = None


@dataclass(frozen=True, slots=True)
class Lists:
    """What the audit's lists can prove.

    ``listed_at`` is when Bigin's list began, ``began_at`` S3's own time when the audit began; ``unlisted`` are the
    modules whose list is not whole.
    """

    listed_at: str
    began_at: str
    unlisted: frozenset[str] = frozenset()

    def is_removed(self, known: AttachmentView) -> bool:
        """Whether Bigin's list proves that the attachment is gone there."""
        request, entry = known.request, known.entry
        if known.listed or not request or request.module in self.unlisted:
            return False
        if entry is None:
            return True
        seen, began = clock.parse(entry.first_seen), clock.parse(self.listed_at)
        return seen is None or began is None or began - seen > _AWS_SKEW

    def is_fresh(self, stored: ArchivedObject) -> bool:
        """Whether the object was written while the audit ran: its row may come a moment later."""
        return stored.modified_at[:_SECONDS] > self.began_at[:_SECONDS]


def findings(known: AttachmentView, lists: Lists) -> list[Finding]:
    """All differences of one place, the gravest first."""
    found = [*_of_what_stands(known, lists), *_of_what_lies_beside(known)]
    if len(found) > 1:
        grave = list(Kind)
        found.sort(key=lambda each: grave.index(each.kind))
    return found


def _of_what_stands(known: AttachmentView, lists: Lists) -> Iterator[Finding]:
    stored, entry = known.stored, known.entry
    if stored is None:
        yield from _of_nothing(known, lists)
        return
    wrong = _wrong_object(known, stored)
    if wrong:
        yield wrong
    if entry and entry.state == State.PARKED and entry.reason == "content_conflict":
        yield Finding(Kind.PARKED, "content_conflict: Bigin sent other bytes than the archived ones")
    elif not wrong:
        row = _wrong_row(known, stored, lists)
        if row:
            yield row
        elif lists.is_removed(known) and not lists.is_fresh(stored) and not (entry and entry.restored_as):
            yield Finding(Kind.REMOVED_IN_BIGIN, "archived; Bigin no longer lists it")
    if not wrong and not stored.is_ours:
        yield Finding(Kind.ADOPTED_OBJECT, "somebody else wrote it, with the bytes that Bigin sent")
    if not wrong and _is_changed(known, stored):
        yield Finding(Kind.CHANGED_IN_BIGIN, "Bigin lists a newer time under the same id; the archived file is older")


def _of_what_lies_beside(known: AttachmentView) -> Iterator[Finding]:
    if len(known.own) > 1:
        names = ", ".join(found.file_name for found in known.own)
        yield Finding(Kind.SECOND_OBJECT, f"{len(known.own)} objects: {names}")
    for found in known.strangers:
        yield Finding(
            Kind.UNKNOWN_OBJECT, f"{found.size_bytes} bytes; its metadata name no attachment of this place", found.key
        )


def _of_nothing(known: AttachmentView, lists: Lists) -> Iterator[Finding]:
    entry, is_removed = known.entry, lists.is_removed(known)
    if entry is None:
        if known.listed:
            yield Finding(Kind.NOT_ARCHIVED, "Bigin lists it; it is neither in the ledger nor in the bucket")
    elif entry.key and known.named:
        sort = "a link; a file is archived" if known.is_link else "a file; the shortcut of a link is archived"
        yield Finding(Kind.NOT_ARCHIVED, f"Bigin lists {sort} under this id")
    elif entry.key:
        gone = ", and Bigin no longer lists it" if is_removed else ""
        yield Finding(Kind.MISSING_OBJECT, f"the ledger says archived, and there is no object{gone}")
    elif entry.state == State.GONE:
        if known.listed:
            yield _gone(entry, known.seen_at or lists.listed_at)
    elif is_removed:
        yield Finding(Kind.REMOVED_BEFORE, f"the row says {entry.state}; Bigin no longer lists it")
    elif entry.state == State.PARKED:
        yield Finding(Kind.PARKED, entry.reason or "for an unknown reason")
    else:
        yield Finding(Kind.NOT_ARCHIVED, _waiting(entry))


def _gone(entry: LedgerEntry, seen_at: str) -> Finding:
    if entry.reason or is_after(seen_at, entry.state_at):
        return Finding(Kind.GONE_BUT_LISTED, "Bigin lists it, and says that there is no file")
    return Finding(Kind.REMOVED_BEFORE, "removed in Bigin between the list and the download")


def _waiting(entry: LedgerEntry) -> str:
    if entry.is_stored:
        return f"the row says {entry.state}, and names no object"
    tried = f", last {entry.reason}" if entry.reason else ""
    return f"Bigin listed it; waiting in the queue{tried}, or lost there"


def _wrong_object(known: AttachmentView, stored: ArchivedObject) -> Finding | None:
    """What is wrong with the attachment's object."""
    if replaced := _against_archived(known, stored):
        return replaced
    if stored.sha256 is None:
        return Finding(Kind.NO_CHECKSUM, "S3 keeps no SHA-256 of it")
    listed_bytes = known.listed.listed.size_bytes if known.listed and not known.is_link else None
    if listed_bytes is not None and listed_bytes != stored.size_bytes:
        return Finding(Kind.SIZE_DIFFERS, f"Bigin lists {listed_bytes} bytes, the object has {stored.size_bytes}")
    if stored.bytes_right is False:
        return Finding(Kind.BYTES_WRONG, "the bytes, read again, have another SHA-256 than S3 keeps")
    return None


def _against_archived(known: AttachmentView, stored: ArchivedObject) -> Finding | None:
    """The archived facts, by the ledger or the first version, beside those of the object now.

    A version of an object never changes (S3 User Guide, "How S3 Versioning works"). If both name the same version, the
    row is wrong and not the object.
    """
    archived, first = known.archived, known.first
    if archived and first and first.key == stored.key and archived.version_id == stored.version_id:
        archived = first  # the row was lost, and came back when the object had been overwritten
    if archived is None or (stored.version_id is not None and stored.version_id == archived.version_id):
        return None
    if archived.size_bytes is not None and archived.size_bytes != stored.size_bytes:
        kind = Kind.TRUNCATED if stored.size_bytes < archived.size_bytes else Kind.WRONG_SIZE
        return Finding(kind, f"{archived.size_bytes} bytes were archived, the object has {stored.size_bytes}")
    if stored.sha256 is not None and archived.sha256 != stored.sha256:
        # An object without a checksum gets one only if it is written again.
        then = f"SHA-256 {archived.sha256}" if archived.sha256 else "an object without SHA-256"
        return Finding(Kind.SWAPPED, f"{then} was archived, the object has {stored.sha256}")
    return None


def _wrong_row(known: AttachmentView, stored: ArchivedObject, lists: Lists) -> Finding | None:
    """What is wrong in the row of an object that is right."""
    entry = known.entry
    if entry is None:
        return (
            None
            if lists.is_fresh(stored)
            else Finding(Kind.LEDGER_MISSING, "the object is there, and the ledger has no row")
        )
    if not entry.is_stored:
        is_right = lists.is_fresh(stored)
        return None if is_right else Finding(Kind.LEDGER_WRONG, f"the row says {entry.state}, and the object is there")
    if known.named not in (None, stored) and is_after(entry.state_at, known.seen_at or lists.listed_at):
        return None  # it is newer than the list, and tells of a link that became a file, or the other way round
    pairs = {
        "key": (entry.key, stored.key),
        "size": (entry.size_bytes, stored.size_bytes),
        "SHA-256": (entry.sha256, stored.sha256),
        "version": (entry.version_id, stored.version_id),
    }
    wrong = [f"{name} {noted} for {found}" for name, (noted, found) in pairs.items() if noted != found]
    return Finding(Kind.LEDGER_WRONG, f"the row has {'; '.join(wrong)}") if wrong else None


def _is_changed(known: AttachmentView, stored: ArchivedObject) -> bool:
    """Whether Bigin changed the attachment after it was downloaded, as far as its time shows.

    Its own time then is best. Without it, the time of the archive is used, which comes from another clock.
    """
    entry = known.entry
    if entry and entry.restored_from:
        return False  # the time is that of its return; changed after it, the next sweep archives it anew
    changed = clock.parse(known.listed.listed.modified_time) if known.listed else None
    then = clock.parse(entry.archived_modified_time) if entry else None
    if changed is None or then is not None:
        return changed is not None and then is not None and changed > then
    archived = clock.parse((entry and entry.archived_at) or stored.modified_at)
    return archived is not None and changed - archived > clock.SKEW
