"""API credits: what this container's calls to Bigin cost. A call costs one (Bigin API v2, "API limits"). Pure."""

import re
import threading
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass

from bigin_archive.errors import CreditsSpentError

# Zoho CRM API, "API limits": sent once an account has used half of its credits.
REMAINING_HEADER = "X-API-CREDITS-REMAINING"
_NUMBER = re.compile(r"-?[0-9]{1,15}")
_FREE_STATUSES = (401, 429)  # Bigin refused


@dataclass(frozen=True, slots=True)
class Usage:
    """Credits used, the rest of the account's day if Bigin named it, and credits promised to queued messages."""

    used: int
    remaining: int | None = None
    promised: int = 0


class CreditMeter:
    """Counts the calls of one container, from several threads. It is asked before each call."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._used = self._promised = 0
        self._remaining: int | None = None
        self._renew: Callable[[int], int] | None = None
        self._left: int | None = None
        self._kept = 0
        self._gates = threading.local()
        self.total = 0  # used since the container began

    def limit(self, credits_left: int | None, kept: int = 0, renew: Callable[[int], int] | None = None) -> None:
        """From now on this many credits may be spent or promised; None means any number.

        ``kept`` of those that Bigin says remain are left alone, whatever was allowed before. ``renew(wanted)`` is
        called where fewer than ``wanted`` are left; it may limit anew, and raise an ArchiveError.
        """
        with self._lock:
            self._left, self._kept, self._renew = credits_left, kept, renew

    @contextmanager
    def gated(self, check: Callable[[], None]) -> Iterator[None]:
        """Inside the block, ``check()`` comes before each call of this thread; it may raise an ArchiveError."""
        self._gates.check = check
        try:
            yield
        finally:
            self._gates.check = None

    def ask(self) -> None:
        """Take one credit before a call. Raises CreditsSpentError if none is left, and what a gate raises."""
        if check := getattr(self._gates, "check", None):
            check()
        if not self._granted(1):
            raise CreditsSpentError("The share of API credits is used up for now. Continues by itself.")

    def promise(self, count: int) -> int:
        """Reserve credits for calls of other functions; return for how many there were enough."""
        granted = self._granted(count)
        with self._lock:
            self._promised += granted
        return granted

    def _granted(self, count: int) -> int:
        if self._renew and self._left is not None and self._left < count:
            self._renew(count)
        with self._lock:
            if self._left is None:
                return count
            granted = max(0, min(count, self._left))
            self._left -= granted
        return granted

    def count(self, status: int | None, headers: Mapping[str, str] | None = None) -> None:
        """Count one call; ``status`` is None if no answer came: it may have cost a credit."""
        remaining = (headers or {}).get(REMAINING_HEADER, "").strip()
        is_free = status in _FREE_STATUSES
        with self._lock:
            self._used += not is_free
            self.total += not is_free
            if self._left is not None:
                self._left += is_free
            if _NUMBER.fullmatch(remaining):
                self._remaining = max(0, int(remaining))
                if self._left is not None:
                    self._left = min(self._left, max(0, self._remaining - self._kept))

    @property
    def pending(self) -> int:
        """Credits that were used since the last :meth:`take`."""
        return self._used

    @property
    def remaining(self) -> int | None:
        """What Bigin said that remains, since the last :meth:`take`; None if it said nothing."""
        return self._remaining

    def take(self) -> Usage:
        """The counts since the last call of this."""
        with self._lock:
            usage = Usage(self._used, self._remaining, self._promised)
            self._used, self._remaining, self._promised = 0, None, 0
        return usage

    def give_back(self, usage: Usage) -> None:
        """Count again what could not be recorded."""
        with self._lock:
            self._used += usage.used
            self._promised += usage.promised
            if self._remaining is None:
                self._remaining = usage.remaining
