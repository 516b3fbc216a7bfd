"""What is believed of a list of Bigin, and what is not."""

from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from bigin_archive.bigin.list_reader import MOST_PASSES, Keyed, ListReader, Read, Reading
from bigin_archive.bigin.listing import PAGE_SIZE, Page, Position
from bigin_archive.clock import iso
from bigin_archive.errors import BiginUnavailableError, PageTokenEndedError

NOW = datetime(2026, 1, 31, 9, 30, tzinfo=UTC)
LONG_AGO, LATER = iso(NOW - timedelta(days=30)), iso(NOW + timedelta(hours=1))
UNTOLD = "untold"  # no value: the field is not there


class Account:
    """A list of Bigin, newest first, and what happens to it before each page is read."""

    def __init__(self, count: int, *happens: Callable[["Account"], None]) -> None:
        self.ids = [str(number) for number in range(count)]
        self.made: dict[str, str] = {}
        self.happens = iter(happens)
        self.page_size = PAGE_SIZE
        self.calls = 0

    def fetch(self, position: Position) -> Read[str]:
        self.calls += 1
        next(self.happens, lambda _: None)(self)
        first = (int(position["page"]) - 1) * self.page_size
        ids = self.ids[first : first + self.page_size]
        return self.read(position, ids, more=first + self.page_size < len(self.ids))

    def read(self, position: Position, ids: list[str], more: Any = UNTOLD) -> Read[str]:
        listing = {"info": {} if more is UNTOLD else {"more_records": more}} if ids or more is not UNTOLD else {}
        return Read(Page(listing, position), [Keyed(found, self.made.get(found, LONG_AGO), found) for found in ids])


def read(account: Account, **options: Any) -> tuple[list[str], Reading]:
    reading = Reading.begin(iso(NOW))
    return list(ListReader("Contacts", reading, account.fetch, **options).rest()), reading


def nothing(_: Account) -> None:
    pass


def delete(found: str) -> Callable[[Account], None]:
    return lambda account: account.ids.remove(found)


def attach(found: str, made: str) -> Callable[[Account], None]:
    def happen(account: Account) -> None:
        account.ids.insert(0, found)
        account.made[found] = made

    return happen


@pytest.mark.parametrize(("count", "calls"), [(0, 1), (1, 1), (200, 1), (201, 4), (450, 6)])
def test_a_list_that_holds_still_is_whole(count: int, calls: int) -> None:
    """One page is believed at once, several after a second reading; each entry comes once."""
    account = Account(count)

    found, reading = read(account)

    assert (account.ids, True, calls) == (found, reading.is_whole, account.calls)


def test_what_moved_past_the_reader_is_found() -> None:
    """An entry of the second page that moved to the first, which was read already, comes with the next reading."""
    account = Account(450, nothing, delete("7"))

    found, reading = read(account)

    assert (450, True) == (len(found), reading.is_whole)


def test_a_list_that_never_holds_still_is_not_believed() -> None:
    """After five readings, all of them different, it is over and not whole; what was found is kept."""
    account = Account(450, *(delete(str(number)) for number in range(40)))

    found, reading = read(account)

    assert (False, MOST_PASSES) == (reading.is_whole, reading.passes)
    assert set(account.ids) <= set(found)


def test_what_is_attached_meanwhile_keeps_no_list_from_being_whole() -> None:
    """It belongs to the next list, but is not thrown away."""
    account = Account(450, *(attach(f"new{number}", LATER) for number in range(40)))

    found, reading = read(account)

    assert (True, 2) == (reading.is_whole, reading.passes)
    assert "new3" in found


Change = st.sampled_from(["nothing", "nothing", "nothing", "delete", "attach", "restore"])


# Not random: two readings that change in the same way at the same places look like a list that held still.
@settings(derandomize=True)
@given(count=st.integers(0, 9), changes=st.lists(st.tuples(Change, st.integers(0, 20)), max_size=30))
def test_whole_means_that_nothing_is_missing(count: int, changes: list[tuple[str, int]]) -> None:
    """However a list changes, one that is believed holds every entry that was there all the time."""
    gone: list[tuple[int, str]] = []

    def change(account: Account, what: str, number: int) -> None:
        if what == "delete" and account.ids:
            index = number % len(account.ids)
            gone.append((index, account.ids.pop(index)))
        elif what == "attach":
            account.ids.insert(0, f"new{number}")
        elif what == "restore" and gone:
            index, found = gone.pop()
            account.ids.insert(index, found)

    account = Account(count, *(lambda account, each=each: change(account, *each) for each in changes))
    always = set(account.ids)
    touched: set[str] = set()

    def fetch(position: Position) -> Read[str]:
        found = account.fetch(position)
        touched.update(name for _, name in gone)
        return found

    account.page_size = 2
    reading = Reading.begin(iso(NOW))
    try:
        found = set(ListReader("Contacts", reading, fetch).rest())
    except BiginUnavailableError:
        return  # told as unreadable, which nobody takes for whole

    assert not reading.is_whole or always - touched <= found


class Script:
    """Answers of Bigin, one for each call, the last one for ever."""

    def __init__(self, *pages: tuple[list[str], Any]) -> None:
        self.pages = list(pages)
        self.calls = 0

    def fetch(self, position: Position) -> Read[str]:
        self.calls += 1
        ids, more = self.pages.pop(0) if len(self.pages) > 1 else self.pages[0]
        return Account(0).read(position, ids, more)


FULL, REST = [str(number) for number in range(200)], [str(number) for number in range(200, 251)]


@pytest.mark.parametrize("untold", [UNTOLD, None, "true", "false", 1, {}], ids=repr)
def test_an_end_that_is_not_told_is_looked_for(untold: Any) -> None:
    """Where a full page does not say whether more follows, the next one is asked for, and the list read again."""
    script = Script((FULL, untold), (REST, False), (FULL, untold), (REST, False))
    reading = Reading.begin(iso(NOW))

    found = list(ListReader("Contacts", reading, script.fetch).rest())

    assert (FULL + REST, True, 4) == (found, reading.is_whole, script.calls)


def test_a_short_page_that_tells_nothing_is_the_end_where_nothing_follows() -> None:
    """One more call makes sure of it."""
    script = Script((REST, UNTOLD), ([], UNTOLD))
    reading = Reading.begin(iso(NOW))

    assert REST == list(ListReader("Contacts", reading, script.fetch).rest())
    assert (True, 2) == (reading.is_whole, script.calls)


def test_more_that_was_promised_and_is_not_there_is_asked_for_again() -> None:
    """No content after "more records" is no end: the list is begun again."""
    script = Script((FULL, True), ([], UNTOLD), (FULL, True), (REST, False), (FULL, True), (REST, False))
    reading = Reading.begin(iso(NOW))

    found = list(ListReader("Contacts", reading, script.fetch).rest())

    assert (FULL + REST, True) == (found, reading.is_whole)


@pytest.mark.parametrize(
    "pages",
    [
        [(FULL, True)],
        [(FULL, True), ([], UNTOLD), (FULL, True), ([], UNTOLD)],
        [([], True)],
        [(FULL, True), (REST, True), (FULL, True), (REST, True), (FULL, True), (REST, True), (FULL, True)],
    ],
    ids=["the same page for ever", "nothing behind it", "an empty page and more", "two pages in turn"],
)
def test_a_list_that_contradicts_itself_is_left_for_a_while(pages: list[tuple[list[str], Any]]) -> None:
    """It is begun again once, then it is an error with the list's name, and costs no further call."""
    script = Script(*pages)
    reading = Reading.begin(iso(NOW))

    with pytest.raises(BiginUnavailableError, match="Bigin's list of Contacts promises more"):
        list(ListReader("Contacts", reading, script.fetch).rest())

    assert script.calls <= 6
    assert reading == Reading.begin(iso(NOW))


def test_an_entry_twice_on_a_page_counts_once() -> None:
    """A page may show an entry twice."""
    script = Script((["1", "2", "1"], False))

    assert ["1", "2"] == list(ListReader("Contacts", Reading.begin(iso(NOW)), script.fetch).rest())


def test_an_entry_that_cannot_be_read_costs_no_neighbour() -> None:
    """The others are found, and the list says what is wrong with it."""

    def fetch(position: Position) -> Read[str]:
        page = Page({"info": {"more_records": False}}, position)
        return Read(page, [Keyed("1", LONG_AGO, "1"), None, Keyed("3", LONG_AGO, "3")])

    reader = ListReader("Contacts/5001", Reading.begin(iso(NOW)), fetch)

    assert ["1", "3"] == list(reader.rest())
    assert "1 entries of Bigin's list of Contacts/5001 cannot be read." == reader.doubt


def test_a_list_without_entries_is_read_twice_where_much_hangs_on_it() -> None:
    """One wrong answer does not make a module empty."""
    script = Script(([], UNTOLD), (REST, False))

    found = list(ListReader("Contacts", Reading.begin(iso(NOW)), script.fetch, confirms_empty=True).rest())

    assert REST == found
    empty = Script(([], UNTOLD))
    assert [] == list(ListReader("Contacts", Reading.begin(iso(NOW)), empty.fetch, confirms_empty=True).rest())
    assert 2 == empty.calls


def test_a_reading_goes_on_in_another_function() -> None:
    """Stored after each page, it comes to the same list with the same calls."""
    account = Account(450)
    stored, found = Reading.begin(iso(NOW)), []

    while not stored.is_over:
        reading = Reading(**stored.as_dict())
        found += ListReader("Contacts", reading, account.fetch, seen=found).next_rows()
        stored = reading

    assert (account.ids, True, 6) == (found, stored.is_whole, account.calls)


def test_page_tokens_that_always_end_too_early_end_the_list() -> None:
    """It is begun again three times, then it is over and not whole."""

    def fetch(position: Position) -> Read[str]:
        if position != {"page": "1"}:
            raise PageTokenEndedError("ended")
        return Account(0).read(position, FULL, more=True)

    reading = Reading.begin(iso(NOW))

    assert FULL == list(ListReader("Contacts", reading, fetch).rest())
    assert not reading.is_whole
