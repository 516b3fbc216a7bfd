"""One id goes with a request from its beginning to its last outcome, whoever hands it on."""

import json
from typing import Any

import pytest

from operate.redrive.dead_letter_queue import DeadLetterQueue
from operate.redrive.redrive import Choice, Sent, send_back
from tests.aws import Aws
from tests.bigin import Simulator
from tests.lambdas import Context, api_event, load

pytestmark = pytest.mark.in_memory

SECRET = "s3cret-of-forty-characters-0123456789abc"


def lines(capsys: pytest.CaptureFixture[str]) -> list[dict[str, Any]]:
    """The log lines that tell an outcome."""
    found = [json.loads(line) for line in capsys.readouterr().out.splitlines() if line.startswith("{")]
    return [line for line in found if "outcome" in line]


def received(aws: Aws, queue_url: str) -> dict[str, Any]:
    """What visibly lies in a queue, as the event source of a function brings it."""
    return {
        "Records": [
            {
                "messageId": found["MessageId"],
                "body": found["Body"],
                "receiptHandle": found["ReceiptHandle"],
                "attributes": {"ApproximateReceiveCount": "1"},
                "messageAttributes": {
                    name: {"stringValue": value["StringValue"], "dataType": value["DataType"]}
                    for name, value in found.get("MessageAttributes", {}).items()
                },
            }
            for found in aws.messages(queue_url)
        ]
    }


def work(aws: Aws) -> None:
    load("archive_queued").handler(received(aws, aws.queue_url), Context(300))


def test_from_webhook_to_redrive(aws: Aws, bigin: Simulator, capsys: pytest.CaptureFixture[str]) -> None:
    """All log lines, from the webhook to the file after a redrive, have API Gateway's id of the webhook."""
    aws.put_secret(aws.webhook_secret_id, {"webhook_secret": SECRET})
    attachment = bigin.add(b"content", record_id="4711")
    refused = {"status": "error", "code": "NO_PERMISSION", "message": "m", "details": {}}
    bigin.answer(403, refused, attachment_id=attachment["attachment_id"])
    event = api_event({"module": "Contacts", "id": "4711", "token": SECRET})
    began = event["requestContext"]["requestId"]

    load("receive_webhook").handler(event, Context())
    load("queue_records").handler(received(aws, aws.record_queue_url), Context())
    work(aws)
    work(aws)
    queue = DeadLetterQueue(aws.sqs, aws.dead_letter_queue_url, aws.queue_url, wait_s=0)
    send_back(queue, Choice(all=True), Sent())
    work(aws)

    logged = lines(capsys)
    assert [line["outcome"] for line in logged] == ["queued", "queued", "parked", "archived"]
    assert {line["correlation_id"] for line in logged} == {began}


def test_of_a_call_that_is_queued(aws: Aws, bigin: Simulator, capsys: pytest.CaptureFixture[str]) -> None:
    """After ``Prefer: respond-async`` the worker's line has the id of the call."""
    event = api_event(bigin.add(b"content"), {"Prefer": "respond-async"})

    load("archive_now").handler(event, Context())
    work(aws)

    logged = lines(capsys)
    assert [line["outcome"] for line in logged] == ["queued", "archived"]
    assert {line["correlation_id"] for line in logged} == {event["requestContext"]["requestId"]}


def test_of_a_sweep(aws: Aws, bigin: Simulator, capsys: pytest.CaptureFixture[str]) -> None:
    """What a sweep queues has the sweep's id, which names its beginning."""
    bigin.add(b"content")
    state = load("sweep_account").handler({"start": {}}, Context(840))
    work(aws)

    logged = lines(capsys)
    assert {"archived"} <= {line["outcome"] for line in logged}
    assert {line["correlation_id"] for line in logged} == {f"sweep-{state['started_at']}"}


def test_of_a_message_without_one(aws: Aws, bigin: Simulator, capsys: pytest.CaptureFixture[str]) -> None:
    """A message of somebody else begins with its SQS id, and keeps it as a dead letter that is sent back."""
    aws.sqs.send_message(QueueUrl=aws.queue_url, MessageBody="no request")
    work(aws)
    send_back(DeadLetterQueue(aws.sqs, aws.dead_letter_queue_url, aws.queue_url, wait_s=0), Choice(all=True), Sent())
    work(aws)

    first, second = lines(capsys)
    assert first["correlation_id"] == first["request_id"]
    assert second["request_id"] != first["request_id"]
    assert second["correlation_id"] == first["correlation_id"]


def test_what_is_no_id_is_not_repeated(aws: Aws, capsys: pytest.CaptureFixture[str]) -> None:
    """A stranger's attribute of that name does not get into the log unless it can be an id."""
    long = {"correlation_id": {"DataType": "String", "StringValue": "x" * 129}}
    aws.sqs.send_message(QueueUrl=aws.queue_url, MessageBody="no request", MessageAttributes=long)
    work(aws)

    (line,) = lines(capsys)
    assert line["correlation_id"] == line["request_id"]
