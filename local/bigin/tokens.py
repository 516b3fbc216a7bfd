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
REFRESH_TOKENS_PER_USER = 20  # the 21st ends the oldest
GRANT_LIFETIME_S = 3 * 60
READING = (
    "ZohoBigin.modules.ALL ZohoBigin.modules.attachments.READ ZohoBigin.settings.modules.READ "
    "ZohoBigin.org.READ ZohoBigin.notifications.ALL"
)
"""The scopes of a grant that names none, and of the fixed token: everything can be read, no attachment be added."""
SEEDED_CREDENTIAL = "test"  # client id, client secret and refresh token of the made-up account


@dataclass(slots=True)
class Refresh:
    """One refresh token: its scopes, its access tokens (oldest first) and the moments of its last mints."""

    scope: str = READING
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
    codes: dict[str, tuple[float, str]] = field(default_factory=dict)
    scopes: dict[str, str] = field(default_factory=dict)

    def add(self, token: str, lifetime_s: float | None, scope: str = READING) -> None:
        """Make an access token valid for a number of seconds; None: for ever."""
        self.expiries_s[token] = None if lifetime_s is None else time.time() + lifetime_s
        self.scopes[token] = scope

    def may(self, token: str, operation: str, module: str | None) -> bool:
        """Say whether an access token reaches attachments: READ or CREATE, of one module or (None) of any.

        "Upload an attachment": a scope of the module and one of attachments; WRITE and ALL hold CREATE.
        """
        held = set(self.scopes.get(token, "").lower().replace(",", " ").split())
        kinds = ("all", "read") if operation == "READ" else ("all", "write", "create")
        areas = [""] if module is None else ["", f"{module.lower()}."]
        modules = {f"zohobigin.modules.{area}{kind}" for area in areas for kind in kinds if area or kind == "all"}
        attachments = {f"zohobigin.modules.attachments.{kind}" for kind in kinds}
        return bool(held & attachments) and (module is None or bool(held & modules))

    def expiry_s(self, token: str) -> float | None:
        """Return when a valid access token ends, or None if it is unknown or has ended."""
        if token not in self.expiries_s:
            return None
        expiry = self.expiries_s[token]
        if expiry is None:
            return time.time() + DEFAULT_TOKEN_LIFETIME_S
        return expiry if expiry > time.time() else None

    def as_json(self) -> dict[str, int]:
        """Return how many tokens live, as the control interface shows it; no token."""
        live = [token for token in self.expiries_s if self.expiry_s(token) is not None]
        return {"access_tokens": len(live), "refresh_tokens": len(self.refreshes)}

    def add_code(self, code: str, lifetime_s: float = GRANT_LIFETIME_S, scope: str = READING) -> None:
        """Make a grant code valid for one exchange within a number of seconds."""
        self.codes[code] = (time.time() + lifetime_s, scope)

    def redeem(self, code: str) -> str | None:
        """Exchange a grant code for a new refresh token; None if it is unknown, used or old."""
        until_s, scope = self.codes.pop(code, (0.0, ""))
        if until_s <= time.time():
            return None
        refresh_token = f"1000.{secrets.token_hex(16)}.{secrets.token_hex(16)}"
        self.refreshes[refresh_token] = Refresh(scope)
        for displaced in list(self.refreshes)[:-REFRESH_TOKENS_PER_USER]:
            self.revoke(displaced)
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
        self.add(token, self.settings.token_lifetime_s, refresh.scope)
        refresh.minted_at_s.append(time.time())
        refresh.issued.append(token)
        active = [old for old in refresh.issued if self.expiry_s(old) is not None]
        refresh.issued = deque(active[-ACTIVE_TOKENS_PER_REFRESH_TOKEN:])
        for displaced in active[:-ACTIVE_TOKENS_PER_REFRESH_TOKEN]:
            del self.expiries_s[displaced]
        return token

    def revoke(self, token: str) -> bool:
        """End a refresh token with its access tokens ("Revoke tokens"), or one access token; False if unknown."""
        if token in self.refreshes:
            for issued in self.refreshes.pop(token).issued:
                if not self.settings.access_outlives_refresh:
                    self.expiries_s.pop(issued, None)
            return True
        return self.expiries_s.pop(token, -1.0) != -1.0
