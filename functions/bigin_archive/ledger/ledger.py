"""The ledger: one item for each attachment that was ever seen, in exactly one state.

S3 stays the truth of what is archived; the ledger saves calls and answers questions. Losing the table loses no file:
it is rebuilt from the objects (``bigin-archive rebuild-ledger``), and the next sweep completes it.
"""

import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, fields
from typing import TYPE_CHECKING, Any

from bigin_archive.archive_request import ArchiveRequest
from bigin_archive.aws.dynamodb import ConditionFailedError, batch_get, call
from bigin_archive.bigin.listing import ListedAttachment

if TYPE_CHECKING:
    from mypy_boto3_dynamodb import DynamoDBClient

    from bigin_archive.storage.archived_object import StoredObject

STATES = ("archived", "link", "gone", "parked", "pending")
STORED_STATES = ("archived", "link")  # an object stands for the attachment
# Names of modules are words; items with other keys belong to the sweep and the budget.
CONTROL = "#"
_NUMBERS = ("size_bytes", "listed_size_bytes")


@dataclass(frozen=True, slots=True)
class LedgerEntry:
    """What is known of one attachment.

    ``state`` is one of :data:`STATES`, ``reason`` an error code where it is parked. ``key`` to ``archived_at`` tell of
    the object, ``file_name`` to ``link_url`` repeat Bigin's listing, ``first_seen`` and ``last_seen`` say when
    it was listed. Times of ours are ISO 8601 in UTC, those of Bigin as it sent them.

    A file that was sent back to Bigin has a new id there, and the object that it came from. ``restored_from`` and
    ``restored_as`` are the places of the two in each other's rows.
    """

    module: str
    record_id: str
    attachment_id: str
    state: str = "pending"
    reason: str | None = None
    key: str | None = None
    version_id: str | None = None
    size_bytes: int | None = None
    sha256: str | None = None
    archived_at: str | None = None
    file_name: str | None = None
    record_name: str | None = None
    created_time: str | None = None
    modified_time: str | None = None
    owner: str | None = None
    listed_size_bytes: int | None = None
    link_url: str | None = None
    first_seen: str | None = None
    last_seen: str | None = None
    restored_from: str | None = None
    restored_as: str | None = None

    @property
    def request(self) -> ArchiveRequest:
        """What would archive it."""
        return ArchiveRequest(self.module, self.record_id, self.attachment_id)

    @property
    def is_stored(self) -> bool:
        """Whether an object stands for it."""
        return self.state in STORED_STATES


_FIELDS = tuple(field.name for field in fields(LedgerEntry))


class Ledger:
    """A DynamoDB table with the keys ``record`` (``{module}/{record_id}``) and ``attachment_id``.

    Every method raises StorageUnavailableError where the table cannot be used.
    """

    def __init__(self, client: "DynamoDBClient", table: str, sleep: Callable[[float], None] = time.sleep) -> None:
        self._client = client
        self._table = table
        self._sleep = sleep

    def find(self, requests: Sequence[ArchiveRequest]) -> dict[str, LedgerEntry]:
        """What is known of these attachments, by their places; unknown ones are left out."""
        found: dict[str, LedgerEntry] = {}
        keys = list({request.place: _key(request) for request in requests}.values())
        for item in batch_get(self._client, self._table, keys, self._sleep):
            entry = _entry(item)
            found[entry.request.place] = entry
        return found

    def entries(self) -> Iterator[LedgerEntry]:
        """Every entry, in no order that means anything."""
        return self._pages("scan")

    def entries_of(self, module: str, record_id: str) -> Iterator[LedgerEntry]:
        """The entries of one record, as they are now."""
        return self._pages(
            "query",
            KeyConditionExpression="#record = :record",
            ExpressionAttributeNames={"#record": "record"},
            ExpressionAttributeValues={":record": {"S": f"{module}/{record_id}"}},
            ConsistentRead=True,
        )

    def _pages(self, operation: str, **arguments: Any) -> Iterator[LedgerEntry]:
        start: dict[str, Any] = {}
        while True:
            answer = self._call(operation, TableName=self._table, **arguments, **start)
            for item in answer["Items"]:
                if not item["record"]["S"].startswith(CONTROL):
                    yield _entry(item)
            if not answer.get("LastEvaluatedKey"):
                return
            start = {"ExclusiveStartKey": answer["LastEvaluatedKey"]}

    def record_listing(
        self, request: ArchiveRequest, listed: ListedAttachment, record_name: str | None, at: str
    ) -> None:
        """Note that Bigin lists the attachment; it is ``pending`` until something becomes of it."""
        given = {
            "file_name": listed.name,
            "record_name": record_name,
            "created_time": listed.created_time,
            "modified_time": listed.modified_time,
            "owner": listed.owner,
            "listed_size_bytes": listed.size_bytes,
            "link_url": listed.link.url if listed.link else None,
            "last_seen": at,
        }
        self._update(request, given, {"first_seen": at, "state": "pending"})

    def record_outcome(
        self,
        request: ArchiveRequest,
        state: str,
        at: str,
        *,
        reason: str | None = None,
        stored: "StoredObject | None" = None,
        archived_before: str | None = None,
    ) -> None:
        """Note what became of the attachment; ``stored`` is the object that stands for it.

        With ``archived_before`` nothing is changed where something was archived since: another delivery was faster.
        """
        given: dict[str, str | int | None] = {"state": state, "reason": reason}
        if stored:
            given |= {
                "key": stored.key,
                "version_id": stored.version_id,
                "size_bytes": stored.size_bytes,
                "sha256": stored.sha256,
                "restored_from": None,  # it has an object of its own now
            }
        if request.hints.name:
            given["file_name"] = request.hints.name
        if request.hints.modified_time:
            given["modified_time"] = request.hints.modified_time
        once = {"first_seen": at} | ({"archived_at": at} if stored else {})
        self._update(request, given, once, archived_before)

    def put(self, entry: LedgerEntry, condition: str = "attribute_not_exists(attachment_id)") -> bool:
        """Write a whole entry unless there is one; return whether it was written."""
        names = [name for name in _FIELDS if name not in ("module", "record_id") and getattr(entry, name) is not None]
        item = {name: _value(name, getattr(entry, name)) for name in names} | _key(entry.request)
        try:
            self._call("put_item", TableName=self._table, Item=item, ConditionExpression=condition)
        except ConditionFailedError:
            return False
        return True

    def record_restored(self, copy: LedgerEntry) -> None:
        """Note a file that was sent back, unless the archive has an object of its own for its new id."""
        self.put(copy, "attribute_not_exists(archived_at) OR attribute_exists(restored_from)")

    def record_restored_as(self, request: ArchiveRequest, place: str) -> None:
        """Note where an archived file was sent back to."""
        self._update(request, {"restored_as": place}, {}, if_known=True)

    def _update(
        self,
        request: ArchiveRequest,
        given: Mapping[str, str | int | None],
        once: Mapping[str, str],
        archived_before: str | None = None,
        *,
        if_known: bool = False,
    ) -> None:
        """Set what is ``given`` (None removes), and ``once`` where it is not set yet."""
        kept = {name: value for name, value in given.items() if value is not None}
        expression = "SET " + ", ".join(
            [
                *(f"#{name} = :{name}" for name in kept),
                *(f"#{name} = if_not_exists(#{name}, :{name})" for name in once),
            ]
        )
        if removed := [name for name in given if name not in kept and name not in once]:
            expression += " REMOVE " + ", ".join(f"#{name}" for name in removed)
        values = {f":{name}": _value(name, value) for name, value in {**once, **kept}.items()}
        condition: dict[str, Any] = {"ConditionExpression": "attribute_exists(attachment_id)"} if if_known else {}
        names = {f"#{name}": name for name in {*given, *once}}
        if archived_before:
            condition = {"ConditionExpression": "attribute_not_exists(#at) OR #at < :before"}
            names["#at"] = "archived_at"
            values[":before"] = {"S": archived_before}
        try:
            self._call(
                "update_item",
                TableName=self._table,
                Key=_key(request),
                UpdateExpression=expression,
                ExpressionAttributeNames=names,
                ExpressionAttributeValues=values,
                **condition,
            )
        except ConditionFailedError:
            return

    def _call(self, operation: str, **arguments: Any) -> Any:
        return call(self._client, operation, **arguments)


def _key(request: ArchiveRequest) -> dict[str, Any]:
    return {
        "record": {"S": f"{request.module}/{request.record_id}"},
        "attachment_id": {"S": str(request.attachment_id)},
    }


def _value(name: str, value: str | int) -> dict[str, str]:
    return {"N" if name in _NUMBERS else "S": str(value)}


def _entry(item: Mapping[str, Any]) -> LedgerEntry:
    plain = {name: _plain(item[name]) for name in _FIELDS if name in item}
    module, _, record_id = item["record"]["S"].partition("/")
    return LedgerEntry(**{**plain, "module": module, "record_id": record_id})


def _plain(value: Mapping[str, str]) -> str | int:
    return int(value["N"]) if "N" in value else value["S"]
