"""What the console answers where it cannot give what was asked for; codes and statuses are public interface."""

from bigin_archive.errors import AnsweredError


class UnknownRecordError(AnsweredError):
    """The ledger knows no attachment of the record."""

    code, status, title = "unknown_record", 404, "Unknown record"


class NotArchivedError(AnsweredError):
    """There is no file to link to."""

    code, status, title = "not_archived", 404, "Not archived"


class UnknownRouteError(AnsweredError):
    """There is nothing at this address."""

    code, status, title = "unknown_route", 404, "Unknown route"


class MethodNotAllowedError(AnsweredError):
    """The address knows other methods."""

    code, status, title = "method_not_allowed", 405, "Method not allowed"


class IndexUnavailableError(AnsweredError):
    """There is no search index, or none that can be read."""

    code, status, title = "index_unavailable", 503, "Search index unavailable"
