"""The webhook secret, as Secrets Manager holds it: read by the webhook receiver's function alone."""

import time
from collections import deque
from typing import TYPE_CHECKING

from bigin_archive.api import webhook_request
from bigin_archive.aws.error_codes import AWS_ERRORS, NOT_FOUND, code_of
from bigin_archive.errors import StorageUnavailableError

if TYPE_CHECKING:
    from mypy_boto3_secretsmanager import SecretsManagerClient

# So long a secret that was taken back is still accepted, at most.
_SECRET_AGE_S = 60
# A secret that is not known may be new: it is looked up, but a flood of forged calls does not look up each time.
_LOOK_UPS, _LOOK_UPS_S = 20, 10.0
# During a rotation both are valid (Secrets Manager, "staging labels").
_STAGES = ("AWSCURRENT", "AWSPREVIOUS")


class WebhookSecret:
    """The current secret and the one before, cached for a moment; empty where there is none."""

    def __init__(self, client: "SecretsManagerClient", secret_id: str) -> None:
        self._client = client
        self._secret_id = secret_id
        self._secrets: list[str] = []
        self._read_at: deque[float] = deque(maxlen=_LOOK_UPS)

    def accepted(self, *, refused: bool = False) -> list[str]:
        """What a webhook may bring along; after a secret was ``refused``, looked up anew. Raises
        StorageUnavailableError."""
        now = time.monotonic()
        rested = len(self._read_at) < _LOOK_UPS or now - self._read_at[0] > _LOOK_UPS_S
        if not self._read_at or now - self._read_at[-1] > _SECRET_AGE_S or (refused and rested):
            self._look_up(now)
        return self._secrets

    def current(self) -> str:
        """What a webhook is to bring along from now on. Raises StorageUnavailableError."""
        self._look_up(time.monotonic())
        return self._secrets[0]

    def _look_up(self, now: float) -> None:
        self._secrets = [webhook_request.secret_in(self._stage(stage)) for stage in _STAGES]
        self._read_at.append(now)

    def _stage(self, stage: str) -> str | None:
        try:
            answer = self._client.get_secret_value(SecretId=self._secret_id, VersionStage=stage)
        except AWS_ERRORS as error:
            if code_of(error) == NOT_FOUND:
                return None
            raise _unreadable(error) from error
        text: str | None = answer.get("SecretString")
        return text


def _unreadable(error: Exception) -> StorageUnavailableError:
    return StorageUnavailableError(
        f"The webhook secret cannot be read ({code_of(error)}); nothing was queued. Try again later."
    )
