"""What can happen in a history: steps as JSON values, drawn at random.

A step is a list: its name, then its arguments by name. Numbers choose among what there is when the step is taken, so a
step keeps its sense when others before it are left out.
"""

import random
from collections.abc import Callable, Mapping
from dataclasses import asdict, dataclass
from typing import Any

from tests.histories.interrupts import CALL_S, CUT, DENIALS, FAIL, KILL, KILL_AFTER, LOSE, PART
from tests.histories.world import Setup

Step = list[Any]
Draw = Callable[[random.Random], dict[str, Any]]

STEPS, AUDIT_EVERY = 100, 20
_MOST_CALLS = 90  # of a run, within which something may happen
_MOST_PAGES = 24  # of the lists of a run, between which Bigin may change
_RETENTION_MINUTES = 15 * 24 * 60  # longer than a message lives


def _number(draw: random.Random) -> int:
    """Choose one of the first half of the time, so that several things happen to the same attachment."""
    return draw.choice((draw.randrange(3), draw.randrange(1000)))


def _crowded(draw: random.Random) -> int:
    """Choose one of the first records often, so that its list has several pages."""
    return draw.choice((0, 1, _number(draw)))


def _size(draw: random.Random) -> int:
    return draw.choice((0, 1, 12, 13, 40))


def _edits(draw: random.Random) -> bool:
    return draw.random() < 0.5


# How often, and with which arguments. What happens in Bigin:
BIGIN: dict[str, tuple[int, Draw]] = {
    "new record": (3, lambda draw: {"number": _number(draw)}),
    "attach": (
        14,
        lambda draw: {
            "number": _crowded(draw),
            "size": _size(draw),
            "edits": _edits(draw),
            "called": draw.choice((0, 0, _number(draw))),
        },
    ),
    "attach link": (3, lambda draw: {"number": _number(draw), "edits": _edits(draw)}),
    "replace": (2, lambda draw: {"number": _number(draw), "same_size": _edits(draw), "edits": _edits(draw)}),
    "rename": (1, lambda draw: {"number": _number(draw)}),
    "remove": (4, lambda draw: {"number": _number(draw), "edits": _edits(draw)}),
    "restore": (2, lambda draw: {"number": _number(draw)}),
    "restore record": (1, lambda draw: {"number": _number(draw)}),
    "turn": (1, lambda draw: {"number": _number(draw), "edits": _edits(draw)}),
    "move": (2, lambda draw: {"number": _number(draw), "to": _number(draw), "edits": _edits(draw)}),
    "merge": (1, lambda draw: {"number": _number(draw), "to": _number(draw)}),
    "remove record": (1, lambda draw: {"number": _number(draw)}),
    "keep back": (1, lambda draw: {"number": _number(draw)}),
    "approve": (1, lambda draw: {"number": _number(draw)}),
}
# What happens in Bigin before a page of a list: in the list itself, where it moves other entries to other pages.
MEANWHILE: dict[str, tuple[int, Draw]] = {
    **BIGIN,
    # The last ones come first in the list, so that they were read already.
    "remove from list": (30, lambda draw: {"number": draw.choice((-1, -1, -2, -3, _number(draw)))}),
    "add to list": (15, lambda draw: {"number": _number(draw), "edits": _edits(draw)}),
}
# Another run at one of the calls of a run, as if both were under way:
BESIDE: dict[str, tuple[int, Draw]] = {
    "work beside": (6, lambda draw: {}),
    "event beside": (2, lambda draw: {"number": _number(draw)}),
    "slice beside": (3, lambda draw: {}),
    "rebuild beside": (1, lambda draw: {}),
    "redrive beside": (1, lambda draw: {}),
}
# What the stack does:
STACK: dict[str, tuple[int, Draw]] = {
    "wait": (6, lambda draw: {"minutes": draw.choice((1, 1, 5, 5, 15, 15, 60, 60, 600, 600, _RETENTION_MINUTES))}),
    "slice": (6, lambda draw: {"order": draw.choice((None, None, "nightly", "full"))}),
    "work": (10, lambda draw: {"batches": draw.choice((1, 3))}),
    "event": (5, lambda draw: {"number": _number(draw), "named": draw.random() < 0.3}),
    "refresh": (1, lambda draw: {}),
    "revoke": (1, lambda draw: {}),
    "deliver twice": (2, lambda draw: {"number": _number(draw)}),
    "many tries": (2, lambda draw: {"number": _number(draw), "tries": draw.choice((98, 99, 100))}),
}
# What the operator does, but for audits:
OPERATOR: dict[str, tuple[int, Draw]] = {
    "rebuild": (2, lambda draw: {}),
    "redrive": (2, lambda draw: {}),
    "get": (2, lambda draw: {"number": _number(draw)}),
    "dry run": (1, lambda draw: {"by_record": _edits(draw)}),
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
    "to glacier": (1, lambda draw: {"number": _number(draw)}),
    "lose page": (1, lambda draw: {"number": _number(draw)}),
    "lose work": (1, lambda draw: {}),
    "lose row": (2, lambda draw: {"number": _number(draw)}),
    "lose table": (1, lambda draw: {}),
    "mend object": (3, lambda draw: {"number": _number(draw)}),
}
FAULTS = (KILL, KILL_AFTER, KILL_AFTER, FAIL, FAIL, PART, LOSE, CUT, *DENIALS)
_RUNS = ("slice", "work", "event", "refresh", "rebuild", "redrive", "sweep", "audit", "dry run")
_LISTING = ("slice", "sweep", "audit", "event", "work", "dry run")  # steps that read lists


def setup(draw: random.Random) -> dict[str, Any]:
    """What stays the same through a history, as JSON."""
    return asdict(
        Setup(
            page_size=draw.choice((200, 5, 3, 2, 2)),
            list_of_all=draw.random() < 0.4,
            pages_by_place=draw.random() < 0.7,
            daily_credits=draw.choice((50_000, 50_000, 600)),
            bigin_ahead_s=draw.choice((0, 0, 300, -300, 600, -600)),
            s3_ahead_s=draw.choice((0, 0, 1, -1)),
            operator_ahead_s=draw.choice((0, 0, 240, -240)),
            listed_at_once=draw.choice((1000, 3)),
            slice_s3_call_s=draw.choice((CALL_S, CALL_S, CALL_S, 60)),
            counts_lag_s=draw.choice((0, 0, 60)),
        )
    )


def steps(draw: random.Random, count: int = STEPS) -> list[Step]:
    """A history. It leaves some kinds of steps out, so that the others meet more often."""
    if draw.random() < 0.25:
        return _about_lists(draw, count)
    kinds = {**BIGIN, **STACK}
    if draw.random() < 0.6:
        kinds |= OPERATOR
    if draw.random() < 0.5:
        kinds |= STRANGER
    for name in draw.sample(sorted(kinds), draw.randrange(len(kinds) // 2)):
        if name not in ("attach", "new record", "work"):
            del kinds[name]
    fails, changes, beside = (draw.choice(each) for each in ((0.0, 0.1, 0.4), (0.0, 0.4, 0.9), (0.0, 0.3, 0.7)))
    odds = _Odds(fails, changes, beside)
    made: list[Step] = [["new record", {"number": number}] for number in range(draw.randrange(1, 5))]
    made += [["attach", BIGIN["attach"][1](draw)] for _ in range(draw.randrange(6))]
    return _filled(made, count, AUDIT_EVERY, kinds, odds, draw)


def _about_lists(draw: random.Random, count: int) -> list[Step]:
    """A history about lists: crowded, read often, and changed while they are read."""
    made: list[Step] = [["new record", {"number": 0}] for _ in range(draw.randrange(2, 9))]
    made += [["attach", BIGIN["attach"][1](draw)] for _ in range(draw.randrange(4, 15))]
    kinds = {**BIGIN, "wait": STACK["wait"], "work": STACK["work"]}
    return _filled(made, count, 6, kinds, _Odds(fails=0, changes=1, beside=draw.choice((0.0, 0.3))), draw)


def _filled(
    made: list[Step],
    count: int,
    audit_every: int,
    kinds: Mapping[str, tuple[int, Draw]],
    odds: "_Odds",
    draw: random.Random,
) -> list[Step]:
    names, weights = list(kinds), [weight for weight, _ in kinds.values()]
    while len(made) < count:
        if len(made) % audit_every == audit_every - 1:
            made.append(_planned(_audit(draw), draw, odds))
            continue
        name = draw.choices(names, weights)[0]
        made.append(_planned([name, kinds[name][1](draw)], draw, odds))
    return made


def _audit(draw: random.Random) -> Step:
    if draw.random() < 0.5:
        kinds = ("nightly", "full", "nightly by record", "full by record")
        narrow = ("full of Contacts", "full by record of Contacts", "full by record of Notes")
        return ["sweep", {"order": draw.choice((*kinds, *kinds, *narrow))}]
    how: dict[str, Any] = {name: draw.random() < 0.3 for name in ("by_head", "by_record", "as_of_sweep", "mend")}
    if draw.random() < 0.15:
        how["deep"] = 0.5
    if draw.random() < 0.15:
        how["modules"] = draw.choice((["Contacts"], ["Notes", "Pipelines"]))
    if how["as_of_sweep"]:
        how["by_record"] = False
    return ["audit", how]


@dataclass(frozen=True, slots=True)
class _Odds:
    """Of a run: that calls fail or it is killed, that Bigin changes while it reads lists, and that others run beside
    it.
    """

    fails: float
    changes: float
    beside: float


def _planned(step: Step, draw: random.Random, odds: _Odds) -> Step:
    """The step, with what happens while it is taken."""
    name, arguments = step
    plan: dict[str, Any] = {}
    if name in _RUNS and draw.random() < odds.fails:
        for _ in range(draw.randrange(1, 4)):
            plan[str(_early(draw, _MOST_CALLS))] = draw.choice(FAULTS)
    if name in _RUNS and draw.random() < odds.beside:
        for _ in range(draw.randrange(1, 4)):
            beside = draw.choices(list(BESIDE), [weight for weight, _ in BESIDE.values()])[0]
            plan.setdefault(str(_early(draw, _MOST_CALLS)), [beside, BESIDE[beside][1](draw)])
    if name in _LISTING and draw.random() < odds.changes:
        for _ in range(draw.randrange(1, 7)):
            at = f"page {1 + draw.randrange(_MOST_PAGES)}" if draw.random() < 0.8 else str(_early(draw, _MOST_CALLS))
            kinds = MEANWHILE if at.startswith("page") else BIGIN
            change = draw.choices(list(kinds), [weight for weight, _ in kinds.values()])[0]
            plan.setdefault(at, [change, kinds[change][1](draw)])
    return [name, {**arguments, "plan": plan}] if plan else step


def _early(draw: random.Random, most: int) -> int:
    """A number from 1 to ``most``, small ones more often."""
    return 1 + int(draw.random() ** 2 * most)
