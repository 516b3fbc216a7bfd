"""On which calls faults strike.

A rule names calls and a fault; choosing depends on the order of calls alone, never on time, and a
fraction depends on the seed and on the path, so that concurrency does not change what fails.
"""

import hashlib
from collections import Counter
from dataclasses import dataclass, field
from typing import Any

from .faults import Fault

CALLS = ("download", "list", "records", "upload", "commit", "token", "revoke", "other")


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
        """Return whether the rule names this call."""
        return (
            self.call in ("any", call)
            and self.record_id in (None, record_id)
            and self.attachment_id in (None, attachment_id)
        )

    def strikes(self, path: str) -> bool:
        """Count a call that the rule names, and return whether the fault strikes it."""
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
