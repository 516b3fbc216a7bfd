"""The entry of a key: its name, its right and its end. Pure."""

import hmac
from dataclasses import dataclass, field

from bigin_archive.callers.caller_key import CallerKey

RIGHTS = ("archive", "link")  # each includes those before it
MOST_DAYS = 365  # the longest life of a key
MAX_NAME_CHARACTERS = 64
# Compared if there is no such caller, so that an unknown key takes as long as a wrong one.
_NOBODY = "0" * 64


@dataclass(frozen=True, slots=True)
class Caller:
    """One key's entry. Times are ISO 8601 in UTC; ``ended_at`` is set by hand, ``ends_at`` comes by itself."""

    key_id: str
    name: str
    right: str
    sha256: str = field(repr=False)
    created_at: str
    ends_at: str
    ended_at: str | None = None

    def state(self, at: str) -> str:
        """``active``, ``expired`` or ``ended``."""
        if self.ended_at:
            return "ended"
        return "active" if at < self.ends_at else "expired"


def is_key_of(key: CallerKey, caller: Caller | None, at: str) -> bool:
    """Whether the key is this caller's, and neither ended nor expired. It takes the same time for every refusal."""
    same = hmac.compare_digest(key.sha256, caller.sha256 if caller else _NOBODY)
    return same and caller is not None and caller.state(at) == "active"


def includes(right: str, wanted: str) -> bool:
    """Whether the right ``right`` includes the right ``wanted``."""
    return right in RIGHTS and RIGHTS.index(right) >= RIGHTS.index(wanted)
