"""HTTP to Bigin: a requests session whose connections end at a deadline.

Time-outs of sockets bound a single read: a server that sends one byte a second passes them for days, in headers as
in the body. So a timer shuts the connection down when the whole call has used up its time.
"""

import http.cookiejar
import socket
import threading
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from typing import Any

import requests
from requests.adapters import HTTPAdapter
from urllib3.connection import HTTPConnection, HTTPSConnection
from urllib3.connectionpool import HTTPConnectionPool, HTTPSConnectionPool

from bigin_archive import __version__
from bigin_archive.deadline import Deadline

_calls = threading.local()  # .watch: the watch of the call that this thread makes


class _Watch:
    """Shuts one call's connection down when time is up."""

    def __init__(self, seconds: float) -> None:
        self._lock = threading.Lock()
        self._socket: socket.socket | None = None
        self._expired = False
        self._timer = threading.Timer(seconds, self._expire)
        self._timer.daemon = True
        self._timer.start()

    def attach(self, connection: socket.socket | None) -> None:
        with self._lock:
            self._socket = connection
            if self._expired:
                self._shut()

    def end(self) -> None:
        """From now on the connection may serve other calls."""
        self._timer.cancel()
        with self._lock:
            self._socket = None

    def _expire(self) -> None:
        with self._lock:
            self._expired = True
            self._shut()

    def _shut(self) -> None:
        if self._socket is not None:
            with suppress(OSError):  # the other side was faster
                # The plain socket's method: that of a TLS socket drops its state under a thread that reads.
                socket.socket.shutdown(self._socket, socket.SHUT_RDWR)


class _WatchedHTTPConnection(HTTPConnection):
    def request(self, *args: Any, **kwargs: Any) -> None:
        super().request(*args, **kwargs)
        _calls.watch.attach(self.sock)

    def connect(self) -> None:
        super().connect()
        _calls.watch.attach(self.sock)


class _WatchedHTTPSConnection(HTTPSConnection):
    def request(self, *args: Any, **kwargs: Any) -> None:
        super().request(*args, **kwargs)
        _calls.watch.attach(self.sock)

    def connect(self) -> None:
        super().connect()
        _calls.watch.attach(self.sock)


class _HTTPPool(HTTPConnectionPool):
    ConnectionCls = _WatchedHTTPConnection


class _HTTPSPool(HTTPSConnectionPool):
    ConnectionCls = _WatchedHTTPSConnection


class _Adapter(HTTPAdapter):
    def init_poolmanager(self, *args: Any, **kwargs: Any) -> None:
        super().init_poolmanager(*args, **kwargs)
        self.poolmanager.pool_classes_by_scheme = {"http": _HTTPPool, "https": _HTTPSPool}


@contextmanager
def until(deadline: Deadline) -> Iterator[None]:
    """All calls made by this thread inside the block, and their bodies, end at the deadline."""
    watch, outer = _Watch(deadline.remaining_s()), getattr(_calls, "watch", None)
    _calls.watch = watch
    try:
        yield
    finally:
        watch.end()
        _calls.watch = outer


def session(connections: int) -> requests.Session:
    """A session for up to ``connections`` threads; its calls must stand inside :func:`until`."""
    made = requests.Session()
    # Neither proxies nor ~/.netrc of the environment: the latter would replace the Authorization header.
    made.trust_env = False
    # Bigin sets cookies that no archive needs, some of them malformed.
    made.cookies.set_policy(http.cookiejar.DefaultCookiePolicy(allowed_domains=[]))
    adapter = _Adapter(pool_connections=2, pool_maxsize=connections, max_retries=0)
    made.mount("https://", adapter)
    made.mount("http://", adapter)
    made.headers = requests.structures.CaseInsensitiveDict(
        {
            "User-Agent": f"bigin-archive/{__version__}",
            # Compressed bodies would have no length that could be checked before the upload.
            "Accept-Encoding": "identity",
            "Accept": "*/*",
        }
    )
    return made
