"""Lambda function: ``POST /webhooks/bigin`` - check the secret, queue the records named (API Gateway)."""

import os
from functools import cache
from typing import Any

from bigin_archive import api, wiring
from bigin_archive.errors import ArchiveError
from bigin_archive.webhook_receiver import WebhookReceiver


@cache
def _receiver() -> WebhookReceiver:
    return wiring.webhook_receiver(os.environ)


def handler(event: api.Event, context: Any) -> api.Answer:
    """Answer one webhook."""
    try:
        return api.queued(_receiver().receive(event))
    except ArchiveError as error:
        return api.problem(error, event)


_receiver()  # at cold start, where the processor is faster than the memory size says
