"""`audit --repair`: queues what is missing and repairs rows of the ledger. It deletes and overwrites no object."""

import time
import uuid
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, replace

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
    """Repair what needs no person. Raises StorageUnavailableError; repeating it does no harm."""
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
        # A request for a file that Bigin no longer has would end as "gone", and hide that the file is missing.
        if one.kind.repaired == "queue" and one.request and one.in_bigin:
            yield Outgoing(one.request.to_json(), one.request.hints, correlation_id)


def _mend_row(one: Difference, ledger: Ledger, now: str) -> None:
    found, request = one.stored, one.request
    if not found or not request:
        raise ValueError(f"{one.kind.code} without an object")
    row = row_of(found, request, now)
    if not one.in_bigin:
        # It was seen before it was archived: a list that began before the repair proves that it is gone, too.
        row = replace(row, first_seen=min(now, found.modified_at))
    if not ledger.put(row):
        event = Event.STORED_SHORTCUT if found.is_link else Event.STORED_FILE
        ledger.record_event(request, event, now, stored=found.as_stored, is_proved=True)
    if one.listed and one.seen_at:
        # Otherwise the next audit with --as-of-sweep would call it removed.
        ledger.record_listing(request, one.listed.listed, one.listed.record_name, one.seen_at)
