"""API credits: what this container's calls to Bigin cost. A call costs one (Bigin API v2, "API limits"). Pure."""

import threading
from collections.abc import Mapping
from dataclasses import dataclass

# Zoho CRM API, "API limits": in the answers to an account that has used half of its credits.
REMAINING_HEADER = "X-API-CREDITS-REMAINING"
_FREE_STATUSES = (401, 429)  # Bigin did not do what was asked for


@dataclass(frozen=True, slots=True)
class Usage:
    """Credits used, and the rest of the account's day where Bigin told it."""

    used: int
    remaining: int | None = None


class CreditMeter:
    """Counts the calls of one container, from several threads."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._used = 0
        self._remaining: int | None = None

    def count(self, status: int | None, headers: Mapping[str, str] | None = None) -> None:
        """One call; ``status`` is None where no answer came: it may have cost a credit."""
        told = (headers or {}).get(REMAINING_HEADER, "")
        with self._lock:
            self._used += status not in _FREE_STATUSES
            if told.isascii() and told.isdigit():
                self._remaining = int(told)

    def take(self) -> Usage:
        """What was counted since the last time."""
        with self._lock:
            usage, self._used, self._remaining = Usage(self._used, self._remaining), 0, None
        return usage

    def give_back(self, usage: Usage) -> None:
        """Count again what could not be written."""
        with self._lock:
            self._used += usage.used
