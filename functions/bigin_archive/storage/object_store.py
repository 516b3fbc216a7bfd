"""S3: looks whether an attachment is archived, and makes the one conditional PutObject.

S3 decides what is archived; no table does. S3 writes a key only if no object is under it, and only if the bytes match
the SHA-256 that came with them.
"""

import base64
import hashlib
from collections.abc import Iterable
from typing import IO, Any
from xml.etree import ElementTree

from botocore.exceptions import BotoCoreError

from bigin_archive import clock
from bigin_archive.aws import object_listing
from bigin_archive.aws.s3_http import CHECKSUM, S3Requests
from bigin_archive.bigin.response_body import BLOCK_BYTES, Body, Spooled
from bigin_archive.deadline import Deadline
from bigin_archive.errors import StorageUnavailableError
from bigin_archive.network.kept_connections import Answer
from bigin_archive.storage import archived_object, aws_chunked, version_listing
from bigin_archive.storage.archived_object import StoredObject
from bigin_archive.storage.object_attributes import ObjectAttributes
from bigin_archive.storage.s3_errors import (
    RETRY_AFTER_S,
    NoObjectError,
    PreconditionFailedError,
    RangeNotSatisfiableError,
    classify_s3_error,
    is_no_object,
)
from bigin_archive.storage.version_listing import ListedVersion

_METADATA = "x-amz-meta-"
_RANGE_BYTES = 8 * 1024 * 1024  # bytes of a foreign object, in memory at one time


class AlreadyThereError(Exception):
    """Another write came first. This one had ``size_bytes``, and ``sha256`` (hex) if it is known."""

    def __init__(self, key: str, size_bytes: int, sha256: str | None) -> None:
        super().__init__("there is an object under the key")
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
        query = {"list-type": "2", "prefix": prefix, **object_listing.ENCODED}
        try:
            return object_listing.sizes(self._call("GET", query=query).body)
        except ValueError as error:
            raise _damaged(f"S3's answer is not a list: {error}") from None

    def versions(self, prefix: str) -> list[ListedVersion]:
        """The versions of the objects below ``prefix`` since their last deletion, the first written first."""

        # The names are boto3's.
        def ask(_: str, Prefix: str, KeyMarker: str = "", VersionIdMarker: str = "") -> dict[str, Any]:  # noqa: N803
            markers = {"key-marker": KeyMarker, "version-id-marker": VersionIdMarker}
            query = {"versions": "", "prefix": Prefix, **object_listing.ENCODED}
            query |= {name: marker for name, marker in markers.items() if marker}
            try:
                return object_listing.versions(self._call("GET", query=query).body)
            except ValueError as error:
                raise _damaged(f"S3's answer is not a list: {error}") from None

        return version_listing.first_written(version_listing.listed_keys(ask, prefix))

    def head(self, key: str, place: str, version_id: str | None = None) -> StoredObject | None:
        """The object under ``key``, or one version of it, with its stored checksum; None if there is none.

        It belongs to an attachment if its metadata name the ``place`` of that.
        """
        version = {"versionId": version_id} if version_id else None
        try:
            headers = self._call("HEAD", key, query=version, headers={"x-amz-checksum-mode": "ENABLED"}).headers
        except NoObjectError:
            return None
        size = headers.get("Content-Length", "")
        if not size.isdecimal():
            raise _damaged("S3's answer has no size")
        metadata = {name.lower().removeprefix(_METADATA): text for name, text in headers.items()}
        return StoredObject(
            key=key,
            size_bytes=int(size),
            sha256=archived_object.full_sha256(headers.get(CHECKSUM)),
            version_id=archived_object.identity(headers.get("x-amz-version-id")),
            content_type=headers.get("Content-Type", ""),
            modified_at=clock.iso_or_none(clock.parse_http(headers.get("Last-Modified"))),
            is_own=archived_object.claimed(metadata) == place,
            is_link=archived_object.is_shortcut(metadata),
        )

    def read(self, key: str) -> bytes | None:
        """A small object whole; None if there is none."""
        try:
            return self._call("GET", key).body
        except NoObjectError:
            return None

    def sha256(self, key: str, deadline: Deadline) -> str | None:
        """The SHA-256 (hex) of the bytes under ``key``, read now; None if the object is gone.

        Used for foreign objects, many of which have no checksum in S3. Raises OutOfTimeError.
        """
        digest, first = hashlib.sha256(), 0
        pinned: dict[str, str] = {}
        while True:
            deadline.check()
            part = {"Range": f"bytes={first}-{first + _RANGE_BYTES - 1}"}
            try:
                answer = self._call("GET", key, headers=part | pinned)
            except NoObjectError:
                return None
            except PreconditionFailedError:
                raise _damaged("An object was replaced while it was read") from None
            except RangeNotSatisfiableError:
                return digest.hexdigest()  # it ended with the part before, or is empty
            digest.update(answer.body)
            first += len(answer.body)
            if answer.status != 206 or len(answer.body) < _RANGE_BYTES:
                return digest.hexdigest()
            # After a replacement the halves would be of two objects.
            pinned = {"If-Match": answer.headers.get("ETag", "*")}

    def put(self, attributes: ObjectAttributes, source: Body | Spooled | bytes) -> StoredObject:
        """Write the object whole, or not at all.

        A body that fits one block is read and hashed first, and sent as bytes. A longer one of declared length streams
        through, with its SHA-256 in a trailer. A spooled one is hashed already. Raises AlreadyThereError, the errors of
        reading the body, StorageUnavailableError and StorageRefusedError.
        """
        if isinstance(source, bytes):
            return self._write(attributes, len(source), source, hashlib.sha256(source).digest())
        if isinstance(source, Spooled):
            return self._write(attributes, source.size_bytes, source.file, source.sha256)
        size_bytes = source.declared_bytes
        if size_bytes is None:
            raise ValueError("a body without a declared length must be spooled first")
        if size_bytes <= BLOCK_BYTES:
            # At least one byte, so that an empty body is read to its end, too.
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
            # S3 requires it with any request that stores an object under retention (S3 API Reference, PutObject).
            "x-amz-sdk-checksum-algorithm": "SHA256",
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
                # A long body would fill the connection, and hide S3's refusal.
                ask_first=size_bytes > BLOCK_BYTES,
            ).headers
        except PreconditionFailedError:
            raise AlreadyThereError(attributes.key, size_bytes, sha256.hex() if sha256 else None) from None
        stored = archived_object.full_sha256(answer.get(CHECKSUM)) or (sha256.hex() if sha256 else None)
        if stored is None:
            # S3 answers with the checksum. Other servers keep it and do not answer with it.
            found = self.head(attributes.key, archived_object.claimed(attributes.metadata) or "")
            if found is None:
                raise _damaged("S3 accepted an object and does not have it")
            return found
        return StoredObject(
            attributes.key,
            size_bytes,
            stored,
            archived_object.identity(answer.get("x-amz-version-id")),
            attributes.content_type,
            is_link=archived_object.is_shortcut(attributes.metadata),
        )

    def _call(self, method: str, key: str = "", **sent: Any) -> Answer:
        try:
            answer = self._requests.send(method, key, **sent)
        except BotoCoreError as error:
            raise StorageUnavailableError(
                f"S3 cannot be reached ({type(error).__name__}). Try again later.", retry_after_s=RETRY_AFTER_S
            ) from error
        if answer.status >= 300 or (method == "PUT" and answer.body):
            said = _xml(answer.body)
            code = "" if said is None or said.tag != "Error" else said.findtext("Code", "")
            if key and method != "PUT" and is_no_object(answer.status, code):
                raise NoObjectError
            # An error may come with status 200, if S3 had already begun to answer.
            raise classify_s3_error(answer.status if answer.status >= 300 else 500, code)
        return answer


def _damaged(what: str) -> StorageUnavailableError:
    return StorageUnavailableError(f"{what}. Try again later.", retry_after_s=RETRY_AFTER_S)


def _xml(text: bytes) -> ElementTree.Element | None:
    try:
        return ElementTree.fromstring(text)  # noqa: S314 - it came from S3 by TLS
    except ElementTree.ParseError:
        return None
