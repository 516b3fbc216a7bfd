"""Which Bigin the local stack talks to, from the environment: the project's simulator, another fake, or Zoho.

The only reader of the BIGIN_ variables. Addresses are checked here because the functions send tokens to them.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Self

from local.process import LocalStackError

# Data centre: (API host, accounts host), the same as in the functions' own table.
ZOHO_HOSTS = {
    "US": ("www.zohoapis.com", "accounts.zoho.com"),
    "EU": ("www.zohoapis.eu", "accounts.zoho.eu"),
    "IN": ("www.zohoapis.in", "accounts.zoho.in"),
    "AU": ("www.zohoapis.com.au", "accounts.zoho.com.au"),
    "CN": ("www.zohoapis.com.cn", "accounts.zoho.com.cn"),
    "JP": ("www.zohoapis.jp", "accounts.zoho.jp"),
    "SA": ("www.zohoapis.sa", "accounts.zoho.sa"),
    "CA": ("www.zohoapis.ca", "accounts.zohocloud.ca"),
}
API_DATA_CENTERS = {f"https://{api}": name for name, (api, _) in ZOHO_HOSTS.items()}
ACCOUNTS_DATA_CENTERS = {f"https://{accounts}": name for name, (_, accounts) in ZOHO_HOSTS.items()}
LOOPBACK = re.compile(r"http://(127\.0\.0\.1|localhost|\[::1\])(:(?P<port>[0-9]{1,5}))?")
SIMULATOR_TOKEN = "simulator-access-token"  # noqa: S105 - public: what the simulator accepts from its first second
TEST_VALUE = "test"


class SettingsError(LocalStackError):
    """An environment variable has a value that the local stack does not accept."""


@dataclass(frozen=True, slots=True)
class Bigin:
    """One Bigin: its addresses, its data centre, and what the two secrets will hold.

    An empty `access_token` means that the refresh function has to get one.
    """

    api_url: str
    accounts_url: str
    data_center: str
    access_token: str = field(repr=False)
    client_id: str = TEST_VALUE
    client_secret: str = field(default=TEST_VALUE, repr=False)
    refresh_token: str = field(default=TEST_VALUE, repr=False)

    @classmethod
    def simulator(cls, url: str) -> Self:
        return cls(api_url=url, accounts_url=url, data_center="US", access_token=SIMULATOR_TOKEN)

    @classmethod
    def from_env(cls, environment: Mapping[str, str]) -> Self | None:
        """None means the project's simulator. Then the other BIGIN_ variables are ignored: they are for Zoho.

        Raises SettingsError.
        """
        api_url = _url(environment, "BIGIN_API_URL", API_DATA_CENTERS)
        accounts_url = _url(environment, "BIGIN_ACCOUNTS_URL", ACCOUNTS_DATA_CENTERS)
        if not api_url and not accounts_url:
            return None
        # A simulator serves both. Each of Zoho's hosts belongs to a data centre, which gives the other host.
        data_center = API_DATA_CENTERS.get(api_url) or ACCOUNTS_DATA_CENTERS.get(accounts_url) or "US"
        return cls(
            api_url=api_url or _other(accounts_url, f"https://{ZOHO_HOSTS[data_center][0]}"),
            accounts_url=accounts_url or _other(api_url, f"https://{ZOHO_HOSTS[data_center][1]}"),
            data_center=data_center,
            access_token=environment.get("BIGIN_ACCESS_TOKEN", ""),
            client_id=environment.get("BIGIN_CLIENT_ID") or TEST_VALUE,
            client_secret=environment.get("BIGIN_CLIENT_SECRET") or TEST_VALUE,
            refresh_token=environment.get("BIGIN_REFRESH_TOKEN") or TEST_VALUE,
        )


def _other(given: str, of_data_center: str) -> str:
    return given if LOOPBACK.fullmatch(given) else of_data_center


def _url(environment: Mapping[str, str], name: str, data_centers: Mapping[str, str]) -> str:
    value = environment.get(name, "").strip().removesuffix("/")
    loopback = LOOPBACK.fullmatch(value)
    if not value or value in data_centers or (loopback and int(loopback["port"] or "80") in range(1, 65536)):
        return value
    # The value is not repeated: it may hold a password.
    raise SettingsError(
        f"{name} must be scheme and host alone: http on loopback (like http://127.0.0.1:8080) or one of\n"
        + "\n".join(f"    {url}" for url in data_centers)
    )
