"""Our requests to S3: byte for byte what boto3's client sends, and each answer taken for what it is."""

import base64
import hashlib
import io
import itertools
import ssl
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import boto3
import pytest
from botocore.auth import S3SigV4Auth, SigV4Auth
from botocore.awsrequest import AWSRequest, AWSResponse
from botocore.config import Config
from botocore.credentials import Credentials, ReadOnlyCredentials
from urllib3 import HTTPResponse

from bigin_archive.aws import clients, s3_http
from bigin_archive.aws.function_aws import FunctionAws
from bigin_archive.aws.s3_http import S3Requests
from bigin_archive.aws.signed_http import SignedHttp
from bigin_archive.bigin.response_body import Body
from bigin_archive.errors import DownloadIncompleteError, StorageRefusedError, StorageUnavailableError
from bigin_archive.settings import SettingsError
from bigin_archive.storage.aws_chunked import FRAME_BYTES
from bigin_archive.storage.object_attributes import ObjectAttributes
from bigin_archive.storage.object_store import AlreadyThereError, ObjectStore
from local.emulator import Emulator
from tests.bodies import body
from tests.raw_server import CLOSE, RESET, serving
from tests.recording_server import Call, RecordingServer

REGION = "eu-central-1"
NOW = datetime(2026, 1, 31, 12, 0, 0, tzinfo=UTC)
CONTENT = b"some bytes"
SHA256 = hashlib.sha256(CONTENT).digest()
KEY = "bigin/Contacts/1/2/Angebot 100% +~(ü)='&?#.pdf"
ATTRIBUTES = ObjectAttributes(
    key=KEY,
    file_name="Angebot.pdf",
    content_type="application/pdf; a=b",
    content_disposition="attachment; filename*=UTF-8''%C3%BC.pdf",
    metadata={"bigin-module": "Contacts", "file-name": "Angebot%20%C3%BC  x.pdf"},
)
LISTING = (
    b'<?xml version="1.0"?><ListBucketResult xmlns="http://s3.amazonaws.com/doc/2006-03-01/"><KeyCount>1</KeyCount>'
    b"<Contents><Key>a+%C3%BC%0A%2B</Key><Size>12</Size></Contents></ListBucketResult>"
)


class FakeS3(RecordingServer):
    """S3, and what is asked of it."""

    def requests(self, credentials: Any = Credentials("id", "secret", "session")) -> S3Requests:  # noqa: B008 - never changed
        url = f"{self.url}/bucket"
        http = SignedHttp(
            url, "s3", REGION, credentials, ca_bundle="", read_timeout_s=5, connections=2, now=NOW.timestamp
        )
        return S3Requests(http)

    def storage(self) -> ObjectStore:
        return ObjectStore(self.requests(), "bucket")


@pytest.fixture
def s3(monkeypatch: pytest.MonkeyPatch) -> Iterator[FakeS3]:
    """Listens on loopback; the signer's clock stands."""
    monkeypatch.setattr("botocore.auth.get_current_datetime", lambda: NOW)
    fake = FakeS3()
    with fake.listening():
        yield fake


def oracle(url: str) -> Any:
    return boto3.client(
        "s3",
        endpoint_url=url,
        region_name=REGION,
        aws_access_key_id="id",
        aws_secret_access_key="secret",
        aws_session_token="session",
        config=Config(s3={"addressing_style": "path"}, retries={"total_max_attempts": 1}),
    )


def headers_of(call: Call) -> dict[str, str]:
    # What botocore tells of its retries, who asks, and whether S3 may say no before the body comes.
    left_out = {"user-agent", "amz-sdk-invocation-id", "amz-sdk-request", "expect", "accept-encoding"}
    return {name: text for name, text in call.headers.items() if name not in left_out}


def in_order(target: str) -> tuple[str, list[str]]:
    path, _, query = target.partition("?")
    return path, sorted(query.split("&"))


def ours_put(s3: FakeS3) -> None:
    s3.storage().put(ATTRIBUTES, CONTENT)


def theirs_put(s3: FakeS3) -> None:
    oracle(s3.url).put_object(
        Bucket="bucket",
        Key=KEY,
        Body=CONTENT,
        ContentType=ATTRIBUTES.content_type,
        ContentDisposition=ATTRIBUTES.content_disposition,
        Metadata=ATTRIBUTES.metadata,
        IfNoneMatch="*",
        ChecksumSHA256=base64.b64encode(SHA256).decode(),
        ChecksumAlgorithm="SHA256",
    )


def ours_head(s3: FakeS3) -> None:
    s3.storage().head(KEY, "Contacts/1/2")


def theirs_head(s3: FakeS3) -> None:
    oracle(s3.url).head_object(Bucket="bucket", Key=KEY, ChecksumMode="ENABLED")


def ours_list(s3: FakeS3) -> None:
    s3.body = LISTING
    s3.storage().sizes("bigin/Über uns+/&=~ %")


def theirs_list(s3: FakeS3) -> None:
    oracle(s3.url).list_objects_v2(Bucket="bucket", Prefix="bigin/Über uns+/&=~ %")


@pytest.mark.parametrize(
    ("ours", "theirs"),
    [(ours_put, theirs_put), (ours_head, theirs_head), (ours_list, theirs_list)],
    ids=["put", "head", "list"],
)
def test_a_request_is_that_of_boto3_to_the_last_byte(
    s3: FakeS3, ours: Callable[[FakeS3], None], theirs: Callable[[FakeS3], None]
) -> None:
    """Method, target, headers, body and signature are those that boto3's own client sends."""
    theirs(s3)
    ours(s3)
    expected, sent = s3.calls

    assert (expected.method, expected.body) == (sent.method, sent.body)
    assert in_order(expected.target) == in_order(sent.target)
    assert headers_of(expected) == headers_of(sent)


def test_a_streamed_body_goes_in_frames_with_its_checksum_behind(s3: FakeS3) -> None:
    """Frames of S3's chunked upload: sizes in hex, all of the declared length, the SHA-256 as trailer; signed so."""
    content = bytes(range(256)) * (FRAME_BYTES // 256) * 4 + b"rest" * 10_000
    digest = base64.b64encode(hashlib.sha256(content).digest())

    s3.headers = {"x-amz-checksum-sha256": digest.decode()}
    stored = s3.storage().put(ATTRIBUTES, body(content))
    (call,) = s3.calls
    received, rest = b"", call.body
    while size := int(rest[: rest.index(b"\r\n")], 16):
        rest = rest[rest.index(b"\r\n") + 2 :]
        received, rest = received + rest[:size], rest[size:]
        assert rest[:2] == b"\r\n"
        rest = rest[2:]

    assert content == received
    assert b"0\r\nx-amz-checksum-sha256:%b\r\n\r\n" % digest == rest
    assert "STREAMING-UNSIGNED-PAYLOAD-TRAILER" == call.headers["x-amz-content-sha256"]
    assert str(len(content)) == call.headers["x-amz-decoded-content-length"]
    assert ("aws-chunked", "x-amz-checksum-sha256") == (
        call.headers["content-encoding"],
        call.headers["x-amz-trailer"],
    )
    assert "x-amz-decoded-content-length" in call.headers["authorization"]
    assert hashlib.sha256(content).hexdigest() == stored.sha256


def test_a_streamed_request_has_boto3s_headers(s3: FakeS3, monkeypatch: pytest.MonkeyPatch) -> None:
    """Header by header those that boto3's own client sends where it streams with a SHA-256 behind; its frames differ.

    It streams to HTTPS alone, for which the request is caught before it is sent.
    """
    content = bytes(4 * FRAME_BYTES + 5)
    caught: list[Any] = []

    def catch(request: Any, **_: object) -> AWSResponse:
        caught.append(request)
        return AWSResponse(request.url, 200, {}, HTTPResponse(io.BytesIO(), preload_content=False))

    theirs = oracle("https://s3.example")
    theirs.meta.events.register("before-send.s3.PutObject", catch)
    theirs.put_object(
        Bucket="bucket",
        Key=KEY,
        Body=io.BytesIO(content),
        ContentType=ATTRIBUTES.content_type,
        ContentDisposition=ATTRIBUTES.content_disposition,
        Metadata=ATTRIBUTES.metadata,
        IfNoneMatch="*",
        ChecksumAlgorithm="SHA256",
    )
    s3.headers = {"x-amz-checksum-sha256": base64.b64encode(hashlib.sha256(content).digest()).decode()}
    s3.storage().put(ATTRIBUTES, body(content))
    (sent,) = s3.calls
    expected = {
        name.lower(): text.decode() if isinstance(text, bytes) else text for name, text in caught[0].headers.items()
    }
    # Theirs says nothing of the length of its frames; ours is known beforehand. The signatures differ by the host.
    told = {"authorization", "transfer-encoding", "content-length", "host"}

    ours = headers_of(sent)
    theirs_left = headers_of(Call("PUT", "", expected, b""))
    assert {n: t for n, t in theirs_left.items() if n not in told} == {n: t for n, t in ours.items() if n not in told}
    assert signed_headers(expected["authorization"]) == signed_headers(ours["authorization"]) - {"content-length"}


def signed_headers(authorization: str) -> set[str]:
    return set(authorization.split("SignedHeaders=")[1].split(",")[0].split(";"))


@pytest.mark.parametrize("streamed", [False, True], ids=["buffered", "streamed"])
def test_retention_is_told_the_checksums_algorithm(s3: FakeS3, streamed: bool) -> None:
    """S3 asks for x-amz-sdk-checksum-algorithm with any request that stores an object under Object Lock."""
    content = bytes(2 * 1024 * 1024) if streamed else CONTENT
    s3.headers = {"x-amz-checksum-sha256": base64.b64encode(hashlib.sha256(content).digest()).decode()}
    s3.storage().put(ATTRIBUTES, body(content))

    assert "SHA256" == s3.calls[0].headers["x-amz-sdk-checksum-algorithm"]
    assert "x-amz-sdk-checksum-algorithm" in signed_headers(s3.calls[0].headers["authorization"])


def test_a_body_that_breaks_off_leaves_the_request_unfinished(s3: FakeS3) -> None:
    """The failure of the download is what the caller sees, and S3 never sees the end of the request."""

    class Broken(Body):
        def fill(self, view: memoryview) -> int:
            raise DownloadIncompleteError("cut")

    broken = body(bytes(2 * FRAME_BYTES * 4))
    broken.__class__ = Broken

    with pytest.raises(DownloadIncompleteError, match="cut"):
        s3.storage().put(ATTRIBUTES, broken)


def test_a_listing_gives_keys_as_they_are(s3: FakeS3) -> None:
    """S3 sends keys encoded, since XML cannot hold some of them; the listing decodes them."""
    s3.body = LISTING

    assert {"a ü\n+": 12} == s3.storage().sizes("a")


@pytest.mark.parametrize(
    "listing",
    [b"", b"<html>not S3</html>", LISTING[:-5], LISTING.replace(b"Size", b"Sice"), LISTING.replace(b">12", b">x")],
)
def test_a_damaged_listing_is_not_an_empty_one(s3: FakeS3, listing: bytes) -> None:
    """What cannot be read as a listing never means that nothing is archived."""
    s3.body = listing

    with pytest.raises(StorageUnavailableError):
        s3.storage().sizes("a")
    with pytest.raises(StorageUnavailableError):
        s3.storage().versions("a")


def test_versions_come_in_the_order_in_which_they_were_written(s3: FakeS3) -> None:
    """Versions before a deletion do not count. S3 sends keys encoded here, too."""
    entry = "<Key>a+%C3%BC</Key><VersionId>{0}</VersionId><IsLatest>{1}</IsLatest><LastModified>{2}</LastModified>"
    entries = [
        ("<Version>" + entry + "<Size>1</Size></Version>").format("v4", "true", "2026-03-04T00:00:00.000Z"),
        ("<Version>" + entry + "<Size>1</Size></Version>").format("v3", "false", "2026-03-03T00:00:00.000Z"),
        ("<DeleteMarker>" + entry + "</DeleteMarker>").format("v2", "false", "2026-03-02T00:00:00.000Z"),
        ("<Version>" + entry + "<Size>1</Size></Version>").format("v1", "false", "2026-03-01T00:00:00.000Z"),
    ]
    s3.body = (
        '<ListVersionsResult xmlns="http://s3.amazonaws.com/doc/2006-03-01/"><IsTruncated>false</IsTruncated>'
        + "".join(entries)
        + "</ListVersionsResult>"
    ).encode()

    found = s3.storage().versions("a")

    assert [("a ü", "v3"), ("a ü", "v4")] == [(each.key, each.version_id) for each in found]
    assert "versions=" in s3.calls[0].target


@pytest.mark.parametrize(
    ("status", "code", "expected"),
    [
        (503, "SlowDown", StorageUnavailableError),
        (500, "InternalError", StorageUnavailableError),
        (503, "", StorageUnavailableError),
        (200, "InternalError", StorageUnavailableError),
        (409, "ConditionalRequestConflict", StorageUnavailableError),
        (400, "RequestTimeout", StorageUnavailableError),
        (403, "RequestTimeTooSkewed", StorageUnavailableError),
        (400, "ExpiredToken", StorageUnavailableError),
        (400, "KMS.ThrottlingException", StorageUnavailableError),
        (412, "PreconditionFailed", AlreadyThereError),
        (400, "BadDigest", DownloadIncompleteError),
        (400, "IncompleteBody", DownloadIncompleteError),
        (400, "XAmzContentSHA256Mismatch", DownloadIncompleteError),
        (403, "AccessDenied", StorageRefusedError),
        (403, "SignatureDoesNotMatch", StorageRefusedError),
        (403, "", StorageRefusedError),
        (404, "NoSuchBucket", StorageRefusedError),
        (400, "KMS.DisabledException", StorageRefusedError),
        (301, "PermanentRedirect", StorageRefusedError),
    ],
)
def test_an_error_answer_is_taken_for_what_it_is(s3: FakeS3, status: int, code: str, expected: type[Exception]) -> None:
    """Each code or status of S3 becomes the error that says what is to be done about it."""
    s3.status = status
    s3.body = f"<?xml version='1.0'?><Error><Code>{code}</Code></Error>".encode() if code else b""

    with pytest.raises(expected):
        s3.storage().put(ATTRIBUTES, CONTENT)
    assert 1 == len(s3.calls)


def test_a_file_in_an_archive_tier_is_named(s3: FakeS3) -> None:
    """S3 answers 403 as for a missing permission, but the remedy is to restore the object."""
    s3.status = 403
    s3.body = b"<Error><Code>InvalidObjectState</Code></Error>"

    with pytest.raises(StorageRefusedError, match="Restore it first"):
        s3.storage().sizes("a")


def test_a_head_without_a_size_is_no_answer(s3: FakeS3) -> None:
    """An object whose size S3 does not tell is not taken for an empty one."""
    s3.headers = {"Content-Length": ""}

    with pytest.raises(StorageUnavailableError):
        s3.storage().head(KEY, "Contacts/1/2")


def test_nothing_listens(s3: FakeS3) -> None:
    """An S3 that cannot be reached is unavailable."""
    s3.url = "http://127.0.0.1:1"

    with pytest.raises(StorageUnavailableError, match="EndpointConnectionError"):
        s3.storage().sizes("a")


def test_a_certificate_that_is_not_trusted_ends_the_call(emulator: Emulator) -> None:
    """Nothing is sent to a server that cannot show a certificate of the bundle."""
    trust = ssl.get_default_verify_paths().cafile or str(Path(boto3.__file__).parents[1] / "certifi" / "cacert.pem")

    with pytest.raises(StorageUnavailableError, match="SSLError"):
        trusting(trust, emulator.url).sizes("a")


def test_a_certificate_of_another_host_ends_the_call(emulator: Emulator) -> None:
    """Nothing is sent to a server whose certificate is trusted, but is not that of the bucket's host."""
    elsewhere = emulator.url.replace("127.0.0.1", "0.0.0.0")

    with pytest.raises(StorageUnavailableError, match="SSLError"):
        trusting(str(emulator.ca_bundle), elsewhere).sizes("a")


def trusting(ca_bundle: str, url: str) -> ObjectStore:
    keys = {"AWS_ACCESS_KEY_ID": "a", "AWS_SECRET_ACCESS_KEY": "b", "AWS_DEFAULT_REGION": REGION}
    aws = FunctionAws({**keys, "AWS_CA_BUNDLE": ca_bundle})
    return ObjectStore(
        s3_http.bucket_requests(aws, "bucket", endpoint_url=url, read_timeout_s=5, connections=1), "bucket"
    )


def test_each_request_is_signed_with_the_credentials_of_its_moment(s3: FakeS3) -> None:
    """Temporary credentials are renewed in a container that lives long; none at all is no bug of ours."""

    class Renewed:
        count = 0

        def get_frozen_credentials(self) -> ReadOnlyCredentials:
            self.count += 1
            return ReadOnlyCredentials(f"id-{self.count}", "secret", f"session-{self.count}")

    s3.body = LISTING
    storage = ObjectStore(s3.requests(Renewed()), "bucket")
    storage.sizes("a")
    storage.sizes("a")

    assert ["session-1", "session-2"] == [call.headers["x-amz-security-token"] for call in s3.calls]
    assert all(f"id-{n}/" in call.headers["authorization"] for n, call in enumerate(s3.calls, 1))
    with pytest.raises(StorageUnavailableError, match="NoCredentialsError"):
        ObjectStore(s3.requests(None), "bucket").sizes("a")


@pytest.mark.parametrize(("service", "target"), [("s3", "/a%20b/~c?d=%2F&e="), ("dynamodb", "/")])
def test_a_signature_is_botocores(service: str, target: str) -> None:
    """Over days, with changing keys and any headers, the signature is right: no key of yesterday or of others."""
    fake = RecordingServer()
    keys = [ReadOnlyCredentials("id", "secret", None), ReadOnlyCredentials("id", "other", "session")]
    headers = {"X-B": " a  b ", "x-a": "c,d", "Content-Type": "text/plain;charset=x"}
    held = Held(keys[0])
    moments: list[float] = []
    with fake.listening():
        http = SignedHttp(
            fake.url, service, REGION, held, ca_bundle="", read_timeout_s=5, connections=1, now=lambda: moments[-1]
        )
        for day, number in itertools.product((0, 1, 400), (0, 1)):
            moments.append(NOW.timestamp() + day * 86400)
            held.keys = keys[number]
            http.send("GET", target, headers, s3_http.NO_PAYLOAD)
            request = AWSRequest("GET", f"{fake.url}{target}", headers)
            signer = (S3SigV4Auth if service == "s3" else SigV4Auth)(keys[number], service, REGION)
            with pytest.MonkeyPatch.context() as clock:
                clock.setattr("botocore.auth.get_current_datetime", lambda: datetime.fromtimestamp(moments[-1], UTC))
                signer.add_auth(request)
            assert request.headers["Authorization"] == fake.calls[-1].headers["authorization"]


@dataclass
class Held:
    """Keys that change."""

    keys: ReadOnlyCredentials

    def get_frozen_credentials(self) -> ReadOnlyCredentials:
        return self.keys


def regions() -> list[str]:
    session = boto3.session.Session()
    return [
        region
        for partition in session.get_available_partitions()
        for region in session.get_available_regions("s3", partition_name=partition)
    ]


FIPS, DUAL_STACK = {"AWS_USE_FIPS_ENDPOINT": "true"}, {"AWS_USE_DUALSTACK_ENDPOINT": "true"}


@pytest.mark.parametrize(
    ("region", "more"),
    [
        *((region, {}) for region in regions()),
        *((region, FIPS) for region in ("us-east-1", "us-gov-west-1", "ca-central-1", "eu-central-1")),
        *((region, DUAL_STACK) for region in ("us-east-1", "eu-central-1", "cn-north-1", "us-gov-east-1")),
        *((region, {**FIPS, **DUAL_STACK}) for region in ("us-east-1", "us-gov-west-1")),
    ],
)
def test_the_buckets_address_is_boto3s(region: str, more: dict[str, str], monkeypatch: pytest.MonkeyPatch) -> None:
    """In every region of every partition the bucket's host is the one that boto3 calls, also with FIPS and IPv6."""
    for name, value in more.items():
        monkeypatch.setenv(name, value)
    for name, value in {"AWS_DEFAULT_REGION": region, "AWS_ACCESS_KEY_ID": "a", "AWS_SECRET_ACCESS_KEY": "b"}.items():
        monkeypatch.setenv(name, value)
    client = boto3.client("s3", config=Config(s3={"us_east_1_regional_endpoint": "regional"}))
    asked: list[str] = []

    def answer(request: Any, **_: object) -> AWSResponse:
        asked.append(request.url)
        return AWSResponse(request.url, 200, {}, HTTPResponse(io.BytesIO(), preload_content=False))

    client.meta.events.register("before-send.s3.HeadBucket", answer)
    client.head_bucket(Bucket="bucket")

    assert asked == [s3_http.bucket_requests(clients.session(), "bucket", read_timeout_s=5, connections=1).url + "/"]


def test_fips_is_refused_where_s3_has_none(monkeypatch: pytest.MonkeyPatch) -> None:
    """As with boto3, S3 without FIPS is refused, since a host that nobody asked for would be used silently."""
    monkeypatch.setenv("AWS_DEFAULT_REGION", "cn-north-1")
    monkeypatch.setenv("AWS_USE_FIPS_ENDPOINT", "true")

    with pytest.raises(SettingsError, match="no FIPS endpoints in China"):
        s3_http.bucket_requests(clients.session(), "bucket", read_timeout_s=5, connections=1)


LARGE = bytes(2 * 1024 * 1024)
REFUSED = (
    b"HTTP/1.1 412 Precondition Failed\r\nContent-Length: 46\r\n\r\n<Error><Code>PreconditionFailed</Code></Error>"
)


@pytest.mark.usefixtures("no_proxies")
def test_a_large_body_waits_for_s3s_word() -> None:
    """S3 refuses before the body is sent, or asks for it; the connection serves the next request in both cases."""
    stored = STORED % base64.b64encode(hashlib.sha256(LARGE).digest())
    with serving([REFUSED, b"HTTP/1.1 100 Continue\r\n\r\n", stored, LISTED]) as server:
        storage = bucket(server.url)
        with pytest.raises(AlreadyThereError):
            storage.put(ATTRIBUTES, unread := body(LARGE))
        asked = storage.put(ATTRIBUTES, body(LARGE))
        storage.sizes("a")

    assert unread.readinto(memoryview(bytearray(1)))
    assert len(LARGE) == asked.size_bytes
    assert 1 == server.connections


LISTED = b"HTTP/1.1 200 OK\r\nContent-Length: %d\r\n\r\n" % len(LISTING) + LISTING
STORED = b"HTTP/1.1 200 OK\r\nContent-Length: 0\r\nx-amz-checksum-sha256: %s\r\n\r\n"


@pytest.fixture
def no_proxies(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("HTTP_PROXY", "HTTPS_PROXY", "ALL_PROXY", "NO_PROXY"):
        monkeypatch.delenv(name, raising=False)
        monkeypatch.delenv(name.lower(), raising=False)
    for name, value in {"AWS_DEFAULT_REGION": REGION, "AWS_ACCESS_KEY_ID": "a", "AWS_SECRET_ACCESS_KEY": "b"}.items():
        monkeypatch.setenv(name, value)


def bucket(url: str | None) -> ObjectStore:
    return ObjectStore(
        s3_http.bucket_requests(clients.session(), "bucket", endpoint_url=url, read_timeout_s=5, connections=2),
        "bucket",
    )


@pytest.mark.usefixtures("no_proxies")
def test_the_proxy_of_the_environment_is_used(monkeypatch: pytest.MonkeyPatch) -> None:
    """As boto3 does: HTTP with the whole address, HTTPS by a tunnel; NO_PROXY leaves it aside."""
    with serving([LISTED], [b"HTTP/1.1 403 Forbidden\r\nContent-Length: 0\r\n\r\n"]) as proxy:
        monkeypatch.setenv("HTTP_PROXY", f"127.0.0.1:{proxy.port}")
        monkeypatch.setenv("HTTPS_PROXY", proxy.url)
        assert {"a ü\n+": 12} == bucket("http://s3.example").sizes("a")
        with pytest.raises(StorageUnavailableError, match="ProxyConnectionError"):
            bucket(None).sizes("a")
    monkeypatch.setenv("HTTPS_PROXY", "https://proxy.example")
    with pytest.raises(SettingsError, match="by HTTP, not by TLS"):
        bucket(None)
    with serving([LISTED]) as server:
        monkeypatch.setenv("NO_PROXY", "127.0.0.1")
        assert {"a ü\n+": 12} == bucket(server.url).sizes("a")

    assert proxy.heads[0].startswith(b"GET http://s3.example/bucket?")
    assert proxy.heads[1].startswith(b"CONNECT bucket.s3.eu-central-1.amazonaws.com:443 ")


@pytest.mark.usefixtures("no_proxies")
@pytest.mark.parametrize("end", [RESET, CLOSE], ids=["reset", "closed"])
def test_a_kept_connection_that_ended_costs_nothing(end: object) -> None:
    """A look, a small file, and a large one of which nothing was taken yet go out again on a new connection."""
    answers = [STORED % base64.b64encode(hashlib.sha256(one).digest()) for one in (CONTENT, LARGE)]
    with serving([LISTED, end], [LISTED, end], [answers[0], end], [answers[1]]) as server:
        storage = bucket(server.url)
        storage.sizes("a")
        storage.sizes("a")
        small = storage.put(ATTRIBUTES, CONTENT)
        big = storage.put(ATTRIBUTES, body(LARGE))

    assert [len(CONTENT), len(LARGE)] == [small.size_bytes, big.size_bytes]
    assert 4 == server.connections


@pytest.mark.usefixtures("no_proxies")
@pytest.mark.parametrize("script", [[RESET], [LISTED, b"HTT", CLOSE]], ids=["new", "answered"])
def test_only_a_kept_connection_without_an_answer_is_replaced(script: list[Any]) -> None:
    """A new connection that is reset, or half an answer, is told."""
    with serving(script) as server:
        storage = bucket(server.url)
        if len(script) > 1:
            storage.sizes("a")
        with pytest.raises(StorageUnavailableError):
            storage.sizes("a")

    assert 1 == server.connections


@pytest.mark.usefixtures("no_proxies")
def test_the_clients_of_other_services_send_once_more() -> None:
    """Tables, queues and secrets are asked over kept connections as well."""
    text = b'{"SecretString": "s"}'
    answer = b"HTTP/1.1 200 OK\r\nContent-Length: %d\r\n\r\n" % len(text) + text
    with serving([answer, RESET]) as server:
        client = clients.session().client("secretsmanager", endpoint_url=server.url, config=clients.config(5))
        values = [client.get_secret_value(SecretId="s")["SecretString"] for _ in range(4)]

    assert ["s"] * 4 == values
    assert 4 == server.connections
