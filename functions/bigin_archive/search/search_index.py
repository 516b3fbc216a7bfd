"""The search index: a line for each attachment, the newest first, in ``{prefix}_index/search.tsv.gz``.

It is a table of tab-separated values in UTF-8, gzipped. The first line names the format, the time up to which it is
whole, when a file was archived last, and the number of attachments; the second one names the columns.
The column ``search`` holds the record's name and the file's, folded: a reader folds nothing, and looks at one column
for words, at two more for numbers.
"""

import gzip
import io
import re
import tempfile
import zlib
from array import array
from bisect import bisect_left
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from itertools import repeat
from pathlib import Path
from typing import IO

from bigin_archive.disk.sorted_rows import SortedRows
from bigin_archive.search.query import Query
from bigin_archive.search.search_row import COLUMNS, IndexUnreadableError, SearchRow

PATH, TYPE = "_index/search.tsv.gz", "application/gzip"
_RECENT_WORDS = 64  # one that all of 150,000 rows hold takes 0.6 MB
FORMAT = "bigin-archive-search 1"


class SearchIndexWriter:
    """Rows in, in any order; the index out.

    They are sorted on disk, so that memory stays the same for a million. What lies in ``folder`` already counts.
    """

    def __init__(self, folder: Path) -> None:
        self._rows = SortedRows("search", folder, descending=True)

    def add(self, row: SearchRow) -> None:
        """Take in one attachment."""
        line = row.line().encode(errors="replace").decode()
        # Of one day the higher id is the newer one.
        self._rows.add((f"{row.attached_on or '':10}{row.attachment_id.zfill(50)}", line))

    def flush(self) -> None:
        """Write what is still in memory."""
        self._rows.flush()

    def lines(self) -> Iterator[str]:
        """All rows, the newest first."""
        for _, line in self._rows.read():
            yield line

    def head(self, as_of: str, last_archived_at: str | None) -> str:
        """The first line; ``as_of`` and ``last_archived_at`` are ISO 8601 in UTC."""
        return "\t".join((FORMAT, as_of, last_archived_at or "", str(len(self._rows))))

    def write(self, as_of: str, last_archived_at: str | None) -> IO[bytes]:
        """The index as an open temporary file, at its end."""
        file: IO[bytes] = tempfile.TemporaryFile()  # noqa: SIM115 - closed by whoever stores it
        # No name and no time inside: the same rows make the same bytes.
        with (
            gzip.GzipFile(filename="", mode="wb", compresslevel=6, fileobj=file, mtime=0) as packed,
            io.TextIOWrapper(packed, encoding="utf-8", newline="\n") as text,
        ):
            text.write(f"{self.head(as_of, last_archived_at)}\n" + "\t".join(COLUMNS) + "\n")
            text.writelines(f"{line}\n" for line in self.lines())
        return file


@dataclass(frozen=True)
class SearchIndex:
    """The index in memory: some 400 bytes an attachment. Rows are told by their number, 0 the newest.

    ``text`` holds the first column, a line each, ``rest`` the others, both as UTF-8: that takes a byte for most
    letters, where ``str`` takes up to four for all of a line. ``made_ids`` makes the two ids of each row, a line each.
    """

    as_of: str
    last_archived_at: str | None
    rest: Sequence[bytes] = field(repr=False)
    text: bytes = field(repr=False)
    made_ids: Callable[[], bytes] | None = field(default=None, repr=False)

    def __len__(self) -> int:
        return len(self.rest)

    def search(self, query: Query) -> Sequence[int]:
        """The numbers of the rows that match, in order."""
        found: Sequence[int] = range(len(self.rest))
        for place, word in enumerate(query.words):
            sought = word.encode(errors="replace")
            # The words begin with the longest, so that the others look at few rows.
            if not place:
                found = self._all_with(sought)
            elif word.isdigit():
                names, rest = self.names, self.rest
                # Most rows do not hold it at all: that is seen fastest.
                found = [
                    number
                    for number in found
                    if sought in names[number] or (sought in rest[number] and _has_id(rest[number], sought))
                ]
            else:
                found = [number for number in found if sought in self.names[number]]
        return found if query.is_of_all else [number for number in found if self._is_chosen(number, query)]

    def row(self, number: int) -> SearchRow:
        """One row. Raises IndexUnreadableError, IndexError."""
        try:
            return SearchRow.from_line(f"\t{self.rest[number].decode()}")
        except UnicodeDecodeError:
            raise IndexUnreadableError("a line is no UTF-8") from None

    @cached_property
    def names(self) -> Sequence[bytes]:
        """The first column; made for the first search of two words."""
        return self.text.split(b"\n")

    @cached_property
    def ids(self) -> bytes:
        """The ids of each row, a line each; made for the first number that is looked for."""
        if self.made_ids:
            return self.made_ids()
        return b"\n".join(b" ".join(line.split(b"\t", 2)[:2]) for line in self.rest)

    @cached_property
    def _in_names(self) -> "_Lines":
        return _Lines(self.text)

    @cached_property
    def _in_ids(self) -> "_Lines":
        return _Lines(self.ids)

    @cached_property
    def _recent(self) -> dict[bytes, Sequence[int]]:
        """What was found of the last words: of a second page, another filter, and one more word that is typed."""
        return {}

    def _all_with(self, word: bytes) -> Sequence[int]:
        if (known := self._recent.get(word)) is not None:
            return known
        found: Iterable[int] = self._in_names.holding(word)
        if word.isdigit():  # whatever else a word holds, it is in no id
            found = sorted({*found, *self._in_ids.holding(word)})
        if len(self._recent) == _RECENT_WORDS:
            self._recent.clear()
        self._recent[word] = numbers = array("I", found)  # four bytes each
        return numbers

    def _is_chosen(self, number: int, query: Query) -> bool:
        _, _, module, day, state, _ = self.rest[number].split(b"\t", 5)
        return query.chooses(module.decode(), day.decode(), state.decode())


def read(lines: Iterable[bytes]) -> SearchIndex:
    """The index from its unpacked lines. Raises IndexUnreadableError, also where the lines end too early."""
    names: list[bytes] = []
    rest: list[bytes] = []
    try:
        rows = iter(lines)
        head = next(rows, b"").decode().rstrip("\n").split("\t")
        columns = next(rows, b"").decode().rstrip("\n")
        if len(head) != 4 or head[0] != FORMAT or columns != "\t".join(COLUMNS):
            raise IndexUnreadableError("it is none of this version")
        for line in rows:
            sought, _, others = line.partition(b"\t")
            names.append(sought)
            rest.append(others[:-1])
        expected = int(head[3])
    except (OSError, EOFError, zlib.error, ValueError) as error:  # gzip's own, and text that is none
        raise IndexUnreadableError(f"it cannot be unpacked ({type(error).__name__})") from None
    if len(rest) != expected or any(line.count(b"\t") != len(COLUMNS) - 2 for line in rest):
        raise IndexUnreadableError("lines are missing, or cut")
    return SearchIndex(head[1], head[2] or None, rest, b"\n".join(names))


def _has_id(line: bytes, word: bytes) -> bool:
    """Whether one of the two ids at the beginning of a line holds a number."""
    end = line.find(b"\t", line.find(b"\t") + 1)
    return line.find(word, 0, end) >= 0


class _Lines:
    """A text whose lines are told by their number."""

    def __init__(self, text: bytes) -> None:
        self._text = text
        self._ends = array("Q", (end.start() for end in re.finditer(b"\n", text)))  # 8 bytes for a line

    def holding(self, word: bytes) -> Iterable[int]:
        """The lines that hold a word, in order."""
        places = [found.start() for found in re.finditer(re.escape(word), self._text)]
        return dict.fromkeys(map(bisect_left, repeat(self._ends), places))


def unpack(file: IO[bytes]) -> SearchIndex:
    """The index from its gzipped file. Raises IndexUnreadableError."""
    with gzip.GzipFile(fileobj=file) as packed:
        return read(packed)
