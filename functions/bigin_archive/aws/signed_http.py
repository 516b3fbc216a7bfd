"""Signed requests to one service of AWS, without botocore's signer and connections.

Those take half of the processor time of a small request. Tests compare each signature with botocore's. The signature's
version 4 is described in the IAM User Guide, "Create a signed AWS API request". Errors are those of botocore.
"""

import hashlib
import hmac
import http.client
import ssl
import time
from collections.abc import Callable, Mapping
from functools import cache
from typing import Any, Protocol
from urllib.parse import urlsplit
from urllib.request import getproxies, proxy_bypass

from botocore.exceptions import (
    ConnectionClosedError,
    ConnectTimeoutError,
    EndpointConnectionError,
    NoCredentialsError,
    ProxyConnectionError,
    ReadTimeoutError,
    SSLError,
)

from bigin_archive import __version__
from bigin_archive.aws.connection import CONNECT_TIMEOUT_S
from bigin_archive.network.kept_connections import Answer, Body, KeptConnections, UnreachableError
from bigin_archive.settings import SettingsError

_ALGORITHM = "AWS4-HMAC-SHA256"


class Credentials(Protocol):
    """botocore's, or others that can be frozen."""

    def get_frozen_credentials(self) -> Any:
        """Keys that belong together."""


class SignedHttp:
    """One service at one address, for up to ``connections`` threads."""

    def __init__(
        self,
        url: str,
        service: str,
        region: str,
        credentials: Credentials | None,
        *,
        ca_bundle: str,
        read_timeout_s: float,
        connections: int,
        now: Callable[[], float] = time.time,
    ) -> None:
        """Of ``url`` the host counts. A proxy is the one that the environment sets for boto3. Raises SettingsError."""
        parts = urlsplit(url)
        self.url, self._service, self._region = url, service, region
        is_default = parts.port == {"http": 80, "https": 443}[parts.scheme]
        self._host = str(parts.hostname) if is_default else parts.netloc
        self._credentials, self._now = credentials, now
        self._proxy_url = _proxy_for(url)
        self._connections = KeptConnections(
            url,
            lambda: _trust(ca_bundle),
            connect_timeout_s=CONNECT_TIMEOUT_S,
            read_timeout_s=read_timeout_s,
            most=connections,
            proxy_url=self._proxy_url,
        )
        self._key: tuple[tuple[str, str], bytes] = ("", ""), b""

    def send(
        self,
        method: str,
        target: str,
        headers: Mapping[str, str],
        payload: str,
        body: Body | None = None,
        unsigned: Mapping[str, str] | None = None,
        *,
        asks: bool = False,
    ) -> Answer:
        """Sign and send. ``target`` is encoded, its query sorted (S3; other services have the path ``/``). ``payload``
        is the SHA-256 of the body in hex, or how the service gets it. ``asks`` as in KeptConnections.

        Raises BotoCoreError if no whole answer arrives, or without credentials.
        """
        signed = {
            **self._signed(method, target, headers, payload),
            "User-Agent": f"bigin-archive/{__version__}",
            **(unsigned or {}),
        }
        try:
            return self._connections.exchange(method, target, signed, body, asks=asks)
        except UnreachableError as error:
            if self._proxy_url:
                raise ProxyConnectionError(proxy_url=urlsplit(self._proxy_url).hostname, error=error) from error
            kind = {ssl.SSLError: SSLError, TimeoutError: ConnectTimeoutError}
            cause = next((kind[each] for each in kind if isinstance(error.__cause__, each)), EndpointConnectionError)
            raise cause(endpoint_url=self.url, error=error) from error
        except TimeoutError as error:
            raise ReadTimeoutError(endpoint_url=self.url, error=error) from error
        except (OSError, http.client.HTTPException) as error:
            raise ConnectionClosedError(endpoint_url=self.url, error=error) from error

    def _signed(self, method: str, target: str, headers: Mapping[str, str], payload: str) -> dict[str, str]:
        if self._credentials is None:
            raise NoCredentialsError
        # Frozen, so that a renewal at this moment cannot mix old and new credentials.
        keys = self._credentials.get_frozen_credentials()
        stamp = time.strftime("%Y%m%dT%H%M%SZ", time.gmtime(self._now()))
        signed = {**headers, "X-Amz-Date": stamp}
        if self._service == "s3":
            signed["X-Amz-Content-SHA256"] = payload
        if keys.token:
            signed["X-Amz-Security-Token"] = keys.token
        lines = {name.lower(): " ".join(text.split()) for name, text in signed.items()} | {"host": self._host}
        names = ";".join(sorted(lines))
        path, _, query = target.partition("?")
        request = "\n".join(
            [method, path, query, *(f"{each}:{lines[each]}" for each in sorted(lines)), "", names, payload]
        )
        scope = f"{stamp[:8]}/{self._region}/{self._service}/aws4_request"
        text = "\n".join([_ALGORITHM, stamp, scope, hashlib.sha256(request.encode()).hexdigest()])
        signature = hmac.digest(self._signing_key(keys.secret_key, scope), text.encode(), "sha256").hex()
        signed["Authorization"] = (
            f"{_ALGORITHM} Credential={keys.access_key}/{scope}, SignedHeaders={names}, Signature={signature}"
        )
        return signed

    def _signing_key(self, secret_key: str, scope: str) -> bytes:
        """The same for a day."""
        known, key = self._key
        if known != (secret_key, scope):
            key = f"AWS4{secret_key}".encode()
            for part in scope.split("/"):
                key = hmac.digest(key, part.encode(), "sha256")
            self._key = (secret_key, scope), key
        return key


@cache
def _trust(ca_bundle: str) -> ssl.SSLContext:
    """Reading the certificates takes as long as many small files, so all connections of a process share them."""
    trust = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)  # checks the certificate and the host's name
    trust.load_verify_locations(ca_bundle)
    return trust


def _proxy_for(url: str) -> str | None:
    """As botocore reads HTTP_PROXY, HTTPS_PROXY and NO_PROXY. Raises SettingsError."""
    parts = urlsplit(url)
    proxy = None if proxy_bypass(parts.netloc) else getproxies().get(parts.scheme)
    if proxy and proxy.startswith("https:"):
        raise SettingsError("A proxy must be reached by HTTP, not by TLS: write HTTPS_PROXY=http://...")
    return proxy if not proxy or "://" in proxy else f"http://{proxy}"
