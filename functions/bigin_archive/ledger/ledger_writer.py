"""What became of requests, entered in the ledger, and the credits that it took.

S3 has been written by then: an entry that fails holds nothing up. The next sweep finds what the ledger does not know,
and learns at the price of one look into the bucket that it is archived.
"""

import time
from collections.abc import Callable, Mapping
from datetime import UTC, datetime, timedelta

from bigin_archive.archive_request import ArchiveRequest
from bigin_archive.bigin.credit_meter import CreditMeter
from bigin_archive.bigin.listing import ListedAttachment
from bigin_archive.clock import iso
from bigin_archive.errors import ArchiveError, ContentConflictError, StorageUnavailableError
from bigin_archive.ledger.credit_usage import CreditUsage
from bigin_archive.ledger.ledger import Ledger, LedgerEntry
from bigin_archive.request_outcome import Outcome
from bigin_archive.storage.archived_object import StoredObject

_STATES = {
    "archived": "archived",
    "already_archived": "archived",
    "gone": "gone",
    "link": "link",
    "parked": "parked",
}
# Longer than two deliveries of one message can overlap: what was archived within is not called gone or parked.
_OVERLAP = timedelta(hours=1)


class LedgerWriter:
    """Ledger and credits of one container."""

    def __init__(
        self,
        ledger: Ledger,
        credits_book: CreditUsage,
        meter: CreditMeter,
        report: Callable[[str, Mapping[str, object], Mapping[str, float]], None],
        now: Callable[[], float] = time.time,
    ) -> None:
        """``report`` takes an outcome, its fields and its metrics: what is told where an entry could not be made."""
        self._ledger = ledger
        self._credits = credits_book
        self._meter = meter
        self._report = report
        self._now = now

    def record(self, outcome: Outcome) -> None:
        """Enter the outcome of an attachment; what is to be retried keeps the state that it has."""
        state = _STATES.get(outcome.outcome)
        request = outcome.request
        if state is None or request is None or request.attachment_id is None:
            return
        now = datetime.fromtimestamp(self._now(), UTC)
        # Other bytes stand where an attachment is in conflict: that is true of one archived a moment ago, too.
        yields = state in ("gone", "parked") and not isinstance(outcome.error, ContentConflictError)
        try:
            self._ledger.record_outcome(
                request,
                state,
                iso(now),
                reason=outcome.error.code if outcome.error and state == "parked" else None,
                stored=outcome.stored,
                archived_before=iso(now - _OVERLAP) if yields else None,
            )
        except StorageUnavailableError as error:
            self._unwritten(error, outcome.correlation_id)

    def record_queued(self, request: ArchiveRequest, correlation_id: str) -> None:
        """Enter that an attachment waits in the queue, for whoever asks; what is known of it already stays."""
        if request.attachment_id is None:
            return
        entry = LedgerEntry(request.module, request.record_id, request.attachment_id, first_seen=iso(self._now()))
        try:
            self._ledger.put(entry)
        except StorageUnavailableError as error:
            self._unwritten(error, correlation_id)

    def record_link(
        self, request: ArchiveRequest, listed: ListedAttachment, stored: StoredObject, correlation_id: str = ""
    ) -> None:
        """Enter a link attachment, whose shortcut is ``stored``."""
        now = iso(self._now())
        try:
            self._ledger.record_listing(request, listed, None, now)
            self._ledger.record_outcome(request, "link", now, stored=stored)
        except StorageUnavailableError as error:
            self._unwritten(error, correlation_id)

    def flush_credits(self) -> None:
        """Enter the credits that were used since the last time; what fails is entered the next time."""
        usage = self._meter.take()
        try:
            self._credits.add(usage)
        except StorageUnavailableError as error:
            self._meter.give_back(usage)
            self._unwritten(error)

    def _unwritten(self, error: ArchiveError, correlation_id: str = "") -> None:
        fields = {"error_detail": error.detail, "correlation_id": correlation_id or None}
        self._report("ledger_unwritten", fields, {"LedgerUnwritten": 1})
