"""Calls to S3 by boto3's client, and the meaning of its error answers."""

from collections.abc import Collection, Mapping
from typing import Any

from botocore.exceptions import BotoCoreError, ClientError

from bigin_archive.aws.error_codes import code_of
from bigin_archive.errors import DownloadIncompleteError, StorageRefusedError, StorageUnavailableError

RETRY_AFTER_S = 30

_NO_BUCKET = "NoSuchBucket"
_REMEDIES = {
    _NO_BUCKET: "the bucket is gone: deploy the stack again, or restore the bucket",
    "AccessDenied": "check the function's role, the bucket policy and the KMS key",
}
_ARCHIVE_TIERS = ("GLACIER", "DEEP_ARCHIVE")
_COLD = (
    "The object is in an archive tier (GLACIER, DEEP_ARCHIVE, or that of INTELLIGENT_TIERING). Restore it first (S3 "
    "console, Initiate restore; aws s3api restore-object), which takes hours."
)


class NoObjectError(Exception):
    """There is no object under the key."""


class ColdStorageError(StorageRefusedError):
    """The object is in an archive tier, and has to be restored from there before it can be read."""


class PreconditionFailedError(Exception):
    """S3 answered 412: there is an object under the key, or not the expected one."""


class RangeNotSatisfiableError(Exception):
    """S3 answered 416: the object is shorter."""


class NotModifiedError(Exception):
    """S3 answered 304: the object is as it was."""


def call(client: Any, operation: str, *, absent: Collection[int] = (), **arguments: Any) -> Any:
    """Call S3. Raises NoObjectError for a status in ``absent``, and the error for any other refusal.

    Without an answer that is StorageUnavailableError.
    """
    try:
        return getattr(client, operation)(**arguments)
    except ClientError as error:
        status, code = int(error.response["ResponseMetadata"].get("HTTPStatusCode", 500)), code_of(error)
        if status in absent and code != _NO_BUCKET:
            raise NoObjectError from None
        raise classify_s3_error(status, code) from error
    except BotoCoreError as error:
        raise unreachable(error) from error


def unreachable(error: Exception) -> StorageUnavailableError:
    """The error for an answer, or its body, that did not come."""
    return StorageUnavailableError(
        f"S3 cannot be reached ({type(error).__name__}). Try again later.", retry_after_s=RETRY_AFTER_S
    )


def check_tier(head: Mapping[str, Any]) -> None:
    """Raise ColdStorageError where an answer to HeadObject says that the object cannot be read now.

    S3 API Reference, HeadObject: StorageClass, ArchiveStatus, and Restore, which names a copy that can be read.
    """
    is_archived = head.get("StorageClass") in _ARCHIVE_TIERS or head.get("ArchiveStatus")
    if is_archived and 'ongoing-request="false"' not in head.get("Restore", ""):
        raise ColdStorageError(_COLD)


def is_no_object(status: int, code: str) -> bool:
    """Whether an answer about one key says that there is no object. The answer to a HEAD has no code."""
    return code in ("NoSuchKey", "NoSuchVersion", "NotFound", "404") or (status == 404 and not code)


def classify_s3_error(status: int, code: str) -> Exception:
    """The error for an answer of S3 (S3 API Reference, "Error responses")."""
    if status == 304:
        return NotModifiedError()
    if status == 412:
        return PreconditionFailedError()
    if status == 416:
        return RangeNotSatisfiableError()
    if code == "InvalidObjectState":
        return ColdStorageError(_COLD)
    if code in _OTHER_BYTES:
        return DownloadIncompleteError(
            f"S3 received other bytes than were sent ({code}). Nothing was stored. Try again later."
        )
    # 409 means that another write is running; throttling of KMS comes as 400.
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
