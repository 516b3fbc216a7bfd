"""A point in time that no transfer outlives."""

import time
from collections.abc import Callable

from bigin_archive.errors import OutOfTimeError


class Deadline:
    """``seconds`` from now, on a clock that no adjustment of the wall clock can move."""

    def __init__(self, seconds: float, clock: Callable[[], float] = time.monotonic) -> None:
        self._clock = clock
        self._at = clock() + seconds

    def remaining_s(self) -> float:
        """Seconds left, 0 when it has passed."""
        return max(0.0, self._at - self._clock())

    def check(self) -> None:
        """Raise OutOfTimeError when it has passed."""
        if self.remaining_s() <= 0:
            raise OutOfTimeError(
                "The file could not be finished in the time of this call; nothing was stored. Try again later."
            )
