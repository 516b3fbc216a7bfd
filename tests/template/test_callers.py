"""Callers and events in template.yaml: there only when asked for, and closed to everybody else."""

import json
import re
from datetime import timedelta
from typing import Any

import pytest

from bigin_archive.archive_request import MODULES
from bigin_archive.callers import authorizer
from bigin_archive.events.announcer import FIRST_DELAY_S, LONGEST_DELAY_S
from tests.template.parsed import RESOURCES, TEMPLATE

API: dict[str, Any] = RESOURCES["CallersApi"]["Properties"]
RULE: dict[str, Any] = RESOURCES["StoredRule"]["Properties"]
QUEUE: dict[str, Any] = RESOURCES["EventQueue"]["Properties"]
PARTS = {
    "Callers": ("TakesCallers", re.compile(r"(Callers|AuthorizeCaller|AnswerCaller)")),
    "Events": ("SendsEvents", re.compile(r"(EventBus|EventQueue|EventDeadLetter|StoredRule|AnnounceArchived)")),
}


@pytest.mark.parametrize("parameter", PARTS)
def test_nothing_of_it_exists_while_it_is_off(parameter: str) -> None:
    """Every resource and every output has its condition, and off is the default."""
    condition, names = PARTS[parameter]
    found = {
        name: one for part in ("Resources", "Outputs") for name, one in TEMPLATE[part].items() if names.match(name)
    }

    assert TEMPLATE["Parameters"][parameter]["Default"] == "OFF"
    assert TEMPLATE["Conditions"][condition] == {"Fn::Equals": [{"Ref": parameter}, "ON"]}
    assert len(found) >= 8
    assert {one.get("Condition") for one in found.values()} == {condition}


def test_an_ended_key_lives_a_minute_at_most() -> None:
    """API Gateway keeps the authorizer's answer so long, for the header that brought the key; every route asks it."""
    auth = API["Auth"]
    given = auth["Authorizers"][auth["DefaultAuthorizer"]]

    assert given["FunctionPayloadType"] == "REQUEST"
    assert given["Identity"] == {"Headers": ["Authorization"], "ReauthorizeEvery": authorizer.CACHE_S}
    assert authorizer.CACHE_S <= 60
    assert all("Auth" not in event["Properties"] for event in events("AnswerCallerFunction"))


def events(function: str) -> list[dict[str, Any]]:
    return list(RESOURCES[function]["Properties"]["Events"].values())


def test_a_refused_key_is_401_and_an_outage_503() -> None:
    """A refused key is 401, and a table that cannot be read is 503."""
    statuses = {kind: one["StatusCode"] for kind, one in API["GatewayResponses"].items()}

    assert statuses == {
        "UNAUTHORIZED": 401,
        "ACCESS_DENIED": 401,
        "AUTHORIZER_FAILURE": 503,
        "AUTHORIZER_CONFIGURATION_ERROR": 503,
        "THROTTLED": 429,
        "MISSING_AUTHENTICATION_TOKEN": 404,
        "INVALID_SIGNATURE": 404,  # an unknown path with a key: its own answer would repeat the key
    }
    for kind in ("AUTHORIZER_FAILURE", "THROTTLED"):
        assert int(API["GatewayResponses"][kind]["ResponseParameters"]["Headers"]["Retry-After"].strip("'")) > 0


def test_all_callers_together_are_throttled() -> None:
    """Twenty a second, before a function runs."""
    (every,) = API["MethodSettings"]

    assert (every["ResourcePath"], every["HttpMethod"], every["ThrottlingRateLimit"]) == ("/*", "*", 20)


def test_s3_tells_of_attachments_places_alone() -> None:
    """What is written below a module's folder; neither reports nor the index, and no copy."""
    detail = RULE["EventPattern"]["detail"]

    assert RULE["EventPattern"]["source"] == ["aws.s3"]
    assert RULE["EventPattern"]["detail-type"] == ["Object Created"]
    assert detail["bucket"] == {"name": [{"Ref": "Bucket"}]}
    assert detail["reason"] == ["PutObject"]
    assert detail["object"]["key"] == [{"prefix": {"Fn::Sub": f"${{KeyPrefix}}{module}/"}} for module in MODULES]
    assert RESOURCES["Bucket"]["Properties"]["NotificationConfiguration"] == {
        "Fn::If": ["SendsEvents", {"EventBridgeConfiguration": {"EventBridgeEnabled": True}}, {"Ref": "AWS::NoValue"}]
    }


@pytest.mark.parametrize("name", ["ArchiveQueued", "ArchiveNow", "QueueRecords", "ReceiveWebhook"])
def test_whoever_archives_is_the_same_with_events_on_and_off(name: str) -> None:
    """With events on, no archiving function has another setting or right, so none is slower."""
    both = json.dumps([RESOURCES[f"{name}{kind}"] for kind in ("Function", "Role")])

    assert "SendsEvents" not in both
    made = [other for other, found in RESOURCES.items() if found.get("Condition") == "SendsEvents"]
    assert made
    assert not [other for other in made if f'"{other}"' in both]


@pytest.mark.parametrize("queue", ["EventQueue", "EventDeadLetterQueue"])
def test_only_the_rule_fills_the_queue(queue: str) -> None:
    """EventBridge for this rule of this account, and nobody else by the queue's policy."""
    assert RESOURCES[f"{queue}Policy"]["Properties"]["Queues"] == [{"Ref": queue}]
    (statement,) = [
        one
        for one in RESOURCES[f"{queue}Policy"]["Properties"]["PolicyDocument"]["Statement"]
        if one["Effect"] == "Allow"
    ]

    assert statement == {
        "Effect": "Allow",
        "Principal": {"Service": "events.amazonaws.com"},
        "Action": "sqs:SendMessage",
        "Resource": "*",  # in a queue's own policy: this queue
        "Condition": {"ArnEquals": {"aws:SourceArn": {"Fn::GetAtt": ["StoredRule", "Arn"]}}},
    }
    assert RULE["Targets"][0]["DeadLetterConfig"] == {"Arn": {"Fn::GetAtt": ["EventDeadLetterQueue", "Arn"]}}


def test_events_outlast_two_days_of_outage() -> None:
    """From the first delay doubling to the longest; a week is left of the 14 days that the queue keeps them."""
    tries = QUEUE["RedrivePolicy"]["maxReceiveCount"]
    waited = timedelta(seconds=sum(min(FIRST_DELAY_S * 2**number, LONGEST_DELAY_S) for number in range(tries)))

    assert timedelta(days=1.9) < waited < timedelta(seconds=QUEUE["MessageRetentionPeriod"]) - timedelta(days=7)


def test_a_batch_is_what_the_bus_takes_at_once() -> None:
    """Ten events, of which each is reported by itself."""
    (event,) = events("AnnounceArchivedFunction")

    assert event["Properties"]["BatchSize"] == 10
    assert event["Properties"]["FunctionResponseTypes"] == ["ReportBatchItemFailures"]


def test_all_keys_end_when_it_is_switched_off() -> None:
    """The table of keys is deleted, and a new one is empty."""
    assert RESOURCES["CallersTable"]["DeletionPolicy"] == "Delete"
