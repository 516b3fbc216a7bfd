"""``POST /webhooks/bigin``: check the secret, queue the records named, answer. Never calls Bigin."""

import time

from bigin_archive import api, webhook
from bigin_archive.archive_request import ArchiveRequest
from bigin_archive.errors import ArchiveError, UnauthorizedError
from bigin_archive.outcome import Outcome, Reporter, internal_error
from bigin_archive.queue import Outgoing, Queue
from bigin_archive.record_queue import RecordQueue
from bigin_archive.webhook_secret import WebhookSecret


class WebhookReceiver:
    """Receives what Bigin's workflow rules and notifications send."""

    def __init__(
        self,
        secret: WebhookSecret,
        queue: Queue,
        record_queue: RecordQueue,
        reporter: Reporter,
    ) -> None:
        self._secret = secret
        self._queue = queue
        self._record_queue = record_queue
        self._reporter = reporter

    def receive(self, event: api.Event) -> int:
        """Queue what the webhook names; return the number of messages.

        Raises UnauthorizedError before anything else is looked at, InvalidRequestError, StorageUnavailableError.
        """
        fate = Outcome("refused", api.request_id(event))
        started = time.monotonic()
        queued = channel_id = None
        try:
            self._authenticate(webhook.presented_secret(event))
            channel_id = webhook.channel_id(event)
            if webhook.is_deletion(event):
                fate, queued = Outcome("recorded", fate.request_id), 0
                return 0
            requests = webhook.requests_in(event)
            queued = self._send(requests, api.received_at_s(event))
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
                    channel_id=channel_id,
                )
            )
            self._reporter.flush()

    def _send(self, requests: list[ArchiveRequest], at_s: float) -> int:
        if requests[0].attachment_id is None:
            return self._record_queue.send(requests, at_s)
        return self._queue.send(Outgoing(request.to_json()) for request in requests)

    def _authenticate(self, presented: str) -> None:
        try:
            webhook.authenticate(presented, self._secret.accepted())
        except UnauthorizedError:
            webhook.authenticate(presented, self._secret.accepted(refused=True))
