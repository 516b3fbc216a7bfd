"""The settings of the announcer."""

from collections.abc import Mapping
from dataclasses import dataclass

from bigin_archive.settings import required


@dataclass(frozen=True, slots=True)
class EventSettings:
    """What it takes to announce what was archived. ``stack`` is what events name as their origin."""

    bucket: str
    key_prefix: str
    bus: str
    queue_url: str
    stack: str

    @classmethod
    def from_env(cls, env: Mapping[str, str]) -> "EventSettings":
        return cls(
            bucket=required(env, "BUCKET"),
            key_prefix=env.get("KEY_PREFIX", ""),
            bus=required(env, "EVENT_BUS"),
            queue_url=required(env, "EVENT_QUEUE_URL"),
            stack=required(env, "POWERTOOLS_SERVICE_NAME"),
        )
