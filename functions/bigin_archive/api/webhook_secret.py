"""The webhook secret in Secrets Manager. Only the webhook receiver's function reads it."""

import time
from collections import deque
from collections.abc import Callable
from typing import TYPE_CHECKING

from bigin_archive.api import webhook_request
from bigin_archive.aws.error_codes import AWS_ERRORS, code_of
from bigin_archive.aws.secret_value import CURRENT, PREVIOUS, read_secret
from bigin_archive.errors import StorageUnavailableError

if TYPE_CHECKING:
    from mypy_boto3_secretsmanager import SecretsManagerClient

# How long a replaced secret is still accepted; the second figure is for when Secrets Manager cannot be reached. A
# refused webhook is lost, while one with an old secret can only name records, which Bigin is asked about anyway.
_SECRET_AGE_S, _LONGEST_AGE_S = 60, 3600
_LOOK_AGAIN_S = 10  # after a failed look-up, while the cached secret is used
# An unknown secret may be new, so it is looked up. A flood of forged calls must not cause a look-up each time.
_LOOK_UPS, _LOOK_UPS_S = 20, 10.0


class WebhookSecret:
    """The current secret and the one before, cached for a moment; empty if there is none."""

    def __init__(
        self, client: "SecretsManagerClient", secret_id: str, now: Callable[[], float] = time.monotonic
    ) -> None:
        self._client = client
        self._secret_id = secret_id
        self._now = now
        self._secrets: list[str] = []
        self._read_at: deque[float] = deque(maxlen=_LOOK_UPS)
        self._failed_at: float | None = None

    def accepted(self, *, refused: bool = False) -> list[str]:
        """The secrets that a webhook may carry; looked up anew after one was ``refused``.

        Raises StorageUnavailableError if the look-up fails and no cached secret may be used.
        """
        now = self._now()
        rested = len(self._read_at) < _LOOK_UPS or now - self._read_at[0] > _LOOK_UPS_S
        if not self._read_at or (refused and rested):
            self._look_up(now)
        elif now - self._read_at[-1] > _SECRET_AGE_S:
            self._renew(now)
        return self._secrets

    def current(self) -> str:
        """The secret that webhooks must carry from now on. Raises StorageUnavailableError."""
        self._look_up(self._now())
        return self._secrets[0]

    def _renew(self, now: float) -> None:
        known_is_good = now - self._read_at[-1] <= _LONGEST_AGE_S
        if known_is_good and self._failed_at is not None and now - self._failed_at < _LOOK_AGAIN_S:
            return
        try:
            self._look_up(now)
        except StorageUnavailableError:
            self._failed_at = now
            if not known_is_good:
                raise

    def _look_up(self, now: float) -> None:
        self._secrets = [webhook_request.secret_in(self._stage(stage)) for stage in (CURRENT, PREVIOUS)]
        self._read_at.append(now)

    def _stage(self, stage: str) -> str | None:
        try:
            return read_secret(self._client, self._secret_id, stage).text
        except AWS_ERRORS as error:
            if code_of(error) == "InvalidRequestException":  # the secret is being deleted
                return None
            raise StorageUnavailableError(
                f"The webhook secret cannot be read ({code_of(error)}); nothing was queued. Try again later."
            ) from error
