"""How many credits a sweep may spend now. Pure.

The application gets a share of the account's daily credits. Events always go first and never wait; their credits are
subtracted from the sweep's part.
"""

from dataclasses import dataclass

# A tenth of the share is left for events, so that they do not exceed it.
_SWEEP_PART = 0.9
# A tenth of a day's credits is left to other programs, by Bigin's own count of what remains.
_OTHERS_PART = 0.1
# The part of a day's share for any one hour: eight hours of work, and a queue short enough that events pass soon.
_HOUR_PART = 1 / 8


@dataclass(frozen=True, slots=True)
class CreditBudget:
    """``daily_credits`` of the account for any 24 hours; ``share_percent`` of them are for this application."""

    daily_credits: int
    share_percent: int

    @property
    def share(self) -> int:
        """Credits for this application in any 24 hours."""
        return self.daily_credits * self.share_percent // 100

    @property
    def sweep_share(self) -> int:
        """Credits of the share that sweeps may spend in any 24 hours."""
        return int(self.share * _SWEEP_PART)

    @property
    def kept_for_others(self) -> int:
        """Credits of a day that are left to other programs."""
        return int(self.daily_credits * _OTHERS_PART)

    def allowance(self, used_day: int, used_hour: int, waiting: int, remaining: int | None) -> int:
        """Credits that a sweep may spend now; 0 if it has to wait.

        ``waiting`` counts the messages in the queue, each of which will cost a credit soon. ``remaining`` is what Bigin
        says is left of the account's day, since other programs call, too.
        """
        rest = min(self.sweep_share - used_day, max(1, int(self.share * _HOUR_PART)) - used_hour)
        if remaining is not None:
            rest = min(rest, remaining - self.kept_for_others)
        return max(0, rest - waiting)
