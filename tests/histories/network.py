"""A network in memory: what boto3, http.client and requests send arrives at servers that are functions.

boto3's clients are met where botocore would send: those that speak JSON at ``_make_api_call``, and that of S3 at its
event ``before-send``. Everything else is met at the socket.
"""

import io
import socket
import threading
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from http import HTTPStatus
from types import SimpleNamespace
from typing import Any
from urllib.parse import parse_qsl, unquote, urlsplit

import urllib3.util.connection
from botocore.awsrequest import AWSPreparedRequest, AWSResponse, HeadersDict
from botocore.client import BaseClient
from botocore.exceptions import ConnectionClosedError
from botocore.model import OperationModel
from botocore.parsers import create_parser

_JSON = create_parser("json")


@dataclass(frozen=True, slots=True)
class Request:
    """One request: ``path`` decoded, header names in lower case."""

    method: str
    path: str
    query: Mapping[str, str]
    headers: Mapping[str, str]
    body: bytes = b""


@dataclass(slots=True)
class Reply:
    """One answer. The connection breaks off before its last ``cut_bytes``."""

    status: int
    headers: dict[str, str] = field(default_factory=dict)
    body: bytes = b""
    cut_bytes: int = 0


class LostError(ConnectionError):
    """The connection ends without an answer."""


Server = Callable[[Request], Reply]
Exchange = Callable[[str, Request, Server], Reply]


class Network:
    """Servers by the ports that their addresses name. ``exchange`` carries every request to its server."""

    def __init__(self) -> None:
        self.servers: dict[int, tuple[str, Server]] = {}
        self.exchange: Exchange = lambda _, request, server: server(request)
        self._lock = threading.RLock()

    def carry(self, port: int, request: Request) -> Reply:
        """Carry one exchange at a time. Raises LostError."""
        name, server = self.servers[port]
        with self._lock:
            return self.exchange(name, request, server)

    @contextmanager
    def beside(self) -> Iterator[None]:
        """Inside an exchange: let the calls of another run pass."""
        lock, self._lock = self._lock, threading.RLock()
        try:
            yield
        finally:
            self._lock = lock

    def api_call(self, client: BaseClient, port: int, operation: str, params: dict[str, Any]) -> Any:
        """Call a service that speaks JSON, in botocore's own words. Raises what its clients raise."""
        model = client.meta.service_model.operation_model(operation)
        made = client._serializer.serialize_to_request(params, model)
        reply, parsed = self.json_call(port, {"url": client.meta.endpoint_url, **made}, model)
        if reply.status_code >= 300:
            raise client.exceptions.from_code(parsed["Error"]["Code"])(parsed, operation)
        return parsed

    def json_call(self, port: int, made: Mapping[str, Any], model: OperationModel) -> tuple[Any, dict[str, Any]]:
        """The exchange of a request that botocore has made: an object with the status, and the answer. Raises as its
        clients do, where there is no answer."""
        headers = {name.lower(): _text(value) for name, value in made["headers"].items()}
        try:
            reply = self.carry(port, Request("POST", "/", {}, headers, _bytes(made["body"])))
        except LostError as error:
            raise ConnectionClosedError(endpoint_url=made["url"], error=error) from error
        answer = {"status_code": reply.status, "headers": HeadersDict(reply.headers), "body": reply.body}
        return SimpleNamespace(status_code=reply.status), _JSON.parse(answer, model.output_shape)

    def before_send(self, request: AWSPreparedRequest, **_: Any) -> AWSResponse:
        """botocore's hook: returns the answer, so that nothing is sent."""
        url = urlsplit(request.url)
        body = request.body.read() if hasattr(request.body, "read") else request.body
        headers = {name.lower(): _text(value) for name, value in request.headers.items()}
        asked = Request(request.method, unquote(url.path), _query(url.query), headers, _bytes(body))
        try:
            reply = self.carry(url.port or 80, asked)
        except LostError as error:
            raise ConnectionClosedError(endpoint_url=request.url, error=error) from error
        return AWSResponse(request.url, reply.status, HeadersDict(reply.headers), _Raw(reply.body))

    @contextmanager
    def at_the_socket(self) -> Iterator[None]:
        """Keep connections to the servers' ports in memory."""
        theirs, real = urllib3.util.connection.create_connection, socket.create_connection

        def connect(address: tuple[str, int], *arguments: Any, **options: Any) -> Any:
            return _Socket(self, address[1]) if address[1] in self.servers else real(address, *arguments, **options)

        def connect_theirs(address: tuple[str, int], *arguments: Any, **options: Any) -> Any:
            return _Socket(self, address[1]) if address[1] in self.servers else theirs(address, *arguments, **options)

        urllib3.util.connection.create_connection = connect_theirs  # type: ignore[assignment]
        socket.create_connection = connect  # type: ignore[assignment]
        try:
            yield
        finally:
            urllib3.util.connection.create_connection, socket.create_connection = theirs, real


class _AnswerStream(io.RawIOBase):
    """The bytes of an answer. The request is sent when they are first read, as with a socket."""

    def __init__(self, fetch: Callable[[], bytes]) -> None:
        self._fetch = fetch
        self._bytes: io.BytesIO | None = None

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: Any) -> int:
        if self._bytes is None:
            self._bytes = io.BytesIO(self._fetch())
        return self._bytes.readinto(buffer)


class _Socket:
    """One connection, for one request."""

    def __init__(self, network: Network, port: int) -> None:
        self._network, self._port = network, port
        self._sent = bytearray()

    def sendall(self, data: bytes) -> None:
        self._sent += data

    def makefile(self, *_: Any, **__: Any) -> io.BufferedReader:
        return io.BufferedReader(_AnswerStream(self._reply))

    def _reply(self) -> bytes:
        reply = self._network.carry(self._port, _parsed(bytes(self._sent)))
        lines = [f"HTTP/1.1 {reply.status} {HTTPStatus(reply.status).phrase}"]
        lines += [f"{name}: {value}" for name, value in reply.headers.items()]
        if reply.status != HTTPStatus.NO_CONTENT and "content-length" not in reply.headers:
            lines.append(f"content-length: {len(reply.body)}")
        head = "\r\n".join([*lines, "connection: close", "", ""]).encode("latin-1")
        return head + reply.body[: len(reply.body) - reply.cut_bytes]

    def settimeout(self, _: float | None) -> None: ...

    def setsockopt(self, *_: int) -> None: ...

    def shutdown(self, _: int) -> None: ...

    def close(self) -> None: ...


class _Raw(io.BytesIO):
    """A body as botocore reads it."""

    def stream(self, amount: int = 65536, **_: Any) -> Iterator[bytes]:
        while block := self.read(amount):
            yield block


def _parsed(sent: bytes) -> Request:
    head, _, body = sent.partition(b"\r\n\r\n")
    first, *lines = head.decode("latin-1").split("\r\n")
    method, target, _ = first.split(" ", 2)
    url = urlsplit(target)
    headers = {name.lower(): value.strip() for name, _, value in (line.partition(":") for line in lines)}
    return Request(method, unquote(url.path), _query(url.query), headers, body)


def _query(text: str) -> dict[str, str]:
    return dict(parse_qsl(text, keep_blank_values=True))


def _text(value: str | bytes) -> str:
    return value.decode("latin-1") if isinstance(value, bytes) else value


def _bytes(body: str | bytes | bytearray | None) -> bytes:
    return body.encode() if isinstance(body, str) else bytes(body or b"")
