"""`audit` as a person runs it: verdict, exit status, report, repair."""

import json
import time
from datetime import UTC, datetime
from typing import Any

import pytest

from bigin_archive.archive_request import MODULES
from bigin_archive.ledger.credit_usage import CreditUsage
from bigin_archive.sweep.cursor import Cursor, SweepState
from tests import planted
from tests.archived import Archive
from tests.aws import Aws
from tests.bigin import TOKEN, Simulator
from tests.functional.test_operate_stack import deploy, run

pytestmark = pytest.mark.in_memory


@pytest.fixture
def archive(aws: Aws, bigin: Simulator) -> Archive:
    """An archive of twelve attachments, all as they should be."""
    made = Archive(aws, bigin)
    made.empty_bigin()
    made.in_bigin(made.new(12))
    return made


@pytest.fixture
def stack(archive: Archive) -> str:
    """The stack of the archive; its name."""
    return deploy(archive.aws)


def audited(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], stack: str, *options: str
) -> tuple[int, Any]:
    """Exit status and the JSON printed."""
    capsys.readouterr()
    status = run(monkeypatch, "audit", "--stack", stack, "--json", *options)
    return status, json.loads(capsys.readouterr().out)


def test_a_complete_archive_is_status_0(
    archive: Archive, stack: str, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """The command prints the verdict, the credits, and where the report lies, but no token."""
    assert 0 == run(monkeypatch, "audit", "--stack", stack)

    printed = "".join(capsys.readouterr())
    assert "Every attachment that Bigin lists (12) is archived" in printed
    assert f"s3://{archive.aws.bucket}/bigin/_audit/" in printed
    assert f"Credits used: {archive.bigin.calls()['credits_used']}" in printed
    assert TOKEN not in printed
    assert b"The archive is complete" in archive.read("_audit/latest.html")


@pytest.mark.parametrize("wrong_by_s", [-7200, 7200])
def test_until_when_the_archive_is_complete_does_not_hang_on_this_machines_clock(
    stack: str, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], wrong_by_s: int
) -> None:
    """The report's time is that of S3, read just before Bigin is asked."""
    right, now = time.time, datetime.now(UTC)
    monkeypatch.setattr(time, "time", lambda: right() + wrong_by_s)

    status, report = audited(monkeypatch, capsys, stack)

    told = datetime.fromisoformat(report["complete_as_of"])
    assert 0 == status
    assert abs((told - now).total_seconds()) < 600


@pytest.mark.parametrize("wrong_by_s", [-7200, 7200])
def test_mended_rows_carry_awss_time(
    archive: Archive, stack: str, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], wrong_by_s: int
) -> None:
    """Rows that --repair writes carry AWS's time, as those of the functions do, whatever this machine's clock says."""
    first, second = list(archive.ledger.entries())[:2]
    right, now = time.time, datetime.now(UTC)
    monkeypatch.setattr(time, "time", lambda: right() + wrong_by_s)
    archive.drop_row(first)
    audited(monkeypatch, capsys, stack, "--repair")
    archive.drop_row(second)
    assert 0 == run(monkeypatch, "rebuild-ledger", "--stack", stack)

    rows = archive.ledger.find([first.request, second.request]).values()

    times = [datetime.fromisoformat(str(each)) for row in rows for each in (row.state_at, row.first_seen)]
    assert 4 == len(times)
    assert max(abs((each - now).total_seconds()) for each in times) < 600


def test_a_missing_file_is_status_2_and_repaired(
    archive: Archive, stack: str, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """--repair queues what is missing, and the next audit is complete. It does not overwrite another object."""
    kinds = ("object deleted", "ledger row missing", "ledger row wrong", "attachment added in Bigin")
    made = archive.new(8)
    archive.in_bigin(made)
    expected = planted.plant(archive, made, {name: planted.ALL[name] for name in kinds})

    status, report = audited(monkeypatch, capsys, stack, "--repair")

    assert (2, sorted(expected.values())) == (status, sorted(found["kind"] for found in report["differences"]))
    assert {"queued": 4, "rows": 4, "left": 0} == report["repaired"]
    archive.work_off_queue()
    status, report = audited(monkeypatch, capsys, stack)
    assert (0, []) == (status, report["differences"])


def test_what_a_person_has_to_mend_is_left_alone(
    archive: Archive, stack: str, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """Repair overwrites and deletes nothing, and queues nothing that Bigin does not have any more."""
    kinds = ("object truncated", "object swapped", "object added", "second object", "object deleted")
    made = archive.new(5)
    archive.in_bigin(made)
    planted.plant(archive, made, {name: planted.ALL[name] for name in kinds})
    archive.bigin.control("DELETE", f"attachments/{made[-1].attachment_id}")
    before = archive.versions()

    status, report = audited(monkeypatch, capsys, stack, "--repair")

    assert (2, {"queued": 0, "rows": 0, "left": 5}) == (status, report["repaired"])
    assert before == archive.versions()
    assert [] == archive.aws.messages(archive.aws.queue_url)


def test_differences_are_shown_with_their_remedies(
    archive: Archive, stack: str, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """The terminal shows twenty differences with their remedies; the report has the rest."""
    made = archive.new(23)
    archive.in_bigin(made)
    planted.plant(archive, made, {"object deleted": planted.ALL["object deleted"]})

    assert 2 == run(monkeypatch, "audit", "--stack", stack)

    printed = capsys.readouterr()
    assert 21 == printed.out.count("missing_object")  # twenty rows, one remedy
    assert "3 more in the report" in printed.out
    assert "23 are not in the archive" in printed.out


def test_the_totals_fit_a_terminal(
    archive: Archive, stack: str, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """The totals fit into 80 columns without a cut word, because columns of zeros are left out."""
    made = archive.new(1)
    archive.in_bigin(made)
    planted.plant(archive, made, {"parked": planted.ALL["parked"]})
    monkeypatch.setattr("operate.terminal.LOG_WIDTH", 80)

    assert 2 == run(monkeypatch, "audit", "--stack", stack)

    table = capsys.readouterr().out.partition("┡")[0].splitlines()[-1].replace("┃", " ").split()
    assert ["Module", "Listed", "Archived", "Parked", "Differences", "Size"] == table


def test_one_module_is_never_complete(
    archive: Archive, stack: str, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """What was left out is told, and index and report of the whole are not touched."""
    audited(monkeypatch, capsys, stack)
    archive.remove("_index/SHA256SUMS")

    status, report = audited(monkeypatch, capsys, stack, "--module", "Contacts")

    assert (2, "partial", ["Contacts"]) == (status, report["verdict"], list(report["modules"]))
    assert "Pipelines" in report["not_covered"][0]
    assert not archive.exists("_index/SHA256SUMS")
    assert "complete" == json.loads(archive.read("_audit/latest.json"))["verdict"]
    assert "partial" == json.loads(archive.read("_audit/latest-Contacts.json"))["verdict"]


def test_a_list_that_bigin_does_not_document_is_told(
    archive: Archive, stack: str, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """The report names the undocumented list where it was used. Reading each record leaves no such doubt."""
    archive.bigin.control("PATCH", "settings", {"module_attachments": "on"})

    reports = [audited(monkeypatch, capsys, stack, *options)[1] for options in ([], ["--by-record"])]

    assert [True, False] == [any("does not document" in limit for limit in each["limits"]) for each in reports]


def test_a_module_that_bigin_does_not_know_is_told(
    archive: Archive, stack: str, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """If Bigin does not know a module, the others are compared: the audit is partial, not failed."""
    archive.bigin.answer(404, call="records", skip=1, times=1)  # the first asks for the list of all

    status, report = audited(monkeypatch, capsys, stack)

    assert (2, "partial") == (status, report["verdict"])
    assert report["not_covered"][0].startswith("Contacts: ")


def test_an_audit_without_bigin_proves_nothing(
    archive: Archive, stack: str, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """With a dead token the audit fails with status 1 and says why. S3 and ledger are compared all the same."""
    archive.aws.store_token("dead")
    gone = archive.new(1)[0]
    planted.plant(archive, [gone], {"object deleted": planted.ALL["object deleted"]})

    status, report = audited(monkeypatch, capsys, stack)

    assert (1, "failed") == (status, report["verdict"])
    assert "token" in report["failure"]
    assert ["missing_object"] == [found["kind"] for found in report["differences"]]
    assert "failed" == json.loads(archive.read("_audit/latest.json"))["verdict"]
    assert not any("Bigin's list" in limit for limit in report["limits"])
    assert b'<td>Contacts</td><td class="number zero">\xe2\x80\x93</td>' in archive.read("_audit/latest.html")


def test_half_a_list_proves_nothing(
    archive: Archive, stack: str, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """If Bigin refuses the scope in the middle of a list, the audit fails, and nothing counts as removed."""
    archive.bigin.answer(401, {"code": "OAUTH_SCOPE_MISMATCH"}, call="list", times=None, skip=5)

    status, report = audited(monkeypatch, capsys, stack)

    assert (1, "failed", []) == (status, report["verdict"], report["differences"])
    assert 0 == report["total"]["listed"]


def test_a_module_that_bigin_refuses_is_told(
    archive: Archive, stack: str, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """If one record is refused, the rest is compared. Its module is not proved, and nothing there counts as removed."""
    record = archive.new(1)[0]
    archive.in_bigin([record])
    archive.bigin.answer(403, {"code": "NO_PERMISSION"}, call="list", record_id=record.record_id, times=None)

    status, report = audited(monkeypatch, capsys, stack)

    assert (2, []) == (status, report["differences"])
    assert record.record_id in report["not_covered"][0]


def test_modules_that_nobody_can_download_from_are_told(
    archive: Archive, stack: str, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """Bigin's list of all also brings attachments of calls: the archive is not complete with them."""
    archive.bigin.control("PATCH", "settings", {"module_attachments": "on"})
    archive.bigin.add(b"x", listed={"$se_module": "Calls"})

    status, report = audited(monkeypatch, capsys, stack)

    assert (2, []) == (status, report["differences"])
    assert "Calls: 1 attachment" in report["not_covered"][0]


@pytest.mark.parametrize("share", ["0", "101%", "five", "-5%", ""])
def test_a_share_is_a_share(stack: str, monkeypatch: pytest.MonkeyPatch, share: str) -> None:
    """Anything but a percentage above 0 is wrong usage."""
    assert 2 == run(monkeypatch, "audit", "--stack", stack, "--deep", share)


def test_a_deep_audit_of_everything_says_so(
    stack: str, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """A deep audit of everything leaves nothing to be read the next time, and says so."""
    limits = audited(monkeypatch, capsys, stack, "--deep", "100%")[1]["limits"]

    assert "The bytes of all 12 objects were read again." in limits


def test_deep_audits_read_all_bytes_in_turn(
    archive: Archive, stack: str, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """Four audits of a quarter read each object once."""
    archive.new(1)  # the 13th: four times the same quarter cannot be 13
    counts = [audited(monkeypatch, capsys, stack, "--deep", "25%", "--module", "Contacts")[1]["reread"]]
    counts += [audited(monkeypatch, capsys, stack, "--deep", "25")[1]["reread"] for _ in range(4)]

    assert 13 == sum(counts[1:])
    assert max(counts[1:]) < 13


def test_the_credits_enter_the_book(
    archive: Archive, stack: str, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """An audit's credits count towards the sweep's share, and are those that the simulator counted."""
    _, report = audited(monkeypatch, capsys, stack)

    used = archive.bigin.calls()["credits_used"]
    assert used > 12
    assert used == report["credits"] == CreditUsage(archive.aws.dynamodb, archive.aws.ledger_table).used().used


def test_a_lost_ledger_is_told(
    archive: Archive, stack: str, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """With a lost ledger the audit fails with status 1, and writes a report."""
    archive.aws.dynamodb.delete_table(TableName=archive.aws.ledger_table)

    status, report = audited(monkeypatch, capsys, stack, "--repair")

    assert (1, "failed", None) == (status, report["verdict"], report["repaired"])
    assert "ledger" in report["failure"]


def test_the_last_sweep_stands_for_bigin(
    archive: Archive, stack: str, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """--as-of-sweep: complete without one call to Bigin; without a sweep there is nothing to compare with."""
    assert 1 == run(monkeypatch, "audit", "--stack", stack, "--as-of-sweep")
    cursor = Cursor(archive.aws.dynamodb, archive.aws.ledger_table, "test", time.time)
    assert cursor.take()
    began = "2026-01-01T00:00:00+00:00"
    cursor.save(SweepState(began, list(MODULES), phase="done", full_since=began))
    before = archive.bigin.calls()["credits_used"]

    status, report = audited(monkeypatch, capsys, stack, "--as-of-sweep")

    assert (0, 12, 0) == (status, report["total"]["listed"], report["credits"])
    assert before == archive.bigin.calls()["credits_used"]


@pytest.mark.parametrize(("since", "status"), [(None, 2), ("2026-02-01T00:00:00+00:00", 0)])
def test_the_last_sweep_stands_for_bigin_until_the_next(
    archive: Archive,
    stack: str,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
    since: str | None,
    status: int,
) -> None:
    """--as-of-sweep while a sweep of everything runs is not complete: what the last one could not list is forgotten."""
    cursor = Cursor(archive.aws.dynamodb, archive.aws.ledger_table, "test", time.time)
    assert cursor.take()
    began = "2026-01-01T00:00:00+00:00"
    cursor.save(SweepState("2026-03-01T00:00:00+00:00", list(MODULES), since, phase="listing", full_since=began))

    assert status == audited(monkeypatch, capsys, stack, "--as-of-sweep")[0]
