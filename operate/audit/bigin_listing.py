"""Bigin's side of an audit, read now: every attachment that the stack's own token can see.

What Bigin refuses is noted, what is deleted meanwhile is left out; only what makes the whole list worthless ends it.
"""

import time
from collections.abc import Callable, Iterator, Sequence
from datetime import UTC, datetime
from typing import TypeVar

from bigin_archive.audit.auditor import Listing
from bigin_archive.bigin.account_listing import Found, attachments_of, attachments_page, lists_all, records_page
from bigin_archive.bigin.client import Bigin
from bigin_archive.bigin.listing import FIRST_PAGE, ListedRecord, Position
from bigin_archive.clock import iso
from bigin_archive.deadline import Deadline
from bigin_archive.errors import AttachmentGoneError, BiginRateLimitedError, BiginRefusedError, BiginUnavailableError

CALL_TIMEOUT_S = 120  # for one page or one record, its own repetitions by Bigin's client included
_WAITS_S = (2, 10, 30)  # between the tries of a call that may succeed later

_Answer = TypeVar("_Answer")


def listing(
    bigin: Bigin, modules: Sequence[str], *, by_record: bool, sleep: Callable[[float], None] = time.sleep
) -> Listing:
    """The list, read while it is iterated; that raises ArchiveError where Bigin cannot be used."""
    made = Listing(iso(datetime.now(UTC)))
    made.found = _Reading(bigin, made, sleep).everything(modules, by_record=by_record)
    return made


class _Reading:
    def __init__(self, bigin: Bigin, notes: Listing, sleep: Callable[[float], None]) -> None:
        self._bigin = bigin
        self._notes = notes
        self._sleep = sleep

    def everything(self, modules: Sequence[str], *, by_record: bool) -> Iterator[Found]:
        """The list of all where Bigin offers it, else record by record."""
        if not by_record and self._patiently(lists_all, self._bigin):
            self._notes.is_of_all = True
            yield from self._pages()
            return
        for module in modules:
            try:
                yield from self._module(module)
            except (BiginRefusedError, AttachmentGoneError) as error:
                self._notes.unlisted[module] = error.detail

    def _pages(self) -> Iterator[Found]:
        position: Position | None = FIRST_PAGE
        while position:
            found, position = self._patiently(attachments_page, self._bigin, position)
            yield from found

    def _module(self, module: str) -> Iterator[Found]:
        position: Position | None = FIRST_PAGE
        while position:
            records, position = self._patiently(records_page, self._bigin, module, position)
            for record in records:
                yield from self._record(module, record)

    def _record(self, module: str, record: ListedRecord) -> list[Found]:
        try:
            return self._patiently(_all_of, self._bigin, module, record)
        except AttachmentGoneError:
            return []
        except BiginRefusedError as error:
            self._notes.unlisted[module] = f"record {record.record_id}: {error.detail}"
            return []

    def _patiently(self, call: Callable[..., _Answer], *arguments: object) -> _Answer:
        for wait_s in _WAITS_S:
            try:
                return call(*arguments, Deadline(CALL_TIMEOUT_S))
            except (BiginUnavailableError, BiginRateLimitedError) as error:
                self._sleep(min(error.retry_after_s or wait_s, _WAITS_S[-1]))
        return call(*arguments, Deadline(CALL_TIMEOUT_S))


def _all_of(bigin: Bigin, module: str, record: ListedRecord, deadline: Deadline) -> list[Found]:
    return list(attachments_of(bigin, module, record.record_id, record.name, deadline))
