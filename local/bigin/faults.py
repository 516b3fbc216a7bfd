"""What can be made to go wrong, and on which calls it does.

A rule names calls and a fault; choosing depends on the order of calls alone, never on time, and a
fraction depends on the seed and on the path, so that concurrency does not change what fails.
"""

import hashlib
from collections import Counter
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, fields
from typing import Any, ClassVar

CALLS = ("download", "list", "records", "token", "other")
FRAMINGS = ("content-length", "chunked", "close", "gzip")
PHASES = ("before-headers", "after-headers", "mid-body")


@dataclass(frozen=True, slots=True)
class Canned:
    """A given answer instead of the real one."""

    kind: ClassVar[str] = "answer"
    status: int
    headers: Mapping[str, str] = field(default_factory=dict)
    body: object = ""


@dataclass(frozen=True, slots=True)
class Cut:
    """A body that ends early, with the connection; `after` in bytes, "half" or "last-byte".

    With "gzip" the HTTP message is complete and only the compressed stream inside it is cut: the
    one truncation that HTTP itself cannot show.
    """

    kind: ClassVar[str] = "cut"
    after: int | str = "half"
    framing: str = "content-length"


@dataclass(frozen=True, slots=True)
class Framing:
    """The whole body in a framing that is legal but not the usual one."""

    kind: ClassVar[str] = "framing"
    framing: str = "chunked"


@dataclass(frozen=True, slots=True)
class Longer:
    """`extra` bytes more than Content-Length says, then the end of the connection."""

    kind: ClassVar[str] = "longer"
    extra: int = 1


@dataclass(frozen=True, slots=True)
class Declared:
    """The whole body under a Content-Length of `size` bytes, then the end of the connection."""

    kind: ClassVar[str] = "declared"
    size: int


@dataclass(frozen=True, slots=True)
class Reset:
    """A TCP reset once `after` bytes of the body have arrived; in bytes, "half" or "last-byte"."""

    kind: ClassVar[str] = "reset"
    after: int | str = "half"


@dataclass(frozen=True, slots=True)
class ResetBeforeHeaders:
    """A TCP reset instead of an answer."""

    kind: ClassVar[str] = "reset-before-headers"


@dataclass(frozen=True, slots=True)
class Stall:
    """Silence for a number of seconds in one phase of the answer, which then goes on."""

    kind: ClassVar[str] = "stall"
    seconds: float
    phase: str = "mid-body"


@dataclass(frozen=True, slots=True)
class Drip:
    """A body of so many bytes a second."""

    kind: ClassVar[str] = "drip"
    bytes_per_second: int


@dataclass(frozen=True, slots=True)
class Delay:
    """A number of seconds before a normal answer."""

    kind: ClassVar[str] = "delay"
    seconds: float


Fault = Canned | Cut | Framing | Longer | Declared | Reset | ResetBeforeHeaders | Stall | Drip | Delay

_FAULTS: dict[str, type[Fault]] = {
    fault.kind: fault
    for fault in (
        Canned, Cut, Framing, Longer, Declared, Reset, ResetBeforeHeaders, Stall, Drip, Delay
    )
}  # fmt: skip


def parse_fault(data: Mapping[str, Any]) -> Fault:
    """Return the fault a control request describes.

    Raises:
        ValueError: the kind is unknown, or a parameter is unknown, missing or impossible.
    """
    parameters = {name: value for name, value in data.items() if name != "kind"}
    if data.get("kind") not in _FAULTS:
        raise ValueError(f"fault kind {data.get('kind')!r} is not one of {', '.join(_FAULTS)}")
    for name, value in parameters.items():
        if name in _POSSIBLE and not _POSSIBLE[name](value):
            raise ValueError(f"{name} cannot be {value!r}")
    try:
        return _FAULTS[data["kind"]](**parameters)
    except TypeError as exc:
        known = ", ".join(item.name for item in fields(_FAULTS[data["kind"]]))
        raise ValueError(f"fault {data['kind']!r} takes: {known or 'nothing'}") from exc


def _count(value: object) -> bool:
    return isinstance(value, int) and not isinstance(value, bool) and value >= 0


def _seconds(value: object) -> bool:
    return isinstance(value, int | float) and value >= 0


_POSSIBLE: dict[str, Callable[[Any], bool]] = {
    "after": lambda value: _count(value) or value in ("half", "last-byte"),
    "bytes_per_second": lambda value: _count(value) and value > 0,
    "extra": _count,
    "framing": lambda value: value in FRAMINGS,
    "headers": lambda value: isinstance(value, dict),
    "phase": lambda value: value in PHASES,
    "seconds": _seconds,
    "size": _count,
    "status": lambda value: _count(value) and 200 <= value <= 599,
}


@dataclass(slots=True)
class Rule:
    """One fault and the calls it strikes; `times` None means every one of them."""

    id: int
    fault: Fault
    call: str = "any"
    attachment_id: str | None = None
    record_id: str | None = None
    times: int | None = 1
    skip: int = 0
    fraction: float | None = None
    seed: int = 0
    matched: int = 0
    fired: int = 0
    seen: Counter[str] = field(default_factory=Counter)

    def matches(self, call: str, record_id: str | None, attachment_id: str | None) -> bool:
        """Say whether the rule speaks of this call."""
        return (
            self.call in ("any", call)
            and self.record_id in (None, record_id)
            and self.attachment_id in (None, attachment_id)
        )

    def strikes(self, path: str) -> bool:
        """Count a call the rule speaks of, and say whether it is struck."""
        self.matched += 1
        self.seen[path] += 1
        spent = self.times is not None and self.fired >= self.times
        if self.matched <= self.skip or spent or not self._drawn(path):
            return False
        self.fired += 1
        return True

    def _drawn(self, path: str) -> bool:
        if self.fraction is None:
            return True
        draw = hashlib.sha256(f"{self.seed}:{path}:{self.seen[path]}".encode()).digest()
        return int.from_bytes(draw[:8], "big") / 2**64 < self.fraction


class Faults:
    """The rules in force, in the order they were given; the first that strikes wins."""

    def __init__(self) -> None:
        self.rules: list[Rule] = []
        self._added = 0

    def add(self, fault: Fault, **conditions: Any) -> Rule:
        """Put a rule in force and return it."""
        self._added += 1
        self.rules.append(Rule(self._added, fault, **conditions))
        return self.rules[-1]

    def strike(
        self, call: str, path: str, record_id: str | None = None, attachment_id: str | None = None
    ) -> Fault | None:
        """Return the fault for this call, if any rule has one."""
        for rule in self.rules:
            if rule.matches(call, record_id, attachment_id) and rule.strikes(path):
                return rule.fault
        return None
