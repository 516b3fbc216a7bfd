"""Requests to one S3 bucket, signed, without botocore's client.

A client would take three times the processor time of the request itself, and a fifth of the cold start. Keys stay in
the bucket's own host. Proxies, FIPS and dual-stack hosts are those that the environment sets for boto3.
"""

import hashlib
from collections.abc import Mapping
from urllib.parse import quote, urlsplit

from bigin_archive.aws.connection import Connection
from bigin_archive.aws.signed_http import SignedHttp
from bigin_archive.network.kept_connections import Answer, Body

NO_PAYLOAD = hashlib.sha256(b"").hexdigest()
CHECKSUM = "x-amz-checksum-sha256"  # header or trailer, base64

_UNRESERVED = "-_.~"


class S3Requests:
    """One bucket."""

    def __init__(self, http: SignedHttp) -> None:
        """The URL of ``http`` ends with the bucket's host, or with its name as the only segment of a path."""
        self._folder = urlsplit(http.url).path.rstrip("/")
        self._http = http

    @property
    def url(self) -> str:
        """The address of the bucket."""
        return self._http.url

    def send(
        self,
        method: str,
        key: str = "",
        *,
        query: Mapping[str, str] | None = None,
        headers: Mapping[str, str] | None = None,
        body: Body | None = None,
        body_bytes: int = 0,
        payload: str = NO_PAYLOAD,
        ask_first: bool = False,
    ) -> Answer:
        """Send and receive. ``payload`` is the SHA-256 of the body in hex, or names how S3 gets it.

        A body of ``body_bytes`` bytes that comes in pieces may raise anything, which ends the request. With
        ``ask_first`` S3 may refuse before the body is sent (RFC 9110, 10.1.1), which costs a round trip. Raises
        BotoCoreError if no whole answer arrives, or without credentials.
        """
        target = f"{self._folder}/{quote(key, safe='/~')}" if key else self._folder or "/"
        if query:
            target += "?" + "&".join(f"{name}={quote(text, _UNRESERVED)}" for name, text in sorted(query.items()))
        unsigned = {} if body is None else {"Content-Length": str(body_bytes)}
        if ask_first:
            unsigned["Expect"] = "100-continue"
        return self._http.send(method, target, headers or {}, payload, body, unsigned, asks=ask_first)


def bucket_requests(
    aws: Connection, name: str, *, endpoint_url: str | None = None, read_timeout_s: float, connections: int
) -> S3Requests:
    """Requests to a bucket of the region, or behind another ``endpoint_url``. Raises SettingsError."""
    http = SignedHttp(
        f"{endpoint_url}/{name}" if endpoint_url else f"https://{name}.{aws.s3_host}",
        "s3",
        str(aws.region_name),
        aws.get_credentials(),
        ca_bundle=aws.ca_bundle,
        read_timeout_s=read_timeout_s,
        connections=connections,
    )
    return S3Requests(http)
