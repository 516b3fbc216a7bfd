"""Lambda authorizer: decides whether a caller's key opens ``/callers/attachments`` (API Gateway)."""

from bigin_archive import cold_start  # must come first

# isort: split
import os
from typing import Any

from bigin_archive.wiring.authorize_caller import authorizer

# At cold start, while Lambda gives the function a whole processor.
_AUTHORIZER = authorizer(os.environ)


def handler(event: dict[str, Any], context: Any) -> dict[str, Any]:
    """The policy for one request. If it raises, API Gateway answers 503, never 401."""
    return _AUTHORIZER.authorize(event)


cold_start.over()
