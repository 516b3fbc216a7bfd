"""Lambda function: ``/callers/attachments`` - archive for a program with a key, or say what became of a file."""

from bigin_archive import cold_start  # must come first

# isort: split
import os
from contextlib import suppress
from functools import cache
from typing import Any

from bigin_archive.api import gateway
from bigin_archive.callers.caller_endpoint import CallerEndpoint
from bigin_archive.deadline import Deadline
from bigin_archive.settings import SettingsError
from bigin_archive.wiring.answer_caller import caller_endpoint

# API Gateway waits 29 s, the longest time of this function. A file that takes more than 24 s is queued.
RESERVE_S = 5


@cache
def _endpoint() -> CallerEndpoint:
    return caller_endpoint(os.environ)


def handler(event: gateway.Event, context: Any) -> gateway.Answer:
    """Answer one request."""
    deadline = Deadline(context.get_remaining_time_in_millis() / 1000 - RESERVE_S)
    try:
        endpoint = _endpoint()
    except SettingsError as error:
        return gateway.problem(error, event)
    return endpoint.answer(event, deadline)


with suppress(SettingsError):  # the answer will say so
    _endpoint()  # at cold start, while Lambda gives the function a whole processor
cold_start.over()
