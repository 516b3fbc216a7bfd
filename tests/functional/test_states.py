"""States of attachments, and whose an object is."""

import base64
import hashlib
import json
import time
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from bigin_archive import clock
from bigin_archive.archive_request import ArchiveRequest, Hints
from bigin_archive.archiving.archiver import Archived
from bigin_archive.archiving.message import Message
from bigin_archive.archiving.queue_worker import MOST_TRIES
from bigin_archive.audit.auditor import Auditor
from bigin_archive.audit.bigin_side import Listing
from bigin_archive.bigin.listing import Link, ListedAttachment
from bigin_archive.deadline import Deadline
from bigin_archive.errors import ContentConflictError, StorageUnavailableError
from bigin_archive.ledger.attachment_state import Event
from bigin_archive.ledger.ledger import Ledger
from bigin_archive.ledger.ledger_entry import LedgerEntry
from bigin_archive.queueing.archive_queue import ArchiveQueue
from bigin_archive.storage.link_shortcut import shortcut
from operate.audit import ledger_rows
from operate.audit.repair import repair
from tests import planted
from tests.archived import LONG_AGO, Archive, content
from tests.aws import Aws
from tests.bigin import Simulator
from tests.functional.test_archive_path import take
from tests.functional.test_operate_stack import deploy, run

pytestmark = pytest.mark.in_memory


@pytest.fixture
def archive(aws: Aws, bigin: Simulator) -> Archive:
    """An empty archive."""
    made = Archive(aws, bigin)
    made.empty_bigin()
    return made


def row(aws: Aws, request: dict[str, Any]) -> LedgerEntry:
    """The ledger's row of an attachment."""
    found = Ledger(aws.dynamodb, aws.ledger_table).find([ArchiveRequest(**request)])
    return next(iter(found.values()))


def kinds(archive: Archive, listing: Listing | None = None) -> list[str]:
    """What an audit with Bigin's own list finds."""
    return [one.kind.code for one in archive.auditor.audit(listing or archive.listing()).differences]


def codes(aws: Aws) -> list[str]:
    """Why messages lie in the dead-letter queue."""
    found = aws.messages(aws.dead_letter_queue_url)
    return [message["MessageAttributes"]["error_code"]["StringValue"] for message in found]


def key_of(request: dict[str, Any], name: str) -> str:
    return f"bigin/{request['module']}/{request['record_id']}/{request['attachment_id']}/{name}"


@pytest.mark.parametrize("name", ["", "note.txt"], ids=["placeholder", "upload"])
def test_what_a_stranger_put_there_is_not_the_file(archive: Archive, bigin: Simulator, name: str) -> None:
    """A folder placeholder or a manual upload is not the file: the file is archived beside it, and the audit reports
    it.
    """
    request = bigin.add(b"file", file_name="a.txt")
    archive.aws.s3.put_object(Bucket=archive.aws.bucket, Key=key_of(request, name), Body=b"\0" * len(name and "file"))
    assert ["not_archived", "unknown_object"] == kinds(archive)

    taken = take(archive.aws, request)

    assert not taken.already
    assert key_of(request, "a.txt") == row(archive.aws, request).key
    assert ["unknown_object"] == kinds(archive)


@pytest.mark.parametrize(("there", "expected"), [(b"file", ["adopted_object"]), (b"evil", None)])
@pytest.mark.parametrize("algorithm", ["SHA256", "CRC32"])
def test_a_strangers_object_under_the_very_key_is_compared(
    archive: Archive, bigin: Simulator, there: bytes, expected: list[str] | None, algorithm: str
) -> None:
    """A foreign object with equal bytes is adopted, with any checksum; one with other bytes is a conflict and is not
    touched.
    """
    request = bigin.add(b"file", file_name="a.txt")
    archive.aws.s3.put_object(
        Bucket=archive.aws.bucket, Key=key_of(request, "a.txt"), Body=there, ChecksumAlgorithm=algorithm
    )
    if expected is None:
        with pytest.raises(ContentConflictError):
            take(archive.aws, request)
        return

    taken = take(archive.aws, request)

    assert isinstance(taken, Archived)
    assert taken.already
    if algorithm == "SHA256":
        audit = archive.auditor.audit(archive.listing())
        assert ("complete", expected) == (audit.verdict, [one.kind.code for one in audit.differences])


def adopted_without_checksum(archive: Archive, bigin: Simulator) -> dict[str, Any]:
    """A stranger's object under the very key, with the right bytes and without a SHA-256."""
    request = bigin.add(b"file", file_name="a.txt")
    archive.aws.s3.put_object(
        Bucket=archive.aws.bucket, Key=key_of(request, "a.txt"), Body=b"file", ChecksumAlgorithm="CRC32"
    )
    archive.aws.worker().work([Message("1", json.dumps(request), "handle", 1)], Deadline(60))
    return request


def test_an_adopted_object_that_is_replaced_is_told(
    archive: Archive, bigin: Simulator, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    """Without a SHA-256 of what was adopted, other bytes of its size are not taken for it: no repair makes them right,
    and get refuses them.
    """
    request = adopted_without_checksum(archive, bigin)
    assert "no_checksum" in kinds(archive)
    archive.aws.s3.put_object(
        Bucket=archive.aws.bucket, Key=key_of(request, "a.txt"), Body=b"evil", ChecksumAlgorithm="SHA256"
    )
    stack, name = deploy(archive.aws), request["attachment_id"]

    assert ["wrong_checksum"] == kinds(archive)
    assert 1 == run(monkeypatch, "get", name, "--stack", stack, "--to", str(tmp_path))
    assert [] == [path for path in tmp_path.rglob("*") if path.is_file()]
    run(monkeypatch, "audit", "--repair", "--stack", stack)
    assert ["wrong_checksum"] == kinds(archive)


def test_an_object_without_checksum_costs_no_neighbour_its_mark(archive: Archive, bigin: Simulator) -> None:
    """What S3 confirmed of the others is noted all the same, so that the next audit need not ask again."""
    archive.in_bigin(archive.new(3))
    own = {"bigin-module": "Accounts", "bigin-record-id": "1", "bigin-attachment-id": "2"}  # it comes first
    request = bigin.add(b"file", module="Accounts", record_id="1", attachment_id="2", file_name="a.txt")
    archive.aws.s3.put_object(
        Bucket=archive.aws.bucket,
        Key=key_of(request, "a.txt"),
        Body=b"file",
        Metadata=own,
        ChecksumAlgorithm="CRC32",
    )
    archive.aws.worker().work([Message("1", json.dumps(request), "handle", 1)], Deadline(60))

    kinds(archive)

    rows = {entry.attachment_id: entry for entry in archive.ledger.entries()}
    assert 3 == sum(entry.is_verified for entry in rows.values())


@pytest.mark.processes
def test_a_checksum_of_parts_is_none(archive: Archive, bigin: Simulator) -> None:
    """An object that was uploaded in parts has a checksum of checksums, which counts as no SHA-256."""
    request = bigin.add(b"file", file_name="a.txt")
    s3, target = archive.aws.s3, {"Bucket": archive.aws.bucket, "Key": key_of(request, "a.txt")}
    metadata = {"bigin-module": "Contacts", "bigin-record-id": request["record_id"]}
    metadata["bigin-attachment-id"] = request["attachment_id"]
    upload = s3.create_multipart_upload(**target, Metadata=metadata, ChecksumAlgorithm="SHA256")["UploadId"]
    digest = base64.b64encode(hashlib.sha256(b"file").digest()).decode()
    part = s3.upload_part(**target, UploadId=upload, PartNumber=1, Body=b"file", ChecksumSHA256=digest)
    parts = [{"PartNumber": 1, "ETag": part["ETag"], "ChecksumSHA256": digest}]
    s3.complete_multipart_upload(**target, UploadId=upload, MultipartUpload={"Parts": parts})

    taken = take(archive.aws, request)

    assert taken.already
    assert taken.stored.sha256 in (None, hashlib.sha256(b"file").hexdigest())
    assert row(archive.aws, request).sha256 == taken.stored.sha256


def test_a_link_asked_for_by_its_id_gets_its_shortcut(archive: Archive, bigin: Simulator) -> None:
    """The row says link only once the shortcut stands there; the next audit finds nothing wrong."""
    request = bigin.add(kind="link", file_name="Wiki", link_url="https://example.com/")

    assert [] == archive.aws.worker().work(archive.aws.deliver(request), Deadline(60))

    assert ("link", key_of(request, "Wiki.url")) == (row(archive.aws, request).state, row(archive.aws, request).key)
    assert [] == kinds(archive)


def test_a_shortcut_is_no_file(archive: Archive, bigin: Simulator) -> None:
    """Bigin lists a file under the id of a link: it is missing, repair queues it, and both are kept."""
    request = bigin.add(b"x" * 1000, file_name="a.bin")
    place = ArchiveRequest(**request)
    listed = ListedAttachment(request["attachment_id"], 0, Link("Wiki", "https://example.com/"))
    stored = archive.storage.put(*shortcut("bigin/", place, Link("Wiki", "https://example.com/")))
    archive.ledger.record_listing(place, listed, None, LONG_AGO)
    archive.ledger.record_event(place, Event.STORED_SHORTCUT, LONG_AGO, stored=stored)
    audit = archive.auditor.audit(archive.listing())
    assert ["not_archived"] == [one.kind.code for one in audit.differences]

    repaired = repair(audit.differences, archive.ledger, ArchiveQueue(archive.aws.sqs, archive.aws.queue_url), LONG_AGO)
    archive.work_off_queue()

    assert 1 == repaired.queued
    assert "archived" == row(archive.aws, request).state
    assert [] == kinds(archive)
    assert {"Wiki.url", "a.bin"} == {found.file_name for found in archive.inventory.objects()}


@pytest.mark.parametrize("size", [None, 0, 4, 7], ids=["unknown", "none", "its own", "another"])
def test_a_file_that_was_turned_into_a_link_gets_its_shortcut(
    archive: Archive, bigin: Simulator, size: int | None
) -> None:
    """Also where Bigin lists a size of the link, the archived file is no conflict: repair brings the shortcut, and both
    are kept.
    """
    request = bigin.add(b"file", file_name="a.txt")
    worker = archive.aws.worker()
    worker.work([Message("1", json.dumps(request), "handle", 1)], Deadline(60))
    bigin.control("DELETE", f"attachments/{request['attachment_id']}")
    bigin.add(kind="link", file_name="a", link_url="https://example.com/", **request, listed={"Size": size})
    listed = archive.auditor.audit(archive.listing())
    assert ["not_archived"] == [one.kind.code for one in listed.differences]

    queue = ArchiveQueue(archive.aws.sqs, archive.aws.queue_url)
    assert 1 == repair(listed.differences, archive.ledger, queue, archive.inventory.now() or "").queued
    worker.work(archive.aws.receive(), Deadline(60))
    assert {"a.txt", "a.url"} == {found.file_name for found in archive.inventory.objects()}
    # One that a sweep had queued for the file comes late.
    worker.work([Message("2", json.dumps(request), "handle", 1, Hints(9))], Deadline(60))

    assert [] == codes(archive.aws)
    assert "link" == row(archive.aws, request).state
    assert [] == kinds(archive)


def test_an_event_keeps_the_records_name(archive: Archive, bigin: Simulator) -> None:
    """The list of one record has no record name, so the row keeps the name from the last sweep."""
    request = bigin.add(kind="link", file_name="Wiki", link_url="https://example.com/")
    listed = ListedAttachment(request["attachment_id"], 0, Link("Wiki", "https://example.com/"))
    archive.ledger.record_listing(ArchiveRequest(**request), listed, "Müller", LONG_AGO)

    whole = {"module": "Contacts", "record_id": request["record_id"]}
    assert [] == archive.aws.worker().work(archive.aws.deliver(whole), Deadline(60))

    assert ("link", "Müller") == (row(archive.aws, request).state, row(archive.aws, request).record_name)


def test_one_link_in_conflict_holds_up_no_neighbour(archive: Archive, bigin: Simulator) -> None:
    """If something else lies under a link's key, the link is parked, and the record's other files go on."""
    link = bigin.add(kind="link", file_name="Wiki", link_url="https://example.com/")
    bigin.add(b"file", file_name="a.txt", record_id=link["record_id"])
    archive.aws.s3.put_object(Bucket=archive.aws.bucket, Key=key_of(link, "Wiki.url"), Body=b"evil")

    whole = {"module": "Contacts", "record_id": link["record_id"]}
    assert [] == archive.aws.worker().work(archive.aws.deliver(whole), Deadline(60))

    assert ("parked", "content_conflict") == (row(archive.aws, link).state, row(archive.aws, link).reason)
    assert 1 == len(archive.aws.messages(archive.aws.queue_url))


@pytest.mark.processes
def test_the_last_try_is_parked_with_its_reason(archive: Archive, bigin: Simulator) -> None:
    """The last try parks the message with its reason, because SQS would move it without one."""
    request = bigin.add(b"file")
    bigin.fault({"kind": "reset-before-headers"}, times=None)
    worker = archive.aws.worker()

    def message(attempt: int) -> list[Message]:
        return [Message(str(attempt), json.dumps(request), "handle", attempt)]

    assert ["99"] == worker.work(message(MOST_TRIES - 1), Deadline(60))
    assert [] == archive.aws.worker().work(message(MOST_TRIES), Deadline(60))

    assert ["bigin_unavailable"] == codes(archive.aws)
    assert ("parked", "bigin_unavailable") == (row(archive.aws, request).state, row(archive.aws, request).reason)


@pytest.mark.processes
def test_a_file_that_no_invocation_can_finish_is_parked_after_five(archive: Archive, bigin: Simulator) -> None:
    """Each try took nearly all the time of its function; what was not begun for want of time does not count."""
    request = bigin.add(b"x" * 3_000_000)
    bigin.fault({"kind": "drip", "bytes_per_second": 4}, times=None)
    worker = archive.aws.worker()

    class Hurried:
        """Of a hundred seconds all but a few tenths are over when the transfer begins."""

        calls = 0

        def __call__(self) -> float:
            self.calls += 1
            return time.monotonic() + (99.7 if self.calls > 4 else 0)

    def work(deadline: Deadline) -> list[str]:
        return worker.work([Message("1", json.dumps(request), "handle", 1)], deadline)

    for _ in range(5):
        assert ["1"] == work(Deadline(5))
    for _ in range(4):
        assert ["1"] == work(Deadline(100, Hurried()))
    assert 4 == row(archive.aws, request).slow_tries
    assert [] == codes(archive.aws)

    assert [] == work(Deadline(100, Hurried()))

    assert ["transfer_too_slow"] == codes(archive.aws)
    assert ("parked", "transfer_too_slow") == (row(archive.aws, request).state, row(archive.aws, request).reason)
    assert row(archive.aws, request).slow_tries is None


def test_gone_is_believed_when_the_list_agrees(archive: Archive, bigin: Simulator) -> None:
    """A 204 for a file that is still listed does not hide it; a file that was really removed is reported for
    information.
    """
    listed, removed = bigin.add(b"one"), bigin.add(b"two", record_id="77002")
    bigin.answer(204, times=2)
    listing = archive.listing()
    listing.found = list(listing.found or [])
    bigin.control("DELETE", f"attachments/{removed['attachment_id']}")

    assert [] == archive.aws.worker().work(archive.aws.deliver(listed, removed), Deadline(60))

    audit = archive.auditor.audit(listing)
    told = {one.place.rpartition("/")[2]: one.kind.code for one in audit.differences}
    assert {
        listed["attachment_id"]: "gone_but_listed",
        removed["attachment_id"]: "removed_before_archived",
    } == told


@pytest.mark.parametrize("event", [Event.SAID_GONE, Event.SAID_LINK, Event.DEAD_LETTERED, Event.RETRIED], ids=str)
def test_a_late_word_does_not_undo_what_is_archived(archive: Archive, event: Event) -> None:
    """A second delivery that was slower, or a sweep that knew less: the row stays, with its reason and date."""
    entry = archive.new()[0]

    archive.ledger.record_event(entry.request, event, LONG_AGO, reason="late")

    assert [entry] == list(archive.ledger.entries())


def test_a_ledger_that_was_read_a_moment_ago_invents_nothing(archive: Archive) -> None:
    """What is archived, row and all, between the audit's look at the ledger and at S3 is no difference."""
    _, late = archive.new(2)
    archive.drop_row(late)
    listing = Listing("2026-01-01T00:00:00+00:00")

    class Slow(Ledger):
        def pages(self, scan: list[Any]) -> Any:
            yield from list(super().pages(scan))
            archive.ledger.put(late)

    slow = Slow(archive.aws.dynamodb, archive.aws.ledger_table)
    audit = Auditor(slow, archive.inventory).audit(listing)

    assert ("complete", [], 2) == (audit.verdict, audit.differences, audit.total.archived)


@pytest.mark.parametrize("wrong_by_minutes", [-5, 5])
def test_nothing_hangs_on_the_operators_clock(archive: Archive, wrong_by_minutes: int) -> None:
    """If the operator's clock is minutes wrong, a lost row is still found, and none is invented."""
    lost = archive.new(2)[0]
    archive.drop_row(lost)
    wrong = datetime.now(UTC) + timedelta(minutes=wrong_by_minutes)

    audit = Auditor(archive.ledger, archive.inventory, lambda: wrong).audit(Listing("2026-01-01T00:00:00+00:00"))

    assert ["ledger_missing"] == [one.kind.code for one in audit.differences]


def test_two_audits_in_one_second_have_two_reports(archive: Archive) -> None:
    """Neither audit overwrites the report of the other."""
    now = datetime(2026, 11, 25, 20, 0, tzinfo=UTC)
    auditor = Auditor(archive.ledger, archive.inventory, lambda: now)
    listing = Listing("2026-01-01T00:00:00+00:00")

    keys = {auditor.audit(listing).report_key, auditor.audit(listing).report_key}

    assert 2 == len(keys)
    assert all(str(key).startswith("bigin/_audit/2026-11-25T20-00-00Z") for key in keys)


def test_a_mended_row_is_as_good_as_a_written_one(archive: Archive) -> None:
    """After a repair the next audit against the sweep's list invents no removal."""
    lost = archive.new(3)[0]
    archive.in_bigin(archive.ledger.entries())
    archive.drop_row(lost)
    audit = archive.auditor.audit(archive.listing())
    assert ["ledger_missing"] == [one.kind.code for one in audit.differences]

    repair(audit.differences, archive.ledger, ArchiveQueue(archive.aws.sqs, archive.aws.queue_url), LONG_AGO)

    again = archive.auditor.audit(Listing("2026-01-01T00:00:00+00:00"))
    assert ("complete", [], 3) == (again.verdict, again.differences, again.total.listed)


def test_a_rebuilt_row_is_not_called_removed(archive: Archive) -> None:
    """A rebuilt row does not know Bigin's list before the next sweep, so it is not called removed."""
    archive.drop_row(archive.new(2)[0])
    ledger_rows.rebuild(
        archive.ledger, archive.inventory, "2026-11-25T20:00:00+00:00", dry_run=False, progress=lambda _: None
    )

    assert [] == kinds(archive, Listing("2026-01-01T00:00:00+00:00"))


def test_a_rebuilt_row_is_as_old_as_its_object(archive: Archive) -> None:
    """A row with the time of now would seem younger than a list that no longer has the file."""
    lost = archive.new(1)[0]
    stored_at = archive.aws.head(str(lost.key))["LastModified"]
    archive.drop_row(lost)

    ledger_rows.rebuild(
        archive.ledger, archive.inventory, "2099-01-01T00:00:00.000+00:00", dry_run=False, progress=lambda _: None
    )

    [row] = archive.ledger.entries()
    assert stored_at == clock.parse(row.first_seen)


def test_rows_that_are_lost_are_missed(archive: Archive) -> None:
    """A ledger that knows fewer attachments than the sweep counted proves nothing."""
    archive.drop_row(archive.new(3)[0])

    audit = archive.auditor.audit(Listing("2026-01-01T00:00:00+00:00", counted=3))

    assert "partial" == audit.verdict
    assert "counted 3 attachments, the ledger knows 2" in audit.uncovered[0]


@pytest.mark.processes
def test_the_first_version_is_the_true_one(
    archive: Archive, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    """Without a row, a copy or an overwrite with the same metadata is never taken for what was archived."""
    stack = deploy(archive.aws)
    copied, swapped = archive.new(2, module="Contacts", record_id="77")
    metadata = archive.aws.head(str(copied.key))["Metadata"]
    folder = str(copied.key).rpartition("/")[0]
    archive.aws.s3.put_object(
        Bucket=archive.aws.bucket, Key=f"{folder}/A.pdf", Body=b"evil", Metadata=metadata, ChecksumAlgorithm="SHA256"
    )
    archive.overwrite(str(swapped.key), content(swapped)[::-1])
    for entry in (copied, swapped):
        archive.drop_row(entry)

    assert 0 == run(monkeypatch, "get", "--record", "Contacts/77", "--stack", stack, "--to", str(tmp_path))
    found = {path.read_bytes() for path in tmp_path.rglob("*") if path.is_file()}
    assert {content(copied), content(swapped)} == found

    assert ["wrong_checksum", "ledger_missing", "second_object"] == sorted(
        kinds(archive, Listing("2026-01-01T00:00:00+00:00")),
        key=["wrong_checksum", "ledger_missing", "second_object"].index,
    )
    assert 0 == run(monkeypatch, "rebuild-ledger", "--stack", stack)
    rows = {entry.attachment_id: entry for entry in archive.ledger.entries()}
    for entry in (copied, swapped):
        assert (entry.key, entry.version_id, entry.sha256) == (
            rows[entry.attachment_id].key,
            rows[entry.attachment_id].version_id,
            rows[entry.attachment_id].sha256,
        )
    assert "several objects or versions" in capsys.readouterr().out


def overwritten(archive: Archive, entry: LedgerEntry) -> None:
    """Other bytes with the same metadata, on top."""
    there = archive.aws.s3.get_object(Bucket=archive.aws.bucket, Key=entry.key)
    archive.aws.s3.put_object(
        Bucket=archive.aws.bucket,
        Key=entry.key,
        Body=there["Body"].read()[::-1],
        Metadata=there["Metadata"],
        ChecksumAlgorithm="SHA256",
    )


def test_a_row_of_an_overwritten_object_is_not_believed(archive: Archive) -> None:
    """The first version counts, however the row came to name the later one."""
    archive.in_bigin(archive.new(1))
    (entry,) = archive.ledger.entries()
    overwritten(archive, entry)
    later = archive.inventory.head(str(entry.key))
    assert later
    archive.drop_row(entry)
    archive.ledger.record_event(entry.request, Event.STORED_FILE, LONG_AGO, stored=later.as_stored, is_proved=True)

    assert ["wrong_checksum"] == kinds(archive)


def test_what_was_found_replaces_no_bytes_in_the_row(archive: Archive) -> None:
    """An object that is only found, and not stored, changes neither version nor checksum of the row."""
    archive.in_bigin(archive.new(1))
    (entry,) = archive.ledger.entries()
    overwritten(archive, entry)
    found = archive.inventory.head(str(entry.key))
    assert found

    archive.ledger.record_event(entry.request, Event.STORED_FILE, LONG_AGO, stored=found.as_stored)

    (again,) = archive.ledger.entries()
    assert (entry.version_id, entry.sha256) == (again.version_id, again.sha256)


@pytest.mark.processes
@pytest.mark.parametrize("kind", ["file", "link"])
def test_of_an_overwritten_object_the_worker_tells_the_first_version(
    archive: Archive, bigin: Simulator, kind: str
) -> None:
    """Its row was lost as well. The new row tells what was archived: audits name the overwrite until it is mended."""
    told = {"kind": "link", "link_url": "https://example.com/"} if kind == "link" else {"content": b"file"}
    request = bigin.add(file_name="a", **told)
    body = json.dumps(request)
    archive.aws.worker().work([Message("1", body, "handle", 1)], Deadline(60))
    first = row(archive.aws, request)
    there = archive.aws.s3.get_object(Bucket=archive.aws.bucket, Key=first.key)
    made = archive.aws.s3.put_object(
        Bucket=archive.aws.bucket,
        Key=first.key,
        Body=there["Body"].read()[::-1],
        Metadata=there["Metadata"],
        ChecksumAlgorithm="SHA256",
    )
    archive.drop_row(first)

    archive.aws.worker().work([Message("2", body, "handle", 1)], Deadline(60))

    again = row(archive.aws, request)
    assert (first.version_id, first.sha256) == (again.version_id, again.sha256)
    assert ["wrong_checksum"] == kinds(archive)
    archive.aws.s3.delete_object(Bucket=archive.aws.bucket, Key=first.key, VersionId=made["VersionId"])
    assert [] == kinds(archive)


@pytest.mark.processes
def test_null_is_no_version(archive: Archive) -> None:
    """With versioning suspended each write replaces the version null: what was swapped is told, and the bucket too."""
    archive.aws.s3.put_bucket_versioning(Bucket=archive.aws.bucket, VersioningConfiguration={"Status": "Suspended"})
    entry = archive.new()[0]
    archive.overwrite(str(entry.key), content(entry)[::-1])

    audit = archive.auditor.audit(Listing("2026-01-01T00:00:00+00:00"))

    assert ["wrong_checksum"] == [one.kind.code for one in audit.differences]
    assert any("keeps no versions" in limit for limit in audit.limits)


def test_a_deep_audit_that_fails_keeps_its_turn(archive: Archive) -> None:
    """The planned number of deep audits reads all bytes, also when some break off."""
    archive.new(12)
    listing = Listing("2026-01-01T00:00:00+00:00")
    read = []
    for broken in (False, True, False):
        if broken:

            class Broken(Ledger):
                def pages(self, scan: list[Any]) -> Any:
                    raise StorageUnavailableError("down")

            Auditor(Broken(archive.aws.dynamodb, "x"), archive.inventory).audit(listing, deep=0.5)
        else:
            read.append(archive.auditor.audit(listing, deep=0.5).reread)

    assert 12 == sum(read)


def test_the_checksums_keep_what_bigin_has_no_more(archive: Archive) -> None:
    """A file that is deleted in S3 and gone in Bigin stays listed, so that whoever checks a copy misses it."""
    entry = archive.new()[0]
    planted.plant(archive, [entry], {"deleted": planted.ALL["object deleted"]})
    archive.ledger.record_event(entry.request, Event.SAID_GONE, LONG_AGO)

    archive.auditor.audit(Listing("2026-04-01T00:00:00+00:00"))

    assert str(entry.sha256) in archive.read("_index/SHA256SUMS").decode()


def test_a_genuine_url_file_is_a_file(archive: Archive, bigin: Simulator) -> None:
    """The metadata decide whether an object is a file or a link, not its name or type."""
    request = bigin.add(b"[InternetShortcut]", file_name="x.url", content_type="application/internet-shortcut")
    take(archive.aws, request)
    archive.drop_row(row(archive.aws, request))

    ledger_rows.rebuild(archive.ledger, archive.inventory, LONG_AGO, dry_run=False, progress=lambda _: None)

    assert ("archived", "x.url") == (row(archive.aws, request).state, row(archive.aws, request).file_name)


@pytest.mark.parametrize("title", ["Wiki", "Wiki.url"])
def test_a_rebuilt_row_has_the_name_that_bigin_has(archive: Archive, bigin: Simulator, title: str) -> None:
    """The extension of a shortcut is ours, and not a part of the link's name."""
    request = bigin.add(kind="link", file_name=title, link_url="https://example.com/")
    archive.aws.worker().work([Message("1", json.dumps(request), "handle", 1)], Deadline(60))
    archive.drop_row(row(archive.aws, request))

    ledger_rows.rebuild(archive.ledger, archive.inventory, LONG_AGO, dry_run=False, progress=lambda _: None)

    assert ("link", title) == (row(archive.aws, request).state, row(archive.aws, request).file_name)


def test_a_file_that_was_archived_by_its_id_is_found_by_its_name(archive: Archive, bigin: Simulator) -> None:
    """No list has told the file's name yet, but its key holds it."""
    request = bigin.add(b"file", file_name="Angebot.pdf")
    take(archive.aws, request)

    assert "Angebot.pdf" == row(archive.aws, request).file_name


def test_three_files_of_one_id_and_name_are_three(
    archive: Archive, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    """One id under three records names three files, each with its own bytes."""
    stack = deploy(archive.aws)
    for record_id in ("1", "22", "333"):
        entry = archive.new(1, module="Contacts", record_id=record_id, attachment_id="900", file_name="a.pdf")[0]
        archive.overwrite(str(entry.key), record_id.encode())
        sha256 = hashlib.sha256(record_id.encode()).hexdigest()
        head = archive.aws.head(str(entry.key))
        archive.change_row(entry, version_id=head["VersionId"], size_bytes=len(record_id), sha256=sha256)

    assert 0 == run(monkeypatch, "get", "900", "--stack", stack, "--to", str(tmp_path))

    assert {b"1", b"22", b"333"} == {path.read_bytes() for path in tmp_path.iterdir()}


def test_the_ledger_is_read_whole_in_segments(archive: Archive) -> None:
    """In any number of segments each row is read once."""
    made = {entry.attachment_id: entry for entry in archive.new(30)}

    read = list(archive.ledger.entries(4))

    assert (30, made) == (len(read), {entry.attachment_id: entry for entry in read})


def test_both_ways_tell_the_same(archive: Archive) -> None:
    """Comparing by versions and by a look at each object finds the same. What was confirmed costs no look again."""
    untouched, touched = archive.new(20), archive.new(len(planted.ALL))
    archive.in_bigin([*untouched, *touched])
    planted.plant(archive, touched, planted.ALL)

    first = archive.auditor.audit(archive.listing(), by_head=True)
    second = archive.auditor.audit(archive.listing())

    def told(audit: Any) -> list[Any]:
        return [(one.place, one.kind.code, one.key, one.detail) for one in audit.differences]

    assert told(first) == told(second)
    assert (0, True) == (first.proved, second.proved >= 20)
    assert first.totals == second.totals
