"""The shapes of Bigin's answers: JSON with its recorded headers, errors, files, nothing.

This module does not decide which answer is given, and does not send it.
"""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from http import HTTPStatus
from typing import Any

from .account import Attachment
from .content import Content, stored

Headers = tuple[tuple[str, str], ...]

SERVER_HEADERS: Headers = (
    ("server", "ZGS"),
    ("cache-control", "no-store, no-cache, must-revalidate, private"),
    ("pragma", "no-cache"),
    ("expires", "Thu, 01 Jan 1970 00:00:00 GMT"),
    ("content-language", "en-US"),
    ("set-cookie", "zalb_3d223cf300=0000; Path=/; Secure; HttpOnly"),
    ("set-cookie", "crmcsr=0000;path=/;SameSite=None;Secure;priority=high"),
    # The blanks before "=" were recorded: a strict cookie parser must not fail on them.
    ("set-cookie", "BIGINCROSSCDNID =0000;Path=/; Expires=Sat Oct 10 12:49:33 PDT 2026"),
    ("set-cookie", "BIGINCROSSCDNCOUNTRY =US;Path=/; Expires=Sat Oct 10 12:49:33 PDT 2026"),
)
"""Headers of every API answer, as recorded in October 2026."""

JSON_HEADERS: Headers = (
    ("content-type", "application/json;charset=UTF-8"),
    ("content-disposition", "attachment; filename=response.json"),
    ("clientversion", "14729686"),
    ("clientsubversion", "1d7b626d4325dc2fb9fba2b9d0e404b4"),
    (
        "server-timing",
        'cpuTime;desc="CPU Time";dur=49, totalTime;desc="Total Execution Time";dur=89,murphySpanId;desc="";dur=0',
    ),
    *SERVER_HEADERS,
)
"""Headers of every JSON answer; the disposition makes it look like a file, as recorded."""


@dataclass(frozen=True, slots=True)
class Answer:
    """A status, headers and a body; `chunked` and `gzip` say how a whole body is framed."""

    status: int
    headers: Headers
    content: Content
    chunked: bool = False
    gzip: bool = False


def json_answer(
    status: int, body: object, *, chunked: bool = False, gzip: bool = False, headers: Headers = ()
) -> Answer:
    """Return a JSON answer with the recorded headers; given headers replace those of their name."""
    content = stored(json.dumps(body, ensure_ascii=False).encode())
    return Answer(status, merged(JSON_HEADERS, headers), content, chunked, gzip)


def nothing() -> Answer:
    """Return 204: an empty list, or an id that is not there ("Status codes")."""
    return Answer(HTTPStatus.NO_CONTENT, SERVER_HEADERS, stored(b""))


def file(attachment: Attachment) -> Answer:
    """Return the bytes of an attachment ("Download an attachment")."""
    headers: Headers = (("Content-Type", attachment.content_type),)
    if attachment.disposition is not None:
        headers += (("Content-Disposition", attachment.disposition),)
    return Answer(HTTPStatus.OK, headers + SERVER_HEADERS, attachment.content)


def error(status: int, code: str, message: str, details: Mapping[str, Any] | None = None) -> Answer:
    """Return an error in Bigin's four-key body."""
    body = {"code": code, "details": dict(details or {}), "message": message, "status": "error"}
    return json_answer(status, body)


def canned(status: int, headers: Mapping[str, str], body: object) -> Answer:
    """Return an answer as ordered: a string as it is, anything else as JSON."""
    given: Headers = tuple(headers.items())
    if not isinstance(body, str):
        return json_answer(status, body, headers=given)
    default = () if status == HTTPStatus.NO_CONTENT else (("Content-Type", "text/html"),)
    return Answer(status, merged(default, given), stored(body.encode()))


def merged(headers: Headers, replacing: Headers) -> Headers:
    """Return the headers with those of the same name replaced; names ignore case."""
    replaced = {name.lower() for name, _ in replacing}
    return tuple(pair for pair in headers if pair[0].lower() not in replaced) + replacing


def unknown_module() -> Answer:
    """Return the error of a module that does not exist ("Download an attachment")."""
    message = "The module name given seems to be invalid"
    return error(400, "INVALID_MODULE", message, {"resource_path_index": 0})


def unsupported_module() -> Answer:
    """Return the error of Documents, Projects and the like ("Download an attachment")."""
    message = "The given module is not supported in API"
    return error(400, "INVALID_MODULE", message, {"resource_path_index": 0})


def unknown_path() -> Answer:
    """Return the error of a wrong path ("Download an attachment")."""
    return error(404, "INVALID_URL_PATTERN", "Please check if the URL trying to access is a correct one")


def wrong_method() -> Answer:
    """Return the error of a wrong verb ("Download an attachment")."""
    return error(400, "INVALID_REQUEST_METHOD", "The http request method type is not a valid one")


def unknown_record() -> Answer:
    """Return the error of a record id that is not there (platform specification, attachments)."""
    message = "the related id given seems to be invalid"
    return error(400, "INVALID_DATA", message, {"resource_path_index": 1})


def linked() -> Answer:
    """Return the error of a download of a link (platform specification, attachments)."""
    message = "As it is a linked attachment, you can not download it"
    return error(400, "DOWNLOAD_NOT_ALLOWED", message)


def missing_parameter(name: str) -> Answer:
    """Return the error of a missing query parameter (platform specification, attachments)."""
    message = "One of the expected parameter is missing"
    return error(400, "REQUIRED_PARAM_MISSING", message, {"param_name": name})


def wrong_scheme() -> Answer:
    """Return the error of an Authorization that is missing or not `Zoho-oauthtoken`."""
    message = "unable to process your request. please verify the request and its headers"
    return error(400, "INVALID_REQUEST", message)


def invalid_token() -> Answer:
    """Return the error of an access token that is unknown or has ended."""
    return error(401, "INVALID_TOKEN", "invalid oauth token")


def scope_mismatch(status: int) -> Answer:
    """Return the error of a missing scope: 401 in Bigin's page, 403 in the platform's."""
    return error(status, "OAUTH_SCOPE_MISMATCH", "Unauthorized")


def log_in_page() -> Answer:
    """Return what an account without Bigin may get: a page for people."""
    page = stored(b"<!DOCTYPE html><html><head><title>Zoho Bigin</title></head><body>Sign up</body></html>")
    return Answer(200, (("content-type", "text/html;charset=UTF-8"), *SERVER_HEADERS), page)


def too_many_calls(code: str, *, at_once: bool = False) -> Answer:
    """Return the answer to used-up credits, or to too many calls at once ("API limits").

    It never says when to come back; only the message tells which of the two it is.
    """
    if at_once:
        return error(429, code, "Many requests fired in concurrent than the allowed limit")
    messages = {
        "TOO_MANY_REQUESTS": "Too many requests fired. Please try again later",
        "RATE_LIMIT_EXCEEDED": "API rate limit exceeded. Please retry after some time",
    }
    return error(429, code, messages[code])
