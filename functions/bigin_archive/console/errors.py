"""What the console answers where it cannot give what was asked for; codes and statuses are public interface."""

from bigin_archive.errors import PermanentError, TransientError


class UnknownRecordError(PermanentError):
    """The ledger knows no attachment of the record."""

    code, status, title = "unknown_record", 404, "Unknown record"


class NotArchivedError(PermanentError):
    """There is no file to link to."""

    code, status, title = "not_archived", 404, "Not archived"


class UnknownRouteError(PermanentError):
    """There is nothing at this address."""

    code, status, title = "unknown_route", 404, "Unknown route"


class MethodNotAllowedError(PermanentError):
    """The address knows other methods."""

    code, status, title = "method_not_allowed", 405, "Method not allowed"


class ForbiddenError(PermanentError):
    """The request comes from another site, or under another host's name."""

    code, status, title = "forbidden", 403, "Forbidden"


class TooManyLinksError(TransientError):
    """The user got as many links in an hour as one may."""

    code, status, title = "too_many_links", 429, "Too many links"


class IndexUnavailableError(TransientError):
    """There is no search index, or none that can be read."""

    code, status, title = "index_unavailable", 503, "Search index unavailable"
