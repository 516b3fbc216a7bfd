"""Rows, sorted by their key, however many there are: an external merge sort."""

import heapq
from collections.abc import Iterator, Sequence
from operator import itemgetter
from pathlib import Path
from typing import Any

from bigin_archive.disk import row_file

_RUN = 20_000  # rows in memory at one time: some 15 MB of a ledger's
_KEY = itemgetter(0)


class SortedRows:
    """Rows of JSON's values, each with a text as its first cell: its key.

    They lie in ``folder`` in runs: files of so many sorted rows, merged while they are read. Runs that are there
    already count: what one function wrote, another one goes on with. Keys are compared by code points, as S3 and UTF-8
    do; rows of the same key come in the order in which they were added.
    """

    def __init__(self, name: str, folder: Path, *, descending: bool = False) -> None:
        self._folder = folder
        self._name = name
        self._descending = descending
        self._run: list[tuple[str, bytes]] = []

    def add(self, row: Sequence[Any]) -> None:
        """Take in a row."""
        self._run.append((row[0], row_file.line_of(row)))
        if len(self._run) >= _RUN:
            self.flush()

    def flush(self) -> None:
        """Write what is still in memory."""
        if self._run:
            self._run.sort(key=_KEY, reverse=self._descending)
            row_file.write(row_file.following(self._folder, self._name), (line for _, line in self._run))
            self._run.clear()

    def clear(self) -> None:
        """Forget all rows."""
        self._run.clear()
        for path in row_file.paths(self._folder, self._name):
            path.unlink()

    def __len__(self) -> int:
        self.flush()
        return sum(row_file.count(path) for path in row_file.paths(self._folder, self._name))

    def read(self) -> Iterator[list[Any]]:
        """All rows, in order."""
        self.flush()
        runs = map(row_file.read, row_file.paths(self._folder, self._name))
        return heapq.merge(*runs, key=_KEY, reverse=self._descending)
