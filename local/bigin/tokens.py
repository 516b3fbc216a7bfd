"""Access tokens, refresh tokens and grant codes of the Zoho accounts server, and their limits.

The limits are those of the page "Token validity" of the CRM documentation, the same platform.
"""

import secrets
import time
from collections import deque
from dataclasses import dataclass, field

from .settings import DEFAULT_TOKEN_LIFETIME_S, Settings

MINT_WINDOW_S = 10 * 60
ACTIVE_TOKENS_PER_REFRESH_TOKEN = 15  # the 16th ends the oldest
GRANT_LIFETIME_S = 3 * 60
SEEDED_CREDENTIAL = "test"  # client id, client secret and refresh token of the made-up account


@dataclass(slots=True)
class Refresh:
    """One refresh token's access tokens (oldest first) and the moments of its last mints."""

    issued: deque[str] = field(default_factory=deque)
    minted_at_s: deque[float] = field(default_factory=deque)


@dataclass(slots=True)
class Tokens:
    """Everything the accounts server knows; moments are seconds since the epoch."""

    settings: Settings
    client_id: str = SEEDED_CREDENTIAL
    client_secret: str = SEEDED_CREDENTIAL
    expiries_s: dict[str, float | None] = field(default_factory=dict)
    refreshes: dict[str, Refresh] = field(default_factory=lambda: {SEEDED_CREDENTIAL: Refresh()})
    codes: dict[str, float] = field(default_factory=dict)

    def add(self, token: str, lifetime_s: float | None) -> None:
        """Make an access token valid for a number of seconds; None: for ever."""
        self.expiries_s[token] = None if lifetime_s is None else time.time() + lifetime_s

    def expiry_s(self, token: str) -> float | None:
        """Return when a valid access token ends, or None if it is unknown or has ended."""
        if token not in self.expiries_s:
            return None
        expiry = self.expiries_s[token]
        if expiry is None:
            return time.time() + DEFAULT_TOKEN_LIFETIME_S
        return expiry if expiry > time.time() else None

    def add_code(self, code: str, lifetime_s: float = GRANT_LIFETIME_S) -> None:
        """Make a grant code valid for one exchange within a number of seconds."""
        self.codes[code] = time.time() + lifetime_s

    def redeem(self, code: str) -> str | None:
        """Exchange a grant code for a new refresh token; None if it is unknown, used or old."""
        if self.codes.pop(code, 0) <= time.time():
            return None
        refresh_token = f"1000.{secrets.token_hex(16)}.{secrets.token_hex(16)}"
        self.refreshes[refresh_token] = Refresh()
        return refresh_token

    def throttled(self, refresh_token: str) -> bool:
        """Say whether this refresh token has used up its mints of the last ten minutes."""
        minted = self.refreshes[refresh_token].minted_at_s
        while minted and minted[0] <= time.time() - MINT_WINDOW_S:
            minted.popleft()
        limit = self.settings.mint_limit
        return limit is not None and len(minted) >= limit

    def mint(self, refresh_token: str) -> str:
        """Return a new access token; the oldest of more than fifteen active ones ends."""
        refresh = self.refreshes[refresh_token]
        token = f"1000.{secrets.token_hex(16)}.{secrets.token_hex(16)}"
        self.add(token, self.settings.token_lifetime_s)
        refresh.minted_at_s.append(time.time())
        refresh.issued.append(token)
        active = [old for old in refresh.issued if self.expiry_s(old) is not None]
        refresh.issued = deque(active[-ACTIVE_TOKENS_PER_REFRESH_TOKEN:])
        for displaced in active[:-ACTIVE_TOKENS_PER_REFRESH_TOKEN]:
            del self.expiries_s[displaced]
        return token

    def revoke(self, token: str) -> bool:
        """End a refresh token with its access tokens, or one access token; False if unknown."""
        if token in self.refreshes:
            for issued in self.refreshes.pop(token).issued:
                self.expiries_s.pop(issued, None)
            return True
        return self.expiries_s.pop(token, -1.0) != -1.0
