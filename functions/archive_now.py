"""Lambda function: ``POST /attachments`` - archive now, or queue a request that takes longer (API Gateway)."""

from bigin_archive import cold_start  # must come first

# isort: split
import os
from contextlib import suppress
from functools import cache
from typing import Any

from bigin_archive.api import gateway
from bigin_archive.api.archive_endpoint import ArchiveEndpoint
from bigin_archive.deadline import Deadline
from bigin_archive.errors import ArchiveError
from bigin_archive.settings import SettingsError
from bigin_archive.wiring.archive_now import archive_endpoint

# API Gateway waits 29 s, the longest time of this function. A file that takes more than 24 s is queued.
RESERVE_S = 5


@cache
def _service() -> ArchiveEndpoint:
    return archive_endpoint(os.environ)


def handler(event: gateway.Event, context: Any) -> gateway.Answer:
    """Answer one request."""
    deadline = Deadline(context.get_remaining_time_in_millis() / 1000 - RESERVE_S)
    try:
        service = _service()
        taken = service.take(
            gateway.body(event),
            later=gateway.wants_queue(event),
            request_id=gateway.request_id(event),
            deadline=deadline,
        )
    except ArchiveError as error:
        return gateway.problem(error, event)
    return gateway.queued(taken) if isinstance(taken, int) else gateway.archived(service.bucket, taken)


with suppress(SettingsError):  # the answer will say so
    _service()  # at cold start, while Lambda gives the function a whole processor
cold_start.over()
