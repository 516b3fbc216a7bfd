"""`authorize`: each mistake that a person makes is explained, secrets stay hidden, and a failure stores nothing."""

import io
import json
import os
import pty
import re
import select
import subprocess
import sys
import time
import uuid
import zipfile
from collections.abc import Callable, Sequence
from datetime import UTC, datetime
from typing import Any

import pytest

from bigin_archive.archive_request import MODULES
from tests.aws import Aws
from tests.bigin import PROJECT, TOKEN, Simulator
from tests.functional.test_operate_stack import deploy, run
from tests.lambdas import Context, load

pytestmark = pytest.mark.in_memory

CODE = "1000.c0de"
SECRETS = {"BIGIN_CLIENT_SECRET": "test", "BIGIN_GRANT_CODE": CODE}
OLD = {"client_id": "old", "client_secret": "old", "refresh_token": "old"}
ERROR = {"status": "error", "message": "m", "details": {}}


def stored(aws: Aws) -> tuple[Any, Any]:
    """Both secrets: credentials, access token; None where nothing is stored."""
    return _stored(aws, aws.credentials_secret_id), _stored(aws, aws.token_secret_id)


def _stored(aws: Aws, secret_id: str) -> Any:
    try:  # the emulator answers without a value, AWS refuses
        return json.loads(aws.secrets.get_secret_value(SecretId=secret_id).get("SecretString") or "null")
    except aws.secrets.exceptions.ResourceNotFoundException:
        return None


def add_code(bigin: Simulator, code: str = CODE, **more: Any) -> None:
    bigin.control("POST", "codes", {"code": code, **more})


def give(monkeypatch: pytest.MonkeyPatch, **values: str) -> None:
    for name, value in {"BIGIN_CLIENT_ID": "test", **SECRETS, **values}.items():
        monkeypatch.setenv(name, value)


def test_a_script_connects_by_environment(
    aws: Aws, bigin: Simulator, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """With all values in the environment the stack is connected without a question, and no secret is printed."""
    stack = deploy(aws)
    add_code(bigin)
    give(monkeypatch, BIGIN_CLIENT_SECRET="test")

    status = run(monkeypatch, "authorize", "--stack", stack)

    credentials, token = stored(aws)
    printed = "".join(capsys.readouterr())
    assert 0 == status, printed
    assert {"client_id": "test", "client_secret": "test"}.items() <= credentials.items()
    assert bigin.url == token["api_domain"]
    assert datetime.fromisoformat(token["expires_at"]) > datetime.now(UTC)
    for secret in (CODE, credentials["refresh_token"], token["access_token"]):
        assert secret not in printed
    assert "is connected to Bigin" in printed


def test_a_script_connects_by_stdin(aws: Aws, bigin: Simulator, monkeypatch: pytest.MonkeyPatch) -> None:
    """What no option and no variable gives is read from stdin, a line each."""
    stack = deploy(aws)
    add_code(bigin)

    assert 0 == run(monkeypatch, "authorize", "--stack", stack, stdin=f"test\n test \n{CODE}\n")

    assert "test" == stored(aws)[0]["client_secret"]


@pytest.mark.parametrize(
    ("values", "status", "message"),
    [
        ({"BIGIN_CLIENT_ID": ""}, 2, "client id is missing"),
        ({"BIGIN_CLIENT_SECRET": ""}, 2, "client secret is missing"),
        ({"BIGIN_GRANT_CODE": ""}, 2, "code is missing"),
        ({"BIGIN_GRANT_CODE": "two words"}, 2, "That is not a code"),
        ({"BIGIN_CLIENT_ID": "wrong"}, 1, "another data centre"),
        ({"BIGIN_CLIENT_SECRET": "wrong"}, 1, "client secret is wrong"),
        ({"BIGIN_CLIENT_SECRET": f"1000.{'a' * 32}.{'b' * 32}"}, 1, "looks like a client id or a code"),
        ({"BIGIN_CLIENT_ID": f"1000.{'a' * 32}.{'b' * 32}"}, 1, "client id looks like a code"),
        ({"BIGIN_GRANT_CODE": f"1000.{'A' * 30}"}, 1, "code looks like a client id"),
        ({"BIGIN_GRANT_CODE": "1000.unknown"}, 1, "has expired, was used before"),
    ],
)
def test_a_wrong_value_is_explained_and_stores_nothing(
    aws: Aws,
    bigin: Simulator,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
    values: dict[str, str],
    status: int,
    message: str,
) -> None:
    """Each value that is missing or wrong has its own sentence; what was stored stays; no value is repeated."""
    stack = deploy(aws)
    aws.put_secret(aws.credentials_secret_id, OLD)
    before = stored(aws)
    add_code(bigin)
    give(monkeypatch, **values)

    assert status == run(monkeypatch, "authorize", "--stack", stack)

    answer = capsys.readouterr()
    assert message in answer.err
    assert before == stored(aws)
    for value in (*SECRETS.values(), *values.values()):
        if len(value) > 8:
            assert value not in answer.out + answer.err


def test_an_expired_code_and_a_used_code_are_explained(
    aws: Aws, bigin: Simulator, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """A code lives some minutes and works once."""
    stack = deploy(aws)
    give(monkeypatch)
    add_code(bigin, lifetime_s=-1)
    assert 1 == run(monkeypatch, "authorize", "--stack", stack)

    add_code(bigin)
    assert 0 == run(monkeypatch, "authorize", "--stack", stack)
    before = stored(aws)
    assert 1 == run(monkeypatch, "authorize", "--stack", stack)

    assert 2 == capsys.readouterr().err.count("has expired, was used before")
    assert before == stored(aws)


@pytest.mark.parametrize(
    ("status", "body", "message"),
    [
        (400, {"error": "Access Denied", "error_description": "too many", "status": "failure"}, "too many requests"),
        (200, {"error": "invalid_client_secret"}, "client secret is wrong"),
        (200, {"error": "something_new"}, "Zoho refuses (something_new)"),
        (200, {"access_token": "s3cret-token", "expires_in": 3600}, "no refresh token"),
        (
            200,
            {"access_token": "s3cret-token", "refresh_token": "r", "api_domain": "https://www.zohoapis.eu"},
            "another data centre",
        ),
        (200, "<html>sign in</html>", "no usable answer"),
        (502, "", "no usable answer"),
    ],
)
def test_what_zoho_says_is_explained_and_stores_nothing(
    aws: Aws,
    bigin: Simulator,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
    status: int,
    body: Any,
    message: str,
) -> None:
    """Every refusal of the accounts server has its sentence; what was stored stays."""
    stack = deploy(aws)
    give(monkeypatch)
    before = stored(aws)
    bigin.answer(status, body, call="token")

    assert 1 == run(monkeypatch, "authorize", "--stack", stack)

    answer = capsys.readouterr()
    assert message in answer.err
    assert "s3cret-token" not in answer.out + answer.err
    assert before == stored(aws)


@pytest.mark.parametrize(
    ("call", "status", "body", "message"),
    [
        ("records", 401, {"code": "OAUTH_SCOPE_MISMATCH", **ERROR}, "scope ZohoBigin.modules.contacts.READ is missing"),
        ("list", 403, {"code": "OAUTH_SCOPE_MISMATCH", **ERROR}, "ZohoBigin.modules.attachments.READ is missing"),
        ("records", 400, {"code": "INVALID_MODULE", **ERROR}, "tab is hidden"),
        ("list", 403, {"code": "NO_PERMISSION", **ERROR}, "administrator of Bigin"),
        ("records", 401, {"code": "INVALID_TOKEN", **ERROR}, "Bigin refuses the token"),
        ("records", 429, {"code": "TOO_MANY_REQUESTS", **ERROR}, "API limit is reached"),
        ("records", 503, "", "A web page came in place"),
        ("records", 200, "<html>proxy</html>", "A web page came in place"),
        ("records", 404, "", "does not exist"),
    ],
)
def test_a_token_that_cannot_do_is_explained_and_stores_nothing(
    aws: Aws,
    bigin: Simulator,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
    call: str,
    status: int,
    body: Any,
    message: str,
) -> None:
    """Before anything is stored the token is tried; what it lacks is named."""
    stack = deploy(aws)
    add_code(bigin)
    give(monkeypatch)
    before = stored(aws)
    bigin.answer(status, body, call=call)

    assert 1 == run(monkeypatch, "authorize", "--stack", stack)

    assert message in capsys.readouterr().err
    assert before == stored(aws)


@pytest.mark.processes
@pytest.mark.parametrize("call", ["token", "records"])
def test_a_lost_connection_is_explained_and_stores_nothing(
    aws: Aws, bigin: Simulator, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], call: str
) -> None:
    """Neither half of the conversation may hang or leave something behind when the network fails."""
    stack = deploy(aws)
    add_code(bigin)
    give(monkeypatch)
    before = stored(aws)
    bigin.fault({"kind": "reset-before-headers"}, call=call)

    assert 1 == run(monkeypatch, "authorize", "--stack", stack)

    assert "cannot be reached" in capsys.readouterr().err
    assert before == stored(aws)


def test_an_empty_bigin_needs_the_scope_by_name(
    aws: Aws, bigin: Simulator, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """Without any record nothing shows whether attachments may be listed, so that Zoho's own list of scopes decides."""
    stack = deploy(aws)
    give(monkeypatch)
    answer = {"access_token": TOKEN, "refresh_token": "r", "scope": "ZohoBigin.modules.ALL"}
    bigin.answer(204, call="records", times=None)
    bigin.answer(200, answer, call="token")
    assert 1 == run(monkeypatch, "authorize", "--stack", stack)
    assert "ZohoBigin.modules.attachments.READ is missing" in capsys.readouterr().err

    answer["scope"] = "ZohoBigin.modules.ALL,ZohoBigin.modules.attachments.READ"
    bigin.answer(200, answer, call="token")
    assert 0 == run(monkeypatch, "authorize", "--stack", stack)
    assert "r" == stored(aws)[0]["refresh_token"]


def test_modules_can_be_left_out(aws: Aws, bigin: Simulator, monkeypatch: pytest.MonkeyPatch) -> None:
    """With --module only those named are tried."""
    stack = deploy(aws)
    add_code(bigin)
    give(monkeypatch)

    assert 0 == run(monkeypatch, "authorize", "--stack", stack, "--module", "Contacts", "--module", "Notes")

    paths = {entry["path"] for entry in bigin.calls()["log"] if entry["path"].startswith("/bigin/")}
    assert {"/bigin/v2/Contacts", "/bigin/v2/Notes"} == {path for path in paths if "Attachments" not in path}


@pytest.mark.processes
def test_what_cannot_be_stored_is_explained(
    aws: Aws, bigin: Simulator, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """A secret that is gone is told; the old token stays in use."""
    stack = deploy(aws)
    add_code(bigin)
    give(monkeypatch)
    before = stored(aws)[1]
    aws.secrets.delete_secret(SecretId=aws.credentials_secret_id, ForceDeleteWithoutRecovery=True)

    assert 1 == run(monkeypatch, "authorize", "--stack", stack)

    assert "Could not store the credentials" in capsys.readouterr().err
    assert before == json.loads(aws.secrets.get_secret_value(SecretId=aws.token_secret_id)["SecretString"])


def test_an_interruption_between_the_two_secrets_is_mended_by_the_stack(
    aws: Aws, bigin: Simulator, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """Credentials come first: the old token stays in use, and the next renewal uses the new credentials."""
    stack = deploy(aws)
    add_code(bigin)
    give(monkeypatch)
    before = stored(aws)[1]

    def interrupted(*_: Any) -> str:
        raise KeyboardInterrupt

    with monkeypatch.context() as now:
        now.setattr("operate.connect.secrets.store", interrupted)
        assert 130 == run(monkeypatch, "authorize", "--stack", stack)

    assert "Stopped while storing" in capsys.readouterr().err
    assert before == stored(aws)[1]
    assert "refreshed" == load("refresh_token").handler({}, Context(60))["status"]
    assert before != stored(aws)[1]


def test_a_bare_access_token_is_stored_with_its_end(
    aws: Aws, bigin: Simulator, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """A token without credentials works until it expires, and the person is told when that is."""
    stack = deploy(aws)
    bigin.control("POST", "tokens", {"token": "1000.bare", "lifetime_s": 1800})
    monkeypatch.setenv("BIGIN_ACCESS_TOKEN", "1000.bare")

    assert 0 == run(monkeypatch, "authorize", "--stack", stack, "--access-token-only")

    credentials, token = stored(aws)
    printed = "".join(capsys.readouterr())
    assert None is credentials
    assert "1000.bare" == token["access_token"]
    assert 1700 < (datetime.fromisoformat(token["expires_at"]) - datetime.now(UTC)).total_seconds() <= 1800
    assert re.search(r"It expires at .* in 29 minutes; nothing renews it", printed)
    assert "1000.bare" not in printed


def test_a_bare_access_token_that_bigin_refuses_is_not_stored(
    aws: Aws, bigin: Simulator, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """An expired token is refused before it is stored."""
    stack = deploy(aws)
    before = stored(aws)
    monkeypatch.setenv("BIGIN_ACCESS_TOKEN", "1000.expired")

    assert 1 == run(monkeypatch, "authorize", "--stack", stack, "--access-token-only")

    assert "Bigin refuses the token" in capsys.readouterr().err
    assert before == stored(aws)


@pytest.mark.parametrize(
    ("call", "message"),
    [
        ("records", "Contacts: the scope ZohoBigin.modules.contacts.READ is missing"),
        ("list", "Contacts: the scope ZohoBigin.modules.attachments.READ is missing"),
    ],
)
def test_a_bare_access_token_that_cannot_read_everything_is_not_stored(
    aws: Aws,
    bigin: Simulator,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
    call: str,
    message: str,
) -> None:
    """A token that lacks a scope is refused before it is stored, and the scope is named."""
    stack = deploy(aws)
    before = stored(aws)
    monkeypatch.setenv("BIGIN_ACCESS_TOKEN", TOKEN)
    bigin.answer(401, {"code": "OAUTH_SCOPE_MISMATCH", **ERROR}, call=call)

    assert 1 == run(monkeypatch, "authorize", "--stack", stack, "--access-token-only")

    assert message in capsys.readouterr().err
    assert before == stored(aws)


# ---- --check ---------------------------------------------------------------------------------------------------------


def checked(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], stack: str) -> tuple[int, Any]:
    capsys.readouterr()
    status = run(monkeypatch, "authorize", "--stack", stack, "--check", "--json")
    return status, json.loads(capsys.readouterr().out)


def test_check_tells_that_all_is_fine(
    aws: Aws, bigin: Simulator, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """After a connection every module can be read; nothing is renewed for that."""
    stack = deploy(aws)
    add_code(bigin)
    give(monkeypatch)
    assert 0 == run(monkeypatch, "authorize", "--stack", stack)
    exchanges = sum(entry["call"] == "token" for entry in bigin.calls()["log"])

    status, report = checked(monkeypatch, capsys, stack)
    human = run(monkeypatch, "authorize", "--stack", stack, "--check")

    printed = capsys.readouterr().out
    assert (0, 0) == (status, human)
    assert (True, True) == (report["fine"], report["credentials_stored"])
    assert set(MODULES) == set(report["modules"])
    assert all(module["records"]["works"] for module in report["modules"].values())
    assert exchanges == sum(entry["call"] == "token" for entry in bigin.calls()["log"])
    assert "All fine" in printed
    assert stored(aws)[1]["access_token"] not in printed + json.dumps(report)


def test_check_tells_that_nothing_is_stored(
    aws: Aws, bigin: Simulator, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """A stack that was never connected says how to connect it."""
    stack = deploy(aws)
    aws.put_secret(aws.token_secret_id, "{}")

    status, report = checked(monkeypatch, capsys, stack)
    run(monkeypatch, "authorize", "--stack", stack, "--check")

    assert (1, False) == (status, report["credentials_stored"])
    assert not report["token"]["stored"]
    assert f"authorize --stack {stack}" in capsys.readouterr().err
    assert 0 == bigin.calls()["total"]


@pytest.mark.parametrize(
    ("stored_token", "fault", "message"),
    [
        ("1000.expired", None, "Bigin refuses the token"),
        (TOKEN, (429, {"code": "TOO_MANY_REQUESTS", **ERROR}), "API limit"),
        (TOKEN, (401, {"code": "OAUTH_SCOPE_MISMATCH", **ERROR}), "contacts.READ is missing"),
    ],
)
def test_check_tells_what_is_missing(
    aws: Aws,
    bigin: Simulator,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
    stored_token: str,
    fault: tuple[int, Any] | None,
    message: str,
) -> None:
    """A token that is refused, a limit and a missing scope are told apart, with status 1."""
    stack = deploy(aws)
    aws.put_secret(aws.credentials_secret_id, OLD)
    aws.store_token(stored_token)
    if fault:
        bigin.answer(*fault, call="records", times=1)

    status, report = checked(monkeypatch, capsys, stack)

    assert (1, False) == (status, report["fine"])
    assert message in json.dumps(report)


@pytest.mark.processes
def test_check_renews_only_on_request_and_tells_how_it_went(
    aws: Aws, bigin: Simulator, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """--renew invokes the stack's refresh function; a function that is not there is explained."""
    stack = deploy(aws)
    aws.put_secret(aws.credentials_secret_id, OLD)

    assert 0 == run(monkeypatch, "authorize", "--stack", stack, "--check")
    assert 1 == run(monkeypatch, "authorize", "--stack", stack, "--check", "--renew")

    assert "Could not invoke the refresh function" in capsys.readouterr().err


@pytest.mark.processes
@pytest.mark.parametrize(
    ("answer", "status", "message"),
    [
        ({"status": "refreshed", "detail": "The access token is renewed."}, 0, "is renewed"),
        ({"status": "failed", "code": "invalid_code", "detail": "Zoho does not accept it."}, 1, "does not accept"),
        (None, 1, "The refresh function failed"),
    ],
)
def test_a_renewal_is_told_in_the_function_s_own_words(
    aws: Aws,
    bigin: Simulator,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
    answer: dict[str, str] | None,
    status: int,
    message: str,
) -> None:
    """Renewed, refused, or the function itself failed: each shows, and decides the exit status."""
    name = f"refresh-{uuid.uuid4().hex[:8]}"
    package = io.BytesIO()
    with zipfile.ZipFile(package, "w") as archive:
        archive.writestr("function.py", f"def handler(event, context):\n    return {answer!r}\n")
    trust = {"Effect": "Allow", "Principal": {"Service": "lambda.amazonaws.com"}, "Action": "sts:AssumeRole"}
    policy = json.dumps({"Version": "2012-10-17", "Statement": [trust]})
    role = aws.client("iam").create_role(RoleName=name, AssumeRolePolicyDocument=policy)["Role"]["Arn"]
    aws.client("lambda").create_function(
        FunctionName=name,
        Runtime="python3.11",
        Handler="function.handler",
        Role=role,
        Code={"ZipFile": package.getvalue()},
    )
    aws.put_secret(aws.credentials_secret_id, OLD)
    stack = deploy(aws, function=name)

    assert status == run(monkeypatch, "authorize", "--stack", stack, "--check", "--renew")

    assert message in "".join(capsys.readouterr())


# ---- with a person at a terminal -------------------------------------------------------------------------------------


CTRL_C = "\x03"
Answer = str | Callable[[], str]


def converse(arguments: Sequence[str], answers: Sequence[tuple[str, Answer]], seconds: float = 60) -> tuple[int, str]:
    """Run the command on a terminal of its own: wait for each prompt in turn, then type; exit status and screen."""
    leader, follower = pty.openpty()
    process = subprocess.Popen(
        [sys.executable, "-m", "operate", *arguments],
        cwd=PROJECT,
        env={**os.environ, "TERM": "xterm", "NO_COLOR": "1", "COLUMNS": "200"},
        stdin=follower,
        stdout=follower,
        stderr=follower,
        start_new_session=True,
        # The terminal becomes the session's own, which hidden prompts open by name.
        preexec_fn=lambda: os.close(os.open(os.ttyname(0), os.O_RDWR)),
    )
    os.close(follower)
    screen, read_to, waiting, last = b"", 0, list(answers), ""
    end = time.monotonic() + seconds
    try:
        while time.monotonic() < end:
            if not select.select([leader], [], [], 1)[0]:
                if last == CTRL_C:  # one that comes just before the prompt waits is noticed with the next key
                    os.write(leader, CTRL_C.encode())
                continue
            try:
                block = os.read(leader, 65536)
            except OSError:  # Linux: the other side is closed
                break
            screen += block
            if waiting and (at := screen.find(waiting[0][0].encode(), read_to)) >= 0:
                read_to = at + len(waiting[0][0])
                answer = waiting.pop(0)[1]
                last = answer if isinstance(answer, str) else answer()
                os.write(leader, last.encode())
        return process.wait(timeout=20), screen.decode()
    finally:
        process.kill()
        process.wait()
        os.close(leader)


@pytest.mark.processes
def test_a_person_is_led_through_every_mistake(aws: Aws, bigin: Simulator) -> None:
    """A wrong secret and an old code are asked for again, the rest is not; nothing typed hidden is on the screen."""
    stack = deploy(aws)
    add_code(bigin, "1000.second")

    status, screen = converse(
        ["authorize", "--stack", stack],
        [
            ("Client id: ", "two words\n"),
            ("Client id: ", "test\n"),
            ("Client secret (hidden as you paste): ", "wr0ng-secret\n"),
            ("Code (hidden as you paste): ", "1000.first\n"),
            ("Client id: ", "test\n"),
            ("Client secret (hidden as you paste): ", "test\n"),
            ("Code (hidden as you paste): ", "1000.second\n"),
        ],
    )

    assert 0 == status, screen
    assert "That is not a client id" in screen
    assert screen.index("another data centre") < screen.index("has expired, was used before")
    assert "is connected to Bigin" in screen
    for secret in ("wr0ng-secret", "1000.first", "1000.second", stored(aws)[1]["access_token"]):
        assert secret not in screen


@pytest.mark.processes
def test_a_person_may_connect_without_what_is_missing(aws: Aws, bigin: Simulator) -> None:
    """What the token lacks is shown before the question; no asks for a new code, yes stores."""
    stack = deploy(aws)
    for code in ("1000.one", "1000.two"):
        add_code(bigin, code)
    # Contacts are asked for first, and again with the second code.
    for skip in (0, 1):
        bigin.answer(401, {"code": "OAUTH_SCOPE_MISMATCH", **ERROR}, call="records", skip=skip)

    status, screen = converse(
        ["authorize", "--stack", stack, "--module", "Contacts", "--module", "Notes", "--client-id", "test"],
        [
            ("Client secret (hidden as you paste): ", "test\n"),
            ("Code (hidden as you paste): ", "1000.one\n"),
            ("without the missing parts? [y/N]: ", "\n"),
            ("Code (hidden as you paste): ", "1000.two\n"),
            ("without the missing parts? [y/N]: ", "y\n"),
        ],
    )

    assert 0 == status, screen
    assert 2 == screen.count("Contacts: the scope ZohoBigin.modules.contacts.READ is missing")
    assert "test" == stored(aws)[0]["client_secret"]


@pytest.mark.processes
def test_a_person_may_mend_what_hinders_the_storing(aws: Aws, bigin: Simulator) -> None:
    """A code works once, so that the connection is held until the secret can be written."""
    stack = deploy(aws)
    add_code(bigin)
    aws.secrets.delete_secret(SecretId=aws.credentials_secret_id)

    def restore() -> str:
        aws.secrets.restore_secret(SecretId=aws.credentials_secret_id)
        return "y\n"

    status, screen = converse(
        ["authorize", "--stack", stack, "--client-id", "test"],
        [("secret (hidden as you paste): ", "test\n"), ("Code (hidden", f"{CODE}\n"), ("again? [Y/n]: ", restore)],
    )

    assert 0 == status, screen
    assert "Could not store the credentials" in screen
    assert "test" == stored(aws)[0]["client_secret"]


@pytest.mark.processes
def test_ctrl_c_stores_nothing(aws: Aws, bigin: Simulator) -> None:
    """An interruption at a prompt is no traceback, and leaves what was stored."""
    stack = deploy(aws)
    before = stored(aws)

    status, screen = converse(["authorize", "--stack", stack], [("Client id: ", "test\n"), ("secret", CTRL_C)])

    assert 130 == status, screen
    assert "Nothing was stored" in screen
    assert "Traceback" not in screen
    assert before == stored(aws)
