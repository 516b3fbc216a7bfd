"""HTTP to Bigin: a requests session whose connections end at a deadline.

Time-outs of sockets bound a single read: a server that sends one byte a second passes them for days, in headers as
in the body. So a watchdog shuts the connection down when the whole call has used up its time.
"""

import http.client
import http.cookiejar
import socket
import threading
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from typing import Any

import requests
from requests.adapters import HTTPAdapter
from urllib3.connection import HTTPConnection, HTTPSConnection
from urllib3.connectionpool import HTTPConnectionPool, HTTPSConnectionPool

from bigin_archive import __version__
from bigin_archive.deadline import Deadline

_MAX_CHUNK_LINE_BYTES = 4096

_IDLE_S = 3600.0  # how long the watchdog sleeps when no call is under way; a new one wakes it

_calls = threading.local()  # .watch: the watch of the call that this thread makes


class _Watch:
    """One call, and the connection that it uses at the moment."""

    def __init__(self, ends_at: float) -> None:
        self.ends_at = ends_at
        self.socket: socket.socket | None = None

    def shut(self) -> None:
        if self.socket is not None:
            with suppress(OSError):  # the other side was faster
                # The plain socket's method: that of a TLS socket drops its state under a thread that reads.
                socket.socket.shutdown(self.socket, socket.SHUT_RDWR)


class _Watchdog:
    """One thread for all calls: a timer for each of them would cost a thread for each file."""

    def __init__(self) -> None:
        self._changed = threading.Condition()
        self._watches: set[_Watch] = set()
        self._wakes_at = 0.0
        self._thread: threading.Thread | None = None

    def watch(self, seconds: float) -> _Watch:
        added = _Watch(time.monotonic() + seconds)
        with self._changed:
            self._watches.add(added)
            if self._thread is None:
                self._thread = threading.Thread(target=self._run, name="watchdog", daemon=True)
                self._thread.start()
            elif added.ends_at < self._wakes_at:
                self._changed.notify()
        return added

    def attach(self, watch: _Watch, connection: socket.socket | None) -> None:
        with self._changed:
            watch.socket = connection
            if watch not in self._watches:  # its time is over
                watch.shut()

    def end(self, watch: _Watch) -> None:
        """From now on the connection may serve other calls."""
        with self._changed:
            watch.socket = None
            self._watches.discard(watch)

    def _run(self) -> None:
        with self._changed:
            while True:
                now = time.monotonic()
                for watch in [watch for watch in self._watches if watch.ends_at <= now]:
                    watch.shut()
                    self._watches.discard(watch)
                self._wakes_at = min((watch.ends_at for watch in self._watches), default=now + _IDLE_S)
                self._changed.wait(self._wakes_at - now)


_watchdog = _Watchdog()


class _StrictResponse(http.client.HTTPResponse):
    """Python's own takes a chunk-size line that breaks off after its first zeros for the end of the body."""

    def _read_next_chunk_size(self) -> int:
        line = self.fp.readline(_MAX_CHUNK_LINE_BYTES)
        if not line.endswith(b"\n"):
            raise ValueError("a chunk-size line that has no end")  # http.client makes it an IncompleteRead
        return int(line.partition(b";")[0], 16)


class _WatchedHTTPConnection(HTTPConnection):
    response_class = _StrictResponse

    def request(self, *args: Any, **kwargs: Any) -> None:
        super().request(*args, **kwargs)
        _watchdog.attach(_calls.watch, self.sock)

    def connect(self) -> None:
        super().connect()
        _watchdog.attach(_calls.watch, self.sock)


class _WatchedHTTPSConnection(HTTPSConnection):
    response_class = _StrictResponse

    def request(self, *args: Any, **kwargs: Any) -> None:
        super().request(*args, **kwargs)
        _watchdog.attach(_calls.watch, self.sock)

    def connect(self) -> None:
        super().connect()
        _watchdog.attach(_calls.watch, self.sock)


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
    watch, outer = _watchdog.watch(deadline.remaining_s()), getattr(_calls, "watch", None)
    _calls.watch = watch
    try:
        yield
    finally:
        _watchdog.end(watch)
        _calls.watch = outer


def send(
    session: requests.Session,
    method: str,
    url: str,
    headers: Mapping[str, str],
    timeout: tuple[float, float],
    **sent: Any,
) -> requests.Response:
    """One request (``params``, ``json`` as requests takes them), whose answer's body is still to be read.

    It asks the session's adapter: cookies, redirects, proxies and .netrc, which a session looks after, are not wanted
    here and would cost a tenth of a small file's processor time. Raises requests.RequestException.
    """
    request = requests.Request(method, url, headers={**session.headers, **headers}, **sent).prepare()
    return session.get_adapter(url).send(request, stream=True, timeout=timeout, verify=session.verify)


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
