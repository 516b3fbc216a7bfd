"""Lambda function: renews the access token (every 30 minutes, or invoked with ``{}``)."""

from bigin_archive import cold_start  # must come first

# isort: split
import os
from dataclasses import asdict
from typing import Any

from bigin_archive.telemetry import reporter
from bigin_archive.wiring.refresh_token import token_refresher

# The second schedule sends it, because the alarm cannot wait for the next renewal.
ONLY_TELL = "only_tell"

# At cold start, while Lambda gives the function a whole processor.
_REFRESHER = token_refresher(os.environ)


def handler(event: dict[str, Any], context: Any) -> dict[str, Any]:
    """Renew the token and report how it went.

    A failure is an answer, not an exception. After an exception Lambda would repeat the call at once, and Zoho blocks
    clients that ask too often.
    """
    reports = reporter()
    if event.get(ONLY_TELL):
        reports.measure(_REFRESHER.stored().metrics())
        reports.flush()
        return {"status": "reported"}
    refreshed = _REFRESHER.refresh()
    fields = {**refreshed.fields(), "correlation_id": context.aws_request_id}
    reports.report(refreshed.status, fields, refreshed.metrics())
    reports.flush()
    return asdict(refreshed)


cold_start.over()
