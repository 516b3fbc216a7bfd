"""Reads the query of a search from the parameters of an address. Pure."""

import re
from collections.abc import Mapping
from datetime import date

from bigin_archive.archive_request import module_name
from bigin_archive.errors import InvalidRequestError
from bigin_archive.search.folding import words
from bigin_archive.search.query import Query

MAX_QUERY_CHARACTERS = 200
STATES = ("archived", "link", "pending", "parked", "gone", "reclaimed")
_PAGE_NUMBER = re.compile(r"[1-9][0-9]{0,99}")  # any number that somebody might send; beyond the end is no error
_DAY = re.compile(r"[0-9]{4}-[0-9]{2}-[0-9]{2}")


def query(given: Mapping[str, str]) -> Query:
    """The query; an empty parameter counts as none. Raises InvalidRequestError."""
    text, state = given.get("q", ""), given.get("state")
    if len(text) > MAX_QUERY_CHARACTERS:
        raise InvalidRequestError(f"q must have at most {MAX_QUERY_CHARACTERS} characters.")
    if state and state not in STATES:
        raise InvalidRequestError(f"state must be one of {', '.join(STATES)}.")
    return Query(
        words(text),
        modules=frozenset({module_name(given["module"])} if "module" in given else ()),
        states=frozenset({state} if state else ()),
        since=_day("since", given.get("since")),
        until=_day("until", given.get("until")),
    )


def _day(name: str, value: str | None) -> str | None:
    if value is None:
        return None
    try:
        if _DAY.fullmatch(value):
            return date.fromisoformat(value).isoformat()
    except ValueError:
        pass
    raise InvalidRequestError(f"{name} must be a day such as 2026-01-31.")


def page_number(given: Mapping[str, str]) -> int:
    """The page, from 1. Raises InvalidRequestError."""
    value = given.get("page") or "1"
    if not _PAGE_NUMBER.fullmatch(value):
        raise InvalidRequestError("page must be a whole number from 1.")
    return int(value)
