"""The budget of a sweep: what it may spend now, and how long an account takes."""

import re
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bigin_archive.ledger.stored_list import KEPT_S
from bigin_archive.sweep.credit_budget import LEAST_ALLOWANCE, CreditBudget

PAGE = (Path(__file__).parents[2] / "docs" / "sweep.md").read_text(encoding="utf-8")
COUNTS = st.integers(0, 200_000)


@pytest.mark.parametrize(
    ("used_day", "used_hour", "waiting", "remaining", "expected"),
    [
        (0, 0, 0, None, 3125),
        (0, 3000, 0, None, 125),
        (22_400, 0, 0, None, 100),
        (22_500, 0, 0, None, 0),
        (30_000, 0, 0, None, 0),
        (0, 0, 1000, None, 2125),
        (0, 0, 4000, None, 0),
        (0, 0, 0, 5040, 40),
        (0, 0, 30, 5040, 10),
        (0, 0, 0, 5000, 0),
        (0, 0, 0, 0, 0),
    ],
)
def test_a_sweep_may_spend_what_nobody_else_needs(
    used_day: int, used_hour: int, waiting: int, remaining: int | None, expected: int
) -> None:
    """A sweep gets the least of what is left of the day, of the hour and by Bigin's count, less what is reserved or
    queued.
    """
    assert expected == CreditBudget(50_000, 50).allowance(used_day, used_hour, waiting, remaining)


def test_in_each_hour_a_list_and_a_file_of_it_are_possible() -> None:
    """Also with the smallest share that the template takes: a sweep that may never do that would never end."""
    assert LEAST_ALLOWANCE <= CreditBudget(1000, 1).allowance(0, 0, 0, None)


@given(daily=st.integers(1000, 100_000), percent=st.integers(1, 100), used=COUNTS, waiting=COUNTS)
def test_the_share_is_never_passed(daily: int, percent: int, used: int, waiting: int) -> None:
    """What was used, what waits and what a sweep may spend stay within the share together, unless events passed it."""
    budget = CreditBudget(daily, percent)

    allowance = budget.allowance(used, 0, waiting, None)

    assert 0 <= allowance
    assert not allowance or used + waiting + allowance <= budget.share


ROWS = re.findall(r"^\| ([\d,]+) records, ([\d,]+) files \| ([\d,]+) \| (.*) \| (.*) \| (.*) \|$", PAGE, re.MULTILINE)


@pytest.mark.parametrize("row", ROWS, ids=lambda row: row[0])
def test_the_page_tells_the_durations(row: tuple[str, ...]) -> None:
    """The table of durations is what the budget comes to."""
    records, files, stated = (int(figure.replace(",", "")) for figure in row[:3])

    assert records // 200 + records + files == stated
    for daily, text in zip((5000, 51_250, 100_000), row[3:], strict=True):
        budget = CreditBudget(daily, 50)
        days = stated / budget.sweep_share
        expected = f"{days:.1f} days" if days > 1 else f"{8 * stated / budget.share:.1f} hours"
        assert expected == text


def test_stored_lists_outlive_the_longest_sweep() -> None:
    """A stored list lives three times as long as the longest sweep, which would begin again without it."""
    longest = max(float(days) for row in ROWS for days in re.findall(r"([\d.]+) days", " ".join(row)))

    assert KEPT_S > 3 * longest * 86400


def test_the_readme_has_such_a_table() -> None:
    """The page has a row for each of three sizes of account."""
    assert 3 == len(ROWS)
