"""The audit: what Bigin lists, what the ledger says and what lies in S3, compared attachment by attachment. Pure.

Each attachment has one difference at most, the gravest, so that their number is that of the attachments concerned.
"""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from bigin_archive.audit.attachment_view import AttachmentView
from bigin_archive.audit.difference_kinds import Difference, Kind
from bigin_archive.storage.archived_object import ArchivedObject

if TYPE_CHECKING:
    from bigin_archive.ledger.ledger_entry import LedgerEntry

COMPLETE, PARTIAL, FAILED = "complete", "partial", "failed"
ELSEWHERE = "Other objects"  # among the modules, where there are any
EXIT_STATUS = {COMPLETE: 0, FAILED: 1, PARTIAL: 2}


@dataclass(slots=True)
class Totals:
    """Counts of one module's attachments. ``size_bytes`` are those of the objects that stand for them."""

    listed: int = 0
    archived: int = 0
    links: int = 0
    gone: int = 0
    parked: int = 0
    pending: int = 0
    differences: int = 0
    size_bytes: int = 0


@dataclass(slots=True)
class Audit:
    """What an audit has found so far, and what it is about.

    ``started_at`` and ``listed_at`` (ISO 8601, UTC) are when the audit and the reading of Bigin's list began;
    ``unlisted`` are the modules whose list is not known whole: that an attachment is not in it proves nothing there.
    ``uncovered`` says what was not compared and so prevents ``complete``, ``limits`` what no audit of this kind can
    tell, ``failure`` why the comparison could not be made. ``fresh`` counts what was archived while it ran,
    ``reread`` the objects whose bytes were read; ``stopped_at`` is the first place that time was lacking for.
    """

    started_at: str
    listed_at: str
    modules: tuple[str, ...]
    unlisted: set[str] = field(default_factory=set)
    totals: dict[str, Totals] = field(default_factory=dict)
    differences: list[Difference] = field(default_factory=list)
    uncovered: list[str] = field(default_factory=list)
    limits: list[str] = field(default_factory=list)
    failure: str | None = None
    fresh: int = 0
    compared: int = 0
    reread: int = 0
    stopped_at: str | None = None
    finished_at: str | None = None
    report_key: str | None = None

    def __post_init__(self) -> None:
        self.totals = {module: Totals() for module in self.modules} | self.totals

    @property
    def verdict(self) -> str:
        """``failed``, ``partial`` or ``complete``: green only when nothing is missing and nothing was left out."""
        if self.failure:
            return FAILED
        return PARTIAL if self.uncovered or self.grave else COMPLETE

    @property
    def complete_as_of(self) -> str | None:
        """Until when Bigin's lists were whole: the beginning of the oldest that counts; None where one was not."""
        return None if self.failure or self.unlisted & set(self.modules) else self.listed_at

    @property
    def grave(self) -> int:
        """How many differences there are that prevent ``complete``."""
        return sum(not found.kind.only_told for found in self.differences)

    @property
    def total(self) -> Totals:
        """The sums over all modules."""
        return Totals(*(sum(getattr(one, name) for one in self.totals.values()) for name in Totals.__slots__))

    def by_kind(self) -> list[tuple[Kind, list[Difference]]]:
        """The differences by kind, the gravest kind first."""
        kinds = Counter(found.kind for found in self.differences)
        return [(kind, [one for one in self.differences if one.kind is kind]) for kind in Kind if kind in kinds]

    def add(self, known: AttachmentView) -> Difference | None:
        """Count the attachment; return its difference, which is kept."""
        request, stored = known.request, known.stored
        self.compared += 1
        self.reread += stored is not None and stored.bytes_right is not None
        totals = self.totals.setdefault(request.module if request and known.is_attachment else ELSEWHERE, Totals())
        if known.is_attachment:
            _count(totals, known)
        told = self._judge(known)
        if not told:
            return None
        kind, detail = told
        totals.differences += not kind.only_told
        difference = Difference(
            kind=kind,
            place=known.place,
            detail=detail,
            key=stored.key if stored else known.entry.key if known.entry else None,
            file_name=known.file_name,
            record_name=known.record_name,
            in_bigin=not self._is_removed(known),
            request=request,
            stored=stored,
        )
        self.differences.append(difference)
        return difference

    def _judge(self, known: AttachmentView) -> tuple[Kind, str] | None:
        stored, entry = known.stored, known.entry
        if not stored:
            return self._judge_absent(known)
        if not entry and not stored.is_ours:
            return Kind.UNKNOWN_OBJECT, f"{stored.size_bytes} bytes; neither its key nor its metadata is ours"
        if entry and entry.is_stored and (told := _against_row(entry, stored)):
            return told
        if stored.sha256 is None:
            return Kind.NO_CHECKSUM, "S3 keeps no SHA-256 of it"
        listed_bytes = known.listed.listed.size_bytes if known.listed and not known.is_link else None
        if listed_bytes is not None and listed_bytes != stored.size_bytes:
            return Kind.SIZE_DIFFERS, f"Bigin lists {listed_bytes} bytes, the object has {stored.size_bytes}"
        if stored.bytes_right is False:
            return Kind.BYTES_WRONG, "the bytes, read again, have another SHA-256 than S3 keeps"
        if len(known.objects) > 1:
            return Kind.SECOND_OBJECT, f"{len(known.objects)} objects: {', '.join(o.file_name for o in known.objects)}"
        is_fresh = stored.modified_at > self.started_at
        if not entry or not entry.is_stored:
            if is_fresh:
                self.fresh += 1
                return None
            if not entry:
                return Kind.LEDGER_MISSING, "the object is there, the ledger has no row"
            if entry.state == "parked" and entry.reason == "content_conflict":
                return Kind.PARKED, "content_conflict: Bigin sent other bytes than those that are archived"
            return Kind.LEDGER_WRONG, f"the row says {entry.state}, the object is there"
        if self._is_removed(known) and not is_fresh and not entry.restored_as:
            return Kind.REMOVED_IN_BIGIN, "archived; Bigin does not list it any more"
        return None

    def _judge_absent(self, known: AttachmentView) -> tuple[Kind, str] | None:
        entry = known.entry
        if not entry:
            return Kind.NOT_ARCHIVED, "Bigin lists it; ledger and bucket know nothing of it"
        if entry.is_stored or entry.key:
            if self._is_removed(known):
                return Kind.MISSING_OBJECT, "archived once, no object is there, and Bigin does not list it any more"
            return Kind.MISSING_OBJECT, "the ledger knows it as archived, no object is there"
        if entry.state == "gone":
            return (Kind.GONE_BUT_LISTED, "Bigin lists it, and says that there is no file") if known.listed else None
        if self._is_removed(known):
            return Kind.REMOVED_BEFORE, f"the row says {entry.state}; Bigin does not list it any more"
        if entry.state == "parked":
            return Kind.PARKED, entry.reason or "for an unknown reason"
        return Kind.NOT_ARCHIVED, "Bigin listed it; waiting in the queue, or lost there"

    def _is_removed(self, known: AttachmentView) -> bool:
        """Whether Bigin's list proves that the attachment is not there any more."""
        request, entry = known.request, known.entry
        if known.listed or not request or request.module in self.unlisted:
            return False
        return entry is None or (entry.first_seen or "") < self.listed_at


def _count(totals: Totals, known: AttachmentView) -> None:
    entry, stored = known.entry, known.stored
    totals.listed += known.listed is not None
    if stored and known.is_archived:
        totals.size_bytes += stored.size_bytes
        totals.links += known.is_link
        totals.archived += not known.is_link
    elif entry and entry.state in ("gone", "parked"):
        totals.gone += entry.state == "gone"
        totals.parked += entry.state == "parked"
    elif not entry or entry.state == "pending":
        totals.pending += 1


def _against_row(entry: LedgerEntry, stored: ArchivedObject) -> tuple[Kind, str] | None:
    """What the row and the object say differently.

    A version of an object never changes (S3 User Guide, "How S3 Versioning works"): where both name the same one, the
    row is wrong; where not, the object was replaced since.
    """
    same_version = stored.version_id is not None and stored.version_id == entry.version_id
    if entry.size_bytes is not None and entry.size_bytes != stored.size_bytes and not same_version:
        kind = Kind.TRUNCATED if stored.size_bytes < entry.size_bytes else Kind.WRONG_SIZE
        return kind, f"{entry.size_bytes} bytes were archived, the object has {stored.size_bytes}"
    if stored.sha256 is None:
        return None
    if entry.sha256 is not None and entry.sha256 != stored.sha256 and not same_version:
        return Kind.SWAPPED, f"SHA-256 {entry.sha256} was archived, the object has {stored.sha256}"
    pairs = {
        "key": (entry.key, stored.key),
        "size": (entry.size_bytes, stored.size_bytes),
        "SHA-256": (entry.sha256, stored.sha256),
        "version": (entry.version_id, stored.version_id),
    }
    wrong = [f"{name} {told} for {found}" for name, (told, found) in pairs.items() if told != found]
    return (Kind.LEDGER_WRONG, f"the row has {'; '.join(wrong)}") if wrong else None
