"""Lambda authorizer: whether a caller's key opens ``/callers/attachments`` (API Gateway)."""

from bigin_archive import cold_start  # first: see there

# isort: split
import os
from functools import cache
from typing import Any

from bigin_archive.callers.authorizer import Authorizer
from bigin_archive.wiring.authorize_caller import authorizer


@cache
def _authorizer() -> Authorizer:
    return authorizer(os.environ)


def handler(event: dict[str, Any], context: Any) -> dict[str, Any]:
    """The policy for one request. An error is answered 503 by API Gateway, never 401."""
    return _authorizer().authorize(event)


_authorizer()  # at cold start, where the processor is faster than the memory size says
cold_start.over()
