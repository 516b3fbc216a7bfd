"""The use case: gather the three sides, compare them, write the index and the report."""

import hashlib
import secrets
import tempfile
from collections.abc import Callable, Iterable, Iterator, Sequence
from datetime import UTC, datetime
from itertools import islice

from bigin_archive.archive_request import MODULES
from bigin_archive.audit import manifest, report_html, report_json
from bigin_archive.audit.attachment_view import AttachmentView
from bigin_archive.audit.bigin_side import Listing
from bigin_archive.audit.comparison import Audit
from bigin_archive.audit.findings import findings
from bigin_archive.audit.merge_join import Joined, MergeJoin
from bigin_archive.audit.object_lookup import ObjectLookup
from bigin_archive.audit.report_json import note_limits, parts_of
from bigin_archive.audit.search_files import SearchFiles
from bigin_archive.clock import iso
from bigin_archive.deadline import Deadline
from bigin_archive.errors import ArchiveError
from bigin_archive.ledger.ledger import Ledger
from bigin_archive.storage.inventory import Inventory

REPORTS = "_audit/"
_ROTATION = "audit-rotation"
_SEGMENTS = 4  # of the ledger, read at one time
_BATCH = 100  # places whose rows are looked up together (DynamoDB, BatchGetItem)


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
        by_head: bool = False,
        deadline: Deadline | None = None,
        progress: Callable[[int], None] = lambda count: None,
    ) -> Audit:
        """Compare, then write report and index to the bucket; the index only where all was compared.

        ``deep`` is the share of objects, 0 to 1, whose bytes are read again; after 1/``deep`` audits all were.
        ``by_head`` asks S3 for each object, also where its version proves it.
        What cannot be read makes the audit ``failed``, a ``deadline`` that passes makes it ``partial``; a report is
        written all the same. Raises StorageUnavailableError, StorageRefusedError where even that is impossible.
        """
        audit = Audit(iso(self._now()), listing.began_at, tuple(name for name in MODULES if name in modules))
        audit.began_at = self._inventory.now()
        rotation = _read_rotation(self._inventory, audit.modules)
        lookup = ObjectLookup(self._inventory, self._ledger, _chooser(deep, rotation), by_head=by_head)
        with MergeJoin() as join, manifest.Index() as files, SearchFiles() as search:
            if self._gather(join, audit, listing):
                for known in self._compared(join, audit, listing, lookup, deadline):
                    files.add(known)
                    search.add(known)
                    progress(audit.compared)
            audit.proved = lookup.proved
            note_limits(audit, listing, deep, is_versioned=self._inventory.is_versioned())
            audit.finished_at = iso(self._now())
            is_whole = not audit.failure and not audit.stopped_at
            if is_whole and audit.modules == MODULES:
                self._inventory.write(manifest.CSV_PATH, files.table, manifest.CSV_TYPE)
                self._inventory.write(manifest.SUMS_PATH, files.sums, manifest.SUMS_TYPE)
                for path, file, content_type in search.files(audit.started_at):
                    self._inventory.write(path, file, content_type)
        # A part whose reading was broken off keeps its turn.
        _publish(self._inventory, audit, rotation + 1 if deep and is_whole else rotation)
        return audit

    def _gather(self, join: MergeJoin, audit: Audit, listing: Listing) -> bool:
        """Read Bigin's list and the ledger; whether there is anything to compare with S3."""
        try:
            if listing.found is not None:
                join.add_listed(listing.of_modules(audit.modules))
        except ArchiveError as error:
            join.forget_listed()
            audit.failure = f"Bigin's list could not be read to its end: {error.detail}"
            audit.unlisted.update(audit.modules)
        try:
            join.add_entries(entry for entry in self._ledger.entries(_SEGMENTS) if entry.module in audit.modules)
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
        self, join: MergeJoin, audit: Audit, listing: Listing, lookup: ObjectLookup, deadline: Deadline | None
    ) -> Iterator[AttachmentView]:
        """Compare place after place, and pass each on."""
        folders = ("",) if audit.modules == MODULES else tuple(f"{module}/" for module in audit.modules)
        try:
            views = lookup.views(join.merged(self._inventory.keys(folders)), listing)
            while batch := list(islice(views, _BATCH)):
                if deadline and not deadline.remaining_s():
                    audit.stopped_at = batch[0].place
                    audit.uncovered.append(
                        f"Everything from {audit.stopped_at} on: the time ran out. `bigin-archive audit` has no time "
                        "limit."
                    )
                    return
                for known in self._looked_at_again(batch, audit, listing, lookup):
                    audit.add(known)
                    yield known
        except ArchiveError as error:
            audit.failure = audit.failure or f"S3 could not be read to its end: {error.detail}"

    def _looked_at_again(
        self, batch: list[AttachmentView], audit: Audit, listing: Listing, lookup: ObjectLookup
    ) -> Iterator[AttachmentView]:
        """The batch, its rows and objects read anew where a row changed after the ledger was read."""
        lists = audit.lists
        suspicious = [known for known in batch if known.request and findings(known, lists)]
        rows = self._ledger.find([known.request for known in suspicious if known.request])
        stale = {known.place for known in suspicious if rows.get(known.place) != known.entry}
        for known in batch:
            if known.place not in stale:
                yield known
                continue
            keys = tuple(key for key in self._inventory.keys((f"{known.place}/",)))
            listed = None if listing.found is None else known.listed
            joined = Joined(known.place, listed, rows.get(known.place), keys)
            yield from lookup.views(iter([joined]), listing)


def _chooser(deep: float, rotation: int) -> Callable[[str], bool]:
    """Which places an audit reads again: one part of ``1/deep``, in turn, always the same for the same place."""
    if not deep:
        return lambda place: False
    parts = parts_of(deep)
    return lambda place: int.from_bytes(hashlib.sha256(place.encode()).digest()[:8]) % parts == rotation % parts


def _publish(
    inventory: Inventory, audit: Audit, rotation: int, token: Callable[[], str] = lambda: secrets.token_hex(3)
) -> None:
    """Write the report under a name of its own, and as the last one. Raises StorageUnavailableError,
    StorageRefusedError.

    ``rotation`` goes with it; ``token`` parts reports of the same second.
    """
    about = f"s3://{inventory.bucket}/{inventory.prefix}"
    name = f"{REPORTS}{audit.started_at[:19].replace(':', '-')}Z-{token()}"
    for suffix, kind, pieces in (
        (".html", "text/html; charset=utf-8", report_html.pieces),
        (".json", "application/json", report_json.pieces),
    ):
        with tempfile.TemporaryFile() as file:
            for piece in pieces(audit, about):
                file.write(piece.encode(errors="replace"))
            for path in (f"{name}{suffix}", f"{latest(audit.modules)}{suffix}"):
                inventory.write(path, file, kind, {_ROTATION: str(rotation)})
    audit.report_key = f"{inventory.prefix}{name}.html"


def _read_rotation(inventory: Inventory, modules: Sequence[str]) -> int:
    """How many audits of these modules have read their part of all bytes. Raises as :func:`_publish` does."""
    try:
        return int(inventory.tags(f"{latest(modules)}.json").get(_ROTATION, "0"))
    except ValueError:
        return 0


def latest(modules: Sequence[str]) -> str:
    """Where the last report lies, without its extension; one of some modules hides none of everything."""
    return f"{REPORTS}latest" + ("" if set(modules) == set(MODULES) else "-" + "-".join(sorted(modules)))
