"""S3: what is archived already, and the one conditional PutObject.

S3 is the truth: no table says what is archived. A key is written once, by a request that S3 executes only where no
object stands under it, and only when the bytes match the SHA-256 that came with them.
"""

import base64
import hashlib
from dataclasses import dataclass
from typing import IO, TYPE_CHECKING, Any

from botocore.exceptions import BotoCoreError, ClientError

from bigin_archive.body import BLOCK_BYTES, Body, Spooled
from bigin_archive.errors import (
    ArchiveError,
    DownloadIncompleteError,
    StorageRefusedError,
    StorageUnavailableError,
)
from bigin_archive.objects import ObjectAttributes

if TYPE_CHECKING:
    from mypy_boto3_s3 import S3Client

RETRY_AFTER_S = 30

_REMEDIES = {
    "NoSuchBucket": "the bucket is gone: deploy the stack again, or restore the bucket",
    "AccessDenied": "check the function's role, the bucket policy and the KMS key",
}


class AlreadyThereError(Exception):
    """Another write was first. What was to be written: ``size_bytes``, and ``sha256`` (hex) where it is known."""

    def __init__(self, key: str, size_bytes: int, sha256: str | None) -> None:
        super().__init__("an object stands under the key")
        self.key = key
        self.size_bytes = size_bytes
        self.sha256 = sha256


@dataclass(frozen=True, slots=True)
class StoredObject:
    """An object of the archive; ``sha256`` is S3's own full-object checksum, in hex."""

    key: str
    size_bytes: int
    sha256: str | None
    version_id: str | None
    content_type: str


class Storage:
    """One bucket."""

    def __init__(self, client: "S3Client", bucket: str, storage_class: str = "STANDARD") -> None:
        self._client = client
        self.bucket = bucket
        self._class = {} if storage_class == "STANDARD" else {"StorageClass": storage_class}

    def sizes(self, prefix: str) -> dict[str, int]:
        """Key and size in bytes of the objects below ``prefix`` (the first 1,000; an attachment has one)."""
        answer = self._call("list_objects_v2", Prefix=prefix)
        return {found["Key"]: found["Size"] for found in answer.get("Contents", [])}

    def head(self, key: str) -> StoredObject:
        """The object under ``key``, with its stored checksum."""
        answer = self._call("head_object", Key=key, ChecksumMode="ENABLED")
        if "ContentLength" not in answer:
            raise StorageUnavailableError("S3's answer has no size. Try again later.", retry_after_s=RETRY_AFTER_S)
        return StoredObject(
            key=key,
            size_bytes=answer["ContentLength"],
            sha256=_hex(answer.get("ChecksumSHA256")),
            version_id=answer.get("VersionId"),
            content_type=answer.get("ContentType", ""),
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
        frames = _Frames(source)
        try:
            return self._write(attributes, size_bytes, frames, None)
        except (StorageUnavailableError, StorageRefusedError):
            if frames.failure:
                raise frames.failure from None
            raise

    def _write(
        self,
        attributes: ObjectAttributes,
        size_bytes: int,
        body: "bytes | IO[bytes] | _Frames",
        sha256: bytes | None,
    ) -> StoredObject:
        checksum = {"ChecksumSHA256": base64.b64encode(sha256).decode()} if sha256 else {"ChecksumAlgorithm": "SHA256"}
        try:
            answer = self._call(
                "put_object",
                Key=attributes.key,
                Body=body,
                ContentLength=size_bytes,
                ContentType=attributes.content_type,
                ContentDisposition=attributes.content_disposition,
                Metadata=attributes.metadata,
                IfNoneMatch="*",
                **self._class,
                **checksum,
            )
        except _PreconditionFailedError:
            raise AlreadyThereError(attributes.key, size_bytes, sha256.hex() if sha256 else None) from None
        stored = _hex(answer.get("ChecksumSHA256")) or (sha256.hex() if sha256 else None)
        if stored is None:
            # S3 answers with the checksum; a server that does not still keeps it.
            return self.head(attributes.key)
        return StoredObject(attributes.key, size_bytes, stored, answer.get("VersionId"), attributes.content_type)

    def _call(self, operation: str, **arguments: Any) -> Any:
        try:
            return getattr(self._client, operation)(Bucket=self.bucket, **arguments)
        except ClientError as error:
            raise _judge(error) from error
        except BotoCoreError as error:
            raise StorageUnavailableError(
                f"S3 cannot be reached ({type(error).__name__}). Try again later.",
                retry_after_s=RETRY_AFTER_S,
            ) from error


class _PreconditionFailedError(Exception):
    """S3 answered 412: an object stands under the key."""


# botocore sends what it reads at once as one frame of the chunked upload, with up to 9 bytes around it, and passes it
# on in reads of 128 KiB. Frames that fill one such read exactly are not copied again: a tenth of the processor time.
# S3 asks for 8 KiB at least, but for the last.
FRAME_BYTES = 128 * 1024 - 9


class _Frames:
    """What botocore reads a streamed body from. It keeps the failure that botocore would bury."""

    def __init__(self, body: Body) -> None:
        self._body = body
        self._view = memoryview(bytearray(FRAME_BYTES))
        self.failure: ArchiveError | None = None

    def __len__(self) -> int:
        """The size in bytes: older botocores (1.42.30, for one) ask the body alone, and send a wrong header without."""
        return self._body.declared_bytes or 0

    def read(self, size: int) -> memoryview:
        """At most ``size`` of the next bytes, none only at the end; the memory is used again by the next call."""
        view = self._view[:size]
        try:
            return view[: self._body.fill(view)]
        except ArchiveError as error:
            self.failure = error
            raise


def _judge(error: ClientError) -> Exception:
    """What an error answer of S3 amounts to (S3 API Reference, "Error responses")."""
    code = str(error.response.get("Error", {}).get("Code", ""))
    status = int(error.response.get("ResponseMetadata", {}).get("HTTPStatusCode", 500))
    if status == 412:
        return _PreconditionFailedError()
    if code in ("IncompleteBody", "BadDigest", "XAmzContentChecksumMismatch", "InvalidDigest"):
        return DownloadIncompleteError(
            f"S3 received other bytes than were sent ({code}); nothing was stored. Try again later."
        )
    # 409 is a write under way at the same moment; throttling of KMS comes as 400.
    if status >= 500 or status in (408, 409, 429) or code in _BUSY or "Throttl" in code:
        return StorageUnavailableError(f"S3 is busy ({code or status}). Try again later.", retry_after_s=RETRY_AFTER_S)
    remedy = _REMEDIES.get(code, _REMEDIES["AccessDenied"])
    return StorageRefusedError(f"S3 refuses ({code or status}): {remedy}. Retried by itself.")


_BUSY = ("RequestTimeout", "SlowDown", "RequestTimeTooSkewed", "ExpiredToken", "RequestLimitExceeded")


def _hex(checksum: str | None) -> str | None:
    return base64.b64decode(checksum).hex() if checksum else None
