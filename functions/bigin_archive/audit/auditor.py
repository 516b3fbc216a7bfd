"""The use case: gather the three sides, compare them, write the index and the report."""

import hashlib
import tempfile
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime

from bigin_archive.archive_request import MODULES
from bigin_archive.audit import manifest, report_html, report_json
from bigin_archive.audit.attachment_view import AttachmentView
from bigin_archive.audit.comparison import Audit
from bigin_archive.audit.merge_join import MergeJoin
from bigin_archive.audit.search_files import SearchFiles
from bigin_archive.bigin.account_listing import Found
from bigin_archive.bigin.listing import Link, ListedAttachment
from bigin_archive.clock import iso
from bigin_archive.deadline import Deadline
from bigin_archive.errors import ArchiveError
from bigin_archive.ledger.ledger import Ledger
from bigin_archive.ledger.ledger_entry import LedgerEntry
from bigin_archive.storage.inventory import Inventory

REPORTS = "_audit/"
_ROTATION = "audit-rotation"


@dataclass(slots=True)
class Listing:
    """Bigin's side. ``began_at`` (ISO 8601, UTC) is when it began to be read.

    Without ``found`` it is what the ledger saw listed since then, as a sweep leaves it. ``unlisted`` names modules
    whose list is not whole and why, ``unsupported_modules`` counts attachments of modules that
    cannot be archived, ``is_of_all``
    tells that it is Bigin's list of all attachments, ``is_of_changes`` that it is an older list and what was changed
    since; these may change while ``found`` is read.
    """

    began_at: str
    found: Iterable[Found] | None = None
    unlisted: dict[str, str] = field(default_factory=dict)
    unsupported_modules: dict[str, int] = field(default_factory=dict)
    is_of_all: bool = False
    is_of_changes: bool = False


class Auditor:
    """Audits one stack."""

    def __init__(
        self, ledger: Ledger, inventory: Inventory, now: Callable[[], datetime] = lambda: datetime.now(UTC)
    ) -> None:
        self._ledger = ledger
        self._inventory = inventory
        self._now = now

    def audit(
        self,
        listing: Listing,
        *,
        modules: Iterable[str] = MODULES,
        deep: float = 0.0,
        deadline: Deadline | None = None,
        progress: Callable[[int], None] = lambda count: None,
    ) -> Audit:
        """Compare, then write report and index to the bucket; the index only where all was compared.

        ``deep`` is the share of objects, 0 to 1, whose bytes are read again; after 1/``deep`` audits all were.
        What cannot be read makes the audit ``failed``, a ``deadline`` that passes makes it ``partial``; a report is
        written all the same. Raises StorageUnavailableError, StorageRefusedError where even that is impossible.
        """
        audit = Audit(iso(self._now()), listing.began_at, tuple(name for name in MODULES if name in modules))
        rotation = self._rotation(audit.modules)
        with MergeJoin() as census, manifest.Index() as files, SearchFiles() as search:
            if self._gather(census, audit, listing):
                chosen = _chooser(deep, rotation)
                for known in self._compared(census, audit, listing, chosen, deadline):
                    files.add(known)
                    search.add(known)
                    progress(audit.compared)
            self._limits(audit, listing, deep)
            audit.finished_at = iso(self._now())
            if not audit.failure and not audit.stopped_at and audit.modules == MODULES:
                self._inventory.write(manifest.CSV_PATH, files.table, manifest.CSV_TYPE)
                self._inventory.write(manifest.SUMS_PATH, files.sums, manifest.SUMS_TYPE)
                for path, file, content_type in search.files(audit.started_at):
                    self._inventory.write(path, file, content_type)
        self._publish(audit, str(rotation + 1 if deep else rotation))
        return audit

    def _gather(self, census: MergeJoin, audit: Audit, listing: Listing) -> bool:
        """Read Bigin's list and the ledger; whether there is anything to compare with S3."""
        try:
            if listing.found is not None:
                census.add_listed(_known_modules(listing.found, audit.modules, listing.unsupported_modules))
        except ArchiveError as error:
            census.forget_listed()
            audit.failure = f"Bigin's list could not be read to its end: {error.detail}"
            audit.unlisted.update(audit.modules)
        try:
            census.add_entries(entry for entry in self._ledger.entries() if entry.module in audit.modules)
        except ArchiveError as error:
            audit.failure = audit.failure or f"The ledger could not be read to its end: {error.detail}"
            return False
        audit.unlisted.update(listing.unlisted)
        audit.uncovered += [f"{module}: {reason}" for module, reason in sorted(listing.unlisted.items())]
        audit.uncovered += [
            f"{module}: {count} attachments that Bigin's API lets nobody download"
            for module, count in sorted(listing.unsupported_modules.items())
        ]
        return True

    def _compared(
        self,
        census: MergeJoin,
        audit: Audit,
        listing: Listing,
        chosen: Callable[[str], bool],
        deadline: Deadline | None,
    ) -> Iterator[AttachmentView]:
        """Compare place after place, and pass each on."""
        folders = ("",) if audit.modules == MODULES else tuple(f"{module}/" for module in audit.modules)
        try:
            for known in census.merged(self._inventory.objects(folders, chosen)):
                if deadline and not deadline.remaining_s():
                    audit.stopped_at = known.place
                    audit.uncovered.append(
                        f"Everything from {known.place} on: the time ran out. `bigin-archive audit` has no time limit."
                    )
                    return
                seen = known if listing.found is not None else _seen_since(known, listing.began_at)
                seen = self._with_object_of_origin(seen)
                audit.add(seen)
                yield seen
        except ArchiveError as error:
            audit.failure = audit.failure or f"S3 could not be read to its end: {error.detail}"

    def _with_object_of_origin(self, known: AttachmentView) -> AttachmentView:
        """A file that was sent back to Bigin is proved by the object that it came from, which lies elsewhere."""
        entry = known.entry
        if known.objects or not entry or not entry.restored_from or not entry.key:
            return known
        found = self._inventory.head(entry.key)
        return replace(known, objects=(found,)) if found else known

    def _limits(self, audit: Audit, listing: Listing, deep: float) -> None:
        others = [module for module in MODULES if module not in audit.modules]
        if others:
            audit.uncovered.append(f"Modules that were left out: {', '.join(others)}")
        if not audit.failure:
            source = "was read from Bigin itself" if listing.found is not None else "is what the last sweep found"
            audit.limits.append(f"Bigin's list {source}, beginning {listing.began_at[:16].replace('T', ' ')} UTC.")
        if listing.is_of_changes:
            audit.limits.append(
                "Since then only the records were looked at that Bigin calls changed: a file that was attached without "
                "any change of its record's times is found by the next sweep of everything, once a week."
            )
        if listing.is_of_all:
            audit.limits.append(
                "It is the list of all attachments, which Bigin documents nowhere. Whether it leaves something out is "
                "told by `bigin-archive audit --by-record`, at a credit for each record."
            )
        if deep and _parts(deep) == 1:
            audit.limits.append(f"The bytes of all {audit.reread:,} objects were read again.")
        elif deep:
            audit.limits.append(
                f"The bytes of {audit.reread} objects were read again; an audit like this one reads others the next "
                f"time, and after {_parts(deep)} of them all were read."
            )
        else:
            audit.limits.append(
                "No bytes were read again: what was compared is the SHA-256 that S3 verified when it stored them."
            )
        if audit.fresh:
            audit.limits.append(f"{audit.fresh} were archived while the audit ran; the next one looks at their rows.")
        audit.limits.append(
            "Bigin's API does not list attachments of e-mails, record photos, file-upload fields: no audit sees them."
        )

    def _publish(self, audit: Audit, rotation: str) -> None:
        about = f"s3://{self._inventory.bucket}/{self._inventory.prefix}"
        name = audit.started_at[:19].replace(":", "-")
        for suffix, kind, pieces in (
            (".html", "text/html; charset=utf-8", report_html.pieces),
            (".json", "application/json", report_json.pieces),
        ):
            with tempfile.TemporaryFile() as file:
                for piece in pieces(audit, about):
                    file.write(piece.encode(errors="replace"))
                for path in (f"{REPORTS}{name}Z{suffix}", f"{latest(audit.modules)}{suffix}"):
                    self._inventory.write(path, file, kind, {_ROTATION: rotation})
        audit.report_key = f"{self._inventory.prefix}{REPORTS}{name}Z.html"

    def _rotation(self, modules: Sequence[str]) -> int:
        """How many audits of these modules have read bytes before this one."""
        try:
            return int(self._inventory.tags(f"{latest(modules)}.json").get(_ROTATION, "0"))
        except ValueError:
            return 0


def latest(modules: Sequence[str]) -> str:
    """Where the last report lies, without its extension; one of some modules hides none of everything."""
    return f"{REPORTS}latest" + ("" if set(modules) == set(MODULES) else "-" + "-".join(sorted(modules)))


def _known_modules(
    found: Iterable[Found], wanted: Iterable[str], unsupported_modules: dict[str, int]
) -> Iterator[Found]:
    """Those of the wanted modules; those of modules that nobody can archive are counted."""
    wanted = frozenset(wanted)
    for one in found:
        module = one.request.module
        if module in wanted:
            yield one
        elif module not in MODULES:
            unsupported_modules[module] = unsupported_modules.get(module, 0) + 1


def _seen_since(known: AttachmentView, began_at: str) -> AttachmentView:
    """With Bigin's list as the ledger has it."""
    entry = known.entry
    return replace(known, listed=_as_listed(entry)) if entry and (entry.last_seen or "") >= began_at else known


def _as_listed(entry: LedgerEntry) -> Found:
    # Which address a link has does not matter here.
    link = Link(entry.file_name or "", "") if entry.state == "link" else None
    listed = ListedAttachment(
        attachment_id=entry.attachment_id,
        size_bytes=entry.listed_size_bytes,
        link=link,
        name=entry.file_name,
        created_time=entry.created_time,
        modified_time=entry.modified_time,
        owner=entry.owner,
    )
    return Found(entry.request, entry.record_name, listed)


def _parts(deep: float) -> int:
    return max(1, round(1 / deep))


def _chooser(deep: float, rotation: int) -> Callable[[str], bool]:
    """Which places an audit reads again: one part of ``1/deep``, in turn, always the same for the same place."""
    if not deep:
        return lambda place: False
    parts = _parts(deep)
    return lambda place: int.from_bytes(hashlib.sha256(place.encode()).digest()[:8]) % parts == rotation % parts
