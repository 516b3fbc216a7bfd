"""Makes a failing history as short as possible (delta debugging: Zeller and Hildebrandt, 2002)."""

import copy
from collections.abc import Callable
from typing import Any

from tests.histories.steps import Step

Fails = Callable[[list[Step], dict[str, Any]], bool]


def shrunk(
    steps: list[Step], setup: dict[str, Any], plain: dict[str, Any], fails: Fails
) -> tuple[list[Step], dict[str, Any]]:
    """The fewest steps, the fewest interruptions and the plainest setup that still fail in the same way."""
    steps = _fewer_steps(steps, lambda left: fails(left, setup))
    for name, value in plain.items():
        simpler = {**setup, name: value}
        if simpler != setup and fails(steps, simpler):
            setup = simpler
    steps = _fewer_interruptions(steps, lambda left: fails(left, setup))
    return _fewer_steps(steps, lambda left: fails(left, setup)), setup


def _fewer_steps(steps: list[Step], fails: Callable[[list[Step]], bool]) -> list[Step]:
    size = max(1, len(steps) // 2)
    while True:
        position, is_shorter = 0, False
        while position < len(steps):
            left = steps[:position] + steps[position + size :]
            if fails(left):
                steps, is_shorter = left, True
            else:
                position += size
        if size == 1 and not is_shorter:
            return steps
        size = max(1, size // 2)


def _fewer_interruptions(steps: list[Step], fails: Callable[[list[Step]], bool]) -> list[Step]:
    for number, (_, arguments) in enumerate(steps):
        for call in list(arguments.get("plan", {})):
            left = copy.deepcopy(steps)
            del left[number][1]["plan"][call]
            if not left[number][1]["plan"]:
                del left[number][1]["plan"]
            if fails(left):
                steps = left
    return steps
