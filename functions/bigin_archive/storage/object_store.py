"""S3: what is archived already, and the one conditional PutObject.

S3 is the truth: no table says what is archived. A key is written once, by a request that S3 executes only where no
object stands under it, and only when the bytes match the SHA-256 that came with them.
"""

import base64
import hashlib
from collections.abc import Iterable
from typing import IO, Any
from urllib.parse import unquote_plus
from xml.etree import ElementTree

from botocore.exceptions import BotoCoreError
from urllib3.exceptions import HTTPError

from bigin_archive.aws.s3_http import CHECKSUM, Answer, S3Requests
from bigin_archive.bigin.response_body import BLOCK_BYTES, Body, Spooled
from bigin_archive.errors import DownloadIncompleteError, StorageRefusedError, StorageUnavailableError
from bigin_archive.storage import aws_chunked
from bigin_archive.storage.archived_object import StoredObject
from bigin_archive.storage.object_attributes import ObjectAttributes

RETRY_AFTER_S = 30

_REMEDIES = {
    "NoSuchBucket": "the bucket is gone: deploy the stack again, or restore the bucket",
    "InvalidObjectState": "it lies in an archive tier: restore it first (S3 console, Initiate restore), then try again",
    "AccessDenied": "check the function's role, the bucket policy and the KMS key",
}


class AlreadyThereError(Exception):
    """Another write was first. What was to be written: ``size_bytes``, and ``sha256`` (hex) where it is known."""

    def __init__(self, key: str, size_bytes: int, sha256: str | None) -> None:
        super().__init__("an object stands under the key")
        self.key = key
        self.size_bytes = size_bytes
        self.sha256 = sha256


class ObjectStore:
    """One bucket."""

    def __init__(self, requests: S3Requests, bucket: str, storage_class: str = "STANDARD") -> None:
        self._requests = requests
        self.bucket = bucket
        self._class = {} if storage_class == "STANDARD" else {"x-amz-storage-class": storage_class}

    def sizes(self, prefix: str) -> dict[str, int]:
        """Key and size in bytes of the objects below ``prefix`` (the first 1,000; an attachment has one)."""
        # Encoded, since a key may hold what XML cannot.
        query = {"list-type": "2", "prefix": prefix, "encoding-type": "url"}
        listing = _xml(self._call("GET", query=query).body)
        if listing is None or not listing.tag.endswith("ListBucketResult"):
            raise _damaged("S3's listing is none")
        try:
            return {
                unquote_plus(_text(found, "Key")): int(_text(found, "Size"))
                for found in listing.iterfind("{*}Contents")
            }
        except ValueError:
            raise _damaged("S3's listing has an object without key or size") from None

    def head(self, key: str) -> StoredObject:
        """The object under ``key``, with its stored checksum."""
        headers = self._call("HEAD", key, headers={"x-amz-checksum-mode": "ENABLED"}).headers
        size = headers.get("Content-Length", "")
        if not size.isdecimal():
            raise _damaged("S3's answer has no size")
        return StoredObject(
            key=key,
            size_bytes=int(size),
            sha256=hexadecimal(headers.get(CHECKSUM)),
            version_id=headers.get("x-amz-version-id"),
            content_type=headers.get("Content-Type", ""),
        )

    def put(self, attributes: ObjectAttributes, source: Body | Spooled | bytes) -> StoredObject:
        """Write the object whole, or not at all.

        A body that fits one block is read and hashed first and goes as bytes; a longer one of declared length
        streams through, its SHA-256 behind it in a trailer; a spooled one is hashed already.
        Raises AlreadyThereError, what reading the body raises, and StorageError's two kinds.
        """
        if isinstance(source, bytes):
            return self._write(attributes, len(source), source, hashlib.sha256(source).digest())
        if isinstance(source, Spooled):
            return self._write(attributes, source.size_bytes, source.file, source.sha256)
        size_bytes = source.declared_bytes
        if size_bytes is None:
            raise ValueError("a body without a declared length must be spooled first")
        if size_bytes <= BLOCK_BYTES:
            # One byte at least, so that an empty body is read to its end, too.
            block = memoryview(bytearray(max(1, size_bytes)))
            content = bytes(block[: source.fill(block)])
            return self._write(attributes, size_bytes, content, hashlib.sha256(content).digest())
        return self._write(attributes, size_bytes, aws_chunked.frames(source), None)

    def _write(
        self,
        attributes: ObjectAttributes,
        size_bytes: int,
        body: bytes | IO[bytes] | Iterable[memoryview | bytes],
        sha256: bytes | None,
    ) -> StoredObject:
        headers = {
            "Content-Type": attributes.content_type,
            "Content-Disposition": attributes.content_disposition,
            **{f"x-amz-meta-{name}": text for name, text in attributes.metadata.items()},
            **self._class,
            "If-None-Match": "*",
        }
        if sha256 is not None:
            payload, body_bytes = sha256.hex(), size_bytes
            headers[CHECKSUM] = base64.b64encode(sha256).decode()
        else:
            payload, body_bytes = aws_chunked.PAYLOAD, aws_chunked.framed_bytes(size_bytes)
            headers["Content-Encoding"] = "aws-chunked"
            headers["x-amz-decoded-content-length"] = str(size_bytes)
            headers["x-amz-trailer"] = CHECKSUM
        try:
            answer = self._call(
                "PUT",
                attributes.key,
                headers=headers,
                body=body,
                body_bytes=body_bytes,
                payload=payload,
                # A long body would fill the connection on which S3 says no.
                ask_first=size_bytes > BLOCK_BYTES,
            ).headers
        except _PreconditionFailedError:
            raise AlreadyThereError(attributes.key, size_bytes, sha256.hex() if sha256 else None) from None
        stored = hexadecimal(answer.get(CHECKSUM)) or (sha256.hex() if sha256 else None)
        if stored is None:
            # S3 answers with the checksum; a server that does not still keeps it.
            return self.head(attributes.key)
        return StoredObject(attributes.key, size_bytes, stored, answer.get("x-amz-version-id"), attributes.content_type)

    def _call(self, method: str, key: str = "", **sent: Any) -> Answer:
        try:
            answer = self._requests.send(method, key, **sent)
        except (HTTPError, BotoCoreError) as error:
            raise StorageUnavailableError(
                f"S3 cannot be reached ({type(error).__name__}). Try again later.", retry_after_s=RETRY_AFTER_S
            ) from error
        if answer.status >= 300 or (method == "PUT" and answer.body):
            said = _xml(answer.body)
            code = "" if said is None or said.tag != "Error" else said.findtext("Code", "")
            # An error may come with the status 200, after S3 had begun to answer.
            raise classify_s3_error(answer.status if answer.status >= 300 else 500, code)
        return answer


class _PreconditionFailedError(Exception):
    """S3 answered 412: an object stands under the key."""


def classify_s3_error(status: int, code: str) -> Exception:
    """What an error answer of S3 amounts to (S3 API Reference, "Error responses")."""
    if status == 412:
        return _PreconditionFailedError()
    if code in _OTHER_BYTES:
        return DownloadIncompleteError(
            f"S3 received other bytes than were sent ({code}); nothing was stored. Try again later."
        )
    # 409 is a write under way at the same moment; throttling of KMS comes as 400.
    if status >= 500 or status in (408, 409, 429) or code in _BUSY or "Throttl" in code:
        return StorageUnavailableError(f"S3 is busy ({code or status}). Try again later.", retry_after_s=RETRY_AFTER_S)
    remedy = _REMEDIES.get(code, _REMEDIES["AccessDenied"])
    return StorageRefusedError(f"S3 refuses ({code or status}): {remedy}. Retried by itself.")


_OTHER_BYTES = (
    "IncompleteBody",
    "BadDigest",
    "InvalidDigest",
    "XAmzContentChecksumMismatch",
    "XAmzContentSHA256Mismatch",
)
_BUSY = ("RequestTimeout", "SlowDown", "RequestTimeTooSkewed", "ExpiredToken", "RequestLimitExceeded")


def _damaged(what: str) -> StorageUnavailableError:
    return StorageUnavailableError(f"{what}. Try again later.", retry_after_s=RETRY_AFTER_S)


def _xml(text: bytes) -> ElementTree.Element | None:
    try:
        return ElementTree.fromstring(text)  # noqa: S314 - it came from S3 by TLS
    except ElementTree.ParseError:
        return None


def _text(element: ElementTree.Element, name: str) -> str:
    """The text of a child; raises ValueError where there is none."""
    found = element.findtext(f"{{*}}{name}")
    if not found:
        raise ValueError(f"no {name}")
    return found


def hexadecimal(checksum: str | None) -> str | None:
    return base64.b64decode(checksum).hex() if checksum else None
