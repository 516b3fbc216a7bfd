"""The state of a sweep: lease and cursor in one item of the ledger table, stored lists in others.

Only the holder of the lease writes the cursor, in one conditional write. A function that was thought dead cannot set it
back.
"""

import json
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, field, fields
from datetime import timedelta
from typing import TYPE_CHECKING, Any

from bigin_archive import clock
from bigin_archive.aws.dynamodb import call, write
from bigin_archive.bigin.found_attachment import Found
from bigin_archive.ledger.attachment_state import State
from bigin_archive.ledger.stored_list import KEY, StoredList, found_of, is_wanted
from bigin_archive.queueing.archive_queue import SWEEP

if TYPE_CHECKING:
    from mypy_boto3_dynamodb import DynamoDBClient

    from bigin_archive.ledger.ledger_entry import LedgerEntry

LEASE_S = 15 * 60  # longer than a function can run (14 minutes), with room for different clocks
PAGE, SEEN = "page", "seen"  # lists as Bigin sent them; attachments, as they were found record by record
_COUNTED = timedelta(minutes=5)  # SQS counts a message a minute after it was sent (GetQueueAttributes), or later
_MOST_REFUSED = 1000  # ids of records that are kept
_STATE = "state"


@dataclass(slots=True)
class SweepState:
    """The cursor of a sweep, and its figures.

    ``phase`` is one of listing, attachments, draining, closing and done. ``strategy`` is "all" (Bigin's list of all
    attachments) or "records"; ``compares_sizes`` says whether Bigin's sizes count. ``since`` leaves out what was not
    changed after it. While listing, ``reading`` is the position in the list of ``modules[module]``; ``pages`` counts
    the stored pages, ``pages_before`` those of earlier lists. After that, ``page`` and ``index`` are the next position.
    ``failing`` says where it fails, why and since when; ``silent`` which module's records, of none of which the list
    could be read. ``doubted`` are records that Bigin listed and then said not to
    exist. Times are ISO 8601 in UTC.
    """

    started_at: str
    modules: list[str]
    since: str | None = None
    by_record: bool = False
    phase: str = "listing"
    strategy: str | None = None
    compares_sizes: bool = True
    module: int = 0
    reading: dict[str, Any] | None = None
    pages_before: int = 0
    pages: int = 0
    shelf: str = ""  # where its lists are stored
    seen: int = 0  # stored pages of what was found record by record
    page: int = 0
    index: int = 0
    waits_for: str | None = None
    finished_at: str | None = None
    draining_since: str | None = None
    backlog: int = 0  # messages that waited when the sweep began
    fewest_waiting: int | None = None  # while draining, and since when
    fewest_since: str | None = None
    emptied_at: str | None = None  # when the last sweep that waited for the queue found it empty
    lost_before: str | None = None  # messages that were sent before then are no longer on the queue
    full_since: str | None = None  # the beginning of the last sweep of everything that was finished
    full_list: list[Any] | None = None  # where the attachments are stored that it found
    full_listed: int | None = None  # how many attachments that one counted
    complete_as_of: str | None = None  # until when the last audit of everything knew Bigin's lists whole
    audit: dict[str, Any] | None = None  # where it stands, between two slices
    result: str | None = None  # of the audit
    verdict: str | None = None  # of the last audit of everything, carried along
    records: int = 0
    listed: int = 0
    known: int = 0
    queued: int = 0
    links: int = 0
    bytes_queued: int = 0
    credits: int = 0  # calls, and the downloads that the queued messages will cost
    sent_until: str | None = None  # the mark of the last files that are known to be queued
    stuck_since: str | None = None  # the beginning of the first slice that came no step further
    failing: dict[str, str] | None = None
    silent: dict[str, str] | None = None
    doubted: list[list[Any]] = field(default_factory=list)
    refused: list[str] = field(default_factory=list)  # records and modules that Bigin keeps back
    full_refused: list[str] | None = None  # from the last sweep of everything that was finished
    uncovered: dict[str, int] = field(default_factory=dict)  # attachments of modules that are not archived

    @property
    def is_done(self) -> bool:
        """Whether the sweep is done."""
        return self.phase == "done"

    @property
    def is_full(self) -> bool:
        """Whether it covers everything, not only changes since a date."""
        return self.since is None

    @property
    def own_list(self) -> list[Any]:
        """Where the attachments are stored that it has found: name, shelf, pages."""
        return [PAGE, self.shelf, self.pages] if self.strategy == "all" else [SEEN, self.shelf, self.seen]

    @property
    def correlation_id(self) -> str:
        """Of all that this sweep queues."""
        return f"{SWEEP}{self.started_at}"

    def lost_for_next(self, waiting: int) -> str | None:
        """Before when a message must have been sent to be lost, for the next sweep, which finds ``waiting`` messages.

        Two looks at an empty queue, hours apart: SQS may miss in one of them what was sent a moment before.
        """
        emptied = clock.parse(self.emptied_at)
        return clock.iso(emptied - _COUNTED) if emptied and not waiting else None

    def note_step(self) -> None:
        """Note that it came further; not where it goes again through what it knows, up to what has failed."""
        if self.failing is None:
            self.stuck_since = None

    def refuse(self, what: str) -> None:
        """Note a module, or a record of one (``{module}/{record_id}``), whose list is not known whole."""
        if len(self.refused) >= _MOST_REFUSED:
            what = what.partition("/")[0]  # so that every module concerned is named
        if what not in self.refused:
            self.refused.append(what)

    def is_unsent(self, entry: "LedgerEntry") -> bool:
        """Whether a file was marked as queued by this sweep, and nobody knows that it was."""
        marked = entry.queued_at or ""
        is_marked = marked > self.sent_until if self.sent_until else marked >= self.started_at
        return is_marked and entry.state == State.PENDING and (entry.last_seen or "") >= self.started_at

    def is_wanted_since(self, times: Iterable[str]) -> bool:
        """Whether something with Bigin's ``times`` of change is within what this sweep covers."""
        since = clock.parse(self.since)
        return since is None or clock.any_since(times, since)

    def as_dict(self) -> dict[str, Any]:
        """For answers and logs."""
        return {name: getattr(self, name) for name in self.__slots__}


_Values = dict[str, str | float]
_FIELDS = {each.name for each in fields(SweepState)}
_RENAMED = {"way": "strategy"}  # as version 0.1.0 wrote it


class Cursor:
    """The state in the table, as one holder of the lease sees it. Methods raise StorageUnavailableError."""

    def __init__(self, client: "DynamoDBClient", table: str, holder: str, now: Callable[[], float]) -> None:
        self._client = client
        self._table = table
        self._holder = holder
        self._now = now
        self._noted: list[object] = []

    def take(self) -> bool:
        """Take the lease; False if another function holds it."""
        values: _Values = {":holder": self._holder, ":until": self._now() + LEASE_S, ":now": self._now()}
        return self._update(
            "SET holder = :holder, lease_until = :until", "attribute_not_exists(holder) OR lease_until < :now", values
        )

    def give_back(self) -> None:
        """End the lease."""
        self._update("REMOVE holder, lease_until", "holder = :holder", {":holder": self._holder})

    def is_taken(self) -> bool:
        """Whether a slice is running."""
        item = call(self._client, "get_item", TableName=self._table, Key=_key(_STATE), ConsistentRead=True)
        until = item.get("Item", {}).get("lease_until", {}).get("N")
        return until is not None and float(until) >= self._now()

    def save(self, state: SweepState) -> None:
        """Write the state, and prolong the lease. Raises LeaseLostError if another function has taken over.

        Notes are written first, so that the state never names more than is stored.
        """
        if self._noted:
            state.seen += self._list(SEEN, state.shelf, state.started_at).put(state.seen, self._noted)
            self._noted = []
        until = self._now() + LEASE_S
        values: _Values = {":holder": self._holder, ":until": until, ":state": json.dumps(state.as_dict())}
        if not self._update("SET lease_until = :until, sweep = :state", "holder = :holder", values):
            raise LeaseLostError

    def load(self) -> SweepState | None:
        """The state of the last sweep, finished or not; None if there was none, or it cannot be read.

        The next order then begins a new one, which finds in the ledger what the last one has queued.
        """
        answer = call(self._client, "get_item", TableName=self._table, Key=_key(_STATE), ConsistentRead=True)
        try:
            stored = json.loads(answer.get("Item", {}).get("sweep", {}).get("S", "{}"))
            # What an older version wrote may lack fields, what a newer one wrote may have more.
            known = {_RENAMED.get(name, name): value for name, value in stored.items()}
            return SweepState(**{name: value for name, value in known.items() if name in _FIELDS})
        except (ValueError, TypeError, AttributeError):
            return None

    def store_rows(self, state: SweepState, number: int, rows: Sequence[object]) -> int:
        """Keep rows of a list from page ``number`` on; return how many pages they take."""
        return self._list(PAGE, state.shelf, state.started_at).put(number, rows)

    def page(self, state: SweepState, number: int) -> list[Any]:
        """A stored page of a list. Raises PageLostError."""
        return self._list(PAGE, state.shelf, state.started_at).page(number)

    def note(self, found: Iterable[Found]) -> None:
        """Keep what a record lists, together with the next state that is saved."""
        self._noted += [each.to_row() for each in found]

    def found(self, stored: Sequence[Any], sweep: str) -> Iterator[Found]:
        """The attachments of a stored list, of the sweep that began then. Raises PageLostError while it is read."""
        name, shelf, pages = stored
        return map(found_of, filter(is_wanted, self._list(name, shelf, sweep).rows(pages)))

    def _list(self, name: str, shelf: str, sweep: str) -> StoredList:
        return StoredList(self._client, self._table, name, shelf, sweep, self._now)

    def _update(self, change: str, condition: str, values: _Values) -> bool:
        typed = {name: {"S": value} if isinstance(value, str) else {"N": str(value)} for name, value in values.items()}
        return write(
            self._client,
            "update_item",
            TableName=self._table,
            Key=_key(_STATE),
            UpdateExpression=change,
            ConditionExpression=condition,
            ExpressionAttributeValues=typed,
        )


class LeaseLostError(Exception):
    """Another function has taken the sweep over."""


def _key(name: str) -> dict[str, Any]:
    return {"record": {"S": KEY}, "attachment_id": {"S": name}}
