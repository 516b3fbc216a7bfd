"""The three sides of an audit, merged attachment by attachment.

Bigin's list and the ledger come in any order and may be long, so they are sorted on disk: a million attachments need no
more memory than a thousand. S3's list is sorted.
"""

import heapq
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, fields
from itertools import groupby
from operator import attrgetter, itemgetter
from pathlib import Path

from bigin_archive.archive_request import ArchiveRequest
from bigin_archive.bigin.found_attachment import Found
from bigin_archive.disk.sorted_rows import SortedRows
from bigin_archive.ledger.ledger_entry import LedgerEntry
from bigin_archive.storage.archived_object import place_of
from bigin_archive.storage.version_listing import ListedKey

# dataclasses.astuple copies every value, which takes as long as all the rest.
_ENTRY = attrgetter(*(each.name for each in fields(LedgerEntry)))

_AT = itemgetter(0)


@dataclass(frozen=True, slots=True)
class Joined:
    """The three sides of one place: Bigin's list, the ledger, the keys below it in S3.

    ``position`` is its number in the order of all places.
    """

    place: str
    listed: Found | None = None
    entry: LedgerEntry | None = None
    keys: tuple[ListedKey, ...] = ()
    position: str = ""


class MergeJoin:
    """Bigin's list and the ledger, to be merged with S3. What lies in ``folder`` already counts."""

    def __init__(self, folder: Path) -> None:
        self._listed = SortedRows("listed", folder)
        self._entries = SortedRows("entries", folder)

    def add_listed(self, found: Iterable[Found]) -> None:
        """Take in Bigin's list. What comes twice counts once."""
        for one in found:
            self._listed.add((_position(one.request), one.to_row()))

    def forget_listed(self) -> None:
        """Drop Bigin's list: half a list proves less than none."""
        self._listed.clear()

    def add_entries(self, entries: Iterable[LedgerEntry]) -> None:
        """Take in rows of the ledger."""
        for one in entries:
            self._entries.add((_position(one.request), *_ENTRY(one)))

    def flush(self) -> None:
        """Write what is still in memory."""
        self._listed.flush()
        self._entries.flush()

    def merged(self, keys: Iterable[ListedKey], after: str = "") -> Iterator[Joined]:
        """What is known of each place behind the position ``after``, in order; ``keys`` come in their order."""
        sides = (
            ((at, Found.of_row(row)) for at, row in self._listed.read() if at > after),
            ((at, LedgerEntry(*row)) for at, *row in self._entries.read() if at > after),
            ((at, key) for at, key in ((_sorted_as(key), key) for key in keys) if at > after),
        )
        for position, group in groupby(heapq.merge(*sides, key=_AT), key=_AT):
            listed = entry = None
            stored: list[ListedKey] = []
            for _, item in group:
                if isinstance(item, Found):
                    listed = item
                elif isinstance(item, LedgerEntry):
                    entry = item
                elif isinstance(item, ListedKey):
                    stored.append(item)
            place = position.removesuffix("/") if listed or entry else place_of(position)
            yield Joined(place, listed, entry, tuple(stored), position)


def _position(request: ArchiveRequest) -> str:
    # With the slash, a place stands where S3 puts the keys below it: 1/2/ before 1/20/.
    return f"{request.place}/"


def _sorted_as(found: ListedKey) -> str:
    place = place_of(found.path)
    return found.path if place == found.path else f"{place}/"
