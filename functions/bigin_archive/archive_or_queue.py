"""``POST /attachments``: archive while the caller waits, or queue what takes longer."""

import time
from dataclasses import replace

from bigin_archive import archive_request
from bigin_archive.archive import Archived, Archiver
from bigin_archive.books import Books
from bigin_archive.deadline import Deadline
from bigin_archive.errors import ArchiveError, OutOfTimeError, SettledError
from bigin_archive.outcome import Outcome, Reporter, internal_error, settled
from bigin_archive.queue import Outgoing, Queue


class ArchiveOrQueue:
    """Takes one request at a time, and always tries: no brake stands before it."""

    def __init__(self, archiver: Archiver, queue: Queue, books: Books, reporter: Reporter) -> None:
        self._archiver = archiver
        self._books = books
        self._queue = queue
        self._reporter = reporter
        self.bucket = archiver.bucket

    def take(self, body: str | bytes | None, *, later: bool, request_id: str, deadline: Deadline) -> Archived | int:
        """Archive what ``body`` asks for; or queue it, unchanged, and return the number of messages.

        Queued is what shall be done ``later``, whole records, and what cannot be finished by the deadline.
        Raises ArchiveError.
        """
        started = time.monotonic()
        fate = Outcome("refused", request_id)
        try:
            fate = replace(fate, request=archive_request.parse(body))
            taken = self._take(fate, body, later, deadline)
        except SettledError as error:
            fate = replace(fate, outcome=settled(error), error=error)
            raise
        except ArchiveError as error:
            fate = replace(fate, error=error)
            raise
        except Exception as error:  # a bug is told as the contract says, too
            bug = internal_error(error)
            fate = replace(fate, error=bug)
            raise bug from error
        else:
            fate = _taken(fate, taken)
            return taken
        finally:
            fate = replace(fate, duration_ms=round((time.monotonic() - started) * 1000))
            self._books.enter(fate)
            self._books.close()
            self._reporter.report(fate)
            self._reporter.flush()

    def _take(self, fate: Outcome, body: str | bytes | None, later: bool, deadline: Deadline) -> Archived | int:
        request = fate.request
        if request and request.attachment_id is not None and not later:
            try:
                return self._archiver.archive(request, deadline)
            except OutOfTimeError:
                pass
        return self._queue.send([Outgoing(body.decode() if isinstance(body, bytes) else str(body))])


def _taken(fate: Outcome, taken: Archived | int) -> Outcome:
    if isinstance(taken, int):
        return replace(fate, outcome="queued", queued=taken)
    return replace(
        fate,
        outcome="already_archived" if taken.already else "archived",
        stored=taken.stored,
    )
