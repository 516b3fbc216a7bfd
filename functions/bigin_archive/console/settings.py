"""The settings of the console."""

from collections.abc import Mapping
from dataclasses import dataclass

from bigin_archive.settings import required


@dataclass(frozen=True, slots=True)
class ConsoleSettings:
    """What the console needs: what it reads, where it counts links, and where its users sign in."""

    bucket: str
    key_prefix: str
    ledger_table: str
    links_table: str
    sign_in_url: str

    @classmethod
    def from_env(cls, env: Mapping[str, str]) -> "ConsoleSettings":
        return cls(
            bucket=required(env, "BUCKET"),
            key_prefix=env.get("KEY_PREFIX", ""),
            ledger_table=required(env, "LEDGER_TABLE"),
            links_table=required(env, "LINKS_TABLE"),
            sign_in_url=required(env, "SIGN_IN_URL"),
        )
