"""Errors that only a caller by HTTP is told: no message of the queue ever has one. The codes are public interface."""

from collections.abc import Sequence

from bigin_archive.errors import ArchiveError


class ForbiddenError(ArchiveError):
    """The caller may not have this; or the request comes from another site, or under another host's name."""

    code, status, title = "forbidden", 403, "Forbidden"


class TooManyLinksError(ArchiveError):
    """The caller got all download links that one may get in an hour; ``retry_after_s`` says when there are more."""

    code, status, title = "too_many_links", 429, "Too many links"


class TooManyRequestsError(ArchiveError):
    """The key was used more often than it may be."""

    code, status, title = "too_many_requests", 429, "Too many requests"


class UnknownAttachmentError(ArchiveError):
    """The archive knows no such attachment."""

    code, status, title = "unknown_attachment", 404, "Unknown attachment"


class UnknownRecordError(ArchiveError):
    """The ledger knows no attachment of the record."""

    code, status, title = "unknown_record", 404, "Unknown record"


class NotArchivedError(ArchiveError):
    """There is no archived file to link to."""

    code, status, title = "not_archived", 404, "Not archived"


class UnknownRouteError(ArchiveError):
    """There is nothing at this address."""

    code, status, title = "unknown_route", 404, "Unknown route"


class MethodNotAllowedError(ArchiveError):
    """The address does not take this HTTP method, but those that are ``allowed`` (RFC 9110, 15.5.6: Allow)."""

    code, status, title = "method_not_allowed", 405, "Method not allowed"

    def __init__(self, detail: str, *, allowed: Sequence[str] = ()) -> None:
        super().__init__(detail)
        self.allowed = allowed


class IndexUnavailableError(ArchiveError):
    """There is no search index, or it cannot be read."""

    code, status, title = "index_unavailable", 503, "Search index unavailable"
