"""What was asked of the simulator: the log of calls, counters and high-water marks.

Tokens appear only as short digests.
"""

import hashlib
import time
from collections import Counter, deque
from dataclasses import dataclass, field
from typing import Any

LOG_LENGTH = 100_000


@dataclass(slots=True)
class Call:
    """One call; `status` is None until it is known, and stays so if no answer was sent."""

    at_s: float
    method: str
    path: str
    call: str
    attachment_id: str | None
    status: int | None = None
    fault: str | None = None
    running: bool = True

    def as_json(self) -> dict[str, Any]:
        """Return the call as the control interface shows it."""
        return {
            "t": self.at_s,
            "method": self.method,
            "path": self.path,
            "status": self.status,
            "call": self.call,
            "attachment_id": self.attachment_id,
            "fault": self.fault,
        }


@dataclass(slots=True)
class Journal:
    """Counters since the start or the last reset; calls in progress survive a reset."""

    log: deque[Call] = field(default_factory=lambda: deque(maxlen=LOG_LENGTH))
    by_call: Counter[str] = field(default_factory=Counter)
    by_token: Counter[str] = field(default_factory=Counter)
    downloads: Counter[str] = field(default_factory=Counter)
    running: Counter[str] = field(default_factory=Counter)
    max_concurrent: int = 0
    max_concurrent_downloads: int = 0
    credits_used: int = 0

    def enter(self, method: str, path: str, call: str, attachment_id: str | None = None) -> Call:
        """Note the beginning of a call."""
        entry = Call(time.time(), method, path, call, attachment_id)
        self.log.append(entry)
        self.by_call[call] += 1
        self.running[call] += 1
        self.max_concurrent = max(self.max_concurrent, self.concurrent())
        self.max_concurrent_downloads = max(self.max_concurrent_downloads, self.running["download"])
        return entry

    def leave(self, entry: Call) -> None:
        """Note the end of a call; again has no effect."""
        if entry.running:
            entry.running = False
            self.running[entry.call] -= 1

    def concurrent(self) -> int:
        """Return the number of API calls in progress; the accounts server is not the API."""
        return self.running.total() - self.running["token"] - self.running["revoke"]

    def count_token(self, token: str) -> None:
        """Count a call under its access token's digest."""
        self.by_token[hashlib.sha256(token.encode()).hexdigest()[:12]] += 1

    def clear(self) -> None:
        """Forget everything, the used credits included, except the calls in progress."""
        fresh = Journal(running=self.running)
        for name in ("log", "by_call", "by_token", "downloads"):
            setattr(self, name, getattr(fresh, name))
        self.max_concurrent = self.max_concurrent_downloads = self.credits_used = 0

    def as_json(self) -> dict[str, Any]:
        """Return everything as the control interface shows it."""
        return {
            "total": self.by_call.total(),
            "by_call": dict(self.by_call),
            "downloads": dict(self.downloads),
            "by_token": dict(self.by_token),
            "max_concurrent": self.max_concurrent,
            "max_concurrent_downloads": self.max_concurrent_downloads,
            "credits_used": self.credits_used,
            "log": [entry.as_json() for entry in self.log],
        }
