"""Bigin's own events, on a deployed stack with notification channels: from the event to the object in S3."""

import json
import subprocess
import sys
from typing import Any
from urllib.parse import quote

import pytest

from bigin_archive.settings import RENEW_CHANNELS
from local.deployment import STACK_NAME
from local.stack import LocalStack
from tests.bigin import PROJECT, TOKEN, Simulator
from tests.deployed import Deployed

MODULES = ("Contacts", "Pipelines")


@pytest.fixture
def watched(watching: LocalStack) -> Deployed:
    """The deployed application; Bigin in its seeded state, without a channel."""
    made = Deployed(watching, Simulator(watching.description["bigin_api_url"]))
    made.bigin.reset()
    made.connect()
    return made


def operate(watched: Deployed, *arguments: str) -> tuple[int, Any]:
    """``bigin-archive watch``; its exit status and what it prints as JSON."""
    environment = {
        "AWS_ENDPOINT_URL": watched.description["aws_endpoint_url"],
        "AWS_CA_BUNDLE": watched.description["ca_bundle"],
        "AWS_ACCESS_KEY_ID": "test",
        "AWS_SECRET_ACCESS_KEY": "test",
        "AWS_REGION": watched.description["region"],
    }
    run = subprocess.run(
        [sys.executable, "-m", "operate", "watch", "--stack", STACK_NAME, "--json", *arguments],
        cwd=PROJECT,
        env=environment,
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    assert TOKEN not in run.stdout + run.stderr
    return run.returncode, json.loads(run.stdout or "null") or run.stderr


def scheduled(watched: Deployed) -> dict[str, Any]:
    """The schedule that renews the channels."""
    scheduler = watched.stack.client("scheduler")
    found = [scheduler.get_schedule(Name=one["Name"]) for one in scheduler.list_schedules()["Schedules"]]
    (schedule,) = [one for one in found if RENEW_CHANNELS in one["Target"].get("Input", "")]
    return dict(schedule)


def run_schedule(watched: Deployed) -> dict[str, Any]:
    """Run what the schedule runs, with its input: Lambda's answer."""
    target = scheduled(watched)["Target"]
    payload = target["Input"].encode()
    return dict(watched.stack.client("lambda").invoke(FunctionName=target["Arn"], Payload=payload))


def renew(watched: Deployed) -> dict[str, Any]:
    """A scheduled renewal that succeeds."""
    answer = run_schedule(watched)
    assert "FunctionError" not in answer
    renewal: dict[str, Any] = json.load(answer["Payload"])
    return renewal


def webhook(watched: Deployed, module: str, record_id: str, form: str) -> None:
    """A workflow rule of the simulator calls the stack."""
    stored = watched.secrets.get_secret_value(SecretId=watched.description["webhook_secret_id"])["SecretString"]
    secret = quote(json.loads(stored)["webhook_secret"], safe="")  # the emulator's has punctuation, that of AWS none
    url = f"{watched.description['api_url']}/webhooks/bigin?secret={secret}"
    watched.bigin.control(
        "POST", "webhooks", {"url": url, "as": form, "module": module, "record_id": record_id, "fields": {"x": ""}}
    )


def test_notes_contacts_and_deals_are_archived_without_any_other_action(watched: Deployed) -> None:
    """A note is archived through its webhook, a contact and a deal through their channels; ``watch`` then shows both
    events.
    """
    assert ("ENABLED", "renewed") == (scheduled(watched)["State"], renew(watched)["status"])
    for module in MODULES:
        watched.bigin.control("POST", "records", {"module": module, "record_id": "88001"})

    attached = [
        watched.bigin.add(f"{module} {number}".encode(), module=module, record_id="88001", file_name=f"{number}.txt")
        for module in ("Notes", *MODULES)
        for number in range(3)
    ]
    webhook(watched, "Notes", "88001", "form")

    watched.until(lambda: all(watched.objects(request) for request in attached))
    contents = [f"{module} {number}".encode() for module in ("Notes", *MODULES) for number in range(3)]
    assert [[content] for content in contents] == [watched.objects(request) for request in attached]
    found = watched.bigin.control("GET", "deliveries")
    assert (0, 9) == (found["undelivered"], found["delivered"])  # 2 new records, 6 edits, 1 webhook
    status, report = operate(watched)
    assert (0, []) == (status, report["others"])
    assert all(channel["last_event_at"] for channel in report["channels"])


@pytest.mark.parametrize("form", ["json", "form", "query", "multipart"])
def test_a_workflow_rule_archives_a_record(watched: Deployed, form: str) -> None:
    """A webhook in each format archives the record's attachments."""
    request = watched.bigin.add(form.encode(), module="Tasks", record_id="88010")

    webhook(watched, "Tasks", "88010", form)

    assert [form.encode()] == watched.until(lambda: watched.objects(request))


def test_a_channel_that_expired_in_between_is_renewed(watched: Deployed) -> None:
    """While a channel is dead, no event comes, and the renewal reports it. After the renewal, the record's next
    change archives all.
    """
    bigin = watched.bigin
    for module in MODULES:
        bigin.control("POST", "records", {"module": module, "record_id": "88002"})
    bigin.control("PATCH", "settings", {"channel_lifetime_s": 1})
    failed = run_schedule(watched)
    # Lambda counts it as an error of the function, on which the alarm stands.
    assert "Unhandled" == failed["FunctionError"]
    told_why = json.load(failed["Payload"])["errorMessage"]
    assert all(module in told_why for module in MODULES)
    watched.until(lambda: operate(watched)[0] == 1)
    missed = [bigin.add(b"missed", module=module, record_id="88002") for module in MODULES]
    assert 0 == bigin.control("GET", "deliveries")["delivered"]

    bigin.control("PATCH", "settings", {"channel_lifetime_s": None})
    assert "renewed" == renew(watched)["status"]
    later = [bigin.add(b"later", module=module, record_id="88002") for module in MODULES]

    watched.until(lambda: all(watched.objects(request) for request in [*missed, *later]))
    assert [[b"missed"]] * 2 + [[b"later"]] * 2 == [watched.objects(request) for request in [*missed, *later]]
    assert 0 == operate(watched)[0]


def test_operate_renews_the_channels(watched: Deployed) -> None:
    """The command invokes the renewal and shows its result."""
    before = operate(watched)
    renewed = operate(watched, "--renew")

    assert (1, 0) == (before[0], renewed[0])
    assert "Bigin has all channels." == renewed[1]["renewal"]
    assert [True, True] == [channel["alive"] for channel in renewed[1]["channels"]]
    assert list(MODULES) == [channel["module"] for channel in renewed[1]["channels"]]


def test_a_forged_notification_is_refused(watched: Deployed) -> None:
    """A notification without the stack's secret archives nothing."""
    body = {"module": "Contacts", "ids": ["88003"], "operation": "update", "channel_id": "1", "token": "wrong"}

    answer = watched.post(body, path="/webhooks/bigin", sign=False)

    assert (401, "unauthorized") == (answer.status_code, answer.json()["code"])
    assert watched.queue_is_empty()
