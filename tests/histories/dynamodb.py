"""DynamoDB in memory: the calls that the project makes, and nothing else."""

import json
from collections.abc import Callable, Container, Mapping
from typing import Any

from tests.histories.expressions import Expression, Item
from tests.histories.network import Reply, Request

_TARGET = "DynamoDB_20120810."
_Asked = Mapping[str, Any]
_MOST = 100  # items of one page of a scan or query; DynamoDB's own limit is 1 MB
_MOST_BYTES, _MOST_KEYS = 400 * 1024, 100  # of an item; in one BatchGetItem (DynamoDB, "Quotas")


class _RefusedError(Exception):
    """An answer that is an error."""


class Tables:
    """Tables by name, with their keys; items by the values of these.

    ``is_late``: only a consistent read sees the last write.
    """

    def __init__(self, keys: Mapping[str, tuple[str, ...]], *, is_late: bool = False) -> None:
        self._keys = dict(keys)
        self._is_late = is_late
        self._before: dict[str, tuple[tuple[str, ...], Item | None]] = {}  # what the last write has changed
        self.items: dict[str, dict[tuple[str, ...], Item]] = {name: {} for name in keys}
        self._operations: dict[str, Callable[[_Asked], dict[str, Any]]] = {
            "GetItem": self._get,
            "BatchGetItem": self._batch_get,
            "PutItem": self._put,
            "UpdateItem": self._update,
            "DeleteItem": self._delete,
            "Query": self._query,
            "Scan": self._scan,
            "CreateTable": self._create_table,
            "DeleteTable": self._delete_table,
        }

    def __call__(self, request: Request) -> Reply:
        operation = request.headers["x-amz-target"].removeprefix(_TARGET)
        try:
            asked = json.loads(request.body)
            wanted = asked.get("RequestItems", [asked.get("TableName")])
            if operation != "CreateTable" and not self.items.keys() >= set(wanted):
                raise _RefusedError("ResourceNotFoundException")
            answer, status = self._operations[operation](asked), 200
        except _RefusedError as error:
            answer, status = {"__type": f"com.amazonaws.dynamodb.v20120810#{error}", "message": str(error)}, 400
        return Reply(status, {"content-type": "application/x-amz-json-1.0"}, json.dumps(answer).encode())

    def _get(self, asked: _Asked) -> dict[str, Any]:
        found = self._seen(asked["TableName"], asked).get(self._key(asked["TableName"], asked["Key"]))
        return {} if found is None else {"Item": found}

    def _batch_get(self, asked: _Asked) -> dict[str, Any]:
        answers: dict[str, list[Item]] = {}
        for table, wanted in asked["RequestItems"].items():
            keys = {self._key(table, key) for key in wanted["Keys"]}
            if len(keys) < len(wanted["Keys"]) or not 1 <= len(keys) <= _MOST_KEYS:
                raise _RefusedError("ValidationException")
            seen = self._seen(table, wanted)
            found = [seen.get(self._key(table, key)) for key in wanted["Keys"]]
            answers[table] = [item for item in found if item is not None]
        return {"Responses": answers, "UnprocessedKeys": {}}

    def _put(self, asked: _Asked) -> dict[str, Any]:
        key = self._key(asked["TableName"], asked["Item"])
        self._check(asked, self._table(asked).get(key, {}))
        self._store(asked, key, dict(asked["Item"]))
        return {}

    def _update(self, asked: _Asked) -> dict[str, Any]:
        key = self._key(asked["TableName"], asked["Key"])
        there = self._table(asked).get(key, {})
        self._check(asked, there)
        update = _expression(asked, "UpdateExpression")
        changed = update.changed(there or dict(asked["Key"]))
        self._store(asked, key, changed)
        if asked.get("ReturnValues", "NONE") == "NONE":
            return {}
        if asked["ReturnValues"] != "UPDATED_NEW":
            raise NotImplementedError(asked["ReturnValues"])
        return {"Attributes": {name: value for name, value in changed.items() if name in update.touched}}

    def _store(self, asked: _Asked, key: tuple[str, ...], item: Item) -> None:
        if sum(len(name) + _bytes(value) for name, value in item.items()) > _MOST_BYTES:
            raise _RefusedError("ValidationException")
        self._note(asked, key)
        self._table(asked)[key] = item

    def _note(self, asked: _Asked, key: tuple[str, ...]) -> None:
        self._before[asked["TableName"]] = key, self._table(asked).get(key)

    def _seen(self, table: str, asked: _Asked) -> Mapping[tuple[str, ...], Item]:
        """The items that a read sees."""
        if not self._is_late or asked.get("ConsistentRead") or table not in self._before:
            return self.items[table]
        key, item = self._before[table]
        seen = {name: each for name, each in self.items[table].items() if name != key}
        return seen if item is None else seen | {key: item}

    def _delete(self, asked: _Asked) -> dict[str, Any]:
        key = self._key(asked["TableName"], asked["Key"])
        self._check(asked, self._table(asked).get(key, {}))
        self._note(asked, key)
        self._table(asked).pop(key, None)
        return {}

    def _query(self, asked: _Asked) -> dict[str, Any]:
        # The partition key equals a value of the expression: what lies in other partitions need not be looked at.
        given = {value["S"] for value in asked["ExpressionAttributeValues"].values() if "S" in value}
        return self._page(asked, [item for item in self._sorted(asked, given) if _holds(asked, item)])

    def _scan(self, asked: _Asked) -> dict[str, Any]:
        number, count = asked.get("Segment", 0), asked.get("TotalSegments", 1)
        return self._page(asked, self._sorted(asked)[number::count])

    def _create_table(self, asked: _Asked) -> dict[str, Any]:
        name = asked["TableName"]
        self._keys[name], self.items[name] = tuple(each["AttributeName"] for each in asked["KeySchema"]), {}
        return {"TableDescription": {"TableName": name, "TableStatus": "ACTIVE"}}

    def _delete_table(self, asked: _Asked) -> dict[str, Any]:
        del self.items[asked["TableName"]]
        return {"TableDescription": {"TableName": asked["TableName"], "TableStatus": "DELETING"}}

    def _page(self, asked: _Asked, found: list[Item]) -> dict[str, Any]:
        table = asked["TableName"]
        if after := asked.get("ExclusiveStartKey"):
            found = [item for item in found if self._key(table, item) > self._key(table, after)]
        answer: dict[str, Any] = {"Items": found[:_MOST], "Count": min(len(found), _MOST)}
        if len(found) > _MOST:
            answer["LastEvaluatedKey"] = {name: found[_MOST - 1][name] for name in self._keys[table]}
        return answer

    def _sorted(self, asked: _Asked, partitions: Container[str] | None = None) -> list[Item]:
        seen = self._seen(asked["TableName"], asked)
        return [seen[key] for key in sorted(key for key in seen if partitions is None or key[0] in partitions)]

    def _table(self, asked: _Asked) -> dict[tuple[str, ...], Item]:
        return self.items[asked["TableName"]]

    def _key(self, table: str, item: Mapping[str, Any]) -> tuple[str, ...]:
        return tuple(item[name]["S"] for name in self._keys[table])

    def _check(self, asked: _Asked, item: Item) -> None:
        if "ConditionExpression" in asked and not _expression(asked, "ConditionExpression").holds(item):
            raise _RefusedError("ConditionalCheckFailedException")


def _bytes(value: Mapping[str, Any]) -> int:
    ((kind, content),) = value.items()
    return len(str(content)) * 3 // 4 if kind == "B" else len(str(content))  # binary travels as Base64


def _holds(asked: _Asked, item: Item) -> bool:
    return _expression(asked, "KeyConditionExpression").holds(item)


def _expression(asked: _Asked, name: str) -> Expression:
    names, values = asked.get("ExpressionAttributeNames", {}), asked.get("ExpressionAttributeValues", {})
    return Expression(asked[name], names, values)
