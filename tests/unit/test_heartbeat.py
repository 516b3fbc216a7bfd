"""Why a slice of a sweep calls the archive not proved."""

import pytest

from bigin_archive.archive_request import MODULES
from bigin_archive.clock import iso
from bigin_archive.sweep.cursor import SweepState
from bigin_archive.sweep.heartbeat import not_proved

DAY_S, HOUR_S = 86400.0, 3600.0
NOW_S = 1_800_000_000.0


@pytest.mark.parametrize(
    ("verdict", "stuck_s", "age_s", "message"),
    [
        (None, None, None, None),
        ("complete", None, DAY_S, None),
        ("complete", None, 8 * DAY_S, None),
        ("complete", None, 8 * DAY_S + 1, "audit_overdue"),
        ("partial", None, DAY_S, "audit_not_complete"),
        ("failed", None, None, "audit_not_complete"),
        ("complete", 3 * HOUR_S - 1, DAY_S, None),
        ("complete", 3 * HOUR_S, DAY_S, "sweep_stuck"),
        ("partial", 3 * HOUR_S, 9 * DAY_S, "sweep_stuck"),
    ],
)
@pytest.mark.parametrize("phase", ["attachments", "done"])
def test_a_proof_that_is_missing_or_old_is_an_alarm(
    phase: str, verdict: str | None, stuck_s: float | None, age_s: float | None, message: str | None
) -> None:
    """The last audit of everything decides, whether a sweep is under way or not; so do eight days, and three hours."""
    state = SweepState("2026-01-31T09:30:00.000+00:00", list(MODULES), phase=phase, verdict=verdict)
    state.stuck_since = None if stuck_s is None else iso(NOW_S - stuck_s)
    state.complete_as_of = None if age_s is None else iso(NOW_S - age_s)

    assert message == not_proved(state, NOW_S, is_scheduled=True)


def test_without_a_schedule_an_old_proof_is_no_fault() -> None:
    """A stack without a schedule promises no nightly audit."""
    state = SweepState("2026-01-31T09:30:00.000+00:00", list(MODULES), phase="done", verdict="complete")
    state.complete_as_of = iso(NOW_S - 9 * DAY_S)

    assert not_proved(state, NOW_S, is_scheduled=False) is None
    assert not_proved(None, NOW_S, is_scheduled=True) is None
