"""Bigin's lists: when a list counts as whole."""

import itertools
from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bigin_archive.bigin.list_reader import MOST_PASSES, Keyed, ListReader, Read, Reading
from bigin_archive.bigin.listing import PAGE_SIZE, Page, Position
from bigin_archive.clock import iso
from bigin_archive.errors import BiginUnavailableError, PageTokenEndedError

NOW = datetime(2026, 1, 31, 9, 30, tzinfo=UTC)
LONG_AGO = iso(NOW - timedelta(days=30))
UNTOLD = "untold"  # no value: the field is not there


class Account:
    """A list of Bigin, newest first, and what happens to it before each page is read; Bigin's clock ticks with each."""

    def __init__(self, count: int, *happens: Callable[["Account"], None]) -> None:
        self.ids = [str(number) for number in range(count)]
        self.made: dict[str, str] = {}
        self.happens = iter(happens)
        self.page_size = PAGE_SIZE
        self.calls = self.ticks = 0

    def fetch(self, position: Position) -> Read[str]:
        self.calls += 1
        next(self.happens, lambda _: None)(self)
        first = (int(position["page"]) - 1) * self.page_size
        ids = self.ids[first : first + self.page_size]
        return self.read(position, ids, more=first + self.page_size < len(self.ids))

    def read(self, position: Position, ids: list[str], more: Any = UNTOLD) -> Read[str]:
        listing = {"info": {} if more is UNTOLD else {"more_records": more}} if ids or more is not UNTOLD else {}
        page = Page(listing, position, self.tick())
        return Read(page, [Keyed(found, self.made.get(found, LONG_AGO), found) for found in ids])

    def attach(self, found: str, index: int = 0) -> None:
        self.ids.insert(index, found)
        self.made[found] = self.tick()

    def tick(self) -> str:
        self.ticks += 1
        return iso(NOW + timedelta(seconds=self.ticks))


def read(account: Account, **options: Any) -> tuple[list[str], Reading]:
    reading = Reading()
    return list(ListReader("Contacts", reading, account.fetch, **options).rest()), reading


def read_in_slices(account: Account) -> tuple[list[str], Reading]:
    """One function for each page: what the next one knows is what was stored."""
    stored, found = Reading(), []
    while not stored.is_over:
        reading = Reading.stored(stored.as_dict())
        found += ListReader("Contacts", reading, account.fetch, seen=found).next_rows()
        stored = reading
    return found, stored


Reader = Callable[[Account], tuple[list[str], Reading]]
in_one_go_and_in_slices = pytest.mark.parametrize("read_all", [read, read_in_slices], ids=["in one go", "in slices"])


def nothing(_: Account) -> None:
    pass


def delete(found: str) -> Callable[[Account], None]:
    return lambda account: account.ids.remove(found)


def attach(found: str) -> Callable[[Account], None]:
    return lambda account: account.attach(found)


@pytest.mark.parametrize(("count", "calls"), [(0, 1), (1, 1), (200, 1), (201, 4), (450, 6)])
def test_a_list_that_holds_still_is_whole(count: int, calls: int) -> None:
    """A list of one page is whole at once, a longer one after a second pass; each entry comes once."""
    account = Account(count)

    found, reading = read(account)

    assert (account.ids, True, calls) == (found, reading.is_whole, account.calls)


def test_what_moved_past_the_reader_is_found() -> None:
    """An entry of the second page that moved to the first, which was read already, comes with the next reading."""
    account = Account(450, nothing, delete("7"))

    found, reading = read(account)

    assert (450, True) == (len(found), reading.is_whole)


def test_a_list_that_never_holds_still_is_not_believed() -> None:
    """After five different passes the list is not whole. The entries that were found are kept."""
    account = Account(450, *(delete(str(number)) for number in range(40)))

    found, reading = read(account)

    assert (False, MOST_PASSES) == (reading.is_whole, reading.passes)
    assert set(account.ids) <= set(found)


@in_one_go_and_in_slices
@pytest.mark.parametrize("attached", [1, 2, 150])
def test_what_is_attached_meanwhile_keeps_no_list_from_being_whole(read_all: Reader, attached: int) -> None:
    """If entries are only added, two passes are enough, and the new entries are kept."""

    def attach_some(account: Account) -> None:
        for number in range(attached):
            account.attach(f"new{account.calls}-{number}")

    account = Account(450, *[attach_some] * 40)

    found, reading = read_all(account)

    assert (True, 2) == (reading.is_whole, reading.passes)
    assert {str(number) for number in range(450)} | {"new3-0"} <= set(found)


@in_one_go_and_in_slices
def test_two_passes_that_change_alike_prove_nothing(read_all: Reader) -> None:
    """In both passes something is attached before the first page and deleted after it, so both miss the same entry."""
    account = Account(450, attach("a"), delete("a"), nothing, attach("b"), delete("b"))

    found, reading = read_all(account)

    assert (450 + 2, True, 4) == (len(found), reading.is_whole, reading.passes)


@in_one_go_and_in_slices
def test_what_was_never_seen_and_is_gone_again_hides_nothing(read_all: Reader) -> None:
    """Something is attached and deleted between two pages. No page shows it, but another entry is missed because of
    it.
    """
    ghost, again = [nothing, attach("a"), delete("a")], [attach("b"), nothing, delete("b")]
    account = Account(450, *ghost, *again)

    found, reading = read_all(account)

    assert reading.is_whole
    assert set(account.ids) <= set(found)


@pytest.mark.parametrize("attached", [1, 150])
def test_page_tokens_that_name_an_entry_are_no_obstacle(attached: int) -> None:
    """If the token of a page names an entry, additions above it move nothing, and no entry is met twice."""
    account = Account(450)

    def fetch(position: Position) -> Read[str]:
        for number in range(attached):
            account.attach(f"new{account.ticks}-{number}")
        first = account.ids.index(position["page_token"]) + 1 if "page_token" in position else 0
        ids = account.ids[first : first + PAGE_SIZE]
        more = {"more_records": first + PAGE_SIZE < len(account.ids), "next_page_token": ids[-1]}
        found = account.read(position, ids)
        return replace(found, page=replace(found.page, listing={"info": more}))

    reading = Reading()
    found = list(ListReader("Contacts", reading, fetch).rest())

    assert (True, 2) == (reading.is_whole, reading.passes)
    assert {str(number) for number in range(450)} <= set(found)


def test_as_many_new_ones_make_up_for_none_that_was_missed() -> None:
    """An entry that was created after a pass does not explain an entry that the pass missed."""
    account = Account(450, nothing, attach("a"), delete("a"), attach("b"), nothing, delete("b"))
    reading = Reading()
    reader = ListReader("Contacts", reading, account.fetch)

    while reading.passes < 2:
        reader.next_rows()

    assert not reading.is_whole


@pytest.mark.parametrize("made", [None, "yesterday", "2026-01-31T09:30:00"], ids=repr)
def test_an_entry_without_a_time_may_have_been_missed(made: str | None) -> None:
    """If an entry has no time of creation, the list is read once more."""

    def attach_untold(account: Account) -> None:
        account.attach("new")
        account.made["new"] = made or ""

    account = Account(450, nothing, nothing, nothing, attach_untold)

    _, reading = read(account)

    assert (True, 3) == (reading.is_whole, reading.passes)


def test_what_was_stored_by_another_version_is_begun_again() -> None:
    """After a deployment with another rule, a half-read list is begun again."""
    assert Reading() == Reading.stored({"began_at": iso(NOW), "position": {"page": "3"}, "total": "0", "passes": 1})
    assert Reading() == Reading.stored(None)


Change = st.sampled_from(["nothing", "nothing", "nothing", "delete", "attach", "attach below", "restore", "touch"])


@in_one_go_and_in_slices
@given(count=st.integers(0, 9), changes=st.lists(st.tuples(Change, st.integers(0, 20)), max_size=30))
def test_whole_means_that_nothing_is_missing(read_all: Reader, count: int, changes: list[tuple[str, int]]) -> None:
    """However a list changes, one that is believed holds every entry that was there all the time."""
    bin_of_before = ["old1", "old2"]
    touched: set[str] = set()

    def change(account: Account, what: str, number: int) -> None:
        index = number % max(1, len(account.ids))
        if what == "delete" and account.ids:
            touched.add(account.ids.pop(index))
        elif what == "attach":
            account.attach(f"new{number} {account.ticks}")
        elif what == "attach below":
            account.attach(f"new{number} {account.ticks}", index)
        elif what == "restore" and bin_of_before:
            account.ids.insert(index, bin_of_before.pop())
        elif what == "touch" and account.ids:  # as where a list is sorted by its last change
            account.ids.insert(0, account.ids.pop(index))

    account = Account(count, *(lambda account, each=each: change(account, *each) for each in changes))
    always = set(account.ids)
    account.page_size = 2
    try:
        found, reading = read_all(account)
    except BiginUnavailableError:
        return  # told as unreadable, which nobody takes for whole

    assert not reading.is_whole or always - touched <= set(found)


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
    reading = Reading()

    found = list(ListReader("Contacts", reading, script.fetch).rest())

    assert (FULL + REST, True, 4) == (found, reading.is_whole, script.calls)


def test_a_short_page_that_tells_nothing_is_the_end_where_nothing_follows() -> None:
    """A short page that says nothing of more is the end if the next one is empty, which costs one more call."""
    script = Script((REST, UNTOLD), ([], UNTOLD))
    reading = Reading()

    assert REST == list(ListReader("Contacts", reading, script.fetch).rest())
    assert (True, 2) == (reading.is_whole, script.calls)


def test_a_server_that_knows_no_pages_has_one() -> None:
    """A server that sends the same short page whatever is asked for has a list of one page."""
    script = Script((REST, UNTOLD), (REST, UNTOLD))
    reading = Reading()

    assert REST == list(ListReader("Contacts", reading, script.fetch).rest())
    assert (True, 2) == (reading.is_whole, script.calls)


def test_a_full_page_that_comes_twice_is_no_end() -> None:
    """A full page that comes twice is not taken for the end: others may have been attached meanwhile."""
    script = Script(*[(FULL, UNTOLD)] * 20)
    reading = Reading()

    assert FULL == list(ListReader("Contacts", reading, script.fetch).rest())
    assert not reading.is_whole


def test_more_that_was_promised_and_is_not_there_is_asked_for_again() -> None:
    """An empty answer after "more records" is no end: the list is begun again."""
    script = Script((FULL, True), ([], UNTOLD), (FULL, True), (REST, False), (FULL, True), (REST, False))
    reading = Reading()

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
    """The list is begun again once. After that it is an error that names the list, and costs no further call."""
    script = Script(*pages)
    reading = Reading()

    with pytest.raises(BiginUnavailableError, match="Bigin's list of Contacts promises more"):
        list(ListReader("Contacts", reading, script.fetch).rest())

    assert script.calls <= 6
    assert reading == Reading(contradictions=2)


def test_a_list_without_an_end_is_left() -> None:
    """Each page shows something new and promises more: behind a number of pages nothing is asked for."""
    reading, numbers = Reading(), itertools.count()

    def fetch(position: Position) -> Read[str]:
        key = str(next(numbers))
        assert len(key) < 3
        return Read(Page({"info": {"more_records": True}}, position, iso(NOW)), [Keyed(key, LONG_AGO, key)])

    reader = ListReader("Contacts", reading, fetch, most_pages=7)
    found = list(reader.rest())

    assert (7, False, "Bigin's list of Contacts has no end: 7 pages were read.") == (
        len(found),
        reading.is_whole,
        reader.doubt,
    )


def test_an_entry_twice_on_a_page_counts_once() -> None:
    """An entry that a page shows twice counts once."""
    script = Script((["1", "2", "1"], False))

    assert ["1", "2"] == list(ListReader("Contacts", Reading(), script.fetch).rest())


def test_an_entry_that_cannot_be_read_costs_no_neighbour() -> None:
    """An entry that cannot be read does not hide the others, and the list says what is wrong with it."""

    def fetch(position: Position) -> Read[str]:
        page = Page({"info": {"more_records": False}}, position)
        return Read(page, [Keyed("1", LONG_AGO, "1"), None, Keyed("3", LONG_AGO, "3")])

    reading = Reading()
    reader = ListReader("Contacts/5001", reading, fetch)

    assert ["1", "3"] == list(reader.rest())
    assert "1 entries of Bigin's list of Contacts/5001 cannot be read." == reader.doubt
    assert not reading.is_whole


def test_a_list_in_which_no_entry_can_be_read_is_not_empty() -> None:
    """A list without a readable entry is not empty, even if Bigin does not say whether more follows."""

    def fetch(position: Position) -> Read[str]:
        return Read(Page({}, position), [None])

    reader = ListReader("Contacts/5001", Reading(), fetch)

    assert [] == list(reader.rest())
    assert "1 entries of Bigin's list of Contacts/5001 cannot be read." == reader.doubt


def test_a_list_without_entries_is_read_twice_where_much_hangs_on_it() -> None:
    """A module counts as empty only if Bigin says so twice."""
    script = Script(([], UNTOLD), (REST, False))

    found = list(ListReader("Contacts", Reading(), script.fetch, confirms_empty=True).rest())

    assert REST == found
    empty = Script(([], UNTOLD))
    assert [] == list(ListReader("Contacts", Reading(), empty.fetch, confirms_empty=True).rest())
    assert 2 == empty.calls


def test_a_reading_goes_on_in_another_function() -> None:
    """A reading that is stored after each page gives the same list with the same calls."""
    account = Account(450)

    found, stored = read_in_slices(account)

    assert (account.ids, True, 6) == (found, stored.is_whole, account.calls)


def test_page_tokens_that_always_end_too_early_end_the_list() -> None:
    """A list whose page tokens always end is begun again three times, then it is over and not whole."""

    def fetch(position: Position) -> Read[str]:
        if position != {"page": "1"}:
            raise PageTokenEndedError("ended")
        return Account(0).read(position, FULL, more=True)

    reading = Reading()

    assert FULL == list(ListReader("Contacts", reading, fetch).rest())
    assert not reading.is_whole
