"""The use case: gather the three sides, compare them, write the index and the report; at once, or in slices."""

import hashlib
import secrets
import tempfile
from collections.abc import Callable, Iterable, Mapping, Sequence
from datetime import UTC, datetime
from itertools import chain, islice
from pathlib import Path
from typing import Any

from bigin_archive import __version__
from bigin_archive.archive_request import MODULES
from bigin_archive.audit import manifest, report_html, report_json
from bigin_archive.audit.bigin_side import Listing
from bigin_archive.audit.comparison import Audit, Checkpoint
from bigin_archive.audit.merge_join import MergeJoin
from bigin_archive.audit.object_lookup import ObjectLookup
from bigin_archive.audit.report_json import note_limits, note_uncovered, parts_of
from bigin_archive.audit.search_files import SearchFiles
from bigin_archive.clock import iso
from bigin_archive.deadline import Deadline
from bigin_archive.errors import ArchiveError
from bigin_archive.ledger.ledger import Ledger
from bigin_archive.storage.inventory import Inventory
from bigin_archive.storage.saved_folder import FolderLostError, SavedFolder

REPORTS, WORK = "_audit/", "_audit/work/"
_ROTATION = "audit-rotation"
_SAVING_S = 90  # to keep what a slice found: of a million attachments some 300 MB
_WRITING_S, _WRITING_EACH_S = 60, 0.00025  # index and report


class Auditor:
    """Audits one stack."""

    def __init__(
        self,
        ledger: Ledger,
        inventory: Inventory,
        now: Callable[[], datetime] = lambda: datetime.now(UTC),
        batch: int = 100,
    ) -> None:
        """``batch`` places are compared between two looks at the clock; their rows are looked up in one call."""
        self._batch = batch
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
        progress: Callable[[int], None] = lambda count: None,
    ) -> Audit:
        """Compare, then write report and index to the bucket; the index only where all was compared.

        ``deep`` is the share of objects, 0 to 1, whose bytes are read again; after 1/``deep`` audits all were.
        ``by_head`` asks S3 for each object, also where its version proves it.
        What cannot be read makes the audit ``failed``; a report is written all the same. Raises
        StorageUnavailableError, StorageRefusedError where even that is impossible.
        """
        point = Checkpoint(self._begun(listing, modules))
        audit, rotation = point.audit, _read_rotation(self._inventory, point.audit.modules)
        lookup = ObjectLookup(self._inventory, self._ledger, _chooser(deep, rotation), by_head=by_head)
        with tempfile.TemporaryDirectory() as folder:
            self._work(point, Path(folder), listing, lookup, None, deep, progress)
        # A part that was not read to its end is read again next time.
        _publish(self._inventory, audit, rotation + 1 if deep and not audit.failure else rotation)
        return audit

    def go_on(
        self, stored: Mapping[str, Any] | None, listing: Listing, modules: Iterable[str], deadline: Deadline
    ) -> Audit | dict[str, Any]:
        """Work for one slice on an audit as :meth:`audit` makes it, which ends before ``deadline``.

        ``stored`` is what the slice before returned: None, or what was lost meanwhile, begins anew. Returns the audit
        once it is written, else what the next slice needs. Raises as above; ``stored`` stays good then.
        """
        with tempfile.TemporaryDirectory() as folder:
            saved = SavedFolder(self._inventory, WORK, Path(folder))
            point = self._restored(stored, saved) or Checkpoint(self._begun(listing, modules))
            lookup = ObjectLookup(self._inventory, self._ledger, _chooser(0, 0))
            if not self._work(point, Path(folder), listing, lookup, deadline):
                point.files = saved.save(point.files)
                return point.to_dict()
        _publish(self._inventory, point.audit, _read_rotation(self._inventory, point.audit.modules))
        return point.audit

    def _begun(self, listing: Listing, modules: Iterable[str]) -> Audit:
        audit = Audit(iso(self._now()), listing.began_at, tuple(name for name in MODULES if name in modules))
        audit.began_at = self._inventory.now()
        return audit

    def _restored(self, stored: Mapping[str, Any] | None, saved: SavedFolder) -> Checkpoint | None:
        try:
            if stored is None or stored["version"] != __version__:
                return None
            point = Checkpoint.of_dict(stored)
            saved.restore(point.files)
        except FolderLostError:
            saved.clear()
            return None
        point.audit.differences.restore(saved.path)
        return point

    def _work(
        self,
        point: Checkpoint,
        folder: Path,
        listing: Listing,
        lookup: ObjectLookup,
        deadline: Deadline | None,
        deep: float = 0.0,
        progress: Callable[[int], None] = lambda count: None,
    ) -> bool:
        """Go on from ``point``; whether the audit is over and its index written. Else all is in the folder."""
        audit, lookup.proved = point.audit, point.audit.proved
        join, files = MergeJoin(folder), manifest.Index(folder)
        search = SearchFiles(folder, point.last_archived_at)
        try:
            if point.after is not None or self._gather(join, point, listing, deadline):
                self._compare(join, point, listing, lookup, files, search, deadline, progress)
        except _TimeIsUpError:
            join.flush()
            files.flush()
            search.flush()
            audit.differences.save(folder)
            point.last_archived_at = search.last_archived_at
            return False
        finally:
            audit.proved = lookup.proved
        note_limits(audit, listing, deep, is_versioned=self._inventory.is_versioned())
        audit.finished_at = iso(self._now())
        if not audit.failure and audit.modules == MODULES:
            for path, file, content_type in chain(files.files(), search.files(audit.started_at)):
                self._inventory.write(path, file, content_type)
        return True

    def _gather(self, join: MergeJoin, point: Checkpoint, listing: Listing, deadline: Deadline | None) -> bool:
        """Read Bigin's list and the ledger; whether there is anything to compare with S3."""
        audit = point.audit
        try:
            if not point.is_listed:
                join.add_listed(listing.of_modules(audit.modules))
        except ArchiveError as error:
            join.forget_listed()
            audit.failure = f"Bigin's list could not be read to its end: {error.detail}"
            audit.unlisted.update(audit.modules)
        point.is_listed = True
        try:
            for page in self._ledger.pages(point.scan):
                join.add_entries(entry for entry in page if entry.module in audit.modules)
                _check(deadline, _SAVING_S)
        except ArchiveError as error:
            audit.failure = audit.failure or f"The ledger could not be read to its end: {error.detail}"
            return False
        note_uncovered(audit, listing)
        point.after = ""
        return True

    def _compare(
        self,
        join: MergeJoin,
        point: Checkpoint,
        listing: Listing,
        lookup: ObjectLookup,
        files: manifest.Index,
        search: SearchFiles,
        deadline: Deadline | None,
        progress: Callable[[int], None],
    ) -> None:
        """Compare place after place from where it stands on, and enter each in the index."""
        audit, after = point.audit, point.after or ""
        if point.is_compared:
            return
        folders = ("",) if audit.modules == MODULES else tuple(f"{module}/" for module in audit.modules)
        try:
            views = lookup.views(join.merged(self._inventory.keys(folders, after), after), listing)
            while batch := list(islice(views, self._batch)):
                for known, found in lookup.looked_at_again(batch, listing, audit.lists):
                    audit.add(known, found)
                    files.add(known)
                    search.add(known)
                point.after = batch[-1].position
                progress(audit.compared)
                _check(deadline, _SAVING_S)
        except ArchiveError as error:
            audit.failure = audit.failure or f"S3 could not be read to its end: {error.detail}"
            return
        point.is_compared = True
        _check(deadline, _WRITING_S + _WRITING_EACH_S * audit.compared)


class _TimeIsUpError(Exception):
    """The next slice goes on."""


def _check(deadline: Deadline | None, seconds: float) -> None:
    if deadline and deadline.remaining_s() < seconds:
        raise _TimeIsUpError


def _chooser(deep: float, rotation: int) -> Callable[[str], bool]:
    """The places whose bytes an audit reads again: one part of ``1/deep``, always the same for the same place."""
    if not deep:
        return lambda place: False
    parts = parts_of(deep)
    return lambda place: int.from_bytes(hashlib.sha256(place.encode()).digest()[:8]) % parts == rotation % parts


def _publish(inventory: Inventory, audit: Audit, rotation: int) -> None:
    """Write the report under its own name, and as the last one. Raises StorageUnavailableError, StorageRefusedError.

    ``rotation`` is stored with it.
    """
    about = f"s3://{inventory.bucket}/{inventory.prefix}"
    # The token distinguishes reports of the same second.
    name = f"{REPORTS}{audit.started_at[:19].replace(':', '-')}Z-{secrets.token_hex(3)}"
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
    """The path of the last report, without its extension. A report of some modules never replaces one of everything."""
    return f"{REPORTS}latest" + ("" if set(modules) == set(MODULES) else "-" + "-".join(sorted(modules)))
