"""Searches a function's log for the last notification, success or webhook."""

import json
from collections.abc import Collection, Iterable, Iterator
from datetime import UTC, datetime, timedelta
from typing import Any

from operate.errors import OperateError
from operate.stack.aws import aws_errors

SPANS = (timedelta(hours=1), timedelta(days=1), timedelta(days=7))  # searched one after the other
_PATTERN = "{ $.channel_id = * }"  # CloudWatch Logs, "Filter pattern syntax": JSON lines with this field
_MOST_PAGES = 50  # for a span; a busier log has had its last event in a shorter one


def last_events(client: Any, group: str, channel_ids: Iterable[str], now: datetime) -> dict[str, datetime] | None:
    """The time of the last notification by channel id; None if the log may not be read.

    A channel without a notification in the longest of SPANS is left out.
    """
    wanted, found = set(channel_ids), dict[str, datetime]()
    until = now
    try:
        for span in SPANS:
            for message, time in _events(client, group, _PATTERN, now - span, until):
                channel_id = _field(message, "channel_id")
                if channel_id is not None and channel_id in wanted:
                    found[channel_id] = max(time, found.get(channel_id, time))
            if wanted <= set(found):
                break
            until = now - span
    except OperateError:
        return None
    return found


def last_outcome(client: Any, group: str, outcomes: Collection[str], now: datetime) -> datetime | None:
    """The time of the last line with one of these outcomes; None if there is none in the longest of SPANS.

    Raises OperateError if the log may not be read.
    """
    pattern = "{ " + " || ".join(f'$.outcome = "{outcome}"' for outcome in outcomes) + " }"
    until = now
    for span in SPANS:
        found = _events(client, group, pattern, now - span, until)
        times = [time for message, time in found if _field(message, "outcome") in outcomes]
        if times:
            return max(times)
        until = now - span
    return None


def _events(client: Any, group: str, pattern: str, start: datetime, end: datetime) -> Iterator[tuple[str, datetime]]:
    times = {"startTime": int(start.timestamp() * 1000), "endTime": int(end.timestamp() * 1000) + 1000}
    token: dict[str, str] = {}
    for _ in range(_MOST_PAGES):
        with aws_errors("read the function's log"):
            page = client.filter_log_events(logGroupName=group, filterPattern=pattern, **times, **token)
        for event in page["events"]:
            yield event["message"], datetime.fromtimestamp(event["timestamp"] / 1000, UTC)
        if "nextToken" not in page:
            return
        token = {"nextToken": page["nextToken"]}


def _field(line: str, name: str) -> str | None:
    try:
        fields = json.loads(line)
    except (ValueError, RecursionError):
        return None
    value = fields.get(name) if isinstance(fields, dict) else None
    return value if isinstance(value, str) else None
