"""Lambda function: ``POST /attachments`` - archive now, or queue what takes longer (API Gateway)."""

from bigin_archive import cold_start  # first: see there

# isort: split
import os
from contextlib import suppress
from functools import cache
from typing import Any

from bigin_archive import api, wiring
from bigin_archive.archive_or_queue import ArchiveOrQueue
from bigin_archive.deadline import Deadline
from bigin_archive.errors import ArchiveError, InternalError
from bigin_archive.settings import SettingsError

# API Gateway waits 29 s, as this function may run; what is not finished 5 s earlier is queued.
RESERVE_S = 5


@cache
def _service() -> ArchiveOrQueue:
    return wiring.archive_or_queue(os.environ)


def handler(event: api.Event, context: Any) -> api.Answer:
    """Answer one request."""
    deadline = Deadline(context.get_remaining_time_in_millis() / 1000 - RESERVE_S)
    try:
        service = _service()
        taken = service.take(
            api.body(event),
            later=api.wants_queue(event),
            request_id=api.request_id(event),
            deadline=deadline,
        )
    except SettingsError as error:
        return api.problem(InternalError(f"The deployment lacks a setting: {error}."), event)
    except ArchiveError as error:
        return api.problem(error, event)
    return api.queued(taken) if isinstance(taken, int) else api.archived(service.bucket, taken)


with suppress(SettingsError):  # told by the answer
    _service()  # at cold start, where the processor is faster than the memory size says
cold_start.over()
