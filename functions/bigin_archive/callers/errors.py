"""What a caller is told besides the codes of archiving; codes and statuses are public interface."""

from bigin_archive.errors import AnsweredError


class UnknownAttachmentError(AnsweredError):
    """The archive knows no such attachment."""

    code, status, title = "unknown_attachment", 404, "Unknown attachment"


class TooManyRequestsError(AnsweredError):
    """The key was used more often than it may be."""

    code, status, title = "too_many_requests", 429, "Too many requests"
