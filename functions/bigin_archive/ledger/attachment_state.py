"""The states of an attachment, and the events that change them. Pure; drawn in docs/ledger-states.md.

The table has two rules. ``archived`` and ``link`` are facts about S3: nothing that Bigin says later undoes them. All
other states are claims with a date: ``gone`` holds until Bigin lists the attachment after it, ``parked`` until Bigin
lists it differently, ``pending`` as long as its message can exist.
"""

from __future__ import annotations

from datetime import timedelta
from enum import Enum, StrEnum
from typing import TYPE_CHECKING

from bigin_archive import clock

if TYPE_CHECKING:
    from collections.abc import Mapping

    from bigin_archive.bigin.listing import ListedAttachment
    from bigin_archive.ledger.ledger_entry import LedgerEntry

# The queue keeps a message for 14 days from its first sending (template.yaml, MessageRetentionPeriod; SQS starts its
# count anew for no retry). An older message is lost.
MESSAGE_LIFE = timedelta(days=14)
# The reason of ``gone`` if Bigin's list still showed it, or was not read.
STILL_LISTED = "still_listed"


class State(StrEnum):
    """Of one attachment; the value is what the ledger, the index and the console show."""

    ARCHIVED = "archived"  # an object holds the file
    LINK = "link"  # an object holds the shortcut
    GONE = "gone"  # Bigin said that there is nothing
    PARKED = "parked"  # given up, with a reason; a dead letter waits for a person
    PENDING = "pending"  # seen, and nothing became of it yet


class Event(Enum):
    """What can happen to an attachment."""

    LISTED = "Bigin lists it"
    QUEUED = "a message is sent for it"
    RETRIED = "a try failed, and the message comes back"
    STORED_FILE = "an object holds the file"
    STORED_SHORTCUT = "an object holds the shortcut of the link"
    SAID_GONE = "Bigin says that there is nothing"
    SAID_LINK = "Bigin says that it is a link, and no list shows its address"
    DEAD_LETTERED = "its message was given up, with a reason"
    CONFLICTED = "its message was given up, since other bytes stand in S3"


class Step(Enum):
    """What a sweep has to do for an attachment that Bigin lists."""

    NOTHING = "nothing"
    QUEUE = "queue"
    SHORTCUT = "shortcut"


# From each state (None: no row) to the next. An event that is not named changes nothing: neither state nor reason.
MOVES: Mapping[Event, Mapping[State | None, State]] = {
    Event.LISTED: {None: State.PENDING},
    Event.QUEUED: {
        None: State.PENDING,
        State.PENDING: State.PENDING,
        State.LINK: State.PENDING,
        State.GONE: State.PENDING,
        State.PARKED: State.PENDING,
    },
    Event.RETRIED: {None: State.PENDING, State.PENDING: State.PENDING},
    Event.STORED_FILE: dict.fromkeys((None, *State), State.ARCHIVED),
    Event.STORED_SHORTCUT: dict.fromkeys((None, *State), State.LINK),
    Event.SAID_GONE: dict.fromkeys((None, State.GONE, State.PARKED, State.PENDING), State.GONE),
    Event.SAID_LINK: dict.fromkeys((None, State.GONE, State.PARKED, State.PENDING), State.PENDING),
    Event.DEAD_LETTERED: dict.fromkeys((None, State.GONE, State.PARKED, State.PENDING), State.PARKED),
    # A conflict is also true of one that was archived a moment ago.
    Event.CONFLICTED: dict.fromkeys((None, *State), State.PARKED),
}


def following(state: State | None, event: Event) -> State | None:
    """The state after ``event``."""
    return MOVES[event].get(state, state)


def lasting(event: Event) -> tuple[State, ...]:
    """The states that ``event`` does not change, including their reason and their date."""
    return tuple(state for state in State if state not in MOVES[event])


def next_step(
    entry: LedgerEntry | None, listed: ListedAttachment, seen_at: str, lost_before: str | None = None
) -> Step:
    """What to do for an attachment that Bigin lists, ``seen_at`` (ISO 8601, UTC) in the list.

    There is one message for one attachment: while one can still exist there is nothing to do. Messages from before
    ``lost_before`` (ISO 8601) no longer exist.
    """
    wanted = Step.SHORTCUT if listed.link else Step.QUEUE
    return Step.NOTHING if entry and _is_settled(entry, listed, seen_at, lost_before) else wanted


def _is_settled(entry: LedgerEntry, listed: ListedAttachment, seen_at: str, lost_before: str | None) -> bool:
    # What was sent back to Bigin has the object that it came from, until it is changed there.
    is_changed = entry.restored_from and not clock.is_same(entry.archived_modified_time, listed.modified_time)
    if entry.state == State.LINK:
        return listed.link is not None and entry.key is not None and not is_changed
    if entry.state == State.ARCHIVED:
        return listed.link is None and listed.size_bytes in (None, entry.size_bytes) and not is_changed
    if entry.state == State.PENDING:
        # A shortcut is written at once, without a message.
        return listed.link is None and has_message(entry, seen_at, lost_before)
    if entry.state == State.GONE and is_after(seen_at, entry.state_at):
        return False
    # A new try would end the same way.
    is_unchanged = clock.is_same(entry.modified_time, listed.modified_time)
    return is_unchanged and entry.listed_size_bytes == listed.size_bytes


def has_message(entry: LedgerEntry, now: str, lost_before: str | None = None) -> bool:
    """Whether a message for the attachment can still be on the queue at ``now`` (ISO 8601)."""
    sent, at, lost = clock.parse(entry.queued_at), clock.parse(now), clock.parse(lost_before)
    if entry.state != State.PENDING or sent is None or at is None:
        return False
    # A difference of two times has no limits. What was sent after now was not sent: nobody waits for it.
    return -clock.SKEW <= at - sent < MESSAGE_LIFE and (lost is None or sent >= lost)


def is_after(later: str | None, earlier: str | None) -> bool:
    """Whether one of our times is after another. A missing or unreadable time is before all others."""
    one, other = clock.parse(later), clock.parse(earlier)
    return one is not None and (other is None or one > other)
