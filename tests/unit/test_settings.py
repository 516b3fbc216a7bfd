"""The settings: what is missing is named, and a token goes to Zoho's hosts alone."""

from collections.abc import Mapping
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bigin_archive.settings import (
    DATA_CENTERS,
    ArchiveSettings,
    RefreshSettings,
    SettingsError,
    WatchSettings,
    WebhookSettings,
    WorkerSettings,
    data_center,
)
from tests.vectors import load

ARCHIVE = {
    "DATA_CENTER": "EU",
    "TOKEN_SECRET_ID": "token",
    "BUCKET": "bucket-1",
    "KEY_PREFIX": "bigin/",
    "MAX_FILE_SIZE_MIB": "1024",
    "QUEUE_URL": "https://queue.example/1",
    "LEDGER_TABLE": "ledger",
}
WORKER = {
    "DEAD_LETTER_QUEUE_URL": "https://queue.example/2",
    "DOWNLOAD_THREADS": "4",
    "RETRY_DELAY_S": "30",
    "RETRY_DELAY_MAX_S": "3600",
    "DAILY_CREDITS": "50000",
    "CREDITS_SHARE_PERCENT": "50",
}
WEBHOOK = {
    "QUEUE_URL": "https://queue.example/1",
    "WEBHOOK_SECRET_ID": "webhook",
    "RECORD_QUEUE_URL": "https://queue.example/3.fifo",
    "RECORD_QUEUE_DELAY_S": "90",
}
WATCH = {
    "DATA_CENTER": "EU",
    "TOKEN_SECRET_ID": "token",
    "WEBHOOK_SECRET_ID": "webhook",
    "LEASES_TABLE": "leases",
    "WATCH_MODULES": "Contacts,Pipelines",
}
REFRESH = {"DATA_CENTER": "EU", "CREDENTIALS_SECRET_ID": "credentials", "TOKEN_SECRET_ID": "token"}
ALL: list[tuple[Any, dict[str, str]]] = [
    (ArchiveSettings, ARCHIVE),
    (WorkerSettings, WORKER),
    (WebhookSettings, WEBHOOK),
    (RefreshSettings, REFRESH),
    (WatchSettings, WATCH),
]
NEEDED = [(kind, env, name) for kind, env in ALL for name in env if name != "KEY_PREFIX"]

# Zoho's "Multi DC Support" page: both hosts of each data centre.
HOSTS = [
    ("US", "https://www.zohoapis.com", "https://accounts.zoho.com"),
    ("EU", "https://www.zohoapis.eu", "https://accounts.zoho.eu"),
    ("IN", "https://www.zohoapis.in", "https://accounts.zoho.in"),
    ("AU", "https://www.zohoapis.com.au", "https://accounts.zoho.com.au"),
    ("CN", "https://www.zohoapis.com.cn", "https://accounts.zoho.com.cn"),
    ("JP", "https://www.zohoapis.jp", "https://accounts.zoho.jp"),
    ("SA", "https://www.zohoapis.sa", "https://accounts.zoho.sa"),
    ("CA", "https://www.zohoapis.ca", "https://accounts.zohocloud.ca"),
]


@pytest.mark.parametrize(("name", "api_url", "accounts_url"), HOSTS)
def test_data_center_decides_both_hosts(name: str, api_url: str, accounts_url: str) -> None:
    """Each of the eight data centres has its own API host and its own accounts host."""
    actual = data_center({"DATA_CENTER": name, "BIGIN_API_URL": "", "BIGIN_ACCOUNTS_URL": ""})

    assert api_url == actual.api_url
    assert accounts_url == actual.accounts_url


def test_there_are_eight_data_centers() -> None:
    """The data centres are those that Bigin documents."""
    assert [name for name, _, _ in HOSTS] == list(DATA_CENTERS)


@pytest.mark.parametrize("name", ["us", "UK", "US ", "", "COM", "*"])
def test_unknown_data_center_is_refused(name: str) -> None:
    """A data centre that is not known is refused, with the name of the setting."""
    with pytest.raises(SettingsError, match="DATA_CENTER"):
        data_center({"DATA_CENTER": name})


@pytest.mark.parametrize("vector", load("urls", "api_accepted"))
def test_api_override_is_taken(vector: dict[str, str]) -> None:
    """The API host may be that of any data centre, or plain http on loopback."""
    actual = data_center({"DATA_CENTER": "US", "BIGIN_API_URL": vector["value"]})

    assert vector["value"] == actual.api_url
    assert actual.accounts_url == "https://accounts.zoho.com"


@pytest.mark.parametrize("vector", load("urls", "accounts_accepted"))
def test_accounts_override_is_taken(vector: dict[str, str]) -> None:
    """The accounts host may be that of any data centre, or plain http on loopback."""
    actual = data_center({"DATA_CENTER": "US", "BIGIN_ACCOUNTS_URL": vector["value"]})

    assert vector["value"] == actual.accounts_url
    assert actual.api_url == "https://www.zohoapis.com"


@pytest.mark.parametrize("vector", load("urls", "api_refused"))
def test_api_override_is_refused(vector: dict[str, str]) -> None:
    """The access token goes to no other host, and to a known one only by its bare https URL."""
    with pytest.raises(SettingsError, match="BIGIN_API_URL"):
        data_center({"DATA_CENTER": "US", "BIGIN_API_URL": vector["value"]})


@pytest.mark.parametrize("vector", load("urls", "accounts_refused"))
def test_accounts_override_is_refused(vector: dict[str, str]) -> None:
    """The refresh token goes to no other host, and to a known one only by its bare https URL."""
    with pytest.raises(SettingsError, match="BIGIN_ACCOUNTS_URL"):
        data_center({"DATA_CENTER": "US", "BIGIN_ACCOUNTS_URL": vector["value"]})


@given(host=st.text(min_size=1))
def test_no_text_makes_another_host(host: str) -> None:
    """Whatever the override says, the host is one of Zoho's, or this machine."""
    try:
        actual = data_center({"DATA_CENTER": "US", "BIGIN_API_URL": host}).api_url
    except SettingsError:
        return

    assert actual in {api for _, api, _ in HOSTS} or actual.startswith(("http://127.0.0.1", "http://localhost"))


@pytest.mark.parametrize(("kind", "env", "name"), NEEDED, ids=[f"{kind.__name__}-{name}" for kind, _, name in NEEDED])
@pytest.mark.parametrize("empty", [False, True])
def test_missing_setting_is_named(kind: Any, env: Mapping[str, str], name: str, empty: bool) -> None:
    """A function that lacks a setting does not start, and says which one it is."""
    lacking = {**env, name: ""} if empty else {key: value for key, value in env.items() if key != name}

    with pytest.raises(SettingsError, match=name):
        kind.from_env(lacking)


@pytest.mark.parametrize("name", ["DOWNLOAD_THREADS", "RETRY_DELAY_S", "RETRY_DELAY_MAX_S"])
@pytest.mark.parametrize("value", ["0", "-1", "1.5", "4 ", "four", "+4", "1e3", "٤", "9999999999", "4\n"])
def test_malformed_number_is_named(name: str, value: str) -> None:
    """A number that is none is refused, with the name of the setting."""
    with pytest.raises(SettingsError, match=name):
        WorkerSettings.from_env({**WORKER, name: value})


def test_archive_settings() -> None:
    """The largest file is given in MiB and held in bytes."""
    expected = ArchiveSettings(
        api_url="https://www.zohoapis.eu",
        token_secret_id="token",
        bucket="bucket-1",
        key_prefix="bigin/",
        max_size_bytes=1024**3,
        queue_url="https://queue.example/1",
        ledger_table="ledger",
        storage_class="STANDARD",
    )

    assert expected == ArchiveSettings.from_env(ARCHIVE)


def test_key_prefix_may_be_empty() -> None:
    """Without a prefix the keys begin with the module."""
    assert ArchiveSettings.from_env({**ARCHIVE, "KEY_PREFIX": ""}).key_prefix == ""


def test_worker_settings() -> None:
    """The worker's numbers are read as they are."""
    assert WorkerSettings("https://queue.example/2", 4, 30, 3600, 50_000, 50) == WorkerSettings.from_env(WORKER)


def test_webhook_settings() -> None:
    """The webhook receiver needs neither a data centre nor a token."""
    assert WebhookSettings(
        "https://queue.example/1", "https://queue.example/3.fifo", 90, "webhook"
    ) == WebhookSettings.from_env(WEBHOOK)


def test_watch_settings() -> None:
    """Modules are named once each."""
    actual = WatchSettings.from_env({**WATCH, "WATCH_MODULES": "Contacts,Pipelines,Contacts"})

    assert WatchSettings("https://www.zohoapis.eu", "token", "webhook", "leases", ("Contacts", "Pipelines")) == actual


@pytest.mark.parametrize("modules", ["Notes", "contacts", "Contacts, Tasks", "Contacts,", "Calls", "Companies"])
def test_a_module_that_cannot_be_watched_is_refused(modules: str) -> None:
    """Bigin's notifications know some modules, by their API names."""
    with pytest.raises(SettingsError, match="WATCH_MODULES"):
        WatchSettings.from_env({**WATCH, "WATCH_MODULES": modules})


def test_refresh_settings() -> None:
    """The refresher knows both hosts and both secrets."""
    actual = RefreshSettings.from_env(REFRESH)

    assert RefreshSettings(DATA_CENTERS["EU"], "credentials", "token") == actual


def test_error_repeats_no_value() -> None:
    """The message names the setting, not its value: it may be a secret in the wrong place."""
    with pytest.raises(SettingsError) as caught:
        data_center({"DATA_CENTER": "US", "BIGIN_API_URL": "s3cr3t-marker"})

    assert "s3cr3t-marker" not in str(caught.value)
