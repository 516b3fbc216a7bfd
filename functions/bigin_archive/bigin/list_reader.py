"""A list of Bigin, read page by page until it is known to be whole.

Pages are numbered places: what is deleted on a page that was read already moves another entry past the reader. So a
list of several pages is read again, until two readings in a row show the same; one page is of one moment. Bigin has to
say where a list ends: where it says nothing that can be understood, the page behind is asked for, and where it
contradicts itself the list is begun again.
"""

import hashlib
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import asdict, dataclass
from typing import Any, Generic, TypeVar

from bigin_archive import clock
from bigin_archive.bigin.listing import FIRST_PAGE, PAGE_SIZE, Page, Position
from bigin_archive.errors import BiginUnavailableError, PageTokenEndedError

MOST_PASSES = 5  # through a list that changes while it is read
_MOST_RESTARTS = 3  # of a list whose page tokens end before it
_MOST_CONTRADICTIONS = 2  # in a row, until the list is left for a while
_TOTALS = 2**128

Row = TypeVar("Row")


@dataclass(frozen=True, slots=True)
class Keyed(Generic[Row]):
    """One entry of a list: what tells it from all others there, when it was made (as Bigin sent it), and itself."""

    key: str
    created_time: str | None
    row: Row


@dataclass(frozen=True, slots=True)
class Read(Generic[Row]):
    """One page with its entries; None stands for one that cannot be read."""

    page: Page
    entries: Sequence[Keyed[Row] | None]


@dataclass(slots=True)
class Reading:
    """Where the reading of one list stands; a sweep keeps it from one function to the next.

    ``began_at`` is ours (ISO 8601), ``position`` the page that comes next, None at the end; ``is_promised`` tells that
    Bigin said that something is there. ``passes`` counts those through the whole list, ``pages`` those of this pass
    that had entries, of which the last was ``is_short`` of a full one. ``total`` stands for the entries of this pass,
    ``total_before`` for those of the pass before; ``unreadable`` counts those of the pass that could not be read.
    """

    began_at: str
    position: dict[str, str] | None
    is_promised: bool = False
    passes: int = 0
    pages: int = 0
    is_short: bool = False
    total: str = "0"
    total_before: str | None = None
    unreadable: int = 0
    restarts: int = 0
    contradictions: int = 0
    is_whole: bool = False

    @classmethod
    def begin(cls, now: str) -> "Reading":
        """From the first page on."""
        return cls(now, dict(FIRST_PAGE))

    def as_dict(self) -> dict[str, Any]:
        """For the table; ``Reading(**it)`` reads it back."""
        return asdict(self)

    @property
    def is_over(self) -> bool:
        """Whether nothing is left to read; ``is_whole`` tells whether the list can be believed."""
        return self.position is None


class ListReader(Generic[Row]):
    """Reads one list. ``fetch`` gets the page at a position.

    ``seen`` are the keys that were read before, in another function. ``confirms_empty`` reads a list without entries
    twice: where much hangs on it, one answer is not enough.
    """

    def __init__(
        self,
        name: str,
        reading: Reading,
        fetch: Callable[[Position], Read[Row]],
        *,
        seen: Iterable[str] = (),
        confirms_empty: bool = False,
    ) -> None:
        """``name`` is the list's, for messages."""
        self._name = name
        self._reading = reading
        self._fetch = fetch
        self._seen = set(seen)  # in any pass
        self._passed: set[str] = set()  # in this one
        self._confirms_empty = confirms_empty

    def rest(self) -> Iterator[Row]:
        """Every entry, each once. Raises as :meth:`next_rows` does."""
        while not self._reading.is_over:
            yield from self.next_rows()

    @property
    def doubt(self) -> str | None:
        """Why a list that is over is not whole; None where it is."""
        if self._reading.is_whole:
            return None
        if self._reading.unreadable:
            return f"{self._reading.unreadable} entries of Bigin's list of {self._name} cannot be read."
        return f"Bigin's list of {self._name} changed each time that it was read."

    def next_rows(self) -> list[Row]:
        """Read the next page; return the entries that no page showed before.

        Raises BiginUnavailableError where the list contradicts itself, after which it can be read from its beginning,
        and what ``fetch`` raises.
        """
        reading = self._reading
        try:
            read = self._fetch(reading.position or FIRST_PAGE)
        except PageTokenEndedError:
            reading.restarts += 1
            self._begin_again(None)
            if reading.restarts > _MOST_RESTARTS:
                reading.position = None
            return []
        page = read.page
        entries = {entry.key: entry for entry in read.entries if entry}
        fresh = [entry for key, entry in entries.items() if key not in self._passed]
        goes_on = page.has_more is True or (page.has_more is None and bool(fresh))
        if goes_on and (not fresh or page.following is None):
            return self._contradicted("promises more, and shows nothing new")
        if reading.is_promised and not read.entries:
            return self._contradicted("promises more, and there is nothing")
        self._passed.update(entry.key for entry in fresh)
        reading.pages += bool(read.entries)
        reading.unreadable += len(read.entries) - sum(entry is not None for entry in read.entries)
        reading.is_short = len(read.entries) < PAGE_SIZE if read.entries else reading.is_short
        self._add(fresh)
        if goes_on:
            reading.position, reading.is_promised = dict(page.following or {}), page.has_more is True
        else:
            self._end_pass(is_told=page.has_more is False)
        found = [entry for entry in fresh if entry.key not in self._seen]
        self._seen.update(entry.key for entry in found)
        return [entry.row for entry in found]

    def _add(self, entries: Iterable[Keyed[Row]]) -> None:
        """Sum up what the list held when it was begun: what was made meanwhile moves nothing out of sight."""
        began = clock.parse(self._reading.began_at)
        total = int(self._reading.total, 16)
        for entry in entries:
            made = clock.parse(entry.created_time)
            if began is None or made is None or made <= began + clock.SKEW:
                total += int.from_bytes(hashlib.blake2b(entry.key.encode(), digest_size=16).digest())
        self._reading.total = f"{total % _TOTALS:x}"

    def _end_pass(self, *, is_told: bool) -> None:
        reading = self._reading
        reading.passes, reading.contradictions = reading.passes + 1, 0
        # One page is of one moment; behind a short one there was nothing that could have moved.
        is_at_once = (
            not self._confirms_empty if not reading.pages else reading.pages == 1 and (is_told or reading.is_short)
        )
        is_still = is_at_once or reading.total == reading.total_before
        if is_still or reading.passes == MOST_PASSES:
            reading.position, reading.is_whole = None, is_still and not reading.unreadable
        else:
            self._begin_again(reading.total)

    def _contradicted(self, how: str) -> list[Row]:
        """Begin again; for the second time in a row, later."""
        self._reading.contradictions += 1
        self._begin_again(None)
        if self._reading.contradictions == _MOST_CONTRADICTIONS:
            self._reading.contradictions = 0
            raise BiginUnavailableError(f"Bigin's list of {self._name} {how}. Try again later.")
        return []

    def _begin_again(self, total_before: str | None) -> None:
        reading = self._reading
        reading.position, reading.is_promised = dict(FIRST_PAGE), False
        reading.pages, reading.unreadable = 0, 0
        reading.total, reading.total_before = "0", total_before
        self._passed.clear()
