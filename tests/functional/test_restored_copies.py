"""A file that was sent back to Bigin is the same file for sweep, audit, index and a rebuilt ledger."""

import io
import json
from dataclasses import replace

import pytest

from bigin_archive.archiving.archiver import Archived
from bigin_archive.deadline import Deadline
from bigin_archive.ledger.ledger_entry import LedgerEntry
from bigin_archive.ledger.restored_copy import CONTENT_TYPE, FOLDER, RestoredCopy
from operate.audit import ledger_rows
from tests.account import Account
from tests.archived import LONG_AGO, Archive, content
from tests.aws import Aws
from tests.bigin import Simulator

pytestmark = pytest.mark.in_memory

TIME = "2026-04-01T08:00:00+03:00"
RESTORED_AT = "2026-04-01T05:00:00.000+00:00"


@pytest.fixture
def archive(aws: Aws, bigin: Simulator) -> Archive:
    made = Archive(aws, bigin)
    made.empty_bigin()
    return made


def sent_back(archive: Archive, original: LedgerEntry, attachment_id: str, **fields: str) -> LedgerEntry:
    """The copy of a file in Bigin, noted as a restore notes it."""
    copy = replace(
        original,
        attachment_id=attachment_id,
        restored_from=original.request.place,
        first_seen=RESTORED_AT,
        last_seen=RESTORED_AT,
        modified_time=TIME,
        archived_modified_time=TIME,
        **fields,
    )
    archive.bigin.add(
        content(original),
        module=copy.module,
        record_id=copy.record_id,
        attachment_id=attachment_id,
        file_name=copy.file_name,
        created_time=TIME,
    )
    noted = RestoredCopy(copy)
    archive.inventory.write(noted.path, io.BytesIO(noted.to_json()), CONTENT_TYPE)
    noted.record_in(archive.ledger)
    return copy


def test_an_audit_takes_it_for_the_same_file(archive: Archive) -> None:
    """The file counts neither as new nor as removed. SHA256SUMS has one line for it, where the object lies."""
    first, second = archive.new(2)
    sent_back(archive, first, "9900001")
    sent_back(archive, second, "9900002", record_id="424242")

    audit = archive.auditor.audit(archive.listing())

    assert ("complete", []) == (audit.verdict, audit.differences)
    assert 2 == len(archive.read("_index/SHA256SUMS").decode().splitlines())
    assert 5 == len(archive.read("_index/attachments.csv").decode("utf-8-sig").splitlines())  # with the heading


def test_an_audit_misses_the_object_that_it_came_from(archive: Archive) -> None:
    """A lost object is reported for both, and a repair fetches the one that Bigin has."""
    (original,) = archive.new()
    copy = sent_back(archive, original, "9900001")
    archive.aws.s3.delete_object(Bucket=archive.aws.bucket, Key=original.key)

    audit = archive.auditor.audit(archive.listing())

    kinds = {found.place: (found.kind.code, found.in_bigin) for found in audit.differences}
    expected = {copy.request.place: ("missing_object", True), original.request.place: ("missing_object", False)}
    assert expected == kinds


def test_a_copy_that_was_removed_again_is_told(archive: Archive) -> None:
    """A copy that was removed again is reported once; the original, which was sent back, is not."""
    (original,) = archive.new()
    copy = sent_back(archive, original, "9900001")
    archive.empty_bigin()

    audit = archive.auditor.audit(archive.listing())

    assert [("removed_in_bigin", copy.request.place)] == [(one.kind.code, one.place) for one in audit.differences]


def asked_for(copy: LedgerEntry, *names: str) -> dict[str, object]:
    """The request that an event or a caller makes of it."""
    return {name: getattr(copy, name) for name in names or ("module", "record_id", "attachment_id")}


def changed(archive: Archive, copy: LedgerEntry) -> None:
    """The file is another one in Bigin, of the same size, under the same id."""
    archive.bigin.control("DELETE", f"attachments/{copy.attachment_id}")
    archive.bigin.add(
        bytes(copy.size_bytes or 0),
        module=copy.module,
        record_id=copy.record_id,
        attachment_id=copy.attachment_id,
        file_name=copy.file_name,
    )


def test_an_event_of_its_record_fetches_it_only_once_it_was_changed(archive: Archive) -> None:
    """Bigin announces a restored file like any other. Only once it was changed is it queued and archived."""
    (original,) = archive.new()
    copy = sent_back(archive, original, "9900001")
    before = archive.versions()
    archive.aws.worker().work(archive.aws.deliver(asked_for(copy, "module", "record_id")), Deadline(60))
    assert [] == archive.aws.messages(archive.aws.queue_url)

    changed(archive, copy)
    archive.aws.worker().work(archive.aws.deliver(asked_for(copy, "module", "record_id")), Deadline(60))
    archive.work_off_queue()

    row = archive.ledger.find([copy.request])[copy.request.place]
    new = {(row.key, row.version_id)}
    assert (f"bigin/{copy.request.place}/{copy.file_name}", None) == (row.key, row.restored_from)
    assert new == archive.versions() - before


def test_an_event_of_its_id_fetches_it_only_once_it_was_changed(archive: Archive) -> None:
    """Whoever asks for the copy gets the object that it came from. Only once it was changed is it archived itself."""
    (original,) = archive.new()
    copy = sent_back(archive, original, "9900001")
    before = archive.versions()
    assert [] == archive.aws.worker().work(archive.aws.deliver(asked_for(copy)), Deadline(60))
    result = archive.aws.archive_or_queue().take(
        json.dumps(asked_for(copy)), later=False, request_id="r", deadline=Deadline(24)
    )

    assert isinstance(result, Archived)
    assert (True, original.key, original.sha256) == (result.already, result.stored.key, result.stored.sha256)
    assert 0 == archive.bigin.calls()["by_call"].get("download", 0)
    row = archive.ledger.find([copy.request])[copy.request.place]
    assert (original.key, original.request.place, TIME) == (row.key, row.restored_from, row.archived_modified_time)
    assert before == archive.versions()

    changed(archive, copy)
    assert [] == archive.aws.worker().work(archive.aws.deliver(asked_for(copy)), Deadline(60))

    assert {f"bigin/{copy.request.place}/{copy.file_name}"} == {key for key, _ in archive.versions() - before}


@pytest.mark.parametrize("bytes_there", [None, b"other bytes"])
def test_an_event_fetches_it_where_the_object_that_it_came_from_is_lost(
    archive: Archive, bytes_there: bytes | None
) -> None:
    """If the object that it came from was removed or replaced, Bigin has the only copy, and it is archived."""
    (original,) = archive.new()
    copy = sent_back(archive, original, "9900001")
    if bytes_there is None:
        archive.aws.s3.delete_object(Bucket=archive.aws.bucket, Key=original.key)
    else:
        archive.overwrite(str(original.key), bytes_there)

    assert [] == archive.aws.worker().work(archive.aws.deliver(asked_for(copy)), Deadline(60))

    assert content(original) == archive.read(f"{copy.request.place}/{copy.file_name}")


@pytest.mark.parametrize("names", [("module", "record_id"), ("module", "record_id", "attachment_id")])
def test_an_event_of_a_link_writes_a_shortcut_only_once_it_was_changed(
    archive: Archive, names: tuple[str, ...]
) -> None:
    """A link that was sent back has the shortcut of its first id."""
    fields = {"module": "Contacts", "record_id": "7001", "kind": "link", "file_name": "Wiki"}
    first = archive.bigin.add(**fields, link_url="https://example.com/", attachment_id="9900000")
    worker = archive.aws.worker()
    worker.work(archive.aws.deliver(first), Deadline(60))
    (original,) = archive.ledger.entries_of("Contacts", "7001")
    archive.empty_bigin()
    copy = replace(
        original,
        attachment_id="9900001",
        restored_from=original.request.place,
        modified_time=TIME,
        archived_modified_time=TIME,
    )
    RestoredCopy(copy).record_in(archive.ledger)
    archive.bigin.add(**fields, link_url="https://example.com/", attachment_id="9900001", created_time=TIME)
    before = archive.versions()

    worker.work(archive.aws.deliver(asked_for(copy, *names)), Deadline(60))
    assert before == archive.versions()

    archive.bigin.control("DELETE", "attachments/9900001")
    archive.bigin.add(**fields, link_url="https://example.com/new", attachment_id="9900001")
    worker.work(archive.aws.deliver(asked_for(copy, *names)), Deadline(60))

    assert b"URL=https://example.com/new\r\n" in archive.read("Contacts/7001/9900001/Wiki.url")


def test_a_sweep_queues_it_only_once_it_was_changed(archive: Archive) -> None:
    """The same file costs nothing; changed in Bigin, it is a new one, with an object of its own."""
    account = Account(archive.aws, archive.bigin)
    original, other = archive.new(2)
    copy = sent_back(archive, original, "9900001")
    sent_back(archive, other, "9900002")
    before = archive.versions()

    account.sweep()
    assert before == archive.versions()
    assert not archive.bigin.calls()["by_call"].get("download")

    changed(archive, copy)
    account.clock.now_s += 3600
    account.sweep()

    row = archive.ledger.find([copy.request])[copy.request.place]
    assert f"bigin/{copy.request.place}/{copy.file_name}" == row.key
    assert row.restored_from is None
    assert "complete" == archive.auditor.audit(archive.listing()).verdict


def test_a_rebuilt_ledger_knows_it(archive: Archive) -> None:
    """Both rows come back as they were, but for what only Bigin's list tells."""
    (original,) = archive.new()
    copy = sent_back(archive, original, "9900001")
    for entry in (original, copy):
        archive.drop_row(entry)
    archive.inventory.write(f"{FOLDER}damaged.json", io.BytesIO(b"{"), CONTENT_TYPE)

    rebuilt = ledger_rows.rebuild(archive.ledger, archive.inventory, LONG_AGO, dry_run=False, progress=lambda _: None)
    ledger_rows.rebuild_restored(archive.ledger, archive.inventory.own_files(FOLDER), rebuilt, dry_run=False)

    assert (1, 2, 0) == (rebuilt.objects, rebuilt.restored, rebuilt.strange)
    rows = archive.ledger.find([original.request, copy.request])
    assert copy == rows[copy.request.place]
    assert copy.request.place == rows[original.request.place].restored_as


def test_an_object_of_its_own_counts_more(archive: Archive) -> None:
    """If a worker archived the copy before the restore noted it, its own object counts."""
    original, own = archive.new(2)
    noted = RestoredCopy(replace(original, attachment_id=own.attachment_id, restored_from=original.request.place))

    RestoredCopy(replace(noted.entry, module=own.module, record_id=own.record_id)).record_in(archive.ledger)

    assert own == archive.ledger.find([own.request])[own.request.place]
