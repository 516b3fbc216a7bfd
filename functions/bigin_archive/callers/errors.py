"""What a caller is told besides the codes of archiving; codes and statuses are public interface."""

from bigin_archive.errors import ArchiveError


class ForbiddenError(ArchiveError):
    """The key does not have the right."""

    code, status, title = "forbidden", 403, "Forbidden"


class UnknownAttachmentError(ArchiveError):
    """The archive knows no such attachment."""

    code, status, title = "unknown_attachment", 404, "Unknown attachment"


class TooManyRequestsError(ArchiveError):
    """The key was used more often than it may be."""

    code, status, title = "too_many_requests", 429, "Too many requests"


class TooManyLinksError(ArchiveError):
    """The key got as many download links as it may get in a day."""

    code, status, title = "too_many_links", 429, "Too many links"
