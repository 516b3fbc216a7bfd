"""`bigin-archive sweep --dry-run` and `bigin-archive status`: what they tell of an account and of its archive."""

import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Sequence
from functools import partial
from pathlib import Path
from typing import Any

import pytest
from botocore import handlers
from botocore.exceptions import EndpointConnectionError

from bigin_archive import clock
from bigin_archive.bigin.credit_meter import CreditMeter, Usage
from bigin_archive.errors import StorageRefusedError, StorageUnavailableError
from bigin_archive.ledger.credit_usage import HOUR_S, CreditUsage
from bigin_archive.storage.inventory import Inventory
from bigin_archive.sweep.credit_budget import CreditBudget
from bigin_archive.sweep.sweep import SweepRequest
from operate.cli import main
from operate.commands import sweep
from operate.commands.options import MODULE
from operate.stack.aws import Account as AwsAccount
from operate.stack.credit_limit import limited
from operate.stack.stack import find
from tests.account import Account
from tests.aws import Aws
from tests.bigin import Simulator
from tests.functional.test_operate_stack import deploy, run
from tests.functional.test_sweep import listed_by, many

pytestmark = pytest.mark.in_memory

ROOT = Path(__file__).parents[2]
WAYS = pytest.mark.parametrize("way", ["records", "all"])


@WAYS
def test_a_dry_run_tells_what_the_sweep_then_takes(
    aws: Aws, bigin: Simulator, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], way: str
) -> None:
    """Credits, files and bytes are those of the sweep that follows; nothing is queued before."""
    listed_by(bigin, way)
    many(bigin, 12, 2)
    stack = deploy(aws)

    code = run(monkeypatch, "sweep", "--stack", stack, "--dry-run", "--json")

    expected = json.loads(capsys.readouterr().out)
    assert (0, 0) == (code, len(aws.messages(aws.queue_url)))
    bigin.control("DELETE", "calls")
    state = Account(aws, bigin).sweep()
    assert (expected["unknown"], expected["unknown_bytes"]) == (state.queued, state.bytes_queued) == (24, 24)
    assert expected["credits"] == bigin.calls()["credits_used"]


def test_a_dry_run_and_the_sweep_have_one_rule(
    aws: Aws, bigin: Simulator, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """A file whose message can still be worked on is not downloaded again; one whose message is too old is."""
    many(bigin, 3)
    account, stack = Account(aws, bigin), deploy(aws)
    account.slice(SweepRequest(by_record=True))
    row = {"record": {"S": "Contacts/5001"}, "attachment_id": {"S": "10007"}}

    def expected() -> int:
        capsys.readouterr()
        assert 0 == run(monkeypatch, "sweep", "--stack", stack, "--dry-run", "--by-record", "--json")
        found: int = json.loads(capsys.readouterr().out)["unknown"]
        return found

    waiting = expected()
    aws.dynamodb.update_item(
        TableName=aws.ledger_table,
        Key=row,
        UpdateExpression="SET queued_at = :old",
        ExpressionAttributeValues={":old": {"S": clock.iso(time.time() - 15 * 86400)}},
    )
    one_too_old = expected()
    account.sweep()  # the end of the first one
    account.clock.now_s += 86400

    assert (0, 1, 0) == (waiting, one_too_old, account.sweep(SweepRequest(by_record=True)).queued)


def test_a_dry_run_enters_its_credits(
    aws: Aws, bigin: Simulator, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """Its credits count towards the share. With few records it lists all of them, and the figures are exact."""
    many(bigin, 12, 2)

    assert 0 == run(monkeypatch, "sweep", "--stack", deploy(aws), "--dry-run", "--by-record")

    used = bigin.calls()["credits_used"]
    assert used == CreditUsage(aws.dynamodb, aws.ledger_table).used().used
    printed = capsys.readouterr().out
    assert "12 records, all listed: 24 attachments." in printed
    assert "24 files, 24 bytes" in printed


@pytest.mark.parametrize("command", [("sweep", "--dry-run"), ("audit",)])
def test_credits_are_entered_at_the_time_of_aws(
    aws: Aws, bigin: Simulator, monkeypatch: pytest.MonkeyPatch, command: tuple[str, ...]
) -> None:
    """Credits are entered by AWS's clock, also on a machine whose clock is two hours ahead."""
    many(bigin, 2)
    aws_time = clock.iso(time.time() - 2 * HOUR_S)
    monkeypatch.setattr(Inventory, "now", lambda _: aws_time)

    run(monkeypatch, *command, "--stack", deploy(aws))

    usage = CreditUsage(aws.dynamodb, aws.ledger_table)
    assert (0, bigin.calls()["credits_used"]) == (usage.used(HOUR_S).used, usage.used().used)


@pytest.mark.parametrize("error", [StorageUnavailableError("down"), StorageRefusedError("not allowed")])
def test_without_the_time_of_aws_the_machine_s_own_counts(
    aws: Aws, bigin: Simulator, monkeypatch: pytest.MonkeyPatch, error: Exception
) -> None:
    """A dry run needs no right to S3."""

    def fail(_: Inventory) -> str:
        raise error

    many(bigin, 2)
    monkeypatch.setattr(Inventory, "now", fail)

    assert 0 == run(monkeypatch, "sweep", "--stack", deploy(aws), "--dry-run")
    assert bigin.calls()["credits_used"] == CreditUsage(aws.dynamodb, aws.ledger_table).used(HOUR_S).used


def test_one_empty_answer_makes_no_estimate_of_nothing(
    aws: Aws, bigin: Simulator, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """The list of all had entries a moment ago, so it is read again."""
    listed_by(bigin, "all")
    many(bigin, 4)
    bigin.answer(204, call="records", skip=1, times=1)

    assert 0 == run(monkeypatch, "sweep", "--stack", deploy(aws), "--dry-run", "--json")

    assert 4 == json.loads(capsys.readouterr().out)["unknown"]


@pytest.mark.processes
def test_an_audit_that_is_stopped_enters_its_credits(aws: Aws, bigin: Simulator) -> None:
    """Ctrl-C while Bigin lists the files of a record: the calls until then count towards the share."""
    many(bigin, 2)
    stack = deploy(aws)
    bigin.fault({"kind": "delay", "seconds": 600}, call="list")
    environment = {**os.environ, **aws.environment, "PYTHONPATH": str(ROOT / "functions")}
    # A shell lets a job in the background ignore Ctrl-C, which is inherited.
    heeded = partial(signal.signal, signal.SIGINT, signal.SIG_DFL)
    command = [sys.executable, "-m", "operate", "audit", "--by-record", "--stack", stack]
    with subprocess.Popen(command, cwd=ROOT, env=environment, stderr=subprocess.PIPE, preexec_fn=heeded) as process:
        ends_at = time.monotonic() + 60
        while not bigin.calls()["by_call"].get("list"):
            assert process.poll() is None, process.stderr and process.stderr.read()
            assert time.monotonic() < ends_at
        process.send_signal(signal.SIGINT)
        process.communicate(timeout=60)

    used = CreditUsage(aws.dynamodb, aws.ledger_table).used().used
    assert (130, True) == (process.returncode, 0 < used <= bigin.calls()["credits_used"] + 1)


def test_one_failed_read_does_not_make_the_credits_none(aws: Aws) -> None:
    """After one failed read the command reads the credits again, or it would spend the hour's part twice."""
    stack = find(AwsAccount(None, None), deploy(aws))
    CreditUsage(aws.dynamodb, aws.ledger_table).add(Usage(5))
    looks: list[int] = []

    def first_fails(**_: object) -> None:
        looks.append(1)
        if len(looks) == 1:
            raise EndpointConnectionError(endpoint_url="https://sqs.example")

    aws.sqs.meta.events.register("before-call.sqs.GetQueueAttributes", first_fails)
    left = limited(CreditMeter(), stack, aws.dynamodb, aws.sqs, time.time).renew()
    free = CreditBudget(stack.daily_credits, stack.share_percent).allowance(0, 0, 0, None)

    assert (2, free - 5) == (len(looks), left)


@pytest.mark.parametrize("command", [("audit",), ("sweep", "--dry-run")], ids=" ".join)
def test_where_nobody_knows_what_was_used_nothing_is_used(
    aws: Aws,
    bigin: Simulator,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
    command: Sequence[str],
) -> None:
    """A command that cannot read the credits ends, and says so."""
    stack = deploy(aws)

    def fails(params: dict[str, Any], **_: object) -> None:
        if "#credits" in str(params):
            raise EndpointConnectionError(endpoint_url="https://dynamodb.example")

    monkeypatch.setattr(
        "botocore.handlers.BUILTIN_HANDLERS",
        [("before-call.dynamodb.Query", fails), *handlers.BUILTIN_HANDLERS],
    )
    before = bigin.calls()["total"]

    code = run(monkeypatch, *command, "--stack", stack)

    assert (1, before) == (code, bigin.calls()["total"])
    shown = capsys.readouterr()
    assert ("ledger cannot be used" in shown.out + shown.err, "Waiting" in shown.err) == (True, False)


def test_a_dry_run_without_enough_credits_says_what_to_do(
    aws: Aws, bigin: Simulator, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """Other than a sweep it does not go on by itself."""
    many(bigin, 120)
    stack = deploy(aws)
    CreditUsage(aws.dynamodb, aws.ledger_table).add(Usage(3125 - 20))

    code = run(monkeypatch, "sweep", "--stack", stack, "--dry-run", "--by-record")

    assert (1, 20) == (code, bigin.calls()["credits_used"])
    shown = capsys.readouterr().err
    assert ("raise CreditsSharePercent" in shown, "by itself" in shown) == (True, False)


def test_a_dry_run_of_many_records_is_a_sample(
    aws: Aws, bigin: Simulator, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """It looks into fifty records, and says so; what that cost is missing from the sweep's share."""
    many(bigin, 120)

    code = run(monkeypatch, "sweep", "--stack", deploy(aws), "--dry-run", "--by-record")

    assert 0 == code
    assert 63 == bigin.calls()["credits_used"] == CreditUsage(aws.dynamodb, aws.ledger_table).used().used
    assert "120 records, 50 of them listed: about 120 attachments." in capsys.readouterr().out


def test_the_status_tells_what_became_of_the_account(
    aws: Aws, bigin: Simulator, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """Sweep, states, parked ones by reason, and the credits used and left."""
    many(bigin, 5, 2)
    refusal = {"code": "NO_PERMISSION", "status": "error", "message": "m", "details": {}}
    bigin.answer(403, refusal, times=2)
    state = Account(aws, bigin).sweep()
    stack = deploy(aws, DailyCredits="50000", CreditsSharePercent="50")
    capsys.readouterr()

    code = run(monkeypatch, "status", "--stack", stack, "--json")

    status = json.loads(capsys.readouterr().out)
    assert (0, "done", "partial") == (code, status["sweep"]["phase"], status["sweep"]["result"])
    assert ({"archived": 8, "parked": 2}, {"bigin_refused": 2}) == (status["attachments"], status["parked"])
    assert 2 == status["dead_letters"]
    used = bigin.calls()["credits_used"]
    assert {"used_24h": used, "share": 25_000, "left": 25_000 - used, "remaining_of_account": None} == status["credits"]
    assert state.is_done


def test_what_is_not_complete_names_its_report(
    aws: Aws, bigin: Simulator, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """A status that is not complete names its report. Sizes are in the units of audit and find."""
    many(bigin, 2, 1)
    bigin.answer(403, {"code": "NO_PERMISSION", "status": "error", "message": "m", "details": {}})
    Account(aws, bigin).sweep()
    stack = deploy(aws)
    capsys.readouterr()

    assert 0 == run(monkeypatch, "status", "--stack", stack)

    printed = capsys.readouterr().out
    assert f"s3://{aws.bucket}/bigin/_audit/latest.html" in printed
    assert f"bigin-archive audit --stack {stack}" in printed
    assert "(2 bytes), 0 links" in printed


def test_who_stops_watching_is_told_that_the_sweep_goes_on(
    aws: Aws, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """Ctrl-C ends only the display, and the command says so."""

    def interrupted(*_: object) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr(sweep.sweeping, "begin", lambda *_: None)
    monkeypatch.setattr(sweep.sweeping, "follow", interrupted)
    stack = deploy(aws)

    assert 130 == run(monkeypatch, "sweep", "--stack", stack, "--watch")

    printed = capsys.readouterr().err
    assert "The sweep continues" in printed
    assert f"bigin-archive status --stack {stack}" in printed


@pytest.mark.parametrize(
    ("options", "problem"),
    [
        (("--since", "yesterday"), "'yesterday' is not a day. Write for example 2026-01-31."),
        (("--since", "2026-13-01"), "'2026-13-01' is not a day. Write for example 2026-01-31."),
        (("--module", "Deals"), "'Deals' is not one of 'Contacts'"),
    ],
    ids=lambda value: " ".join(value) if isinstance(value, tuple) else "",
)
def test_options_are_refused_in_plain_words(
    capsys: pytest.CaptureFixture[str], options: tuple[str, ...], problem: str
) -> None:
    """A wrong option is explained without any format of a programming language."""
    assert 2 == main(["sweep", *options])
    printed = capsys.readouterr().err
    assert problem in printed
    assert "%" not in printed


def test_modules_have_the_names_of_a_request() -> None:
    """Bigin's screens say companies, its API says accounts."""
    assert "Accounts" == MODULE.convert("Companies", None, None)


def test_the_status_of_a_new_stack_names_the_next_step(
    aws: Aws, bigin: Simulator, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """Before the first sweep the status names only the command that begins it."""
    assert 0 == run(monkeypatch, "status", "--stack", deploy(aws))
    assert "none yet: bigin-archive sweep" in capsys.readouterr().out


def test_a_sweep_is_followed_by_the_clock_of_its_function(
    aws: Aws, bigin: Simulator, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """A machine whose clock is ahead sees the end of a short sweep, and takes no earlier one for it."""
    many(bigin, 2)
    account = Account(aws, bigin)
    account.clock.now_s -= 3600
    earlier = account.sweep()
    account.clock.now_s += 60

    def invoke(functions: object, name: str, event: dict[str, object]) -> None:
        assert "start" in event, "the sweep was waited for after its end"
        account.sweep()

    monkeypatch.setattr("operate.sweep.progress._invoke", invoke)
    stack = deploy(aws)
    capsys.readouterr()

    assert 0 == run(monkeypatch, "sweep", "--stack", stack, "--watch", "--json")

    assert earlier.started_at < json.loads(capsys.readouterr().out)["sweep"]["started_at"]
