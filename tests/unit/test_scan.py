"""The whole ledger, read page by page by one function after the other."""

import json
import random
from typing import Any, ClassVar

from bigin_archive.archive_request import ArchiveRequest
from bigin_archive.ledger.ledger import Ledger

SEGMENTS, ROWS = 3, 40


class Table:
    """DynamoDB with two rows a page, some of them not of an attachment; an empty page now and then."""

    def scan(self, **asked: Any) -> dict[str, Any]:
        first = int(asked["ExclusiveStartKey"]["n"]["N"]) if "ExclusiveStartKey" in asked else asked["Segment"]
        of_segment = range(first, ROWS, asked["TotalSegments"])
        page = of_segment[:2]
        items = [
            {
                "record": {"S": "#x" if number % 10 == 9 else f"Contacts/{number}"},
                "attachment_id": {"S": str(number)},
            }
            for number in page
            if number % 7
        ]
        rest = {"LastEvaluatedKey": {"n": {"N": str(of_segment[2])}}} if len(of_segment) > 2 else {}
        return {"Items": items, **rest}


def test_a_scan_goes_on_where_it_was_left() -> None:
    """The next function continues where the last one stopped, and each row comes once."""
    expected = sorted(number for number in range(ROWS) if number % 7 and number % 10 != 9)
    for seed in range(20):
        chance, found = random.Random(seed), []
        scan: list[dict[str, Any] | None] = [{} for _ in range(SEGMENTS)]
        while any(start is not None for start in scan):
            pages = Ledger(Table(), "table").pages(scan)  # type: ignore[arg-type]
            for page in pages:
                found += [int(entry.attachment_id) for entry in page]
                if chance.random() < 0.3:
                    break
            pages.close()  # type: ignore[attr-defined]
            scan = json.loads(json.dumps(scan))

        assert expected == sorted(found)


class LateTable:
    """DynamoDB that shows what was written a moment ago to consistent reads alone."""

    ROW: ClassVar = {"record": {"S": "Contacts/1"}, "attachment_id": {"S": "2"}}

    def scan(self, **asked: Any) -> dict[str, Any]:
        return {"Items": [self.ROW] if asked.get("ConsistentRead") else []}

    query = scan

    def batch_get_item(self, RequestItems: dict[str, Any]) -> dict[str, Any]:  # noqa: N803 - as boto3 calls it
        return {"Responses": {"table": self.scan(**RequestItems["table"])["Items"]}}


def test_what_was_written_a_moment_ago_is_read() -> None:
    """Otherwise an audit would call a file missing that was archived just now, and a sweep would queue it again."""
    ledger = Ledger(LateTable(), "table")  # type: ignore[arg-type]

    assert ["2"] == [entry.attachment_id for entry in ledger.entries()]
    assert ["2"] == [entry.attachment_id for entry in ledger.entries_of("Contacts", "1")]
    assert ["Contacts/1/2"] == list(ledger.find([ArchiveRequest("Contacts", "1", "2")]))
