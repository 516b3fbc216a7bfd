"""The brake: how long a container leaves Bigin alone."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bigin_archive.brake import Brake
from bigin_archive.errors import (
    BiginRateLimitedError,
    BiginScopeMissingError,
    BiginTokenRejectedError,
    BiginUnavailableError,
    SickBiginError,
)

AT_ONCE = [BiginTokenRejectedError, BiginScopeMissingError, BiginRateLimitedError]


class Clock:
    """A clock that stands until it is moved."""

    def __init__(self) -> None:
        self.now = 1000.0

    def __call__(self) -> float:
        return self.now


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def brake(clock: Clock) -> Brake:
    return Brake(60, 900, clock)


def test_new_brake_lets_through_one_at_a_time(brake: Brake) -> None:
    """At the cold start Bigin may be called, but has not shown that it is well."""
    assert brake.remaining_s() == 0
    assert not brake.proven
    assert brake.cause is None


@pytest.mark.parametrize("kind", AT_ONCE)
def test_fault_of_the_whole_stack_pauses_at_once(brake: Brake, kind: type[SickBiginError]) -> None:
    """Token, scope and rate limit concern every attachment: the first failure is enough."""
    error = kind("x")
    brake.pull(error, "1/1")

    assert brake.remaining_s() == 60
    assert brake.cause is error
    assert not brake.proven


def test_one_bad_attachment_is_no_outage(brake: Brake) -> None:
    """One attachment that fails again and again holds nobody up."""
    for _ in range(20):
        brake.pull(BiginUnavailableError("x"), "1/1")

    assert brake.remaining_s() == 0


def test_three_attachments_in_a_row_are_an_outage(brake: Brake) -> None:
    """Three different attachments that fail one after the other are an outage."""
    for attachment in ("1/1", "1/2"):
        brake.pull(BiginUnavailableError("x"), attachment)
    before = brake.remaining_s()
    brake.pull(BiginUnavailableError("x"), "1/3")

    assert before == 0
    assert brake.remaining_s() == 60


def test_success_in_between_breaks_the_row(brake: Brake) -> None:
    """What succeeds in between shows that Bigin is well."""
    for attachment in ("1/1", "1/2"):
        brake.pull(BiginUnavailableError("x"), attachment)
    brake.released()
    brake.pull(BiginUnavailableError("x"), "1/3")

    assert brake.remaining_s() == 0
    assert brake.proven


def test_pauses_double_up_to_the_longest(brake: Brake, clock: Clock) -> None:
    """Each failure after a pause doubles the next one, up to the longest."""
    pauses = []
    for _ in range(7):
        brake.pull(BiginTokenRejectedError("x"), "1/1")
        pauses.append(brake.remaining_s())
        clock.now += pauses[-1]

    assert pauses == [60, 120, 240, 480, 900, 900, 900]


def test_after_a_pause_one_failure_is_enough(brake: Brake, clock: Clock) -> None:
    """Who was in an outage is probed with a single call."""
    for attachment in ("1/1", "1/2", "1/3"):
        brake.pull(BiginUnavailableError("x"), attachment)
    clock.now += 60
    brake.pull(BiginUnavailableError("x"), "1/4")

    assert brake.remaining_s() == 120


def test_calls_under_way_do_not_lengthen_the_pause(brake: Brake, clock: Clock) -> None:
    """Eight calls that fail together cost one pause, not eight."""
    for _ in range(8):
        brake.pull(BiginTokenRejectedError("x"), "1/1")
        clock.now += 1

    assert brake.remaining_s() == 52


def test_pause_ends_by_itself(brake: Brake, clock: Clock) -> None:
    """When the pause is over Bigin may be called, one call at a time."""
    brake.pull(BiginTokenRejectedError("x"), "1/1")
    clock.now += 60

    assert brake.remaining_s() == 0
    assert not brake.proven


def test_success_ends_everything(brake: Brake, clock: Clock) -> None:
    """A success means full speed, and the next pause is the shortest again."""
    for _ in range(3):
        brake.pull(BiginTokenRejectedError("x"), "1/1")
        clock.now += 1000
    brake.released()
    released = (brake.remaining_s(), brake.proven, brake.cause)
    brake.pull(BiginTokenRejectedError("x"), "1/1")

    assert released == (0, True, None)
    assert brake.remaining_s() == 60


@pytest.mark.parametrize(("retry_after_s", "expected"), [(None, 60), (5, 60), (300, 300), (3600, 3600)])
def test_pause_is_at_least_what_bigin_asks(brake: Brake, retry_after_s: int | None, expected: int) -> None:
    """A Retry-After that is longer than the pause counts."""
    brake.pull(BiginRateLimitedError("x", retry_after_s=retry_after_s), "1/1")

    assert expected == brake.remaining_s()


def test_outage_of_weeks(clock: Clock) -> None:
    """No number of pauses makes the brake fail."""
    brake = Brake(2.0, 5.0, clock)
    for _ in range(2000):
        brake.pull(BiginTokenRejectedError("x"), "1/1")
        clock.now += 5

    assert brake.remaining_s() == 0


@given(steps=st.lists(st.one_of(st.none(), st.floats(0, 1000), st.sampled_from([*AT_ONCE, BiginUnavailableError]))))
def test_remaining_time_is_bounded(steps: list[type[SickBiginError] | float | None]) -> None:
    """Whatever happens, the pause is never negative and never longer than the longest."""
    clock = Clock()
    brake = Brake(60, 900, clock)
    for number, step in enumerate(steps):
        if step is None:
            brake.released()
        elif isinstance(step, float):
            clock.now += step
        else:
            brake.pull(step("x"), str(number))

        assert 0 <= brake.remaining_s() <= 900
