"""The two secrets of a connection."""

import json
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from bigin_archive.aws.secret_value import read_secret
from bigin_archive.clock import iso
from bigin_archive.errors import BiginTokenRejectedError
from bigin_archive.token import access_token
from bigin_archive.token.access_token import AccessToken
from bigin_archive.token.oauth import Grant
from bigin_archive.token.token_refresher import CREDENTIALS, store
from operate.errors import OperateError
from operate.stack.aws import aws_errors
from operate.stack.stack import Stack


@dataclass(frozen=True, slots=True)
class StoredToken:
    """The stored access token, or why there is none, and when it was written."""

    token: AccessToken | None
    problem: str = ""
    written_at: datetime | None = None


class StackSecrets:
    """The secrets of one stack."""

    def __init__(self, client: Any, stack: Stack) -> None:
        self._client = client
        self._stack = stack
        self.touched = False  # whether anything may have been written

    def write(self, client_id: str, client_secret: str, grant: Grant) -> str:
        """Store credentials, then token; return when the token expires. Raises OperateError.

        An interruption in between does no harm: the refresher finds the new credentials at its next run, and until then
        the old token stays in use. Secrets Manager keeps the replaced values as AWSPREVIOUS.
        """
        self.touched = True
        values = (client_id, client_secret, grant.refresh_token)
        with aws_errors("store the credentials"):
            self._client.put_secret_value(
                SecretId=self._stack.credentials_secret_id,
                SecretString=json.dumps(dict(zip(CREDENTIALS, values, strict=True))),
            )
        with aws_errors("store the access token"):
            return store(self._client, self._stack.token_secret_id, grant, datetime.now(UTC))

    def write_bare_token(self, token: str, expires_at: datetime | None) -> None:
        """Store an access token that nothing renews. Raises OperateError."""
        self.touched = True
        stored = {"access_token": token, "api_domain": self._stack.hosts.api_url}
        if expires_at:
            stored["expires_at"] = iso(expires_at)
        with aws_errors("store the access token"):
            self._client.put_secret_value(SecretId=self._stack.token_secret_id, SecretString=json.dumps(stored))

    def is_renewable(self) -> bool | None:
        """Whether all credentials are stored; None if you may not read them."""
        try:
            with aws_errors("read the credentials"):
                text = read_secret(self._client, self._stack.credentials_secret_id).text
        except OperateError:
            return None
        try:
            stored = json.loads(text or "{}")
        except (ValueError, RecursionError):
            return False
        return isinstance(stored, dict) and all(stored.get(name) for name in CREDENTIALS)

    def token(self) -> StoredToken:
        """The stored access token. Raises OperateError where it cannot be read."""
        with aws_errors("read the access token"):
            stored = read_secret(self._client, self._stack.token_secret_id)
        try:
            token = access_token.parse(stored.text, self._stack.hosts.api_url)
        except BiginTokenRejectedError as error:
            return StoredToken(None, error.detail, stored.written_at if stored.text else None)
        return StoredToken(token, written_at=stored.written_at)
