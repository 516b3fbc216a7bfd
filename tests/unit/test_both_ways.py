"""An audit by the list of versions finds the same as an audit by HeadObject, whatever happened to objects and rows."""

import base64
import hashlib
from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

from botocore.exceptions import ClientError
from hypothesis import given, settings
from hypothesis import strategies as st

from bigin_archive.archive_request import ArchiveRequest
from bigin_archive.audit.bigin_side import Listing
from bigin_archive.audit.findings import Lists, findings
from bigin_archive.audit.merge_join import MergeJoin
from bigin_archive.audit.object_lookup import ObjectLookup
from bigin_archive.bigin.found_attachment import Found
from bigin_archive.bigin.listing import Link, ListedAttachment
from bigin_archive.ledger.ledger_entry import LedgerEntry, verified_mark
from bigin_archive.storage.inventory import Inventory

BEGAN = "2026-11-25T20:00:00.000+00:00"
BEFORE = "2026-11-01T00:00:00.000+00:00"
FIRST = datetime(2026, 11, 1, tzinfo=UTC)
BODIES = (b"right", b"wrong", b"short"[:4], b"a longer one")
NAMES = ("a.pdf", "b.pdf", "", "a.url")


@dataclass
class Bucket:
    """S3 as far as an audit asks it, in memory; lists are cut after every third version."""

    versions: list[dict[str, Any]] = field(default_factory=list)

    def write(self, key: str, body: bytes | None, metadata: dict[str, str]) -> None:
        """A new version on top, or a delete marker (None)."""
        number = len(self.versions)
        made = {"Key": key, "VersionId": f"v{number}", "body": body, "Metadata": metadata}
        self.versions.append(made | {"LastModified": FIRST + timedelta(minutes=number)})

    def list_object_versions(self, **asked: Any) -> dict[str, Any]:
        below = [each for each in self.versions if each["Key"].startswith(asked["Prefix"])]
        newest_first = sorted(below, key=lambda each: (each["Key"], -self.versions.index(each)))
        told, keys = [], set()
        for each in newest_first:
            told.append(each | {"IsLatest": each["Key"] not in keys, "Size": len(each["body"] or b"")})
            keys.add(each["Key"])
        marks = [(each["Key"], each["VersionId"]) for each in told]
        start = marks.index((asked["KeyMarker"], asked["VersionIdMarker"])) + 1 if "KeyMarker" in asked else 0
        page = told[start : start + 3]
        answer: dict[str, Any] = {
            "Versions": [each for each in page if each["body"] is not None],
            "DeleteMarkers": [each for each in page if each["body"] is None],
            "IsTruncated": start + 3 < len(told),
        }
        if answer["IsTruncated"]:
            answer |= {"NextKeyMarker": page[-1]["Key"], "NextVersionIdMarker": page[-1]["VersionId"]}
        return answer

    def head_object(self, **asked: Any) -> dict[str, Any]:
        of_key = [each for each in self.versions if each["Key"] == asked["Key"]]
        wanted = [each for each in of_key if asked.get("VersionId") in (None, each["VersionId"])]
        if not wanted or wanted[-1]["body"] is None:
            raise ClientError({"Error": {"Code": "404"}, "ResponseMetadata": {"HTTPStatusCode": 404}}, "HeadObject")
        found = wanted[-1]
        checksum = base64.b64encode(hashlib.sha256(found["body"]).digest()).decode()
        return {**found, "ContentLength": len(found["body"]), "ChecksumSHA256": checksum}


class NoLedger:
    """Accepts marks but does not store them, so that both audits see the same rows."""

    def record_verified(self, entry: LedgerEntry) -> None:
        """Nothing."""


# What happens in one place: whose object, under which name, with which bytes; or a deletion.
events = st.lists(
    st.tuples(
        st.sampled_from(["own", "own link", "stranger", "delete"]), st.sampled_from(NAMES), st.sampled_from(BODIES)
    ),
    max_size=4,
)
rows = st.tuples(
    st.sampled_from(["none", "pending", "archived", "link", "gone", "parked"]),
    st.integers(0, 3),  # which version the row tells of
    st.booleans(),  # whether it is marked
    st.sampled_from([{}, {"sha256": "cd"}, {"size_bytes": 1}, {"key": "bigin/x"}, {"version_id": "v9"}]),
)
listings = st.sampled_from(["none", "file", "link", "other size"])


@settings(max_examples=150, deadline=None)
@given(st.lists(st.tuples(events, rows, listings), min_size=1, max_size=4))
def test_both_ways_tell_the_same(places: list[Any]) -> None:
    """By the list of versions and by HeadObject: the same findings for every place."""
    bucket, listed, entries = Bucket(), [], []
    for number, (happened, row, listing) in enumerate(places):
        request = ArchiveRequest("Contacts", "1", str(number))
        _play(bucket, request, happened)
        if (entry := _entry(bucket, request, *row)) is not None:
            entries.append(entry)
        if listing != "none":
            size = 7 if listing == "other size" else 5
            link = Link("a", "https://example.com/") if listing == "link" else None
            listed.append(Found(request, None, ListedAttachment(str(number), size, link)))

    told = [_told(bucket, listed, entries, by_head=by_head) for by_head in (True, False)]

    assert told[0] == told[1]


def _play(bucket: Bucket, request: ArchiveRequest, happened: list[tuple[str, str, bytes]]) -> None:
    metadata = {"bigin-module": "Contacts", "bigin-record-id": "1", "bigin-attachment-id": str(request.attachment_id)}
    for whose, name, body in happened:
        own = {} if whose == "stranger" else metadata | ({"link-url": "x"} if whose == "own link" else {})
        bucket.write(f"bigin/{request.place}/{name}", None if whose == "delete" else body, own)


def _entry(
    bucket: Bucket, request: ArchiveRequest, state: str, which: int, is_marked: bool, changed: dict[str, Any]
) -> LedgerEntry | None:
    if state == "none":
        return None
    of_place = [each for each in bucket.versions if f"/{request.place}/" in each["Key"] and each["body"] is not None]
    entry = LedgerEntry("Contacts", "1", str(request.attachment_id), state, first_seen=BEFORE, archived_at=BEFORE)
    if state in ("archived", "link", "parked") and of_place:
        told = of_place[which % len(of_place)]
        sha256 = hashlib.sha256(told["body"]).hexdigest()
        facts = {"key": told["Key"], "version_id": told["VersionId"], "size_bytes": len(told["body"]), "sha256": sha256}
        entry = replace(entry, **facts)
        # A row is marked only for an object of its own sort, which S3 had confirmed.
        is_right = bool(told["Metadata"]) and (state == "link") == ("link-url" in told["Metadata"])
        entry = replace(entry, verified=verified_mark(entry) if is_marked and is_right else None)
    return replace(entry, **changed)


def _told(bucket: Bucket, listed: list[Found], entries: list[LedgerEntry], *, by_head: bool) -> list[Any]:
    inventory = Inventory(bucket, "bucket", "bigin/", threads=1)  # type: ignore[arg-type]
    lookup = ObjectLookup(inventory, NoLedger(), lambda place: False, by_head=by_head)  # type: ignore[arg-type]
    with TemporaryDirectory() as folder:
        join = MergeJoin(Path(folder))
        join.add_listed(listed)
        join.add_entries(entries)
        views = lookup.views(join.merged(inventory.keys()), Listing(BEGAN, found=[]))
        return [(known.place, findings(known, Lists(BEGAN, BEGAN))) for known in views]


def test_memory_stays_flat_behind_one_slow_answer() -> None:
    """Entries that need no call are not read far ahead of those that do."""
    read = 0

    def items() -> Iterator[int]:
        nonlocal read
        for number in range(100_000):
            read = number
            yield number

    looked = Inventory(Bucket(), "bucket", "bigin/", threads=1).looked_at(  # type: ignore[arg-type]
        items(), lambda item: item if item % 5000 == 0 else None, lambda item: item
    )

    most = max(read - item for item, _ in looked)

    assert most <= 1001
