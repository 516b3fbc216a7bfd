"""What the doctor says of one thing: it is well, it is not, or that cannot be told; and what to do."""

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from enum import StrEnum

from operate.errors import OperateError
from operate.terminal import working


class State(StrEnum):
    """How a thing is; the value is what ``--json`` prints."""

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


# A check names what it looks at, and looks. One that cannot look raises OperateError.
Check = tuple[str, Callable[[], Finding]]


def ok(name: str, detail: str) -> Finding:
    """It is well."""
    return Finding(name, State.OK, detail)


def problem(name: str, detail: str, remedy: str) -> Finding:
    """It is not well."""
    return Finding(name, State.PROBLEM, detail, remedy)


def unknown(name: str, detail: str, remedy: str = "") -> Finding:
    """It cannot be told."""
    return Finding(name, State.UNKNOWN, detail, remedy)


def look(checks: Iterable[Check]) -> Iterator[Finding]:
    """One after the other; what cannot be looked at holds up no other."""
    for name, check in checks:
        try:
            with working(f"Looking at: {name}"):
                found = check()
        except OperateError as error:
            found = unknown(name, error.problem, error.remedy)
        yield found
