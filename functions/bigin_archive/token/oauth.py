"""Zoho's accounts server: exchanges a grant for an access token.

Bigin API v2, "Self client" pages: ``POST {accounts}/oauth/v2/token``; the answer holds access_token, expires_in,
api_domain, and after the first exchange refresh_token. An HTTP status of 200 may carry ``{"error": ...}``.
"""

import json
import re
from collections.abc import Mapping
from dataclasses import dataclass

from bigin_archive.network import transport

TIMEOUT_S = 20  # for the whole call
DEFAULT_LIFETIME_S = 3600  # Bigin API v2, "Self client": an access token lives one hour
_MAX_LIFETIME_S = 24 * 3600
_MAX_ANSWER_BYTES = 64 * 1024
_TOKEN = re.compile(r"[\x21-\x7e]{1,2048}")

_REMEDIES = {
    "invalid_code": (
        "Zoho does not accept the code or refresh token: it was revoked, used before, or has expired. "
        "Connect again with a new code: bigin-archive authorize."
    ),
    "invalid_client": (
        "Zoho does not know this client: the client id or the client secret is wrong, or the data centre. "
        "Check the stack's parameter DataCenter, then connect again: bigin-archive authorize."
    ),
    "invalid_client_secret": (
        "The client secret is wrong: copy it again from Zoho's API console of this data centre, "
        "then connect again: bigin-archive authorize."
    ),
    "Access Denied": (
        "Zoho blocks further tokens for some minutes (ten in ten minutes are allowed). Wait; the stored token "
        "is kept in use."
    ),
}


class GrantError(Exception):
    """There is no token. ``code`` is Zoho's or ours, ``detail`` says what to do. Neither holds a secret."""

    def __init__(self, code: str, detail: str) -> None:
        super().__init__(detail)
        self.code = code
        self.detail = detail


@dataclass(frozen=True, slots=True, repr=False)
class Grant:
    """A new access token; ``refresh_token`` only after the exchange of a code. No repr: it must not be logged."""

    access_token: str
    lifetime_s: int
    api_domain: str
    refresh_token: str | None
    scope: str | None


def request_grant(session: transport.Session, accounts_url: str, api_url: str, form: Mapping[str, str]) -> Grant:
    """Ask the accounts server with ``form`` (client_id, client_secret, grant_type, and code or refresh_token).

    The secrets are sent in the body, to the one host of the data centre. Raises GrantError; a grant in an answer that
    cannot be used is revoked.
    """
    try:
        status, content = _post(session, f"{accounts_url}/oauth/v2/token", data=dict(form))
    except transport.EXCHANGE_ERRORS as error:
        raise GrantError(
            "unreachable",
            f"Zoho's accounts server cannot be reached ({type(error).__name__}). Try again later.",
        ) from None
    try:
        return parse_answer(status, content, api_url)
    except GrantError:
        if unusable := _refresh_token(content):
            revoke(session, accounts_url, unusable)
        raise


def revoke(session: transport.Session, accounts_url: str, refresh_token: str) -> bool:
    """End a grant with all its access tokens; return whether Zoho confirms that it has ended.

    Zoho CRM API, "Revoking refresh token": ``POST {accounts}/oauth/v2/token/revoke``. The page shows the token in the
    query. It is sent in the body first, which no server logs.
    """
    token = {"token": refresh_token}
    for form, query in ((token, None), (None, token)):
        try:
            status, content = _post(session, f"{accounts_url}/oauth/v2/token/revoke", data=form, params=query)
        except transport.EXCHANGE_ERRORS:
            continue
        if status == 200 and b"error" not in content:
            return True
    return False


def _post(session: transport.Session, url: str, **sent: object) -> tuple[int, bytes]:
    """Status and body of the answer. Raises one of transport.EXCHANGE_ERRORS."""
    status, _, content = transport.exchange(
        session, "POST", url, {}, timeout_s=TIMEOUT_S, max_bytes=_MAX_ANSWER_BYTES, **sent
    )
    return status, content


def _refresh_token(content: bytes) -> str | None:
    try:
        token = json.loads(content).get("refresh_token")
    except (ValueError, AttributeError, RecursionError):
        return None
    return token if isinstance(token, str) and _TOKEN.fullmatch(token) else None


def parse_answer(status: int, content: bytes, api_url: str) -> Grant:
    """Read the accounts server's answer. Pure. Raises GrantError unless it holds a whole and usable token."""
    try:
        answer = json.loads(content)
    except (ValueError, RecursionError):
        answer = None
    if not isinstance(answer, dict):
        raise GrantError(
            "no_answer",
            f"Zoho's accounts server gave no usable answer (HTTP {status}). Try again later.",
        )
    if "error" in answer or status >= 400:
        raise _refusal(answer, status)
    token = answer.get("access_token")
    if status != 200 or not isinstance(token, str) or not _TOKEN.fullmatch(token):
        raise GrantError("no_token", f"Zoho's answer holds no access token (HTTP {status}). Try again later.")
    domain = answer.get("api_domain") or api_url
    if domain != api_url:
        raise GrantError(
            "wrong_data_center",
            "Zoho names another API host than the one of the configured data centre. "
            "Deploy with the right DataCenter, then connect again: bigin-archive authorize.",
        )
    refresh_token, scope = answer.get("refresh_token"), answer.get("scope")
    return Grant(
        access_token=token,
        lifetime_s=_lifetime(answer),
        api_domain=api_url,
        refresh_token=refresh_token if isinstance(refresh_token, str) and refresh_token else None,
        scope=scope if isinstance(scope, str) else None,
    )


def _refusal(answer: Mapping[str, object], status: int) -> GrantError:
    code = answer.get("error")
    if isinstance(code, str) and re.fullmatch(r"[A-Za-z0-9_ ]{1,60}", code):
        return GrantError(code, _REMEDIES.get(code, f"Zoho refuses ({code}). Try again later."))
    return GrantError("refused", f"Zoho's accounts server refuses (HTTP {status}). Try again later.")


def _lifetime(answer: Mapping[str, object]) -> int:
    """How long the token lives, in seconds.

    Older answers of Zoho give milliseconds in ``expires_in`` and seconds in ``expires_in_sec``. Without the latter, a
    number of more than a day counts as milliseconds if these make at most an hour, which is how long a token of Zoho
    lives.
    """
    if lifetime := _number(answer.get("expires_in_sec")):
        return min(lifetime, _MAX_LIFETIME_S)
    lifetime = _number(answer.get("expires_in"))
    if lifetime > _MAX_LIFETIME_S and lifetime // 1000 <= DEFAULT_LIFETIME_S:
        lifetime //= 1000
    return min(lifetime, _MAX_LIFETIME_S) or DEFAULT_LIFETIME_S


def _number(value: object) -> int:
    """A whole number in any type of JSON; 0 for anything else, or if it is not positive."""
    if isinstance(value, float):
        return int(value) if 0 < value < 1e15 else 0
    text = str(value).strip() if isinstance(value, int | str) and not isinstance(value, bool) else ""
    match = re.fullmatch(r"([0-9]{1,15})(?:\.[0-9]{0,15})?", text)
    return int(match[1]) if match else 0
