"""How many calls may reach Bigin at one time: what limits them, seen from the caller. Pure."""

from collections.abc import Callable
from contextlib import AbstractContextManager, nullcontext

from bigin_archive.deadline import Deadline

ConcurrencyLimiter = Callable[[Deadline], AbstractContextManager[None]]


def unlimited(deadline: Deadline) -> AbstractContextManager[None]:
    """No bound on the number of calls."""
    return nullcontext()
