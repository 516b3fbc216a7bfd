"""Compares the attachments in the stored lists with the ledger, and queues what is not archived.

Files are queued ten at a time: marked in the ledger, sent, and then noted in the cursor. If the function dies in
between, the step is repeated. A file gets a second message only if it dies between SQS's answer and the write of the
cursor: no step can do both.
"""

from collections.abc import Callable, Mapping, Sequence
from datetime import timedelta

from bigin_archive.archive_request import ArchiveRequest
from bigin_archive.archiving.link_archiver import LinkArchiver
from bigin_archive.bigin.client import Bigin
from bigin_archive.bigin.found_attachment import Found
from bigin_archive.bigin.list_reader import Reading
from bigin_archive.clock import iso, parse
from bigin_archive.deadline import Deadline
from bigin_archive.errors import ArchiveError, AttachmentGoneError, BiginRefusedError, CreditsSpentError
from bigin_archive.ledger.attachment_state import Event, Step, next_step
from bigin_archive.ledger.ledger import Ledger
from bigin_archive.ledger.ledger_entry import LedgerEntry
from bigin_archive.ledger.stored_list import PageLostError, found_of, is_wanted
from bigin_archive.queueing.archive_queue import ArchiveQueue, Outgoing
from bigin_archive.sweep import patience
from bigin_archive.sweep.credit_budget import CreditLimit
from bigin_archive.sweep.cursor import Cursor, SweepState
from bigin_archive.sweep.doubts import Doubts, doubt
from bigin_archive.sweep.lists import list_again

_ATTACHMENTS_AT_ONCE = 100  # rows in one call (DynamoDB, BatchGetItem)
_RECORDS_AT_ONCE = 10
_MESSAGES_AT_ONCE = 10  # SQS API Reference, SendMessageBatch
_PATIENCE_S = 2 * 60 * 60  # for one record: an outage ends by itself, and the others must not wait for this one
_MODULE_PATIENCE_S = 24 * 60 * 60  # for all records of a module, then each next one has a single try

_QUICKLY_READ = 5_000  # attachments, whose rows are read in a second


class Discovery:
    """Finds attachments, and queues what is not archived. Methods raise ArchiveError, LeaseLostError."""

    def __init__(
        self,
        bigin: Bigin,
        links: LinkArchiver,
        queue: ArchiveQueue,
        ledger: Ledger,
        limit: CreditLimit,
        now: Callable[[], float],
    ) -> None:
        self._bigin = bigin
        self._links = links
        self._queue = queue
        self._ledger = ledger
        self._limit = limit
        self._now = now
        self._doubts = Doubts(bigin, now)

    def compare(self, cursor: Cursor, state: SweepState, deadline: Deadline) -> None:
        """Compare the next attachments with the ledger."""
        if state.page >= state.pages:
            if state.doubted:
                self._doubts.resolve_next(cursor, state, deadline)
            else:
                state.phase = "draining"
            return
        try:
            rows = [row for row in cursor.page(state, state.page) if is_wanted(row)]
        except PageLostError:
            list_again(state)
            return
        if state.strategy == "all":
            chosen = rows[state.index : state.index + _ATTACHMENTS_AT_ONCE]
            self._take(cursor, state, [found_of(row) for row in chosen], deadline)
            state.index += len(chosen)
        else:
            for module, record_id, name, *again in rows[state.index : state.index + _RECORDS_AT_ONCE]:
                self._record(cursor, state, module, record_id, name, deadline, is_again=any(again))
                state.index, state.reading = state.index + 1, None
                state.note_step()
                state.records += not again
        if state.index >= len(rows):
            state.page, state.index = state.page + 1, 0

    def nothing_waits(self, state: SweepState) -> bool:
        """Whether the ledger shows that nothing waits, in a small account; False if that takes too long.

        SQS's count of an empty queue may be a minute late; the ledger is not.
        """
        if state.listed > _QUICKLY_READ:
            return False
        return all(entry.state != "pending" for entry in self._ledger.entries())

    def _record(
        self,
        cursor: Cursor,
        state: SweepState,
        module: str,
        record_id: str,
        name: str | None,
        deadline: Deadline,
        *,
        is_again: bool,
    ) -> None:
        """Compare what one record holds, page by page: what stops in between goes on where it was."""
        place = f"{module}/{record_id}"
        reading = Reading.stored(state.reading)
        reader = self._bigin.attachment_list(ArchiveRequest(module, record_id), lambda: deadline, reading)
        try:
            while not reading.is_over:
                found = [Found.of_record(module, record_id, name, each) for each in reader.next_rows()]
                self._take(cursor, state, found, deadline)
                state.reading = reading.as_dict()
            if reader.doubt:
                state.refuse(place)
        except AttachmentGoneError:
            if is_again:
                state.refuse(place)
            else:
                doubt(state, module, record_id, name)
        except BiginRefusedError:
            state.refuse(place)
        except ArchiveError as error:
            is_over = patience.is_over(state, place, error, self._now(), _PATIENCE_S)
            is_silent = patience.is_over(state, module, error, self._now(), _MODULE_PATIENCE_S, "silent")
            if not is_over and not is_silent:
                raise
            state.refuse(place)
        else:
            state.silent = None
        patience.end(state, place)

    def _take(self, cursor: Cursor, state: SweepState, found: Sequence[Found], deadline: Deadline) -> None:
        """Queue what is not archived, and note all as seen: in the rows what is new or changed, the rest in the list of
        what this sweep found, which costs a hundredth.

        Raises CreditsSpentError where there are credits for some files only; the others come with the next slice.
        """
        if not state.compares_sizes:
            found = [each.without_size for each in found]
        known = self._ledger.find([each.request for each in found]) if found else {}
        unsent = {place for place, entry in known.items() if state.is_unsent(entry)}
        new = [each for each in found if each.request.place in unsent or not _is_seen(state, known, each)]
        now = iso(self._now())
        unknown = [
            each for each in new if each.request.place in unsent or _is_wanted(each, known, now, state.lost_before)
        ]
        files = [each for each in unknown if not each.listed.link]
        queued = files[: self._limit.promise(len(files))]
        for first in range(0, len(queued), _MESSAGES_AT_ONCE):
            self._send(cursor, state, queued[first : first + _MESSAGES_AT_ONCE], known)
        for each in unknown:
            if each.listed.link:
                self._links.archive(each.request, each.listed, each.record_name, deadline, state.correlation_id)
                self._ledger.record_listing(each.request, each.listed, each.record_name, now)
                state.listed, state.links = state.listed + 1, state.links + 1
        if len(queued) < len(files):
            raise CreditsSpentError("The credits of this hour or day are reserved. Continues by itself.")
        done = {each.request.place for each in unknown}
        not_queued = [each for each in new if each.request.place not in done]
        for each in not_queued:
            entry = known[each.request.place]
            # An audit cannot use the list of a sweep of changes.
            if not (state.is_full and entry.is_stored and entry.repeats(each.listed, each.record_name)):
                self._ledger.record_listing(each.request, each.listed, each.record_name, now)
        state.listed, state.known = state.listed + len(not_queued), state.known + len(not_queued)
        if state.strategy != "all" and state.is_full:
            cursor.note(found)

    def _send(
        self, cursor: Cursor, state: SweepState, files: Sequence[Found], known: Mapping[str, LedgerEntry]
    ) -> None:
        """Queue files: mark them as sent, send, and note that they were."""
        at = _later(iso(self._now()), state.sent_until)
        for each in files:
            if each.request.place in known:
                # Before the message is sent, because its outcome must be written last.
                self._ledger.record_event(each.request, Event.QUEUED, at)
            self._ledger.record_listing(each.request, each.listed, each.record_name, at, at)
        self._queue.send(Outgoing(each.request.to_json(), each.listed.hints, state.correlation_id) for each in files)
        state.sent_until = at
        state.listed += len(files)
        state.queued += len(files)
        state.bytes_queued += sum(each.listed.size_bytes or 0 for each in files)
        cursor.save(state)


def files_to_queue(
    found: Sequence[Found], known: Mapping[str, LedgerEntry], now: str, lost_before: str | None
) -> list[Found]:
    """The files that a sweep would queue."""
    return [each for each in found if not each.listed.link and _is_wanted(each, known, now, lost_before)]


def _is_wanted(found: Found, known: Mapping[str, LedgerEntry], now: str, lost_before: str | None) -> bool:
    return next_step(known.get(found.request.place), found.listed, now, lost_before) is not Step.NOTHING


def _is_seen(state: SweepState, known: Mapping[str, LedgerEntry], found: Found) -> bool:
    """Whether this sweep had finished it before it was interrupted."""
    entry = known.get(found.request.place)
    return entry is not None and (entry.last_seen or "") >= state.started_at


def _later(now: str, last: str | None) -> str:
    """``now``, or a millisecond after ``last``: no two batches share a time."""
    earliest = parse(last)
    return max(now, iso(earliest + timedelta(milliseconds=1))) if earliest else now
