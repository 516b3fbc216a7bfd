"""Requests to one S3 bucket, signed by botocore's signer and sent over botocore's connections, without its client.

A client would take three times the processor time of the request itself, and a fifth of the cold start. Keys stay in
the bucket's own host, and redirects are not followed. Only a request that found a kept connection closed is sent twice.
Proxies, FIPS and dual-stack hosts are those that the environment sets for boto3.
"""

import hashlib
import http.client
import socket
import threading
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from functools import cached_property
from io import IOBase
from typing import IO, TYPE_CHECKING, Any
from urllib.parse import quote, urlsplit

import urllib3
from botocore.auth import S3SigV4Auth
from botocore.awsrequest import (
    AWSHTTPConnection,
    AWSHTTPConnectionPool,
    AWSHTTPSConnection,
    AWSHTTPSConnectionPool,
    AWSRequest,
)
from botocore.utils import get_environ_proxies
from urllib3.exceptions import ProtocolError
from urllib3.util import wait_for_read
from urllib3.util.ssl_ import create_urllib3_context

from bigin_archive import __version__
from bigin_archive.aws.connection import CONNECT_TIMEOUT_S, Connection
from bigin_archive.aws.error_codes import had_ended

if TYPE_CHECKING:
    from botocore.credentials import Credentials

NO_PAYLOAD = hashlib.sha256(b"").hexdigest()
CHECKSUM = "x-amz-checksum-sha256"  # header or trailer, base64

_BLOCK_BYTES = 128 * 1024  # for a file that is sent
_UNRESERVED = "-_.~"


@dataclass(frozen=True, slots=True)
class Answer:
    """An answer of S3, errors included; header names in any case."""

    status: int
    headers: Mapping[str, str]
    body: bytes


class _Signer(S3SigV4Auth):
    """botocore's signer, for a payload with a known hash; the original takes it from its client's context."""

    def __init__(self, credentials: object, service: str, region: str, payload: str) -> None:
        super().__init__(credentials, service, region)
        self._payload = payload

    def payload(self, _: AWSRequest) -> str:
        return self._payload


_calls = threading.local()  # .connection: which this thread's request goes over


class _Noted:
    """A connection that the call can find."""

    def request(self, *args: Any, **kwargs: Any) -> None:
        _calls.connection = self
        super().request(*args, **kwargs)  # type: ignore[misc]


class _HTTPConnection(_Noted, AWSHTTPConnection):
    pass


class _HTTPSConnection(_Noted, AWSHTTPSConnection):
    pass


class _HTTPPool(AWSHTTPConnectionPool):
    ConnectionCls = _HTTPConnection


class _HTTPSPool(AWSHTTPSConnectionPool):
    ConnectionCls = _HTTPSConnection


class _Pieces:
    """A body in pieces. It takes none while the connection has ended already, so that it can go over another one."""

    def __init__(self, pieces: Iterable[memoryview | bytes]) -> None:
        self._pieces = pieces
        self.is_begun = False

    def __iter__(self) -> Iterator[memoryview | bytes]:
        connection: socket.socket = _calls.connection.sock
        # The method of the plain socket: that of a TLS socket would consume a byte of the answer.
        if wait_for_read(connection, 0) and not socket.socket.recv(connection, 1, socket.MSG_PEEK):
            raise http.client.RemoteDisconnected("The connection ended before the body was sent")
        self.is_begun = True
        yield from self._pieces


class S3Requests:
    """One bucket, for up to ``connections`` threads."""

    def __init__(
        self,
        bucket_url: str,
        region: str,
        credentials: "Credentials | None",
        *,
        ca_bundle: str,
        read_timeout_s: float,
        connections: int,
        proxy_url: str | None = None,
    ) -> None:
        """``bucket_url`` ends with the bucket's host, or with its name as the only segment of a path."""
        self.url = bucket_url
        url = urlsplit(bucket_url)
        self._region = region
        self._credentials = credentials
        self._origin, self._folder = f"{url.scheme}://{url.netloc}", url.path.rstrip("/")
        self._ca_bundle, self._connections = ca_bundle, connections
        self._proxy_url = proxy_url
        self._timeout = urllib3.Timeout(connect=CONNECT_TIMEOUT_S, read=read_timeout_s)

    @cached_property
    def _pool(self) -> Any:
        # Made by the first request. Reading the certificates takes as long as many small files, so all connections
        # share them, and a cold start does not read them.
        options: dict[str, Any] = {"timeout": self._timeout, "maxsize": self._connections, "blocksize": _BLOCK_BYTES}
        if self._origin.startswith("https:"):
            options["ssl_context"] = self._trust
        manager = (
            urllib3.ProxyManager(self._proxy_url, **options) if self._proxy_url else urllib3.PoolManager(**options)
        )
        manager.pool_classes_by_scheme = {"http": _HTTPPool, "https": _HTTPSPool}
        return manager.connection_from_url(self._origin)

    @cached_property
    def _trust(self) -> Any:
        trust = create_urllib3_context()
        trust.load_verify_locations(self._ca_bundle)
        return trust

    def send(
        self,
        method: str,
        key: str = "",
        *,
        query: Mapping[str, str] | None = None,
        headers: Mapping[str, str] | None = None,
        body: bytes | IO[bytes] | Iterable[memoryview | bytes] | None = None,
        body_bytes: int = 0,
        payload: str = NO_PAYLOAD,
        ask_first: bool = False,
    ) -> Answer:
        """Send and receive. ``payload`` is the SHA-256 of the body in hex, or names how S3 gets it.

        A body of ``body_bytes`` bytes that comes in pieces may raise anything, which ends the request. With
        ``ask_first`` S3 may refuse before the body is sent (RFC 9110, 10.1.1), which costs a round trip. Raises
        urllib3's HTTPError if no whole answer arrives, and BotoCoreError without credentials.
        """
        target = f"{self._folder}/{quote(key, safe='/~')}" if key else self._folder or "/"
        if query:
            target += "?" + "&".join(f"{name}={quote(text, _UNRESERVED)}" for name, text in sorted(query.items()))
        request = AWSRequest(method, self._origin + target, headers)
        # Frozen, so that a renewal at this moment cannot mix old and new credentials.
        credentials = self._credentials and self._credentials.get_frozen_credentials()
        _Signer(credentials, "s3", self._region, payload).add_auth(request)
        signed: dict[str, str | bytes] = {**request.headers, "User-Agent": f"bigin-archive/{__version__}"}
        if body is not None:
            signed["Content-Length"] = str(body_bytes)
        if ask_first:
            signed["Expect"] = b"100-continue"  # botocore's connections expect bytes
        if self._proxy_url and self._origin.startswith("http:"):
            target = self._origin + target  # RFC 9112, 3.2.2: a proxy needs the whole address
        content = body if body is None or isinstance(body, bytes | IOBase) else _Pieces(body)
        pool = self._pool
        known = pool.num_connections
        try:
            return _exchange(pool, method, target, content, signed)
        except ProtocolError as error:
            was_kept = pool.num_connections == known
            if not was_kept or not had_ended(error) or (isinstance(content, _Pieces) and content.is_begun):
                raise
        if isinstance(content, IOBase):
            content.seek(0)
        # The other kept connections may have ended, too.
        self.__dict__.pop("_pool", None)
        return _exchange(self._pool, method, target, content, signed)


def _exchange(pool: Any, method: str, target: str, body: object, headers: Mapping[str, str | bytes]) -> Answer:
    answer = pool.urlopen(method, target, body, headers, retries=False, redirect=False, assert_same_host=False)
    return Answer(answer.status, answer.headers, answer.data)


def bucket_requests(
    aws: Connection, name: str, *, endpoint_url: str | None = None, read_timeout_s: float, connections: int
) -> S3Requests:
    """Requests to a bucket of the region, or behind another ``endpoint_url``. Raises SettingsError."""
    url = f"{endpoint_url}/{name}" if endpoint_url else f"https://{name}.{aws.s3_host}"
    return S3Requests(
        url,
        str(aws.region_name),
        aws.get_credentials(),
        ca_bundle=aws.ca_bundle,
        read_timeout_s=read_timeout_s,
        connections=connections,
        proxy_url=_proxy_for(url),
    )


def _proxy_for(url: str) -> str | None:
    proxy = get_environ_proxies(url).get(urlsplit(url).scheme)
    return proxy if not proxy or "://" in proxy else f"http://{proxy}"
