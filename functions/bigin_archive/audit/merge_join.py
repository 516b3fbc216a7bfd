"""The three sides of an audit, merged attachment by attachment.

Bigin's list and the ledger come in any order and may be long, so they go through a temporary SQLite database, which
sorts them on disk: memory stays the same for a thousand attachments and for a million. S3 lists in order by itself.
"""

import heapq
import json
import sqlite3
from collections.abc import Iterable, Iterator
from dataclasses import astuple, dataclass, fields
from itertools import groupby
from operator import attrgetter
from typing import Self

from bigin_archive.archive_request import ArchiveRequest
from bigin_archive.bigin.account_listing import Found
from bigin_archive.bigin.listing import Link, ListedAttachment
from bigin_archive.ledger.ledger_entry import LedgerEntry
from bigin_archive.storage.archived_object import place_of
from bigin_archive.storage.version_listing import ListedKey

_BATCH = 500  # rows
# dataclasses.astuple copies every value, which takes as long as all the rest.
_ENTRY = attrgetter(*(each.name for each in fields(LedgerEntry)))


@dataclass(frozen=True, slots=True)
class Joined:
    """The three sides of one place: Bigin's list, the ledger, the keys below it in S3."""

    place: str
    listed: Found | None = None
    entry: LedgerEntry | None = None
    keys: tuple[ListedKey, ...] = ()


class MergeJoin:
    """Bigin's list and the ledger, to be merged with S3. A context manager: its file is gone at the end."""

    def __init__(self) -> None:
        # An empty name: a temporary file, used only once the cache is full (SQLite, "Temporary databases").
        self._database = sqlite3.connect("")
        for side in ("listed", "entries"):
            self._database.execute(f"CREATE TABLE {side} (place TEXT PRIMARY KEY, row TEXT) WITHOUT ROWID")

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self._database.close()

    def add_listed(self, found: Iterable[Found]) -> int:
        """Take in Bigin's list; return how many entries it has. What comes twice counts once."""
        return self._add("listed", ((_sort_key(one.request), _found_row(one)) for one in found))

    def forget_listed(self) -> None:
        """Drop Bigin's list: half a list proves less than none."""
        self._database.execute("DELETE FROM listed")

    def add_entries(self, entries: Iterable[LedgerEntry]) -> int:
        """Take in the ledger; return how many rows it has."""
        return self._add("entries", ((_sort_key(one.request), json.dumps(_ENTRY(one))) for one in entries))

    def merged(self, keys: Iterable[ListedKey]) -> Iterator[Joined]:
        """What is known of each place, in order; ``keys`` come in their order."""
        sides = (
            ((place, _found(row)) for place, row in self._rows("listed")),
            ((place, LedgerEntry(*json.loads(row))) for place, row in self._rows("entries")),
            ((_sorted_as(key), key) for key in keys),
        )
        for place, group in groupby(heapq.merge(*sides, key=lambda item: item[0]), key=lambda item: item[0]):
            listed = entry = None
            stored: list[ListedKey] = []
            for _, item in group:
                if isinstance(item, Found):
                    listed = item
                elif isinstance(item, LedgerEntry):
                    entry = item
                elif isinstance(item, ListedKey):
                    stored.append(item)
            yield Joined(place.removesuffix("/") if listed or entry else place_of(place), listed, entry, tuple(stored))

    def _add(self, side: str, rows: Iterator[tuple[str, str]]) -> int:
        statement = f"INSERT OR REPLACE INTO {side} VALUES (?, ?)"  # noqa: S608 - one of two names of ours
        with self._database:
            self._database.executemany(statement, rows)
        (count,) = self._database.execute(f"SELECT count(*) FROM {side}").fetchone()  # noqa: S608 - the same
        return int(count)

    def _rows(self, side: str) -> Iterator[tuple[str, str]]:
        cursor = self._database.execute(f"SELECT place, row FROM {side} ORDER BY place")  # noqa: S608 - the same
        while rows := cursor.fetchmany(_BATCH):
            yield from rows


def _sort_key(request: ArchiveRequest) -> str:
    # With the slash, a place stands where S3 puts the keys below it: 1/2/ before 1/20/.
    return f"{request.place}/"


def _sorted_as(found: ListedKey) -> str:
    place = place_of(found.path)
    return found.path if place == found.path else f"{place}/"


def _found_row(found: Found) -> str:
    listed, request = found.listed, found.request
    return json.dumps([request.module, request.record_id, found.record_name, *astuple(listed)])


def _found(row: str) -> Found:
    module, record_id, record_name, attachment_id, size_bytes, link, *rest = json.loads(row)
    listed = ListedAttachment(attachment_id, size_bytes, Link(*link) if link else None, *rest)
    return Found(ArchiveRequest(module, record_id, attachment_id, listed.hints), record_name, listed)
