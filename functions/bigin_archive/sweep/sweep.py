"""The sweep: finds every attachment of the account, in slices.

Each slice continues from the stored cursor. So a crash, a deployment, a dead token and a used-up budget are all resumed
in the same way. When the queue has run empty, the sweep writes the index and the audit.
"""

import time
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

from bigin_archive.archive_request import MODULES
from bigin_archive.audit.auditor import Auditor
from bigin_archive.audit.comparison import FAILED
from bigin_archive.bigin.credit_meter import CreditMeter
from bigin_archive.clock import iso, parse
from bigin_archive.deadline import Deadline
from bigin_archive.errors import ArchiveError, CreditsSpentError, StorageUnavailableError
from bigin_archive.ledger.ledger_writer import LedgerWriter
from bigin_archive.ledger.stored_list import SHELVES
from bigin_archive.queueing.archive_queue import ArchiveQueue
from bigin_archive.sweep import patience
from bigin_archive.sweep.closing import close
from bigin_archive.sweep.credit_budget import LEAST_ALLOWANCE, CreditLimit
from bigin_archive.sweep.cursor import Cursor, LeaseLostError, SweepState
from bigin_archive.sweep.discovery import Discovery
from bigin_archive.sweep.lists import Lists

MOST_WAITING = 20_000  # messages in the queue; with more a sweep pauses
_LEAST_TIME_S = 60  # needed for one more step: ten lists of records, each with its own time-outs
_CLOSING_TIME_S = 300  # for a slice of the audit that is worth it: to keep what it finds takes time too
_THE_AUDIT = "the audit"
_AUDIT_PATIENCE_S = 60 * 60  # then the sweep ends with a failed one, so that the next sweep can begin
_LONGEST_DRAIN = timedelta(hours=6)
_STANDSTILL = timedelta(minutes=15)  # of the queue's count: a slice of the schedule
_SETTLED = timedelta(minutes=1)  # until SQS counts what was sent just now (SQS API Reference, GetQueueAttributes)
# A nightly sweep that has to go record by record looks at the changed ones only, and once a week at all: whether
# attaching a file counts as a change of the record is not documented.
_FULL_EVERY = timedelta(days=6, hours=12)  # so that the seventh night is not missed by a moment
_WAITS_FOR_CREDITS = "credits: the share of this hour or day is used; continues by itself"


@dataclass(frozen=True, slots=True)
class SweepRequest:
    """What a new sweep covers. ``since`` is an ISO 8601 time; ``nightly`` lets the sweep choose it.

    Raises ValueError for a wrong module or time.
    """

    modules: tuple[str, ...] = MODULES
    since: str | None = None
    by_record: bool = False
    nightly: bool = False

    def __post_init__(self) -> None:
        if not set(self.modules) <= set(MODULES):
            raise ValueError(f"modules must be some of {', '.join(MODULES)}")
        if self.since and datetime.fromisoformat(str(self.since)).tzinfo is None:
            raise ValueError("since must say its time zone: for example 2026-01-01T00:00:00+00:00")


@dataclass(frozen=True, slots=True)
class Sweep:
    """Sweeps of one account. ``cursor()`` makes one with a holder of its own.

    ``meter`` is asked before each call to Bigin and each message that will cost one, and has the ``limit``.
    """

    lists: Lists
    discovery: Discovery
    queue: ArchiveQueue
    ledger_writer: LedgerWriter
    meter: CreditMeter
    limit: CreditLimit
    cursor: Callable[[], Cursor]
    auditor: Auditor
    now: Callable[[], float] = time.time

    def work(self, order: SweepRequest | None, deadline: Deadline) -> SweepState | None:
        """Begin what ``order`` says unless a sweep is running, and continue it for one slice.

        Returns the state of the sweep; None if there never was one, or another slice is running. Raises
        StorageUnavailableError if the ledger cannot be used at all.
        """
        cursor = self.cursor()
        if not order and ((last := cursor.load()) is None or last.is_done):
            return last  # without the lease, which would block an order at the same moment
        if not cursor.take():
            return None
        try:
            state = cursor.load()
            if order and (state is None or state.is_done):
                state = self._begin(order, state)
            if state and not state.is_done:
                self._go_on(cursor, state, deadline)
            return state
        finally:
            self.ledger_writer.flush_credits()
            with suppress(StorageUnavailableError):  # it ends by itself
                cursor.give_back()

    def _begin(self, order: SweepRequest, last: SweepState | None) -> SweepState:
        now = datetime.fromtimestamp(self.now(), UTC)
        since, full_since = order.since, last.full_since if last else None
        if order.nightly and last and last.strategy == "records" and (full := parse(full_since)):
            is_recent = full > now - _FULL_EVERY
            # Not since the last sweep: that may have left modules or older changes out.
            since = full_since if is_recent else None
        state = SweepState(iso(now), list(order.modules), since, order.by_record, full_since=full_since)
        state.backlog = self.queue.waiting()
        state.shelf = next(shelf for shelf in SHELVES if not (last and last.full_list and last.full_list[1] == shelf))
        if last:
            state.complete_as_of, state.verdict = last.complete_as_of, last.verdict
            state.full_listed, state.full_list = last.full_listed, last.full_list
            state.emptied_at, state.lost_before = last.emptied_at, last.lost_for_next(state.backlog)
            # Only another list of everything makes up for what Bigin kept back: it may be unchanged since.
            state.full_refused = last.refused if last.full_refused is None else last.full_refused
            state.refused = list(state.full_refused) if since else []
        return state

    def _go_on(self, cursor: Cursor, state: SweepState, deadline: Deadline) -> None:
        try:
            state.stuck_since = state.stuck_since or iso(self.now())  # until a step is done
            cursor.save(state)
            if (obstacle := self._obstacle(state)) is not None:
                state.stuck_since = None  # it waits, as it should
            state.waits_for = obstacle
            while not state.is_done and not state.waits_for and deadline.remaining_s() > _LEAST_TIME_S:
                self._counted_step(cursor, state, deadline)
                state.note_step()
                self.ledger_writer.flush_credits()  # credits must be recorded even if this function dies
                cursor.save(state)
        except CreditsSpentError:
            state.waits_for, state.stuck_since = _WAITS_FOR_CREDITS, None
        except ArchiveError as error:
            state.waits_for = error.detail
        except LeaseLostError:
            return
        with suppress(LeaseLostError):
            cursor.save(state)

    def _counted_step(self, cursor: Cursor, state: SweepState, deadline: Deadline) -> None:
        called, queued = self.meter.total, state.queued
        try:
            self._step(cursor, state, deadline)
        finally:
            state.credits += self.meter.total - called + state.queued - queued

    def _step(self, cursor: Cursor, state: SweepState, deadline: Deadline) -> None:
        if state.phase == "draining":
            self._drain(state)
        elif state.phase == "closing":
            if deadline.remaining_s() < _CLOSING_TIME_S:
                state.waits_for = "the next slice: the audit needs more time"
            else:
                self._finish(cursor, state, deadline)
        elif state.phase == "listing":
            self.lists.store_next(cursor, state, deadline)
        else:
            self.discovery.compare(cursor, state, deadline)

    def _obstacle(self, state: SweepState) -> str | None:
        """Why nothing can be done now; None if there are credits for it."""
        if state.phase not in ("listing", "attachments"):
            return None
        waiting = self.queue.waiting()
        if waiting > MOST_WAITING:
            return _waits_for_queue(waiting)
        allowance, alone = self.limit.begin()
        if allowance >= LEAST_ALLOWANCE:
            return None
        return _waits_for_queue(waiting) if alone >= LEAST_ALLOWANCE else _WAITS_FOR_CREDITS

    def _drain(self, state: SweepState) -> None:
        """Wait for the queue, so that the audit does not report files that are on their way."""
        now = datetime.fromtimestamp(self.now(), UTC)
        since = datetime.fromisoformat(state.draining_since) if state.draining_since else now
        state.draining_since = iso(since)
        waiting = self.queue.waiting()
        if state.fewest_waiting is None or waiting < state.fewest_waiting:
            state.fewest_waiting, state.fewest_since = waiting, iso(now)
        # What waited before this sweep began, and does not get less, is tried again for days.
        is_old = waiting <= state.backlog and now - (parse(state.fewest_since) or now) >= _STANDSTILL
        is_fresh = state.queued and now - since < _SETTLED
        if not waiting and is_fresh and not self.discovery.nothing_waits(state):
            state.waits_for = "the next slice: the queue's count lags behind"
        elif waiting and not is_old and now - since < _LONGEST_DRAIN:
            state.waits_for = _waits_for_queue(waiting)
        else:
            state.emptied_at = state.emptied_at if waiting else iso(now)
            state.phase = "closing"

    def _finish(self, cursor: Cursor, state: SweepState, deadline: Deadline) -> None:
        if state.is_full and set(state.modules) == set(MODULES):
            state.full_since, state.full_listed, state.full_list = state.started_at, state.listed, state.own_list
            state.full_refused = state.refused
        # An audit may take its function with it, for want of memory or space: what is known of that is kept before.
        is_hopeless = patience.has_waited(state, _THE_AUDIT, self.now(), _AUDIT_PATIENCE_S)
        cursor.save(state)
        state.result = FAILED
        if not is_hopeless:
            audit = close(self.auditor, cursor, state, deadline)
            if audit is None:
                patience.end(state, _THE_AUDIT)
                state.result = None
                state.waits_for = "the next slice: the audit goes on in it"
                return
            state.result = audit.verdict
            if set(state.modules) == set(MODULES):
                state.complete_as_of = audit.complete_as_of or state.complete_as_of
        if set(state.modules) == set(MODULES):
            state.verdict = state.result
        patience.end(state, _THE_AUDIT)
        state.stuck_since = None
        state.finished_at = iso(self.now())
        state.phase = "done"


def _waits_for_queue(waiting: int) -> str:
    return f"the queue: about {waiting} messages wait in it"
