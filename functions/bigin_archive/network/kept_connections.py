"""HTTP/1.1 to one host, over connections of http.client that are kept, for several threads.

urllib3 would take as much processor time again for each small request: it parses the address, and copies the headers.
Redirects are not followed. Only a request that found a kept connection closed is sent twice (RFC 9110, 9.2.2).
"""

import base64
import http.client
import selectors
import socket
import ssl
import weakref
from collections.abc import Callable, Iterable, Mapping
from contextlib import suppress
from dataclasses import dataclass
from functools import partial
from io import IOBase
from typing import IO
from urllib.parse import SplitResult, unquote, urlsplit

from bigin_archive.network.http_response import AskedResponse

# Without a limit on the number of open files, where the system has it.
_Selector = getattr(selectors, "PollSelector", selectors.SelectSelector)

Body = bytes | IO[bytes] | Iterable[memoryview | bytes]

_BLOCK_BYTES = 128 * 1024  # of a file that is sent
# How long a server may take to say whether it wants a body (RFC 9110, 10.1.1). One that says nothing gets it.
_CONTINUE_WAIT_S = 1


@dataclass(frozen=True, slots=True)
class Answer:
    """A whole answer, errors included; header names in any case."""

    status: int
    headers: Mapping[str, str]
    body: bytes


class UnreachableError(OSError):
    """No connection, the cause of which it has; nothing was sent."""


class _EndedError(Exception):
    """The connection ended before a byte of an answer came, and before anything that cannot be sent again was sent."""


class KeptConnections:
    """Up to ``most`` idle connections to the host of ``origin``, of which each call takes one for itself."""

    def __init__(
        self,
        origin: str,
        trust: Callable[[], ssl.SSLContext],
        *,
        connect_timeout_s: float,
        read_timeout_s: float,
        most: int,
        proxy_url: str | None = None,
    ) -> None:
        """``trust`` is asked for the certificates that count when the first connection is made."""
        self._origin, self._trust = urlsplit(origin), trust
        self._connect_timeout_s, self._read_timeout_s = connect_timeout_s, read_timeout_s
        self._most = most
        self._proxy = urlsplit(proxy_url) if proxy_url else None
        self._idle: list[http.client.HTTPConnection] = []
        weakref.finalize(self, _close, self._idle)

    def exchange(
        self, method: str, target: str, headers: Mapping[str, str], body: Body | None = None, *, asks: bool = False
    ) -> Answer:
        """Send and receive. ``headers`` name the length of the body.

        A body in pieces may raise anything, which ends the request. With ``asks`` the headers expect 100-continue.
        Raises UnreachableError, and OSError or HTTPException if no whole answer arrives.
        """
        try:
            connection = self._idle.pop()
        except IndexError:
            connection = self._made()
        try:
            try:
                answer = self._once(connection, method, target, headers, body, asks)
            except _EndedError:
                connection.close()
                _close(self._idle)  # they may have ended, too
                if isinstance(body, IOBase):
                    body.seek(0)
                answer = self._once(connection, method, target, headers, body, asks)
        except BaseException:  # any exception: half an exchange must not be read as the next answer
            connection.close()
            raise
        if len(self._idle) < self._most:
            self._idle.append(connection)
        else:
            connection.close()
        return answer

    def _once(
        self,
        connection: http.client.HTTPConnection,
        method: str,
        target: str,
        headers: Mapping[str, str],
        body: Body | None,
        asks: bool,
    ) -> Answer:
        is_kept = connection.sock is not None and not _is_readable(connection, 0)
        if not is_kept:
            connection.close()  # what came unasked is no answer
            self._connect(connection)
        if self._proxy and self._origin.scheme == "http":
            target = f"{self._origin.scheme}://{self._origin.netloc}{target}"  # RFC 9112, 3.2.2
            headers = {**headers, **_proxy_headers(self._proxy)}
        is_begun = False

        def send_body() -> None:
            nonlocal is_begun
            if body is not None and not isinstance(body, bytes | IOBase):
                _check_open(connection)
                is_begun = True
            if body is not None:
                connection.send(body)

        # typeshed knows the class only, not a function that makes one.
        connection.response_class = partial(AskedResponse, send_body) if asks else http.client.HTTPResponse  # type: ignore[assignment]
        try:
            connection.putrequest(method, target)
            for name, text in headers.items():
                connection.putheader(name, text)
            connection.endheaders()
            if not (asks and _is_readable(connection, _CONTINUE_WAIT_S)):
                connection.response_class = http.client.HTTPResponse
                send_body()
            response = connection.getresponse()
        except (ConnectionError, ssl.SSLEOFError) as error:
            if is_kept and not is_begun:
                raise _EndedError from error
            raise
        return Answer(response.status, response.headers, response.read())  # type: ignore[arg-type]  # a Message is one

    def _made(self) -> http.client.HTTPConnection:
        end, wait_s = self._proxy or self._origin, self._connect_timeout_s
        host = str(end.hostname)
        if self._origin.scheme == "http":
            return http.client.HTTPConnection(host, end.port, wait_s, blocksize=_BLOCK_BYTES)
        port = end.port or (80 if self._proxy else 443)
        trust = self._trust()
        made = http.client.HTTPSConnection(host, port, timeout=wait_s, context=trust, blocksize=_BLOCK_BYTES)
        if self._proxy:
            made.set_tunnel(str(self._origin.hostname), self._origin.port or 443, _proxy_headers(self._proxy))
        return made

    def _connect(self, connection: http.client.HTTPConnection) -> None:
        try:
            connection.connect()
        except OSError as error:
            raise UnreachableError(str(error)) from error
        connection.sock.settimeout(self._read_timeout_s)


def _close(connections: list[http.client.HTTPConnection]) -> None:
    with suppress(IndexError):
        while True:
            connections.pop().close()


def _is_readable(connection: http.client.HTTPConnection, seconds: float) -> bool:
    """Whether something comes within ``seconds``, if only the end of the connection."""
    with _Selector() as selector:
        selector.register(connection.sock, selectors.EVENT_READ)
        return bool(selector.select(seconds))


def _check_open(connection: http.client.HTTPConnection) -> None:
    """Raise RemoteDisconnected where the connection has ended already: nothing is taken of the body then."""
    # The method of the plain socket: that of a TLS socket would consume a byte of the answer.
    if _is_readable(connection, 0) and not socket.socket.recv(connection.sock, 1, socket.MSG_PEEK):
        raise http.client.RemoteDisconnected("The connection ended before the body was sent")


def _proxy_headers(proxy: SplitResult) -> dict[str, str]:
    if not proxy.username:
        return {}
    name = f"{unquote(proxy.username)}:{unquote(proxy.password or '')}"
    return {"Proxy-Authorization": f"Basic {base64.b64encode(name.encode()).decode()}"}
