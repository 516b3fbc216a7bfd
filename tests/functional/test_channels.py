"""Notification channels: enabled, renewed, verified; and every failure is reported."""

import json
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
import requests

from bigin_archive.settings import RENEW_CHANNELS, SettingsError
from tests.aws import Aws
from tests.bigin import TOKEN, Simulator
from tests.lambdas import Context, load

pytestmark = pytest.mark.in_memory

SECRET = "s3cret-of-forty-characters-0123456789abc"
URL = "https://abc123.execute-api.eu-west-1.amazonaws.com/v1/webhooks/bigin"
MODULES = ("Contacts", "Pipelines")
ERROR = {"status": "error", "message": "m", "details": {}}


@pytest.fixture
def watching(aws: Aws, monkeypatch: pytest.MonkeyPatch) -> Aws:
    """The environment of a stack that watches two modules."""
    aws.put_secret(aws.webhook_secret_id, {"webhook_secret": SECRET})
    monkeypatch.setenv("WATCH_MODULES", ",".join(MODULES))
    return aws


def renew(url: object = URL) -> dict[str, Any]:
    answer: dict[str, Any] = load("receive_webhook").handler({RENEW_CHANNELS: url}, Context(20))
    return answer


def listed(bigin: Simulator) -> list[dict[str, Any]]:
    answer = requests.get(
        f"{bigin.url}/bigin/v2/actions/watch", headers={"Authorization": f"Zoho-oauthtoken {TOKEN}"}, timeout=20
    )
    found: list[dict[str, Any]] = answer.json()["watch"] if answer.status_code == 200 else []
    return found


def lines(capsys: pytest.CaptureFixture[str]) -> list[dict[str, Any]]:
    return [json.loads(line) for line in capsys.readouterr().out.splitlines()]


def test_channels_are_enabled(watching: Aws, bigin: Simulator) -> None:
    """One channel for each module: created and edited records, for almost a day, with the webhook secret."""
    answer = renew()
    credits_used = bigin.calls()["credits_used"]

    found = listed(bigin)
    expiries = [datetime.fromisoformat(channel["channel_expiry"]) for channel in found]
    assert ("renewed", MODULES, ()) == (answer["status"], answer["alive"], answer["dead"])
    assert [["Contacts.create", "Contacts.edit"], ["Pipelines.create", "Pipelines.edit"]] == [
        channel["events"] for channel in found
    ]
    assert {(URL, SECRET)} == {(channel["notify_url"], channel["token"]) for channel in found}
    assert all(timedelta(hours=23) < expiry - datetime.now(UTC) < timedelta(hours=24) for expiry in expiries)
    assert all(len(channel["channel_id"]) == 15 and channel["channel_id"].isdigit() for channel in found)
    assert 2 == credits_used


def test_a_renewal_makes_no_second_channel(watching: Aws, bigin: Simulator) -> None:
    """The ids are the same each time; another stack has others."""
    renew()
    first = listed(bigin)
    bigin.control("PATCH", "settings", {"channel_lifetime_s": 7200})

    assert "renewed" == renew()["status"]

    assert [channel["channel_id"] for channel in first] == [channel["channel_id"] for channel in listed(bigin)]
    assert [channel["channel_expiry"] for channel in first] != [channel["channel_expiry"] for channel in listed(bigin)]
    renew(URL.replace("abc123", "abc124"))
    assert 4 == len({channel["channel_id"] for channel in listed(bigin)})


def test_a_channel_that_died_is_enabled_again(watching: Aws, bigin: Simulator) -> None:
    """A channel that Bigin no longer has is enabled again by the next renewal."""
    renew()
    ids = ",".join(channel["channel_id"] for channel in listed(bigin))
    requests.delete(
        f"{bigin.url}/bigin/v2/actions/watch",
        params={"channel_ids": ids},
        headers={"Authorization": f"Zoho-oauthtoken {TOKEN}"},
        timeout=20,
    )
    assert [] == listed(bigin)

    assert "renewed" == renew()["status"]

    assert 2 == len(listed(bigin))


def test_a_rotated_secret_is_told_to_bigin(watching: Aws, bigin: Simulator) -> None:
    """Bigin gets the current secret, never the previous one."""
    renew()
    watching.put_secret(watching.webhook_secret_id, {"webhook_secret": "another"})

    renew()

    assert {"another"} == {channel["token"] for channel in listed(bigin)}


def test_a_channel_that_will_not_live_is_dead(
    watching: Aws, bigin: Simulator, capsys: pytest.CaptureFixture[str]
) -> None:
    """A channel that ends before the next renewal counts as dead: one log line, no secret in it."""
    bigin.control("PATCH", "settings", {"channel_lifetime_s": 600})

    answer = renew()

    logged = lines(capsys)
    assert ("failed", (), MODULES, "channel_dead") == tuple(answer[k] for k in ("status", "alive", "dead", "code"))
    assert ["channels_failed"] == [line["outcome"] for line in logged if "outcome" in line]
    assert SECRET not in json.dumps([logged, answer])
    assert TOKEN not in json.dumps([logged, answer])


def test_a_scheduled_renewal_that_fails_is_an_error(watching: Aws, bigin: Simulator) -> None:
    """Lambda counts it, and the alarm stands on that count; who asks by hand gets an answer."""
    event = {RENEW_CHANNELS: URL, "scheduled": True}
    handler = load("receive_webhook").handler
    assert "renewed" == handler(event, Context(20))["status"]
    bigin.control("PATCH", "settings", {"channel_lifetime_s": 600})

    assert "failed" == renew()["status"]
    with pytest.raises(Exception, match="No channel for Contacts") as caught:
        handler(event, Context(20))

    assert SECRET not in str(caught.value)


def test_what_is_refused_in_part_is_told(watching: Aws, bigin: Simulator) -> None:
    """After a 207 one module lives, and the other is named with Bigin's code."""
    renew()
    ids = [channel["channel_id"] for channel in listed(bigin)]
    requests.delete(
        f"{bigin.url}/bigin/v2/actions/watch",
        params={"channel_ids": ids[1]},
        headers={"Authorization": f"Zoho-oauthtoken {TOKEN}"},
        timeout=20,
    )
    results = [
        {"code": "SUCCESS", "status": "success", "message": "m", "details": {}},
        {"code": "NOT_SUBSCRIBED", **ERROR},
    ]
    bigin.answer(207, {"watch": results}, call="other")

    answer = renew()

    assert (("Contacts",), ("Pipelines",)) == (answer["alive"], answer["dead"])
    assert "Pipelines (NOT_SUBSCRIBED)" in answer["detail"]


@pytest.mark.parametrize(
    ("status", "body"),
    [
        (400, {"watch": [{"code": "INVALID_DATA", **ERROR}] * 2}),
        (400, {"code": "INVALID_DATA", **ERROR}),
    ],
)
def test_what_is_refused_as_a_whole_is_told(watching: Aws, bigin: Simulator, status: int, body: Any) -> None:
    """After a 400 both modules are dead, with Bigin's code."""
    bigin.answer(status, body, call="other")

    answer = renew()

    assert ("failed", MODULES) == (answer["status"], answer["dead"])
    assert "Contacts (INVALID_DATA), Pipelines (INVALID_DATA)" in answer["detail"]


@pytest.mark.parametrize("status", [401, 403])
@pytest.mark.parametrize("skip", [0, 1])
def test_a_missing_scope_is_explained(watching: Aws, bigin: Simulator, status: int, skip: int) -> None:
    """The scope that only notifications need is named, with the way to grant it."""
    bigin.answer(status, {"code": "OAUTH_SCOPE_MISMATCH", **ERROR}, call="other", skip=skip, times=None)

    answer = renew()

    assert ("failed", MODULES, "bigin_scope_missing") == (answer["status"], answer["dead"], answer["code"])
    assert "ZohoBigin.notifications.ALL" in answer["detail"]


def test_a_refused_token_is_read_once_more(watching: Aws, bigin: Simulator) -> None:
    """A newer token in the secret is used; the call is repeated once."""
    handler = load("receive_webhook").handler
    handler({RENEW_CHANNELS: URL}, Context(20))
    bigin.control("DELETE", "tokens")
    bigin.control("POST", "tokens", {"token": "newer"})
    watching.store_token("newer")
    bigin.control("DELETE", "calls")

    assert "renewed" == handler({RENEW_CHANNELS: URL}, Context(20))["status"]

    assert 3 == bigin.calls()["total"]


def test_a_dead_token_is_told(watching: Aws, bigin: Simulator) -> None:
    """Without a newer token the renewal fails after one call."""
    bigin.control("DELETE", "tokens")

    answer = renew()

    assert ("failed", "bigin_token_rejected") == (answer["status"], answer["code"])
    assert "bigin-archive authorize" in answer["detail"]
    assert 1 == bigin.calls()["total"]


@pytest.mark.parametrize(
    ("status", "body", "code"),
    [
        (429, {"code": "TOO_MANY_REQUESTS", **ERROR}, "bigin_rate_limited"),
        (500, {"code": "INTERNAL_ERROR", **ERROR}, "bigin_unavailable"),
        (502, "<html>bad gateway</html>", "bigin_unavailable"),
        (201, "<html>log in</html>", "bigin_unavailable"),
        (201, "[]", "bigin_unavailable"),
        (302, "", "bigin_unavailable"),
        (403, {"code": "NO_PERMISSION", **ERROR}, "bigin_refused"),
    ],
)
def test_a_sick_bigin_is_told(watching: Aws, bigin: Simulator, status: int, body: Any, code: str) -> None:
    """Every failure is an answer and a metric, not an exception: the next run comes within the hour."""
    bigin.answer(status, body, {"Location": "http://127.0.0.1:1/"}, call="other", times=None)

    answer = renew()

    assert ("failed", MODULES, code) == (answer["status"], answer["dead"], answer["code"])


@pytest.mark.processes
def test_a_bigin_that_stalls_ends_with_the_function(watching: Aws, bigin: Simulator) -> None:
    """No call outlives the time of the function."""
    bigin.fault({"kind": "stall", "seconds": 30, "phase": "before-headers"}, call="other")

    answer = load("receive_webhook").handler({RENEW_CHANNELS: URL}, Context(4))

    assert "failed" == answer["status"]


@pytest.mark.parametrize("secret", [{}, {"webhook_secret": ""}, {"webhook_secret": "x" * 51}])
def test_a_secret_that_bigin_cannot_hold_is_told(watching: Aws, bigin: Simulator, secret: dict[str, str]) -> None:
    """No channel is ever enabled without a secret."""
    watching.put_secret(watching.webhook_secret_id, secret)

    answer = renew()

    assert ("failed", "invalid_request") == (answer["status"], answer["code"])
    assert "1 to 50 characters" in answer["detail"]
    assert 0 == bigin.calls()["total"]


@pytest.mark.parametrize(
    "url",
    [
        None,
        True,
        "",
        "http://abc123.execute-api.eu-west-1.amazonaws.com/v1/webhooks/bigin",
        "https://example.com/v1/webhooks/bigin",
        "https://abc123.execute-api.eu-west-1.amazonaws.com.example.com/v1",
        "https://user@abc123.execute-api.eu-west-1.amazonaws.com/v1",
        f"{URL}\n",
    ],
)
def test_the_secret_is_told_for_an_api_of_aws_alone(watching: Aws, bigin: Simulator, url: object) -> None:
    """Whoever may invoke the function cannot have the secret sent elsewhere."""
    answer = renew(url)

    assert ("failed", "invalid_request") == (answer["status"], answer["code"])
    assert 0 == bigin.calls()["total"]


def test_a_webhook_never_leads_to_a_call_of_bigin(watching: Aws, bigin: Simulator) -> None:
    """A webhook leads to no call of Bigin, whatever its body asks for."""
    body = json.dumps({RENEW_CHANNELS: URL, "module": "Contacts", "id": "1", "token": SECRET})

    answer = load("receive_webhook").handler({"headers": {}, "body": body}, Context(20))

    assert 202 == answer["statusCode"]
    assert 0 == bigin.calls()["total"]


def test_a_stack_that_watches_nothing_renews_nothing(aws: Aws, bigin: Simulator) -> None:
    """Its receiver starts without the settings of channels, and says what is missing if asked to renew."""
    with pytest.raises(SettingsError, match="WATCH_MODULES"):
        renew()

    assert 0 == bigin.calls()["total"]


@pytest.mark.parametrize("operation", ["update", "delete"])
def test_a_notification_leaves_its_channel_in_the_log(
    watching: Aws, capsys: pytest.CaptureFixture[str], operation: str
) -> None:
    """A notification leaves its channel's id in the log, so that the last one is known; no other text is logged."""
    handler = load("receive_webhook").handler
    for channel_id in ("123456789012345", "1" * 21, "x", None):
        body = {"module": "Contacts", "ids": ["1"], "operation": operation, "channel_id": channel_id, "token": SECRET}
        handler({"headers": {}, "body": json.dumps(body)}, Context(20))
    handler({"headers": {}, "body": json.dumps({"channel_id": "999", "token": "wrong"})}, Context(20))

    ids = [line.get("channel_id") for line in lines(capsys) if "outcome" in line]

    assert ["123456789012345", None, None, None, None] == ids
