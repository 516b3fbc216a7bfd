"""Lambda function: ``POST /webhooks/bigin`` - check the secret, queue the records named (API Gateway).

It alone may read the webhook secret; so it also tells the secret to Bigin, with the notification channels that a
schedule has it renew.
"""

from bigin_archive import cold_start  # first: see there

# isort: split
import os
from contextlib import suppress
from dataclasses import asdict
from functools import cache
from typing import Any

from bigin_archive import wiring
from bigin_archive.api import gateway
from bigin_archive.api.webhook_endpoint import WebhookEndpoint
from bigin_archive.bigin import notification_channels
from bigin_archive.bigin.notification_channels import NotificationChannels
from bigin_archive.deadline import Deadline
from bigin_archive.errors import ArchiveError, InternalError
from bigin_archive.settings import SettingsError

# For the log line, after the last call to Bigin.
RESERVE_S = 3


@cache
def _receiver() -> WebhookEndpoint:
    return wiring.webhook_receiver(os.environ)


@cache
def _channels() -> NotificationChannels:
    return wiring.channels(os.environ)


def handler(event: gateway.Event, context: Any) -> dict[str, Any]:
    """Answer one webhook; or renew the channels, which no event of API Gateway can ask for."""
    if notification_channels.RENEW in event:
        renewal = _channels().renew(
            event[notification_channels.RENEW], Deadline(context.get_remaining_time_in_millis() / 1000 - RESERVE_S)
        )
        wiring.reporter().report_channels(renewal)
        return asdict(renewal)
    try:
        return gateway.queued(_receiver().receive(event))
    except SettingsError as error:
        return gateway.problem(InternalError(f"The deployment lacks a setting: {error}."), event)
    except ArchiveError as error:
        return gateway.problem(error, event)


with suppress(SettingsError):  # told by the answer
    _receiver()  # at cold start, where the processor is faster than the memory size says
cold_start.over()
