"""The settings of the authorizer."""

from collections.abc import Mapping
from dataclasses import dataclass

from bigin_archive.settings import required


@dataclass(frozen=True, slots=True)
class CallerSettings:
    """What it takes to check a key."""

    callers_table: str

    @classmethod
    def from_env(cls, env: Mapping[str, str]) -> "CallerSettings":
        return cls(callers_table=required(env, "CALLERS_TABLE"))
