"""What can happen in a history: steps as JSON values, drawn at random.

A step is a list: its name, then its arguments by name. Numbers choose among what there is when the step is taken, so
that a step keeps its sense when others before it are left out.
"""

import random
from collections.abc import Callable
from dataclasses import asdict
from typing import Any

from tests.histories.interrupts import CUT, DENIALS, FAIL, KILL, KILL_AFTER, LOSE
from tests.histories.world import Setup

Step = list[Any]
Draw = Callable[[random.Random], dict[str, Any]]

STEPS, AUDIT_EVERY = 100, 20
_MOST_CALLS = 90  # of a run, within which something may happen


def _number(draw: random.Random) -> int:
    return draw.randrange(1000)


def _size(draw: random.Random) -> int:
    return draw.choice((0, 1, 12, 13, 40))


def _edits(draw: random.Random) -> bool:
    return draw.random() < 0.5


# How often, and with which arguments. What happens in Bigin:
BIGIN: dict[str, tuple[int, Draw]] = {
    "new record": (3, lambda draw: {"number": _number(draw)}),
    "attach": (14, lambda draw: {"number": _number(draw), "size": _size(draw), "edits": _edits(draw)}),
    "attach link": (3, lambda draw: {"number": _number(draw), "edits": _edits(draw)}),
    "replace": (2, lambda draw: {"number": _number(draw), "same_size": _edits(draw), "edits": _edits(draw)}),
    "rename": (1, lambda draw: {"number": _number(draw)}),
    "remove": (4, lambda draw: {"number": _number(draw), "edits": _edits(draw)}),
    "restore": (2, lambda draw: {"number": _number(draw)}),
    "move": (2, lambda draw: {"number": _number(draw), "to": _number(draw), "edits": _edits(draw)}),
    "merge": (1, lambda draw: {"number": _number(draw), "to": _number(draw)}),
    "remove record": (1, lambda draw: {"number": _number(draw)}),
    "keep back": (1, lambda draw: {"number": _number(draw)}),
    "approve": (1, lambda draw: {"number": _number(draw)}),
}
# What the stack does:
STACK: dict[str, tuple[int, Draw]] = {
    "wait": (6, lambda draw: {"minutes": draw.choice((1, 5, 15, 60, 600))}),
    "slice": (6, lambda draw: {"order": draw.choice((None, None, "nightly", "full")), "plan": _plan(draw)}),
    "work": (10, lambda draw: {"batches": draw.choice((1, 3)), "plan": _plan(draw)}),
    "event": (5, lambda draw: {"number": _number(draw), "plan": _plan(draw)}),
    "refresh": (1, lambda draw: {"plan": _plan(draw)}),
    "revoke": (1, lambda draw: {}),
    "deliver twice": (2, lambda draw: {"number": _number(draw)}),
}
# What the operator does, but for audits:
OPERATOR: dict[str, tuple[int, Draw]] = {
    "rebuild": (2, lambda draw: {"plan": _plan(draw)}),
    "redrive": (2, lambda draw: {"plan": _plan(draw)}),
    "get": (2, lambda draw: {"number": _number(draw)}),
}
# What nobody should do:
STRANGER: dict[str, tuple[int, Draw]] = {
    "delete object": (2, lambda draw: {"number": _number(draw)}),
    "overwrite object": (
        2,
        lambda draw: {
            "number": _number(draw),
            "how": draw.choice(("longer", "shorter", "same length", "copied")),
        },
    ),
    "add beside": (2, lambda draw: {"number": _number(draw), "as_copy": _edits(draw)}),
    "add before": (1, lambda draw: {"number": _number(draw), "of_its_size": _edits(draw)}),
    "add elsewhere": (1, lambda draw: {"number": _number(draw)}),
    "lose row": (2, lambda draw: {"number": _number(draw)}),
    "lose table": (1, lambda draw: {}),
    "mend object": (3, lambda draw: {"number": _number(draw)}),
}
_PLANNED = ("slice", "work", "event", "refresh", "rebuild", "redrive", "sweep", "audit")


def setup(draw: random.Random) -> dict[str, Any]:
    """What is the same through a history, as JSON."""
    return asdict(
        Setup(
            page_size=draw.choice((200, 200, 5, 3, 2)),
            list_of_all=draw.random() < 0.4,
            daily_credits=draw.choice((50_000, 50_000, 600)),
            bigin_ahead_s=draw.choice((0, 0, 300, -300, 600, -600)),
            s3_ahead_s=draw.choice((0, 0, 1, -1)),
            operator_ahead_s=draw.choice((0, 0, 240, -240)),
            listed_at_once=draw.choice((1000, 3)),
        )
    )


def steps(draw: random.Random, count: int = STEPS) -> list[Step]:
    """A history: some kinds of steps are left out of it, so that the others meet."""
    kinds = {**BIGIN, **STACK}
    if draw.random() < 0.6:
        kinds |= OPERATOR
    if draw.random() < 0.5:
        kinds |= STRANGER
    for name in draw.sample(sorted(kinds), draw.randrange(len(kinds) // 2)):
        if name not in ("attach", "new record", "work"):
            del kinds[name]
    fails = draw.choice((0.0, 0.1, 0.4))  # of the runs that are interrupted
    names, weights = list(kinds), [weight for weight, _ in kinds.values()]
    made: list[Step] = [["new record", {"number": number}] for number in range(draw.randrange(1, 5))]
    made += [["attach", BIGIN["attach"][1](draw)] for _ in range(draw.randrange(6))]
    while len(made) < count:
        if len(made) % AUDIT_EVERY == AUDIT_EVERY - 1:
            made.append(_audit(draw, fails))
            continue
        name = draw.choices(names, weights)[0]
        made.append([name, _thinned(kinds[name][1](draw), draw, fails)])
    return made


def _audit(draw: random.Random, fails: float) -> Step:
    if draw.random() < 0.5:
        order = draw.choice(("nightly", "full", "nightly by record", "full by record"))
        return ["sweep", _thinned({"order": order, "plan": _plan(draw)}, draw, fails)]
    how = {name: draw.random() < 0.3 for name in ("by_head", "by_record", "as_of_sweep", "mend")}
    if how["as_of_sweep"]:
        how["by_record"] = False
    return ["audit", _thinned({**how, "plan": _plan(draw)}, draw, fails)]


def _thinned(arguments: dict[str, Any], draw: random.Random, fails: float) -> dict[str, Any]:
    """Without its plan, in most runs."""
    if "plan" in arguments and draw.random() >= fails:
        del arguments["plan"]
    return arguments


def _plan(draw: random.Random) -> dict[str, Any]:
    """One to three things that happen at some of the first calls."""
    made: dict[str, Any] = {}
    for _ in range(draw.randrange(1, 4)):
        call = str(1 + int(draw.random() ** 2 * _MOST_CALLS))
        if draw.random() < 0.35:
            name = draw.choices(list(BIGIN), [weight for weight, _ in BIGIN.values()])[0]
            made[call] = [name, BIGIN[name][1](draw)]
        else:
            made[call] = draw.choice((KILL, KILL_AFTER, KILL_AFTER, FAIL, FAIL, LOSE, CUT, *DENIALS))
    return made
