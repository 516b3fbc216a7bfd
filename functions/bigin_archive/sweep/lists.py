"""Bigin's lists, stored before anything is compared: its page tokens live a day, and a sweep may take weeks.

The list of all attachments if Bigin offers it, else the lists of all records. If the list of all fails, the sweep goes
record by record. If the list of a module fails, the sweep goes on without it, and the audit names it.
"""

from collections.abc import Callable, Iterable
from typing import Any

from bigin_archive.archive_request import MODULES
from bigin_archive.bigin.account_listing import account_list, lists_all, record_list
from bigin_archive.bigin.client import Bigin
from bigin_archive.bigin.found_attachment import Found
from bigin_archive.bigin.list_reader import ListReader, Reading
from bigin_archive.bigin.listing import ListedRecord
from bigin_archive.bigin.probed_answers import ProbedAnswers
from bigin_archive.deadline import Deadline
from bigin_archive.errors import ArchiveError, AttachmentGoneError, BiginRefusedError
from bigin_archive.ledger.stored_list import PageLostError, found_of, is_wanted
from bigin_archive.sweep import patience
from bigin_archive.sweep.cursor import Cursor, SweepState

_ALL_PATIENCE_S = 2 * 60 * 60  # for the list of all, whose loss costs little: an outage ends by itself
_PATIENCE_S = 24 * 60 * 60  # for a module, all of whose records would be missing
_THE_LIST_OF_ALL = "the list of all attachments"
_MOST_UNCOVERED, _OTHERS = 100, "Other modules"  # names of modules that are kept


class Lists:
    """Reads and stores the lists of one sweep. Methods raise ArchiveError."""

    def __init__(
        self,
        bigin: Bigin,
        now: Callable[[], float],
        probed: Callable[[], ProbedAnswers] = ProbedAnswers,
    ) -> None:
        """``probed()`` returns the findings of the last probe of the account."""
        self._bigin = bigin
        self._probed = probed
        self._now = now
        self._state: SweepState | None = None  # whose list the reader reads: each slice loads its own
        self._reader: ListReader[Any] | None = None
        self._reading = Reading()

    def store_next(self, cursor: Cursor, state: SweepState, deadline: Deadline) -> None:
        """Store the next page of a list."""
        if state.strategy is None:
            answers = self._probed()
            state.compares_sizes = answers.sizes_are_right
            # A list of all has to prove itself each time. That there is none counts for a while.
            may_list_all = answers.may_list_all and not state.by_record
            state.strategy = "all" if may_list_all and self._lists_all(state, deadline) else "records"
            return
        try:
            reader = self._continued(cursor, state, deadline)
        except PageLostError:
            list_again(state)
            return
        reading = self._reading
        place = _THE_LIST_OF_ALL if state.strategy == "all" else state.modules[state.module]
        try:
            found = reader.next_rows()
        except (BiginRefusedError, AttachmentGoneError):
            self._go_without(state)
            return
        except ArchiveError as error:
            state.reading = reading.as_dict()
            most_s = _ALL_PATIENCE_S if state.strategy == "all" else _PATIENCE_S
            if not patience.is_over(state, place, error, self._now(), most_s):
                raise
            self._go_without(state)
            return
        self._reader = None  # what is not stored has to be read again
        if found:
            state.pages += cursor.store_rows(state, state.pages, [_row(state, each) for each in found])
            _count_uncovered(state, found)  # only now: what could not be stored is read again
        state.reading, self._reader = reading.as_dict(), reader
        if not reading.contradictions:  # else only what it had read before
            patience.end(state, place)
        if reading.is_over and not reading.is_whole:
            self._go_without(state)
        elif reading.is_over:
            self._end(state)

    def _lists_all(self, state: SweepState, deadline: Deadline) -> bool:
        try:
            found = lists_all(self._bigin, deadline)
        except ArchiveError as error:
            if not patience.is_over(state, _THE_LIST_OF_ALL, error, self._now(), _ALL_PATIENCE_S):
                raise
            found = False
        patience.end(state, _THE_LIST_OF_ALL)
        return found

    def _continued(self, cursor: Cursor, state: SweepState, deadline: Deadline) -> ListReader[Any]:
        """The reader of the list that ``state`` stands at; one that another function began goes on where it was."""
        if self._reader is None or self._state is not state:
            if state.reading is None:
                state.pages, state.reading = state.pages_before, Reading().as_dict()
                state.uncovered = {} if state.strategy == "all" else state.uncovered
            self._state, self._reading = state, Reading.stored(state.reading)
            known = [row for number in range(state.pages_before, state.pages) for row in cursor.page(state, number)]
            self._reader = self._begun(state, known, deadline)
        return self._reader

    def _begun(self, state: SweepState, known: list[list[Any]], deadline: Deadline) -> ListReader[Any]:
        if state.strategy == "all":
            seen = [found_of(row).request.place if is_wanted(row) else row[0] for row in known]
            return account_list(self._bigin, lambda: deadline, self._reading, seen)
        seen = [row[1] if is_wanted(row) else row[0] for row in known]
        return record_list(self._bigin, state.modules[state.module], lambda: deadline, self._reading, seen)

    def _go_without(self, state: SweepState) -> None:
        """Go record by record, or on with the next module; what was found of the list is kept."""
        state.failing = None
        if state.strategy == "all":
            self._reader = None
            state.strategy, state.reading, state.pages = "records", None, 0
            return
        state.refuse(state.modules[state.module])
        self._end(state)

    def _end(self, state: SweepState) -> None:
        """Go on with the next module's list, or with the attachments."""
        self._reader, state.reading, state.failing = None, None, None
        state.module, state.pages_before = state.module + 1, state.pages
        if state.strategy == "all" or state.module == len(state.modules):
            state.phase = "attachments"


def list_again(state: SweepState) -> None:
    """Begin with the lists again, since a stored page is gone."""
    state.phase, state.reading = "listing", None
    state.module = state.pages_before = state.pages = state.page = state.index = state.listed = 0


def _row(state: SweepState, found: Found | ListedRecord) -> list[Any]:
    """What is stored of an entry: of one that the sweep does not cover its key alone, so that it is known again."""
    if isinstance(found, ListedRecord):
        is_covered = state.is_wanted_since(found.changed_times)
        return [state.modules[state.module], found.record_id, found.name] if is_covered else [found.record_id]
    module = found.request.module
    if module not in state.modules or not state.is_wanted_since(found.listed.times):
        return [found.request.place]
    return found.to_row()


def _count_uncovered(state: SweepState, found: Iterable[Found | ListedRecord]) -> None:
    """Count attachments of modules that are not archived."""
    for each in found:
        module = each.request.module if isinstance(each, Found) else None
        if module and module not in MODULES:
            is_named = module in state.uncovered or len(state.uncovered) < _MOST_UNCOVERED
            name = module if is_named else _OTHERS
            state.uncovered[name] = state.uncovered.get(name, 0) + 1
