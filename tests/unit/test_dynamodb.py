"""BatchGetItem on a table that throttles."""

from typing import Any

import pytest

from bigin_archive.aws.dynamodb import batch_get
from bigin_archive.errors import StorageUnavailableError

KEYS = [{"id": {"S": str(number)}} for number in range(250)]


class Table:
    """BatchGetItem that processes at most ``at_once`` keys of each call, and notes the pauses between them."""

    def __init__(self, at_once: int) -> None:
        self.at_once = at_once
        self.calls = 0
        self.pauses_s: list[float] = []

    def batch_get_item(self, RequestItems: dict[str, Any]) -> dict[str, Any]:  # noqa: N803 - botocore's name
        self.calls += 1
        keys = RequestItems["table"]["Keys"]
        assert len(keys) <= 100
        left = keys[self.at_once :]
        return {
            "Responses": {"table": keys[: self.at_once]},
            "UnprocessedKeys": {"table": {"Keys": left}} if left else {},
        }


def get(table: Table, keys: list[dict[str, Any]]) -> list[dict[str, Any]]:
    return list(batch_get(table, "table", keys, table.pauses_s.append))  # type: ignore[arg-type]


def test_a_table_at_rest_is_asked_without_a_pause() -> None:
    """A table at rest gets 250 keys in three calls, without a pause."""
    table = Table(100)

    assert get(table, KEYS) == KEYS
    assert (3, []) == (table.calls, table.pauses_s)


def test_what_was_left_is_asked_for_again() -> None:
    """Every item comes once, in fewer calls than there are keys."""
    table = Table(20)

    found = get(table, KEYS)

    assert {key["id"]["S"] for key in KEYS} == {item["id"]["S"] for item in found}
    assert len(found) == len(KEYS)
    assert table.calls <= 15


def test_a_table_that_answers_nothing_ends_it() -> None:
    """After eight calls with growing pauses, about six seconds in all, the ledger counts as unavailable."""
    table = Table(0)

    with pytest.raises(StorageUnavailableError):
        get(table, KEYS[:1])

    assert 8 == table.calls
    assert table.pauses_s == sorted(table.pauses_s)
    assert 3 < sum(table.pauses_s) < 7
