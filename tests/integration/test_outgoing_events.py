"""Events for other systems, on the deployed application: from a file in Bigin to a consumer that holds its bytes."""

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from local.package import OWN_RUNTIME
from tests.bigin import PROJECT, sha256
from tests.deployed import Deployed
from tests.event_schema import check

RECIPES = PROJECT / "docs" / "recipes"


class Consumers:
    """The recipes' own stacks, beside the archive's."""

    def __init__(self, deployed: Deployed) -> None:
        self.deployed = deployed
        self._client = deployed.stack.client("cloudformation")
        self._made: list[str] = []

    def deploy(self, recipe: str, **parameters: str) -> dict[str, str]:
        """Deploy a recipe; return its outputs. The runtime is this machine's, as for the archive itself."""
        template = Path(RECIPES / recipe).read_text(encoding="utf-8").replace("python3.13", OWN_RUNTIME)
        name = recipe.partition(".")[0]
        self._client.create_stack(
            StackName=name,
            TemplateBody=template,
            Capabilities=["CAPABILITY_IAM"],
            Parameters=[{"ParameterKey": key, "ParameterValue": value} for key, value in parameters.items()],
        )
        self._made.append(name)
        self._client.get_waiter("stack_create_complete").wait(
            StackName=name, WaiterConfig={"Delay": 1, "MaxAttempts": 60}
        )
        (found,) = self._client.describe_stacks(StackName=name)["Stacks"]
        return {output["OutputKey"]: output["OutputValue"] for output in found.get("Outputs", [])}

    def remove(self) -> None:
        for name in self._made:
            self._client.delete_stack(StackName=name)


@pytest.fixture
def consumers(deployed: Deployed) -> Iterator[Consumers]:
    made = Consumers(deployed)
    yield made
    made.remove()


def heard(deployed: Deployed, count: int, url: str | None = None) -> list[dict[str, Any]]:
    """The next messages of a queue, taken out, once there are so many of what ``deployed`` archives now."""
    bodies: list[dict[str, Any]] = []

    def enough() -> bool:
        answer = deployed.sqs.receive_message(
            QueueUrl=url or deployed.description["event_queue_url"], MaxNumberOfMessages=10
        )
        for message in answer.get("Messages", []):
            bodies.append(json.loads(message["Body"]))
            deployed.sqs.delete_message(
                QueueUrl=url or deployed.description["event_queue_url"], ReceiptHandle=message["ReceiptHandle"]
            )
        return len(bodies) >= count

    deployed.until(enough)
    return bodies


def empty(deployed: Deployed) -> None:
    """Remove the events of earlier tests."""
    while deployed.sqs.receive_message(
        QueueUrl=deployed.description["event_queue_url"], MaxNumberOfMessages=10, VisibilityTimeout=3600
    ).get("Messages"):
        pass


def test_a_consumer_is_told_and_finds_the_bytes(deployed: Deployed, consumers: Consumers) -> None:
    """By the API and by the queue: one event a file, as published; the recipes' queue and function get it too."""
    outputs = deployed.stack.outputs
    own = {"EventBusName": outputs["EventBusName"]}
    queue = consumers.deploy("events-to-sqs.yaml", **own)["QueueUrl"]
    archive = {"BucketName": outputs["BucketName"], "KeyPrefix": outputs["KeyPrefix"]}
    function = consumers.deploy("events-to-lambda.yaml", **own, **archive)["FunctionName"]
    empty(deployed)
    files = {b"by the API": deployed.bigin.add(b"by the API"), b"by the queue": deployed.bigin.add(b"by the queue")}

    assert deployed.post(files[b"by the API"]).status_code == 201
    deployed.send(files[b"by the queue"])

    details = [check(event) for event in heard(deployed, 2)]
    for content, request in files.items():
        (data,) = [one["data"] for one in details if one["data"]["attachment_id"] == request["attachment_id"]]
        found = deployed.s3.get_object(Bucket=data["bucket"], Key=data["key"], VersionId=data["version_id"])
        assert found["Body"].read() == content
        assert (data["sha256"], data["size_bytes"]) == (sha256(content), len(content))
    by_id = {detail["metadata"]["id"]: detail for detail in details}
    assert {one["metadata"]["id"]: one for one in heard(deployed, 2, queue)} == by_id
    logs = deployed.stack.client("logs")
    group = f"/aws/lambda/{function}"

    def read() -> bool:
        try:
            events = logs.filter_log_events(logGroupName=group, filterPattern="read")["events"]
        except logs.exceptions.ResourceNotFoundException:
            return False
        text = "".join(event["message"] for event in events)
        return all(f"read {event_id}" in text for event_id in by_id)

    deployed.until(read)


def test_nothing_but_attachments_is_announced_and_announce_repeats(deployed: Deployed) -> None:
    """A report and a manual upload make no event; ``announce`` repeats events with the same ids, marked as a replay."""
    prefix = deployed.description["prefix"]
    request = deployed.bigin.add(b"announced")
    empty(deployed)
    for key in (f"{prefix}_audit/mine.json", f"{prefix}Contacts/1/2/stranger.txt", "elsewhere.txt"):
        deployed.s3.put_object(Bucket=deployed.bucket, Key=key, Body=b"{}")
    assert deployed.post(request).status_code == 201
    (first,) = [check(event) for event in heard(deployed, 1)]

    order = {"source": "bigin-archive.replay", **{name: first["data"][name] for name in ("key", "version_id")}}
    deployed.sqs.send_message(QueueUrl=deployed.stack.outputs["EventQueueUrl"], MessageBody=json.dumps(order))

    (again,) = [check(event) for event in heard(deployed, 1)]
    assert again["metadata"] == {**first["metadata"], "replay": True}
    assert again["data"] == first["data"]
    for key in (f"{prefix}_audit/mine.json", f"{prefix}Contacts/1/2/stranger.txt", "elsewhere.txt"):
        deployed.s3.delete_object(Bucket=deployed.bucket, Key=key)
