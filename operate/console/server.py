"""The console on 127.0.0.1, with the operator's own AWS credentials.

Every program on this machine can reach a local port, and a foreign web page can make the browser send requests to it.
So each request must name this exact address as its host (against DNS rebinding) and must not come from another site. A
request for data must also bring the key, which only the printed address holds.
"""

import hmac
import re
import secrets
import sys
from collections.abc import Callable, Mapping
from http import HTTPStatus
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import parse_qsl, unquote, urlsplit

from bigin_archive.api import gateway
from bigin_archive.archive_request import MAX_BODY_BYTES
from bigin_archive.console import answers
from bigin_archive.console.archive_files import ArchiveFiles
from bigin_archive.console.link_limit import LocalLinkLimit
from bigin_archive.console.routes import RECORD_ROUTE, Console, Door
from bigin_archive.errors import ArchiveError, InvalidRequestError, UnauthorizedError
from bigin_archive.http_errors import ForbiddenError, MethodNotAllowedError
from bigin_archive.ledger.ledger import Ledger

ADDRESS = "127.0.0.1"
PAGE = "/console"
USER = "operator"
_RECORD = re.compile(r"/records/([^/]+)/([^/]+)")
_METHODS = ("GET", "POST")


class ConsoleServer(ThreadingHTTPServer):
    """Serves the console until it is shut down. ``port`` 0 takes a free one. Raises OSError if the port is taken."""

    daemon_threads = True

    def __init__(
        self, files: ArchiveFiles, ledger: Ledger, port: int, report: Callable[[str, Mapping[str, object]], None]
    ) -> None:
        super().__init__((ADDRESS, port), _Handler)
        self.key = secrets.token_urlsafe(32)
        self.host = f"{ADDRESS}:{self.server_address[1]}"
        self.console = Console(files, ledger, LocalLinkLimit(), Door(self._user), report)

    def handle_error(self, request: Any, client_address: Any) -> None:
        """Ignore a browser that hung up, as it does when the next letter of a search is typed."""
        if not isinstance(sys.exc_info()[1], ConnectionError | TimeoutError):
            super().handle_error(request, client_address)

    @property
    def url(self) -> str:
        """The page's address, with the key; a browser does not send the part after the #."""
        return f"http://{self.host}{PAGE}#key={self.key}"

    def _user(self, event: gateway.Event) -> str:
        kind, _, key = (gateway.header(event, "Authorization") or "").partition(" ")
        if kind.lower() != "bearer" or not hmac.compare_digest(key.strip().encode(), self.key.encode()):
            raise UnauthorizedError("Open the address that bigin-archive console printed: it holds the key.")
        return USER


class _Handler(BaseHTTPRequestHandler):
    """One connection. It understands only what a browser sends."""

    server: ConsoleServer
    protocol_version = "HTTP/1.1"
    server_version = "bigin-archive"
    sys_version = ""
    timeout = 30  # seconds that a connection may be silent

    def answer(self) -> None:
        """Answer one request."""
        event = self._event()
        try:
            self._check()
            if self.command == "POST":  # nobody without the key sends a body
                self.server.console.door.user(event)
            event["body"] = self._body()
            answer = self.server.console.answer(event)
        except ArchiveError as error:
            answer = self._refusal(error, event)
        self._send(answer)

    def send_error(self, code: int, message: str | None = None, explain: str | None = None) -> None:
        """Refuse what http.server does not read, with a problem document in place of its own page."""
        if code == HTTPStatus.NOT_IMPLEMENTED:  # a method that has no name here
            self.answer()
            return
        error = InvalidRequestError(f"The request cannot be read: {HTTPStatus(code).phrase}.")
        self._send(self._refusal(error, {"requestContext": {"requestId": secrets.token_hex(8)}}))

    def _refusal(self, error: ArchiveError, event: gateway.Event) -> gateway.Answer:
        self.close_connection = True  # a body may be left on it
        return answers.problem(error, event)

    def _send(self, answer: gateway.Answer) -> None:
        # A request without a version would get no headers, and a browser would guess what the answer is.
        self.request_version = self.protocol_version
        content = answer["body"].encode()
        self.send_response(answer["statusCode"])
        for name, value in answer["headers"].items():
            self.send_header(name, value)
        self.send_header("Content-Length", str(len(content)))
        self.end_headers()
        if self.command != "HEAD":
            self.wfile.write(content)

    # The methods that http.server knows: each a name of its own.
    do_GET = do_POST = do_HEAD = do_PUT = do_DELETE = do_OPTIONS = do_PATCH = do_TRACE = answer  # noqa: N815 - the library's

    def log_message(self, format: str, *arguments: Any) -> None:  # noqa: A002 - the library's name
        """Log nothing: an address may hold a search."""

    def _check(self) -> None:
        own = f"http://{self.server.host}"
        # An address of its own goes before the header (RFC 9112, 3.2.2).
        is_own = self.path.startswith(("/", f"{own}/"))
        if self.headers.get_all("Host") != [self.server.host] or not is_own:
            raise ForbiddenError(f"This console answers only at {own}.")
        site, origin = self.headers.get("Sec-Fetch-Site"), self.headers.get("Origin")
        if site not in (None, "same-origin", "none") or origin not in (None, own):
            raise ForbiddenError("The request comes from another site. This console answers only its own page.")
        if self.command not in _METHODS:
            raise MethodNotAllowedError(f"Only {' and '.join(_METHODS)} are answered.", allowed=_METHODS)

    def _body(self) -> str | None:
        length = self.headers.get("Content-Length", "0")
        if "Transfer-Encoding" in self.headers or not re.fullmatch("[0-9]{1,9}", length):
            raise InvalidRequestError("A body needs a Content-Length.")
        if int(length) > MAX_BODY_BYTES:
            raise InvalidRequestError(f"The body is longer than {MAX_BODY_BYTES} bytes.")
        return self.rfile.read(int(length)).decode(errors="replace") or None

    def _event(self) -> dict[str, Any]:
        """The request, as API Gateway would pass it on."""
        try:
            address = urlsplit(self.path)
        except ValueError:
            address = urlsplit("/")
        inside = address.path == PAGE or address.path.startswith(f"{PAGE}/")
        route = (address.path.removeprefix(PAGE) or "/") if inside else "outside"
        parameters = {}
        if match := _RECORD.fullmatch(route):
            route = RECORD_ROUTE
            parameters = {"module": unquote(match[1]), "record_id": unquote(match[2])}
        return {
            "resource": route,
            "httpMethod": self.command,
            "headers": dict(self.headers.items()),
            "queryStringParameters": dict(parse_qsl(address.query, keep_blank_values=True, errors="replace")),
            "pathParameters": parameters,
            "requestContext": {"requestId": secrets.token_hex(8)},
        }
