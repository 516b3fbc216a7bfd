"""Rows of the ledger, restored from the objects that they are about."""

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from itertools import islice

from bigin_archive.archive_request import ArchiveRequest
from bigin_archive.ledger.ledger import Ledger
from bigin_archive.ledger.ledger_entry import LedgerEntry
from bigin_archive.ledger.restored_copy import RestoredCopy
from bigin_archive.storage.archived_object import ArchivedObject

_BATCH = 100  # rows that are looked up together


@dataclass(slots=True)
class Rebuilt:
    """What a rebuild found: objects, rows that were there, rows restored (or to be), objects that are not ours."""

    objects: int = 0
    known: int = 0
    restored: int = 0
    strange: int = 0


def row_of(found: ArchivedObject, request: ArchiveRequest) -> LedgerEntry:
    """The row that an object stands for; the record's name comes back with the next sweep."""
    return LedgerEntry(
        module=request.module,
        record_id=request.record_id,
        attachment_id=str(request.attachment_id),
        state="link" if found.is_link else "archived",
        key=found.key,
        version_id=found.version_id,
        size_bytes=found.size_bytes,
        sha256=found.sha256,
        archived_at=found.modified_at,
        file_name=found.original_name or found.file_name,
        first_seen=found.modified_at,
    )


def rebuild(
    ledger: Ledger, objects: Iterable[ArchivedObject], *, dry_run: bool, progress: Callable[[int], None]
) -> Rebuilt:
    """Put the rows that are missing; those that are there stay as they are. Raises StorageUnavailableError."""
    rebuilt = Rebuilt()
    for batch in _batches(objects):
        rows: dict[str, LedgerEntry] = {}
        for found in batch:
            request = found.request
            if request and found.is_ours:
                # Of two objects for one attachment the first counts; an audit tells of the other.
                rows.setdefault(request.place, row_of(found, request))
            else:
                rebuilt.strange += 1
        there = ledger.find([row.request for row in rows.values()])
        missing = [row for place, row in rows.items() if place not in there]
        restored = len(missing) if dry_run else sum(ledger.put(row) for row in missing)
        rebuilt.objects += len(batch)
        rebuilt.known += len(rows) - restored
        rebuilt.restored += restored
        progress(rebuilt.objects)
    return rebuilt


def rebuild_restored(ledger: Ledger, files: Iterable[bytes], rebuilt: Rebuilt, *, dry_run: bool) -> None:
    """Put the rows of files that were sent back to Bigin, from what was written beside the objects."""
    for text in files:
        copy = RestoredCopy.from_json(text)
        if copy is None:
            continue
        there = ledger.find([copy.entry.request]).get(copy.entry.request.place)
        is_known = there is not None and there.is_stored
        if not is_known and not dry_run:
            copy.record_in(ledger)
        rebuilt.known += is_known
        rebuilt.restored += not is_known


def _batches(objects: Iterable[ArchivedObject]) -> Iterator[list[ArchivedObject]]:
    rest = iter(objects)
    while batch := list(islice(rest, _BATCH)):
        yield batch
