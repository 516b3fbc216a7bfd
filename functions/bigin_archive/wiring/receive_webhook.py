"""``POST /webhooks/bigin``."""

from collections.abc import Mapping

from bigin_archive.api.webhook_endpoint import WebhookEndpoint
from bigin_archive.api.webhook_secret import WebhookSecret
from bigin_archive.aws.connection import Connection
from bigin_archive.aws.function_aws import connection
from bigin_archive.queueing.archive_queue import ArchiveQueue
from bigin_archive.queueing.record_queue import RecordQueue
from bigin_archive.settings import WebhookSettings
from bigin_archive.telemetry import reporter


def webhook_endpoint(env: Mapping[str, str], aws: Connection | None = None) -> WebhookEndpoint:
    """Raises SettingsError."""
    settings = WebhookSettings.from_env(env)
    aws = aws or connection(env)
    # Bigin may not send a webhook again, so one reset connection must not cost an event.
    secrets, sqs = (aws.connect(service, 5, tries=2) for service in ("secretsmanager", "sqs"))
    return WebhookEndpoint(
        WebhookSecret(secrets, settings.webhook_secret_id),
        ArchiveQueue(sqs, settings.queue_url),
        RecordQueue(ArchiveQueue(sqs, settings.record_queue_url), settings.record_queue_delay_s),
        reporter(),
    )
