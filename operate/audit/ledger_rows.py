"""Rows of the ledger, restored from objects in S3."""

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from itertools import groupby, islice

from bigin_archive.archive_request import ArchiveRequest
from bigin_archive.ledger.ledger import Ledger
from bigin_archive.ledger.ledger_entry import LedgerEntry, verified_mark
from bigin_archive.ledger.restored_copy import RestoredCopy
from bigin_archive.storage.archived_object import ArchivedObject, place_of
from bigin_archive.storage.inventory import Inventory
from bigin_archive.storage.version_listing import ListedKey

_BATCH = 100  # rows that are looked up together


@dataclass(slots=True)
class Rebuilt:
    """What a rebuild found.

    Counts of objects, of rows that were there, of rows restored (or to be restored), of objects that this application
    did not write, and of attachments with several objects or versions.
    """

    objects: int = 0
    known: int = 0
    restored: int = 0
    strange: int = 0
    several: int = 0


def row_of(found: ArchivedObject, request: ArchiveRequest, at: str) -> LedgerEntry:
    """The row for an object, restored ``at`` AWS's time (ISO 8601, UTC). What Bigin lists of it is not known."""
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
        file_name=found.name.removesuffix(".url") if found.is_link else found.name,
        first_seen=found.modified_at,  # Bigin had it at the latest when it was archived
        state_at=at,
        verified=verified_mark(found) if found.is_ours else None,
    )


def rebuild(
    ledger: Ledger, inventory: Inventory, at: str, *, dry_run: bool, progress: Callable[[int], None]
) -> Rebuilt:
    """Write the rows that are missing; existing rows stay as they are.

    If an attachment has several objects or versions, the oldest one counts; an audit names the others. Raises
    StorageUnavailableError, StorageRefusedError.
    """
    rebuilt = Rebuilt()
    for batch in _batches(_places(inventory)):
        rows: dict[str, LedgerEntry] = {}
        for place in batch:
            rebuilt.objects += place.objects
            rebuilt.strange += place.strange
            if place.true and place.true.request:
                rows[place.true.request.place] = row_of(place.true, place.true.request, at)
                rebuilt.several += place.several
        there = ledger.find([row.request for row in rows.values()])
        missing = [row for name, row in rows.items() if name not in there]
        restored = len(missing) if dry_run else sum(ledger.put(row) for row in missing)
        rebuilt.known += len(rows) - restored
        rebuilt.restored += restored
        progress(rebuilt.objects)
    return rebuilt


@dataclass(frozen=True, slots=True)
class _Place:
    """The objects under the prefix of one attachment: how many, how many foreign ones, and the oldest of its own."""

    objects: int
    strange: int
    true: ArchivedObject | None
    several: bool


def _places(inventory: Inventory) -> Iterator[_Place]:
    groups = ((name, tuple(keys)) for name, keys in groupby(inventory.keys(), key=lambda key: place_of(key.path)))

    def look(group: tuple[str, tuple[ListedKey, ...]]) -> _Place:
        name, keys = group
        found = [each for key in keys if key.may_exist and (each := inventory.head(key.key))]
        own = [each for each in found if each.is_ours]
        several = sum(not version.is_marker for key in keys if key.may_exist for version in key.versions) > 1
        true = inventory.first_version(name) if own and several else next(iter(own), None)
        return _Place(len(found), len(found) - len(own), true, several)

    return (place for _, place in inventory.looked_at(groups, lambda group: group, look) if place)


def rebuild_restored(ledger: Ledger, files: Iterable[bytes], rebuilt: Rebuilt, *, dry_run: bool) -> None:
    """Write the rows of files that were sent back to Bigin, from the notes in the bucket."""
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


def _batches(places: Iterable[_Place]) -> Iterator[list[_Place]]:
    rest = iter(places)
    while batch := list(islice(rest, _BATCH)):
        yield batch
