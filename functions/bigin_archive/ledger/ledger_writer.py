"""Writes the outcomes of requests into the ledger, and the credits that they used.

S3 has been written by then, so a failed write stops nothing. The next sweep finds what the ledger lacks, and learns
with one look into the bucket that it is archived.
"""

import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import replace

from bigin_archive.archive_request import ArchiveRequest
from bigin_archive.bigin.credit_meter import CreditMeter
from bigin_archive.bigin.listing import ListedAttachment
from bigin_archive.clock import iso
from bigin_archive.errors import ArchiveError, ContentConflictError, StorageUnavailableError
from bigin_archive.ledger.attachment_state import STILL_LISTED, Event
from bigin_archive.ledger.credit_usage import CreditUsage
from bigin_archive.ledger.ledger import Ledger
from bigin_archive.request_outcome import Outcome
from bigin_archive.storage.archived_object import StoredObject

_EVENTS = {
    "archived": Event.STORED_FILE,
    "already_archived": Event.STORED_FILE,
    "gone": Event.SAID_GONE,
    "link": Event.SAID_LINK,
    "parked": Event.DEAD_LETTERED,
    "retried": Event.RETRIED,
}


class LedgerWriter:
    """Ledger and credits of one container."""

    def __init__(
        self,
        ledger: Ledger,
        credits_book: CreditUsage,
        meter: CreditMeter,
        report: Callable[[str, Mapping[str, object]], None],
        now: Callable[[], float] = time.time,
    ) -> None:
        """``report`` takes an outcome and its fields: what is told where an entry could not be made."""
        self._ledger = ledger
        self._credits = credits_book
        self._meter = meter
        self._report = report
        self._now = now

    def record(self, outcome: Outcome) -> None:
        """Record the outcome of an attachment. Of many failed tries in a row only the first is recorded."""
        request = outcome.request
        event = _event(outcome)
        if event is None or request is None or request.attachment_id is None:
            return
        with self._unwritten_told(outcome.correlation_id):
            self._ledger.record_event(
                request,
                event,
                iso(self._now()),
                reason=_reason(outcome, event),
                stored=outcome.stored,
                is_new=outcome.outcome == "archived",
            )

    def record_queued(self, request: ArchiveRequest, correlation_id: str) -> None:
        """Record that a message for the attachment is about to be sent. A whole record has no entry."""
        if request.attachment_id is not None:
            with self._unwritten_told(correlation_id):
                self._ledger.record_event(request, Event.QUEUED, iso(self._now()))

    def record_link(
        self,
        request: ArchiveRequest,
        listed: ListedAttachment,
        record_name: str | None,
        became: StoredObject | ContentConflictError,
        correlation_id: str = "",
        *,
        is_new: bool = False,
    ) -> None:
        """Record a link attachment: its shortcut, which ``is_new`` if it was written just now, or the conflict."""
        now = iso(self._now())
        request = replace(request, hints=listed.hints)
        with self._unwritten_told(correlation_id):
            self._ledger.record_listing(request, listed, record_name, now)
            if isinstance(became, ContentConflictError):
                self._ledger.record_event(request, Event.CONFLICTED, now, reason=became.code)
            else:
                self._ledger.record_event(request, Event.STORED_SHORTCUT, now, stored=became, is_new=is_new)

    def count_slow_try(self, request: ArchiveRequest, correlation_id: str = "") -> int:
        """Count a try that took nearly all of its function's time; return how many there were, 0 if nobody knows."""
        with self._unwritten_told(correlation_id):
            return self._ledger.count_slow_try(request, iso(self._now()))
        return 0

    def flush_credits(self) -> None:
        """Record the credits that were used since the last time; after a failure they are recorded the next time."""
        usage = self._meter.take()
        try:
            self._credits.add(usage)
        except StorageUnavailableError as error:
            self._meter.give_back(usage)
            self._unwritten(error)

    @contextmanager
    def _unwritten_told(self, correlation_id: str) -> Iterator[None]:
        try:
            yield
        except StorageUnavailableError as error:
            self._unwritten(error, correlation_id)

    def _unwritten(self, error: ArchiveError, correlation_id: str = "") -> None:
        fields = {"error_detail": error.detail, "correlation_id": correlation_id or None}
        self._report("ledger_unwritten", fields)


def _reason(outcome: Outcome, event: Event) -> str | None:
    if event is Event.SAID_GONE:
        # One wrong answer must not hide a file: an attachment that the list still shows was not removed.
        return None if outcome.is_unlisted else STILL_LISTED
    has_reason = event in (Event.DEAD_LETTERED, Event.CONFLICTED, Event.RETRIED)
    return outcome.error.code if outcome.error and has_reason else None


def _event(outcome: Outcome) -> Event | None:
    event = _EVENTS.get(outcome.outcome)
    if event is Event.DEAD_LETTERED and isinstance(outcome.error, ContentConflictError):
        return Event.CONFLICTED
    # The first try was recorded; recording each one would cost a call.
    return None if event is Event.RETRIED and outcome.attempt > 1 else event
