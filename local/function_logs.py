"""Copies the functions' log lines from the emulator's CloudWatch into a file, for `tail -f` and for afterwards."""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from local.deployment import STACK_NAME

NOISE = ("START RequestId", "END RequestId")


class FunctionLogs:
    """Remembers what it has copied; each `copy` adds what is new."""

    def __init__(self, client: Any, file: Path) -> None:
        self._client = client
        self._file = file
        self._since: dict[str, int] = {}  # milliseconds since the epoch of the newest event, by log group
        self._at_since: dict[str, set[tuple[str, str]]] = {}  # stream and message: the next may have the same time
        file.write_text("")

    def copy(self) -> None:
        prefix = f"/aws/cloudformation/{STACK_NAME}/"  # how CloudFormation names log groups here
        groups = self._client.describe_log_groups(logGroupNamePrefix=prefix)["logGroups"]
        events = [event for group in groups for event in self._new_events(group["logGroupName"])]
        with self._file.open("a") as file:
            file.writelines(line for _, line in sorted(events))

    def _new_events(self, group: str) -> list[tuple[int, str]]:
        since, known = self._since.get(group, 0), self._at_since.get(group, set())
        pages = self._client.get_paginator("filter_log_events").paginate(logGroupName=group, startTime=since)
        events = [event for page in pages for event in page["events"] if _identity(event) not in known]
        if events:
            newest = max(event["timestamp"] for event in events)
            ids = {_identity(event) for event in events if event["timestamp"] == newest}
            self._since[group], self._at_since[group] = newest, ids | (known if newest == since else set())
        name = group.rsplit("/", 1)[-1]
        return [
            (event["timestamp"], f"{_clock(event['timestamp'])} {name} {event['message'].rstrip()}\n")
            for event in events
            if not event["message"].startswith(NOISE)
        ]


def _identity(event: dict[str, Any]) -> tuple[str, str]:
    """The emulator gives no event ids."""
    return event["logStreamName"], event["message"]


def _clock(milliseconds: int) -> str:
    return datetime.fromtimestamp(milliseconds / 1000, UTC).strftime("%H:%M:%S.%f")[:-3]
