"""What an error answer of S3 amounts to. Pure."""

from bigin_archive.errors import DownloadIncompleteError, StorageRefusedError, StorageUnavailableError

RETRY_AFTER_S = 30

_REMEDIES = {
    "NoSuchBucket": "the bucket is gone: deploy the stack again, or restore the bucket",
    "AccessDenied": "check the function's role, the bucket policy and the KMS key",
}


class NoObjectError(Exception):
    """Nothing lies under the key."""


class ColdStorageError(StorageRefusedError):
    """The object lies in an archive tier, and cannot be read before it is restored from there."""


class PreconditionFailedError(Exception):
    """S3 answered 412: an object stands under the key, or another one than was expected."""


class RangeNotSatisfiableError(Exception):
    """S3 answered 416: the object is not so long."""


def is_no_object(status: int, code: str) -> bool:
    """Whether an answer about one key says that nothing lies under it; that of a HEAD has no code."""
    return code in ("NoSuchKey", "NoSuchVersion", "NotFound", "404") or (status == 404 and not code)


def classify_s3_error(status: int, code: str) -> Exception:
    """What an error answer of S3 amounts to (S3 API Reference, "Error responses")."""
    if status == 412:
        return PreconditionFailedError()
    if status == 416:
        return RangeNotSatisfiableError()
    if code == "InvalidObjectState":
        return ColdStorageError(
            "The object lies in an archive tier (GLACIER, DEEP_ARCHIVE, or that of INTELLIGENT_TIERING): restore it "
            "first (S3 console, Initiate restore; aws s3api restore-object), which takes hours."
        )
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
