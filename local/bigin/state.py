"""Everything the simulator remembers, made afresh at the start and by a reset."""

from dataclasses import dataclass, field
from pathlib import Path

from aiohttp import web

from .account import Account
from .deliveries import Deliveries
from .fault_rules import Faults
from .journal import Journal
from .seed import seeded_account
from .settings import DEFAULT_TOKEN_LIFETIME_S, Settings
from .tokens import Tokens
from .watches import Watches


@dataclass(slots=True)
class State:
    """One Bigin account, its accounts server, and what is observed of and done to both."""

    access_token: str
    token_lifetime_s: float
    callback_ca: Path | None = None
    settings: Settings = field(init=False)
    account: Account = field(init=False)
    tokens: Tokens = field(init=False)
    watches: Watches = field(init=False)
    deliveries: Deliveries = field(init=False)
    faults: Faults = field(init=False)
    journal: Journal = field(init=False)

    def __post_init__(self) -> None:
        self.deliveries = Deliveries(self.callback_ca)
        self.reset()

    def reset(self) -> None:
        """Go back to the seeded state; calls in progress still end in the journal they began in."""
        self.settings = Settings(token_lifetime_s=self.token_lifetime_s)
        self.account = seeded_account()
        self.tokens = Tokens(self.settings)
        self.watches = Watches(self.settings)
        self.deliveries.forget()
        self.faults = Faults()
        self.journal = Journal()
        # With the lifetime left alone the fixed token is for runs of any length.
        fixed = self.token_lifetime_s == DEFAULT_TOKEN_LIFETIME_S
        self.tokens.add(self.access_token, None if fixed else self.token_lifetime_s)


STATE = web.AppKey("state", State)
