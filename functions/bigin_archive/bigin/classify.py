"""What an answer of Bigin means: (status, headers, beginning of the body) -> error, or None for a file.

Pure. Bigin's pages contradict each other in the status of an error (OAUTH_SCOPE_MISMATCH is 401 on one and 403 on
another), so the code in the body counts before the status. Sources: Bigin API v2, "Download an attachment", "Status
codes"; Zoho CRM OpenAPI v8 (the same platform), attachments. ``tests/vectors/answers.json`` lists every row with its
source.
"""

import email.utils
import json
import re
from collections.abc import Callable, Mapping
from datetime import UTC, datetime

from bigin_archive.errors import (
    ArchiveError,
    AttachmentGoneError,
    BiginConcurrencyError,
    BiginRateLimitedError,
    BiginRefusedError,
    BiginScopeMissingError,
    BiginTokenRejectedError,
    BiginUnavailableError,
    LinkAttachmentError,
)

# This much of a body is searched for an error. Bigin's own error bodies are below 1 KB.
ERROR_BODY_BYTES = 64 * 1024

CONCURRENCY_PAUSE_S = 5  # other clients wait 2 to 9 s after this kind of 429
MAX_RETRY_AFTER_S = 3600  # the longest wait that a server may ask for: a pause of a day would outlast the queue

_REFUSED = {
    "NO_PERMISSION": "Let an administrator of Bigin give the connected user the right to download attachments.",
    "AUTHORIZATION_FAILED": (
        "Let an administrator of Bigin give the connected user the right to download attachments."
    ),
    "INVALID_MODULE": (
        "The module does not exist, is not supported by the API, or its tab is hidden from the connected user: "
        "check the module and the user's profile in Bigin."
    ),
    "INVALID_URL_PATTERN": "Bigin does not know this address: check module and ids.",
    "INVALID_REQUEST_METHOD": "Bigin does not accept this method: report it as a bug of Bigin Archive.",
}
# Every JSON answer carries this name. A header that is sent twice arrives joined by a comma.
_JSON_NAME = r'(?:[a-z-]+\s*;\s*)?filename\s*=\s*"?response\.json"?\s*;?'
_JSON_ANSWER = re.compile(rf"{_JSON_NAME}(?:\s*,\s*{_JSON_NAME})*", re.IGNORECASE)
_TOKEN = ("INVALID_TOKEN", "INVALID_OAUTHTOKEN", "AUTHENTICATION_FAILURE")
_RATE = ("TOO_MANY_REQUESTS", "RATE_LIMIT_EXCEEDED")

_GONE = "Bigin says that this record or attachment does not exist."
_CONNECT_AGAIN = (
    "Look at the token refresher's log; if the connection was revoked, connect again: bigin-archive authorize."
)
_GRANT_SCOPES = (
    "Connect again with the scopes ZohoBigin.modules.attachments.READ and ZohoBigin.modules.{module}.READ of each "
    "module (or ZohoBigin.modules.ALL): bigin-archive authorize. An account without Bigin gets the same answer."
)


def classify(
    status: int,
    headers: Mapping[str, str],
    beginning: bytes = b"",
    now: Callable[[], datetime] = lambda: datetime.now(UTC),
) -> ArchiveError | None:
    """The error in an answer of Bigin; None for what was asked for.

    ``headers`` has lower-case names. ``beginning`` is up to ERROR_BODY_BYTES of the decoded body. For a status of 200
    it counts only if :func:`may_be_error` says so.
    """
    code, message = _error(status, headers, beginning) if may_be_error(status, headers) else (None, "")
    wait_s = retry_after_s(headers.get("retry-after"), now)
    if code in _TOKEN:
        return BiginTokenRejectedError(f"Bigin refuses the token ({code}). {_CONNECT_AGAIN}")
    if code == "OAUTH_SCOPE_MISMATCH":
        return BiginScopeMissingError(f"The token lacks a scope ({code}). {_GRANT_SCOPES}")
    if code in _REFUSED:
        return BiginRefusedError(f"Bigin refuses the download ({code}). {_REFUSED[code]}")
    if code == "DOWNLOAD_NOT_ALLOWED":
        return LinkAttachmentError("The attachment is a link, not a file: there is nothing to download.")
    if code == "INVALID_DATA":
        return AttachmentGoneError(_GONE)
    if code in _RATE or status == 429:
        if "concurren" in message.lower():
            return BiginConcurrencyError(
                "Too many calls reach Bigin at one time, those of other programs included. Try again in some seconds.",
                retry_after_s=wait_s or CONCURRENCY_PAUSE_S,
            )
        return BiginRateLimitedError(
            "Bigin's API limit is reached (calls at once, or credits of 24 hours). Try again later.",
            retry_after_s=wait_s,
        )
    if status in (204, 404):
        return AttachmentGoneError(_GONE)
    if status == 401:
        return BiginTokenRejectedError(f"Bigin refuses the token (HTTP 401). {_CONNECT_AGAIN}")
    if status == 200 and code is None and not _is_page(headers, beginning):
        return None
    if _is_page(headers, beginning):
        return BiginUnavailableError(
            f"A web page came in place of Bigin's API (HTTP {status}). Bigin is down, or the account has no Bigin. "
            "Try again later.",
            retry_after_s=wait_s,
        )
    return BiginUnavailableError(
        f"Bigin's answer is neither a file nor an error that we know (HTTP {status}"
        f"{f', {code}' if code else ''}). Try again later.",
        retry_after_s=wait_s,
    )


def may_be_error(status: int, headers: Mapping[str, str]) -> bool:
    """Whether the body of an answer must be searched for an error before it counts as a file.

    Bigin sends ``filename=response.json`` with every JSON answer (recorded on the live API), so this name proves
    nothing. Any other Content-Disposition marks a file, be it JSON or HTML.
    """
    disposition = headers.get("content-disposition", "").strip()
    return status != 200 or not disposition or _JSON_ANSWER.fullmatch(disposition) is not None


def retry_after_s(header: str | None, now: Callable[[], datetime]) -> int | None:
    """Seconds that a Retry-After header asks for (RFC 9110, 10.2.3), 1 to MAX_RETRY_AFTER_S; None if unusable."""
    text = (header or "").strip()
    if re.fullmatch(r"[0-9]{1,20}", text):
        seconds = int(text)
    else:
        try:
            seconds = int((email.utils.parsedate_to_datetime(text) - now()).total_seconds())
        except (ValueError, TypeError, OverflowError):
            return None
    return min(seconds, MAX_RETRY_AFTER_S) if seconds > 0 else None


def _error(status: int, headers: Mapping[str, str], beginning: bytes) -> tuple[str | None, str]:
    """Code and message of a JSON error object (``{"code", "details", "message", "status": "error"}``)."""
    if beginning.lstrip()[:1] != b"{":
        return None, ""
    try:
        body = json.loads(beginning)
    except (ValueError, RecursionError):
        return None, ""
    if not isinstance(body, dict):
        return None, ""
    code = body.get("code")
    named = isinstance(code, str) and re.fullmatch(r"[A-Z0-9_]{1,60}", code) is not None
    if status == 200:
        # Any JSON object may be a file. Without a name, even something less like an error counts as one.
        unnamed = not headers.get("content-disposition", "").strip()
        says_error = str(body.get("status")).lower() == "error"
        if not says_error and not (unnamed and named and ("message" in body or "details" in body)):
            return None, ""
    return str(code) if named else "NO_CODE", str(body.get("message"))


def _is_page(headers: Mapping[str, str], beginning: bytes) -> bool:
    """Whether a web page came in place of a file: HTML without Content-Disposition, as gateways send it."""
    if headers.get("content-disposition", "").strip():
        return False
    media = headers.get("content-type", "").partition(";")[0].strip().lower()
    page = re.match(rb"\s*<(!doctype\s+html|html)\b", beginning[:200], re.I) is not None
    return media in ("text/html", "application/xhtml+xml") or (page and not media)
