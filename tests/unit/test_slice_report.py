"""What a slice of a sweep tells the alarms."""

import pytest

from bigin_archive.archive_request import MODULES
from bigin_archive.sweep.cursor import SweepState
from bigin_archive.sweep.slice_report import metrics

DAY_S = 86400.0


@pytest.mark.parametrize(
    ("phase", "result", "age_s", "told"),
    [
        ("done", "complete", DAY_S, 0),
        ("done", "partial", DAY_S, 1),
        ("done", "complete", 8 * DAY_S + 1, 2),
        ("attachments", None, 8 * DAY_S + 1, 2),
        ("attachments", None, 8 * DAY_S, None),
        ("attachments", None, None, None),
    ],
)
def test_an_old_proof_is_an_alarm(phase: str, result: str | None, age_s: float | None, told: int | None) -> None:
    """Eight days after the lists were whole the alarm's metric is set, whether a sweep is under way or not."""
    state = SweepState("2026-01-31T09:30:00.000+00:00", list(MODULES), phase=phase, result=result)

    assert told == metrics(state, 0, 100, age_s).get("AuditIncomplete")
