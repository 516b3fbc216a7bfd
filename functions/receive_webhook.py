"""Lambda function: ``POST /webhooks/bigin`` - check the secret, queue the named records (API Gateway).

Only this function may read the webhook secret. So a schedule also lets it renew the notification channels, which carry
the secret.
"""

from bigin_archive import cold_start  # must come first

# isort: split
import os
from contextlib import suppress
from dataclasses import asdict
from functools import cache
from typing import TYPE_CHECKING, Any

from bigin_archive.api import gateway
from bigin_archive.api.webhook_endpoint import WebhookEndpoint
from bigin_archive.deadline import Deadline
from bigin_archive.errors import ArchiveError
from bigin_archive.settings import RENEW_CHANNELS, SettingsError
from bigin_archive.telemetry import reporter
from bigin_archive.wiring.receive_webhook import webhook_endpoint

if TYPE_CHECKING:
    from bigin_archive.bigin.notification_channels import NotificationChannels

SCHEDULED = "scheduled"
# Kept for the log line after the last call to Bigin.
RESERVE_S = 3


@cache
def _endpoint() -> WebhookEndpoint:
    return webhook_endpoint(os.environ)


@cache
def _channels() -> "NotificationChannels":
    # Imported here, because a webhook needs no client of Bigin.
    from bigin_archive.wiring.renew_channels import notification_channels

    return notification_channels(os.environ)


def handler(event: gateway.Event, context: Any) -> dict[str, Any]:
    """Answer one webhook, or renew the channels. No event of API Gateway can ask for a renewal."""
    if RENEW_CHANNELS in event:
        renewal = _channels().renew(
            event[RENEW_CHANNELS], Deadline(context.get_remaining_time_in_millis() / 1000 - RESERVE_S)
        )
        fields = {**renewal.fields(), "correlation_id": context.aws_request_id}
        reporter().report(f"channels_{renewal.status}", fields)
        if event.get(SCHEDULED):
            renewal.check()
        return asdict(renewal)
    try:
        return gateway.queued(_endpoint().receive(event))
    except ArchiveError as error:
        return gateway.problem(error, event)


with suppress(SettingsError):  # the answer will say so
    _endpoint()  # at cold start, while Lambda gives the function a whole processor
cold_start.over()
