"""Answers of the console, with headers that limit what a browser does with them. Pure."""

from collections.abc import Mapping

from bigin_archive.api import gateway
from bigin_archive.api.gateway import Answer, Event
from bigin_archive.errors import ArchiveError
from bigin_archive.http_errors import MethodNotAllowedError

# With every answer: the browser guesses no type, and sends no address of the console to another site.
HEADERS = {
    "X-Content-Type-Options": "nosniff",
    "Referrer-Policy": "no-referrer",
    "Strict-Transport-Security": "max-age=63072000",
    "Cross-Origin-Resource-Policy": "same-origin",
}
_FILE_HEADERS = {
    "Cross-Origin-Opener-Policy": "same-origin",
    "X-Frame-Options": "DENY",
    "Permissions-Policy": "camera=(), geolocation=(), microphone=(), payment=(), usb=()",
    "Cache-Control": "no-cache",  # the browser asks each time, and gets 304
}


def json(status: int, content: Mapping[str, object]) -> Answer:
    """A JSON answer, which no cache keeps."""
    return _secured(gateway.answer(status, content))


def problem(error: ArchiveError, event: Event) -> Answer:
    """An error as a problem document (RFC 9457)."""
    answer = _secured(gateway.problem(error, event))
    if isinstance(error, MethodNotAllowedError):
        answer["headers"]["Allow"] = ", ".join(error.allowed)
    return answer


def file(content: str, content_type: str, policy: str, etag: str, event: Event) -> Answer:
    """One of the page's files, or ``304`` to a browser that has it."""
    headers = {"Content-Type": content_type, "Content-Security-Policy": policy, "ETag": etag, **_FILE_HEADERS}
    known = gateway.header(event, "If-None-Match") == etag
    return _secured({"statusCode": 304 if known else 200, "headers": headers, "body": "" if known else content})


def _secured(answer: Answer) -> Answer:
    answer["headers"].update(HEADERS)
    return answer
