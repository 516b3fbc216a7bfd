"""`restore` as a person runs it: what it tells, what it sends, what it leaves behind."""

import json
import os
import re
from typing import Any

import pytest

from bigin_archive.ledger.ledger_entry import LedgerEntry
from bigin_archive.settings import DataCenter
from operate.restore.grant import scope_line
from operate.restore.notes import RestoreNotes
from operate.stack.archive import Archive as OperatorsArchive
from operate.stack.stack import Stack
from tests.archived import Archive, content
from tests.aws import Aws
from tests.bigin import TOKEN, Simulator, sha256
from tests.functional.test_operate_stack import deploy, run

CODE = "1000.0123456789abcdef0123456789abcdef.0123456789abcdef0123456789abcdef"
SCOPES = scope_line(("Contacts", "Pipelines", "Accounts", "Products", "Tasks", "Events", "Notes"))
RECORD = "Contacts/5557001"


class Operator:
    """Runs the command against one stack; a code is at hand."""

    def __init__(self, archive: Archive, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
        self.archive, self.bigin = archive, archive.bigin
        self._monkeypatch, self._capsys = monkeypatch, capsys
        self.stack = deploy(archive.aws)
        self.out = self.err = ""
        for name, value in (("BIGIN_CLIENT_ID", "test"), ("BIGIN_CLIENT_SECRET", "test"), ("BIGIN_GRANT_CODE", CODE)):
            monkeypatch.setenv(name, value)

    def __call__(self, *arguments: str, scope: str | None = SCOPES) -> int:
        if scope is not None:
            self.bigin.control("POST", "codes", {"code": CODE, "scope": scope})
        self._capsys.readouterr()
        status = run(self._monkeypatch, "restore", "--stack", self.stack, *arguments)
        self.out, self.err = self._capsys.readouterr()
        return status

    def report(self, *arguments: str, **more: Any) -> tuple[int, dict[str, Any]]:
        status = self(*arguments, "--json", **more)
        return status, json.loads(self.out)

    def grants(self) -> tuple[int, int]:
        """How many grants of restores live at Zoho, and how many are noted as open."""
        hosts = DataCenter(self.bigin.url, self.bigin.url)
        noted = RestoreNotes(operators_archive(self.archive, hosts)).open_grants()
        return int(self.bigin.control("GET", "tokens")["refresh_tokens"]) - 1, len(noted)


def operators_archive(archive: Archive, hosts: DataCenter) -> OperatorsArchive:
    """What a command knows of the stack, as far as a restore needs it."""
    aws, names = archive.aws, dict.fromkeys(Stack.__dataclass_fields__, "")
    stack = Stack(**{**names, "hosts": hosts, "bucket": aws.bucket, "ledger_table": aws.ledger_table})  # type: ignore[arg-type]
    return OperatorsArchive(stack, aws.dynamodb, archive.ledger, archive.inventory)


@pytest.fixture
def archive(aws: Aws, bigin: Simulator) -> Archive:
    made = Archive(aws, bigin)
    made.empty_bigin()
    return made


@pytest.fixture
def operator(archive: Archive, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> Operator:
    return Operator(archive, monkeypatch, capsys)


def record_of(archive: Archive, count: int = 3, record: str = RECORD, **fields: Any) -> list[LedgerEntry]:
    """Files of one record, which is there in Bigin and has none of them any more."""
    module, _, record_id = record.partition("/")
    archive.bigin.control("POST", "records", {"module": module, "record_id": record_id})
    return archive.new(count, module=module, record_id=record_id, **fields)


def archived_from_bigin(archive: Archive, **fields: Any) -> dict[str, Any]:
    """An attachment that the archive path has archived, and that Bigin has lost since."""
    module, _, record_id = RECORD.partition("/")
    made = archive.bigin.add(module=module, record_id=record_id, **fields)
    body = json.dumps({"module": module, "record_id": record_id})
    archive.aws.sqs.send_message(QueueUrl=archive.aws.queue_url, MessageBody=body)
    archive.work_off_queue()
    archive.empty_bigin()
    archive.bigin.control("DELETE", "calls")
    return made


def held(bigin: Simulator, record: str = RECORD) -> dict[str, list[str]]:
    """Digests by name of what the record has in Bigin."""
    found: dict[str, list[str]] = {}
    for one in bigin.attachments():
        if f"{one['module']}/{one['record_id']}" == record:
            found.setdefault(one["file_name"], []).append(one["sha256"])
    return found


def expected(entries: list[LedgerEntry]) -> dict[str, list[str]]:
    return {str(entry.file_name): [str(entry.sha256)] for entry in entries}


def test_a_record_is_whole_again(operator: Operator, archive: Archive) -> None:
    """Every byte and every name is back. What is there is not sent again; sweep and audit find nothing new."""
    entries = record_of(archive)
    archive.in_bigin(entries[:1])

    status, report = operator.report("--record", RECORD, "--yes")

    assert (0, {"restored": 2, "already_there": 1}) == (status, report["counts"])
    assert expected(entries) == held(archive.bigin)
    # A list before and one after; an upload and a download of each that was sent, a download of what was there.
    assert 2 + 2 * 2 + 1 == report["credits"] == archive.bigin.calls()["credits_used"]
    assert [None, None] == [archive.ledger.find([e.request])[e.request.place].restored_from for e in entries[:2]]
    for entry, one in zip(entries[1:], report["files"][1:], strict=True):
        place = f"{RECORD}/{one['restored_as']}"
        assert place == archive.ledger.find([entry.request])[entry.request.place].restored_as
        assert archive.exists(f"_restored/{place}.json")
    assert ("complete", []) == ((audit := archive.auditor.audit(archive.listing())).verdict, audit.differences)


def test_a_record_that_is_emptied_again_is_whole_again(operator: Operator, archive: Archive) -> None:
    """If the restored copies are deleted, a second restore makes new ones, and an audit finds no difference."""
    entries = record_of(archive, 2)
    for _ in range(2):
        archive.empty_bigin()
        assert (0, {"restored": 2}) == ((done := operator.report("--record", RECORD, "--yes"))[0], done[1]["counts"])

    assert expected(entries) == held(archive.bigin)
    assert ("complete", []) == ((audit := archive.auditor.audit(archive.listing())).verdict, audit.differences)


def test_without_yes_it_is_only_told(operator: Operator, archive: Archive) -> None:
    """Without --yes the command only shows the plan and its credits: no grant, nothing sent, nothing written."""
    entries = record_of(archive)
    archive.in_bigin(entries[:1])
    before = archive.versions()

    status, report = operator.report("--record", RECORD)

    assert (0, {"would_restore": 2, "already_there": 1}) == (status, report["counts"])
    assert (2, 6) == (report["credits"], report["credits_needed"])
    assert expected(entries[:1]) == held(archive.bigin)
    assert (before, (0, 0)) == (archive.versions(), operator.grants())


@pytest.mark.parametrize("end", ["done", "refused scope", "error"])
def test_the_grant_ends_with_the_run(operator: Operator, archive: Archive, end: str) -> None:
    """However the run ends, no refresh token and no note of one is left, and nothing secret is printed."""
    record_of(archive, 1)
    if end == "error":
        archive.bigin.answer(401, {"code": "OAUTH_SCOPE_MISMATCH"}, call="upload", times=None)

    status = operator("--record", RECORD, "--yes", scope="ZohoBigin.modules.ALL" if end == "refused scope" else SCOPES)

    assert {"done": 0, "refused scope": 1, "error": 1}[end] == status
    assert (0, 0) == operator.grants()
    for secret in (CODE, TOKEN):
        assert secret not in operator.out + operator.err
    assert not re.search(r"1000\.[0-9a-f]{32}", operator.out + operator.err)


def test_a_grant_that_could_not_be_revoked_is_told(
    operator: Operator, archive: Archive, monkeypatch: pytest.MonkeyPatch
) -> None:
    """This run and each later one report the grant, until a person has removed it."""
    monkeypatch.setattr("operate.restore.grant._REVOKING_WAITS_S", (0,))
    record_of(archive, 1)
    archive.bigin.answer(503, call="revoke", times=None)

    assert 0 == operator("--record", RECORD, "--yes")
    assert "did not say that the grant has ended" in operator.err
    archive.bigin.no_faults()
    assert 0 == operator("--record", RECORD)
    assert "1 grant of other runs: not revoked" in operator.err
    assert (0, {"forgotten": 1}) == operator.report("--forget-grants")
    assert (1, 0) == operator.grants()


def test_a_wrong_code_is_explained(operator: Operator, archive: Archive) -> None:
    """Nothing is sent, and nothing is left to be revoked."""
    record_of(archive, 1)

    assert 1 == operator("--record", RECORD, "--yes", scope=None)

    assert "Zoho does not accept the code" in operator.err
    assert "Nothing was sent." in operator.err
    assert (0, 0) == operator.grants()


def test_the_line_to_paste_is_printed(operator: Operator, archive: Archive) -> None:
    """READ and CREATE of the modules concerned and of attachments, and no more."""
    record_of(archive, 1)

    operator("--record", RECORD, "--yes")

    line = "ZohoBigin.modules.attachments.READ,ZohoBigin.modules.attachments.CREATE,"
    assert f"{line}ZohoBigin.modules.contacts.READ,ZohoBigin.modules.contacts.CREATE\n" in operator.err
    assert "DELETE" not in operator.err


def test_files_go_to_another_record(operator: Operator, archive: Archive) -> None:
    """--to-record sends files of a deleted record to another one, and the output shows both ids."""
    entries = archive.new(2, module="Contacts", record_id="5557002")
    archive.bigin.control("POST", "records", {"module": "Pipelines", "record_id": "5557003"})

    status, report = operator.report("--record", "Contacts/5557002", "--yes")
    assert (2, {"record_gone": 2}) == (status, report["counts"])
    assert "Contacts/5557002" in report["files"][0]["detail"]
    assert "--to-record" in report["files"][0]["remedy"]

    status, report = operator.report("--record", "Contacts/5557002", "--to-record", "Pipelines/5557003", "--yes")
    assert (0, {"restored": 2}) == (status, report["counts"])
    assert expected(entries) == held(archive.bigin, "Pipelines/5557003")


def test_files_are_named_by_their_ids(operator: Operator, archive: Archive) -> None:
    """A file is named by its id alone or by its whole place. One under which nothing is archived is reported."""
    entries = record_of(archive)

    status, report = operator.report(entries[0].attachment_id, entries[1].request.place, "31337", "--yes")

    assert (2, {"restored": 2}, ["31337"]) == (status, report["counts"], report["missing"])
    assert expected(entries[:2]) == held(archive.bigin)


def test_an_id_of_several_records_is_refused_with_the_choice(operator: Operator, archive: Archive) -> None:
    """An id that belongs to several records is refused, with the list to choose from."""
    (one,) = record_of(archive, 1)
    archive.change_row(one, record_id="5557009")
    assert archive.ledger.put(one)

    assert 2 == operator(one.attachment_id)

    assert "belongs to several records" in operator.err
    assert one.request.place in operator.err
    assert 0 == operator(one.request.place)


def test_a_module_and_a_day(operator: Operator, archive: Archive) -> None:
    """With a module and a day, only what was attached on that day or later is sent."""
    record_of(archive, 2, created_time="2026-01-30T09:30:00+03:00")
    late = record_of(archive, 1, created_time="2026-01-31T00:30:00+03:00")
    record_of(archive, 1, record="Notes/5557001")

    status, report = operator.report("--module", "Contacts", "--since", "2026-01-31")

    assert (0, [late[0].attachment_id]) == (status, [one["attachment_id"] for one in report["files"]])


def test_an_odd_row_costs_no_neighbour(operator: Operator, archive: Archive) -> None:
    """Another program may write a row whose ids are none; the others are told as always."""
    (one,) = record_of(archive, 1)
    assert archive.ledger.put(LedgerEntry("Contacts", "x", "y", state="archived", key="bigin/odd"))

    status, report = operator.report("--module", "Contacts")

    assert (2, {"y", one.attachment_id}) == (status, {each["attachment_id"] for each in report["files"]})


@pytest.mark.parametrize(
    "arguments",
    [
        (),
        ("Contacts/1",),
        ("--record", "Contacts"),
        ("--record", "Invoices/1"),
        ("--since", "2026-01-31", "1"),
        ("--drill", RECORD, "--record", RECORD),
        ("--upload-limit", "0", "1"),
    ],
)
def test_wrong_use_is_explained(operator: Operator, arguments: tuple[str, ...]) -> None:
    """Wrong use is status 2, before Bigin is asked for anything."""
    assert 2 == operator(*arguments)
    assert operator.err
    assert 0 == operator.bigin.calls()["credits_used"]


def test_nothing_archived_there_is_no_success(operator: Operator) -> None:
    """A record that the archive does not know is no success."""
    assert 1 == operator("--record", "Contacts/123", "--yes")
    assert "Nothing is archived there." in operator.err


def test_links_go_back_as_links(operator: Operator, archive: Archive) -> None:
    """Title and address as they were; a link that is there is not added again."""
    link = {"kind": "link", "link_url": "https://example.com/ä?b=c#d", "file_name": "Zeichnung №1"}
    made = archived_from_bigin(archive, content_base64="", **link)

    for outcome in ("restored", "already_there"):
        status, report = operator.report("--record", RECORD, "--yes")
        assert (0, {outcome: 1}) == (status, report["counts"]), report["files"]
    (one,) = archive.bigin.attachments()
    assert ("link", "Zeichnung №1") == (one["kind"], one["file_name"])
    assert made["attachment_id"] != one["attachment_id"]
    assert "complete" == archive.auditor.audit(archive.listing()).verdict


def test_what_bigin_would_refuse_is_told_before_it_is_sent(operator: Operator, archive: Archive) -> None:
    """The report has Bigin's code, what to do, and the place in S3, and comes before the command asks for a grant."""
    refused = {
        "setup.EXE": (10, "INVALID_FILE_EXTENSION"),
        "large.bin": (2**20 + 1, "FILE_SIZE_MORE_THAN_ALLOWED_SIZE"),
        "tab\tin it.txt": (10, "INVALID_FILE_NAME"),
    }
    for name, (size_bytes, _) in refused.items():
        archived_from_bigin(archive, file_name=name, size_bytes=size_bytes)

    for arguments in ((), ("--yes",)):
        status, report = operator.report("--record", RECORD, "--upload-limit", "1", *arguments)
        assert (2, {"refused": 3}) == (status, report["counts"])
        assert sorted(code for _, code in refused.values()) == sorted(one["code"] for one in report["files"])
        for one in report["files"]:
            assert one["location"].startswith(f"s3://{archive.aws.bucket}/bigin/{RECORD}/")
            assert "bigin-archive get" in one["remedy"]
    assert 0 == archive.bigin.calls()["by_call"].get("upload", 0)
    for _, code in refused.values():
        assert operator.err.index(f"({code}). It lies in s3://") < operator.err.index("A separate code")


def test_a_drill_sends_a_copy_and_is_noted(operator: Operator, archive: Archive) -> None:
    """A drill sends a file even if it is there, compares it, removes nothing, and says how to delete the copy."""
    entries = record_of(archive, 1)
    archive.in_bigin(entries)

    assert 0 == operator("--drill", RECORD, scope=None)
    assert 1 == len(archive.bigin.attachments())
    assert 0 == operator("--drill", RECORD, "--yes")

    assert {str(entries[0].file_name): [entries[0].sha256] * 2} == held(archive.bigin)
    assert "This grant cannot delete: to remove the copy, open the record Contacts/5557001" in operator.out
    assert ("complete", []) == ((audit := archive.auditor.audit(archive.listing())).verdict, audit.differences)


def test_a_drill_of_one_file(operator: Operator, archive: Archive) -> None:
    """A drill can send one file, named by its id, to another record."""
    entries = record_of(archive)
    record_of(archive, 0, record="Notes/5557004")

    assert 0 == operator(entries[1].attachment_id, "--drill", "Notes/5557004", "--yes")

    assert expected(entries[1:2]) == held(archive.bigin, "Notes/5557004")


def test_damaged_bytes_are_not_sent(operator: Operator, archive: Archive) -> None:
    """Bytes that the ledger does not confirm are not sent. Of an overwritten object the archived version is sent."""
    lost, overwritten, wrong, rotten = record_of(archive, 4)
    archive.aws.s3.delete_object(Bucket=archive.aws.bucket, Key=lost.key, VersionId=lost.version_id)
    archive.overwrite(str(overwritten.key), b"a stranger's")
    archive.change_row(wrong, sha256=sha256(b"something else"))

    # S3 has no SHA-256 of it that could tell before its bytes are read.
    archive.overwrite(str(rotten.key), bytes(int(rotten.size_bytes or 0)), ChecksumAlgorithm="CRC32")
    archive.change_row(rotten, version_id=archive.aws.head(str(rotten.key))["VersionId"])

    status, report = operator.report("--record", RECORD, "--yes")

    assert (2, ["damaged", "restored", "damaged", "damaged"]) == (status, [one["outcome"] for one in report["files"]])
    assert {str(overwritten.file_name): [sha256(content(overwritten))]} == held(archive.bigin)


def test_the_table_shows_what_did_not_work_first(operator: Operator, archive: Archive) -> None:
    """The table for people begins with what did not work, and why."""
    record_of(archive, 1, file_name="a.exe")
    record_of(archive, 2)

    assert 2 == operator("--record", RECORD, "--yes")

    assert operator.out.index("INVALID_FILE_EXTENSION") < operator.out.index("restored")
    assert "1 refused by Bigin" in operator.out
    assert os.environ["BIGIN_GRANT_CODE"] not in operator.out
