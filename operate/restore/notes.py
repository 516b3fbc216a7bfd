"""Notes about restores: the new ids in ledger and bucket; open grants and the last drill in the ledger's table.

No note ever holds a secret.
"""

import io
import uuid
from collections.abc import Callable
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from typing import Any

from bigin_archive.archive_request import ArchiveRequest
from bigin_archive.aws.dynamodb import call
from bigin_archive.bigin.listing import ListedAttachment
from bigin_archive.clock import is_same, iso
from bigin_archive.ledger.ledger import CONTROL
from bigin_archive.ledger.ledger_entry import LedgerEntry
from bigin_archive.ledger.restored_copy import CONTENT_TYPE, RestoredCopy
from operate.restore.archived_copy import ArchivedCopy
from operate.restore.outcome import Wanted
from operate.stack.archive import Archive

_KEY = f"{CONTROL}restore"
_GRANT, _DRILL = "grant/", "drill"


@dataclass(frozen=True, slots=True)
class Drill:
    """The last restore drill: when it ended (ISO 8601, UTC), its outcome, the file and its copy in Bigin."""

    at: str
    outcome: str
    original: str
    copy: str


class RestoreNotes:
    """The notes of one stack. Methods raise StorageUnavailableError."""

    def __init__(self, archive: Archive, now: Callable[[], datetime] = lambda: datetime.now(UTC)) -> None:
        self._archive = archive
        self._client = archive.dynamodb
        self._table = archive.stack.ledger_table
        self._now = now

    def note_copy(
        self, one: Wanted, copy: ArchivedCopy, listed: ListedAttachment, row: LedgerEntry | None, *, drill: bool
    ) -> None:
        """Note the new id, first in S3, from which a lost ledger is rebuilt.

        ``row`` is the ledger's row of that id. A row with an object of its own stays as it is.
        """
        original, entry = one.entry.request.place, one.entry
        place = f"{one.to.module}/{one.to.record_id}/{listed.attachment_id}"
        has_object = row is not None and row.key and not row.restored_from
        is_noted = row is not None and row.restored_from == original and (drill or entry.restored_as == place)
        if place == original or has_object or is_noted:
            return
        at = self._archive.now()
        in_its_record = (entry.module, entry.record_id) == (one.to.module, one.to.record_id)
        noted = replace(
            entry,
            module=one.to.module,
            record_id=one.to.record_id,
            attachment_id=listed.attachment_id,
            state="link" if copy.link else "archived",
            reason=None,
            record_name=entry.record_name if in_its_record else None,
            file_name=listed.name or copy.name,
            created_time=listed.created_time,
            modified_time=listed.modified_time,
            owner=listed.owner,
            listed_size_bytes=listed.size_bytes,
            link_url=listed.link.url if listed.link else None,
            first_seen=at,
            last_seen=None,  # only a sweep writes it, by its own clock
            state_at=at,
            queued_at=None,
            archived_modified_time=listed.modified_time,
            slow_tries=None,
            restored_from=original,
            restored_as=None,
        )
        copied = RestoredCopy(noted, drill=drill)
        self._archive.inventory.write(copied.path, io.BytesIO(copied.to_json()), CONTENT_TYPE)
        copied.record_in(self._archive.ledger)
        before = entry.restored_as or ""
        if not drill and before != place and before.rpartition("/")[0] == place.rpartition("/")[0]:
            # An earlier copy in this record is gone; the new copy replaces it.
            self._archive.ledger.record_restored_as(ArchiveRequest.of_place(before), place)

    def complete(self, one: Wanted, place: str) -> None:
        """Finish the note on the original's row, which a killed run may have left undone."""
        if one.entry.restored_as != place:
            self._archive.ledger.record_restored_as(one.entry.request, place)

    def open_grant(self) -> str:
        """Note that a grant is about to be asked for; return what ends the note."""
        number = str(uuid.uuid4())
        self._put(_GRANT + number, started_at=self._iso())
        return number

    def close_grant(self, number: str) -> None:
        """Remove the note: the grant has been revoked, or was never given."""
        self._delete(_GRANT + number)

    def open_grants(self) -> list[str]:
        """When the grants began (ISO 8601, UTC) whose end nobody noted. Their runs were killed or are still running."""
        return sorted(item["started_at"]["S"] for item in self._items(_GRANT))

    def forget_grants(self) -> int:
        """Forget them, after a person has removed them at Zoho; return how many there were."""
        items = self._items(_GRANT)
        for item in items:
            self._delete(item["attachment_id"]["S"])
        return len(items)

    def note_drill(self, outcome: str, original: str, copy: str) -> None:
        """Note how a drill ended."""
        self._put(_DRILL, at=self._iso(), outcome=outcome, original=original, copy=copy)

    def last_drill(self) -> Drill | None:
        """The last drill; None if there was none."""
        for item in self._items(_DRILL):
            return Drill(*(item[name]["S"] for name in Drill.__slots__))
        return None

    def _items(self, beginning: str) -> list[dict[str, Any]]:
        answer = call(
            self._client,
            "query",
            TableName=self._table,
            KeyConditionExpression="#record = :key AND begins_with(attachment_id, :beginning)",
            ExpressionAttributeNames={"#record": "record"},
            ExpressionAttributeValues={":key": {"S": _KEY}, ":beginning": {"S": beginning}},
            ConsistentRead=True,
        )
        found: list[dict[str, Any]] = answer["Items"]
        return found

    def _put(self, name: str, **texts: str) -> None:
        item = {**_key(name), **{key: {"S": text} for key, text in texts.items()}}
        call(self._client, "put_item", TableName=self._table, Item=item)

    def _delete(self, name: str) -> None:
        call(self._client, "delete_item", TableName=self._table, Key=_key(name))

    def _iso(self) -> str:
        return iso(self._now())


def is_proved(one: Wanted, listed: ListedAttachment, row: LedgerEntry) -> bool:
    """Whether an earlier run compared this attachment with the file, and nothing has changed there since."""
    return (
        row.restored_from == one.entry.request.place
        and row.sha256 == one.entry.sha256
        and listed.modified_time is not None
        and is_same(listed.modified_time, row.archived_modified_time)
        and listed.size_bytes in (row.size_bytes, row.listed_size_bytes)
    )


def _key(name: str) -> dict[str, Any]:
    return {"record": {"S": _KEY}, "attachment_id": {"S": name}}
