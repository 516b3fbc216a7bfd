"""Checks callers' keys. When a key ends, its program stops archiving, and nobody notices it there."""

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta

from bigin_archive import clock
from operate.callers.keys import Keys
from operate.findings import Check, Finding, ok, problem
from operate.stack.target import Target
from operate.terminal import duration, printable

_NAME = "Callers' keys"
_SOON = timedelta(days=30)


class CallersDoctor:
    """Looks at the keys of a stack that takes callers."""

    def __init__(self, target: Target) -> None:
        self._target = target

    def checks(self) -> Iterator[Check]:
        """None for a stack without callers."""
        if self._target.stack.callers_table:
            yield _NAME, self._keys

    def _keys(self) -> Finding:
        active = [key for key in Keys(self._target).all() if key.state == "active"]
        left = {key.name: clock.parse(key.ends_at) for key in active}
        now = datetime.now(UTC)
        ending = [
            f"{printable(name)} in {duration(end - now)}" for name, end in left.items() if end and end < now + _SOON
        ]
        if ending:
            return problem(
                _NAME,
                f"Keys that end soon: {', '.join(ending)}. Then the program is refused.",
                "Make a key with another name, put it into the program, and end the old one: bigin-archive callers add",
            )
        return ok(_NAME, f"{len(active)} valid" if active else "none yet: bigin-archive callers add")
