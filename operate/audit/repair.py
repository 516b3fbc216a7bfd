"""`audit --repair`: queues what is missing and repairs rows of the ledger. It deletes and overwrites no object."""

import uuid
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, replace

from bigin_archive.audit.difference_kinds import Difference
from bigin_archive.ledger.attachment_state import Event
from bigin_archive.ledger.ledger import Ledger
from bigin_archive.queueing.archive_queue import REPAIR, ArchiveQueue, Outgoing
from operate.audit.ledger_rows import row_of

_MESSAGES_AT_ONCE = 10  # SQS API Reference, SendMessageBatch


@dataclass(slots=True)
class Repaired:
    """What was done: requests queued, rows restored or corrected, differences that need a person."""

    queued: int = 0
    rows: int = 0
    left: int = 0


def repair(differences: Iterable[Difference], ledger: Ledger, queue: ArchiveQueue, at: str) -> Repaired:
    """Repair what needs no person, ``at`` AWS's time (ISO 8601, UTC). Repeating it does no harm.

    Raises StorageUnavailableError.
    """
    repaired, grave = Repaired(), [one for one in differences if not one.kind.only_told]
    for one in grave:
        if one.kind.repaired == "row":
            _mend_row(one, ledger, at)
            repaired.rows += 1
    # A request for a file that Bigin no longer has would end as "gone", and hide that the file is missing.
    missing = [one for one in grave if one.kind.repaired == "queue" and one.request and one.in_bigin]
    correlation_id, records = f"{REPAIR}{uuid.uuid4().hex}", set[str]()
    for first in range(0, len(missing), _MESSAGES_AT_ONCE):
        some = missing[first : first + _MESSAGES_AT_ONCE]
        for one in some:
            if one.request and not (one.listed and one.listed.listed.link):
                # Before the message is sent, because its outcome must be written last. No sweep sends another one then.
                ledger.record_event(one.request, Event.QUEUED, at)
        queue.send(_requests(some, correlation_id, records))
    repaired.queued = len(missing)
    repaired.left = len(grave) - repaired.rows - repaired.queued
    return repaired


def _requests(differences: Iterable[Difference], correlation_id: str, records: set[str]) -> Iterator[Outgoing]:
    """The messages; ``records`` are those that had theirs before."""
    for one in differences:
        if not one.request:
            continue
        if one.listed and one.listed.listed.link:
            # Its record's list has the address; a file that once had its id would count as archived.
            body = replace(one.request, attachment_id=None).to_json()
            if body not in records:
                records.add(body)
                yield Outgoing(body, correlation_id=correlation_id)
        else:
            yield Outgoing(one.request.to_json(), one.request.hints, correlation_id)


def _mend_row(one: Difference, ledger: Ledger, at: str) -> None:
    found, request = one.stored, one.request
    if not found or not request:
        raise ValueError(f"{one.kind.code} without an object")
    row = row_of(found, request, at)
    if not ledger.put(row):
        event = Event.STORED_SHORTCUT if found.is_link else Event.STORED_FILE
        ledger.record_event(request, event, at, stored=found.as_stored, is_proved=True)
    if one.listed and one.seen_at:
        # Otherwise the next audit with --as-of-sweep would call it removed.
        ledger.record_listing(request, one.listed.listed, one.listed.record_name, one.seen_at)
