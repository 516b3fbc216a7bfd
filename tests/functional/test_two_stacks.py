"""Two stacks fit into one account and region: no resource names collide."""

import io
import uuid
import zipfile
from pathlib import Path
from typing import Any

import boto3
import pytest

from local.emulator import Emulator

PATIENCE = {"Delay": 1, "MaxAttempts": 90}
TEMPLATE = Path(__file__).parents[2] / "template.yaml"


@pytest.fixture
def account(emulator: Emulator, monkeypatch: pytest.MonkeyPatch) -> str:
    """An account's credentials in the environment, and a bucket with a package that holds no code worth the name."""
    for name in ("AWS_PROFILE", "AWS_SESSION_TOKEN", "AWS_CONFIG_FILE"):
        monkeypatch.delenv(name, raising=False)
    given = {"AWS_ACCESS_KEY_ID": "test", "AWS_SECRET_ACCESS_KEY": "test", "AWS_DEFAULT_REGION": "us-east-1"}
    for name, value in {**given, "AWS_ENDPOINT_URL": emulator.url, "AWS_CA_BUNDLE": str(emulator.ca_bundle)}.items():
        monkeypatch.setenv(name, value)
    package = io.BytesIO()
    with zipfile.ZipFile(package, "w") as archive:
        archive.writestr("archive_now.py", "def handler(event, context): ...")
    bucket = f"packages-{uuid.uuid4().hex[:8]}"
    s3 = boto3.session.Session().client("s3")
    s3.create_bucket(Bucket=bucket)
    s3.put_object(Bucket=bucket, Key="functions.zip", Body=package.getvalue())
    text = TEMPLATE.read_text(encoding="utf-8").replace("CodeUri: functions/", f"CodeUri: s3://{bucket}/functions.zip")
    s3.put_object(Bucket=bucket, Key="template.yaml", Body=text.encode())
    return f"{emulator.url}/{bucket}/template.yaml"


def test_two_stacks_are_made_side_by_side(account: str) -> None:
    """The second one is complete, and every resource of both has a name of its own."""
    client = boto3.session.Session().client("cloudformation")
    stacks = [f"two-{uuid.uuid4().hex[:8]}" for _ in range(2)]
    try:
        first, second = (made(client, stack, account) for stack in stacks)
    finally:
        for stack in stacks:  # others look for the only stack
            client.delete_stack(StackName=stack)
            client.get_waiter("stack_delete_complete").wait(StackName=stack, WaiterConfig=PATIENCE)

    assert len(first) == len(second) > 50
    # A stage has its name within its API.
    assert first & second <= {"AWS::ApiGateway::Stage v1"}


def made(client: Any, stack: str, url: str) -> set[str]:
    """Make a stack; type and physical name of each of its resources."""
    client.create_stack(StackName=stack, TemplateURL=url, Capabilities=["CAPABILITY_IAM", "CAPABILITY_AUTO_EXPAND"])
    client.get_waiter("stack_create_complete").wait(StackName=stack, WaiterConfig=PATIENCE)
    pages = client.get_paginator("list_stack_resources").paginate(StackName=stack)
    found = [one for page in pages for one in page["StackResourceSummaries"]]
    return {f"{one['ResourceType']} {one.get('PhysicalResourceId')}" for one in found}
