"""The audit on the emulator: every planted difference is found, and none is invented."""

import base64
import csv
import hashlib
import io
import json
import subprocess
import threading
from collections.abc import Callable, Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import boto3
import pytest
from botocore.config import Config

from bigin_archive.audit.auditor import Auditor
from bigin_archive.audit.bigin_side import Listing
from bigin_archive.errors import StorageRefusedError, StorageUnavailableError
from bigin_archive.ledger.attachment_state import Event
from bigin_archive.storage.inventory import Inventory
from tests import planted
from tests.archived import PREFIX, Archive
from tests.aws import Aws
from tests.bigin import Simulator

pytestmark = pytest.mark.in_memory

RCLONE = Path(__file__).parents[2] / ".venv" / "rclone" / "bin" / "rclone"


@pytest.fixture
def archive(aws: Aws, bigin: Simulator) -> Archive:
    """An empty archive."""
    return Archive(aws, bigin)


def since_long_ago() -> Listing:
    """Bigin's list as a sweep in January left it in the ledger."""
    return Listing("2026-01-01T00:00:00+00:00")


def test_an_archive_without_differences_is_complete(archive: Archive) -> None:
    """Nothing planted, nothing found; report and index lie in the bucket."""
    made = archive.new(30)

    audit = archive.auditor.audit(since_long_ago())

    assert ("complete", [], []) == (audit.verdict, audit.differences, audit.uncovered)
    assert (30, sum(entry.size_bytes or 0 for entry in made)) == (audit.total.archived, audit.total.size_bytes)
    report = json.loads(archive.read("_audit/latest.json"))
    assert ("complete", []) == (report["verdict"], report["differences"])


def test_every_planted_difference_is_found_and_none_invented(archive: Archive, figure: Callable[[str], None]) -> None:
    """Sixteen kinds among attachments that are right, with Bigin's own list: each is called what it is."""
    untouched, touched = archive.new(100), archive.new(16 * 10)
    archive.empty_bigin()
    archive.in_bigin([*untouched, *touched])
    expected = planted.plant(archive, touched, planted.ALL)

    audit = archive.auditor.audit(archive.listing())

    assert expected == {found.place: found.kind.code for found in audit.differences}
    assert len(expected) == len(audit.differences)
    assert "partial" == audit.verdict
    figure(f"audit: {len(expected)} differences of {len(planted.ALL)} kinds planted and found, 0 invented")


def test_a_thousand_planted_differences(archive: Archive, figure: Callable[[str], None]) -> None:
    """A thousand differences of eight kinds are found with the list that Bigin offers of the whole account."""
    untouched, touched = archive.new(200), archive.new(1000)
    archive.empty_bigin()
    archive.bigin.control("PATCH", "settings", {"module_attachments": "on"})
    archive.in_bigin([*untouched, *touched])
    expected = planted.plant(archive, touched, planted.FIGURE)

    audit = archive.auditor.audit(archive.listing())

    found = {one.place: one.kind.code for one in audit.differences}
    right = len(expected.items() & found.items())
    invented = len(audit.differences) - right
    figure(f"audit: {len(expected)} differences planted, {right} found, {invented} invented")
    assert expected == found
    assert 1000 == len(audit.differences)


def test_an_object_that_was_missing_once_is_not_forgiven(archive: Archive) -> None:
    """A lost object stays a difference after Bigin has deleted the file, too."""
    lost = archive.new(2)[0]
    planted.plant(archive, [lost], {"object deleted": planted.ALL["object deleted"]})
    archive.ledger.record_event(lost.request, Event.SAID_GONE, "2026-05-05T00:00:00+00:00")

    audit = archive.auditor.audit(Listing("2026-04-01T00:00:00+00:00"))

    assert "partial" == audit.verdict
    assert {"missing_object", "removed_in_bigin"} == {found.kind.code for found in audit.differences}


def test_what_is_archived_while_the_audit_runs_is_no_difference(archive: Archive) -> None:
    """An object that is younger than the audit has no row yet; one that Bigin got meanwhile was not removed."""
    archive.new(3)

    class Earlier(Inventory):
        def now(self) -> str:
            return "2026-01-01T00:00:00.000+00:00"

    younger = Auditor(archive.ledger, Earlier(archive.aws.s3, archive.aws.bucket, PREFIX))
    for entry in archive.new(2):
        archive.drop_row(entry)
    archive.new(1, first_seen="2026-02-02T00:00:00+00:00", last_seen=None)

    audit = younger.audit(since_long_ago())

    assert ("complete", [], 2) == (audit.verdict, audit.differences, audit.fresh)


def test_a_ledger_that_cannot_be_read_proves_nothing(archive: Archive) -> None:
    """Without the table: failed, with a report."""
    archive.new(1)
    archive.aws.dynamodb.delete_table(TableName=archive.aws.ledger_table)

    audit = archive.auditor.audit(since_long_ago())

    assert "failed" == audit.verdict
    assert "ledger" in str(audit.failure)
    assert b"The audit failed" in archive.read("_audit/latest.html")


def test_the_index_lists_every_attachment(archive: Archive) -> None:
    """One row each, in UTF-8 that Excel recognises; formulas are text; what is not archived has its state."""
    made = archive.new(1, file_name="=cmd|' /C calc'!A0", record_name="東京 & Söhne")[0]
    planted.plant(archive, parked := archive.new(1), {"parked": planted.ALL["parked"]})

    archive.auditor.audit(since_long_ago())

    table = archive.read("_index/attachments.csv")
    rows = {row["attachment_id"]: row for row in csv.DictReader(io.StringIO(table.decode("utf-8-sig"), newline=""))}
    assert table.startswith("\ufeffmodule".encode())
    assert 2 == len(rows)
    row = rows[made.attachment_id]
    assert ("'=cmd|' _C calc'!A0", "東京 & Söhne") == (row["file_name"], row["record_name"])
    assert (made.key, made.sha256, str(made.size_bytes)) == (row["key"], row["sha256"], row["size_bytes"])
    row = rows[parked[0].attachment_id]
    assert ("parked", "attachment_too_large") == (row["state"], row["reason"])


def synced(archive: Archive, folder: Path) -> None:
    """What ``aws s3 sync`` makes of the archive."""
    for found in archive.aws.s3.list_objects_v2(Bucket=archive.aws.bucket)["Contents"]:
        if found["Key"].endswith("/"):
            continue  # a folder placeholder, as aws s3 sync leaves it out
        path = folder / found["Key"].removeprefix("bigin/")
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(archive.read(found["Key"].removeprefix("bigin/")))


def test_the_checksums_need_no_program_of_ours(archive: Archive, tmp_path: Path) -> None:
    """sha256sum takes them as they are, with any name; a file that was swapped fails."""
    names = ("plain.pdf", " two  blanks ", "東京.txt", "a\\b\nc", "'quotes\"", "-dash", "*star", "naïve.txt")
    made = [archive.new(1, file_name=name)[0] for name in names]
    archive.auditor.audit(since_long_ago())
    synced(archive, tmp_path)
    command = ["sha256sum", "--check", "--strict", "--quiet", "_index/SHA256SUMS"]
    assert 0 == subprocess.run(command, cwd=tmp_path, check=False).returncode

    planted.plant(archive, made[:1], {"swapped": planted.ALL["object swapped"]})
    archive.auditor.audit(since_long_ago())
    synced(archive, tmp_path)
    run = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True, check=False)

    assert (1, 1) == (run.returncode, run.stdout.count("FAILED"))
    assert len(made) == len((tmp_path / "_index/SHA256SUMS").read_text(encoding="utf-8").splitlines())


def test_the_checksums_tell_of_what_was_replaced_or_deleted(archive: Archive, tmp_path: Path) -> None:
    """If anybody replaces or deletes an object, the list of checksums keeps the file that was archived."""
    replaced, deleted, unknown, _ = archive.new(4)
    archive.overwrite(str(replaced.key), b"of somebody else", Metadata={})
    planted.plant(archive, [deleted], {"deleted": planted.ALL["object deleted"]})
    planted.plant(archive, [unknown], {"unknown": planted.ALL["a stranger's object beside it"]})
    archive.auditor.audit(since_long_ago())
    synced(archive, tmp_path)
    command = ["sha256sum", "--check", "--quiet", "_index/SHA256SUMS"]

    run = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True, check=False)

    failed = [line.rpartition(": ") for line in run.stdout.splitlines()]
    expected = {(replaced.key, "FAILED"), (deleted.key, "FAILED open or read")}
    assert (1, expected) == (run.returncode, {(f"bigin/{path}", what) for path, _, what in failed})
    assert 4 == len((tmp_path / "_index/SHA256SUMS").read_text(encoding="utf-8").splitlines())


@pytest.mark.skipif(not RCLONE.exists(), reason="make test installs rclone")
def test_rclone_takes_the_checksums(archive: Archive, tmp_path: Path) -> None:
    """rclone finds that all files match, and names one that was added to the copy."""
    archive.new(5, file_name="東京  (1).txt")
    archive.auditor.audit(since_long_ago())
    synced(archive, tmp_path)
    command = [RCLONE, "checksum", "sha256", "_index/SHA256SUMS", ".", "--exclude", "/_*/**"]
    assert 0 == subprocess.run(command, cwd=tmp_path, capture_output=True, check=False).returncode

    (tmp_path / "added.txt").write_text("x")

    assert 1 == subprocess.run(command, cwd=tmp_path, capture_output=True, check=False).returncode


class RottenS3(BaseHTTPRequestHandler):
    """Says one checksum and sends other bytes, or a body that breaks off so many times."""

    body = b"good"
    sent = b"evil"
    breaks = 0
    is_cold = False

    def do_HEAD(self) -> None:
        self._head()

    def do_GET(self) -> None:
        if self.is_cold:
            self._refuse()
            return
        self._head()
        cls = type(self)
        cls.breaks, breaking = cls.breaks - 1, cls.breaks > 0
        self.wfile.write(self.sent[:2] if breaking else self.sent)
        self.close_connection = True

    def log_message(self, *_: Any) -> None:
        """Nothing."""

    def _refuse(self) -> None:
        body = b"<Error><Code>InvalidObjectState</Code></Error>"
        self.send_response(403)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def _head(self) -> None:
        self.send_response(200)
        self.send_header("Content-Length", "4")
        self.send_header("Last-Modified", "Fri, 02 Jan 2026 03:04:05 GMT")
        if self.headers.get("x-amz-checksum-mode"):
            told = base64.b64encode(hashlib.sha256(self.body).digest()).decode()
            self.send_header("x-amz-checksum-sha256", told)
        self.end_headers()


@pytest.fixture
def rotten() -> Iterator[tuple[type[RottenS3], Inventory]]:
    """A server whose objects have rotted, and an inventory of it."""
    handler = type("Handler", (RottenS3,), {})
    server = ThreadingHTTPServer(("127.0.0.1", 0), handler)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    client = boto3.client(
        "s3",
        endpoint_url=f"http://127.0.0.1:{server.server_port}",
        aws_access_key_id="test",
        aws_secret_access_key="test",
        region_name="us-east-1",
        config=Config(retries={"total_max_attempts": 1}),
    )
    yield handler, Inventory(client, "bucket", "bigin/")
    client.close()
    server.shutdown()
    server.server_close()


def test_rotten_bytes_are_seen(rotten: tuple[type[RottenS3], Inventory]) -> None:
    """A deep audit reports an object whose bytes do not match S3's own checksum."""
    _, inventory = rotten

    found = inventory.head("bigin/x")

    assert found
    assert found.sha256 != inventory.sha256("bigin/x")


def test_a_body_that_breaks_off_is_read_again(rotten: tuple[type[RottenS3], Inventory]) -> None:
    """A body that breaks off is read again; the second time the audit ends. Neither counts as a wrong byte."""
    handler, inventory = rotten
    handler.sent, handler.breaks = handler.body, 1

    assert hashlib.sha256(b"good").hexdigest() == inventory.sha256("bigin/x")

    handler.breaks = 2
    with pytest.raises(StorageUnavailableError):
        inventory.sha256("bigin/x")


def test_what_lies_in_an_archive_tier_is_told_as_not_read(rotten: tuple[type[RottenS3], Inventory]) -> None:
    """A file in an archive tier is reported as not read: that is no wrong byte, and ends no audit."""
    handler, inventory = rotten
    handler.is_cold = True

    found = inventory.head("bigin/x")

    assert found
    read = inventory.reread(found)
    assert (True, None) == (read.is_cold, read.bytes_right)
    with pytest.raises(StorageRefusedError, match="Restore it first"):
        list(inventory.blocks("bigin/x"))
