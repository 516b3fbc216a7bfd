"""Searches the index of the last audit, or else the ledger, which also has newer files."""

import re
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, field, replace
from pathlib import Path

from bigin_archive.archive_request import ALIASES, MODULES
from bigin_archive.console.archive_files import ArchiveFiles
from bigin_archive.http_errors import IndexUnavailableError
from bigin_archive.ledger.ledger import Ledger
from bigin_archive.ledger.ledger_entry import LedgerEntry
from bigin_archive.ledger.search_row import search_row
from bigin_archive.search.query import Query
from bigin_archive.search.search_row import SearchRow
from operate.find import index_cache

_RECORD = re.compile(rf"({'|'.join((*MODULES, *ALIASES))})/([0-9]{{1,50}})")


@dataclass(slots=True)
class Found:
    """Attachments, the newest first; ``as_of`` is the time of the index, None if the ledger was read."""

    rows: list[SearchRow] = field(default_factory=list)
    as_of: str | None = None
    is_empty: bool = False  # nothing is archived at all


def look(
    text: str,
    query: Query,
    files: ArchiveFiles,
    ledger: Ledger,
    cache: Path,
    *,
    now: bool = False,
    progress: Callable[[int], None] = lambda count: None,
) -> Found:
    """Search the index; search the ledger if the index has nothing, or with ``now``.

    ``MODULE/ID`` names a record; its files are read from the ledger. Raises StorageUnavailableError,
    StorageRefusedError.
    """
    if record := _RECORD.fullmatch(text.strip()):
        entries = ledger.entries_of(ALIASES.get(record[1], record[1]), record[2])
        return _chosen(entries, replace(query, words=()), progress)
    if not now:
        try:
            index = index_cache.load(files, cache)
        except IndexUnavailableError:
            return _chosen(ledger.entries(), query, progress)
        if numbers := index.search(query):
            return Found([index.row(number) for number in numbers], index.as_of)
    return _chosen(ledger.entries(), query, progress)


def _chosen(entries: Iterable[LedgerEntry], query: Query, progress: Callable[[int], None]) -> Found:
    found = Found(is_empty=True)

    def counted() -> Iterator[SearchRow]:
        for count, entry in enumerate(entries, 1):
            found.is_empty = False
            progress(count)
            yield search_row(entry)

    found.rows = [
        row
        for row in counted()
        if query.matches(row.searched(), row.record_id, row.attachment_id)
        and query.chooses(row.module, row.attached_on or "", row.state)
    ]
    found.rows.sort(key=lambda row: (row.attached_on or "", row.attachment_id.zfill(50)), reverse=True)
    return found
