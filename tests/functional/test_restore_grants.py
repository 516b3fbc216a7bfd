"""What a restore may do at Zoho, for how long, and what is told of what was left; the notes of drills."""

import os
import signal
import subprocess
import sys
import time
from datetime import UTC, datetime, timedelta
from functools import partial
from pathlib import Path

import pytest

from bigin_archive.network.transport import session
from bigin_archive.settings import DataCenter
from bigin_archive.token.oauth import GrantError, request_grant, revoke
from operate.connect.zoho import CLIENT_ID, CLIENT_SECRET, CODE
from operate.doctor.restore import RestoreDoctor
from operate.errors import OperateError
from operate.findings import look
from operate.restore.grant import granted, scope_line
from operate.restore.notes import RestoreNotes
from tests.archived import Archive
from tests.aws import Aws
from tests.bigin import PROJECT, Simulator
from tests.functional.test_operate_restore import RECORD, operators_archive, record_of
from tests.functional.test_operate_stack import deploy

MODULES = ("Contacts", "Notes")
VALUES = {CLIENT_ID: "test", CLIENT_SECRET: "test", CODE: "a-code"}


@pytest.fixture
def archive(aws: Aws, bigin: Simulator) -> Archive:
    return Archive(aws, bigin)


@pytest.fixture
def hosts(bigin: Simulator) -> DataCenter:
    return DataCenter(bigin.url, bigin.url)


def grants(bigin: Simulator) -> int:
    return int(bigin.control("GET", "tokens")["refresh_tokens"])


def doctor(archive: Archive, hosts: DataCenter) -> dict[str, tuple[str, str]]:
    checks = RestoreDoctor(operators_archive(archive, hosts)).checks()
    return {found.name: (found.state.value, found.detail) for found in look(checks)}


@pytest.mark.parametrize(
    ("scope", "missing"),
    [
        (scope_line(MODULES), ""),
        ("ZohoBigin.modules.ALL,ZohoBigin.modules.attachments.ALL", ""),
        ("ZohoBigin.modules.contacts.ALL ZohoBigin.modules.notes.READ ZohoBigin.modules.notes.WRITE "
         "ZohoBigin.modules.attachments.READ ZohoBigin.modules.attachments.CREATE", ""),
        (scope_line(("Contacts",)), "ZohoBigin.modules.notes.READ, ZohoBigin.modules.notes.CREATE"),
        ("ZohoBigin.modules.ALL ZohoBigin.modules.attachments.READ", "ZohoBigin.modules.attachments.CREATE"),
    ],
)  # fmt: skip
def test_the_scope_is_looked_at_before_anything_is_sent(
    archive: Archive, hosts: DataCenter, scope: str, missing: str
) -> None:
    """A missing scope is named before anything is sent, and the grant ends either way."""
    archive.bigin.control("POST", "codes", {"code": "a-code", "scope": scope})
    notes = RestoreNotes(operators_archive(archive, hosts))
    problem = ""
    try:
        with granted(session(1), hosts, VALUES, MODULES, notes):
            assert (2, 1) == (grants(archive.bigin), len(notes.open_grants()))
    except OperateError as error:
        problem = error.problem

    assert (f"The grant lacks {missing}. Nothing was sent." if missing else "") == problem
    assert (1, []) == (grants(archive.bigin), notes.open_grants())


def test_no_token_of_a_grant_lives_on(archive: Archive, hosts: DataCenter) -> None:
    """Zoho says that access tokens end with their refresh token; where they should not, they are ended as well."""
    archive.bigin.control("PATCH", "settings", {"access_outlives_refresh": True})
    archive.bigin.control("POST", "codes", {"code": "a-code", "scope": scope_line(MODULES)})
    living = archive.bigin.control("GET", "tokens")

    with granted(session(1), hosts, VALUES, MODULES, RestoreNotes(operators_archive(archive, hosts))):
        assert living != archive.bigin.control("GET", "tokens")

    assert living == archive.bigin.control("GET", "tokens")


def test_an_answer_that_cannot_be_used_grants_nothing_that_stays(bigin: Simulator, hosts: DataCenter) -> None:
    """Zoho names another data centre: what it granted counts all the same, and is revoked."""
    bigin.control("POST", "codes", {"code": "a-code"})
    bigin.control("PATCH", "settings", {"api_domain": "https://www.zohoapis.eu"})
    form = {"client_id": "test", "client_secret": "test", "code": "a-code", "grant_type": "authorization_code"}

    with pytest.raises(GrantError, match="another API host"):
        request_grant(session(1), hosts.accounts_url, hosts.api_url, form)

    assert 1 == grants(bigin)


def test_a_revocation_is_believed_only_with_zohos_word(bigin: Simulator, hosts: DataCenter) -> None:
    """Anything but its success means that the grant may still be there."""
    http = session(1)
    assert not revoke(http, hosts.accounts_url, "1000.nobody")
    bigin.answer(200, {"error": "invalid_code"}, call="revoke", times=2)
    assert not revoke(http, hosts.accounts_url, "test")
    bigin.fault({"kind": "reset-before-headers"}, call="revoke", times=1)
    assert not revoke(http, hosts.accounts_url, "test")  # it has ended with the first, whose answer was lost
    assert 0 == grants(bigin)


def test_an_exchange_without_an_answer_stays_noted(archive: Archive, hosts: DataCenter) -> None:
    """Zoho may have granted what nobody here knows."""
    archive.bigin.control("POST", "codes", {"code": "a-code"})
    archive.bigin.fault({"kind": "reset-before-headers"}, call="token")
    notes = RestoreNotes(operators_archive(archive, hosts))

    with (
        pytest.raises(OperateError, match="cannot be reached"),
        granted(session(1), hosts, VALUES, MODULES, notes),
    ):
        pass

    assert (2, 1) == (grants(archive.bigin), len(notes.open_grants()))


def test_the_doctor_tells_of_drills_and_grants(archive: Archive, hosts: DataCenter) -> None:
    """The doctor says when the last drill was, how it ended, and which grant is older than any run can be."""
    assert {"Restore drill": "unknown", "Restore grants": "ok"} == {
        name: state for name, (state, _) in doctor(archive, hosts).items()
    }
    days_ago = [datetime.now(UTC) - timedelta(days=days) for days in (12, 400)]
    recent, old = (RestoreNotes(operators_archive(archive, hosts), now=lambda at=at: at) for at in days_ago)  # type: ignore[misc]

    recent.note_drill("restored", "Contacts/1/2", "Contacts/1/3")
    assert ("ok", "12 days ago: restored") == doctor(archive, hosts)["Restore drill"]
    recent.note_drill("unconfirmed", "Contacts/1/2", "Contacts/1/3")
    assert "problem" == doctor(archive, hosts)["Restore drill"][0]
    old.note_drill("restored", "Contacts/1/2", "Contacts/1/3")
    assert ("unknown", "400 days ago: restored, which is long ago") == doctor(archive, hosts)["Restore drill"]
    old.open_grant()
    assert ("problem", "1 were left by killed runs.") == doctor(archive, hosts)["Restore grants"]


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM, signal.SIGKILL])
def test_whoever_ends_the_process_ends_the_grant(archive: Archive, number: signal.Signals) -> None:
    """Ctrl-C and SIGTERM revoke the grant; after SIGKILL it is reported. The list of processes shows no secret."""
    archive.empty_bigin()
    record_of(archive, 1)
    archive.bigin.control("POST", "codes", {"code": "a-code", "scope": scope_line(("Contacts",))})
    archive.bigin.fault({"kind": "delay", "seconds": 600}, call="list")
    environment = {
        **os.environ,
        **archive.aws.environment,
        "PYTHONPATH": str(Path(PROJECT, "functions")),
        "BIGIN_CLIENT_ID": "test",
        "BIGIN_CLIENT_SECRET": "test",
        "BIGIN_GRANT_CODE": "a-code",
    }

    arguments = ["-m", "operate", "restore", "--stack", deploy(archive.aws), "--record", RECORD, "--yes"]
    # A shell lets a job in the background ignore Ctrl-C, which is inherited.
    heeded = partial(signal.signal, signal.SIGINT, signal.SIG_DFL)
    with subprocess.Popen(
        [sys.executable, *arguments],
        cwd=PROJECT,
        env=environment,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        preexec_fn=heeded,
    ) as process:
        ends_at = time.monotonic() + 60
        while not archive.bigin.calls()["by_call"].get("list"):
            assert process.poll() is None, process.stdout and process.stdout.read()
            assert time.monotonic() < ends_at
        shown = Path(f"/proc/{process.pid}/cmdline").read_text()
        assert "a-code" not in shown
        process.send_signal(number)
        printed = process.communicate(timeout=60)[0].decode()

    notes = RestoreNotes(operators_archive(archive, DataCenter(archive.bigin.url, archive.bigin.url)))
    if number is signal.SIGKILL:
        assert (2, 1) == (grants(archive.bigin), len(notes.open_grants()))
    else:
        assert (130, 1, []) == (process.returncode, grants(archive.bigin), notes.open_grants()), printed
        assert "Stopped." in printed
        assert "not_tried" in printed
