"""Why a slice of a sweep calls the archive not proved."""

import pytest

from bigin_archive.archive_request import MODULES
from bigin_archive.sweep.cursor import SweepState
from bigin_archive.sweep.heartbeat import not_proved

DAY_S = 86400.0


@pytest.mark.parametrize(
    ("verdict", "failures", "age_s", "told"),
    [
        (None, 0, None, None),
        ("complete", 0, DAY_S, None),
        ("complete", 0, 8 * DAY_S, None),
        ("complete", 0, 8 * DAY_S + 1, "audit_overdue"),
        ("partial", 0, DAY_S, "audit_not_complete"),
        ("failed", 0, None, "audit_not_complete"),
        ("complete", 11, DAY_S, None),
        ("complete", 12, DAY_S, "sweep_stuck"),
        ("partial", 12, 9 * DAY_S, "sweep_stuck"),
    ],
)
@pytest.mark.parametrize("phase", ["attachments", "done"])
def test_a_proof_that_is_missing_or_old_is_an_alarm(
    phase: str, verdict: str | None, failures: int, age_s: float | None, told: str | None
) -> None:
    """The last audit of everything decides, whether a sweep is under way or not; so do eight days, and three hours."""
    state = SweepState("2026-01-31T09:30:00.000+00:00", list(MODULES), phase=phase, verdict=verdict, failures=failures)

    assert told == not_proved(state, age_s, is_scheduled=True)


def test_without_a_schedule_an_old_proof_is_no_fault() -> None:
    """Nobody promised another audit."""
    state = SweepState("2026-01-31T09:30:00.000+00:00", list(MODULES), phase="done", verdict="complete")

    assert not_proved(state, 9 * DAY_S, is_scheduled=False) is None
    assert not_proved(None, None, is_scheduled=True) is None
