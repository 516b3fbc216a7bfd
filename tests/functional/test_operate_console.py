"""`bigin-archive console`: served on this machine, and who may sign in to the deployed one."""

import json
import os
import re
import secrets
import signal
import subprocess
import sys
from functools import partial
from pathlib import Path

import pytest
import requests

from tests.aws import Aws
from tests.functional.test_operate_fleet import report
from tests.functional.test_operate_stack import deploy, run

URL = "https://archive.example/console"
ROOT = Path(__file__).parents[2]


@pytest.fixture
def stack(aws: Aws) -> str:
    """A stack whose console is deployed; its name."""
    pool = aws.client("cognito-idp").create_user_pool(PoolName="users", UsernameAttributes=["email"])["UserPool"]["Id"]
    plain = aws.client("cloudformation").describe_stacks(StackName=deploy(aws))["Stacks"][0]["Outputs"]
    outputs = {found["OutputKey"]: found["OutputValue"] for found in plain}
    return deploy(aws, {**outputs, "ConsoleUrl": URL, "ConsoleUserPoolId": pool})


def new_address() -> str:
    return f"anna-{secrets.token_hex(4)}@example.com"


def test_people_are_invited_listed_and_removed(
    stack: str, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """Each command says what it did; the address of the page is told, since the mail does not hold it."""
    email = new_address()

    assert run(monkeypatch, "console", "invite", email, "--stack", stack) == 0
    invited = capsys.readouterr().out
    assert run(monkeypatch, "console", "invite", email, "--stack", stack) == 0
    again = capsys.readouterr().out
    assert run(monkeypatch, "console", "list", "--stack", stack, "--json") == 0
    listed = json.loads(capsys.readouterr().out)
    assert run(monkeypatch, "console", "remove", email, "--stack", stack) == 0
    assert run(monkeypatch, "console", "list", "--stack", stack) == 0
    empty = capsys.readouterr().out

    assert "is invited" in invited
    assert URL in invited
    assert "another temporary password" in again
    assert listed["console_url"] == URL
    assert [(email, False, True)] == [
        (one["email"], one["has_signed_in"], one["is_enabled"]) for one in listed["users"]
    ]
    assert "Nobody is invited" in empty


@pytest.mark.parametrize(
    ("arguments", "status", "words"),
    [
        (["remove", "nobody@example.com"], 1, "not a user"),
        (["invite", "no address"], 2, "does not accept this as an e-mail address"),
        (["--port", "1", "list"], 2, "Write the options after list"),
    ],
    ids=["unknown", "no address", "misplaced"],
)
def test_mistakes_are_explained(
    stack: str,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
    arguments: list[str],
    status: int,
    words: str,
) -> None:
    """Each mistake gets a sentence that says what to do."""
    assert run(monkeypatch, "console", *arguments, "--stack", stack) == status
    assert words in capsys.readouterr().err


def test_a_stack_without_it_says_how_to_get_it(
    aws: Aws, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """The command names both ways: deploy the console, or serve it here."""
    assert run(monkeypatch, "console", "list", "--stack", deploy(aws)) == 1
    printed = capsys.readouterr().err
    assert "Console=ON" in printed
    assert "bigin-archive console" in printed


def test_it_is_served_until_it_is_stopped(aws: Aws, stack: str) -> None:
    """The printed address opens the page; its key opens the data below the stack's prefix; Ctrl-C is status 0."""
    report(aws)
    environment = {**os.environ, **aws.environment, "PYTHONPATH": str(ROOT / "functions")}
    command = [sys.executable, "-m", "operate", "console", "--no-browser", "--stack", stack]
    # A shell lets a job in the background ignore Ctrl-C, which is inherited.
    heeded = partial(signal.signal, signal.SIGINT, signal.SIG_DFL)
    with subprocess.Popen(
        command, cwd=ROOT, env=environment, stdout=subprocess.PIPE, text=True, preexec_fn=heeded
    ) as process:
        assert process.stdout
        found = re.search(r"(http://127\.0\.0\.1:\d+/console)#key=(\S+)", process.stdout.readline())
        assert found
        with requests.Session() as http:
            http.trust_env = False
            page = http.get(found[1], timeout=20)
            data = http.get(f"{found[1]}/status", headers={"Authorization": f"Bearer {found[2]}"}, timeout=20)
            without = http.get(f"{found[1]}/status", timeout=20)
        process.send_signal(signal.SIGINT)
        process.stdout.read()
        status = process.wait(20)

    assert (page.status_code, data.status_code, without.status_code, status) == (200, 200, 401, 0)
    assert data.json()["verdict"] == "complete"
