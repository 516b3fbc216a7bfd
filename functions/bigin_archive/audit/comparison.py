"""Compares Bigin's list, the ledger and S3, attachment by attachment. Pure.

An attachment may have several differences; the first is the gravest.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass, field, fields
from typing import Any, Self

from bigin_archive import __version__
from bigin_archive.audit.attachment_view import AttachmentView
from bigin_archive.audit.difference_kinds import Difference, Differences, Kind
from bigin_archive.audit.findings import Finding, Lists, findings

COMPLETE, PARTIAL, FAILED = "complete", "partial", "failed"
ELSEWHERE = "Other objects"  # among the modules, where there are any
_SEGMENTS = 4  # of the ledger, read at one time
EXIT_STATUS = {COMPLETE: 0, FAILED: 1, PARTIAL: 2}


@dataclass(slots=True)
class Totals:
    """Counts of one module's attachments. ``size_bytes`` is the size of their objects."""

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
    """The subject of an audit, and its findings so far.

    ``started_at`` and ``listed_at`` (ISO 8601, UTC) are when the audit and Bigin's list began. ``unlisted`` are the
    modules whose list is not whole: if an attachment is not in it, that proves nothing. ``uncovered`` says what was not
    compared, which prevents ``complete``. ``limits`` says what no audit of this kind can know, ``failure`` why there
    was no comparison. ``fresh`` counts attachments that were archived meanwhile, ``reread`` objects whose bytes were
    read, ``cold`` those in an archive tier, ``proved`` those that their version proved. ``began_at`` is the start by
    S3's own clock, for comparing S3's times of objects.
    """

    started_at: str
    listed_at: str
    modules: tuple[str, ...]
    unlisted: set[str] = field(default_factory=set)
    totals: dict[str, Totals] = field(default_factory=dict)
    differences: Differences = field(default_factory=Differences)
    uncovered: list[str] = field(default_factory=list)
    limits: list[str] = field(default_factory=list)
    failure: str | None = None
    fresh: int = 0
    compared: int = 0
    reread: int = 0
    cold: int = 0
    proved: int = 0
    began_at: str | None = None
    finished_at: str | None = None
    report_key: str | None = None

    def __post_init__(self) -> None:
        self.totals = {module: Totals() for module in self.modules} | self.totals

    def to_dict(self) -> dict[str, Any]:
        """All but the differences, as JSON's values."""
        plain = {each.name: getattr(self, each.name) for each in fields(self) if each.name != "differences"}
        totals = {module: asdict(of_module) for module, of_module in self.totals.items()}
        return plain | {"unlisted": sorted(self.unlisted), "totals": totals}

    @classmethod
    def of_dict(cls, stored: Mapping[str, Any]) -> Self:
        """The inverse of :meth:`to_dict`."""
        totals = {module: Totals(**of_module) for module, of_module in stored["totals"].items()}
        sets = {"modules": tuple(stored["modules"]), "unlisted": set(stored["unlisted"]), "totals": totals}
        return cls(**{**stored, **sets})

    @property
    def verdict(self) -> str:
        """``failed``, ``partial`` or ``complete``: complete only if nothing is missing and all was compared."""
        if self.failure:
            return FAILED
        return PARTIAL if self.uncovered or self.grave else COMPLETE

    @property
    def complete_as_of(self) -> str | None:
        """The time up to which Bigin's lists were whole: the start of the oldest that counts; None if one was not."""
        return None if self.failure or self.unlisted & set(self.modules) else self.listed_at

    @property
    def grave(self) -> int:
        """How many differences there are that prevent ``complete``."""
        return sum(count for kind, count in self.differences.counts.items() if not kind.only_told)

    @property
    def total(self) -> Totals:
        """The sums over all modules."""
        return Totals(*(sum(getattr(one, name) for one in self.totals.values()) for name in Totals.__slots__))

    def by_kind(self) -> list[tuple[Kind, int]]:
        """How many differences there are of each kind, the gravest kind first."""
        return [(kind, self.differences.counts[kind]) for kind in Kind if self.differences.counts[kind]]

    @property
    def lists(self) -> Lists:
        """What its lists can prove."""
        return Lists(self.listed_at, self.began_at or self.started_at, frozenset(self.unlisted))

    def add(self, known: AttachmentView, found: list[Finding] | None = None) -> list[Difference]:
        """Count the attachment; return its differences, which are kept, the gravest first.

        ``found`` are its findings, where they are known.
        """
        request, stored, lists = known.request, known.stored, self.lists
        self.compared += 1
        self.reread += stored is not None and stored.bytes_right is not None
        self.cold += stored is not None and stored.is_cold
        totals = self.totals.setdefault(request.module if request and known.is_attachment else ELSEWHERE, Totals())
        if known.is_attachment:
            _count(totals, known)
        found = findings(known, lists) if found is None else found
        self.fresh += not found and stored is not None and is_without_row(known) and lists.is_fresh(stored)
        totals.differences += sum(not each.kind.only_told for each in found)
        differences = [
            Difference(
                kind=each.kind,
                place=known.place,
                detail=each.detail,
                key=each.key or (stored.key if stored else known.entry.key if known.entry else None),
                file_name=each.key.rpartition("/")[2] if each.key else known.file_name,
                record_name=known.record_name,
                in_bigin=not lists.is_removed(known),
                request=request,
                stored=stored,
                listed=known.listed,
                seen_at=known.seen_at or self.listed_at,
            )
            for each in found
        ]
        self.differences.add(differences)
        return differences


@dataclass(slots=True)
class Checkpoint:
    """Where an audit stands between two slices.

    ``scan`` is where the reading of the ledger goes on; ``after`` is the last position that was compared, None as long
    as the ledger is read. ``files`` are those of its folder, as SavedFolder keeps them.
    """

    audit: Audit
    scan: list[dict[str, Any] | None] = field(default_factory=lambda: [{} for _ in range(_SEGMENTS)])
    is_listed: bool = False
    after: str | None = None
    is_compared: bool = False
    last_archived_at: str | None = None
    files: dict[str, list[str]] = field(default_factory=dict)
    version: str = __version__

    def to_dict(self) -> dict[str, Any]:
        """As JSON's values."""
        return {**{name: getattr(self, name) for name in self.__slots__}, "audit": self.audit.to_dict()}

    @classmethod
    def of_dict(cls, stored: Mapping[str, Any]) -> Self:
        """The inverse of :meth:`to_dict`, of the same version."""
        return cls(**{**stored, "audit": Audit.of_dict(stored["audit"])})


def is_without_row(known: AttachmentView) -> bool:
    """Whether the ledger does not say yet that it is archived."""
    return known.entry is None or not known.entry.is_stored


def _count(totals: Totals, known: AttachmentView) -> None:
    entry, stored = known.entry, known.stored
    totals.listed += known.listed is not None
    if stored:
        totals.size_bytes += stored.size_bytes
        is_link = known.is_shortcut(stored)
        totals.links += is_link
        totals.archived += not is_link
    elif entry and entry.state in ("gone", "parked"):
        totals.gone += entry.state == "gone"
        totals.parked += entry.state == "parked"
    elif not entry or entry.state == "pending":
        totals.pending += 1
