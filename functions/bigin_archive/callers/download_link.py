"""The download link that a caller may ask for: how long it works, and which right it needs. Pure."""

import re
from collections.abc import Mapping

from bigin_archive.callers.caller import includes
from bigin_archive.errors import InvalidRequestError
from bigin_archive.http_errors import ForbiddenError

FIELD = "download_link_seconds"
LEAST_S, MOST_S = 60, 900


def seconds_wanted(given: Mapping[str, object], right: str) -> int | None:
    """How many seconds the link must work; None if no link is asked for.

    ``given`` holds the body's fields (a JSON number) or the query's (text). Raises ForbiddenError, InvalidRequestError.
    """
    if FIELD not in given:
        return None
    if not includes(right, "link"):
        raise ForbiddenError(
            f"This key may not ask for download links: leave {FIELD} out, or ask for a key with the right link."
        )
    value = given[FIELD]
    if isinstance(value, str) and re.fullmatch("[0-9]{1,3}", value):
        value = int(value)
    if not isinstance(value, int) or isinstance(value, bool) or not LEAST_S <= value <= MOST_S:
        raise InvalidRequestError(f"{FIELD} must be a whole number from {LEAST_S} to {MOST_S}.")
    return value
