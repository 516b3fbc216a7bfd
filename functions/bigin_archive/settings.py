"""The settings of each function: the only place that reads the environment.

A name that is missing or malformed raises :class:`SettingsError`, which names it.
"""

import re
from collections.abc import Mapping
from dataclasses import MISSING, Field, dataclass, fields
from typing import Any, ClassVar, Self

from bigin_archive.errors import InternalError

MIB = 1024 * 1024


class SettingsError(InternalError):
    """A setting is missing or malformed; the detail names it."""

    def __init__(self, what: str) -> None:
        super().__init__(f"The deployment lacks a setting: {what}.")


@dataclass(frozen=True, slots=True)
class DataCenter:
    """The two hosts of one Zoho data centre."""

    api_url: str
    accounts_url: str


# Bigin API v2, page "Multi DC Support" (both hosts of US, EU, IN, AU, CN, JP), its newer edition (SA, CA).
DATA_CENTERS: Mapping[str, DataCenter] = {
    "US": DataCenter("https://www.zohoapis.com", "https://accounts.zoho.com"),
    "EU": DataCenter("https://www.zohoapis.eu", "https://accounts.zoho.eu"),
    "IN": DataCenter("https://www.zohoapis.in", "https://accounts.zoho.in"),
    "AU": DataCenter("https://www.zohoapis.com.au", "https://accounts.zoho.com.au"),
    "CN": DataCenter("https://www.zohoapis.com.cn", "https://accounts.zoho.com.cn"),
    "JP": DataCenter("https://www.zohoapis.jp", "https://accounts.zoho.jp"),
    "SA": DataCenter("https://www.zohoapis.sa", "https://accounts.zoho.sa"),
    "CA": DataCenter("https://www.zohoapis.ca", "https://accounts.zohocloud.ca"),
}

# Bigin API v2, "Get notification details": the modules with attachments that notifications support.
WATCHABLE_MODULES = ("Contacts", "Pipelines", "Accounts", "Products", "Tasks", "Events")

# The key in the schedule's event that asks for a renewal; its value is the address of the webhook.
RENEW_CHANNELS = "renew_channels"

# Besides Zoho's own hosts, the token may go to a simulator on this machine, and nowhere else.
_LOOPBACK = re.compile(r"http://(127\.0\.0\.1|localhost|\[::1\])(:[0-9]{1,5})?")


def data_center(env: Mapping[str, str]) -> DataCenter:
    """Both hosts of ``DATA_CENTER``, or those in ``BIGIN_API_URL`` and ``BIGIN_ACCOUNTS_URL``."""
    name = required(env, "DATA_CENTER")
    if name not in DATA_CENTERS:
        raise SettingsError(f"DATA_CENTER must be one of {', '.join(DATA_CENTERS)}")
    chosen, known = DATA_CENTERS[name], DATA_CENTERS.values()
    return DataCenter(
        _url(env, "BIGIN_API_URL", chosen.api_url, {each.api_url for each in known}),
        _url(env, "BIGIN_ACCOUNTS_URL", chosen.accounts_url, {each.accounts_url for each in known}),
    )


class Settings:
    """Settings of a function: each field is the environment variable of its name in capitals.

    A field with a default may be missing; every other one must have a value, an ``int`` a positive whole number.
    """

    __slots__ = ()
    __dataclass_fields__: ClassVar[dict[str, Field[Any]]]

    @classmethod
    def from_env(cls, env: Mapping[str, str]) -> Self:
        """Raises SettingsError."""
        return cls.read(env)

    @classmethod
    def read(cls, env: Mapping[str, str], **given: object) -> Self:
        """The fields that are ``given`` and not None; all others from ``env``. Raises SettingsError."""
        chosen = {name: value for name, value in given.items() if value is not None}
        read = {field.name: _value(env, field) for field in fields(cls) if field.name not in chosen}
        return cls(**chosen, **read)


@dataclass(frozen=True, slots=True)
class ArchiveSettings(Settings):
    """For archiving one attachment."""

    api_url: str
    token_secret_id: str
    bucket: str
    max_size_bytes: int
    queue_url: str
    ledger_table: str
    key_prefix: str = ""
    storage_class: str = "STANDARD"
    s3_url: str | None = None

    @classmethod
    def from_env(cls, env: Mapping[str, str]) -> Self:
        return cls.read(
            env,
            api_url=data_center(env).api_url,
            max_size_bytes=_number(env, "MAX_FILE_SIZE_MIB") * MIB,
            # Where AWS SDKs look, too (SDKs and Tools Reference Guide, "Service-specific endpoints").
            s3_url=env.get("AWS_ENDPOINT_URL_S3") or env.get("AWS_ENDPOINT_URL"),
        )


@dataclass(frozen=True, slots=True)
class WorkerSettings(Settings):
    """What the queue's worker needs besides: how many downloads at once, the retry delays, and its share of credits."""

    dead_letter_queue_url: str
    download_threads: int
    retry_delay_s: int
    retry_delay_max_s: int
    daily_credits: int
    credits_share_percent: int


@dataclass(frozen=True, slots=True)
class SweepSettings(Settings):
    """What the sweep needs besides: its share of credits, and the queues whose messages it counts."""

    daily_credits: int
    credits_share_percent: int
    leases_table: str
    ledger_table: str
    key_prefix: str = ""
    is_scheduled: bool = False
    dead_letter_queue_urls: tuple[str, ...] = ()

    @classmethod
    def from_env(cls, env: Mapping[str, str]) -> Self:
        return cls.read(
            env,
            is_scheduled=bool(env.get("SWEEP_SCHEDULE")),
            dead_letter_queue_urls=tuple(env.get("DEAD_LETTER_QUEUE_URLS", "").split()),
        )


@dataclass(frozen=True, slots=True)
class WebhookSettings(Settings):
    """For the webhook receiver."""

    queue_url: str
    record_queue_url: str
    record_queue_delay_s: int
    webhook_secret_id: str


@dataclass(frozen=True, slots=True)
class WatchSettings(Settings):
    """For the notification channels; a stack that watches no module lacks ``WATCH_MODULES``."""

    api_url: str
    token_secret_id: str
    webhook_secret_id: str
    leases_table: str
    modules: tuple[str, ...]

    @classmethod
    def from_env(cls, env: Mapping[str, str]) -> Self:
        modules = tuple(dict.fromkeys(required(env, "WATCH_MODULES").split(",")))
        if not set(modules) <= set(WATCHABLE_MODULES):
            raise SettingsError(f"WATCH_MODULES must be some of {', '.join(WATCHABLE_MODULES)}, with commas")
        return cls.read(env, api_url=data_center(env).api_url, modules=modules)


@dataclass(frozen=True, slots=True)
class RefreshSettings(Settings):
    """For the token refresher."""

    hosts: DataCenter
    credentials_secret_id: str
    token_secret_id: str

    @classmethod
    def from_env(cls, env: Mapping[str, str]) -> Self:
        return cls.read(env, hosts=data_center(env))


@dataclass(frozen=True, slots=True)
class ConsoleSettings(Settings):
    """For the console: what it reads, where it counts links, and where its users sign in."""

    bucket: str
    ledger_table: str
    links_table: str
    sign_in_url: str
    key_prefix: str = ""


@dataclass(frozen=True, slots=True)
class EventSettings(Settings):
    """For announcing what was archived; events name the ``powertools_service_name``, the stack, as their origin."""

    bucket: str
    event_bus: str
    event_queue_url: str
    powertools_service_name: str
    key_prefix: str = ""


def required(env: Mapping[str, str], name: str) -> str:
    """The setting of this name. Raises SettingsError if it is missing or empty."""
    value = env.get(name, "")
    if not value:
        raise SettingsError(f"{name} is missing: deploy the stack's template again")
    return value


def _value(env: Mapping[str, str], field: Field[Any]) -> object:
    name = field.name.upper()
    if field.default is not MISSING and not env.get(name):
        return field.default
    return _number(env, name) if field.type is int else required(env, name)


def _number(env: Mapping[str, str], name: str) -> int:
    value = required(env, name)
    if not re.fullmatch(r"[1-9][0-9]{0,8}", value):
        raise SettingsError(f"{name} must be a positive whole number")
    return int(value)


def _url(env: Mapping[str, str], name: str, default: str, known: set[str]) -> str:
    value = env.get(name, "") or default
    if value in known or _LOOPBACK.fullmatch(value):
        return value
    raise SettingsError(f"{name} must be the https host of a Zoho data centre, or http on loopback, without a path")
