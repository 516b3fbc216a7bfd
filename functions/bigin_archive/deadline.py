"""The time at which every transfer has to end."""

import time
from collections.abc import Callable

from bigin_archive.errors import OutOfTimeError


class Deadline:
    """``seconds`` from now, on a clock that adjustments of the wall clock do not change."""

    def __init__(self, seconds: float, clock: Callable[[], float] = time.monotonic) -> None:
        self._clock = clock
        self._at = clock() + seconds

    def remaining_s(self) -> float:
        """Seconds left, 0 after the deadline."""
        return max(0.0, self._at - self._clock())

    def check(self) -> None:
        """Raise OutOfTimeError after the deadline."""
        if self.remaining_s() <= 0:
            raise OutOfTimeError(
                "The time of this call was too short for the file. Nothing was stored. Try again later."
            )
