"""What can be made to go wrong: the kinds of faults and their parameters."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, fields
from typing import Any, ClassVar

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


@dataclass(frozen=True, slots=True)
class Late:
    """The call does its work at once, and its answer comes after a number of seconds."""

    kind: ClassVar[str] = "late"
    seconds: float


@dataclass(frozen=True, slots=True)
class Altered:
    """Of an upload (call `commit`): another name, other bytes of the same size, or another size as lists show it."""

    kind: ClassVar[str] = "altered"
    file_name: str | None = None
    content: bool = False
    size_listed: int | None = None


@dataclass(frozen=True, slots=True)
class Hidden:
    """Of an upload (call `commit`): so many lists of its record do not show it yet; None: no list ever does."""

    kind: ClassVar[str] = "hidden"
    lists: int | None = 1


@dataclass(frozen=True, slots=True)
class Deferred:
    """Of an upload (call `commit`): the connection is reset at once, and the file appears after some seconds."""

    kind: ClassVar[str] = "deferred"
    seconds: float


@dataclass(frozen=True, slots=True)
class RecordDeleted:
    """Of an upload (call `commit`): the record is deleted while the file is on its way."""

    kind: ClassVar[str] = "record-deleted"


Fault = (
    Canned | Cut | Framing | Longer | Declared | Reset | ResetBeforeHeaders | Stall | Drip | Delay | Late
    | Altered | Hidden | Deferred | RecordDeleted
)  # fmt: skip

_FAULTS: dict[str, type[Fault]] = {
    fault.kind: fault
    for fault in (
        Canned, Cut, Framing, Longer, Declared, Reset, ResetBeforeHeaders, Stall, Drip, Delay, Late,
        Altered, Hidden, Deferred, RecordDeleted,
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
    "content": lambda value: isinstance(value, bool),
    "extra": _count,
    "file_name": lambda value: value is None or isinstance(value, str),
    "framing": lambda value: value in FRAMINGS,
    "headers": lambda value: isinstance(value, dict),
    "lists": lambda value: value is None or _count(value),
    "phase": lambda value: value in PHASES,
    "seconds": _seconds,
    "size": _count,
    "size_listed": lambda value: value is None or _count(value),
    "status": lambda value: _count(value) and 200 <= value <= 599,
}
