"""What an access token may read: it lists one record and one attachment of each module.

Bigin API v2, "Get records" and "Get attachments". At most fourteen calls, one credit each; nothing is downloaded.
"""

import json
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime

from bigin_archive.bigin.classify import classify
from bigin_archive.clock import parse
from bigin_archive.errors import BiginRefusedError, BiginScopeMissingError, BiginUnavailableError
from bigin_archive.network import transport
from bigin_archive.network.transport import Session
from operate.connect import scopes

TIMEOUT_S = 20  # for one call
# With a 4xx status these concern only this module, so the others are tried as well.
_ABOUT_THE_CALL = ("bigin_unavailable", "attachment_gone")
_MAX_ANSWER_BYTES = 256 * 1024  # one record with one field is below 1 KB


@dataclass(frozen=True, slots=True)
class Finding:
    """The result of one attempt: it works, it does not, or (None) there was nothing to try."""

    works: bool | None
    detail: str = ""


@dataclass(frozen=True, slots=True)
class ModuleAccess:
    """What the token may do in one module."""

    module: str
    records: Finding
    attachments: Finding

    @property
    def fine(self) -> bool:
        """Whether nothing is known to be missing."""
        return self.records.works is True and self.attachments.works is not False


@dataclass(frozen=True, slots=True)
class Access:
    """What the token may do, and when Bigin says that it expires."""

    modules: tuple[ModuleAccess, ...]
    expires_at: datetime | None

    @property
    def fine(self) -> bool:
        """Whether nothing is known to be missing in any module."""
        return all(module.fine for module in self.modules)

    @property
    def attachments_were_tried(self) -> bool:
        """Whether there was any record whose attachments could be listed."""
        return any(module.attachments.works is not None for module in self.modules)

    def missing(self) -> Iterator[str]:
        """One sentence for each thing that does not work."""
        for module in self.modules:
            for finding in (module.records, module.attachments):
                if finding.works is False:
                    yield f"{module.module}: {finding.detail}"


class Probe:
    """Asks Bigin with one token. The token is in no error and no repr."""

    def __init__(self, session: Session, api_url: str, token: str) -> None:
        self._session = session
        self._root = f"{api_url}/bigin/v2"
        self._token = token
        self._expires_at: datetime | None = None

    def access(self, modules: Iterable[str]) -> Access:
        """Try each module. Raises an ArchiveError that concerns all of them: token, rate limit, no answer."""
        found = tuple(self._module(module) for module in modules)
        return Access(found, self._expires_at)

    def _module(self, module: str) -> ModuleAccess:
        records, answer = self._try(f"/{module}", scopes.module_scope(module))
        if not records.works:
            return ModuleAccess(module, records, Finding(None, "not tried"))
        record_id = _first_id(answer)
        if record_id is None:
            return ModuleAccess(module, records, Finding(None, "no record to try it with"))
        attachments, _ = self._try(f"/{module}/{record_id}/Attachments", scopes.ATTACHMENTS)
        return ModuleAccess(module, records, attachments)

    def _try(self, path: str, scope: str) -> tuple[Finding, bytes]:
        status, headers, content = self._get(path)
        error = None if status == 204 else classify(status, headers, content)
        if error is None:
            return Finding(True), content
        if isinstance(error, BiginScopeMissingError):
            return Finding(False, f"the scope {scope} is missing"), b""
        if isinstance(error, BiginRefusedError) or (400 <= status < 500 and error.code in _ABOUT_THE_CALL):
            return Finding(False, error.detail), b""
        raise error

    def _get(self, path: str) -> tuple[int, Mapping[str, str], bytes]:
        # Newer pages of the documentation require ``fields``.
        only_one = {"fields": "id", "per_page": "1"}
        status, headers, content = get(
            self._session,
            self._root + path,
            self._token,
            only_one,
            timeout_s=TIMEOUT_S,
            max_bytes=_MAX_ANSWER_BYTES,
        )
        self._expires_at = parse(headers.get("x-accesstoken-reset")) or self._expires_at
        return status, headers, content


def get(
    session: Session, url: str, token: str, params: Mapping[str, str], *, timeout_s: float, max_bytes: int
) -> tuple[int, Mapping[str, str], bytes]:
    """Read from Bigin's API: status, headers (names in lower case) and body. Raises BiginUnavailableError."""
    headers = {"Authorization": f"Zoho-oauthtoken {token}"}
    try:
        return transport.exchange(
            session, "GET", url, headers, timeout_s=timeout_s, max_bytes=max_bytes, params=dict(params)
        )
    except transport.EXCHANGE_ERRORS as error:
        raise BiginUnavailableError(f"Bigin's API cannot be reached ({type(error).__name__}).") from None


def _first_id(content: bytes) -> str | None:
    try:
        listing = json.loads(content or b"{}")
        record_id = listing["data"][0]["id"]
    except (ValueError, RecursionError, LookupError, TypeError):
        return None
    return record_id if isinstance(record_id, str) and record_id.isascii() and record_id.isdigit() else None
