"""Calls to DynamoDB, with its errors translated into ours."""

import random
from collections.abc import Callable, Iterator, Sequence
from typing import TYPE_CHECKING, Any

from bigin_archive.aws.error_codes import AWS_ERRORS, CONDITION_FAILED, code_of
from bigin_archive.errors import StorageUnavailableError

if TYPE_CHECKING:
    from mypy_boto3_dynamodb import DynamoDBClient


_KEYS = 100  # in one call (DynamoDB API Reference, BatchGetItem)
_FIRST_PAUSE_S, _LONGEST_PAUSE_S = 0.05, 3.2
_FRUITLESS_CALLS = 8  # in a row, with about six seconds of pauses between them


def call(client: "DynamoDBClient", operation: str, **arguments: Any) -> Any:
    """Call DynamoDB. Raises StorageUnavailableError, or ConditionFailedError if a condition does not hold."""
    try:
        return getattr(client, operation)(**arguments)
    except AWS_ERRORS as error:
        code = code_of(error)
        if code == CONDITION_FAILED:
            raise ConditionFailedError(code) from None
        raise StorageUnavailableError(f"The ledger cannot be used ({code}). Try again later.") from error


class ConditionFailedError(Exception):
    """The item does not meet the condition of the write."""


def write(client: "DynamoDBClient", operation: str, **arguments: Any) -> bool:
    """As :func:`call`, for a write; return whether its condition held."""
    try:
        call(client, operation, **arguments)
    except ConditionFailedError:
        return False
    return True


def items(client: "DynamoDBClient", operation: str, **arguments: Any) -> Iterator[dict[str, Any]]:
    """Every item of a scan or a query, over all its pages. Raises as :func:`call`."""
    start: dict[str, Any] = {}
    while True:
        answer = call(client, operation, ConsistentRead=True, **arguments, **start)
        yield from answer["Items"]
        if not answer.get("LastEvaluatedKey"):
            return
        start = {"ExclusiveStartKey": answer["LastEvaluatedKey"]}


def batch_get(
    client: "DynamoDBClient", table: str, keys: Sequence[dict[str, Any]], sleep: Callable[[float], None]
) -> Iterator[dict[str, Any]]:
    """The items that exist, in any order.

    A busy table leaves keys unprocessed. They are requested again after growing pauses (DynamoDB developer guide,
    "Batch operations"). Raises StorageUnavailableError if that does not help.
    """
    waiting, pause_s, fruitless = list(keys), _FIRST_PAUSE_S, 0
    while waiting:
        wanted, waiting = waiting[:_KEYS], waiting[_KEYS:]
        answer = call(client, "batch_get_item", RequestItems={table: {"Keys": wanted, "ConsistentRead": True}})
        yield from answer["Responses"].get(table, [])
        left = (answer.get("UnprocessedKeys") or {}).get(table, {}).get("Keys", [])
        if not left:
            pause_s, fruitless = _FIRST_PAUSE_S, 0
            continue
        fruitless = 0 if len(left) < len(wanted) else fruitless + 1
        if fruitless == _FRUITLESS_CALLS:
            raise StorageUnavailableError("The table answers no request. Try again later.")
        sleep(pause_s * random.uniform(0.75, 1.0))  # noqa: S311 - no secret hangs on it
        pause_s = min(2 * pause_s, _LONGEST_PAUSE_S)
        waiting += left
