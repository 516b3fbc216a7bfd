"""``/callers/attachments``: archives for a caller, and says what became of an attachment.

API Gateway has checked the key; its id, right and end come with the request.
"""

import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

from bigin_archive import archive_request
from bigin_archive.api import gateway
from bigin_archive.api.archive_endpoint import ArchiveEndpoint
from bigin_archive.archive_request import ArchiveRequest
from bigin_archive.archiving.archiver import Archived
from bigin_archive.callers import lookup
from bigin_archive.callers.caller_limits import CallerLimits
from bigin_archive.callers.download_link import seconds_wanted
from bigin_archive.clock import iso
from bigin_archive.deadline import Deadline
from bigin_archive.errors import ArchiveError, InvalidRequestError, UnauthorizedError
from bigin_archive.ledger.ledger import Ledger
from bigin_archive.request_outcome import Outcome, bugs_as_errors
from bigin_archive.storage.archived_object import place_of
from bigin_archive.storage.version_reader import VersionReader
from bigin_archive.telemetry import Reporter


@dataclass(frozen=True, slots=True)
class _Identity:
    key_id: str
    right: str
    ends_at: str


@dataclass(frozen=True, slots=True)
class CallerEndpoint:
    """Answers one request at a time. ``versions`` is called late, because most requests need no client of S3."""

    archive: ArchiveEndpoint
    ledger: Ledger
    versions: Callable[[], VersionReader]
    limits: CallerLimits
    reporter: Reporter
    now: Callable[[], float] = time.time

    def answer(self, event: gateway.Event, deadline: Deadline) -> gateway.Answer:
        """The answer to one request; every failure is a problem document."""
        try:
            if event.get("httpMethod") == "GET":
                return self._look_up(event)
            return self._archive(event, deadline)
        except ArchiveError as error:
            return gateway.problem(error, event)

    def _archive(self, event: gateway.Event, deadline: Deadline) -> gateway.Answer:
        request_id = gateway.request_id(event)
        with self._refusals_told(event) as caller:
            body = gateway.body(event)
            link_s = seconds_wanted(_fields(body), caller.right)
        taken = self.archive.take(
            body,
            later=gateway.wants_queue(event),
            request_id=request_id,
            deadline=deadline,
            key_id=caller.key_id,
        )
        if isinstance(taken, int):
            return gateway.queued(taken)
        with self._refusals_told(event, admitted=True):
            return self._found(event, caller, taken, link_s)

    def _look_up(self, event: gateway.Event) -> gateway.Answer:
        with self._refusals_told(event) as caller:
            request = archive_request.attachment(event.get("pathParameters") or {})
            link_s = seconds_wanted(event.get("queryStringParameters") or {}, caller.right)
            found = lookup.find(request, self.ledger, self.versions())
            state = "archived" if found else "pending"
            self._tell(event, "looked_up", **request.ids, state=state, key_id=caller.key_id)
            if found is None:
                return gateway.queued(1)
            return self._found(event, caller, Archived(found, already=True), link_s)

    def _found(self, event: gateway.Event, caller: _Identity, archived: Archived, link_s: int | None) -> gateway.Answer:
        link = None
        if link_s is not None:
            versions, stored = self.versions(), archived.stored
            versions.check_readable(stored.key, stored.version_id)
            self.limits.count_link(caller.key_id, gateway.received_at_s(event))
            url, expires_at = versions.signed_url(stored.key, stored.version_id, link_s), iso(self.now() + link_s)
            link = {"url": url, "expires_at": expires_at}
            place = place_of(stored.key.removeprefix(versions.prefix))
            self._tell(
                event,
                "link_issued",
                **ArchiveRequest.of_place(place).ids,
                version_id=stored.version_id,
                expires_at=expires_at,
                key_id=caller.key_id,
            )
        return gateway.archived(self.archive.bucket, archived, download=link)

    def _tell(self, event: gateway.Event, outcome: str, **fields: object) -> None:
        request_id = gateway.request_id(event)
        self.reporter.report(outcome, {**fields, "request_id": request_id, "correlation_id": request_id})

    @contextmanager
    def _refusals_told(self, event: gateway.Event, *, admitted: bool = False) -> Iterator[_Identity]:
        """Check and count the key once more, and yield its caller; log every refusal inside the block."""
        caller = None
        try:
            with bugs_as_errors():
                caller = _identity(event)
                if not admitted:
                    self._admit(caller, gateway.received_at_s(event))
                yield caller
        except ArchiveError as error:
            key_id = caller.key_id if caller else None
            refused = Outcome("refused", gateway.request_id(event), error=error, key_id=key_id)
            self.reporter.report(refused.outcome, refused.fields(), refused.metrics())
            self.reporter.flush()
            raise

    def _admit(self, caller: _Identity, at_s: float) -> None:
        # API Gateway keeps the authorizer's answer for a minute, past the end of the key.
        if iso(at_s) >= caller.ends_at:
            raise UnauthorizedError("This key has expired: ask for a new one.")
        self.limits.count_call(caller.key_id, at_s)


def _identity(event: gateway.Event) -> _Identity:
    context: Mapping[str, Any] = (event.get("requestContext") or {}).get("authorizer") or {}
    try:
        return _Identity(str(context["key_id"]), str(context["right"]), str(context["ends_at"]))
    except KeyError:
        raise UnauthorizedError("Send a key as the header Authorization: Bearer KEY.") from None


def _fields(body: str | bytes | None) -> Mapping[str, object]:
    """The body's fields; none if it is malformed, which the archive endpoint reports."""
    try:
        return archive_request.json_object(body)
    except InvalidRequestError:
        return {}
