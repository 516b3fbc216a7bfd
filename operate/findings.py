"""What a check found: fine, a problem with its remedy, or not known. Doctor, selftest and probe print it alike."""

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from enum import StrEnum

from operate.errors import OperateError
from operate.terminal import bad, good, say, uncertain, working


class State(StrEnum):
    """The state of a thing; the value is what ``doctor --json`` prints."""

    OK = "ok"
    PROBLEM = "problem"
    UNKNOWN = "unknown"


@dataclass(frozen=True, slots=True)
class Finding:
    """One line of the report; ``remedy`` is empty where there is nothing to do."""

    name: str
    state: State
    detail: str
    remedy: str = ""


# A check: its name, and the function that looks. The function raises OperateError if it cannot look.
Check = tuple[str, Callable[[], Finding]]


def ok(name: str, detail: str) -> Finding:
    """A finding that is fine."""
    return Finding(name, State.OK, detail)


def problem(name: str, detail: str, remedy: str) -> Finding:
    """A finding that needs a remedy."""
    return Finding(name, State.PROBLEM, detail, remedy)


def unknown(name: str, detail: str, remedy: str = "") -> Finding:
    """A finding that could not be made."""
    return Finding(name, State.UNKNOWN, detail, remedy)


def look(checks: Iterable[Check]) -> Iterator[Finding]:
    """Run one check after the other. A check that fails stops no other."""
    for name, check in checks:
        try:
            with working(f"Looking at: {name}"):
                found = check()
        except OperateError as error:
            found = unknown(name, error.problem, error.remedy)
        yield found


def show(finding: Finding, *, name_width: int = 0) -> None:
    """Print one line, and the remedy below it. Names take at least ``name_width`` columns."""
    text = f"{finding.name + ':':<{name_width}} {finding.detail}"
    if finding.state is State.OK:
        good(text)
    elif finding.state is State.PROBLEM:
        bad(text, finding.remedy)
    else:
        uncertain(text)
        if finding.remedy:
            say(f"  {finding.remedy}")
