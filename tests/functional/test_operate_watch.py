"""`watch`: the channels of a stack, their owner, their end, and when each last announced something."""

import json
import time
import uuid
from typing import Any

import pytest
import requests

from bigin_archive.bigin import notification_channels
from bigin_archive.settings import RENEW_CHANNELS
from tests.aws import Aws
from tests.bigin import TOKEN, Simulator
from tests.functional.test_operate_stack import API_URL, RECEIVER_LOGS, deploy, run
from tests.lambdas import Context, load

URL = f"{API_URL}/webhooks/bigin"
MODULES = ("Contacts", "Pipelines")
IDS = [notification_channels.channel_id(URL, module) for module in MODULES]


@pytest.fixture
def stack(aws: Aws, monkeypatch: pytest.MonkeyPatch) -> str:
    """A stack that watches two modules, its log group empty; its name."""
    aws.put_secret(aws.webhook_secret_id, {"webhook_secret": "s3cret"})
    monkeypatch.setenv("WATCH_MODULES", ",".join(MODULES))
    logs = aws.client("logs")
    if logs.describe_log_groups(logGroupNamePrefix=RECEIVER_LOGS)["logGroups"]:
        logs.delete_log_group(logGroupName=RECEIVER_LOGS)
    logs.create_log_group(logGroupName=RECEIVER_LOGS)
    return deploy(aws, WatchModules=",".join(MODULES))


def renew() -> None:
    assert "renewed" == load("receive_webhook").handler({RENEW_CHANNELS: URL}, Context(20))["status"]


def log(aws: Aws, *events: tuple[float, str]) -> None:
    """Lines of the receiver: so many seconds ago, from this channel."""
    logs, stream = aws.client("logs"), uuid.uuid4().hex
    logs.create_log_stream(logGroupName=RECEIVER_LOGS, logStreamName=stream)
    logs.put_log_events(
        logGroupName=RECEIVER_LOGS,
        logStreamName=stream,
        logEvents=[
            {"timestamp": round((time.time() - ago_s) * 1000), "message": json.dumps({"channel_id": channel_id})}
            for ago_s, channel_id in sorted(events, reverse=True)
        ]
        + [{"timestamp": round(time.time() * 1000), "message": "END RequestId: channel_id"}],
    )


def shown(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], stack: str) -> tuple[int, Any]:
    """Exit status and the JSON printed."""
    capsys.readouterr()
    status = run(monkeypatch, "watch", "--stack", stack, "--json")
    return status, json.loads(capsys.readouterr().out)


def test_living_channels_are_shown(
    aws: Aws, bigin: Simulator, stack: str, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """The table has module, id, expiry and last event of each channel, and no secret; the status is 0."""
    renew()
    log(aws, (7500, IDS[0]), (90_000, IDS[0]), (60, "555"))

    assert 0 == run(monkeypatch, "watch", "--stack", stack)

    printed = "".join(capsys.readouterr())
    for text in (
        *MODULES,
        *IDS,
        "this stack's",
        "in 23 hours",
        "2 hours ago",
        "none in 7 days",
        "every watched module",
    ):
        assert text in printed
    assert "s3cret" not in printed
    assert TOKEN not in printed


def test_a_machine_reads_the_same(
    aws: Aws, bigin: Simulator, stack: str, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """--json prints one object."""
    renew()
    log(aws, (10, IDS[1]), (20, IDS[1]))

    status, report = shown(monkeypatch, capsys, stack)

    assert (0, True, True, None) == (status, report["fine"], report["last_events_known"], report["renewal"])
    assert [(*pair, True) for pair in zip(MODULES, IDS, strict=True)] == [
        (found["module"], found["channel_id"], found["alive"]) for found in report["channels"]
    ]
    assert [True, False] == [found["last_event_at"] is None for found in report["channels"]]
    assert all(found["expires_at"].endswith("+00:00") for found in report["channels"])


def test_a_missing_channel_is_status_1(
    bigin: Simulator, stack: str, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """Without channels the modules are named, with the way to renew."""
    assert 1 == run(monkeypatch, "watch", "--stack", stack)

    printed = capsys.readouterr()
    assert "There is no live channel for Contacts, Pipelines" in printed.err
    assert f"watch --stack {stack} --renew" in printed.err
    assert 2 == printed.out.count("not there")


def test_one_dead_channel_is_status_1(
    bigin: Simulator, stack: str, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """One dead channel of two is enough for status 1."""
    renew()
    requests.delete(
        f"{bigin.url}/bigin/v2/actions/watch",
        params={"channel_ids": IDS[0]},
        headers={"Authorization": f"Zoho-oauthtoken {TOKEN}"},
        timeout=20,
    )

    status, report = shown(monkeypatch, capsys, stack)

    assert (1, [False, True]) == (status, [found["alive"] for found in report["channels"]])


def test_channels_of_others_are_told_apart(
    bigin: Simulator, stack: str, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """A channel with another id, or with our id and another address, is not this stack's."""
    for channel_id in (IDS[0], "90210"):
        watch = {
            "channel_id": channel_id,
            "events": notification_channels.events("Contacts"),
            "notify_url": "https://x.example/",
        }
        requests.post(
            f"{bigin.url}/bigin/v2/actions/watch",
            json={"watch": [watch]},
            headers={"Authorization": f"Zoho-oauthtoken {TOKEN}"},
            timeout=20,
        )

    status, report = shown(monkeypatch, capsys, stack)

    assert 1 == status
    assert {IDS[0], "90210"} == {other["channel_id"] for other in report["others"]}
    assert [False, False] == [found["alive"] for found in report["channels"]]
    run(monkeypatch, "watch", "--stack", stack)
    assert 2 == capsys.readouterr().out.count("another's")


def test_a_log_that_cannot_be_read_is_unknown(
    aws: Aws, bigin: Simulator, stack: str, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """If the log cannot be read, the last event is unknown, and the rest is shown."""
    renew()
    aws.client("logs").delete_log_group(logGroupName=RECEIVER_LOGS)

    assert 0 == run(monkeypatch, "watch", "--stack", stack)
    assert 2 == capsys.readouterr().out.count("unknown")
    assert shown(monkeypatch, capsys, stack)[1]["last_events_known"] is False


@pytest.mark.parametrize(
    ("status", "body", "message"),
    [
        (401, {"code": "OAUTH_SCOPE_MISMATCH"}, "ZohoBigin.notifications.ALL"),
        (401, {"code": "INVALID_TOKEN"}, "bigin-archive authorize"),
        (429, {"code": "TOO_MANY_REQUESTS"}, "API limit"),
        (500, "", "Try again later"),
        (400, {"code": "INVALID_DATA"}, "INVALID_DATA"),
    ],
)
def test_a_bigin_that_refuses_is_explained(
    bigin: Simulator,
    stack: str,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
    status: int,
    body: Any,
    message: str,
) -> None:
    """If Bigin refuses, the command ends with status 1 and the remedy, without a table."""
    whole = {"status": "error", "message": "m", "details": {}, **body} if isinstance(body, dict) else body
    bigin.answer(status, whole, call="other", times=None)

    assert 1 == run(monkeypatch, "watch", "--stack", stack)

    answer = capsys.readouterr()
    assert message in answer.err
    assert "" == answer.out


def test_a_stack_that_watches_nothing_is_fine(
    aws: Aws, bigin: Simulator, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """Nothing is missing. The command says how to switch channels on; to renew them is wrong use."""
    name = deploy(aws)

    assert 0 == run(monkeypatch, "watch", "--stack", name)
    assert "WatchModules=" in capsys.readouterr().out
    assert 2 == run(monkeypatch, "watch", "--stack", name, "--renew")


def test_a_function_that_is_gone_is_explained(
    bigin: Simulator, stack: str, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """--renew tells that a resource of the stack is missing."""
    assert 1 == run(monkeypatch, "watch", "--stack", stack, "--renew")

    assert "Could not invoke the webhook receiver" in capsys.readouterr().err


@pytest.mark.parametrize("option", ["--notifications", ""])
def test_the_scope_line_has_the_scope_on_demand(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], option: str
) -> None:
    """Only a stack that watches modules needs it."""
    assert 0 == run(monkeypatch, "authorize", "--scopes", *([option] if option else []))

    assert bool(option) == capsys.readouterr().out.endswith(",ZohoBigin.notifications.ALL\n")


def test_a_stack_that_watches_is_connected_with_the_scope(
    stack: str, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """authorize asks for it without being told."""
    run(monkeypatch, "authorize", "--stack", stack)

    assert ",ZohoBigin.notifications.ALL\n" in capsys.readouterr().out


def test_a_stack_that_watches_is_connected(
    aws: Aws, bigin: Simulator, stack: str, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """The stack is connected only with a grant that holds the scope."""
    for scope, status in (("ZohoBigin.modules.ALL ZohoBigin.modules.attachments.READ", 1), (None, 0)):
        for name, value in {"CLIENT_ID": "test", "CLIENT_SECRET": "test", "GRANT_CODE": "1000.c0de"}.items():
            monkeypatch.setenv(f"BIGIN_{name}", value)
        bigin.control("POST", "codes", {"code": "1000.c0de"})
        if scope:
            grant = {"access_token": TOKEN, "refresh_token": "r", "expires_in": 3600, "scope": scope}
            bigin.answer(200, {**grant, "api_domain": bigin.url}, call="token")

        assert status == run(monkeypatch, "authorize", "--stack", stack)

        assert bool(scope) == ("ZohoBigin.notifications.ALL is missing" in capsys.readouterr().err)
