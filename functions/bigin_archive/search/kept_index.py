"""A search index on disk, in columns: a search reads the names at once, and of the rest only the lines that it shows.

The head says how many lines there are and how long the files, so that one that was cut is known.
"""

import json
import mmap
from array import array
from collections.abc import Sequence
from itertools import accumulate
from pathlib import Path
from typing import overload

from bigin_archive.search.search_index import SearchIndex
from bigin_archive.search.search_row import IndexUnreadableError

_HEAD, _NAMES, _IDS, _REST, _ENDS = "head.json", "names", "ids", "rest", "ends"


class _Lines(Sequence[bytes]):
    """Lines of a file, each read when it is asked for; ``ends`` are their ends."""

    def __init__(self, content: mmap.mmap | bytes, ends: Sequence[int]) -> None:
        self._content = content
        self._ends = ends

    def __len__(self) -> int:
        return len(self._ends)

    @overload
    def __getitem__(self, number: int) -> bytes: ...
    @overload
    def __getitem__(self, number: slice) -> Sequence[bytes]: ...
    def __getitem__(self, number: int | slice) -> bytes | Sequence[bytes]:
        if isinstance(number, slice):
            return [self[each] for each in range(*number.indices(len(self)))]
        end = self._ends[number]
        return self._content[self._ends[number - 1] if number else 0 : end]


def save(index: SearchIndex, folder: Path) -> None:
    """Write the index into an empty folder. Raises OSError."""
    sizes = [(folder / _NAMES).write_bytes(index.text), (folder / _IDS).write_bytes(index.ids)]
    with (folder / _REST).open("wb") as file:
        file.writelines(index.rest)
    with (folder / _ENDS).open("wb") as file:
        array("Q", accumulate(map(len, index.rest))).tofile(file)
    (folder / _HEAD).write_text(json.dumps([index.as_of, index.last_archived_at, len(index), *sizes]))


def load(folder: Path) -> SearchIndex:
    """What :func:`save` wrote. Raises OSError, IndexUnreadableError."""
    try:
        as_of, last_archived_at, count, *sizes = json.loads((folder / _HEAD).read_text())
        ends = array("Q", (folder / _ENDS).read_bytes())
        text, ids = (folder / _NAMES).read_bytes(), (folder / _IDS).read_bytes()
    except (ValueError, TypeError) as error:
        raise IndexUnreadableError(str(error)) from None
    with (folder / _REST).open("rb") as file:
        size = file.seek(0, 2)
        content = mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ) if size else b""
    if (len(ends), ends[-1] if ends else 0, sizes) != (count, size, [len(text), len(ids)]):
        raise IndexUnreadableError("lines are missing, or cut")
    return SearchIndex(as_of, last_archived_at, _Lines(content, ends), text, lambda: ids)
