"""The list of Bigin for an audit, read now: every attachment that the stack's token can see.

What Bigin refuses is noted, and what is deleted meanwhile is left out. Only an error that makes the whole list
worthless ends it.
"""

import time
from collections.abc import Callable, Iterator, Sequence
from typing import TypeVar

from bigin_archive.archive_request import ArchiveRequest
from bigin_archive.audit.bigin_side import Listing
from bigin_archive.bigin.account_listing import account_list, lists_all, record_list
from bigin_archive.bigin.client import Bigin
from bigin_archive.bigin.found_attachment import Found
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

_Answer = TypeVar("_Answer")
_Row = TypeVar("_Row")


def no_more_credits() -> None:
    """For callers without a limit."""
    raise CreditsSpentError("The share of API credits is used up for now. Try again later.")


def listing(
    bigin: Bigin,
    modules: Sequence[str],
    *,
    by_record: bool,
    sleep: Callable[[float], None] = time.sleep,
    more_credits: Callable[[], None] = no_more_credits,
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

    def everything(self, modules: Sequence[str], *, by_record: bool) -> Iterator[Found]:
        """Read the list of all attachments if Bigin offers it, else go record by record."""
        if not by_record and self._patiently(lambda deadline: lists_all(self._bigin, deadline)):
            self._notes.is_of_all = True
            yield from self._all(modules)
            return
        for module in modules:
            try:
                yield from self._module(module)
            except (BiginRefusedError, AttachmentGoneError) as error:
                self._notes.unlisted[module] = error.detail

    def _all(self, modules: Sequence[str]) -> Iterator[Found]:
        reader = account_list(self._bigin, _of_a_call)
        while not reader.is_over:
            yield from self._patiently(lambda _: reader.next_rows())
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
        reader = record_list(self._bigin, module, _of_a_call)
        records: list[ListedRecord] = []
        while not reader.is_over:
            records += self._patiently(lambda _: reader.next_rows())
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
        reader = self._bigin.attachment_list(ArchiveRequest(module, record.record_id), _of_a_call)
        found: list[Found] = []
        try:
            # Page by page: where credits are few, a whole list may never be read in one go.
            while not reader.is_over:
                listed = self._patiently(lambda _: reader.next_rows())
                found += [Found.of_record(module, record.record_id, record.name, each) for each in listed]
        except BiginRefusedError as error:
            self._notes.unlisted[module] = f"record {record.record_id}: {error.detail}"
            return []
        if reader.doubt:
            self._notes.unlisted[module] = reader.doubt
        return found

    def _patiently(self, call: Callable[[Deadline], _Answer]) -> _Answer:
        waits_s = iter(_WAITS_S)
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
