"""The table of callers: DynamoDB, one item for each key. Only the operator writes it."""

from collections.abc import Mapping
from dataclasses import fields
from typing import TYPE_CHECKING, Any

from bigin_archive.aws.dynamodb import call, items, write
from bigin_archive.callers.caller import Caller

if TYPE_CHECKING:
    from mypy_boto3_dynamodb import DynamoDBClient

_FIELDS = tuple(field.name for field in fields(Caller))


class CallerTable:
    """A table with the key ``key_id``. Every method raises StorageUnavailableError if it cannot be used."""

    def __init__(self, client: "DynamoDBClient", table: str) -> None:
        self._client = client
        self._table = table

    def find(self, key_id: str) -> Caller | None:
        """The current entry, read consistently, so that a key that was just ended is ended."""
        answer = self._call("get_item", Key={"key_id": {"S": key_id}}, ConsistentRead=True)
        return _caller(answer["Item"]) if answer.get("Item") else None

    def all(self) -> list[Caller]:
        """Every entry, ended and expired ones too, the oldest first."""
        found = map(_caller, items(self._client, "scan", TableName=self._table))
        return sorted(found, key=lambda caller: (caller.created_at, caller.key_id))

    def add(self, caller: Caller) -> None:
        """Write a new entry. Raises ConditionFailedError if the id exists."""
        given = {name: getattr(caller, name) for name in _FIELDS}
        item = {name: {"S": value} for name, value in given.items() if value is not None}
        self._call("put_item", Item=item, ConditionExpression="attribute_not_exists(key_id)")

    def end(self, key_id: str, at: str) -> bool:
        """Note that the key was ended at ``at``; return whether it was not before."""
        return write(
            self._client,
            "update_item",
            TableName=self._table,
            Key={"key_id": {"S": key_id}},
            UpdateExpression="SET ended_at = :at",
            ConditionExpression="attribute_exists(key_id) AND attribute_not_exists(ended_at)",
            ExpressionAttributeValues={":at": {"S": at}},
        )

    def _call(self, operation: str, **arguments: Any) -> Any:
        return call(self._client, operation, TableName=self._table, **arguments)


def _caller(item: Mapping[str, Any]) -> Caller:
    return Caller(**{name: item[name]["S"] for name in _FIELDS if name in item})
