"""Whole histories: made from a seed or read from a vector, run, and shortened."""

import random
import time
import traceback
from collections import Counter
from contextlib import ExitStack, redirect_stdout
from dataclasses import asdict, dataclass
from functools import cache
from io import StringIO
from typing import Any

from tests.histories import shrink, steps
from tests.histories.clients import Clients, clients_in_memory
from tests.histories.history import History, ViolationError
from tests.histories.steps import Step
from tests.histories.world import Setup


@dataclass(frozen=True, slots=True)
class Made:
    """A history that can be run again. With ``to_rest`` it comes to rest at its end; ``why`` says what was wrong when
    it was kept.
    """

    setup: dict[str, Any]
    steps: list[Step]
    to_rest: bool = True
    why: str = ""

    def as_json(self) -> dict[str, Any]:
        return asdict(self)


def generated(seed: int, count: int = steps.STEPS) -> Made:
    """The history of a seed."""
    draw = random.Random(seed)
    return Made(steps.setup(draw), steps.steps(draw, count))


@dataclass(frozen=True, slots=True)
class Told:
    """What became of the history of one seed."""

    seed: int
    violation: str | None
    calls: int
    verdicts: Counter[str]
    seconds: float


def told(seed: int, count: int) -> Told:
    """Run the history of a seed."""
    started_s = time.monotonic()
    violation, history = outcome(generated(seed, count))
    calls = history.world.journal.calls
    return Told(seed, violation, calls, Counter(history.verdicts), time.monotonic() - started_s)


def outcome(made: Made) -> tuple[str | None, History]:
    """The violation, or None, and the history."""
    history = History(_clients(), Setup(**made.setup))
    try:
        with redirect_stdout(StringIO()):  # Powertools prints metrics once there are a hundred
            history.run(made.steps, to_rest=made.to_rest)
    except ViolationError as violation:
        return f"step {history.taken}: {violation}", history
    except Exception as error:  # noqa: BLE001 - whatever the product raises is a violation
        place = traceback.extract_tb(error.__traceback__)[-1]
        return f"step {history.taken}: {type(error).__name__} {error} in {place.filename}:{place.lineno}", history
    return None, history


def shortest(made: Made) -> Made:
    """Find a shorter history that fails in the same way."""
    violation, history = outcome(made)
    kind, to_rest = _kind(violation), history.taken == len(made.steps)

    def fails(left: list[Step], setup: dict[str, Any]) -> bool:
        return _kind(outcome(Made(setup, left, to_rest))[0]) == kind

    left, setup = shrink.shrunk(made.steps[: history.taken + 1], made.setup, asdict(Setup()), fails)
    return Made(setup, left, to_rest, outcome(Made(setup, left, to_rest))[0] or "")


def _kind(violation: str | None) -> str | None:
    """What is wrong, without places and numbers, which change when steps are left out."""
    if violation is None:
        return None
    text = violation.partition(": ")[2]
    return "".join(character for character in text if not character.isdigit())


@cache
def _clients() -> Clients:
    # For as long as the process lives: to make them takes longer than most histories.
    return _for_ever.enter_context(clients_in_memory())


_for_ever = ExitStack()
