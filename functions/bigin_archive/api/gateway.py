"""HTTP in the form of API Gateway: events in, answers and problem documents (RFC 9457) out. Pure."""

import base64
import binascii
import json
import time
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from bigin_archive.errors import ArchiveError, InvalidRequestError

if TYPE_CHECKING:
    from bigin_archive.archiving.archiver import Archived

Event = Mapping[str, Any]
Answer = dict[str, Any]

# For errors that may be retried soon and name no time of their own.
DEFAULT_RETRY_AFTER_S = 30
_JSON = {"Content-Type": "application/json"}


def header(event: Event, name: str) -> str | None:
    """A request header, in any case."""
    for found, value in (event.get("headers") or {}).items():
        if found.lower() == name.lower():
            return str(value)
    return None


def body(event: Event) -> str | bytes | None:
    """The request's body. Raises InvalidRequestError for malformed base64."""
    content: str | None = event.get("body")
    if content and event.get("isBase64Encoded"):
        try:
            return base64.b64decode(content, validate=True)
        except (binascii.Error, ValueError):
            raise InvalidRequestError("The body is not valid base64.") from None
    return content


def request_id(event: Event) -> str:
    """API Gateway's id of the request."""
    return str((event.get("requestContext") or {}).get("requestId") or "")


def received_at_s(event: Event) -> float:
    """When API Gateway received the request: one clock for all containers, whose own clocks may differ."""
    epoch_ms = (event.get("requestContext") or {}).get("requestTimeEpoch")
    return epoch_ms / 1000 if isinstance(epoch_ms, int) else time.time()


def wants_queue(event: Event) -> bool:
    """Whether the caller sent ``Prefer: respond-async`` (RFC 7240, 4.1)."""
    repeated = event.get("multiValueHeaders") or {}
    lines = [line for name, values in repeated.items() if name.lower() == "prefer" for line in values]
    preferences = ",".join(lines or [header(event, "Prefer") or ""]).split(",")
    return any(preference.partition(";")[0].strip().lower() == "respond-async" for preference in preferences)


def answer(status: int, content: Mapping[str, object], headers: Mapping[str, str] = _JSON) -> Answer:
    """A JSON answer, which no cache keeps."""
    return {"statusCode": status, "headers": {**headers, "Cache-Control": "no-store"}, "body": json.dumps(content)}


def archived(bucket: str, result: "Archived", *, download: Mapping[str, str] | None = None) -> Answer:
    """``201`` archived, or ``200`` already archived before; with ``download`` if a link was asked for."""
    stored = result.stored
    content: dict[str, object] = {
        "status": "already_archived" if result.already else "archived",
        "bucket": bucket,
        "key": stored.key,
        "version_id": stored.version_id,
        "size_bytes": stored.size_bytes,
        "sha256": stored.sha256,
        "content_type": stored.content_type,
        "file_name": result.file_name,
    }
    if download:
        content["download"] = dict(download)
    return answer(200 if result.already else 201, content)


def queued(count: int) -> Answer:
    """``202``: the number of messages that wait in the queue."""
    return answer(202, {"status": "queued", "queued": count})


def problem(error: ArchiveError, event: Event) -> Answer:
    """An error as ``application/problem+json``, with ``Retry-After`` if a retry helps."""
    headers = {"Content-Type": "application/problem+json"}
    if error.status in (429, 503):
        headers["Retry-After"] = str(error.retry_after_s or DEFAULT_RETRY_AFTER_S)
    document = {
        "type": f"urn:bigin-archive:{error.code}",
        "title": error.title,
        "status": error.status,
        "detail": error.detail,
        "code": error.code,
        "request_id": request_id(event),
    }
    return answer(error.status, document, headers)
