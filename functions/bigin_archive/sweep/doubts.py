"""Records that Bigin listed and then said not to exist.

One such answer may be wrong, and then all files of the record would be missing. So the list of its module is read
again: a record that it no longer shows is gone, and one that it shows is asked for once more.
"""

import json
from collections.abc import Callable

from bigin_archive.bigin.account_listing import record_list
from bigin_archive.bigin.client import Bigin
from bigin_archive.bigin.list_reader import ListReader, Reading
from bigin_archive.bigin.listing import ListedRecord
from bigin_archive.deadline import Deadline
from bigin_archive.errors import ArchiveError, AttachmentGoneError, BiginRefusedError
from bigin_archive.sweep import patience
from bigin_archive.sweep.cursor import Cursor, SweepState

_PATIENCE_S = 2 * 60 * 60
_MOST, _MOST_BYTES = 1000, 150_000  # records that are kept, beside all else in one item; more are left out at once


def doubt(state: SweepState, module: str, record_id: str, name: str | None) -> None:
    """Note that Bigin says that a listed record does not exist."""
    row = [module, record_id, name, False]
    if len(state.doubted) < _MOST and len(json.dumps([*state.doubted, row])) <= _MOST_BYTES:
        state.doubted.append(row)
    else:
        state.refuse(f"{module}/{record_id}")


class Doubts:
    """Looks up the doubted records. Methods raise ArchiveError."""

    def __init__(self, bigin: Bigin, now: Callable[[], float]) -> None:
        self._bigin = bigin
        self._now = now
        self._state: SweepState | None = None
        self._reader: ListReader[ListedRecord] | None = None
        self._reading = Reading()

    def resolve_next(self, cursor: Cursor, state: SweepState, deadline: Deadline) -> None:
        """Read the next page of the list; at its end, store the records that are to be asked for again."""
        module = state.doubted[0][0]
        reader = self._continued(state, module, deadline)
        place = f"{module} again"
        try:
            listed = {found.record_id for found in reader.next_rows()}
        except (BiginRefusedError, AttachmentGoneError):
            self._end(cursor, state, module, is_whole=False)
            return
        except ArchiveError as error:
            state.reading = self._reading.as_dict()
            if not patience.is_over(state, place, error, self._now(), _PATIENCE_S):
                raise
            self._end(cursor, state, module, is_whole=False)
            return
        for row in state.doubted:
            row[3] = row[3] or (row[0] == module and row[1] in listed)
        state.reading = self._reading.as_dict()
        if not self._reading.contradictions:
            patience.end(state, place)
        if self._reading.is_over:
            self._end(cursor, state, module, is_whole=self._reading.is_whole)

    def _continued(self, state: SweepState, module: str, deadline: Deadline) -> ListReader[ListedRecord]:
        if self._reader is None or self._state is not state or state.reading is None:
            self._state, self._reading = state, Reading.stored(state.reading)
            self._reader = record_list(self._bigin, module, lambda: deadline, self._reading)
        return self._reader

    def _end(self, cursor: Cursor, state: SweepState, module: str, *, is_whole: bool) -> None:
        self._reader, state.reading, state.failing = None, None, None
        again = [row for row in state.doubted if row[0] == module and row[3]]
        if again:
            state.pages += cursor.store_rows(state, state.pages, again)
        for _, record_id, _, is_listed in [row for row in state.doubted if row[0] == module]:
            if not is_listed and not is_whole:
                state.refuse(f"{module}/{record_id}")
        state.doubted = [row for row in state.doubted if row[0] != module]
