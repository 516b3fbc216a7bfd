"""The access token: read from Secrets Manager, cached, and read again when Bigin refuses it.

Nothing here refreshes a token or asks for a refresh. Only one function does, because ten refreshes in ten minutes block
the client (Zoho accounts, "Access token expiry").
"""

import json
import re
import threading
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any, Protocol

from bigin_archive import clock
from bigin_archive.aws.error_codes import AWS_ERRORS, code_of
from bigin_archive.aws.secret_value import read_secret
from bigin_archive.errors import BiginTokenRejectedError, StorageRefusedError, StorageUnavailableError

if TYPE_CHECKING:
    from mypy_boto3_secretsmanager import SecretsManagerClient

CONNECT_REMEDY = "Connect the stack to Bigin: bigin-archive authorize."

# A call that starts now may take this long until Bigin checks its token.
_EXPIRY_MARGIN = timedelta(seconds=60)
# An expired token is looked up again after this time, not with each message.
_LOOK_AGAIN = timedelta(seconds=10)
# Zoho: "1000." and two hexadecimal parts; any visible ASCII is taken, anything else could forge a header.
_TOKEN = re.compile(r"[\x21-\x7e]{1,2048}")


@dataclass(frozen=True, slots=True, repr=False)
class AccessToken:
    """A stored token; without ``expires_at`` its end is not known. It has no repr, since it must not be logged."""

    value: str
    expires_at: datetime | None = None


def parse(secret: str | None, api_url: str) -> AccessToken:
    """Read the secret's text: JSON (``access_token``, ``expires_at``, ``api_domain``), or a bare token.

    A stored ``api_domain`` must be ``api_url``: the token is sent nowhere else. Raises BiginTokenRejectedError, whose
    detail names the remedy.
    """
    text = (secret or "").strip()
    if text in ("", "null"):
        raise BiginTokenRejectedError(f"No access token is stored yet. {CONNECT_REMEDY}")
    if not text.startswith(("{", "[", '"')):
        stored: Any = {"access_token": text}
    else:
        try:
            stored = json.loads(text)
        except (ValueError, RecursionError):
            raise BiginTokenRejectedError(f"The access-token secret is not valid JSON. {CONNECT_REMEDY}") from None
    if isinstance(stored, str):
        stored = {"access_token": stored}
    if not isinstance(stored, dict) or not stored.get("access_token"):
        raise BiginTokenRejectedError(f"The access-token secret holds no token. {CONNECT_REMEDY}")
    value, domain = stored["access_token"], stored.get("api_domain")
    if not isinstance(value, str) or not _TOKEN.fullmatch(value):
        raise BiginTokenRejectedError(f"The stored access token is malformed. {CONNECT_REMEDY}")
    if domain and domain != api_url:
        raise BiginTokenRejectedError(
            "The stored token belongs to another data centre than the stack's parameter DataCenter says. "
            "Deploy with the right one, then connect again: bigin-archive authorize."
        )
    return AccessToken(value, clock.parse(stored.get("expires_at"), UTC))


class TokenSource(Protocol):
    """Gives a client of Bigin its token. Both methods raise BiginTokenRejectedError."""

    def current(self) -> AccessToken:
        """The token to use."""

    def after_refusal(self, refused: AccessToken) -> AccessToken:
        """Another token than the one that Bigin refused."""


class AccessTokens:
    """The current token, for all threads of a container."""

    def __init__(
        self,
        client: "SecretsManagerClient",
        secret_id: str,
        api_url: str,
        now: Callable[[], datetime] = lambda: datetime.now(UTC),
    ) -> None:
        self._client = client
        self._secret_id = secret_id
        self._api_url = api_url
        self._now = now
        self._lock = threading.Lock()
        self._token: AccessToken | None = None
        self._read_at: datetime | None = None

    def current(self) -> AccessToken:
        """The cached token; read again shortly before it expires. Raises BiginTokenRejectedError."""
        with self._lock:
            return self._read() if self._token is None or self._is_stale() else self._token

    def after_refusal(self, refused: AccessToken) -> AccessToken:
        """Another token than ``refused``, from one look at the secret. Raises BiginTokenRejectedError."""
        with self._lock:
            token = self._token
            if token is None or token.value == refused.value:
                token = self._read()
            if token.value == refused.value:
                raise BiginTokenRejectedError(
                    "Bigin refuses the token, and the stored one is no newer. Look at the token refresher's log; "
                    "if the connection was revoked, connect again: bigin-archive authorize."
                )
            return token

    def _is_stale(self) -> bool:
        token, now = self._token, self._now()
        if token is None or token.expires_at is None or now + _EXPIRY_MARGIN < token.expires_at:
            return False
        # With a wrong clock a good token may look expired. It is looked up again, and used anyway.
        return self._read_at is None or abs(now - self._read_at) >= _LOOK_AGAIN

    def _read(self) -> AccessToken:
        self._read_at = self._now()
        self._token = None
        try:
            stored = read_secret(self._client, self._secret_id)
        except AWS_ERRORS as error:
            raise _unreadable(code_of(error)) from error
        self._token = parse(stored.text, self._api_url)
        return self._token


def _unreadable(reason: str) -> StorageRefusedError | StorageUnavailableError:
    # KMS refuses with the same code as Secrets Manager.
    if "AccessDenied" in reason or reason == "DecryptionFailure":
        return StorageRefusedError(
            f"Secrets Manager does not give out the access token ({reason}): check the function's role, the secret "
            "and its key. Retried by itself."
        )
    return StorageUnavailableError(f"The access token cannot be read from Secrets Manager ({reason}). Try again later.")
