"""The ledger: one item for each attachment that was ever seen, in exactly one state.

S3 decides what is archived; the ledger saves calls and answers questions. If the table is lost, no file is lost: it is
rebuilt from the objects (``bigin-archive rebuild-ledger``), and the next sweep completes it.
"""

import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from concurrent.futures import FIRST_COMPLETED, ThreadPoolExecutor, wait
from typing import TYPE_CHECKING, Any, Unpack

from bigin_archive.archive_request import ArchiveRequest
from bigin_archive.aws.dynamodb import batch_get, call, items, write
from bigin_archive.bigin.listing import ListedAttachment
from bigin_archive.ledger.attachment_state import Event, following, lasting
from bigin_archive.ledger.ledger_entry import LedgerEntry, entry_of, item_of, key_of, listing_fields, verified_mark
from bigin_archive.ledger.row_update import Conditions, row_update

if TYPE_CHECKING:
    from mypy_boto3_dynamodb import DynamoDBClient

    from bigin_archive.storage.archived_object import StoredObject

# Names of modules are words; items with other keys belong to the sweep and the budget.
CONTROL = "#"


class Ledger:
    """A DynamoDB table with the keys ``record`` (``{module}/{record_id}``) and ``attachment_id``.

    Every method raises StorageUnavailableError if the table cannot be used.
    """

    def __init__(self, client: "DynamoDBClient", table: str, sleep: Callable[[float], None] = time.sleep) -> None:
        self._client = client
        self._table = table
        self._sleep = sleep

    def find(self, requests: Sequence[ArchiveRequest]) -> dict[str, LedgerEntry]:
        """The current entries of these attachments, by their places; unknown ones are left out."""
        found: dict[str, LedgerEntry] = {}
        keys = list({request.place: key_of(request) for request in requests}.values())
        for item in batch_get(self._client, self._table, keys, self._sleep):
            entry = entry_of(item)
            found[entry.request.place] = entry
        return found

    def entries(self, segments: int = 1) -> Iterator[LedgerEntry]:
        """Every entry, in no order that means anything; what was written before this began is in it."""
        for page in self.pages([{} for _ in range(segments)]):
            yield from page

    def pages(self, scan: list[dict[str, Any] | None]) -> Iterator[list[LedgerEntry]]:
        """Every entry, page by page, of a table that is read in as many segments as ``scan`` has, one page ahead each.

        ``scan`` holds where each one goes on: ``{}`` from its beginning, None not at all. It is kept up to date, so
        that another function can read on behind the pages that came.
        """

        def read(segment: int, start: Mapping[str, Any]) -> tuple[list[LedgerEntry], dict[str, Any] | None]:
            begin: dict[str, Any] = {"ExclusiveStartKey": start} if start else {}
            part = {"Segment": segment, "TotalSegments": len(scan), **begin}
            answer = call(self._client, "scan", TableName=self._table, ConsistentRead=True, **part)
            found = [entry_of(item) for item in answer["Items"] if not item["record"]["S"].startswith(CONTROL)]
            return found, answer.get("LastEvaluatedKey") or None

        with ThreadPoolExecutor(len(scan)) as pool:
            reading = {
                pool.submit(read, number, start): number for number, start in enumerate(scan) if start is not None
            }
            while reading:
                done, _ = wait(reading, return_when=FIRST_COMPLETED)
                for future in done:
                    segment, (page, following) = reading.pop(future), future.result()
                    if following is not None:
                        reading[pool.submit(read, segment, following)] = segment
                    scan[segment] = following
                    yield page

    def entries_of(self, module: str, record_id: str) -> Iterator[LedgerEntry]:
        """The current entries of one record."""
        found = items(
            self._client,
            "query",
            TableName=self._table,
            KeyConditionExpression="#record = :record",
            ExpressionAttributeNames={"#record": "record"},
            ExpressionAttributeValues={":record": {"S": f"{module}/{record_id}"}},
        )
        return map(entry_of, found)

    def record_listing(
        self,
        request: ArchiveRequest,
        listed: ListedAttachment,
        record_name: str | None,
        at: str,
        queued_at: str | None = None,
    ) -> None:
        """Note that Bigin lists the attachment, and when a message was sent for it, if one was.

        A row that there is keeps its state: QUEUED moves that. A record's name that is not known here stays, too.
        """
        given = {**listing_fields(listed, record_name), "last_seen": at}
        if queued_at:
            given["queued_at"] = queued_at
        self._update(request, given, {"first_seen": at, "state": str(following(None, Event.LISTED))})

    def record_event(
        self,
        request: ArchiveRequest,
        event: Event,
        at: str,
        *,
        reason: str | None = None,
        stored: "StoredObject | None" = None,
        is_new: bool = False,
        is_proved: bool = False,
    ) -> None:
        """Note what became of the attachment, unless its state outlasts ``event``.

        ``stored`` is its object; ``is_new`` says that its bytes were downloaded just now, ``is_proved`` that an audit
        compared it with the row. An object that was only found there never replaces one with other bytes in the row:
        otherwise an overwritten file would count as the archived one.
        """
        given: dict[str, str | int | None] = {"state": following(None, event), "state_at": at, "reason": reason}
        once = {"first_seen": at}
        if event is Event.QUEUED:
            given["queued_at"] = at
        elif event is Event.RETRIED:
            once["queued_at"] = at
        else:
            given |= {"queued_at": None, "slow_tries": None}  # its message is done
        if stored:
            given |= {
                "key": stored.key,
                "version_id": stored.version_id,
                "size_bytes": stored.size_bytes,
                "sha256": stored.sha256,
                "verified": verified_mark(stored) if stored.is_own else None,
            }
            if stored.key.rpartition("/")[0].endswith(request.place):
                given["restored_from"] = None  # it has an object of its own now
            once |= {
                "archived_at": at if is_new else stored.modified_at or at,
                "file_name": stored.key.rpartition("/")[2],
            }
        if is_new:
            given["archived_modified_time"] = request.hints.modified_time
        if request.hints.name:
            given["file_name"] = request.hints.name
        if request.hints.modified_time:
            given["modified_time"] = request.hints.modified_time
        is_found = stored is not None and not is_new and not is_proved
        self._update(request, given, once, lasting=lasting(event), keeps_bytes=is_found)

    def count_slow_try(self, request: ArchiveRequest, at: str) -> int:
        """Count that a try took nearly all the time of its function; return how many did since the last outcome."""
        answer = call(
            self._client,
            "update_item",
            TableName=self._table,
            Key=key_of(request),
            UpdateExpression="ADD slow_tries :one SET first_seen = if_not_exists(first_seen, :at)",
            ExpressionAttributeValues={":one": {"N": "1"}, ":at": {"S": at}},
            ReturnValues="UPDATED_NEW",
        )
        return int(answer["Attributes"]["slow_tries"]["N"])

    def record_verified(self, entry: LedgerEntry) -> None:
        """Note that S3 confirms the object, if the row still says so."""
        self._update(entry.request, {"verified": verified_mark(entry)}, {}, version_id=entry.version_id)

    def put(self, entry: LedgerEntry, condition: str = "attribute_not_exists(attachment_id)") -> bool:
        """Write a whole entry unless there is one; return whether it was written."""
        return write(
            self._client, "put_item", TableName=self._table, Item=item_of(entry), ConditionExpression=condition
        )

    def record_restored(self, copy: LedgerEntry) -> None:
        """Note a file that was sent back, unless the archive has an object of its own for its new id."""
        self.put(copy, "attribute_not_exists(archived_at) OR attribute_exists(restored_from)")

    def record_restored_as(self, request: ArchiveRequest, place: str) -> None:
        """Note the place that an archived file was sent back to."""
        self._update(request, {"restored_as": place}, {}, if_known=True)

    def _update(
        self,
        request: ArchiveRequest,
        given: Mapping[str, str | int | None],
        once: Mapping[str, str],
        **conditions: Unpack[Conditions],
    ) -> None:
        change = row_update(given, once, **conditions)
        write(self._client, "update_item", TableName=self._table, Key=key_of(request), **change)
