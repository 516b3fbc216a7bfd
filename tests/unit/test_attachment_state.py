"""The ledger's states: every pair of state and event, and what a sweep has to do for each."""

import re
from dataclasses import replace
from pathlib import Path

import pytest

from bigin_archive.bigin.listing import Link, ListedAttachment
from bigin_archive.ledger.attachment_state import MOVES, Event, State, Step, following, has_message, lasting, next_step
from bigin_archive.ledger.ledger_entry import LedgerEntry

DRAWING = Path(__file__).parents[2] / "docs" / "ledger-states.md"
_ = None  # stays as it is
A, L, G, P, W = State.ARCHIVED, State.LINK, State.GONE, State.PARKED, State.PENDING
# The state after each event: from no row, archived, link, gone, parked, pending.
AFTER = {
    Event.LISTED: (W, _, _, _, _, _),
    Event.QUEUED: (W, _, W, W, W, W),
    Event.RETRIED: (W, _, _, _, _, W),
    Event.STORED_FILE: (A, A, A, A, A, A),
    Event.STORED_SHORTCUT: (L, L, L, L, L, L),
    Event.SAID_GONE: (G, _, _, G, G, G),
    Event.SAID_LINK: (W, _, _, W, W, W),
    Event.DEAD_LETTERED: (P, _, _, P, P, P),
    Event.CONFLICTED: (P, P, P, P, P, P),
}
BEFORE = (None, A, L, G, P, W)


@pytest.mark.parametrize("event", Event)
@pytest.mark.parametrize("state", BEFORE)
def test_every_state_and_event(state: State | None, event: Event) -> None:
    """Each event moves each state to the one in the table, or leaves it with its reason and its date."""
    expected = AFTER[event][BEFORE.index(state)]

    assert (expected or state) == following(state, event)
    assert (expected is None) == (state in lasting(event))


@pytest.mark.parametrize("state", State)
def test_every_state_has_a_way_out(state: State) -> None:
    """No state is final: a later event can change each of them."""
    assert {moves[state] for moves in MOVES.values() if state in moves} - {state}


def test_the_drawing_is_the_table() -> None:
    """docs/ledger-states.md draws every move between two states, and no other."""
    arrows = re.findall(r"^    (\S+) --> (\S+): (.+)$", DRAWING.read_text(encoding="utf-8"), re.MULTILINE)
    drawn = {(old, new, event) for old, new, events in arrows for event in events.split(" / ")}
    told = {
        ("[*]" if old is None else str(old), str(new), event.name.lower())
        for event, moves in MOVES.items()
        for old, new in moves.items()
        if old != new
    }

    assert told == drawn


SEEN, DAY_BEFORE, LONG_AGO = (
    "2026-11-25T20:00:00.000+00:00",
    "2026-11-24T20:00:00.000+00:00",
    "2026-11-01T00:00:00+00:00",
)
FILE = ListedAttachment("2", 5, modified_time="2026-11-20T08:00:00+01:00")
IN_INDIA = "2026-11-20T12:30:00+05:30"  # the same time
LINK = replace(FILE, link=Link("Wiki", "https://example.com/"), size_bytes=0)
ROW = LedgerEntry("Contacts", "1", "2", listed_size_bytes=5, modified_time=FILE.modified_time, state_at=DAY_BEFORE)
ARCHIVED = replace(ROW, state="archived", key="k", size_bytes=5)


@pytest.mark.parametrize(
    ("entry", "listed", "step"),
    [
        (None, FILE, Step.QUEUE),
        (None, LINK, Step.SHORTCUT),
        (ARCHIVED, FILE, Step.NOTHING),
        (ARCHIVED, replace(FILE, modified_time="2026-11-25T08:00:00+01:00"), Step.NOTHING),
        (ARCHIVED, replace(FILE, size_bytes=None), Step.NOTHING),
        (ARCHIVED, replace(FILE, size_bytes=6), Step.QUEUE),
        (ARCHIVED, LINK, Step.SHORTCUT),
        (ARCHIVED, replace(LINK, size_bytes=None), Step.SHORTCUT),
        (replace(ROW, state="link", key="k.url"), LINK, Step.NOTHING),
        (replace(ROW, state="link"), LINK, Step.SHORTCUT),
        (replace(ROW, state="link", key="k.url"), FILE, Step.QUEUE),
        (replace(ROW, state="link", key="k.url"), replace(FILE, size_bytes=None), Step.QUEUE),
        (replace(ROW, state="gone"), FILE, Step.QUEUE),
        (replace(ROW, state="gone", state_at=SEEN), FILE, Step.NOTHING),
        (replace(ROW, state="gone", state_at=None), FILE, Step.QUEUE),
        (replace(ROW, state="gone"), LINK, Step.SHORTCUT),
        (replace(ROW, state="parked"), FILE, Step.NOTHING),
        (replace(ROW, state="parked"), replace(FILE, size_bytes=6), Step.QUEUE),
        (replace(ROW, state="parked"), replace(FILE, modified_time=SEEN), Step.QUEUE),
        (replace(ROW, state="parked"), replace(FILE, modified_time=IN_INDIA), Step.NOTHING),
        (
            replace(ARCHIVED, restored_from="Contacts/1/1", archived_modified_time=FILE.modified_time),
            replace(FILE, modified_time=IN_INDIA),
            Step.NOTHING,
        ),
        (replace(ROW, queued_at=DAY_BEFORE), FILE, Step.NOTHING),
        (replace(ROW, queued_at=LONG_AGO), FILE, Step.QUEUE),
        (replace(ROW, queued_at="soon"), FILE, Step.QUEUE),
        (replace(ROW, queued_at="2026-11-25T20:15:00.000+00:00"), FILE, Step.NOTHING),
        (replace(ROW, queued_at="9999-12-31T23:59:59.999+00:00"), FILE, Step.QUEUE),
        (ROW, FILE, Step.QUEUE),
        (replace(ROW, queued_at=DAY_BEFORE), LINK, Step.SHORTCUT),
        (
            replace(ARCHIVED, restored_from="Contacts/1/1", archived_modified_time=FILE.modified_time),
            FILE,
            Step.NOTHING,
        ),
        (replace(ARCHIVED, restored_from="Contacts/1/1"), replace(FILE, modified_time=SEEN), Step.QUEUE),
        (
            replace(ROW, state="link", key="k.url", restored_from="Contacts/1/1", archived_modified_time=SEEN),
            replace(LINK, modified_time=SEEN),
            Step.NOTHING,
        ),
        (replace(ROW, state="link", key="k.url", restored_from="Contacts/1/1"), LINK, Step.SHORTCUT),
    ],
)
def test_what_a_sweep_has_to_do(entry: LedgerEntry | None, listed: ListedAttachment, step: Step) -> None:
    """A sweep sends no second message while the first can still be worked on, and a newer list of Bigin overrules an
    old state.
    """
    assert step is next_step(entry, listed, SEEN)


@pytest.mark.parametrize(
    ("lost_before", "step"),
    [
        (None, Step.NOTHING),
        (DAY_BEFORE, Step.NOTHING),
        ("2026-11-24T20:00:00.001+00:00", Step.QUEUE),
        ("soon", Step.NOTHING),
    ],
)
def test_a_message_that_is_lost_is_sent_again(lost_before: str | None, step: Step) -> None:
    """If the queue was seen empty after the message was sent, the sweep sends a new one."""
    assert step is next_step(replace(ROW, queued_at=DAY_BEFORE), FILE, SEEN, lost_before)


def test_only_what_is_pending_has_a_message() -> None:
    """In every other state the message has been worked on."""
    assert [State.PENDING] == [
        state for state in State if has_message(replace(ROW, state=state, queued_at=DAY_BEFORE), SEEN)
    ]
