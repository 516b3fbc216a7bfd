"""``POST /webhooks/bigin``: check the secret, queue the named records, answer. Never calls Bigin."""

import time
from contextlib import suppress
from dataclasses import dataclass, replace

from bigin_archive.api import gateway, webhook_request
from bigin_archive.api.webhook_secret import WebhookSecret
from bigin_archive.archive_request import ArchiveRequest
from bigin_archive.errors import ArchiveError, InvalidRequestError, UnauthorizedError
from bigin_archive.queueing.archive_queue import ArchiveQueue, Outgoing
from bigin_archive.queueing.record_queue import RecordQueue
from bigin_archive.request_outcome import Outcome, bugs_as_errors
from bigin_archive.telemetry import Reporter


@dataclass(frozen=True, slots=True)
class WebhookEndpoint:
    """Receives the calls of Bigin's workflow rules and notifications."""

    secret: WebhookSecret
    queue: ArchiveQueue
    record_queue: RecordQueue
    reporter: Reporter

    def receive(self, event: gateway.Event) -> int:
        """Queue the records that the webhook names; return the number of messages.

        Raises UnauthorizedError before it looks at anything else, InvalidRequestError, StorageUnavailableError.
        """
        outcome = Outcome("refused", gateway.request_id(event))
        started = time.monotonic()
        queued = channel_id = None
        try:
            with bugs_as_errors():
                self._authenticate(webhook_request.presented_secret(event))
                channel_id = webhook_request.channel_id(event)
                if webhook_request.is_deletion(event):
                    outcome, queued = replace(outcome, outcome="recorded"), 0
                    with suppress(InvalidRequestError):  # nothing is to be done, whatever was deleted
                        outcome = replace(outcome, request=webhook_request.requests_in(event)[0])
                    return 0
                requests = webhook_request.requests_in(event)
                queued = self._send(requests, gateway.received_at_s(event), outcome.correlation_id)
                outcome = replace(outcome, outcome="queued", request=requests[0])
                return queued
        except ArchiveError as error:
            outcome = replace(outcome, error=error)
            raise
        finally:
            duration_ms = round((time.monotonic() - started) * 1000)
            outcome = replace(outcome, queued=queued, duration_ms=duration_ms, channel_id=channel_id)
            self.reporter.report(outcome.outcome, outcome.fields(), outcome.metrics())
            self.reporter.flush()

    def _send(self, requests: list[ArchiveRequest], at_s: float, correlation_id: str) -> int:
        if requests[0].attachment_id is None:
            return self.record_queue.send(requests, at_s, correlation_id)
        return self.queue.send(Outgoing(request.to_json(), correlation_id=correlation_id) for request in requests)

    def _authenticate(self, presented: str) -> None:
        try:
            webhook_request.authenticate(presented, self.secret.accepted())
        except UnauthorizedError:
            webhook_request.authenticate(presented, self.secret.accepted(refused=True))
