"""API credits: what this application's calls to Bigin cost, counted over a rolling day.

Bigin gives an account 5,000 (Free) to 100,000 credits for any 24 hours; a call costs one (Bigin API v2, "API limits").
Each container counts its own calls, and adds them to the ledger table in spans of a quarter of an hour.
"""

import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from bigin_archive.aws.dynamodb import call
from bigin_archive.bigin.credit_meter import Usage
from bigin_archive.clock import iso
from bigin_archive.ledger.ledger import CONTROL

if TYPE_CHECKING:
    from mypy_boto3_dynamodb import DynamoDBClient

DAY_S = 24 * 60 * 60
HOUR_S = 60 * 60
SPAN_S = 15 * 60
_MINUTE_S = 60
_KEPT_S = 9 * DAY_S  # the weekly mail needs seven days
_KEY = f"{CONTROL}credits"
_REMAINING = "remaining"  # sorts behind every time
# Bigin's day is any 24 hours. The rest that it named counts until it names another, or until that day is over.
_BELIEVED_S = DAY_S
# SQS counts a message a minute after it was sent (SQS API Reference, GetQueueAttributes).
_UNCOUNTED_S = _MINUTE_S


@dataclass(frozen=True, slots=True)
class Spending:
    """Credits used in the last ``day`` and ``hour``, rounded up to whole spans, and what Bigin said remains.

    ``promised`` are those of messages that were sent a moment ago, which SQS may not count yet.
    """

    day: int
    hour: int
    promised: int
    remaining: int | None

    def plus(self, day: int, hour: int, remaining: int | None) -> "Spending":
        """With credits that are not entered yet, and what Bigin said since."""
        said = [each for each in (self.remaining, remaining) if each is not None]
        return Spending(self.day + day, self.hour + hour, self.promised, min(said, default=None))


class CreditUsage:
    """The credits used by the stack, in the ledger table. Methods raise StorageUnavailableError."""

    def __init__(self, client: "DynamoDBClient", table: str, now: Callable[[], float] = time.time) -> None:
        self._client = client
        self._table = table
        self._now = now

    def add(self, usage: Usage) -> None:
        """Record what was used until now.

        Where DynamoDB's answer is lost, the same calls may be counted twice: botocore repeats the write, or the caller
        does. The sum is then too high for a day and never too low, so a sweep spends less than its share. A write that
        cannot count twice needs a transaction, at twice the price of each.
        """
        now = self._now()
        # The write that may be repeated comes first, so that after an error nothing is counted twice.
        if usage.remaining is not None:
            call(
                self._client,
                "update_item",
                TableName=self._table,
                Key=_key(_REMAINING),
                UpdateExpression="SET remaining = :remaining, told_at = :now",
                ExpressionAttributeValues={":remaining": {"N": str(usage.remaining)}, ":now": {"N": str(now)}},
            )
        if usage.used or usage.promised:
            minute, promised = "", {}
            if usage.promised:
                minute, promised = f", {_minute(now)} :promised", {":promised": {"N": str(usage.promised)}}
            call(
                self._client,
                "update_item",
                TableName=self._table,
                Key=_key(_span(now)),
                UpdateExpression=f"ADD used :used{minute} SET ends_at = :ends_at",
                ExpressionAttributeValues={
                    ":used": {"N": str(usage.used)},
                    ":ends_at": {"N": str(round(now + _KEPT_S))},
                    **promised,
                },
            )

    def used(self, seconds: float = DAY_S) -> Usage:
        """Credits used in the last ``seconds``, rounded up to whole spans, and what Bigin said remains.

        The rest that Bigin named is lowered by what was used since.
        """
        now = self._now()
        spans, remaining = self._spans(now, seconds)
        return Usage(_sum(spans, now - seconds), remaining)

    def spending(self) -> Spending:
        """What was used and promised."""
        now = self._now()
        spans, remaining = self._spans(now, DAY_S)
        promised = sum(
            int(spans.get(_span(at_s), {}).get(_minute(at_s), {}).get("N", 0)) for at_s in (now, now - _UNCOUNTED_S)
        )
        return Spending(_sum(spans, now - DAY_S), _sum(spans, now - HOUR_S), promised, remaining)

    def _spans(self, now: float, seconds: float) -> tuple[dict[str, Any], int | None]:
        answer = call(
            self._client,
            "query",
            TableName=self._table,
            KeyConditionExpression="#record = :key AND attachment_id >= :since",
            ExpressionAttributeNames={"#record": "record"},
            ExpressionAttributeValues={":key": {"S": _KEY}, ":since": {"S": _span(now - seconds)}},
            ConsistentRead=True,
        )
        spans = {item["attachment_id"]["S"]: item for item in answer["Items"]}
        reported = spans.pop(_REMAINING, None)
        if reported is None or now - float(reported["told_at"]["N"]) > _BELIEVED_S:
            return spans, None
        # The span of that answer is partly counted twice: better too few credits than too many.
        since = _sum(spans, float(reported["told_at"]["N"]))
        return spans, max(0, int(reported["remaining"]["N"]) - since)


def _sum(spans: Mapping[str, Any], since_s: float) -> int:
    return sum(int(item["used"]["N"]) for at, item in spans.items() if at >= _span(since_s))


def _span(at_s: float) -> str:
    return iso(at_s // SPAN_S * SPAN_S)


def _minute(at_s: float) -> str:
    """The attribute of a span that counts what was promised in this minute of it."""
    return f"promised_{int(at_s % SPAN_S // _MINUTE_S)}"


def _key(name: str) -> dict[str, Any]:
    return {"record": {"S": _KEY}, "attachment_id": {"S": name}}
