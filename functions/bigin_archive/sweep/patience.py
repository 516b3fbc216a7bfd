"""How long a sweep has failed at the same place: time since the first failure of one cause, not tries.

The place is a list, noted as ``failing``; or a module, noted as ``silent``, none of whose records' lists can be read.
"""

from typing import Literal

from bigin_archive import clock
from bigin_archive.errors import ArchiveError, BiginUnavailableError, CreditsSpentError
from bigin_archive.sweep.cursor import SweepState

Note = Literal["failing", "silent"]


def is_over(
    state: SweepState, place: str, error: ArchiveError, now_s: float, most_s: float, note: Note = "failing"
) -> bool:
    """Note that ``place`` failed; whether Bigin has failed there, and in no other way, for ``most_s`` seconds.

    That our own credits are spent is no failure; a dead token, say, is one that nothing is left out for.
    """
    if isinstance(error, CreditsSpentError):
        return False
    return has_waited(state, place, now_s, most_s, error.code, note) and isinstance(error, BiginUnavailableError)


def has_waited(
    state: SweepState, place: str, now_s: float, most_s: float, cause: str = "", note: Note = "failing"
) -> bool:
    """Whether ``place`` was noted for the same cause ``most_s`` seconds ago or more; from now on it is noted."""
    noted = getattr(state, note) or {}
    first = clock.parse(noted.get("since"))
    if first is None or (noted.get("place"), noted.get("cause")) != (place, cause):
        setattr(state, note, {"place": place, "cause": cause, "since": clock.iso(now_s)})
        return False
    return now_s - first.timestamp() >= most_s


def end(state: SweepState, place: str) -> None:
    """Note that ``place`` is done, or skipped: a new failure there counts from the beginning."""
    if state.failing and state.failing.get("place") == place:
        state.failing = None
