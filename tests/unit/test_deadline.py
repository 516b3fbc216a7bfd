"""The deadline: a time at which every transfer ends."""

import pytest

from bigin_archive.deadline import Deadline
from bigin_archive.errors import OutOfTimeError


def test_time_runs_down_to_zero() -> None:
    """The remaining time shrinks with the clock and ends at zero."""
    clock = [100.0]
    deadline = Deadline(24, lambda: clock[0])
    remaining = []
    for now in (100, 110, 124, 200):
        clock[0] = now
        remaining.append(deadline.remaining_s())

    assert remaining == [24, 14, 0, 0]


@pytest.mark.parametrize("now", [100, 123.9])
def test_check_before_the_end(now: float) -> None:
    """Before the deadline nothing happens."""
    clock = [100.0]
    deadline = Deadline(24, lambda: clock[0])
    clock[0] = now

    deadline.check()


@pytest.mark.parametrize("now", [124, 125, 1e9])
def test_check_after_the_end(now: float) -> None:
    """After the deadline, a check raises the error that nothing was stored."""
    clock = [100.0]
    deadline = Deadline(24, lambda: clock[0])
    clock[0] = now

    with pytest.raises(OutOfTimeError, match="Nothing was stored"):
        deadline.check()


@pytest.mark.parametrize("seconds", [0, -5])
def test_deadline_that_has_passed_at_the_start(seconds: float) -> None:
    """A deadline without time is over at once."""
    deadline = Deadline(seconds, lambda: 0.0)

    assert deadline.remaining_s() == 0
    with pytest.raises(OutOfTimeError):
        deadline.check()
