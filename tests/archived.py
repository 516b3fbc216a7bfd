"""An archive made for the tests of audit, index, find and get: attachments in Bigin, objects in S3, rows in the ledger.

Made as the archive path makes them, but without the download: hundreds take seconds.
"""

import hashlib
from collections.abc import Iterable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from typing import Any
from urllib.parse import quote

from bigin_archive.archive_request import MODULES, ArchiveRequest
from bigin_archive.audit.auditor import Auditor
from bigin_archive.audit.bigin_side import Listing
from bigin_archive.bigin.client import Bigin
from bigin_archive.deadline import Deadline
from bigin_archive.ledger.ledger import Ledger
from bigin_archive.ledger.ledger_entry import LedgerEntry
from bigin_archive.network import transport
from bigin_archive.storage import object_attributes
from bigin_archive.storage.inventory import Inventory
from bigin_archive.token.access_token import AccessTokens
from operate.audit import bigin_listing
from tests.aws import Aws
from tests.bigin import Simulator

PREFIX = "bigin/"
LONG_AGO = "2026-01-02T03:04:05+00:00"


class Archive:
    """The archive of one test. Each of its attachments is its ledger's row."""

    def __init__(self, aws: Aws, bigin: Simulator) -> None:
        self.aws, self.bigin = aws, bigin
        self.storage = aws.storage()
        self.ledger = Ledger(aws.dynamodb, aws.ledger_table)
        self.inventory = Inventory(aws.s3, aws.bucket, PREFIX, threads=8)
        self.auditor = Auditor(self.ledger, self.inventory)
        self._number = 0

    def new(self, count: int = 1, **fields: Any) -> list[LedgerEntry]:
        """Add archived attachments: the same in Bigin, S3 and ledger."""
        made = [self._entry(**fields) for _ in range(count)]
        with ThreadPoolExecutor(8) as pool:
            return list(pool.map(self._archive, made))

    def in_bigin(self, entries: Iterable[LedgerEntry]) -> None:
        """Have Bigin list them."""
        for entry in entries:
            self.bigin.add(
                content(entry),
                module=entry.module,
                record_id=entry.record_id,
                attachment_id=entry.attachment_id,
                file_name=entry.file_name,
                listed={"Modified_Time": LONG_AGO},
            )

    def empty_bigin(self) -> None:
        """Have Bigin list nothing."""
        for found in self.bigin.attachments():
            self.bigin.control("DELETE", f"attachments/{found['attachment_id']}")

    def listing(self) -> Listing:
        """Bigin's list as it is now, a module after the other."""
        bigin = Bigin(
            transport.session(1),
            self.bigin.url,
            AccessTokens(self.aws.secrets, self.aws.token_secret_id, self.bigin.url),
        )
        return bigin_listing.listing(bigin, MODULES, by_record=True, more_credits=lambda: None)

    def drop_row(self, entry: LedgerEntry) -> None:
        self.aws.dynamodb.delete_item(
            TableName=self.aws.ledger_table,
            Key={
                "record": {"S": f"{entry.module}/{entry.record_id}"},
                "attachment_id": {"S": entry.attachment_id},
            },
        )

    def change_row(self, entry: LedgerEntry, **fields: Any) -> LedgerEntry:
        """Replace the row of an attachment."""
        self.drop_row(entry)
        changed = replace(entry, **fields)
        assert self.ledger.put(changed)
        return changed

    def overwrite(self, key: str, body: bytes, **headers: Any) -> None:
        """Overwrite the object under the key, as only somebody outside the application would."""
        metadata = self.aws.head(key)["Metadata"]
        self.aws.s3.put_object(
            Bucket=self.aws.bucket,
            Key=key,
            Body=body,
            **{"Metadata": metadata, "ChecksumAlgorithm": "SHA256", **headers},
        )

    def read(self, path: str) -> bytes:
        """The object under a path below the prefix."""
        found: bytes = self.aws.s3.get_object(Bucket=self.aws.bucket, Key=PREFIX + path)["Body"].read()
        return found

    def exists(self, path: str) -> bool:
        return bool(self.aws.s3.list_objects_v2(Bucket=self.aws.bucket, Prefix=PREFIX + path).get("KeyCount"))

    def remove(self, path: str) -> None:
        """Delete the object under a path below the prefix."""
        self.aws.s3.delete_object(Bucket=self.aws.bucket, Key=PREFIX + path)

    def versions(self) -> set[tuple[str, str]]:
        """Key and version id of everything but what an audit writes, delete markers included."""
        answer = self.aws.s3.list_object_versions(Bucket=self.aws.bucket)
        found = [*answer.get("Versions", []), *answer.get("DeleteMarkers", [])]
        return {(one["Key"], one["VersionId"]) for one in found if not one["Key"].startswith(f"{PREFIX}_")}

    def work_off_queue(self) -> None:
        """Have the worker archive what is queued."""
        worker = self.aws.worker()
        while messages := self.aws.receive():
            assert not worker.work(messages, Deadline(60))

    def _entry(self, **fields: Any) -> LedgerEntry:
        self._number += 1
        number = self._number
        given = {
            "module": MODULES[number % len(MODULES)],
            "record_id": f"{5000 + number // 3}",
            "attachment_id": f"{900000 + number}",
            "state": "archived",
            "file_name": f"Angebot {number}.pdf",
            "record_name": f"Müller & Söhne {number // 3}",
            "created_time": "2026-03-02T09:30:00+03:00",
            "owner": "Runa Lindqvist",
            "archived_at": LONG_AGO,
            "first_seen": LONG_AGO,
            "last_seen": LONG_AGO,
        }
        return LedgerEntry(**(given | fields))

    def _archive(self, entry: LedgerEntry) -> LedgerEntry:
        request = ArchiveRequest(entry.module, entry.record_id, entry.attachment_id)
        name = quote(str(entry.file_name), safe="")
        body = content(entry)
        stored = self.storage.put(
            object_attributes.describe(PREFIX, request, f"attachment; filename*=UTF-8''{name}", "application/pdf"), body
        )
        made = replace(
            entry,
            key=stored.key,
            version_id=stored.version_id,
            size_bytes=len(body),
            sha256=hashlib.sha256(body).hexdigest(),
            listed_size_bytes=len(body),
        )
        assert self.ledger.put(made)
        return made


def content(entry: LedgerEntry) -> bytes:
    """The bytes of an attachment, different for each."""
    return f"{entry.attachment_id} {entry.file_name} ".encode() * (1 + int(entry.attachment_id) % 5)
