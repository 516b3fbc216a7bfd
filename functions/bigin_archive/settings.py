"""The settings of each function: the only place that reads the environment.

A name that is missing or malformed raises :class:`SettingsError`, which names it.
"""

import re
from collections.abc import Mapping
from dataclasses import dataclass

MIB = 1024 * 1024


class SettingsError(Exception):
    """A setting is missing or malformed; the message names it."""


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

# Bigin API v2, "Get notification details": what its notifications know of the modules that hold attachments.
WATCHABLE_MODULES = ("Contacts", "Pipelines", "Accounts", "Products", "Tasks", "Events")

# The key of the schedule's event that has the channels renewed; its value is the address of the webhook.
RENEW_CHANNELS = "renew_channels"

# Besides Zoho's own hosts, the token may go to a simulator on this machine, and nowhere else.
_LOOPBACK = re.compile(r"http://(127\.0\.0\.1|localhost|\[::1\])(:[0-9]{1,5})?")


def data_center(env: Mapping[str, str]) -> DataCenter:
    """Both hosts: those of ``DATA_CENTER``, or what ``BIGIN_API_URL`` and ``BIGIN_ACCOUNTS_URL`` say."""
    name = required(env, "DATA_CENTER")
    if name not in DATA_CENTERS:
        raise SettingsError(f"DATA_CENTER must be one of {', '.join(DATA_CENTERS)}")
    known = DATA_CENTERS.values()
    return DataCenter(
        api_url=_url(env, "BIGIN_API_URL", DATA_CENTERS[name].api_url, {dc.api_url for dc in known}),
        accounts_url=_url(
            env,
            "BIGIN_ACCOUNTS_URL",
            DATA_CENTERS[name].accounts_url,
            {dc.accounts_url for dc in known},
        ),
    )


@dataclass(frozen=True, slots=True)
class ArchiveSettings:
    """What it takes to archive one attachment."""

    api_url: str
    token_secret_id: str
    bucket: str
    key_prefix: str
    max_size_bytes: int
    queue_url: str
    ledger_table: str
    storage_class: str
    s3_url: str | None = None

    @classmethod
    def from_env(cls, env: Mapping[str, str]) -> "ArchiveSettings":
        return cls(
            api_url=data_center(env).api_url,
            token_secret_id=required(env, "TOKEN_SECRET_ID"),
            bucket=required(env, "BUCKET"),
            key_prefix=env.get("KEY_PREFIX", ""),
            max_size_bytes=_number(env, "MAX_FILE_SIZE_MIB") * MIB,
            queue_url=required(env, "QUEUE_URL"),
            ledger_table=required(env, "LEDGER_TABLE"),
            storage_class=env.get("STORAGE_CLASS", "STANDARD"),
            # Where AWS SDKs look, too (SDKs and Tools Reference Guide, "Service-specific endpoints").
            s3_url=env.get("AWS_ENDPOINT_URL_S3") or env.get("AWS_ENDPOINT_URL"),
        )


@dataclass(frozen=True, slots=True)
class WorkerSettings:
    """What the queue's worker needs besides: how many at once, when what failed comes back, and the credits' share."""

    dead_letter_queue_url: str
    threads: int
    retry_delay_s: int
    retry_delay_max_s: int
    daily_credits: int
    share_percent: int

    @classmethod
    def from_env(cls, env: Mapping[str, str]) -> "WorkerSettings":
        return cls(
            dead_letter_queue_url=required(env, "DEAD_LETTER_QUEUE_URL"),
            threads=_number(env, "DOWNLOAD_THREADS"),
            retry_delay_s=_number(env, "RETRY_DELAY_S"),
            retry_delay_max_s=_number(env, "RETRY_DELAY_MAX_S"),
            daily_credits=_number(env, "DAILY_CREDITS"),
            share_percent=_number(env, "CREDITS_SHARE_PERCENT"),
        )


@dataclass(frozen=True, slots=True)
class ApiSettings:
    """What the function behind the API needs besides: where it takes its leases."""

    leases_table: str

    @classmethod
    def from_env(cls, env: Mapping[str, str]) -> "ApiSettings":
        return cls(leases_table=required(env, "LEASES_TABLE"))


@dataclass(frozen=True, slots=True)
class SweepSettings:
    """What the sweep needs besides: the credits of a day and the percentage for it, and what it counts."""

    daily_credits: int
    share_percent: int
    leases_table: str
    ledger_table: str
    is_scheduled: bool
    dead_letter_queue_urls: tuple[str, ...]

    @classmethod
    def from_env(cls, env: Mapping[str, str]) -> "SweepSettings":
        return cls(
            daily_credits=_number(env, "DAILY_CREDITS"),
            share_percent=_number(env, "CREDITS_SHARE_PERCENT"),
            leases_table=required(env, "LEASES_TABLE"),
            ledger_table=required(env, "LEDGER_TABLE"),
            is_scheduled=bool(env.get("SWEEP_SCHEDULE")),
            dead_letter_queue_urls=tuple(env.get("DEAD_LETTER_QUEUE_URLS", "").split()),
        )


@dataclass(frozen=True, slots=True)
class QueueSettings:
    """What a function needs that only queues."""

    queue_url: str

    @classmethod
    def from_env(cls, env: Mapping[str, str]) -> "QueueSettings":
        return cls(queue_url=required(env, "QUEUE_URL"))


@dataclass(frozen=True, slots=True)
class WebhookSettings:
    """What the webhook receiver needs."""

    queue_url: str
    record_queue_url: str
    record_queue_delay_s: int
    webhook_secret_id: str

    @classmethod
    def from_env(cls, env: Mapping[str, str]) -> "WebhookSettings":
        return cls(
            queue_url=required(env, "QUEUE_URL"),
            record_queue_url=required(env, "RECORD_QUEUE_URL"),
            record_queue_delay_s=_number(env, "RECORD_QUEUE_DELAY_S"),
            webhook_secret_id=required(env, "WEBHOOK_SECRET_ID"),
        )


@dataclass(frozen=True, slots=True)
class WatchSettings:
    """What it takes to have Bigin tell of changed records; a stack that watches nothing has none of it."""

    api_url: str
    token_secret_id: str
    webhook_secret_id: str
    leases_table: str
    modules: tuple[str, ...]

    @classmethod
    def from_env(cls, env: Mapping[str, str]) -> "WatchSettings":
        modules = tuple(dict.fromkeys(required(env, "WATCH_MODULES").split(",")))
        if not set(modules) <= set(WATCHABLE_MODULES):
            raise SettingsError(f"WATCH_MODULES must be some of {', '.join(WATCHABLE_MODULES)}, with commas")
        return cls(
            api_url=data_center(env).api_url,
            token_secret_id=required(env, "TOKEN_SECRET_ID"),
            webhook_secret_id=required(env, "WEBHOOK_SECRET_ID"),
            leases_table=required(env, "LEASES_TABLE"),
            modules=modules,
        )


@dataclass(frozen=True, slots=True)
class RefreshSettings:
    """What the token refresher needs."""

    hosts: DataCenter
    credentials_secret_id: str
    token_secret_id: str

    @classmethod
    def from_env(cls, env: Mapping[str, str]) -> "RefreshSettings":
        return cls(
            hosts=data_center(env),
            credentials_secret_id=required(env, "CREDENTIALS_SECRET_ID"),
            token_secret_id=required(env, "TOKEN_SECRET_ID"),
        )


def required(env: Mapping[str, str], name: str) -> str:
    """The setting of this name. Raises SettingsError where it is missing or empty."""
    value = env.get(name, "")
    if not value:
        raise SettingsError(f"{name} is missing: deploy the stack's template again")
    return value


def _number(env: Mapping[str, str], name: str) -> int:
    value = required(env, name)
    if not re.fullmatch(r"[1-9][0-9]{0,8}", value):
        raise SettingsError(f"{name} must be a positive whole number")
    return int(value)


def _url(env: Mapping[str, str], name: str, default: str, known: set[str]) -> str:
    value = env.get(name, "") or default
    if value in known or _LOOPBACK.fullmatch(value):
        return value
    raise SettingsError(
        f"{name} must be the https host of a Zoho data centre, or http on loopback; scheme and host only"
    )
