"""``POST /webhooks/bigin``."""

from collections.abc import Mapping

from bigin_archive.api.webhook_endpoint import WebhookEndpoint
from bigin_archive.api.webhook_secret import WebhookSecret
from bigin_archive.aws.clients import Session, config, session
from bigin_archive.queueing.archive_queue import ArchiveQueue
from bigin_archive.queueing.record_queue import RecordQueue
from bigin_archive.settings import WebhookSettings
from bigin_archive.telemetry import reporter


def webhook_endpoint(env: Mapping[str, str], aws: Session | None = None) -> WebhookEndpoint:
    """Raises SettingsError."""
    settings = WebhookSettings.from_env(env)
    aws = aws or session()
    # Bigin may not send a webhook again, so one reset connection must not cost an event.
    twice = config(5, tries=2)
    sqs = aws.client("sqs", config=twice)
    return WebhookEndpoint(
        WebhookSecret(aws.client("secretsmanager", config=twice), settings.webhook_secret_id),
        ArchiveQueue(sqs, settings.queue_url),
        RecordQueue(ArchiveQueue(sqs, settings.record_queue_url), settings.record_queue_delay_s),
        reporter(),
    )
