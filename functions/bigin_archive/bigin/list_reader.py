"""A list of Bigin, read page by page until it is known to be whole.

Pages are numbered places: what is deleted on a page that was read already moves another entry past the reader, and what
is attached meanwhile stands on no page that is still to come. One page is of one moment. A list of several is read
again until a pass proves the one before by counting: docs/completeness.md says why that is a proof.

Bigin has to say where a list ends: where it says nothing that can be understood, the page behind is asked for, and
where it contradicts itself the list is begun again.
"""

import hashlib
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass, field, fields
from typing import Any, Generic, TypeVar

from bigin_archive import clock
from bigin_archive.bigin.listing import FIRST_PAGE, PAGE_SIZE, Page, Position
from bigin_archive.errors import BiginUnavailableError, PageTokenEndedError

MOST_PASSES = 5  # through a list that changes while it is read
MOST_PAGES = 50_000  # of a list: ten million entries. What shows new ones for ever has no end
_MOST_RESTARTS = 3  # of a list whose page tokens end before it
_MOST_CONTRADICTIONS = 2  # in a row, until the list is left for a while

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
class Pass:
    """What one pass through a list has shown.

    ``pages`` counts those with entries, of which the last was ``is_short`` of a full one; ``unreadable`` the entries
    that could not be read, ``doubles`` those that an earlier page of the pass had shown. ``total`` stands for all
    different entries, ``again`` for those of them that an earlier pass had shown. Of the others, ``older`` were made
    before the pass before began, ``meanwhile`` before it ended. ``began_at`` and ``ended_at`` are Bigin's times of the
    first and the last page, in seconds.
    """

    pages: int = 0
    is_short: bool = False
    unreadable: int = 0
    doubles: int = 0
    total: str = "0"
    again: str = "0"
    older: int = 0
    meanwhile: int = 0
    began_at: str | None = None
    ended_at: str | None = None

    def proves(self, before: "Pass") -> bool:
        """Whether the two passes have shown all that the list held when the one before ended."""
        # More than doubles: where page tokens name an entry, nothing that is attached moves the pages to come. An older
        # one was missed before, or has come back: what it stands for in the count nobody knows.
        return self.again == before.total and self.meanwhile >= before.doubles and not self.older


@dataclass(slots=True)
class Reading:
    """Where the reading of one list stands; a sweep keeps it from one function to the next.

    ``position`` is the page that comes next, None at the end; ``is_promised`` tells that Bigin said that something is
    there. ``passes`` counts those through the whole list, ``contradictions`` those since the last one. ``last_page``
    are digests of the entries read last: another function has to know what it meets twice.
    """

    position: dict[str, str] | None = field(default_factory=lambda: dict(FIRST_PAGE))
    is_promised: bool = False
    passes: int = 0
    this: Pass = field(default_factory=Pass)
    before: Pass | None = None
    last_page: list[str] = field(default_factory=list)
    restarts: int = 0
    contradictions: int = 0
    is_whole: bool = False

    @classmethod
    def stored(cls, stored: Mapping[str, Any] | None) -> "Reading":
        """As :meth:`as_dict` gave it; from the first page on where there is none, or another version wrote it."""
        if stored is None or stored.keys() != {each.name for each in fields(cls)}:
            return cls()
        before = Pass(**stored["before"]) if stored["before"] else None
        return cls(**{**stored, "this": Pass(**stored["this"]), "before": before})

    def as_dict(self) -> dict[str, Any]:
        """For the table."""
        return asdict(self)

    @property
    def is_over(self) -> bool:
        """Whether nothing is left to read; ``is_whole`` says whether the list counts as whole."""
        return self.position is None


class ListReader(Generic[Row]):
    """Reads one list; ``name`` is for messages, ``fetch`` gets the page at a position.

    ``seen`` are the keys that were read before, in another function. ``confirms_empty`` reads a list without entries
    twice: where much hangs on it, one answer is not enough. Nothing is read behind ``most_pages``.
    """

    def __init__(
        self,
        name: str,
        reading: Reading,
        fetch: Callable[[Position], Read[Row]],
        *,
        seen: Iterable[str] = (),
        confirms_empty: bool = False,
        most_pages: int = MOST_PAGES,
    ) -> None:
        self._name = name
        self._reading = reading
        self._fetch = fetch
        self._seen = set(seen)  # in any pass
        self._passed = set(reading.last_page)  # digests of those read in this one
        self._confirms_empty = confirms_empty
        self._most_pages = most_pages

    def rest(self) -> Iterator[Row]:
        """Every entry, each once. Raises as :meth:`next_rows` does."""
        while not self.is_over:
            yield from self.next_rows()

    @property
    def is_over(self) -> bool:
        """Whether nothing is left to read."""
        return self._reading.is_over

    @property
    def doubt(self) -> str | None:
        """Why a list that is over is not whole; None where it is."""
        if unreadable := self._reading.this.unreadable:
            return f"{unreadable} entries of Bigin's list of {self._name} cannot be read."
        if self._reading.this.pages >= self._most_pages:
            return f"Bigin's list of {self._name} has no end: {self._most_pages:,} pages were read."
        return None if self._reading.is_whole else f"Bigin's list of {self._name} changed each time that it was read."

    def next_rows(self) -> list[Row]:
        """Read the next page; return the entries that no page showed before.

        Raises what ``fetch`` does, and BiginUnavailableError where the list contradicts itself and is begun again.
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
        page, this = read.page, reading.this
        entries = {_digest(entry.key): entry for entry in read.entries if entry}
        fresh = {digest: entry for digest, entry in entries.items() if digest not in self._passed}
        goes_on = page.has_more is True or (page.has_more is None and bool(fresh))
        if goes_on and (not fresh or page.following is None):
            return self._contradicted("promises more, and shows nothing new")
        if reading.is_promised and not read.entries:
            return self._contradicted("promises more, and there is nothing")
        if page.has_more is None and not reading.is_promised and self._is_repeated(read.entries, entries):
            self._end_pass(is_told=False)
            return []
        self._passed.update(fresh)
        this.pages += bool(read.entries)
        this.unreadable += len(read.entries) - sum(entry is not None for entry in read.entries)
        this.is_short = len(read.entries) < PAGE_SIZE if read.entries else this.is_short
        this.doubles += len(entries) - len(fresh)
        this.began_at, this.ended_at = this.began_at or page.told_at, page.told_at
        reading.last_page = list(entries)
        self._count(fresh)
        if goes_on and this.pages >= self._most_pages:
            reading.position = None
        elif goes_on:
            reading.position, reading.is_promised = dict(page.following or {}), page.has_more is True
        else:
            self._end_pass(is_told=page.has_more is False)
        found = [entry for entry in entries.values() if entry.key not in self._seen]
        self._seen.update(entry.key for entry in found)
        return [entry.row for entry in found]

    def _is_repeated(self, shown: Sequence[object], entries: Mapping[str, object]) -> bool:
        """Whether this is the short page before once more: a server that knows no pages has nothing behind it."""
        return 0 < len(entries) == len(shown) < PAGE_SIZE and list(entries) == self._reading.last_page

    def _count(self, entries: Mapping[str, Keyed[Row]]) -> None:
        """Enter what this pass shows for the first time."""
        this, before = self._reading.this, self._reading.before
        began, ended = (clock.parse(before.began_at), clock.parse(before.ended_at)) if before else (None, None)
        for digest, entry in entries.items():
            this.total = _plus(this.total, digest)
            if entry.key in self._seen:
                this.again = _plus(this.again, digest)
                continue
            made = clock.parse(entry.created_time)
            if made is None or began is None or ended is None or made < began:
                this.older += 1
            else:
                this.meanwhile += made <= ended

    def _end_pass(self, *, is_told: bool) -> None:
        reading, this = self._reading, self._reading.this
        reading.passes, reading.contradictions = reading.passes + 1, 0
        # One page is of one moment; behind a short one there was nothing that could have moved.
        is_at_once = not self._confirms_empty if not this.pages else this.pages == 1 and (is_told or this.is_short)
        is_proved = is_at_once or (reading.before is not None and this.proves(reading.before))
        if is_proved or reading.passes == MOST_PASSES:
            reading.position, reading.is_whole = None, is_proved and not this.unreadable
        else:
            self._begin_again(this)

    def _contradicted(self, how: str) -> list[Row]:
        """Begin again; each second time in a row, later."""
        self._reading.contradictions += 1
        self._begin_again(None)
        if self._reading.contradictions % _MOST_CONTRADICTIONS == 0:
            raise BiginUnavailableError(f"Bigin's list of {self._name} {how}. Try again later.")
        return []

    def _begin_again(self, before: Pass | None) -> None:
        reading = self._reading
        reading.position, reading.is_promised, reading.last_page = dict(FIRST_PAGE), False, []
        reading.this, reading.before = Pass(), before
        self._passed.clear()


def _digest(key: str) -> str:
    """Of 64 bits: in a list of a million entries no two are alike."""
    return hashlib.blake2b(key.encode(), digest_size=8).hexdigest()


def _plus(total: str, digest: str) -> str:
    """Sums of different sets of entries are different, whatever the order."""
    return f"{int(total, 16) + int(digest, 16):x}"
