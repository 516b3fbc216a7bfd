"""`audit --repair`: queue what is missing, mend rows of the ledger. No object is deleted or overwritten."""

import time
import uuid
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass

from bigin_archive.audit.difference_kinds import Difference
from bigin_archive.clock import iso
from bigin_archive.ledger.attachment_state import Event
from bigin_archive.ledger.ledger import Ledger
from bigin_archive.queueing.archive_queue import REPAIR, ArchiveQueue, Outgoing
from operate.audit.ledger_rows import row_of


@dataclass(slots=True)
class Repaired:
    """What was done: requests queued, rows restored or corrected, differences that need a person."""

    queued: int = 0
    rows: int = 0
    left: int = 0


def repair(
    differences: Iterable[Difference], ledger: Ledger, queue: ArchiveQueue, now: Callable[[], float] = time.time
) -> Repaired:
    """Mend what can be mended without a person. Raises StorageUnavailableError; to do it again is harmless."""
    repaired, grave = Repaired(), [one for one in differences if not one.kind.only_told]
    for one in grave:
        if one.kind.repaired == "row":
            _mend_row(one, ledger, iso(now()))
            repaired.rows += 1
    repaired.queued = queue.send(_requests(grave, f"{REPAIR}{uuid.uuid4().hex}"))
    repaired.left = len(grave) - repaired.rows - repaired.queued
    return repaired


def _requests(differences: Iterable[Difference], correlation_id: str) -> Iterator[Outgoing]:
    for one in differences:
        # What Bigin does not have any more would only become "gone", and hide that a file is missing.
        if one.kind.repaired == "queue" and one.request and one.in_bigin:
            yield Outgoing(one.request.to_json(), one.request.hints, correlation_id)


def _mend_row(one: Difference, ledger: Ledger, now: str) -> None:
    found, request = one.stored, one.request
    if not found or not request:
        raise ValueError(f"{one.kind.code} without an object")
    if not ledger.put(row_of(found, request, now)):
        event = Event.STORED_SHORTCUT if found.is_link else Event.STORED_FILE
        ledger.record_event(request, event, now, stored=found.as_stored)
    if one.listed and one.seen_at:
        # Else the next audit against the last sweep's list would call it removed.
        ledger.record_listing(request, one.listed.listed, one.listed.record_name, one.seen_at)
