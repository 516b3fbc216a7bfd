"""`bigin-archive` and its stack: found by name, or explained. Holds what the other tests of operate begin with."""

import io
import json
import os
import uuid
from collections.abc import Mapping
from pathlib import Path

import pytest

from operate.cli import main
from operate.errors import OperateError
from operate.stack.aws import Account
from operate.stack.stack import find, from_description
from tests.aws import REGION, Aws

pytestmark = pytest.mark.in_memory

FUNCTION = "refresh-function"
SWEEP = "sweep-function"
RECEIVER = "receive-webhook"
RECEIVER_LOGS = "receive-webhook-logs"
API_URL = "https://127.0.0.1:1/v1"


def told_outputs(aws: Aws, function: str = FUNCTION, receiver: str = RECEIVER) -> dict[str, str]:
    """What the real template tells of resources that are always there."""
    return {
        "CredentialsSecretId": aws.credentials_secret_id,
        "TokenSecretId": aws.token_secret_id,
        "BucketName": aws.bucket,
        "KeyPrefix": "bigin/",
        "LedgerTable": aws.ledger_table,
        "SweepFunctionName": SWEEP,
        "QueueUrl": aws.queue_url,
        "DeadLetterQueueUrl": aws.dead_letter_queue_url,
        "RefreshTokenFunctionName": function,
        "ReceiveWebhookFunctionName": receiver,
        "ReceiveWebhookLogGroupName": RECEIVER_LOGS,
        "ApiUrl": API_URL,
    }


def deploy(
    aws: Aws,
    outputs: Mapping[str, str] | None = None,
    function: str = FUNCTION,
    receiver: str = RECEIVER,
    **parameters: str,
) -> str:
    """A CloudFormation stack with the outputs of the real template, of this test's own resources; its name."""
    name = f"stack-{uuid.uuid4().hex[:8]}"
    given = {"DataCenter": "US", "BiginApiUrl": aws.bigin_url, "BiginAccountsUrl": aws.bigin_url, **parameters}
    told = told_outputs(aws, function, receiver)
    template = {
        "Parameters": {key: {"Type": "String"} for key in given},
        "Resources": {"Topic": {"Type": "AWS::SNS::Topic"}},
        "Outputs": {key: {"Value": value} for key, value in (told if outputs is None else outputs).items()},
    }
    client = aws.client("cloudformation")
    client.create_stack(
        StackName=name,
        TemplateBody=json.dumps(template),
        Parameters=[{"ParameterKey": key, "ParameterValue": value} for key, value in given.items()],
    )
    client.get_waiter("stack_create_complete").wait(StackName=name, WaiterConfig={"Delay": 1, "MaxAttempts": 20})
    return name


def run(monkeypatch: pytest.MonkeyPatch, *arguments: str, stdin: str = "") -> int:
    """The command as a script runs it: no terminal, ``stdin`` as given; its exit status."""
    monkeypatch.setattr("sys.stdin", io.StringIO(stdin))
    return main(arguments)


@pytest.fixture
def somewhere(aws: Aws, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Aws:
    """An AWS configuration of this test's own."""
    for name in [name for name in os.environ if name.startswith("AWS_") and name not in aws.environment]:
        monkeypatch.delenv(name)
    monkeypatch.setenv("AWS_CONFIG_FILE", str(tmp_path / "config"))
    monkeypatch.setenv("AWS_SHARED_CREDENTIALS_FILE", str(tmp_path / "credentials"))
    monkeypatch.setenv("AWS_EC2_METADATA_DISABLED", "true")
    return aws


def test_a_stack_is_read_from_its_outputs_and_parameters(aws: Aws) -> None:
    """Outputs give the resources, parameters the hosts."""
    stack = find(Account(None, None), deploy(aws))

    assert aws.bigin_url == stack.hosts.api_url
    assert (aws.queue_url, aws.dead_letter_queue_url) == (stack.queue_url, stack.dead_letter_queue_url)
    assert (aws.token_secret_id, REGION, None) == (stack.token_secret_id, stack.region, stack.data_center)
    assert "bigin/" == stack.key_prefix


@pytest.mark.parametrize("told", [{"OutputValue": ""}, {}], ids=["empty", "left out"])
def test_a_stack_may_have_no_key_prefix(aws: Aws, told: dict[str, str]) -> None:
    """An empty KeyPrefix is allowed; its output then has an empty value or none."""
    found = aws.client("cloudformation").describe_stacks(StackName=deploy(aws))["Stacks"][0]
    outputs = [output for output in found["Outputs"] if output["OutputKey"] != "KeyPrefix"]

    without = from_description({**found, "Outputs": outputs}, REGION)
    empty = from_description({**found, "Outputs": [*outputs, {"OutputKey": "KeyPrefix", **told}]}, REGION)

    assert ("", "") == (without.key_prefix, empty.key_prefix)


def test_the_data_centre_decides_the_hosts(aws: Aws) -> None:
    """Without URLs of their own, the hosts are those of the parameter DataCenter."""
    stack = find(Account(None, None), deploy(aws, DataCenter="CA", BiginApiUrl="", BiginAccountsUrl=""))

    assert ("CA", "https://accounts.zohocloud.ca") == (stack.data_center, stack.hosts.accounts_url)


def test_a_stack_that_is_not_there_is_explained(
    aws: Aws, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """The answer names account and region, and the stacks that may have been meant."""
    other = deploy(aws)

    assert 1 == run(monkeypatch, "redrive", "--stack", "nowhere")

    printed = capsys.readouterr().err
    assert f"no stack nowhere in account 000000000000, region {REGION}" in printed
    assert other in printed


def test_an_empty_name_is_wrong_use(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    """A variable that is not set names no stack, and not the first one that there is."""
    assert 2 == run(monkeypatch, "status", "--stack", "")
    assert "No stack is named." in capsys.readouterr().err


@pytest.mark.processes
def test_another_region_is_explained(
    aws: Aws, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """The stack of one region is not found in another, and the answer says where it looked."""
    assert 1 == run(monkeypatch, "redrive", "--stack", deploy(aws), "--region", "eu-west-1")

    assert "region eu-west-1" in capsys.readouterr().err


def test_a_stack_of_something_else_is_refused(aws: Aws) -> None:
    """A stack without our outputs is not touched."""
    with pytest.raises(OperateError, match="not a stack of this version"):
        find(Account(None, None), deploy(aws, {"Other": "x"}))


def test_a_stack_that_is_being_made_is_told() -> None:
    """Without outputs the status says why."""
    with pytest.raises(OperateError, match="ROLLBACK_COMPLETE"):
        from_description({"StackName": "a", "StackStatus": "ROLLBACK_COMPLETE", "Parameters": []}, REGION)


@pytest.mark.processes
@pytest.mark.parametrize(
    ("environment", "options", "status", "message"),
    [
        ({"AWS_DEFAULT_REGION": None}, [], 2, "No AWS region"),
        ({}, ["--profile", "nobody"], 2, "no such AWS profile"),
        ({"AWS_ACCESS_KEY_ID": None, "AWS_SECRET_ACCESS_KEY": None}, [], 1, "No usable AWS credentials"),
        ({"AWS_SECRET_ACCESS_KEY": None}, [], 1, "No usable AWS credentials"),
        ({"AWS_ENDPOINT_URL": "http://127.0.0.1:1"}, [], 1, "AWS cannot be reached"),
        ({"AWS_ENDPOINT_URL": "nonsense"}, [], 1, "endpoint URL for AWS is malformed"),
        ({"AWS_CA_BUNDLE": None}, [], 1, "AWS cannot be reached (SSLError)"),
    ],
)
def test_the_configuration_of_aws_is_explained(
    somewhere: Aws,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
    environment: dict[str, str | None],
    options: list[str],
    status: int,
    message: str,
) -> None:
    """Whatever is wrong on the operator's machine is named, without a traceback."""
    for name, value in environment.items():
        if value is None:
            monkeypatch.delenv(name)
        else:
            monkeypatch.setenv(name, value)

    assert status == run(monkeypatch, "redrive", "--stack", "any", *options)

    answer = capsys.readouterr()
    assert message in answer.err
    assert "Traceback" not in answer.err
    assert "" == answer.out


@pytest.mark.processes
def test_missing_permissions_are_named(
    aws: Aws, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """The error names the missing permission."""
    name = f"user-{uuid.uuid4().hex[:8]}"
    iam = aws.client("iam")
    iam.create_user(UserName=name)
    key = iam.create_access_key(UserName=name)["AccessKey"]
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", key["AccessKeyId"])
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", key["SecretAccessKey"])

    assert 1 == run(monkeypatch, "redrive", "--stack", deploy(aws))

    assert "cloudformation:DescribeStacks" in capsys.readouterr().err


@pytest.mark.parametrize(
    "arguments",
    [
        ["nothing"],
        ["redrive", "--all"],
        ["redrive", "--yes"],
        ["redrive", "--dry-run"],
        ["authorize", "--renew"],
        ["authorize", "--module", "Leads"],
        ["authorize", "--client-secret", "x"],
    ],
)
def test_wrong_use_is_status_2(monkeypatch: pytest.MonkeyPatch, arguments: list[str]) -> None:
    """What cannot be meant is refused before anything is looked at."""
    assert 2 == run(monkeypatch, *arguments)


def test_a_bug_is_told_without_its_text(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    """An error that nobody foresaw shows its type and place alone: its text might hold a secret."""

    def fail(*_: object) -> None:
        raise RuntimeError("s3cret")

    monkeypatch.setattr("operate.stack.aws.Account", fail)

    assert 1 == run(monkeypatch, "redrive")

    printed = capsys.readouterr()
    assert "RuntimeError in test_operate_stack.py" in printed.err
    assert "s3cret" not in printed.err + printed.out


def test_the_only_stack_of_a_region_needs_no_name(aws: Aws) -> None:
    """Without a name the region is looked through; other stacks there do not count."""
    client = aws.client("cloudformation")
    for _ in range(50):  # a list may be cut, and a deletion take a moment
        if not (stacks := client.describe_stacks()["Stacks"]):
            break
        for stack in stacks:
            client.delete_stack(StackName=stack["StackName"])
    deploy(aws, outputs={"BucketName": "of-something-else"})
    name = deploy(aws)

    assert name == find(Account(None, None), None).name


def test_of_several_stacks_one_has_to_be_named(
    aws: Aws, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """The answer names them; BIGIN_ARCHIVE_STACK chooses as --stack does."""
    first, second = deploy(aws), deploy(aws)

    assert 2 == run(monkeypatch, "redrive")
    printed = capsys.readouterr().err
    assert first in printed
    assert second in printed

    monkeypatch.setenv("BIGIN_ARCHIVE_STACK", second)
    assert 0 == run(monkeypatch, "redrive")
    assert f"{second}" in capsys.readouterr().out


def test_no_stack_at_all_is_explained(
    aws: Aws, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """The answer says where it looked, and how to deploy one."""
    assert 1 == run(monkeypatch, "redrive", "--region", "eu-west-2")

    printed = capsys.readouterr().err
    assert "no stack of Bigin Archive in account 000000000000, region eu-west-2" in printed
    assert "sam deploy --guided" in printed
