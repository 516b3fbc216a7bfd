"""Renews the access token: credentials secret -> Zoho -> access-token secret. Nothing else writes the latter."""

import json
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING

from botocore.exceptions import BotoCoreError, ClientError

from bigin_archive.aws.error_codes import AWS_ERRORS, code_of
from bigin_archive.aws.secret_value import read_secret
from bigin_archive.clock import iso
from bigin_archive.network.transport import Session
from bigin_archive.settings import RefreshSettings
from bigin_archive.token.oauth import Grant, GrantError, request_grant

if TYPE_CHECKING:
    from mypy_boto3_secretsmanager import SecretsManagerClient

OLD_S = 50 * 60  # of an access token, which ends after 60 minutes
CREDENTIALS = ("client_id", "client_secret", "refresh_token")


@dataclass(frozen=True, slots=True)
class Refreshed:
    """How a renewal went. ``token_age_s`` is the age of the stored token; None if there is none."""

    status: str
    detail: str
    code: str | None = None
    expires_at: str | None = None
    token_age_s: float | None = None

    def fields(self) -> dict[str, object]:
        """For the log line."""
        return {
            "error_code": self.code,
            "error_detail": self.detail if self.code else None,
            "expires_at": self.expires_at,
        }

    def metrics(self) -> dict[str, float]:
        """Whether Bigin can be read. One failure breaks nothing: the token is renewed twice in its life."""
        is_old = self.token_age_s is not None and self.token_age_s > OLD_S
        has_none = self.token_age_s is None and self.status == "failed"
        return {"ConnectionBroken": int(is_old or has_none)}


@dataclass(frozen=True, slots=True)
class TokenRefresher:
    """Runs on a schedule. Two runs at once do no harm, because each stores a whole token in one write."""

    session: Session
    client: "SecretsManagerClient"
    settings: RefreshSettings
    now: Callable[[], datetime] = lambda: datetime.now(UTC)

    def refresh(self) -> Refreshed:
        """Renew the token. A bad answer never replaces a stored token. It returns every failure and raises none."""
        try:
            form = self._credentials()
            if form is None:
                return Refreshed(
                    "not_connected",
                    "No refresh token is stored. Connect the stack to Bigin: bigin-archive authorize. "
                    "A bare access token that was stored by hand works until it expires.",
                    token_age_s=self.age_s(),
                )
            hosts = self.settings.hosts
            grant = request_grant(self.session, hosts.accounts_url, hosts.api_url, form)
            expires_at = store(self.client, self.settings.token_secret_id, grant, self.now())
        except GrantError as error:
            return self._failed(error.code, error.detail)
        except ClientError as error:
            code = code_of(error)
            return self._failed(code, f"Secrets Manager refuses ({code}). Retried by itself.")
        except BotoCoreError as error:
            return self._failed(type(error).__name__, "Secrets Manager cannot be reached. Retried by itself.")
        return Refreshed("refreshed", "The access token is renewed.", expires_at=expires_at, token_age_s=0.0)

    def _failed(self, code: str, detail: str) -> Refreshed:
        return Refreshed("failed", detail, code=code, token_age_s=self.age_s())

    def _credentials(self) -> dict[str, str] | None:
        text = read_secret(self.client, self.settings.credentials_secret_id).text
        if not text:
            return None
        try:
            stored = json.loads(text)
        except (ValueError, RecursionError):
            stored = None
        if not isinstance(stored, dict):
            raise GrantError(
                "bad_credentials",
                "The credentials secret is not a JSON object. Connect again: bigin-archive authorize.",
            )
        form = {name: stored.get(name) for name in CREDENTIALS}
        if not form["refresh_token"]:
            return None
        if not all(isinstance(value, str) and value for value in form.values()):
            raise GrantError(
                "bad_credentials",
                f"The credentials secret must hold {', '.join(CREDENTIALS)}. Connect again: bigin-archive authorize.",
            )
        return {**{name: str(value) for name, value in form.items()}, "grant_type": "refresh_token"}

    def stored(self) -> Refreshed:
        """The state of the stored token, without renewing it."""
        return Refreshed("stored", "Not renewed.", token_age_s=self.age_s())

    def age_s(self) -> float | None:
        """The age of the stored token in seconds; None if there is none, or it cannot be read."""
        try:
            created = read_secret(self.client, self.settings.token_secret_id).written_at
        except AWS_ERRORS:
            return None
        return (self.now() - created).total_seconds() if created else None


def store(client: "SecretsManagerClient", secret_id: str, grant: Grant, now: datetime) -> str:
    """Write the access-token secret in one step; return ``expires_at`` (ISO 8601, UTC)."""
    expires_at = iso(now + timedelta(seconds=grant.lifetime_s))
    client.put_secret_value(
        SecretId=secret_id,
        SecretString=json.dumps(
            {
                "access_token": grant.access_token,
                "expires_at": expires_at,
                "api_domain": grant.api_domain,
            }
        ),
    )
    return expires_at
