"""What a sweep does with Bigin's lists: first they are stored, then each attachment is compared with the ledger.

Bigin's page tokens live a day and a sweep may take weeks; so the lists come first. What is done twice after a crash is
harmless: an archived file is not fetched again.
"""

from collections.abc import Sequence
from dataclasses import asdict
from typing import Any

from bigin_archive.archive_request import MODULES, ArchiveRequest
from bigin_archive.archiving.link_archiver import LinkArchiver
from bigin_archive.bigin.account_listing import Found, attachments_of, attachments_page, lists_all, records_page
from bigin_archive.bigin.client import Bigin
from bigin_archive.bigin.listing import FIRST_PAGE, Link, ListedAttachment, Position
from bigin_archive.deadline import Deadline
from bigin_archive.errors import AttachmentGoneError, BiginRefusedError, BiginUnavailableError, PageTokenEndedError
from bigin_archive.ledger.attachment_state import Event, Step, next_step
from bigin_archive.ledger.ledger import Ledger
from bigin_archive.ledger.ledger_entry import LedgerEntry
from bigin_archive.queueing.archive_queue import ArchiveQueue, Outgoing
from bigin_archive.sweep.cursor import Cursor, PageLostError, SweepState

_ATTACHMENTS_AT_ONCE = 25
_RECORDS_AT_ONCE = 10
_MOST_REFUSED = 1000  # ids of records that are kept
# Slices in a row that may fail at the same place until a sweep goes on without it: two hours where little is lost, as
# an outage has its own end; a day where all records of a module would be missing.
_PATIENCE, _LIST_PATIENCE = 8, 96
_MOST_RESTARTS = 3  # of a list whose page tokens end before it


class Discovery:
    """Finds attachments, and queues what the ledger does not know. Methods raise ArchiveError."""

    def __init__(self, bigin: Bigin, links: LinkArchiver, queue: ArchiveQueue, ledger: Ledger) -> None:
        self._bigin = bigin
        self._links = links
        self._queue = queue
        self._ledger = ledger

    def store_lists(self, cursor: Cursor, state: SweepState, deadline: Deadline) -> None:
        """Store the next page of a list."""
        if state.strategy is None:
            state.strategy = "all" if not state.by_record and lists_all(self._bigin, deadline) else "records"
            state.credits += 0 if state.by_record else 1
            return
        try:
            rows, following = self._page(state, state.position or FIRST_PAGE, deadline)
        except PageTokenEndedError:
            state.restarts += 1
            state.position, state.pages, state.uncovered = None, state.pages_before, {}
            if state.restarts > _MOST_RESTARTS:
                _go_without_list(state)
            return
        except (BiginRefusedError, AttachmentGoneError):
            _go_without_list(state)
            return
        except BiginUnavailableError:
            if state.failures <= (_PATIENCE if state.strategy == "all" else _LIST_PATIENCE):
                raise
            _go_without_list(state)
            return
        finally:
            state.credits += 1
        if rows:
            state.pages += cursor.store_rows(state.pages, rows)
        state.position = dict(following) if following else None
        if not following:
            _end_list(state)

    def _page(self, state: SweepState, position: Position, deadline: Deadline) -> "tuple[list[Any], Position | None]":
        """What is stored of a page: attachments, or ids and names of records."""
        if state.strategy == "all":
            found, following = attachments_page(self._bigin, position, deadline)
            return [_row(each) for each in found if self._is_wanted(state, each)], following
        module = state.modules[state.module]
        records, following = records_page(self._bigin, module, position, deadline)
        wanted = [each for each in records if state.is_wanted_since(each.changed_times)]
        return [[module, each.record_id, each.name] for each in wanted], following

    def _is_wanted(self, state: SweepState, found: Found) -> bool:
        if found.request.module not in MODULES:
            state.uncovered[found.request.module] = state.uncovered.get(found.request.module, 0) + 1
            return False
        return found.request.module in state.modules and state.is_wanted_since(found.listed.times)

    def compare(self, cursor: Cursor, state: SweepState, deadline: Deadline, now: str) -> None:
        """Compare the next attachments with the ledger; ``now`` is when they were seen."""
        if state.page >= state.pages:
            state.phase = "draining"
            return
        try:
            rows = cursor.page(state.page)
        except PageLostError:
            state.phase, state.position = "listing", None
            state.module = state.pages_before = state.pages = state.page = state.index = 0
            return
        if state.strategy == "all":
            chosen = rows[state.index : state.index + _ATTACHMENTS_AT_ONCE]
            self._take(state, [_found(row) for row in chosen], now, deadline)
            state.index += len(chosen)
        else:
            for module, record_id, name in rows[state.index : state.index + _RECORDS_AT_ONCE]:
                self._take(state, self._of_record(state, module, record_id, name, deadline), now, deadline)
                state.index, state.failures = state.index + 1, 0
                state.records += 1
                if state.credits >= state.credits_limit:
                    break
        if state.index >= len(rows):
            state.page, state.index = state.page + 1, 0

    def _of_record(
        self, state: SweepState, module: str, record_id: str, name: str | None, deadline: Deadline
    ) -> Sequence[Found]:
        try:
            return [*attachments_of(self._bigin, module, record_id, name, deadline)]
        except AttachmentGoneError:
            return []
        except BiginRefusedError:
            _refused(state, f"{module}/{record_id}")
            return []
        except BiginUnavailableError:
            if state.failures <= _PATIENCE:
                raise
            # What fails for one record alone must not keep all others waiting.
            _refused(state, f"{module}/{record_id}")
            return []
        finally:
            state.credits += 1

    def _take(self, state: SweepState, found: Sequence[Found], now: str, deadline: Deadline) -> None:
        """Queue what the ledger does not know, then note all as seen: in this order nothing is forgotten."""
        known = self._ledger.find([each.request for each in found]) if found else {}
        unknown = [each for each in found if not _is_known(each, known.get(each.request.place), state.started_at, now)]
        files = [each for each in unknown if not each.listed.link]
        for each in files:
            if each.request.place in known:
                # Before the message, whose outcome must be the last word.
                self._ledger.record_event(each.request, Event.QUEUED, now)
        self._queue.send(Outgoing(each.request.to_json(), each.listed.hints, state.correlation_id) for each in files)
        for each in unknown:
            if each.listed.link:
                self._links.archive(each.request, each.listed, each.record_name, deadline, state.correlation_id)
        queued = {each.request.place for each in files}
        for each in found:
            sent_at = now if each.request.place in queued else None
            self._ledger.record_listing(each.request, each.listed, each.record_name, now, sent_at)
        state.credits += len(files)
        state.listed += len(found)
        state.queued += len(files)
        state.links += len(unknown) - len(files)
        state.known += len(found) - len(unknown)
        state.bytes_queued += sum(each.listed.size_bytes or 0 for each in files)


def _is_known(found: Found, entry: LedgerEntry | None, started_at: str, now: str) -> bool:
    """Whether nothing has to be done for an attachment."""
    if entry is None:
        return False
    if entry.last_seen and entry.last_seen >= started_at:
        return True  # by this sweep, before it was interrupted
    return next_step(entry, found.listed, now) is Step.NOTHING


def _end_list(state: SweepState) -> None:
    """Go on with the next module's list, or with the attachments."""
    state.restarts, state.position = 0, None
    state.module, state.pages_before = state.module + 1, state.pages
    if state.strategy == "all" or state.module == len(state.modules):
        state.phase = "attachments"


def _go_without_list(state: SweepState) -> None:
    """Go record by record, or on with the next module."""
    state.failures = 0
    if state.strategy == "all":
        state.strategy, state.position, state.pages, state.restarts = "records", None, 0, 0
        return
    _refused(state, state.modules[state.module])
    _end_list(state)


def _refused(state: SweepState, what: str) -> None:
    if len(state.refused) >= _MOST_REFUSED:
        what = what.partition("/")[0]  # so that every module concerned is named
    if what not in state.refused:
        state.refused.append(what)


def _row(found: Found) -> list[Any]:
    request = found.request
    return [request.module, request.record_id, found.record_name, asdict(found.listed)]


def _found(row: list[Any]) -> Found:
    module, record_id, name, listed = row
    link = Link(**listed["link"]) if listed["link"] else None
    entry = ListedAttachment(**{**listed, "link": link})
    return Found(ArchiveRequest(module, record_id, entry.attachment_id, entry.hints), name, entry)
