"""Random histories of a whole account, and those that failed once."""

import json
from pathlib import Path

import pytest

from tests.histories import runs
from tests.histories.runs import Made

KEPT = sorted((Path(__file__).parents[1] / "vectors" / "histories").glob("*.json"))
SEEDS = range(1, 61)  # about a minute of a processor


@pytest.mark.parametrize("path", KEPT, ids=lambda path: path.stem)
def test_a_history_that_failed_once_is_told_as_it_is(path: Path) -> None:
    """A history that failed once, made short and kept, fails no more."""
    kept = json.loads(path.read_text(encoding="utf-8"))

    violation, _ = runs.outcome(Made(**kept))

    assert violation is None, kept["why"]


@pytest.mark.parametrize("seed", SEEDS)
def test_what_an_audit_says_is_what_is_true(seed: int) -> None:
    """Audits tell the truth through a hundred random steps and at rest. Repeat: python -m tests.histories --seed N."""
    assert runs.told(seed, 100).violation is None
