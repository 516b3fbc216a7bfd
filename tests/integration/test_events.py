"""What Bigin tells by itself, on a deployed stack that watches modules: from the event to the object in S3."""

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
def told(watching: LocalStack) -> Deployed:
    """The deployed application; Bigin in its seeded state, without a channel."""
    made = Deployed(watching, Simulator(watching.description["bigin_api_url"]))
    made.bigin.reset()
    made.connect()
    return made


def operate(told: Deployed, *arguments: str) -> tuple[int, Any]:
    """``bigin-archive watch``; its exit status and what it prints as JSON."""
    environment = {
        "AWS_ENDPOINT_URL": told.description["aws_endpoint_url"],
        "AWS_CA_BUNDLE": told.description["ca_bundle"],
        "AWS_ACCESS_KEY_ID": "test",
        "AWS_SECRET_ACCESS_KEY": "test",
        "AWS_REGION": told.description["region"],
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


def scheduled(told: Deployed) -> dict[str, Any]:
    """The schedule that renews the channels."""
    scheduler = told.stack.client("scheduler")
    found = [scheduler.get_schedule(Name=one["Name"]) for one in scheduler.list_schedules()["Schedules"]]
    (schedule,) = [one for one in found if RENEW_CHANNELS in one["Target"].get("Input", "")]
    return dict(schedule)


def run_schedule(told: Deployed) -> dict[str, Any]:
    """Run what the schedule runs, with its input: Lambda's answer."""
    target = scheduled(told)["Target"]
    payload = target["Input"].encode()
    return dict(told.stack.client("lambda").invoke(FunctionName=target["Arn"], Payload=payload))


def renew(told: Deployed) -> dict[str, Any]:
    """A scheduled renewal that succeeds."""
    answer = run_schedule(told)
    assert "FunctionError" not in answer
    renewal: dict[str, Any] = json.load(answer["Payload"])
    return renewal


def webhook(told: Deployed, module: str, record_id: str, form: str) -> None:
    """A workflow rule of the simulator calls the stack."""
    stored = told.secrets.get_secret_value(SecretId=told.description["webhook_secret_id"])["SecretString"]
    secret = quote(json.loads(stored)["webhook_secret"], safe="")  # the emulator's has punctuation, that of AWS none
    url = f"{told.description['api_url']}/webhooks/bigin?secret={secret}"
    told.bigin.control(
        "POST", "webhooks", {"url": url, "as": form, "module": module, "record_id": record_id, "fields": {"x": ""}}
    )


def test_notes_contacts_and_deals_are_archived_without_any_other_action(told: Deployed) -> None:
    """A note by its workflow webhook, a contact and a deal by their channels; then the channels tell of both."""
    assert ("ENABLED", "renewed") == (scheduled(told)["State"], renew(told)["status"])
    for module in MODULES:
        told.bigin.control("POST", "records", {"module": module, "record_id": "88001"})

    attached = [
        told.bigin.add(f"{module} {number}".encode(), module=module, record_id="88001", file_name=f"{number}.txt")
        for module in ("Notes", *MODULES)
        for number in range(3)
    ]
    webhook(told, "Notes", "88001", "form")

    told.until(lambda: all(told.objects(request) for request in attached))
    contents = [f"{module} {number}".encode() for module in ("Notes", *MODULES) for number in range(3)]
    assert [[content] for content in contents] == [told.objects(request) for request in attached]
    found = told.bigin.control("GET", "deliveries")
    assert (0, 9) == (found["undelivered"], found["delivered"])  # 2 new records, 6 edits, 1 webhook
    status, report = operate(told)
    assert (0, []) == (status, report["others"])
    assert all(channel["last_event_at"] for channel in report["channels"])


@pytest.mark.parametrize("form", ["json", "form", "query", "multipart"])
def test_a_workflow_rule_archives_a_record(told: Deployed, form: str) -> None:
    """However its webhook is written."""
    request = told.bigin.add(form.encode(), module="Tasks", record_id="88010")

    webhook(told, "Tasks", "88010", form)

    assert [form.encode()] == told.until(lambda: told.objects(request))


def test_a_channel_that_expired_in_between_is_renewed(told: Deployed) -> None:
    """While it is dead nothing is told, and that is told; after the renewal the record's next change brings all."""
    bigin = told.bigin
    for module in MODULES:
        bigin.control("POST", "records", {"module": module, "record_id": "88002"})
    bigin.control("PATCH", "settings", {"channel_lifetime_s": 1})
    failed = run_schedule(told)
    # Lambda counts it as an error of the function, on which the alarm stands.
    assert "Unhandled" == failed["FunctionError"]
    told_why = json.load(failed["Payload"])["errorMessage"]
    assert all(module in told_why for module in MODULES)
    told.until(lambda: operate(told)[0] == 1)
    missed = [bigin.add(b"missed", module=module, record_id="88002") for module in MODULES]
    assert 0 == bigin.control("GET", "deliveries")["delivered"]

    bigin.control("PATCH", "settings", {"channel_lifetime_s": None})
    assert "renewed" == renew(told)["status"]
    later = [bigin.add(b"later", module=module, record_id="88002") for module in MODULES]

    told.until(lambda: all(told.objects(request) for request in [*missed, *later]))
    assert [[b"missed"]] * 2 + [[b"later"]] * 2 == [told.objects(request) for request in [*missed, *later]]
    assert 0 == operate(told)[0]


def test_operate_renews_the_channels(told: Deployed) -> None:
    """The command has the function renew, and shows what came of it."""
    before = operate(told)
    renewed = operate(told, "--renew")

    assert (1, 0) == (before[0], renewed[0])
    assert "Bigin has all channels." == renewed[1]["renewal"]
    assert [True, True] == [channel["alive"] for channel in renewed[1]["channels"]]
    assert list(MODULES) == [channel["module"] for channel in renewed[1]["channels"]]


def test_a_forged_notification_is_refused(told: Deployed) -> None:
    """Without the secret of the stack nothing is archived."""
    body = {"module": "Contacts", "ids": ["88003"], "operation": "update", "channel_id": "1", "token": "wrong"}

    answer = told.post(body, path="/webhooks/bigin", sign=False)

    assert (401, "unauthorized") == (answer.status_code, answer.json()["code"])
    assert told.queue_is_empty()
