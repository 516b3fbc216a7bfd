"""Checks that need real AWS, on the stack BIGIN_ARCHIVE_STACK. ``make cloud-test`` deploys one for them."""

import json
import os
import time
from typing import Any

import boto3
import pytest
import requests
from botocore.auth import SigV4Auth
from botocore.awsrequest import AWSRequest

from operate.cli import main
from operate.stack.aws import Account
from operate.stack.stack import Stack, find

PATIENCE_S = 180
REQUEST = {"module": "Contacts", "record_id": "1", "attachment_id": "2"}
# These findings cannot be fine before Bigin is connected and something is archived.
NOT_CONNECTED = {
    "Credentials",
    "Token age",
    "Token",
    "Scopes",
    "Alarm e-mail",
    "Last success",
    "Last webhook",
    "Alarms",
}
CONNECTS = pytest.mark.skipif("BIGIN_GRANT_CODE" not in os.environ, reason="no Bigin account was given")


@pytest.fixture(scope="module")
def stack() -> Stack:
    return find(Account(None, None), os.environ["BIGIN_ARCHIVE_STACK"])


@pytest.fixture(scope="module")
def api_url(stack: Stack) -> str:
    return stack.webhook_url.removesuffix("/webhooks/bigin")


def post(url: str, body: object, *, sign: bool = True, **headers: str) -> requests.Response:
    data = json.dumps(body)
    request = AWSRequest("POST", url, data=data, headers={"Content-Type": "application/json", **headers})
    if sign:
        session = boto3.session.Session()
        SigV4Auth(session.get_credentials(), "execute-api", session.region_name).add_auth(request)
    return requests.post(url, data=data, headers=dict(request.headers), timeout=35)


def test_the_doctor_finds_everything_in_place(capsys: pytest.CaptureFixture[str]) -> None:
    """Worker, bucket, queues, schedules and limits, as the real account has them."""
    main(["doctor", "--json"])

    found = {check["name"]: check for check in json.loads(capsys.readouterr().out)["checks"]}
    problems = {name for name, check in found.items() if check["state"] == "problem"}
    assert problems <= NOT_CONNECTED


def test_who_does_not_sign_is_refused(api_url: str) -> None:
    """By API Gateway itself."""
    assert 403 == post(f"{api_url}/attachments", REQUEST, sign=False).status_code


def test_a_signed_request_reaches_the_function(api_url: str) -> None:
    """A malformed request gets 400, a well-formed one the error that the stack is not connected."""
    malformed = post(f"{api_url}/attachments", {"module": "Contacts", "record_id": 1})
    unconnected = post(f"{api_url}/attachments", REQUEST)

    assert (400, "invalid_request") == (malformed.status_code, malformed.json()["code"])
    assert (502, "bigin_token_rejected") == (unconnected.status_code, unconnected.json()["code"])
    assert "application/problem+json" == malformed.headers["Content-Type"]


def test_a_request_can_be_left_to_the_queue(api_url: str) -> None:
    """The function may send to it, with the rights that it really has."""
    answer = post(f"{api_url}/attachments", REQUEST, Prefer="respond-async")

    assert (202, 1) == (answer.status_code, answer.json()["queued"])


def test_the_webhook_knows_its_secret(stack: Stack) -> None:
    """Without it 401; with it 202, and the record waits in its queue."""
    names = boto3.client("cloudformation").describe_stacks(StackName=stack.name)["Stacks"][0]["Outputs"]
    secret_id = next(found["OutputValue"] for found in names if found["OutputKey"] == "WebhookSecretId")
    stored = boto3.client("secretsmanager").get_secret_value(SecretId=secret_id)["SecretString"]
    body = {"module": "Contacts", "record_id": "1"}

    assert 401 == post(stack.webhook_url, body, sign=False).status_code
    answer = post(stack.webhook_url, body, sign=False, **{"X-Webhook-Secret": json.loads(stored)["webhook_secret"]})
    assert 202 == answer.status_code


def test_the_queue_has_its_worker(stack: Stack) -> None:
    """A message that is no request is parked with its reason, by the event source and the role that AWS runs."""
    sqs = boto3.client("sqs")
    sqs.send_message(QueueUrl=stack.queue_url, MessageBody="{}")

    parked = waited_for(lambda: sqs.receive_message(
        QueueUrl=stack.dead_letter_queue_url, MessageAttributeNames=["All"], WaitTimeSeconds=10
    ).get("Messages"))  # fmt: skip

    assert "invalid_request" == parked[0]["MessageAttributes"]["error_code"]["StringValue"]


def test_the_token_refresher_says_what_is_missing(stack: Stack) -> None:
    """It may read its secrets, and finds no credentials there."""
    answer = boto3.client("lambda").invoke(FunctionName=stack.refresh_function, Payload=b"{}")
    result = json.loads(answer["Payload"].read())

    assert "FunctionError" not in answer
    assert result["status"] != "refreshed"


def test_nobody_reads_the_bucket_without_tls(stack: Stack) -> None:
    """The bucket's policy, as S3 reads it."""
    policy: Any = json.loads(boto3.client("s3").get_bucket_policy(Bucket=stack.bucket)["Policy"])

    assert any(
        statement["Effect"] == "Deny" and "aws:SecureTransport" in json.dumps(statement.get("Condition"))
        for statement in policy["Statement"]
    )


@CONNECTS
def test_an_account_is_archived_and_proved() -> None:
    """With a Bigin of its own: connect, sweep, audit."""
    assert 0 == main(["authorize"])
    assert 0 == main(["sweep", "--watch"])


def waited_for(look: Any) -> Any:
    deadline = time.monotonic() + PATIENCE_S
    while not (found := look()):
        assert time.monotonic() < deadline
    return found
