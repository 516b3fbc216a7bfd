"""`find`, `get` and `rebuild-ledger` as a person runs them."""

import io
import json
import sys
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from bigin_archive.audit.auditor import Listing
from bigin_archive.bigin.listing import Link
from bigin_archive.ledger.restored_copy import RestoredCopy
from bigin_archive.storage.link_shortcut import shortcut
from tests import planted
from tests.archived import Archive, content
from tests.aws import Aws
from tests.bigin import Simulator
from tests.functional.test_operate_stack import deploy, run

pytestmark = pytest.mark.in_memory


@pytest.fixture
def archive(aws: Aws, bigin: Simulator) -> Archive:
    """An empty archive."""
    return Archive(aws, bigin)


@pytest.fixture(autouse=True)
def cache(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Path:
    """Where the search index is kept: not among those of whoever runs the tests."""
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    return tmp_path / "cache"


@pytest.fixture
def stack(archive: Archive) -> str:
    """The stack of the archive; its name."""
    return deploy(archive.aws)


@pytest.mark.parametrize(
    ("options", "found"),
    [
        (["muller OFFER"], ["1"]),
        (["MÜLLER offer"], ["1"]),
        (["strasse"], ["3"]),
        (["7001"], ["3", "2", "1"]),
        (["pdf", "--module", "Contacts"], ["2", "1"]),
        (["pdf", "--since", "2026-02-01"], ["3", "2"]),
        (["pdf", "--since", "2026-02-01", "--until", "2026-02-28"], ["2"]),
        (["pdf", "--state", "parked"], ["2"]),
        (["[bold]"], []),
        (["offer invoice"], []),
    ],
    ids=lambda value: " ".join(value),
)
def test_words_find_attachments(
    archive: Archive,
    stack: str,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
    options: list[str],
    found: list[str],
) -> None:
    """Each word may be in any name or id, without capitals and accents. The newest come first; nothing is status 1."""
    for number, module, record, name, day, state in (
        ("1", "Contacts", "Mu\u0308ller & Sons", "Offer.pdf", "2026-01-31T23:59:00+03:00", "archived"),
        ("2", "Contacts", "Meier", "Invoice.pdf", "2026-02-28T00:00:00+03:00", "parked"),
        ("3", "Pipelines", "Hauptstraße 5", "Plan.pdf", "2026-03-01T10:00:00+03:00", "archived"),
    ):
        fields: dict[str, Any] = {"record_id": "7001", "attachment_id": number, "created_time": day, "state": state}
        archive.new(1, module=module, record_name=record, file_name=name, **fields)

    status = run(monkeypatch, "find", *options, "--stack", stack, "--json")

    printed = json.loads(capsys.readouterr().out)
    assert (0 if found else 1, found) == (status, [entry["attachment_id"] for entry in printed])


def test_what_the_last_audit_listed_is_found_without_the_ledger(
    archive: Archive, stack: str, cache: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """The index is fetched once, kept for its owner alone, and searched again while it is the same."""
    (entry,) = archive.new(1, record_name="Møller ApS", file_name="Produkt™ №5.pdf")
    archive.auditor.audit(Listing("2026-01-01T00:00:00+00:00"))
    archive.drop_row(entry)

    statuses = [run(monkeypatch, "find", "moller no5", "--stack", stack) for _ in range(2)]
    (kept,) = cache.rglob("*.columns")
    printed = capsys.readouterr().out

    assert statuses == [0, 0]
    assert printed.count(entry.attachment_id) >= 2
    assert "As of " in printed
    assert (kept.stat().st_mode & 0o777, kept.parent.stat().st_mode & 0o777) == (0o700, 0o700)
    assert run(monkeypatch, "find", "moller no5", "--now", "--stack", stack) == 1


def test_a_kept_index_that_is_damaged_is_fetched_again(
    archive: Archive, stack: str, cache: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A damaged copy of the index is downloaded again, so that nothing is missed."""
    archive.new(1, file_name="Offer.pdf")
    archive.auditor.audit(Listing("2026-01-01T00:00:00+00:00"))
    assert run(monkeypatch, "find", "offer", "--stack", stack) == 0
    for name in ("head.json", "names", "ids", "rest", "ends"):
        (kept,) = cache.rglob(f"*.columns/{name}")
        kept.write_bytes(kept.read_bytes()[:-1])

        assert run(monkeypatch, "find", "offer", "--stack", stack) == 0


def test_what_came_since_the_audit_is_found(
    archive: Archive, stack: str, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """A new file is found by a name that the index does not know, by its record, and with --now."""
    archive.new(1, file_name="Old offer.pdf", record_id="7", module="Accounts")
    archive.auditor.audit(Listing("2026-01-01T00:00:00+00:00"))
    (new,) = archive.new(1, file_name="New contract.pdf", record_id="7", module="Accounts")
    capsys.readouterr()

    for arguments in (["new contract"], ["Companies/7"], ["pdf", "--now"]):
        assert run(monkeypatch, "find", *arguments, "--stack", stack, "--json") == 0
        assert new.attachment_id in [entry["attachment_id"] for entry in json.loads(capsys.readouterr().out)]


def test_a_file_is_found_by_the_name_in_its_key(
    archive: Archive, stack: str, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """What was archived before any list told its name is known by the name that it was archived under."""
    (entry,) = archive.new(1, file_name="Order 17.pdf")
    archive.change_row(entry, file_name=None, record_name=None)

    assert run(monkeypatch, "find", "order 17", "--stack", stack, "--json") == 0


def test_what_is_found_is_shown(
    archive: Archive, stack: str, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """A result has the names as they are, even with control characters, size, day, id, and how to get it."""
    archive.new(1, file_name="a [red]b\x1b.pdf", attachment_id="911", record_name="Runa [x]")

    assert 0 == run(monkeypatch, "find", "runa", "--stack", stack)

    printed = capsys.readouterr().out
    for text in ("a [red]b?.pdf", "Runa [x]", "bytes", "2026-03-02", "911", f"get --stack {stack} 911"):
        assert text in printed
    assert "\x1b" not in printed


def test_what_get_needs_is_shown_whole(
    archive: Archive, stack: str, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """Ids as long as Bigin's stand in one piece, with a long name, and also in a narrow terminal."""
    long = {"module": "Pipelines", "record_id": "2034020000000489124", "file_name": "A very long name " * 9 + ".pdf"}
    archive.new(1, attachment_id="2034020000000711002", state="link", **long)

    for width in (80, 110):
        monkeypatch.setattr("operate.terminal.LOG_WIDTH", width)
        assert 0 == run(monkeypatch, "find", "long", "--stack", stack)
        table = capsys.readouterr().out.rpartition("└")[0]
        for text in ("2034020000000711002", "Pipelines/2034020000000489124", "2026-03-02", "bytes", "link"):
            assert text in table


def test_a_terminal_without_unicode_shows_the_rest(
    archive: Archive, stack: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """What it cannot show becomes a question mark, not a bug."""
    archive.new(1, file_name="東京 plan.pdf", attachment_id="911")
    written = io.BytesIO()
    monkeypatch.setattr("sys.stdout", io.TextIOWrapper(written, encoding="cp1252"))

    assert 0 == run(monkeypatch, "find", "plan", "--stack", stack)

    sys.stdout.flush()
    text = written.getvalue().decode("cp1252")
    assert "?? plan.pdf" in text
    assert "911" in text


def test_before_the_first_sweep_the_next_step_is_named(
    stack: str, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """If the ledger is empty, the command says so and names the next step."""
    assert 1 == run(monkeypatch, "find", "offer", "--stack", stack)

    printed = capsys.readouterr().err
    assert "The ledger is empty." in printed
    assert f"bigin-archive sweep --stack {stack}" in printed
    assert f"bigin-archive rebuild-ledger --stack {stack}" in printed


def test_files_come_back_with_their_names(
    archive: Archive, stack: str, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    """Bytes as archived, names as any system takes them; the same name twice are two files; nothing else is left."""
    names = ("Straße – 東京.pdf", 'a:b?"c".txt', "same.txt", "same.txt", "CON.txt", "..", ".hidden")
    made = [archive.new(1, file_name=name)[0] for name in names]

    assert 0 == run(monkeypatch, "get", "--stack", stack, "--to", str(tmp_path), *[one.attachment_id for one in made])

    expected = {
        "Straße – 東京.pdf": content(made[0]),
        "a_b__c_.txt": content(made[1]),
        "_CON.txt": content(made[4]),
        "attachment": content(made[5]),
        "_.hidden": content(made[6]),
    }
    there = {path.name: path.read_bytes() for path in tmp_path.iterdir()}
    assert expected == {name: there[name] for name in expected}
    twins = {name: body for name, body in there.items() if name.startswith("same")}
    assert {content(made[2]), content(made[3])} == set(twins.values())
    assert "same.txt" in twins
    assert len(names) == len(there)


def test_a_record_comes_as_a_folder(
    archive: Archive, stack: str, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    """The folder holds all files of the record and no other, also where the ledger is lost."""
    mine = archive.new(3, module="Accounts", record_id="12")
    archive.new(1, module="Accounts", record_id="123")
    archive.aws.dynamodb.delete_table(TableName=archive.aws.ledger_table)

    assert 0 == run(monkeypatch, "get", "--record", "Companies/12", "--stack", stack, "--to", str(tmp_path / "new"))

    folder = tmp_path / "new" / "Accounts 12"
    assert {entry.file_name: content(entry) for entry in mine} == {
        path.name: path.read_bytes() for path in folder.iterdir()
    }


def test_a_module_comes_as_folders_and_goes_on_where_it_stopped(
    archive: Archive, stack: str, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    """All files of its records come and no other. A lost one is named; what is there already is not read again."""
    mine = [entry for number in (41, 42, 43) for entry in archive.new(2, module="Events", record_id=str(number))]
    archive.new(1, module="Contacts", record_id="41")
    for without_row in mine[2:4]:
        archive.drop_row(without_row)
    get = ("get", "--module", "Events", "--stack", stack, "--to", str(tmp_path))

    assert 0 == run(monkeypatch, *get)
    assert {(f"Events {entry.record_id}", entry.file_name): content(entry) for entry in mine} == {
        (path.parent.name, path.name): path.read_bytes() for path in tmp_path.rglob("*.*")
    }

    stood = {path: path.stat().st_mtime_ns for path in tmp_path.rglob("*.*")}
    gone = next(path for path in stood if path.parent.name == "Events 42")
    gone.unlink()
    planted.plant(archive, [mine[5]], {"deleted": planted.ALL["object deleted"]})
    assert 1 == run(monkeypatch, *get)
    assert f"{mine[5].attachment_id}: no archived file" in capsys.readouterr().err
    assert {path for path in stood if path != gone} == {
        path for path in tmp_path.rglob("*.*") if path.stat().st_mtime_ns == stood[path]
    }
    assert gone.exists()
    assert 1 == run(monkeypatch, "get", "--module", "Tasks", "--stack", stack, "--to", str(tmp_path))


def test_a_record_has_what_was_sent_back_to_it(
    archive: Archive,
    stack: str,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
    tmp_path: Path,
) -> None:
    """A file that a restore brought from another record is one of its files; one of its own comes once."""
    own, elsewhere, lost = (archive.new(1, module="Contacts", record_id=record)[0] for record in ("31", "32", "33"))
    for number, entry in enumerate((own, elsewhere)):
        copy = replace(entry, record_id="31", attachment_id=f"990000{number}", restored_from=entry.request.place)
        RestoredCopy(copy).record_in(archive.ledger)
    get = ("get", "--record", "Contacts/31", "--stack", stack, "--to", str(tmp_path))

    assert 0 == run(monkeypatch, *get)

    folder = tmp_path / "Contacts 31"
    assert {entry.file_name: content(entry) for entry in (own, elsewhere)} == {
        path.name: path.read_bytes() for path in folder.iterdir()
    }

    RestoredCopy(
        replace(lost, record_id="31", attachment_id="9900009", restored_from=lost.request.place, key=f"{lost.key}.gone")
    ).record_in(archive.ledger)
    assert 1 == run(monkeypatch, *get)
    assert "9900009: no archived file" in capsys.readouterr().err


def test_no_local_file_is_overwritten(
    archive: Archive, stack: str, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    """The same bytes stay as they are, others get a name beside; to get twice changes nothing."""
    entry = archive.new(1, file_name="a.pdf")[0]
    (tmp_path / "a.pdf").write_bytes(b"mine")

    for _ in range(2):
        assert 0 == run(monkeypatch, "get", entry.attachment_id, "--stack", stack, "--to", str(tmp_path))

    assert {"a.pdf": b"mine", f"a ({entry.attachment_id}).pdf": content(entry)} == {
        path.name: path.read_bytes() for path in tmp_path.iterdir()
    }


def test_wrong_bytes_never_arrive(
    archive: Archive,
    stack: str,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
    tmp_path: Path,
) -> None:
    """An object that was swapped, one that is deleted, an id that nobody knows: status 1, the good one arrives."""
    good, swapped, deleted = archive.new(3)
    planted.plant(archive, [swapped], {"swapped": planted.ALL["object swapped"]})
    planted.plant(archive, [deleted], {"deleted": planted.ALL["object deleted"]})
    ids = [entry.attachment_id for entry in (swapped, deleted, good)]

    assert 1 == run(monkeypatch, "get", *ids, "424242", "--stack", stack, "--to", str(tmp_path))

    printed = capsys.readouterr().err
    assert [good.file_name] == [path.name for path in tmp_path.iterdir()]
    assert "the bytes are not the archived ones" in printed
    assert "424242: no archived file" in printed
    assert f"{deleted.attachment_id}: no archived file" in printed


def test_wrong_bytes_never_arrive_with_their_record(
    archive: Archive,
    stack: str,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
    tmp_path: Path,
) -> None:
    """S3 has a right checksum of a wrong object, too, so the ledger decides what was archived."""
    good, swapped = archive.new(2, module="Contacts", record_id="77")
    planted.plant(archive, [swapped], {"swapped": planted.ALL["object swapped"]})

    assert 1 == run(monkeypatch, "get", "--record", "Contacts/77", "--stack", stack, "--to", str(tmp_path))

    printed = capsys.readouterr()
    assert [good.file_name] == [path.name for path in (tmp_path / "Contacts 77").iterdir()]
    assert f"{swapped.attachment_id}: the bytes are not the archived ones" in printed.err
    assert f"1 of 2 is in {tmp_path / 'Contacts 77'}, verified." in printed.out


def test_a_file_without_a_name_gets_the_one_that_bigin_lists(
    archive: Archive, stack: str, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    """A download that named no file is kept as "attachment"; the ledger knows better."""
    entry = archive.new(1, file_name="", module="Contacts", record_id="78")[0]
    archive.change_row(entry, file_name="samples.zip")

    for options in ([entry.attachment_id], ["--record", "Contacts/78"]):
        assert 0 == run(monkeypatch, "get", *options, "--stack", stack, "--to", str(tmp_path))

    names = {str(path.relative_to(tmp_path)) for path in tmp_path.rglob("*") if path.is_file()}
    assert {"samples.zip", "Contacts 78/samples.zip"} == names


def test_a_folder_that_cannot_be_written_is_told_with_its_remedy(
    archive: Archive,
    stack: str,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
    tmp_path: Path,
) -> None:
    """If the folder cannot be written, the remedy is named, and no file is called verified."""
    entry = archive.new()[0]
    (tmp_path / "file").write_text("x")

    assert 1 == run(
        monkeypatch, "get", entry.attachment_id, "--stack", stack, "--to", str(tmp_path / "file" / "folder")
    )

    printed = capsys.readouterr()
    assert f"{entry.attachment_id}: it cannot be written here (Not a directory)." in printed.err
    assert "Name another folder with --to" in printed.err
    assert "verified" not in printed.out


@pytest.mark.parametrize("options", [[], ["--record", "Contacts"], ["--record", "Calls/5"]], ids=str)
def test_what_to_get_has_to_be_said(stack: str, monkeypatch: pytest.MonkeyPatch, options: list[str]) -> None:
    """Without an id or a record, or with a malformed record, the command is used wrongly."""
    assert 2 == run(monkeypatch, "get", *options, "--stack", stack)


def test_the_ledger_comes_back_from_s3(
    archive: Archive, stack: str, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """Files and links come back with names and checksums. Existing rows stay, and a dry run writes none."""
    lost = archive.new(120)
    kept = archive.new(2, record_name="Kept")
    link = archive.storage.put(*shortcut("bigin/", lost[0].request, Link("Wiki", "https://example.com/")))
    linked = archive.change_row(lost[0], state="link", key=link.key)
    archive.aws.s3.delete_object(Bucket=archive.aws.bucket, Key=lost[0].key)
    archive.aws.s3.put_object(Bucket=archive.aws.bucket, Key="bigin/notes.txt", Body=b"x")
    for entry in (linked, *lost[1:]):
        archive.drop_row(entry)
    command = ("rebuild-ledger", "--stack", stack, "--json")

    assert 0 == run(monkeypatch, *command, "--dry-run")
    planned = json.loads(capsys.readouterr().out)
    assert 2 == len(list(archive.ledger.entries()))
    assert 0 == run(monkeypatch, *command)
    done = json.loads(capsys.readouterr().out)
    assert 0 == run(monkeypatch, *command)
    again = json.loads(capsys.readouterr().out)

    assert (120, 120, 0) == (planned["restored"], done["restored"], again["restored"])
    assert (123, 2, 122, 1) == (done["objects"], done["known"], again["known"], done["strange"])
    rows = {entry.attachment_id: entry for entry in archive.ledger.entries()}
    assert kept[0] == rows[kept[0].attachment_id]
    assert ("link", "Wiki") == (rows[linked.attachment_id].state, rows[linked.attachment_id].file_name)
    for entry in lost[1:]:
        row = rows[entry.attachment_id]
        assert ("archived", entry.file_name) == (row.state, row.file_name)
        for name in ("module", "record_id", "key", "version_id", "size_bytes", "sha256"):
            assert getattr(entry, name) == getattr(row, name)
