"""What can go wrong, and what is to be done about it.

::

    ArchiveError                      never raised itself
    +-- NothingToArchiveError                  nothing is left to do: the message is done
    |   +-- AttachmentGoneError
    |   +-- LinkAttachmentError
    +-- PermanentError                a retry cannot help: the message is parked
    |   +-- InvalidRequestError
    |   +-- UnauthorizedError
    |   +-- AttachmentTooLargeError
    |   +-- ContentConflictError
    |   +-- TransferTooSlowError
    |   +-- BiginRefusedError
    +-- TransientError                the message is retried
        +-- BiginUnhealthyError            ... and the breaker spares Bigin for a while
        |   +-- BiginScopeMissingError
        |   +-- BiginTokenRejectedError
        |   +-- BiginRateLimitedError
        |   |   +-- CreditsSpentError
        |   |   +-- BiginConcurrencyError
        |   +-- BiginUnavailableError
        |       +-- PageTokenEndedError
        +-- DownloadIncompleteError
        |   +-- OutOfTimeError
        +-- StorageUnavailableError
        +-- StorageRefusedError
        +-- InternalError

What only a caller by HTTP is told has its classes in ``http_errors``.
Every class has a ``code`` and an HTTP ``status``; both are public interface. Messages are for the reader of an
answer, a log line or a dead letter: they say what to do, and never hold a token or a file name.
"""

from collections.abc import Iterator
from typing import ClassVar, TypeVar

_Kind = TypeVar("_Kind", bound="ArchiveError")


class ArchiveError(Exception):
    """Base of all errors; ``detail`` tells the reader what to do."""

    code: ClassVar[str]
    status: ClassVar[int]
    title: ClassVar[str]

    def __init__(self, detail: str, *, retry_after_s: int | None = None) -> None:
        super().__init__(detail)
        self.detail = detail
        self.retry_after_s = retry_after_s


def kinds(base: type[_Kind]) -> Iterator[type[_Kind]]:
    """Every class below ``base`` with a code of its own."""
    for kind in base.__subclasses__():
        if "code" in kind.__dict__:
            yield kind
        yield from kinds(kind)


class NothingToArchiveError(ArchiveError):
    """There is no file to archive, and there never will be."""


class AttachmentGoneError(NothingToArchiveError):
    """Bigin says that the record or the attachment does not exist."""

    code, status, title = "attachment_gone", 404, "Attachment gone"


class LinkAttachmentError(NothingToArchiveError):
    """The attachment is a link to somewhere, not a file."""

    code, status, title = "link_attachment", 422, "Link attachment"


class PermanentError(ArchiveError):
    """The same request will fail for ever, until a person changes something.

    ``meaning`` and ``remedy`` are for that person: answers, the redrive and the runbooks have them from here.
    """

    meaning: ClassVar[str]
    remedy: ClassVar[str]


class InvalidRequestError(PermanentError):
    """The body, the module or an id is malformed."""

    code, status, title = "invalid_request", 400, "Invalid request"
    meaning = "The message is no well-formed archive request."
    remedy = "Sending it back cannot help: mend whatever sends such messages, and send a well-formed one."


class UnauthorizedError(PermanentError):
    """The webhook secret is missing or wrong."""

    code, status, title = "unauthorized", 401, "Unauthorized"


class AttachmentTooLargeError(PermanentError):
    """The attachment is larger than the configured limit."""

    code, status, title = "attachment_too_large", 413, "Attachment too large"
    meaning = "The attachment is larger than the limit."
    remedy = "Deploy with a larger MaxFileSizeMiB (at most 5120), then send it back."


class TransferTooSlowError(PermanentError):
    """No invocation of the queue's function is long enough for this attachment."""

    code, status, title = "transfer_too_slow", 504, "Transfer too slow"
    meaning = "No run of the queue's function was long enough for this attachment: five used nearly all of their time."
    remedy = "Send it back when Bigin is faster, or archive it by POST /attachments from a place that is."


class ContentConflictError(PermanentError):
    """Other bytes are archived already for this attachment; they were not touched."""

    code, status, title = "content_conflict", 409, "Content conflict"
    meaning = "Other bytes are archived already for this attachment; they were not touched."
    remedy = (
        "Compare the object in S3 with the file in Bigin. If Bigin's is right, delete the object (its version "
        "stays), then send it back."
    )


class BiginRefusedError(PermanentError):
    """Bigin refuses this record or module."""

    code, status, title = "bigin_refused", 502, "Refused by Bigin"
    meaning = "Bigin refuses this record or module to the connected user."
    remedy = "Have the right granted in Bigin, or the module shown, then send it back."


class TransientError(ArchiveError):
    """The same request may succeed later; ``retry_after_s`` says when, if the other side said so.

    ``remedy`` is for a message that failed with it in its last try.
    """

    remedy: ClassVar[str]


class BiginUnhealthyError(TransientError):
    """Bigin, the token or its scope is at fault, so that other requests would fail as well."""


class BiginScopeMissingError(BiginUnhealthyError):
    """The token lacks a scope."""

    code, status, title = "bigin_scope_missing", 502, "Scope missing in Bigin"
    remedy = "Connect again with all scopes (bigin-archive authorize), then send it back."


class BiginTokenRejectedError(BiginUnhealthyError):
    """The token is refused and there is no newer one, or there is none at all."""

    code, status, title = "bigin_token_rejected", 502, "Token rejected by Bigin"
    remedy = "Connect again (bigin-archive authorize), then send it back."


class BiginRateLimitedError(BiginUnhealthyError):
    """Bigin answers 429."""

    code, status, title = "bigin_rate_limited", 503, "Rate limited by Bigin"
    remedy = "Other programs use up the account's credits or calls: let them use fewer, then send it back."


class CreditsSpentError(BiginRateLimitedError):
    """What may be spent now is spent: our own limit, for which Bigin was not asked."""


class BiginConcurrencyError(BiginRateLimitedError):
    """Too many calls at one time: a matter of seconds, and of no credits."""


class BiginUnavailableError(BiginUnhealthyError):
    """No answer, or one that is neither a file nor an error that we know."""

    code, status, title = "bigin_unavailable", 503, "Bigin unavailable"
    remedy = "bigin-archive authorize --check shows whether Bigin can be reached. Send it back once it can."


class PageTokenEndedError(BiginUnavailableError):
    """A list cannot be continued where it was left: it has to be begun again."""


class DownloadIncompleteError(TransientError):
    """Fewer or more bytes arrived than were declared."""

    code, status, title = "download_incomplete", 503, "Download incomplete"
    remedy = "Open the file in Bigin. If it opens, send it back; if not, ask Zoho."


class OutOfTimeError(DownloadIncompleteError):
    """The time of this invocation is used up."""


class StorageUnavailableError(TransientError):
    """S3 (or the queue) is throttled or down."""

    code, status, title = "storage_unavailable", 503, "Storage unavailable"
    remedy = "Look at the AWS Health Dashboard, then send it back."


class StorageRefusedError(TransientError):
    """S3 or KMS denies."""

    code, status, title = "storage_refused", 500, "Storage refused"
    remedy = "Repair what the detail names (role, bucket policy, KMS key), then send it back."


class InternalError(TransientError):
    """A bug, or a deployment that lacks a setting."""

    code, status, title = "internal_error", 500, "Internal error"
    remedy = "Report the detail as a bug of Bigin Archive. Send it back with the next version."
