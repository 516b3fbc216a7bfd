"""``POST /attachments``: archive while the caller waits, or queue a request that takes longer."""

import time
from contextlib import suppress
from dataclasses import dataclass, replace

from bigin_archive import archive_request
from bigin_archive.archiving.archiver import Archived, Archiver
from bigin_archive.archiving.link_archiver import LinkArchiver
from bigin_archive.deadline import Deadline
from bigin_archive.errors import ArchiveError, LinkAttachmentError, NothingToArchiveError, OutOfTimeError
from bigin_archive.ledger.ledger_writer import LedgerWriter
from bigin_archive.queueing.archive_queue import ArchiveQueue, Outgoing
from bigin_archive.request_outcome import Outcome, bugs_as_errors, outcome_without_file
from bigin_archive.telemetry import Reporter


@dataclass(frozen=True, slots=True)
class ArchiveEndpoint:
    """Takes one request at a time. It always tries: there is no circuit breaker before it."""

    archiver: Archiver
    links: LinkArchiver
    queue: ArchiveQueue
    ledger_writer: LedgerWriter
    reporter: Reporter

    @property
    def bucket(self) -> str:
        """The bucket of the objects."""
        return self.archiver.bucket

    def take(
        self, body: str | bytes | None, *, later: bool, request_id: str, deadline: Deadline, key_id: str | None = None
    ) -> Archived | int:
        """Archive the attachment that ``body`` names; or queue the body unchanged, and return the number of messages.

        It queues whole records, requests to be done ``later``, and files that cannot be finished by the deadline.
        ``key_id`` names the caller's key in the log. Raises ArchiveError.
        """
        started = time.monotonic()
        outcome = Outcome("refused", request_id, key_id=key_id)
        try:
            with bugs_as_errors():
                outcome = replace(outcome, request=archive_request.parse(body))
                taken = self._take(outcome, body, later, deadline)
        except NothingToArchiveError as error:
            outcome = replace(outcome, outcome=outcome_without_file(error), error=error)
            raise
        except ArchiveError as error:
            outcome = replace(outcome, error=error)
            raise
        else:
            outcome = _taken(outcome, taken)
            return taken
        finally:
            outcome = replace(outcome, duration_ms=round((time.monotonic() - started) * 1000))
            self.ledger_writer.record(outcome)
            self.ledger_writer.flush_credits()
            self.reporter.report(outcome.outcome, outcome.fields(), outcome.metrics())
            self.reporter.flush()

    def _take(self, outcome: Outcome, body: str | bytes | None, later: bool, deadline: Deadline) -> Archived | int:
        request = outcome.request
        if request and request.attachment_id is not None and not later:
            try:
                return self.archiver.archive(request, deadline)
            except OutOfTimeError:
                pass
            except LinkAttachmentError:
                # Its shortcut is archived anyway. If that fails, the next sweep does it.
                with suppress(ArchiveError):
                    self.links.archive_by_id(request, deadline, outcome.correlation_id)
                raise
        if request:
            self.ledger_writer.record_queued(request, outcome.correlation_id)
        text = body.decode() if isinstance(body, bytes) else str(body)
        return self.queue.send([Outgoing(text, correlation_id=outcome.correlation_id)])


def _taken(outcome: Outcome, taken: Archived | int) -> Outcome:
    if isinstance(taken, int):
        return replace(outcome, outcome="queued", queued=taken)
    return replace(
        outcome,
        outcome="already_archived" if taken.already else "archived",
        stored=taken.stored,
    )
