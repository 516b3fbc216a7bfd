"""Reads the attachments of a Bigin straight from its API: the demo archives them, and compares the archive with them.

Deliberately shares no code with the functions, so that a mistake of theirs is not repeated here.
"""

from __future__ import annotations

import hashlib
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass

import requests

from local.process import LocalStackError

MODULES = ("Contacts", "Pipelines", "Accounts", "Products", "Tasks", "Events", "Notes")
LINK_TYPE = "Link URL"
RECORDS_LIMIT = 400  # each record costs one call, and Bigin counts calls by the day
TRIES = 6
TIMEOUT_S = (5, 30)  # connect, between two reads
CHUNK_SIZE_BYTES = 1024 * 1024


@dataclass(frozen=True, slots=True)
class Attachment:
    module: str
    record_id: str
    attachment_id: str
    name: str
    size_bytes: int | None
    is_link: bool

    def request(self) -> dict[str, str]:
        """The archive request for it."""
        return {"module": self.module, "record_id": self.record_id, "attachment_id": self.attachment_id}

    def record_request(self) -> dict[str, str]:
        """The request for all attachments of its record."""
        return {"module": self.module, "record_id": self.record_id}


@dataclass(frozen=True, slots=True)
class Content:
    """Size and SHA-256 of what was read to its end."""

    size_bytes: int
    sha256: str

    @classmethod
    def of(cls, chunks: Iterator[bytes]) -> Content:
        digest, size = hashlib.sha256(), 0
        for chunk in chunks:
            digest.update(chunk)
            size += len(chunk)
        return cls(size, digest.hexdigest())


class Inventory:
    """Reads with the functions' token; `token` is asked anew for each call, as it is renewed meanwhile."""

    def __init__(self, api_url: str, token: Callable[[], str]) -> None:
        self._url = f"{api_url}/bigin/v2"
        self._token = token
        self._session = requests.Session()
        self._session.trust_env = api_url.startswith("https:")  # no proxy for loopback

    def attachments(self, limit: int) -> list[Attachment]:
        """The first attachments of the first records of each module."""
        found: list[Attachment] = []
        for module, record_id in self._records():
            found += self._attachments_of(module, record_id)
            if len(found) >= limit:
                break
        return found[:limit]

    def read(self, attachment: Attachment) -> Content | None:
        """Downloads it; None when Bigin says that it is gone.

        What has not the listed size is asked for again: it may be an error that was answered with 200.
        Raises LocalStackError when nothing at all is served.
        """
        path = f"/{attachment.module}/{attachment.record_id}/Attachments/{attachment.attachment_id}"
        content = None
        for attempt in range(TRIES):
            try:
                with self._get(path) as answer:
                    if answer.status_code in (204, 404):
                        return None
                    if answer.status_code == 200:
                        content = Content.of(answer.iter_content(CHUNK_SIZE_BYTES))
                        if attachment.size_bytes in (None, content.size_bytes):
                            return content
            except requests.RequestException:
                pass  # cut short, or no connection: like any other answer that is not the file
            time.sleep(_pause_s(attempt))
        if content is None:
            raise LocalStackError(f"Bigin does not serve {path}.")
        return content

    def _records(self) -> Iterator[tuple[str, str]]:
        count = 0
        for module in MODULES:
            for record in self._list(f"/{module}", {"fields": "id", "per_page": "200"}):
                yield module, record["id"]
                count += 1
                if count == RECORDS_LIMIT:
                    return

    def _attachments_of(self, module: str, record_id: str) -> list[Attachment]:
        rows = self._list(f"/{module}/{record_id}/Attachments", {"fields": "id,File_Name,Size,$type,$link_url"})
        return [
            Attachment(
                module=module,
                record_id=record_id,
                attachment_id=row["id"],
                name=str(row.get("File_Name") or ""),
                size_bytes=int(row["Size"]) if str(row.get("Size", "")).isdecimal() else None,
                is_link=row.get("$type") == LINK_TYPE or bool(row.get("$link_url")),
            )
            for row in rows
        ]

    def _list(self, path: str, parameters: dict[str, str]) -> list[dict[str, str]]:
        """One page of a listing; empty for a module that this Bigin does not have or does not show."""
        for attempt in range(TRIES):
            try:
                with self._get(path, parameters) as answer:
                    if answer.status_code == 200:
                        rows: list[dict[str, str]] = answer.json().get("data") or []
                        return rows
                    if answer.status_code == 401 and _code(answer) != "OAUTH_SCOPE_MISMATCH":  # of this module alone
                        raise LocalStackError(f"Bigin refuses the access token: {_code(answer)}.")
                    if answer.status_code < 500 and answer.status_code != 429:
                        return []
            except requests.RequestException:
                pass  # worth another try
            time.sleep(_pause_s(attempt))
        raise LocalStackError(f"Bigin does not answer {path} at {self._url}.")

    def _get(self, path: str, parameters: dict[str, str] | None = None) -> requests.Response:
        headers = {"Authorization": f"Zoho-oauthtoken {self._token()}"}
        return self._session.get(self._url + path, params=parameters, headers=headers, stream=True, timeout=TIMEOUT_S)


def _pause_s(attempt: int) -> float:
    return min(0.2 * 2.0**attempt, 5)


def _code(answer: requests.Response) -> str:
    try:
        return str(answer.json().get("code", answer.status_code))
    except (ValueError, AttributeError):
        return str(answer.status_code)
