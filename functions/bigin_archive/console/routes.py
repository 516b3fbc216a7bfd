"""The console's routes: an event of API Gateway in, an answer out.

======  ===================================  ====================================================
GET     ``/``, ``/app.js``, ``/app.css``     the page, without data: anybody
GET     ``/search``                          attachments by words, module, days and state
GET     ``/records/{module}/{record_id}``    a record's attachments, fresh from the ledger
POST    ``/links``                           an address that downloads one file, for a minute
GET     ``/status``                          whether everything is there
======  ===================================  ====================================================
"""

from collections.abc import Callable, Mapping
from dataclasses import asdict, dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any

from bigin_archive import __version__
from bigin_archive.api import gateway
from bigin_archive.api.gateway import Answer, Event
from bigin_archive.archive_request import attachment, identifier, json_object, module_name
from bigin_archive.console import answers, search_request
from bigin_archive.console.archive_files import ArchiveFiles
from bigin_archive.console.link_limit import MANY_LINKS, LocalLinkLimit, TableLinkLimit
from bigin_archive.errors import ArchiveError, ContentConflictError, InvalidRequestError
from bigin_archive.http_errors import (
    IndexUnavailableError,
    MethodNotAllowedError,
    NotArchivedError,
    TooManyLinksError,
    UnknownRecordError,
    UnknownRouteError,
)
from bigin_archive.ledger.ledger import Ledger
from bigin_archive.ledger.search_row import search_row
from bigin_archive.page import files as page_files
from bigin_archive.page.files import PageFile
from bigin_archive.request_outcome import bugs_as_errors
from bigin_archive.search.search_row import IndexUnreadableError, SearchRow

PAGE_ROWS = 50
LINK_S = 60  # seconds that a link works; it is used at once
CONFLICT = ContentConflictError.code  # Bigin sent other bytes later; the archived file is still there
LINKED_STATES = ("archived", "link", "reclaimed")  # an object stands for the attachment
RECORD_ROUTE = "/records/{module}/{record_id}"


@dataclass(frozen=True, slots=True)
class Door:
    """What differs between the deployed console and the one on a person's own machine.

    ``user`` names the user, and raises UnauthorizedError without one. ``sign_in`` returns the address for signing in
    and the client's id; both are empty if the page's own address holds a key.
    """

    user: Callable[[Event], str]
    sign_in: Callable[[Event], tuple[str, str]] = lambda event: ("", "")


@dataclass(frozen=True, slots=True)
class Console:
    """The console of one stack. ``report`` writes a log line; ``now`` is the time in UTC."""

    files: ArchiveFiles
    ledger: Ledger
    limit: LocalLinkLimit | TableLinkLimit
    door: Door
    report: Callable[[str, Mapping[str, object]], None]
    now: Callable[[], datetime] = field(default=lambda: datetime.now(UTC))

    def answer(self, event: Event) -> Answer:
        """The answer to one request; every failure is a problem document."""
        try:
            with bugs_as_errors():
                return self._answer(event)
        except ArchiveError as error:
            self._tell(event, "console_refused", error_code=error.code, route=event.get("resource"))
            return answers.problem(error, event)

    def _answer(self, event: Event) -> Answer:
        route, method = str(event.get("resource") or ""), str(event.get("httpMethod") or "")
        pages: Mapping[str, Callable[[], PageFile]] = {
            "/": lambda: page_files.html(*self.door.sign_in(event)),
            "/app.js": page_files.script,
            "/app.css": page_files.style,
        }
        routes: Mapping[str, tuple[str, Callable[[Event, str], Answer]]] = {
            "/search": ("GET", self._search),
            RECORD_ROUTE: ("GET", self._record),
            "/links": ("POST", self._link),
            "/status": ("GET", self._status),
        }
        if route in pages and method == "GET":
            return self._file(pages[route](), event)
        user = self.door.user(event)  # before anything is said of an address
        allowed, answer = routes.get(route, ("GET", None))
        if route not in pages and answer is None:
            raise UnknownRouteError("There is nothing at this address.")
        if method != allowed or answer is None:
            raise MethodNotAllowedError(f"This address answers only {allowed}.", allowed=(allowed,))
        return answer(event, user)

    def _file(self, file: PageFile, event: Event) -> Answer:
        policy = page_files.policy(self.door.sign_in(event)[0])
        return answers.file(file.content, file.content_type, policy, file.etag, event)

    def _search(self, event: Event, user: str) -> Answer:
        given = {name: value for name, value in (event.get("queryStringParameters") or {}).items() if value}
        query, number = search_request.query(given), search_request.page_number(given)
        index = self.files.index()
        found = index.search(query)
        try:
            rows = [index.row(place) for place in found[(number - 1) * PAGE_ROWS : number * PAGE_ROWS]]
        except IndexUnreadableError as error:
            raise IndexUnavailableError(f"The search index is damaged ({error}): run bigin-archive audit.") from None
        return answers.json(
            200,
            {
                "results": [told(row) for row in rows],
                "total": len(found),
                "page": number,
                "pages": -(-len(found) // PAGE_ROWS),
                "as_of": index.as_of,
            },
        )

    def _record(self, event: Event, user: str) -> Answer:
        given = event.get("pathParameters") or {}
        try:
            module = module_name(given.get("module"))
            record_id = identifier("record_id", given.get("record_id"))
        except InvalidRequestError as error:
            raise UnknownRecordError(f"There is no such record: {error.detail}") from None
        rows = [search_row(entry) for entry in self.ledger.entries_of(module, record_id)]
        if not rows:
            raise UnknownRecordError("The archive knows no attachment of this record.")
        rows.sort(key=lambda row: (row.attached_on or "", row.attachment_id.zfill(50)), reverse=True)
        names = (row.record_name for row in rows if row.record_name)
        return answers.json(
            200,
            {
                "module": module,
                "record_id": record_id,
                "record_name": next(names, None),
                "attachments": [told(row) for row in rows],
            },
        )

    def _link(self, event: Event, user: str) -> Answer:
        request = attachment(json_object(gateway.body(event)))
        entry = self.ledger.find([request]).get(request.place)
        if entry is None or not entry.key or not (entry.state in LINKED_STATES or entry.reason == CONFLICT):
            raise NotArchivedError("This attachment is not in the archive.")
        file = self.files.version(entry.key, entry.version_id, entry.sha256)
        self._count_link(user, event)
        expires_at = (self.now() + timedelta(seconds=LINK_S)).isoformat(timespec="seconds")
        url = self.files.signed_url(file, LINK_S)
        self._tell(event, "link_issued", user=user, **request.ids, version_id=file.version_id, expires_at=expires_at)
        return answers.json(
            201,
            {
                "url": url,
                "expires_at": expires_at,
                "file_name": file.name,
                "size_bytes": file.size_bytes,
                "sha256": entry.sha256,
            },
        )

    def _count_link(self, user: str, event: Event) -> None:
        """Count a link; a user who got unusually many, or may get no more now, has a log line of their own."""
        try:
            links = self.limit.take(user)
        except TooManyLinksError:
            self._tell(event, "too_many_links", user=user)
            raise
        if links == MANY_LINKS + 1:
            self._tell(event, "many_links", user=user, links_this_week=links)

    def _status(self, event: Event, user: str) -> Answer:
        report = self.files.report()
        try:
            last_archived_at = self.files.index().last_archived_at
        except ArchiveError:  # the other figures are answered without it
            last_archived_at = None
        return answers.json(200, {**_totals(report), "last_archived_at": last_archived_at, "version": __version__})

    def _tell(self, event: Event, outcome: str, **fields: object) -> None:
        """Write a log line, which never holds a name or a query."""
        request_id = gateway.request_id(event)
        self.report(outcome, {**fields, "request_id": request_id, "correlation_id": request_id})


def told(row: SearchRow) -> dict[str, Any]:
    """An attachment as every search returns it."""
    return {name: value for name, value in asdict(row).items() if name != "stored_as"}


def _totals(report: Mapping[str, Any]) -> dict[str, Any]:
    """The figures of the audit's report for the whole archive; null if there is no report."""
    modules = report.get("modules")
    totals = [one for one in modules.values() if isinstance(one, dict)] if isinstance(modules, dict) else []

    def total(*names: str) -> int | None:
        counts = [one.get(name) for one in totals for name in names]
        return sum(count for count in counts if isinstance(count, int)) if totals else None

    return {
        "verdict": report.get("verdict"),
        "audited_at": report.get("finished_at"),
        "complete_as_of": report.get("complete_as_of"),
        "archived": total("archived", "links"),
        "size_bytes": total("size_bytes"),
        "waiting": total("pending"),
        "parked": total("parked"),
    }
