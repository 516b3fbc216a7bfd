"""One upload to Bigin, and what its answer means (Bigin API v2, "Upload an attachment").

There is no idempotency key: Bigin may have stored an upload whose answer is lost. It is never repeated here.
"""

import json
import re
from collections.abc import Mapping
from typing import Any

import requests
from urllib3.exceptions import HTTPError

from bigin_archive.archive_request import ArchiveRequest
from bigin_archive.bigin.credit_meter import CreditMeter
from bigin_archive.deadline import Deadline
from bigin_archive.errors import BiginRateLimitedError, BiginScopeMissingError
from bigin_archive.network import transport
from bigin_archive.network.transport import Session
from bigin_archive.token.access_token import AccessToken, TokenSource
from operate.restore.limits import Refusal
from operate.restore.multipart import MultipartForm

CONNECT_TIMEOUT_S = 10
READ_TIMEOUT_S = 120  # for the answer after everything is sent: Bigin scans the file for viruses first
_LEAST_BYTES_PER_S = 50_000  # a slower line makes no sense
_MAX_ANSWER_BYTES = 64 * 1024
_ID = re.compile(r"[0-9]{1,50}")
_CODE = re.compile(r"[A-Za-z0-9_]{1,60}")
_TOKEN = ("INVALID_TOKEN", "INVALID_OAUTHTOKEN", "AUTHENTICATION_FAILURE")
_RATE = ("TOO_MANY_REQUESTS", "RATE_LIMIT_EXCEEDED")


class AnswerLostError(Exception):
    """It is not known whether Bigin has stored the file; ``str()`` says why."""


class RefusedError(Exception):
    """Bigin refuses the file."""

    def __init__(self, refusal: Refusal) -> None:
        super().__init__(refusal.code)
        self.refusal = refusal


class RecordGoneError(Exception):
    """The record does not exist."""


class Uploader:
    """Sends forms with one grant's token."""

    def __init__(self, session: Session, api_url: str, tokens: TokenSource, meter: CreditMeter) -> None:
        self._session = session
        self._root = f"{api_url}/bigin/v2"
        self._tokens = tokens
        self._meter = meter

    def send(self, record: ArchiveRequest, form: MultipartForm, query: Mapping[str, str] | None = None) -> str:
        """Attach what ``form`` holds; return the new attachment's id.

        Raises AnswerLostError, RefusedError, RecordGoneError; BiginRateLimitedError, BiginTokenRejectedError and
        BiginScopeMissingError, with which nothing was attached.
        """
        token = self._tokens.current()
        status, answer = self._post(record, form, query or {}, token)
        if status == 401 and _code(answer) != "OAUTH_SCOPE_MISMATCH":
            token = self._tokens.after_refusal(token)
            status, answer = self._post(record, form, query or {}, token)
        return _attachment_id(status, answer)

    def _post(
        self, record: ArchiveRequest, form: MultipartForm, query: Mapping[str, str], token: AccessToken
    ) -> tuple[int, Mapping[str, Any]]:
        try:
            with transport.until(Deadline(READ_TIMEOUT_S + len(form) / _LEAST_BYTES_PER_S)):
                response = transport.send(
                    self._session,
                    "POST",
                    f"{self._root}/{record.module}/{record.record_id}/Attachments",
                    headers={
                        "Authorization": f"Zoho-oauthtoken {token.value}",
                        "Content-Type": form.content_type,
                        "Connection": "close",  # a kept connection may close while it is used again
                    },
                    timeout=(CONNECT_TIMEOUT_S, READ_TIMEOUT_S),
                    only_once=True,
                    params=dict(query),
                    data=form,
                )
                content = response.raw.read(_MAX_ANSWER_BYTES, decode_content=True)
                response.close()
        except (requests.RequestException, OSError, HTTPError) as error:
            self._meter.count(None)
            raise AnswerLostError(f"the answer was lost ({type(error).__name__})") from None
        self._meter.count(response.status_code, response.headers)
        return response.status_code, _item(content)


def _attachment_id(status: int, item: Mapping[str, Any]) -> str:
    """The new id. Raises as :meth:`Uploader.send` does."""
    code, details = _code(item), item.get("details")
    details = details if isinstance(details, dict) else {}
    if status in (200, 201) and (code == "SUCCESS" or item.get("status") == "success"):
        found = details.get("id")
        if isinstance(found, str) and _ID.fullmatch(found):
            return found
        raise AnswerLostError("Bigin says that it stored the file, and names no id")
    if code in _TOKEN or (status == 401 and code != "OAUTH_SCOPE_MISMATCH"):
        # A second token was refused as well.
        raise BiginScopeMissingError(f"Bigin refuses a fresh token ({code}). Run the command again with a new code.")
    if code == "OAUTH_SCOPE_MISMATCH":
        raise BiginScopeMissingError(f"The grant lacks a scope ({code}). Generate the code with the whole scope line.")
    if code in _RATE or status == 429:
        raise BiginRateLimitedError(
            "Bigin's API limit is reached (calls at once, or credits of 24 hours). Run the command again later. Sent "
            "files are not sent again."
        )
    if code == "INVALID_DATA" and _names_record(item, details):
        raise RecordGoneError
    if code and (400 <= status < 500 or status in (200, 201, 207)) and status != 408:
        raise RefusedError(Refusal(code))
    if status in (413, 415):
        raise RefusedError(Refusal("FILE_SIZE_MORE_THAN_ALLOWED_SIZE"))
    raise AnswerLostError(f"Bigin's answer tells nothing (HTTP {status}{f', {code}' if code else ''})")


def _names_record(item: Mapping[str, Any], details: Mapping[str, Any]) -> bool:
    return (
        details.get("resource_path_index") == 1
        or details.get("related_status") == "invalid"
        or "related id" in str(item.get("message"))
    )


def _item(content: bytes) -> Mapping[str, Any]:
    """The one item of the answer, or its error object; empty if there is neither."""
    try:
        answer = json.loads(content)
        item = answer["data"][0] if isinstance(answer, dict) and "data" in answer else answer
    except (ValueError, LookupError, TypeError, RecursionError):
        return {}
    return item if isinstance(item, dict) else {}


def _code(item: Mapping[str, Any]) -> str | None:
    code = item.get("code")
    return code if isinstance(code, str) and _CODE.fullmatch(code) else None
