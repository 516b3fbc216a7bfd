"""Archived files on their way to this machine: what is wanted, and its bytes, verified."""

from collections.abc import Iterable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from itertools import groupby
from pathlib import Path

from rich.progress import BarColumn, DownloadColumn, Progress, TextColumn

from bigin_archive.audit.report_html import size
from bigin_archive.errors import ArchiveError, StorageUnavailableError
from bigin_archive.ledger.ledger_entry import LedgerEntry
from bigin_archive.storage.archived_object import ArchivedObject, place_of
from bigin_archive.storage.file_names import UNNAMED
from bigin_archive.storage.inventory import BytesDifferError
from bigin_archive.storage.s3_errors import NoObjectError
from operate import local_files
from operate.local_files import DifferentBytesError
from operate.stack.archive import Archive, translate_errors
from operate.terminal import complain, good, printable, working
from operate.terminal import progress as progress_console

_AT_ONCE = 8  # records; more do not help where Python hashes the bytes with one processor


@dataclass(frozen=True, slots=True)
class Wanted:
    """An object to download, and the ledger's row about it, if there is one."""

    found: ArchivedObject
    folder: Path
    entry: LedgerEntry | None = None

    @property
    def sha256(self) -> str | None:
        """The SHA-256 (hex) with which it was archived. None if it is not known, or S3 has another one."""
        entry, found = self.entry, self.found
        # A version never changes, so if the row names this version, S3's own checksum is the best source.
        is_same = found.version_id is not None and entry is not None and entry.version_id == found.version_id
        if not entry or is_same:
            return found.sha256
        # An object that had no checksum when it was archived, and has one now, was written again.
        return entry.sha256 if found.sha256 in (None, entry.sha256) else None

    @property
    def attachment_id(self) -> str:
        """Which attachment it is; the object of one that was sent back to Bigin lies under its first id."""
        if self.entry:
            return self.entry.attachment_id
        return str(self.found.request.attachment_id) if self.found.request else self.found.file_name

    @property
    def record(self) -> str:
        """Of which record it is, as ``MODULE/ID``; of one that was sent back to Bigin, the record that it is in now."""
        of = self.entry or self.found.request
        return f"{of.module}/{of.record_id}" if of else ""

    @property
    def path(self) -> Path:
        """Where to write it, under the name that it had in Bigin."""
        name = self.found.name
        if name == UNNAMED and self.entry and self.entry.file_name:
            name = self.entry.file_name
        return self.folder / local_files.local_name(name)


def by_id(archive: Archive, ids: Sequence[str], folder: Path) -> Iterator[Wanted]:
    """The attachments that the ledger knows under one of ``ids`` and that have an object."""
    wanted = frozenset(ids)
    if not wanted:
        return
    for entry in archive.ledger.entries():
        if entry.attachment_id in wanted and entry.key:
            yield from _look(archive, entry, folder)


def _look(archive: Archive, entry: LedgerEntry, folder: Path) -> Iterator[Wanted]:
    if found := archive.inventory.head(str(entry.key)):
        yield Wanted(found, folder, entry)


def of_records(archive: Archive, places: Iterable[str], folder: Path, lost: list[str]) -> Iterator[Wanted]:
    """All that is theirs in S3, also what the ledger does not know; and what was sent back to them from elsewhere.

    ``lost`` takes the ids of those whose object is not there.
    """
    for place in places:
        objects = list(archive.inventory.objects((f"{place}/",)))
        entries = _entries(archive, place)
        to = folder / place.replace("/", " ")
        for name, group in groupby(objects, key=lambda found: place_of(found.path)):
            found = list(group)
            entry = entries.get(name)
            named = [each for each in found if entry and each.key == entry.key]
            own = [each for each in found if each.is_ours]
            if named or (entry and entry.key and own):
                yield Wanted((named or own)[0], to, entry)
            elif own:
                # Without a row, the oldest version is the archived one.
                if len(own) > 1:
                    complain(f"{name}: {len(own)} objects; the oldest one is downloaded.")
                yield Wanted(archive.inventory.first_version(name) or own[0], to)
            else:
                complain(f"{name}: {len(found)} objects that this application did not write; not downloaded.")
        there = {place_of(found.path) for found in objects}
        seen = {found.key for found in objects}
        for entry in entries.values():
            if entry.request.place not in there and entry.key and entry.key not in seen:
                seen.add(entry.key)
                found_elsewhere = list(_look(archive, entry, to))
                yield from found_elsewhere
                lost += [] if found_elsewhere else [entry.attachment_id]


def _entries(archive: Archive, place: str) -> dict[str, LedgerEntry]:
    """The ledger's rows of a record, by ``MODULE/RECORD/ATTACHMENT``."""
    try:
        return {entry.request.place: entry for entry in archive.ledger.entries_of(*place.split("/", 1))}
    except StorageUnavailableError as error:
        complain("The ledger cannot be read: only S3's own checksums are compared.", error.detail)
        return {}


def fetch_module(
    archive: Archive, module: str, folder: Path, *, quiet: bool
) -> tuple[list[Wanted], list[Path], list[str]]:
    """Download the files of every record that the ledger or the bucket knows, several records at once.

    Returns what there is, the paths of what succeeded, and the ids of files whose object is not there.
    """
    with working("Looking up the records"), translate_errors("look them up"):
        sizes = _records(archive, module)
    if not sizes:
        complain(f"{module}: no archived file.", "See what there is: bigin-archive find.")
        return [], [], [module]

    # One record is the work of one thread, so that two files of one name never meet.
    def fetch(place: str) -> tuple[str, list[Wanted], list[Path], list[str]]:
        lost: list[str] = []
        try:
            wanted = list(of_records(archive, [place], folder, lost))
        except ArchiveError as error:
            complain(f"{place}: {error.detail}")
            return place, [], [], [place]
        for name in lost:
            complain(f"{printable(name)}: no archived file.", "See what there is: bigin-archive find.")
        paths = [path for one in wanted if (path := _fetched(archive, one, quiet=quiet))]
        return place, wanted, paths, lost

    wanted: list[Wanted] = []
    paths: list[Path] = []
    missing: list[str] = []
    with _progress() as progress, ThreadPoolExecutor(_AT_ONCE) as pool:
        task = progress.add_task(f"Downloading {module}", total=sum(sizes.values()))
        places = sorted(sizes)
        for first in range(0, len(places), 100 * _AT_ONCE):
            for place, there, arrived, lost in pool.map(fetch, places[first : first + 100 * _AT_ONCE]):
                wanted += there
                paths += arrived
                missing += lost
                progress.advance(task, sizes[place])
    return wanted, paths, missing


def _records(archive: Archive, module: str) -> dict[str, int]:
    """The records of a module, and how many bytes of each the ledger knows: rows may be lost, and their files not."""
    sizes: dict[str, int] = {}
    for entry in archive.ledger.entries(segments=4):
        if entry.module == module and entry.key:
            record = f"{module}/{entry.record_id}"
            sizes[record] = sizes.get(record, 0) + (entry.size_bytes or 0)
    for listed in archive.inventory.keys((f"{module}/",)):
        place = place_of(listed.path)
        if listed.may_exist and place != listed.path:
            sizes.setdefault(place.rpartition("/")[0], 0)
    return sizes


def fetch_all(archive: Archive, wanted: Sequence[Wanted], *, quiet: bool) -> list[Path]:
    """Download them; return the paths of those that succeeded."""
    paths = []
    with _progress() as progress:
        task = progress.add_task("Downloading", total=sum(one.found.size_bytes for one in wanted))
        for one in wanted:
            if path := _fetched(archive, one, quiet=quiet):
                paths.append(path)
            progress.advance(task, one.found.size_bytes)
    return paths


def _progress() -> Progress:
    columns = (TextColumn("{task.description}"), BarColumn(), DownloadColumn(binary_units=True))
    console = progress_console()
    return Progress(*columns, console=console, transient=True, disable=not console.is_terminal)


def _fetched(archive: Archive, one: Wanted, *, quiet: bool) -> Path | None:
    """Download one, and say so; None, and why, if it failed."""
    try:
        path = _fetch(archive, one)
    except ArchiveError as error:
        complain(f"{one.attachment_id}: {error.detail}")
    except (DifferentBytesError, BytesDifferError):
        complain(
            f"{one.attachment_id}: the bytes are not the archived ones; nothing was kept.",
            "Run bigin-archive audit. The bucket keeps earlier versions.",
        )
    except NoObjectError:
        complain(f"{one.attachment_id}: the object has gone.", "Run bigin-archive audit: it says what to do.")
    except OSError as error:
        complain(
            f"{one.attachment_id}: it cannot be written here ({error.strerror or type(error).__name__}).",
            "Name another folder with --to, or make room in this one.",
        )
    else:
        if not quiet:
            good(f"{printable(path.name)}, {size(one.found.size_bytes)}")
        return path
    return None


def _fetch(archive: Archive, one: Wanted) -> Path:
    sha256 = one.sha256
    if not sha256:
        raise DifferentBytesError
    request = one.found.request
    marks = [one.attachment_id, f"{request.module} {request.record_id} {request.attachment_id}" if request else ""]
    for path in (one.path, *(local_files.beside(one.path, mark) for mark in marks if mark)):
        if not path.exists():
            local_files.write(path, archive.inventory.blocks(one.found.key, one.found.version_id), sha256)
            return path
        if path.is_file() and local_files.holds(path, sha256):
            return path
    raise FileExistsError(0, "other files have its name", str(one.path))
