"""Bigin API v2: opens an attachment as a stream, lists the attachments of a record, exchanges JSON.

Pages: "Download an attachment", "Get attachments" (bigin.com/developer/docs/apis/v2). Every call sends the token only
to the one host of the data centre, follows no redirect, and ends at the deadline.
"""

import json
import time
import zlib
from collections.abc import Callable, Collection, Iterator, Mapping
from contextlib import AbstractContextManager, contextmanager, nullcontext
from typing import Any

import requests

from bigin_archive import clock
from bigin_archive.archive_request import ArchiveRequest
from bigin_archive.bigin.classify import ERROR_BODY_BYTES, classify, may_be_error
from bigin_archive.bigin.credit_meter import CreditMeter
from bigin_archive.bigin.download import Download
from bigin_archive.bigin.list_reader import Keyed, ListReader, Read, Reading
from bigin_archive.bigin.listing import (
    LISTING_FIELDS,
    PAGE_SIZE,
    ListedAttachment,
    Page,
    Position,
    entries,
    refuses_fields,
)
from bigin_archive.bigin.response_body import Body, is_gzip
from bigin_archive.deadline import Deadline
from bigin_archive.errors import (
    ArchiveError,
    AttachmentGoneError,
    BiginTokenRejectedError,
    BiginUnavailableError,
    DownloadIncompleteError,
    PageTokenEndedError,
)
from bigin_archive.network import http_response, transport
from bigin_archive.network.transport import Session
from bigin_archive.settings import MIB
from bigin_archive.token.access_token import TokenSource

# Until the headers, and between two reads of the body. Bigin publishes no figures. It is longer than a caller of the
# API waits (24 s), so that a stalled request is queued there, not refused.
READ_TIMEOUT_S = 30

MOST_PAGES_OF_A_RECORD = 1_000  # 200,000 attachments
MAX_LISTING_BYTES = 16 * MIB  # far more than 200 entries of at most 3 KB

ConcurrencyLimiter = Callable[[Deadline], AbstractContextManager[object]]


class Bigin:
    """The API of one data centre, for several threads."""

    def __init__(
        self,
        session: Session,
        api_url: str,
        tokens: TokenSource,
        limiter: ConcurrencyLimiter = nullcontext,
        meter: CreditMeter | None = None,
        now: Callable[[], float] = time.time,
    ) -> None:
        """``limiter(deadline)`` limits how many calls run at one time. ``meter`` counts them."""
        self._session = session
        self._limiter = limiter
        self._meter = meter or CreditMeter()
        self._takes_fields = True
        self._root = f"{api_url}/bigin/v2"
        self._tokens = tokens
        self._now = now

    @contextmanager
    def download(self, request: ArchiveRequest, deadline: Deadline) -> Iterator[Download]:
        """Open the attachment. Raises the ArchiveError for Bigin's answer."""
        path = f"/{request.module}/{request.record_id}/Attachments/{request.attachment_id}"
        with self._call("GET", path, deadline) as (response, body):
            yield Download(
                body=body,
                disposition=response.headers.get("Content-Disposition"),
                content_type=response.headers.get("Content-Type"),
                compressed=is_gzip(response.headers.get("Content-Encoding")),
            )

    def attachments(self, request: ArchiveRequest, deadline: Deadline) -> Iterator[ListedAttachment]:
        """Every attachment of the record, each once.

        Raises as :meth:`download` does, and BiginUnavailableError at the end where the list is not whole.
        """
        reader = self.attachment_list(request, lambda: deadline)
        yield from reader.rest()
        if reader.doubt:
            raise BiginUnavailableError(f"{reader.doubt} Try again later.")

    def attachment_list(
        self, request: ArchiveRequest, deadline: Callable[[], Deadline], reading: Reading | None = None
    ) -> ListReader[ListedAttachment]:
        """The list of the record's attachments, to be read from its beginning or from where ``reading`` stands.

        ``deadline()`` makes that of one page.
        """
        path = f"/{request.module}/{request.record_id}/Attachments"

        def fetch(position: Position) -> Read[ListedAttachment]:
            page = self.page(path, LISTING_FIELDS, position, deadline())
            found = entries(page.listing)
            return Read(page, [Keyed(each.attachment_id, each.created_time, each) if each else None for each in found])

        name = f"{request.module}/{request.record_id}"
        return ListReader(name, reading or Reading(), fetch, most_pages=MOST_PAGES_OF_A_RECORD)

    def page(self, path: str, fields: str, position: Position, deadline: Deadline) -> Page:
        """One page of a list, 200 entries at most.

        Raises as :meth:`download` does, and PageTokenEndedError where Bigin no longer knows ``position``.
        """
        params = {"fields": fields, "per_page": str(PAGE_SIZE), **position}
        if not self._takes_fields:
            del params["fields"]
        listing, told_at = self._json("GET", path, deadline, (204, 400), params=params)
        if self._takes_fields and refuses_fields(listing):
            self._takes_fields = False
            return self.page(path, fields, position, deadline)
        if "code" in listing and "page_token" in position:
            raise PageTokenEndedError("Bigin cannot continue the list. Try again later.")
        if "code" in listing and (error := classify(400, {}, json.dumps(listing).encode())):
            raise error
        return Page(listing, position, told_at)

    def listed_size(self, request: ArchiveRequest, deadline: Deadline) -> int | None:
        """The size of this attachment in the record's list; None if the list has none."""
        for entry in self.attachments(request, deadline):
            if entry.attachment_id == request.attachment_id:
                return entry.size_bytes
        return None

    def exchange(self, method: str, path: str, deadline: Deadline, content: object = None) -> dict[str, object]:
        """Send and receive JSON; empty if Bigin has nothing. Raises as :meth:`download` does.

        A refusal of all or some of the content (400, 207) is returned, too.
        """
        return self._json(method, path, deadline, (201, 204, 207, 400), json=content)[0]

    def _json(
        self, method: str, path: str, deadline: Deadline, accepted: Collection[int], **sent: object
    ) -> tuple[dict[str, object], str]:
        """The answer, and when Bigin sent it: by its own clock, or by ours where it does not say."""
        with self._call(method, path, deadline, accepted, **sent) as (response, body):
            sent_at = clock.parse_http(response.headers.get("Date")) or int(self._now())
            if response.status_code == 204:
                return {}, clock.iso(sent_at)
            text = body.peek(MAX_LISTING_BYTES)
        try:
            answer = json.loads(_plain(response.headers, text))
        except (ValueError, RecursionError):
            answer = None
        if not isinstance(answer, dict) or not answer:
            raise BiginUnavailableError("Bigin's answer is not the expected JSON. Try again later.")
        return answer, clock.iso(sent_at)

    @contextmanager
    def _call(
        self, method: str, path: str, deadline: Deadline, accepted: Collection[int] = (), **sent: object
    ) -> Iterator[tuple[requests.Response, Body]]:
        """An ``accepted`` status is not an error, unless the answer names one that concerns every call."""
        with self._limiter(deadline), transport.until(deadline):
            token = self._tokens.current()
            response, body, error = self._ask(method, path, sent, token.value, deadline)
            if isinstance(error, BiginTokenRejectedError):
                _give_back(response, body)
                token = self._tokens.after_refusal(token)
                response, body, error = self._ask(method, path, sent, token.value, deadline)
            if response.status_code in accepted and isinstance(error, BiginUnavailableError | AttachmentGoneError):
                error = None
            try:
                if error:
                    raise error
                yield response, body
            finally:
                _give_back(response, body)

    def _ask(
        self, method: str, path: str, sent: Mapping[str, Any], token: str, deadline: Deadline
    ) -> tuple[requests.Response, Body, ArchiveError | None]:
        deadline.check()
        self._meter.ask()
        try:
            response = transport.send(
                self._session,
                method,
                self._root + path,
                headers={"Authorization": f"Zoho-oauthtoken {token}"},
                timeout=(transport.CONNECT_TIMEOUT_S, min(READ_TIMEOUT_S, deadline.remaining_s() + 1)),
                before_again=self._count_unanswered,
                **sent,
            )
        except (requests.RequestException, OSError) as error:
            self._meter.count(None)
            deadline.check()
            raise BiginUnavailableError(
                f"Bigin cannot be reached, or does not answer ({type(error).__name__}). Try again later."
            ) from error
        self._meter.count(response.status_code, response.headers)
        received = http_response.received(response)
        headers = {name.lower(): value for name, value in response.headers.items()}
        coded = not received.chunked and headers.get("transfer-encoding", "identity").strip().lower() != "identity"
        if coded or received.msg.defects or received.msg.get_payload():
            # The headers break off, hold a line break of their own, or name a transfer coding that was not asked for.
            # The body cannot be trusted then.
            response.close()
            raise BiginUnavailableError("Bigin's answer has broken headers. Try again later.")
        body = Body(received, deadline)
        beginning = b""
        try:
            # An empty body holds no error. The empty body of a file is checked later, which takes a moment.
            if may_be_error(response.status_code, headers) and body.declared_bytes != 0:
                beginning = _plain(headers, body.peek(ERROR_BODY_BYTES))
        except DownloadIncompleteError:
            # For an error the status is enough; for a file this is a broken download.
            if response.status_code == 200:
                response.close()
                raise
        return response, body, classify(response.status_code, headers, beginning)

    def _count_unanswered(self) -> None:
        """A call that goes out a second time may have cost a credit the first time."""
        self._meter.count(None)
        self._meter.ask()


def _give_back(response: requests.Response, body: Body) -> None:
    """Return the connection to the pool if its answer was read to the end, else close it."""
    if body.at_end:
        response.raw.release_conn()
    else:
        response.close()


def _plain(headers: Mapping[str, str], data: bytes) -> bytes:
    """``data``, decoded as far as possible if a server compressed it unasked."""
    if "gzip" not in (headers.get("content-encoding") or headers.get("Content-Encoding") or ""):
        return data
    try:
        return zlib.decompressobj(wbits=31).decompress(data, MAX_LISTING_BYTES)
    except zlib.error:
        return b""
