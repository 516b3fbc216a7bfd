"""Notification channels: Bigin announces changed records through them. They end after a day unless renewed.

Bigin API v2, "Enable notifications" and "Get notification details": a channel is enabled by ``POST actions/watch``,
renewed by the same call with the same id, and gone from ``GET actions/watch`` when it has expired.
"""

import hashlib
import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from itertools import count

from bigin_archive.bigin.client import Bigin
from bigin_archive.clock import iso, parse
from bigin_archive.deadline import Deadline
from bigin_archive.errors import ArchiveError, BiginRefusedError, BiginScopeMissingError, InvalidRequestError
from bigin_archive.settings import RENEW_CHANNELS

RENEWED_EVERY = timedelta(hours=1)  # as the template's schedule says
LIFETIME = timedelta(hours=23, minutes=55)  # Bigin allows a day; the rest is room for different clocks
OPERATIONS = ("create", "edit")
MAX_TOKEN = 50  # characters that Bigin accepts as a channel's token
_PATH = "/actions/watch"
_MOST_PAGES = 10  # of 200 channels
# Bigin gets the secret together with its address, which must be an API of AWS, or this machine.
_NOTIFY_URL = re.compile(
    r"https://([a-z0-9]+\.execute-api\.[a-z0-9-]+\.amazonaws\.com(\.cn)?|(127\.0\.0\.1|localhost)(:[0-9]{1,5})?)"
    r"/[A-Za-z0-9/_-]{1,200}"
)
SCOPE_REMEDY = (
    "Connect again with the scope ZohoBigin.notifications.ALL, which only notification channels need: "
    "bigin-archive authorize --notifications. Or deploy with an empty WatchModules."
)


@dataclass(frozen=True, slots=True)
class Channel:
    """A channel in Bigin's list, without its token."""

    channel_id: str
    module: str
    events: tuple[str, ...]
    notify_url: str
    expires_at: datetime | None

    def lives_until(self, time: datetime) -> bool:
        """Whether it has not expired then."""
        return self.expires_at is not None and self.expires_at > time


class ChannelsDeadError(Exception):
    """Bigin does not announce changes in some modules."""


@dataclass(frozen=True, slots=True)
class Renewal:
    """How a renewal went: the modules whose channels will live until the next one, and those whose will not."""

    status: str
    detail: str
    alive: tuple[str, ...] = ()
    dead: tuple[str, ...] = ()
    code: str | None = None
    expires_at: str | None = None

    def fields(self) -> dict[str, object]:
        """For the log line."""
        return {
            "error_code": self.code,
            "error_detail": self.detail if self.code else None,
            "alive": self.alive,
            "dead": self.dead,
            "expires_at": self.expires_at,
        }

    def check(self) -> None:
        """Raise ChannelsDeadError unless all are alive: a scheduled renewal that failed is an error of its function,
        on which the alarm stands."""
        if self.dead:
            raise ChannelsDeadError(self.detail)


def channel_id(notify_url: str, module: str) -> str:
    """The id of a module's channel: the same at each renewal, and another one for each stack. JSON keeps 15 digits."""
    digest = hashlib.sha256(f"{module} {notify_url}".encode()).digest()
    return str(10**14 + int.from_bytes(digest) % (9 * 10**14))


def events(module: str) -> list[str]:
    """What a module's channel tells of."""
    return [f"{module}.{operation}" for operation in OPERATIONS]


def serves(channel: Channel, module: str, notify_url: str) -> bool:
    """Whether this channel announces this module at this address."""
    return (
        channel.channel_id == channel_id(notify_url, module)
        and channel.notify_url == notify_url
        and set(events(module)) <= set(channel.events)
    )


@dataclass(frozen=True, slots=True)
class NotificationChannels:
    """The channels of one stack.

    ``secret`` returns the value that Bigin must send with each notification.
    """

    bigin: Bigin
    modules: Sequence[str] = ()
    secret: Callable[[], str] = str
    now: Callable[[], datetime] = lambda: datetime.now(UTC)

    def renew(self, notify_url: object, deadline: Deadline) -> Renewal:
        """Enable or renew the channels, then check that Bigin lists them. It returns every failure and raises none."""
        try:
            url = _checked(notify_url)
            refused = self._enable(url, deadline)
            found = list(self.listed(deadline))
        except ArchiveError as error:
            detail = (
                f"A scope is missing. {SCOPE_REMEDY}" if isinstance(error, BiginScopeMissingError) else error.detail
            )
            return Renewal("failed", detail, dead=tuple(self.modules), code=error.code)
        until = self.now() + RENEWED_EVERY
        expiries = {
            module: channel.expires_at
            for module in self.modules
            for channel in found
            if channel.expires_at and channel.lives_until(until) and serves(channel, module, url)
        }
        dead = tuple(module for module in self.modules if module not in expiries)
        return Renewal(
            status="failed" if dead else "renewed",
            detail=_told(dead, refused),
            alive=tuple(expiries),
            dead=dead,
            code="channel_dead" if dead else None,
            expires_at=iso(min(expiries.values())) if expiries else None,
        )

    def listed(self, deadline: Deadline) -> Iterator[Channel]:
        """Every channel of the token's user, also those of other programs. Raises ArchiveError."""
        for page in count(1):
            answer = self.bigin.exchange("GET", _PATH if page == 1 else f"{_PATH}?page={page}", deadline)
            if "watch" not in answer and (code := _code(answer)):
                raise BiginRefusedError(f"Bigin does not list the notification channels ({code}).")
            yield from _channels(answer)
            info = answer.get("info")
            if page == _MOST_PAGES or not isinstance(info, dict) or info.get("more_records") is not True:
                return

    def _enable(self, notify_url: str, deadline: Deadline) -> dict[str, str]:
        """Post the channels; return Bigin's code for each module that it refused."""
        secret = self.secret()
        if not 0 < len(secret) <= MAX_TOKEN:
            raise InvalidRequestError(
                f"The webhook secret must have 1 to {MAX_TOKEN} characters, as many as a channel of Bigin takes."
            )
        expiry = (self.now() + LIFETIME).isoformat(timespec="seconds")
        watch = [
            {
                "channel_id": channel_id(notify_url, module),
                "events": events(module),
                "notify_url": notify_url,
                "channel_expiry": expiry,
                "token": secret,
            }
            for module in self.modules
        ]
        answer = self.bigin.exchange("POST", _PATH, deadline, {"watch": watch})
        results = answer.get("watch")
        if not isinstance(results, list) or len(results) != len(watch):
            results = [answer] * len(watch)
        codes = [_code(result) for result in results]
        return {module: code for module, code in zip(self.modules, codes, strict=True) if code}


def _checked(notify_url: object) -> str:
    if not isinstance(notify_url, str) or not _NOTIFY_URL.fullmatch(notify_url):
        raise InvalidRequestError(f"{RENEW_CHANNELS} must be the address of the stack's webhook.")
    return notify_url


def _code(result: object) -> str | None:
    """The code of a refusal; None if there was none. Other text is not repeated: it may quote what was sent."""
    if not isinstance(result, Mapping) or result.get("status") != "error":
        return None
    code = result.get("code")
    return code if isinstance(code, str) and re.fullmatch(r"[A-Z0-9_]{1,60}", code) else "NO_CODE"


def _told(dead: Sequence[str], refused: Mapping[str, str]) -> str:
    if not dead:
        return "Bigin has all channels."
    reasons = [f"{module} ({refused.get(module, 'Bigin does not list it, or not for long enough')})" for module in dead]
    return f"No channel for {', '.join(reasons)}. Bigin announces no changes there until that is fixed."


def _channels(answer: Mapping[str, object]) -> Iterator[Channel]:
    listing = answer.get("watch")
    for entry in listing if isinstance(listing, list) else []:
        if isinstance(entry, dict):
            events = entry.get("events")
            yield Channel(
                channel_id=str(entry.get("channel_id") or ""),
                module=str(entry.get("resource_name") or ""),
                events=tuple(str(event) for event in events) if isinstance(events, list) else (),
                notify_url=str(entry.get("notify_url") or ""),
                expires_at=parse(entry.get("channel_expiry")),
            )
