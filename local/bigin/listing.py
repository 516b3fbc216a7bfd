"""Lists: pages, page tokens, chosen fields, and the `info` object beside the data.

The rules are those of "Get records" and "Get attachments"; the error texts are the platform's.
"""

import base64
import binascii
import json
import time
from collections.abc import Mapping, Sequence
from typing import Any

from . import answers
from .answers import Answer
from .settings import Settings
from .timestamps import epoch_s, iso

PER_PAGE = 200  # default and maximum
REACH_OF_PAGES = 2_000  # records that page numbers reach; beyond them only page tokens do
FIELDS = 50  # most names in `fields`


def listing(
    rows: Sequence[Mapping[str, Any]],
    query: Mapping[str, str],
    settings: Settings,
    *,
    accepts_gzip: bool,
) -> Answer:
    """Return one page of the rows (all fields in each), newest id first."""
    names = [name for name in query.get("fields", "").split(",") if name]
    if names and settings.fields_refused:
        return answers.error(400, "EXTRA_PARAM_FOUND", "extra param found", {"param_name": "fields"})
    if not names and settings.fields_required and not settings.fields_refused:
        return answers.missing_parameter("fields")
    if len(names) > FIELDS:
        return answers.error(400, "LIMIT_EXCEEDED", "Fields limit exceeded", {"limit": FIELDS})
    per_page, page = _number(query, "per_page", PER_PAGE), _number(query, "page", 1)
    if per_page is None or page is None or per_page > PER_PAGE:
        name = "per_page" if per_page is None or per_page > PER_PAGE else "page"
        return answers.error(400, "INVALID_DATA", "invalid data", {"param_name": name})
    below: int | None = None
    if "page_token" in query:
        if "page" in query:
            message = "page and page_token cannot be given together"
            return answers.error(400, "AMBIGUITY_DURING_PROCESSING", message)
        cursor = _cursor(query["page_token"])
        if cursor is None:
            return _bad_token("TOKEN_BOUND_DATA_MISMATCH", "The page_token given seems to be invalid")
        if cursor["until"] <= time.time():
            return _bad_token("EXPIRED_VALUE", "The page_token value has expired")
        if cursor["per_page"] == per_page:  # another page size makes Bigin ignore the token
            below, page = cursor["below"], cursor["page"]
    elif page * per_page > REACH_OF_PAGES:
        message = "You can only get the first 2000 records without using page_token param"
        return answers.error(400, "DISCRETE_PAGINATION_LIMIT_EXCEEDED", message, {"limit": REACH_OF_PAGES})
    ordered = sorted(rows, key=lambda row: int(row["id"]), reverse=True)
    if below is None or settings.pages_begin_behind == "place":
        del ordered[: (page - 1) * per_page]
    else:
        ordered = [row for row in ordered if int(row["id"]) < below]
    return _page(ordered, names, page, per_page, settings, accepts_gzip)


def empty(settings: Settings) -> Answer:
    """Return an empty list: 204, or 200 without data, as set."""
    if settings.empty_list == "204":
        return answers.nothing()
    return answers.json_answer(200, {"data": [], "info": _info(0, 1, PER_PAGE, None, settings)})


def unchanged_since(rows: Sequence[Mapping[str, Any]], since: str | None) -> bool:
    """Say whether no row was modified after an If-Modified-Since in Bigin's form."""
    try:
        return since is not None and all(epoch_s(row["Modified_Time"]) <= epoch_s(since) for row in rows)
    except ValueError:
        return False


def _page(
    rest: Sequence[Mapping[str, Any]],
    names: Sequence[str],
    page: int,
    per_page: int,
    settings: Settings,
    accepts_gzip: bool,
) -> Answer:
    rows = rest[:per_page]
    if not rows:
        return empty(settings)
    token = None
    if len(rest) > per_page:
        until = time.time() + settings.page_token_lifetime_s
        below = int(rows[-1]["id"])
        token = {"below": below, "page": page + 1, "per_page": per_page, "until": until}
    body = {
        "data": [_chosen(row, names, settings) for row in rows],
        "info": _info(len(rows), page, per_page, token, settings),
    }
    chunked = settings.listing_framing == "chunked"
    return answers.json_answer(200, body, chunked=chunked, gzip=settings.gzip_lists and accepts_gzip)


def _chosen(row: Mapping[str, Any], names: Sequence[str], settings: Settings) -> dict[str, Any]:
    # Without `fields` the names that start with "$" are left out, as recorded.
    chosen = names or [name for name in row if not name.startswith("$")]
    shown = {name: row[name] for name in chosen if name in row} | {"id": row["id"]}
    if "Size" in shown and shown["Size"] is not None:
        size = shown.pop("Size")
        shown[settings.size_key] = str(size) if settings.size_as_string else int(size)
    return shown


def _info(count: int, page: int, per_page: int, token: Mapping[str, Any] | None, settings: Settings) -> dict[str, Any]:
    expiry = iso(time.time() + settings.page_token_lifetime_s)
    return {
        "per_page": per_page,
        "next_page_token": token and base64.urlsafe_b64encode(json.dumps(token).encode()).decode(),
        "count": count,
        "sort_by": "id",
        "page": page,
        "previous_page_token": None,
        "page_token_expiry": expiry if token else None,
        "sort_order": "desc",
        "more_records": token is not None,
    }


def _cursor(token: str) -> dict[str, Any] | None:
    try:
        cursor = json.loads(base64.urlsafe_b64decode(token))
    except (binascii.Error, ValueError):
        return None
    return cursor if isinstance(cursor, dict) and "below" in cursor else None


def _bad_token(code: str, message: str) -> Answer:
    return answers.error(400, code, message, {"param_name": "page_token"})


def _number(query: Mapping[str, str], name: str, default: int) -> int | None:
    text = query.get(name, str(default))
    return int(text) if text.isascii() and text.isdigit() and int(text) > 0 else None
