"""Lambda function: continues the sweep of the account (every 15 minutes), or starts one (nightly, or when invoked)."""

from bigin_archive import cold_start  # must come first

# isort: split
import os
from typing import Any

from bigin_archive.archive_request import MODULES
from bigin_archive.deadline import Deadline
from bigin_archive.sweep.sweep import SweepRequest
from bigin_archive.wiring.sweep_account import sweep

START, MAIL = "start", "mail"
# Kept for the last write of the cursor, and the log line.
RESERVE_S = 30

# At cold start, while Lambda gives the function a whole processor.
_SWEEP, _HEARTBEAT = sweep(os.environ)


def handler(event: dict[str, Any], context: Any) -> dict[str, Any]:
    """Work for one slice; return the state of the sweep.

    ``{"start": {"modules": [...], "since": "2026-01-01T00:00:00+00:00", "by_record": true}}`` starts a sweep unless one
    is running; every key may be left out. ``{"mail": true}`` sends the weekly mail now. Raises ValueError for a
    malformed key, StorageUnavailableError if the ledger cannot be used.
    """
    request = _request(event[START]) if START in event else None
    state = _SWEEP.work(request, Deadline(context.get_remaining_time_in_millis() / 1000 - RESERVE_S))
    _HEARTBEAT.tell(state, mail_at_once=bool(event.get(MAIL)))
    return state.as_dict() if state else {}


def _request(wanted: dict[str, Any]) -> SweepRequest:
    return SweepRequest(
        modules=tuple(dict.fromkeys(wanted.get("modules") or MODULES)),
        since=wanted.get("since"),
        by_record=bool(wanted.get("by_record")),
        nightly=bool(wanted.get("nightly")),
    )


cold_start.over()
