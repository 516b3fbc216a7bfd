"""The list of Bigin for an audit, read now: every attachment that the stack's token can see.

What Bigin refuses is noted, and so is a list that cannot be read; what is deleted meanwhile is left out. Only an error
that concerns every list ends it.
"""

import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import suppress
from typing import TypeVar

from bigin_archive.archive_request import ArchiveRequest
from bigin_archive.audit.bigin_side import Listing
from bigin_archive.bigin.account_listing import account_list, lists_all, record_list
from bigin_archive.bigin.client import Bigin
from bigin_archive.bigin.found_attachment import Found
from bigin_archive.bigin.list_reader import ListReader, Reading
from bigin_archive.bigin.listing import ListedRecord
from bigin_archive.clock import iso
from bigin_archive.deadline import Deadline
from bigin_archive.errors import (
    AttachmentGoneError,
    BiginRateLimitedError,
    BiginRefusedError,
    BiginUnavailableError,
    CreditsSpentError,
)

CALL_TIMEOUT_S = 120  # for one page or one record, with the client's own repetitions
_WAITS_S = (2, 10, 30)  # between two tries of a call
_UNREADABLE_IN_A_ROW = 3  # lists: the next one would fail, too

_Answer = TypeVar("_Answer")
_Row = TypeVar("_Row")


def listing(
    bigin: Bigin,
    modules: Sequence[str],
    *,
    by_record: bool,
    more_credits: Callable[[], None],
    sleep: Callable[[float], None] = time.sleep,
    now: Callable[[], float] = time.time,
) -> Listing:
    """Yield the list while it is read. Raises ArchiveError where Bigin cannot be used.

    ``more_credits()`` returns once there are credits again.
    """
    made = Listing(iso(now()))
    made.found = _Account(bigin, made, sleep, more_credits).everything(modules, by_record=by_record)
    return made


class _Account:
    def __init__(
        self, bigin: Bigin, notes: Listing, sleep: Callable[[float], None], more_credits: Callable[[], None]
    ) -> None:
        self._bigin = bigin
        self._notes = notes
        self._sleep = sleep
        self._more_credits = more_credits
        self._unreadable = 0  # lists in a row

    def everything(self, modules: Sequence[str], *, by_record: bool) -> Iterator[Found]:
        """Read the list of all attachments if Bigin offers it, else go record by record."""
        if not by_record and self._lists_all():
            self._notes.is_of_all = True
            with suppress(BiginUnavailableError):
                yield from self._all(modules)
                return
            self._notes.is_of_all = False
        for module in modules:
            try:
                yield from self._module(module)
            except (BiginRefusedError, AttachmentGoneError) as error:
                self._notes.unlisted[module] = error.detail
            except BiginUnavailableError as error:
                self._note_unreadable(module, error.detail, error)

    def _lists_all(self) -> bool:
        with suppress(BiginUnavailableError):  # nor does it list the first module: that tells nothing of the others
            return self._patiently(lambda deadline: lists_all(self._bigin, deadline))
        return False

    def _all(self, modules: Sequence[str]) -> Iterator[Found]:
        reading = Reading()
        reader = account_list(self._bigin, _of_a_call, reading)
        for page in self._pages(reader, reading):
            yield from page
        if reader.doubt:
            self._notes.unlisted |= dict.fromkeys(modules, f"{reader.doubt} Audit with --by-record.")

    def _module(self, module: str) -> Iterator[Found]:
        records, doubt = self._records(module)
        if doubt:
            self._notes.unlisted[module] = doubt
        denied: list[ListedRecord] = []
        for record in records:
            try:
                yield from self._record(module, record)
            except AttachmentGoneError:
                denied.append(record)
        if denied:
            yield from self._denied(module, denied)

    def _records(self, module: str) -> tuple[list[ListedRecord], str | None]:
        """All records of the module, and why the list may not be whole."""
        reading = Reading()
        reader = record_list(self._bigin, module, _of_a_call, reading)
        records = [record for page in self._pages(reader, reading) for record in page]
        self._unreadable = 0
        return records, reader.doubt

    def _denied(self, module: str, denied: Sequence[ListedRecord]) -> Iterator[Found]:
        """Ask once more for records that Bigin listed, then denied, and still lists."""
        records, doubt = self._records(module)
        listed = {record.record_id for record in records}
        if doubt:
            self._notes.unlisted[module] = doubt
        for record in denied:
            if record.record_id not in listed:
                continue
            try:
                yield from self._record(module, record)
            except AttachmentGoneError:
                self._notes.unlisted[module] = (
                    f"record {record.record_id}: Bigin lists it, and says that it does not exist when asked"
                )

    def _record(self, module: str, record: ListedRecord) -> list[Found]:
        reading, found = Reading(), list[Found]()
        reader = self._bigin.attachment_list(ArchiveRequest(module, record.record_id), _of_a_call, reading)
        try:
            for page in self._pages(reader, reading):
                found += [Found.of_record(module, record.record_id, record.name, each) for each in page]
        except BiginRefusedError as error:
            self._notes.unlisted[module] = f"record {record.record_id}: {error.detail}"
            return []
        except BiginUnavailableError as error:
            self._note_unreadable(module, f"record {record.record_id}: {error.detail}", error)
            return found
        self._unreadable = 0
        if reader.doubt:
            self._notes.unlisted[module] = reader.doubt
        return found

    def _note_unreadable(self, module: str, why: str, error: BiginUnavailableError) -> None:
        """One broken list hides no other one; with several in a row Bigin is down. Raises the error then."""
        self._unreadable += 1
        if self._unreadable >= _UNREADABLE_IN_A_ROW:
            raise error
        self._notes.unlisted[module] = why

    def _pages(self, reader: ListReader[_Row], reading: Reading) -> Iterator[list[_Row]]:
        """The list page by page: where credits are few, a whole list may never be read in one go."""
        waits_s = iter(_WAITS_S)
        while not reader.is_over:
            page = self._patiently(lambda _: reader.next_rows(), waits_s)
            if not reading.contradictions:  # else it only came to where it was
                waits_s = iter(_WAITS_S)
            yield page

    def _patiently(self, call: Callable[[Deadline], _Answer], waits_s: Iterator[int] | None = None) -> _Answer:
        """Repeat a call that fails after each of ``waits_s``. Raises the error of its last try."""
        waits_s = waits_s or iter(_WAITS_S)
        while True:
            try:
                return call(_of_a_call())
            except CreditsSpentError:
                self._more_credits()
            except (BiginUnavailableError, BiginRateLimitedError) as error:
                wait_s = next(waits_s, None)
                if wait_s is None:
                    raise
                self._sleep(min(error.retry_after_s or wait_s, _WAITS_S[-1]))


def _of_a_call() -> Deadline:
    return Deadline(CALL_TIMEOUT_S)
