"""When a message that failed comes back."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bigin_archive.archiving.message import Delays


def longest(least: float, most: float) -> float:
    return most


def shortest(least: float, most: float) -> float:
    return least


def test_delays_double_up_to_the_longest() -> None:
    """The first delay doubles with each attempt, up to the longest."""
    delays = Delays(30, 3600, jitter=longest)
    actual = [delays.after(attempt) for attempt in range(1, 10)]

    assert actual == [30, 60, 120, 240, 480, 960, 1920, 3600, 3600]


def test_jitter_takes_up_to_a_quarter() -> None:
    """Up to a quarter of a delay is taken off at random, so that messages do not come back together."""
    delays = Delays(100, 1000, jitter=shortest)

    assert [delays.after(attempt) for attempt in range(1, 6)] == [75, 150, 300, 600, 750]


def test_jitter_is_random() -> None:
    """Without a source of its own the delay varies."""
    delays = Delays(1000, 1000)

    assert len({delays.after(1) for _ in range(50)}) > 1


@pytest.mark.parametrize("attempt", [50, 100, 1000, 10**6])
def test_no_attempt_is_too_many(attempt: int) -> None:
    """The doubling ends, however often a message comes back."""
    assert Delays(30, 3600, jitter=longest).after(attempt) == 3600


@given(first=st.integers(1, 900), most=st.integers(1, 43200), attempt=st.integers(0, 1000))
def test_delay_is_bounded(first: int, most: int, attempt: int) -> None:
    """A delay is at least one second and at most the longest."""
    assert 1 <= Delays(first, most).after(attempt) <= most
