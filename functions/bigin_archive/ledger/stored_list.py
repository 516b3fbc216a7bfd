"""Bigin's lists, stored page by page in the ledger's table.

Bigin's own page tokens live a day, a sweep may take weeks; and what the last sweep of everything found is Bigin's side
of every audit until the next one. So there are two shelves: a sweep never writes to the one that holds that list.
"""

import json
import zlib
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from bigin_archive.aws.dynamodb import call
from bigin_archive.bigin.found_attachment import Found
from bigin_archive.bigin.listing import Link, ListedAttachment
from bigin_archive.ledger.ledger import CONTROL

if TYPE_CHECKING:
    from mypy_boto3_dynamodb import DynamoDBClient

KEPT_S = 400 * 24 * 60 * 60  # longer than the longest sweep of a Free account
SHELVES = ("a-", "b-")
KEY = f"{CONTROL}sweep"
_MOST_PACKED_BYTES = 380 * 1024  # DynamoDB, "Quotas": 400 KB for an item, its keys and names included


class PageLostError(Exception):
    """A stored page is no longer there, or is another sweep's: Bigin has to be asked again."""


@dataclass(frozen=True, slots=True)
class StoredList:
    """One list of one sweep, which is told by its beginning; ``name`` and ``shelf`` tell where it lies.

    Methods raise StorageUnavailableError.
    """

    client: "DynamoDBClient"
    table: str
    name: str
    shelf: str
    sweep: str
    now: Callable[[], float]

    def put(self, number: int, rows: Sequence[object]) -> int:
        """Keep rows from page ``number`` on, as one page or as many as they need; return how many."""
        packed = zlib.compress(json.dumps(rows).encode())
        if len(packed) > _MOST_PACKED_BYTES and len(rows) > 1:
            first = self.put(number, rows[: len(rows) // 2])
            return first + self.put(number + first, rows[len(rows) // 2 :])
        ends_at = {"N": str(round(self.now() + KEPT_S))}
        item = {"rows": {"B": packed}, "ends_at": ends_at, "sweep": {"S": self.sweep}, **self._key(number)}
        call(self.client, "put_item", TableName=self.table, Item=item)
        return 1

    def page(self, number: int) -> list[Any]:
        """The rows of one page. Raises PageLostError."""
        answer = call(self.client, "get_item", TableName=self.table, Key=self._key(number), ConsistentRead=True)
        item = answer.get("Item", {})
        packed = item.get("rows", {}).get("B")
        if packed is None or item.get("sweep", {}).get("S", self.sweep) != self.sweep:
            raise PageLostError
        rows: list[Any] = json.loads(zlib.decompress(bytes(packed)))
        return rows

    def rows(self, pages: int) -> Iterator[Any]:
        """The rows of the first ``pages`` pages. Raises PageLostError."""
        for number in range(pages):
            yield from self.page(number)

    def _key(self, number: int) -> dict[str, Any]:
        return {"record": {"S": KEY}, "attachment_id": {"S": f"{self.name}-{self.shelf}{number:06d}"}}


def is_wanted(row: list[Any]) -> bool:
    """Whether the sweep covers what the row stands for; of the others the key alone is stored."""
    return len(row) > 1


def found_of(row: list[Any]) -> Found:
    """An attachment, as it was stored; by version 0.1.0 otherwise."""
    if not isinstance(row[3], dict):
        return Found.of_row(row)
    module, record_id, name, listed = row
    link = Link(**listed["link"]) if listed["link"] else None
    return Found.of_record(module, record_id, name, ListedAttachment(**{**listed, "link": link}))
