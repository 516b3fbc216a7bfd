"""HTTP to Bigin: a requests session whose connections end at a deadline.

Time-outs of sockets limit a single read: a server that sends one byte a second passes them for days, in headers as in
the body. So a watchdog shuts the connection down when the time of the whole call is used up.
"""

import http.client
import http.cookiejar
import socket
import threading
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from typing import Any

import requests
from requests.adapters import HTTPAdapter
from requests.structures import CaseInsensitiveDict
from urllib3.connectionpool import HTTPConnectionPool, HTTPSConnectionPool
from urllib3.exceptions import HTTPError

from bigin_archive import __version__
from bigin_archive.deadline import Deadline
from bigin_archive.network.http_response import StrictResponse
from bigin_archive.network.watchdog import Watchdog

CONNECT_TIMEOUT_S = 5
# No answer, half an answer, or one that cannot be decoded.
EXCHANGE_ERRORS = (requests.RequestException, OSError, HTTPError)

_calls = threading.local()  # .watch: the call that this thread makes
_watchdog = Watchdog()


class _WatchedResponse(StrictResponse):
    def begin_answer(self) -> None:
        _calls.watch.is_answered = True


class _Watched:
    """A connection of urllib3, plain or TLS, that the watchdog can shut down and that knows whether it is new."""

    response_class = _WatchedResponse
    sock: socket.socket | None
    served = 0  # requests on the present socket

    def request(self, *args: Any, **kwargs: Any) -> None:
        _calls.watch.is_kept = self.sock is not None and self.served > 0
        super().request(*args, **kwargs)  # type: ignore[misc]  # of the pool's class
        self.served += 1
        _watchdog.attach(_calls.watch, self.sock)

    def connect(self) -> None:
        self.served = 0
        super().connect()  # type: ignore[misc]  # the same
        _watchdog.attach(_calls.watch, self.sock)

    @property
    def is_connected(self) -> bool:
        """Whether the pool may use the connection as it is; otherwise the pool connects it anew."""
        kept: bool = super().is_connected  # type: ignore[misc]  # the same
        return kept and not _calls.watch.needs_new


def _watched(pool: type[HTTPConnectionPool]) -> type[HTTPConnectionPool]:
    """The pool, with watched connections of its own kind."""
    connection = type("WatchedConnection", (_Watched, pool.ConnectionCls), {})
    return type("WatchedPool", (pool,), {"ConnectionCls": connection})


_POOLS = {"http": _watched(HTTPConnectionPool), "https": _watched(HTTPSConnectionPool)}


class _Adapter(HTTPAdapter):
    """It remembers the pool of each host, which requests would look for with each request."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        self._pools: dict[str, HTTPConnectionPool] = {}
        super().__init__(*args, **kwargs)

    def get_connection_with_tls_context(
        self, request: requests.PreparedRequest, *args: Any, **kwargs: Any
    ) -> HTTPConnectionPool:
        host = _host_of(str(request.url))
        if host not in self._pools:
            self._pools[host] = super().get_connection_with_tls_context(request, *args, **kwargs)
        return self._pools[host]

    def init_poolmanager(self, *args: Any, **kwargs: Any) -> None:
        super().init_poolmanager(*args, **kwargs)
        self.poolmanager.pool_classes_by_scheme = _POOLS

    def proxy_manager_for(self, *args: Any, **kwargs: Any) -> Any:
        manager = super().proxy_manager_for(*args, **kwargs)
        manager.pool_classes_by_scheme = _POOLS
        return manager


def _host_of(url: str) -> str:
    return "/".join(url.split("/", 3)[:3])


class Session(requests.Session):
    """Sends to a few hosts, and remembers the proxy and the certificates that the environment sets for each."""

    def __init__(self) -> None:
        super().__init__()
        # ~/.netrc would replace the Authorization header.
        self.trust_env = False
        self._settings: dict[str, dict[str, Any]] = {}

    def settings_for(self, url: str) -> dict[str, Any]:
        """``proxies`` and ``verify`` as requests reads them (HTTPS_PROXY, NO_PROXY, REQUESTS_CA_BUNDLE)."""
        host = _host_of(url)
        if host not in self._settings:
            read = requests.Session().merge_environment_settings(url, dict(self.proxies), True, self.verify, None)
            self._settings[host] = {name: read[name] for name in ("proxies", "verify")}
        return self._settings[host]


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
    session: Session,
    method: str,
    url: str,
    headers: Mapping[str, str],
    timeout: tuple[float, float],
    *,
    only_once: bool = False,
    before_again: Callable[[], None] = lambda: None,
    **sent: Any,
) -> requests.Response:
    """Send one request (``params``, ``json``, ``data`` as in requests); the body of the answer is still to be read.

    It uses the session's adapter directly: cookies, redirects and .netrc are not wanted here and would cost a tenth of
    a small file's processor time. A request that found its kept connection closed is sent once more, on a new one; with
    ``only_once`` it is not, because the other side may have acted on it (RFC 9110, 9.2.2). ``before_again()`` comes
    before it is, and may raise anything. Raises requests.RequestException.
    """
    request = _prepared(method, url, {**session.headers, **headers}, sent)
    adapter, watch, settings = session.get_adapter(url), _calls.watch, session.settings_for(url)
    watch.is_answered = watch.needs_new = False
    try:
        return adapter.send(request, stream=True, timeout=timeout, **settings)
    except requests.ConnectionError:
        if watch.is_answered or not watch.is_kept or only_once:
            raise
    watch.needs_new = True
    try:
        before_again()
        return adapter.send(request, stream=True, timeout=timeout, **settings)
    finally:
        watch.needs_new = False


def _prepared(method: str, url: str, headers: dict[str, str], sent: Mapping[str, Any]) -> requests.PreparedRequest:
    if sent or method != "GET":
        return requests.Request(method, url, headers=headers, **sent).prepare()
    # Nothing is to be encoded. To find that out takes a twelfth of a small file's processor time.
    plain = requests.PreparedRequest()
    plain.method, plain.url, plain.headers = method, url, CaseInsensitiveDict(headers)
    return plain


def exchange(
    session: Session,
    method: str,
    url: str,
    headers: Mapping[str, str],
    *,
    timeout_s: float,
    max_bytes: int,
    **sent: Any,
) -> tuple[int, dict[str, str], bytes]:
    """Send one request with a small answer; return its status, headers (names in lower case) and decoded body.

    The whole call ends after ``timeout_s`` seconds; at most ``max_bytes`` of the body are read. Raises one of
    EXCHANGE_ERRORS, none of which holds a header or a body.
    """
    with until(Deadline(timeout_s)):
        response = send(session, method, url, headers, (CONNECT_TIMEOUT_S, timeout_s), **sent)
        content: bytes = response.raw.read(max_bytes, decode_content=True)
        response.close()
    return response.status_code, {name.lower(): value for name, value in response.headers.items()}, content


def session(connections: int) -> Session:
    """A session for up to ``connections`` threads. Its calls must be inside :func:`until`."""
    made = Session()
    # Bigin sets cookies that no archive needs, some of them malformed.
    made.cookies.set_policy(http.cookiejar.DefaultCookiePolicy(allowed_domains=[]))
    adapter = _Adapter(pool_connections=2, pool_maxsize=connections, max_retries=0)
    made.mount("https://", adapter)
    made.mount("http://", adapter)
    made.headers = CaseInsensitiveDict(
        {
            "User-Agent": f"bigin-archive/{__version__}",
            # Compressed bodies would have no length that could be checked before the upload.
            "Accept-Encoding": "identity",
            "Accept": "*/*",
        }
    )
    return made
