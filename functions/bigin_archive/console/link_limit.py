"""At most so many links for one user in any hour: a stolen account empties no archive.

The times of a user's links are kept, and those of the last hour counted; so there is no moment at which a new hour
begins and the count with it. Beside them each week's count is kept until the weekly mail has told of it.
"""

import time
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any

from bigin_archive.aws.dynamodb import ConditionFailedError, call, items
from bigin_archive.http_errors import TooManyLinksError

if TYPE_CHECKING:
    from mypy_boto3_dynamodb import DynamoDBClient

MOST_LINKS, WINDOW_S = 100, 3600
KEPT_S = 15 * 24 * 3600  # two weeks, and a day for a mail that comes late
WEEK_S = 7 * 24 * 3600
MANY_LINKS = 200  # for one user in a week: more is unusual, and may be somebody else
_TRIES = 20  # when another write was faster


def admitted(times: Sequence[int], now: int) -> list[int]:
    """The times (seconds) of the last hour's links, with the one now. Raises TooManyLinksError."""
    recent = sorted(time for time in times if now - WINDOW_S < time <= now)
    if len(recent) >= MOST_LINKS:
        wait_s = recent[-MOST_LINKS] + WINDOW_S - now
        raise TooManyLinksError(
            f"You got {MOST_LINKS} links in the last hour. Go on in {-(-wait_s // 60)} minutes.",
            retry_after_s=max(1, wait_s),
        )
    return [*recent, now]


class LocalLinkLimit:
    """For a process with one user."""

    def __init__(self, now: Callable[[], float] = time.time) -> None:
        self._now = now
        self._times: dict[str, list[int]] = {}
        self._counts: Counter[tuple[str, str]] = Counter()

    def take(self, user: str) -> int:
        """Count one link of this user; return how many they are this week. Raises TooManyLinksError."""
        now = int(self._now())
        self._times[user] = admitted(self._times.get(user, []), now)
        self._counts[user, week_of(now)] += 1
        return self._counts[user, week_of(now)]


class TableLinkLimit:
    """For users of all containers: an item for each user in a table with the key ``user``."""

    def __init__(self, client: "DynamoDBClient", table: str, now: Callable[[], float] = time.time) -> None:
        self._client = client
        self._table = table
        self._now = now

    def take(self, user: str) -> int:
        """As :class:`LocalLinkLimit`. Of two at once the slower reads again. Raises StorageUnavailableError, too."""
        for _ in range(_TRIES):
            with suppress(ConditionFailedError):
                return self._take({"user": {"S": user}}, int(self._now()))
        raise TooManyLinksError("Too many links at one time. Try again.", retry_after_s=1)

    def _take(self, key: dict[str, dict[str, str]], now: int) -> int:
        item = call(self._client, "get_item", TableName=self._table, Key=key, ConsistentRead=True).get("Item", {})
        before = item.get("given_at", {}).get("S", "")
        week = week_of(now)
        counts = {"links": _in_week(item, week) + 1, "links_before": _in_week(item, week_of(now - WEEK_S))}
        after = " ".join(map(str, admitted([int(time) for time in before.split()], now)))
        # One string, so that "as it was read" is one comparison.
        call(
            self._client,
            "put_item",
            TableName=self._table,
            Item={
                **key,
                "given_at": {"S": after},
                "week": {"S": week},
                **{name: {"N": str(count)} for name, count in counts.items()},
                "expires_at": {"N": str(now + KEPT_S)},
            },
            ConditionExpression="given_at = :before" if before else "attribute_not_exists(given_at)",
            **({"ExpressionAttributeValues": {":before": {"S": before}}} if before else {}),
        )
        return counts["links"]


def week_of(now_s: float) -> str:
    """The week of a time: its Monday, as ``2026-02-02`` (UTC)."""
    day = datetime.fromtimestamp(now_s, UTC).date()
    return (day - timedelta(days=day.weekday())).isoformat()


def links_in_week(client: "DynamoDBClient", table: str | None, week: str) -> dict[str, int]:
    """How many links each user got in a week, the last one or this one; none without a table (a stack has no console).

    Raises StorageUnavailableError.
    """
    users = items(client, "scan", TableName=table) if table else ()
    return {item["user"]["S"]: count for item in users if (count := _in_week(item, week))}


def users_with_many_links(client: "DynamoDBClient", table: str | None, week: str) -> int:
    """How many users got unusually many links in a week. Raises StorageUnavailableError."""
    return sum(count > MANY_LINKS for count in links_in_week(client, table, week).values())


def _in_week(item: Mapping[str, Any], week: str) -> int:
    counted = item.get("week", {}).get("S", "")
    if counted == week:
        return int(item["links"]["N"])
    following = (datetime.fromisoformat(week) + timedelta(days=7)).date().isoformat()
    return int(item["links_before"]["N"]) if counted == following else 0
