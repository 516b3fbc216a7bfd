"""How often a key may be used. The counts are in a table, so that all containers share them.

Each key and limit has one item, with the current window and its count. The window of the last call also shows when the
key was last used.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from bigin_archive.aws.dynamodb import call, write
from bigin_archive.http_errors import TooManyLinksError, TooManyRequestsError

if TYPE_CHECKING:
    from mypy_boto3_dynamodb import DynamoDBClient

CALLS_A_SECOND = 5
LINKS_A_DAY = 1000
DAY_S = 24 * 3600
_BATCH_GET = 100  # keys (DynamoDB API Reference, BatchGetItem)


@dataclass(frozen=True, slots=True)
class _Limit:
    kind: str
    most: int
    window_s: int


_CALLS = _Limit("caller-calls", CALLS_A_SECOND, 1)
_LINKS = _Limit("caller-links", LINKS_A_DAY, DAY_S)


class CallerLimits:
    """Counts in a table with the key ``lease``. A table that cannot be used raises StorageUnavailableError."""

    def __init__(self, client: "DynamoDBClient", table: str) -> None:
        self._client = client
        self._table = table

    def count_call(self, key_id: str, at_s: float) -> None:
        """Count a call at ``at_s`` (seconds since 1970). Raises TooManyRequestsError."""
        if wait_s := self._count(_CALLS, key_id, at_s):
            raise TooManyRequestsError(
                f"This key may be used {CALLS_A_SECOND} times a second. Wait a second, and send the request again.",
                retry_after_s=wait_s,
            )

    def count_link(self, key_id: str, at_s: float) -> None:
        """Count a download link. Raises TooManyLinksError."""
        if wait_s := self._count(_LINKS, key_id, at_s):
            raise TooManyLinksError(
                f"This key has used its {LINKS_A_DAY:,} download links of today (UTC). The file is archived; "
                "without download_link_seconds the request succeeds.",
                retry_after_s=wait_s,
            )

    def last_used(self, key_ids: Iterable[str]) -> dict[str, float]:
        """When each key was used last (seconds since 1970); keys that were never used are left out."""
        names = [f"{_CALLS.kind}/{key_id}" for key_id in key_ids]
        found: dict[str, float] = {}
        while names:
            keys = [{"lease": {"S": name}} for name in names[:_BATCH_GET]]
            answer = call(self._client, "batch_get_item", RequestItems={self._table: {"Keys": keys}})
            for item in answer["Responses"].get(self._table, []):
                found[item["lease"]["S"].partition("/")[2]] = float(item["window_start"]["N"])
            left = answer.get("UnprocessedKeys", {}).get(self._table, {}).get("Keys", [])
            names = [key["lease"]["S"] for key in left] + names[_BATCH_GET:]
        return found

    def _count(self, limit: _Limit, key_id: str, at_s: float) -> int:
        """Count one; return 0, or the seconds until there is room again."""
        start = int(at_s // limit.window_s) * limit.window_s
        # The window may be new, and another container may open it at this moment. Then this one counts in it, too.
        counted = self._add(limit, key_id, start) or self._open(limit, key_id, start) or self._add(limit, key_id, start)
        return 0 if counted else max(1, int(start + limit.window_s - at_s))

    def _add(self, limit: _Limit, key_id: str, start: int) -> bool:
        return self._update(
            limit,
            key_id,
            UpdateExpression="SET used = used + :one",
            # A later window comes from a container whose clock is ahead.
            ConditionExpression="window_start >= :start AND used < :most",
            ExpressionAttributeValues={":start": _number(start), ":one": _number(1), ":most": _number(limit.most)},
        )

    def _open(self, limit: _Limit, key_id: str, start: int) -> bool:
        return self._update(
            limit,
            key_id,
            UpdateExpression="SET window_start = :start, used = :one",
            ConditionExpression="attribute_not_exists(window_start) OR window_start < :start",
            ExpressionAttributeValues={":start": _number(start), ":one": _number(1)},
        )

    def _update(self, limit: _Limit, key_id: str, **expressions: Any) -> bool:
        key = {"lease": {"S": f"{limit.kind}/{key_id}"}}
        return write(self._client, "update_item", TableName=self._table, Key=key, **expressions)


def _number(value: int) -> dict[str, str]:
    return {"N": str(value)}
