"""The webhook secret, as Secrets Manager holds it: read by the webhook receiver's function alone."""

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

# So long a secret that was taken back is still accepted, at most; with Secrets Manager out of reach, so long: a webhook
# that is refused is lost, while one with a secret that has just gone can only name records that Bigin is asked about.
_SECRET_AGE_S, _LONGEST_AGE_S = 60, 3600
_LOOK_AGAIN_S = 10  # after a look that failed, while what is known serves
# A secret that is not known may be new: it is looked up, but a flood of forged calls does not look up each time.
_LOOK_UPS, _LOOK_UPS_S = 20, 10.0


class WebhookSecret:
    """The current secret and the one before, cached for a moment; empty where there is none."""

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
        """What a webhook may bring along; after a secret was ``refused``, looked up anew.

        Raises StorageUnavailableError where it cannot be looked up, and nothing is known that may serve.
        """
        now = self._now()
        rested = len(self._read_at) < _LOOK_UPS or now - self._read_at[0] > _LOOK_UPS_S
        if not self._read_at or (refused and rested):
            self._look_up(now)
        elif now - self._read_at[-1] > _SECRET_AGE_S:
            self._renew(now)
        return self._secrets

    def current(self) -> str:
        """What a webhook is to bring along from now on. Raises StorageUnavailableError."""
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
            raise _unreadable(error) from error


def _unreadable(error: Exception) -> StorageUnavailableError:
    return StorageUnavailableError(
        f"The webhook secret cannot be read ({code_of(error)}); nothing was queued. Try again later."
    )
