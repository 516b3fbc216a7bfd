"""Lambda authorizer: decides whether a caller's key opens ``/callers/attachments`` (API Gateway)."""

from bigin_archive import cold_start  # must come first

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
    """The policy for one request. If it raises, API Gateway answers 503, never 401."""
    return _authorizer().authorize(event)


_authorizer()  # at cold start, while Lambda gives the function a whole processor
cold_start.over()
