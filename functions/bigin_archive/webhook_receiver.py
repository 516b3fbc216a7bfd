"""``POST /webhooks/bigin``: check the secret, queue the records named, answer. Never calls Bigin."""

import time
from typing import TYPE_CHECKING

from botocore.exceptions import BotoCoreError, ClientError

from bigin_archive import api, webhook
from bigin_archive.archive_request import ArchiveRequest
from bigin_archive.errors import ArchiveError, StorageUnavailableError, UnauthorizedError
from bigin_archive.outcome import Outcome, Reporter, internal_error
from bigin_archive.queue import Outgoing, Queue
from bigin_archive.record_queue import RecordQueue

if TYPE_CHECKING:
    from mypy_boto3_secretsmanager import SecretsManagerClient

# So long a secret that was taken back is still accepted, at most.
_SECRET_AGE_S = 60
# A secret that is not known may be new: it is looked up, but a flood of forged calls does not look up each time.
_LOOK_AGAIN_S = 1
# During a rotation both are valid (Secrets Manager, "staging labels").
_STAGES = ("AWSCURRENT", "AWSPREVIOUS")


class WebhookReceiver:
    """Receives what Bigin's workflow rules and notifications send."""

    def __init__(
        self,
        client: "SecretsManagerClient",
        secret_id: str,
        queue: Queue,
        record_queue: RecordQueue,
        reporter: Reporter,
    ) -> None:
        self._client = client
        self._secret_id = secret_id
        self._queue = queue
        self._record_queue = record_queue
        self._reporter = reporter
        self._secrets: list[str] = []
        self._read_at: float | None = None

    def receive(self, event: api.Event) -> int:
        """Queue what the webhook names; return the number of messages.

        Raises UnauthorizedError before anything else is looked at, InvalidRequestError, StorageUnavailableError.
        """
        fate = Outcome("refused", api.request_id(event))
        started = time.monotonic()
        queued = None
        try:
            self._authenticate(webhook.presented_secret(event))
            if webhook.is_deletion(event):
                fate, queued = Outcome("recorded", fate.request_id), 0
                return 0
            requests = webhook.requests_in(event)
            queued = self._send(requests)
            fate = Outcome("queued", fate.request_id, request=requests[0])
            return queued
        except ArchiveError as error:
            fate = Outcome("refused", fate.request_id, error=error)
            raise
        except Exception as error:  # a bug is told as the contract says, too
            bug = internal_error(error)
            fate = Outcome("refused", fate.request_id, error=bug)
            raise bug from error
        finally:
            duration_ms = round((time.monotonic() - started) * 1000)
            self._reporter.report(
                Outcome(
                    fate.outcome,
                    fate.request_id,
                    request=fate.request,
                    error=fate.error,
                    queued=queued,
                    duration_ms=duration_ms,
                )
            )
            self._reporter.flush()

    def _send(self, requests: list[ArchiveRequest]) -> int:
        if requests[0].attachment_id is None:
            return self._record_queue.send(requests)
        return self._queue.send(Outgoing(request.to_json()) for request in requests)

    def _authenticate(self, presented: str) -> None:
        self._look_up(_SECRET_AGE_S)
        try:
            webhook.authenticate(presented, self._secrets)
        except UnauthorizedError:
            self._look_up(_LOOK_AGAIN_S)
            webhook.authenticate(presented, self._secrets)

    def _look_up(self, max_age_s: float) -> None:
        now = time.monotonic()
        if self._read_at is None or now - self._read_at > max_age_s:
            self._secrets = [webhook.secret_in(self._stage(stage)) for stage in _STAGES]
            self._read_at = now

    def _stage(self, stage: str) -> str | None:
        try:
            answer = self._client.get_secret_value(SecretId=self._secret_id, VersionStage=stage)
        except ClientError as error:
            if error.response.get("Error", {}).get("Code") == "ResourceNotFoundException":
                return None
            raise _unreadable(error) from error
        except BotoCoreError as error:
            raise _unreadable(error) from error
        text: str | None = answer.get("SecretString")
        return text


def _unreadable(error: Exception) -> StorageUnavailableError:
    return StorageUnavailableError(
        f"The webhook secret cannot be read ({type(error).__name__}); nothing was queued. Try again later."
    )
