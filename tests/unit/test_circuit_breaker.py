"""The circuit breaker: how long a container does not call Bigin."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bigin_archive.archiving.circuit_breaker import INCOMPLETE_IN_A_ROW, CircuitBreaker
from bigin_archive.errors import (
    BiginConcurrencyError,
    BiginRateLimitedError,
    BiginScopeMissingError,
    BiginTokenRejectedError,
    BiginUnavailableError,
    BiginUnhealthyError,
    DownloadIncompleteError,
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
def breaker(clock: Clock) -> CircuitBreaker:
    return CircuitBreaker(60, 900, clock)


def test_new_brake_lets_through_one_at_a_time(breaker: CircuitBreaker) -> None:
    """After a cold start, Bigin is called one call at a time, until one succeeds."""
    assert breaker.remaining_s() == 0
    assert not breaker.is_closed
    assert breaker.cause is None


@pytest.mark.parametrize("kind", AT_ONCE)
def test_fault_of_the_whole_stack_pauses_at_once(breaker: CircuitBreaker, kind: type[BiginUnhealthyError]) -> None:
    """Token, scope and rate limit concern every attachment: the first failure is enough."""
    error = kind("x")
    breaker.record_failure(error, "1/1")

    assert breaker.remaining_s() == 60
    assert breaker.cause is error
    assert not breaker.is_closed


def test_too_many_calls_at_one_time_slow_down_and_pause_nothing(breaker: CircuitBreaker) -> None:
    """Too many calls at one time last seconds. The container makes one call at a time until Bigin answers, and does
    not pause.
    """
    breaker.record_success()
    for _ in range(20):
        breaker.record_failure(BiginConcurrencyError("x", retry_after_s=5), "1/1")

    assert (0, None, False) == (breaker.remaining_s(), breaker.cause, breaker.is_closed)
    breaker.record_success()
    assert breaker.is_closed


def test_one_bad_attachment_is_no_outage(breaker: CircuitBreaker) -> None:
    """One attachment that always fails does not pause the others."""
    for _ in range(20):
        breaker.record_failure(BiginUnavailableError("x"), "1/1")

    assert breaker.remaining_s() == 0


def test_three_attachments_in_a_row_are_an_outage(breaker: CircuitBreaker) -> None:
    """Three different attachments that fail one after the other are an outage."""
    for attachment in ("1/1", "1/2"):
        breaker.record_failure(BiginUnavailableError("x"), attachment)
    before = breaker.remaining_s()
    breaker.record_failure(BiginUnavailableError("x"), "1/3")

    assert before == 0
    assert breaker.remaining_s() == 60


def test_success_in_between_breaks_the_row(breaker: CircuitBreaker) -> None:
    """A success in between shows that there is no outage."""
    for attachment in ("1/1", "1/2"):
        breaker.record_failure(BiginUnavailableError("x"), attachment)
    breaker.record_success()
    breaker.record_failure(BiginUnavailableError("x"), "1/3")

    assert breaker.remaining_s() == 0
    assert breaker.is_closed


def test_pauses_double_up_to_the_longest(breaker: CircuitBreaker, clock: Clock) -> None:
    """Each failure after a pause doubles the next one, up to the longest."""
    pauses = []
    for _ in range(7):
        breaker.record_failure(BiginTokenRejectedError("x"), "1/1")
        pauses.append(breaker.remaining_s())
        clock.now += pauses[-1]

    assert pauses == [60, 120, 240, 480, 900, 900, 900]


def test_after_a_pause_one_failure_is_enough(breaker: CircuitBreaker, clock: Clock) -> None:
    """After a pause, a single call tests whether the outage is over."""
    for attachment in ("1/1", "1/2", "1/3"):
        breaker.record_failure(BiginUnavailableError("x"), attachment)
    clock.now += 60
    breaker.record_failure(BiginUnavailableError("x"), "1/4")

    assert breaker.remaining_s() == 120


def test_calls_under_way_do_not_lengthen_the_pause(breaker: CircuitBreaker, clock: Clock) -> None:
    """Eight calls that fail together cost one pause, not eight."""
    for _ in range(8):
        breaker.record_failure(BiginTokenRejectedError("x"), "1/1")
        clock.now += 1

    assert breaker.remaining_s() == 52


def test_pause_ends_by_itself(breaker: CircuitBreaker, clock: Clock) -> None:
    """When the pause is over Bigin may be called, one call at a time."""
    breaker.record_failure(BiginTokenRejectedError("x"), "1/1")
    clock.now += 60

    assert breaker.remaining_s() == 0
    assert not breaker.is_closed


def test_success_ends_everything(breaker: CircuitBreaker, clock: Clock) -> None:
    """A success means full speed, and the next pause is the shortest again."""
    for _ in range(3):
        breaker.record_failure(BiginTokenRejectedError("x"), "1/1")
        clock.now += 1000
    breaker.record_success()
    released = (breaker.remaining_s(), breaker.is_closed, breaker.cause)
    breaker.record_failure(BiginTokenRejectedError("x"), "1/1")

    assert released == (0, True, None)
    assert breaker.remaining_s() == 60


@pytest.mark.parametrize(("retry_after_s", "expected"), [(None, 60), (5, 60), (300, 300), (3600, 3600)])
def test_pause_is_at_least_what_bigin_asks(breaker: CircuitBreaker, retry_after_s: int | None, expected: int) -> None:
    """A Retry-After that is longer than the pause counts."""
    breaker.record_failure(BiginRateLimitedError("x", retry_after_s=retry_after_s), "1/1")

    assert expected == breaker.remaining_s()


def test_outage_of_weeks(clock: Clock) -> None:
    """No number of pauses makes the breaker fail."""
    breaker = CircuitBreaker(2.0, 5.0, clock)
    for _ in range(2000):
        breaker.record_failure(BiginTokenRejectedError("x"), "1/1")
        clock.now += 5

    assert breaker.remaining_s() == 0


@given(steps=st.lists(st.one_of(st.none(), st.floats(0, 1000), st.sampled_from([*AT_ONCE, BiginUnavailableError]))))
def test_remaining_time_is_bounded(steps: list[type[BiginUnhealthyError] | float | None]) -> None:
    """Whatever happens, the pause is never negative and never longer than the longest."""
    clock = Clock()
    breaker = CircuitBreaker(60, 900, clock)
    for number, step in enumerate(steps):
        if step is None:
            breaker.record_success()
        elif isinstance(step, float):
            clock.now += step
        else:
            breaker.record_failure(step("x"), str(number))

        assert 0 <= breaker.remaining_s() <= 900


def test_files_that_break_off_one_after_the_other_are_an_outage(breaker: CircuitBreaker) -> None:
    """Ten different files in a row that do not arrive whole pause the container. A whole file resets the count."""
    for number in range(INCOMPLETE_IN_A_ROW):
        assert breaker.remaining_s() == 0
        breaker.record_answer()
        breaker.record_failure(DownloadIncompleteError("cut"), f"1/{number}")

    assert breaker.remaining_s() == 60
    breaker.record_answer()
    assert breaker.remaining_s() == 60
    breaker.record_success()
    assert breaker.remaining_s() == 0


def test_a_file_that_breaks_off_among_whole_ones_is_no_outage(breaker: CircuitBreaker) -> None:
    """One file that never arrives whole pauses nothing, nor do many with whole files in between."""
    for number in range(3 * INCOMPLETE_IN_A_ROW):
        breaker.record_failure(DownloadIncompleteError("cut"), "1/1")
        breaker.record_failure(DownloadIncompleteError("cut"), f"1/{number}")
        if number % 5 == 0:
            breaker.record_success()

    assert breaker.remaining_s() == 0
