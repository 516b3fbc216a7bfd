"""The keys of callers: made here, shown once, and stored only as a SHA-256."""

import secrets
import time
from collections.abc import Callable
from dataclasses import dataclass

from bigin_archive.callers import caller_key
from bigin_archive.callers.caller import MAX_NAME_CHARACTERS, Caller
from bigin_archive.callers.caller_key import CallerKey
from bigin_archive.callers.caller_limits import CallerLimits
from bigin_archive.callers.caller_table import CallerTable
from bigin_archive.clock import iso
from operate.errors import OperateError
from operate.stack.archive import translate_errors
from operate.stack.target import Target

DAY_S = 24 * 3600


@dataclass(frozen=True, slots=True)
class ListedCaller:
    """The entry of a key. Times are ISO 8601 in UTC; ``last_used_at`` is None for a key that was never used."""

    key_id: str
    name: str
    right: str
    state: str
    created_at: str
    ends_at: str
    ended_at: str | None
    last_used_at: str | None


class Keys:
    """The keys of one stack. Every method raises OperateError."""

    def __init__(self, target: Target, now: Callable[[], float] = time.time) -> None:
        stack = target.stack
        if not stack.callers_table or not stack.leases_table:
            raise OperateError(
                f"The stack {stack.name} takes no callers with keys.",
                "Deploy it with the parameter Callers=ON; the keys are made after that.",
            )
        dynamodb = target.client("dynamodb")
        self._table = CallerTable(dynamodb, stack.callers_table)
        self._limits = CallerLimits(dynamodb, stack.leases_table)
        self._now = now

    def add(self, name: str, right: str, days: int) -> tuple[CallerKey, Caller]:
        """Make a key. It can never be shown again."""
        name = _valid(name)
        at_s = self._now()
        with translate_errors("make the key"):
            if any(caller.name == name and caller.state(iso(at_s)) == "active" for caller in self._table.all()):
                raise OperateError(
                    f"{name} has a key already.",
                    f"Choose another name, such as {name}-2; or end the old key: bigin-archive callers end {name!r}",
                    status=2,
                )
            key = caller_key.new(secrets.token_bytes)
            caller = Caller(key.key_id, name, right, key.sha256, iso(at_s), iso(at_s + days * DAY_S))
            self._table.add(caller)
        return key, caller

    def all(self) -> list[ListedCaller]:
        """Every key that was ever made, the oldest first."""
        at = iso(self._now())
        with translate_errors("list the keys"):
            callers = self._table.all()
            used = self._limits.last_used(caller.key_id for caller in callers)
        return [
            ListedCaller(
                caller.key_id,
                caller.name,
                caller.right,
                caller.state(at),
                caller.created_at,
                caller.ends_at,
                caller.ended_at,
                iso(used[caller.key_id]) if caller.key_id in used else None,
            )
            for caller in callers
        ]

    def end(self, name: str) -> list[str]:
        """End the active keys of this name (or id); return their ids."""
        at = iso(self._now())
        with translate_errors("end the key"):
            meant = [caller for caller in self._table.all() if name in (caller.name, caller.key_id)]
            if not meant:
                raise OperateError(f"There is no key of {name}.", "See them: bigin-archive callers list")
            return [caller.key_id for caller in meant if self._table.end(caller.key_id, at)]


def _valid(name: str) -> str:
    name = name.strip()
    if not name or len(name) > MAX_NAME_CHARACTERS or not name.isprintable():
        raise OperateError(
            "This name is not valid for a caller.",
            f"Say who will have the key, in 1 to {MAX_NAME_CHARACTERS} characters: n8n, Deluge, invoices.",
            status=2,
        )
    return name
