"""Clients without boto3's models: each sends what boto3's client sends, and takes each answer as that one does."""

import json
import socket
from collections.abc import Iterator
from datetime import UTC, datetime
from typing import Any

import boto3
import pytest
from botocore.config import Config
from botocore.exceptions import BotoCoreError, ClientError

from bigin_archive.aws import clients, function_aws
from bigin_archive.aws.error_codes import code_of
from bigin_archive.aws.function_aws import FunctionAws
from bigin_archive.errors import BiginRefusedError, StorageUnavailableError
from bigin_archive.queueing.archive_queue import ArchiveQueue, Outgoing
from tests.raw_server import CLOSE, RESET, serving
from tests.recording_server import RecordingServer

REGION = "eu-central-1"
LAMBDA = {
    "AWS_REGION": REGION,
    "AWS_DEFAULT_REGION": REGION,
    "AWS_ACCESS_KEY_ID": "id",
    "AWS_SECRET_ACCESS_KEY": "secret",
    "AWS_SESSION_TOKEN": "session",
    "AWS_EXECUTION_ENV": "AWS_Lambda_python3.13",
    "AWS_LAMBDA_FUNCTION_NAME": "archive",
    "AWS_XRAY_CONTEXT_MISSING": "LOG_ERROR",
}
TRACE = "Root=1-5759e988-bd862e3fe1be46a994272793;Lineage=a:1"
QUEUE = "https://sqs.eu-central-1.amazonaws.com/123456789012/queue"
TEXT = {"DataType": "String", "StringValue": "Übersicht"}
CALLS: list[tuple[str, str, dict[str, Any]]] = [
    (
        "dynamodb",
        "update_item",
        {
            "TableName": "ledger",
            "Key": {"record": {"S": "Contacts/1"}, "attachment_id": {"S": "2"}},
            "UpdateExpression": "SET #name = :name, #size = :size",
            "ExpressionAttributeNames": {"#name": "name", "#size": "size"},
            "ExpressionAttributeValues": {":name": {"S": 'Müller "&"\n'}, ":size": {"N": "5"}},
        },
    ),
    ("dynamodb", "get_item", {"TableName": "ledger", "Key": {"record": {"S": "#"}}, "ConsistentRead": True}),
    ("dynamodb", "batch_get_item", {"RequestItems": {"ledger": {"Keys": [{"record": {"S": "1"}}]}}}),
    ("sqs", "send_message", {"QueueUrl": QUEUE, "MessageBody": "{}", "MessageAttributes": {"a": TEXT}}),
    ("sqs", "send_message_batch", {"QueueUrl": QUEUE, "Entries": [{"Id": "0", "MessageBody": "ü"}]}),
    ("sqs", "change_message_visibility", {"QueueUrl": QUEUE, "ReceiptHandle": "r", "VisibilityTimeout": 30}),
    ("sqs", "get_queue_attributes", {"QueueUrl": QUEUE, "AttributeNames": ["ApproximateNumberOfMessages"]}),
    ("secretsmanager", "get_secret_value", {"SecretId": "token", "VersionStage": "AWSCURRENT"}),
]
SERVICES = ("dynamodb", "secretsmanager", "sqs")
NOW = datetime(2026, 1, 31, 12, 0, 0, tzinfo=UTC)


class Aws(RecordingServer):
    """Services of AWS, and what is asked of them."""

    def ours(self, service: str) -> Any:
        env = {**LAMBDA, "AWS_ENDPOINT_URL": self.url, "_X_AMZN_TRACE_ID": TRACE}
        return FunctionAws(env, NOW.timestamp).connect(service, 5)


@pytest.fixture
def lambda_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("HTTP_PROXY", "HTTPS_PROXY", "ALL_PROXY", "NO_PROXY"):
        monkeypatch.delenv(name, raising=False)
        monkeypatch.delenv(name.lower(), raising=False)
    for name, value in {**LAMBDA, "_X_AMZN_TRACE_ID": TRACE}.items():
        monkeypatch.setenv(name, value)


@pytest.fixture
def aws(monkeypatch: pytest.MonkeyPatch, lambda_environment: None) -> Iterator[Aws]:
    """Listens on loopback; the signer's clock stands."""
    monkeypatch.setattr("botocore.auth.get_current_datetime", lambda: NOW)
    fake = Aws(body=b"{}")
    with fake.listening():
        yield fake


def theirs(service: str, url: str | None = None) -> Any:
    """boto3's client, as all other functions make it."""
    return boto3.client(service, endpoint_url=url, config=clients.config(5))


@pytest.mark.parametrize(("service", "operation", "arguments"), CALLS, ids=[f"{call[0]}-{call[1]}" for call in CALLS])
def test_a_request_is_that_of_boto3_to_the_last_byte(
    aws: Aws, service: str, operation: str, arguments: dict[str, Any]
) -> None:
    """Method, target, headers, body and signature, the trace of Lambda included; but for who asks, and how often."""
    getattr(theirs(service, aws.url), operation)(**arguments)
    getattr(aws.ours(service), operation)(**arguments)
    (*expected, their_headers, their_body), (*sent, headers, body) = (
        (method, path, found, content) for method, path, found, content in aws.calls
    )
    for name in ("amz-sdk-invocation-id", "amz-sdk-request", "user-agent"):
        their_headers.pop(name, None)
    assert headers.pop("user-agent").startswith("bigin-archive/")

    assert expected == sent
    assert their_body == body
    assert their_headers == headers


@pytest.mark.parametrize(
    ("status", "body", "headers"),
    [
        (400, b'{"__type": "com.amazonaws.dynamodb.v20120810#ConditionalCheckFailedException"}', {}),
        (400, b'{"__type": "ResourceNotFoundException", "message": "no"}', {}),
        (400, b'{"__type": "a#AccessDeniedException:http://internal.amazon.com/coral/", "Message": "no"}', {}),
        (
            400,
            b'{"__type": "com.amazonaws.sqs#QueueDoesNotExist", "message": "no"}',
            {"x-amzn-query-error": "AWS.SimpleQueueService.NonExistentQueue;Sender"},
        ),
        (400, b"{}", {}),
        (413, b"too large", {}),
        (500, b"", {}),
        (503, b"<html>Service Unavailable</html>", {}),
        (400, b"[]", {}),
    ],
)
def test_a_refusal_has_the_code_that_boto3_gives_it(
    aws: Aws, status: int, body: bytes, headers: dict[str, str]
) -> None:
    """The code decides whether a message is tried again, parked, or done, so it is the one that boto3 gives."""
    aws.status, aws.body, aws.headers = status, body, headers
    told = []
    for client in (theirs("sqs", aws.url), aws.ours("sqs")):
        with pytest.raises((ClientError, AttributeError)) as refused:
            client.send_message(QueueUrl=QUEUE, MessageBody="{}")
        told.append(refused.value)
    expected, found = told

    assert isinstance(found, ClientError)
    if isinstance(expected, ClientError):  # boto3 itself cannot read a list
        assert code_of(expected) == code_of(found)
    assert status == found.response["ResponseMetadata"]["HTTPStatusCode"]


@pytest.mark.parametrize("body", [b"<html>", b"[]", b"null", b'{"Item"'], ids=["html", "list", "null", "cut"])
def test_what_is_no_answer_is_no_success(aws: Aws, body: bytes) -> None:
    """A row counts as written only if the table said so."""
    aws.body = body

    with pytest.raises(BotoCoreError):
        aws.ours("dynamodb").get_item(TableName="ledger", Key={})


@pytest.mark.usefixtures("lambda_environment")
@pytest.mark.parametrize(
    "script",
    [[RESET], [CLOSE], [b"HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\n{", CLOSE], [b"no HTTP at all\r\n\r\n", CLOSE]],
    ids=["reset", "closed", "half an answer", "no HTTP"],
)
def test_what_ends_a_call_is_told_as_boto3_tells_it(script: list[Any]) -> None:
    """A call that breaks off raises boto3's error, whose name stands in the log line."""
    told = []
    with serving(script) as server:
        for client in (
            theirs("dynamodb", server.url),
            FunctionAws({**LAMBDA, "AWS_ENDPOINT_URL": server.url}).connect("dynamodb", 5),
        ):
            try:
                client.get_item(TableName="ledger", Key={"record": {"S": "1"}})
                told.append("{}")
            except BotoCoreError as error:
                told.append(type(error).__name__)

    # boto3 takes half an answer for a whole one.
    assert told[0] == told[1] or told == ["{}", "ConnectionClosedError"]


@pytest.mark.usefixtures("lambda_environment")
def test_nobody_there_is_told_as_boto3_tells_it() -> None:
    """If nobody listens, the error is boto3's, whose name stands in the log line."""
    with socket.create_server(("127.0.0.1", 0)) as listening:
        url = f"http://127.0.0.1:{listening.getsockname()[1]}"
    for client in (theirs("sqs", url), FunctionAws({**LAMBDA, "AWS_ENDPOINT_URL": url}).connect("sqs", 5)):
        with pytest.raises(BotoCoreError) as refused:
            client.get_queue_attributes(QueueUrl=QUEUE)
        assert "EndpointConnectionError" == code_of(refused.value)


@pytest.mark.usefixtures("lambda_environment")
def test_a_kept_connection_that_ended_costs_nothing() -> None:
    """If a kept connection has ended, the call goes out once more at once. If a new one ends, that is an error."""
    answer = b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\n{}"
    with serving([answer, RESET]) as kept:
        client = FunctionAws({**LAMBDA, "AWS_ENDPOINT_URL": kept.url}).connect("dynamodb", 5)
        told = [client.get_item(TableName="t", Key={}) for _ in range(4)]
    with serving([RESET]) as new:
        client = FunctionAws({**LAMBDA, "AWS_ENDPOINT_URL": new.url}).connect("dynamodb", 5)
        with pytest.raises(BotoCoreError):
            client.get_item(TableName="t", Key={})

    assert [{}] * 4 == told
    assert (4, 1) == (kept.connections, new.connections)


def refusal(status: int, code: str) -> bytes:
    text = json.dumps({"__type": code}).encode()
    return b"HTTP/1.1 %d No\r\nContent-Length: %d\r\n\r\n%s" % (status, len(text), text)


@pytest.mark.usefixtures("lambda_environment")
@pytest.mark.parametrize(
    ("first", "expected"),
    [
        ([RESET], "{}"),
        ([refusal(503, "InternalError"), CLOSE], "{}"),
        ([refusal(400, "ThrottlingException"), CLOSE], "{}"),
        ([refusal(400, "RequestThrottled"), CLOSE], "{}"),
        ([refusal(400, "ProvisionedThroughputExceededException"), CLOSE], "{}"),
        ([refusal(400, "AccessDeniedException"), CLOSE], "AccessDeniedException"),
    ],
    ids=["reset", "failed", "throttled", "SQS throttled", "DynamoDB partition busy", "refused"],
)
def test_a_call_for_which_nobody_else_retries_is_made_twice(first: list[Any], expected: str) -> None:
    """As with boto3's clients, what may pass is tried again, and what will not pass is an error at once."""
    answer = b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\n{}"
    pauses: list[float] = []
    with serving(first, [answer]) as server:
        client = FunctionAws({**LAMBDA, "AWS_ENDPOINT_URL": server.url}).connect("sqs", 5, tries=2)
        client._sleep = pauses.append
        try:
            told = json.dumps(client.send_message(QueueUrl=QUEUE, MessageBody="{}"))
        except ClientError as error:
            told = code_of(error)

    assert expected == told
    assert len(pauses) == server.connections - 1


@pytest.mark.usefixtures("lambda_environment")
@pytest.mark.parametrize("half", [b"HTT", b"HTTP/1.1 200 OK\r\nConte"], ids=["status", "header"])
def test_only_a_kept_connection_without_an_answer_is_replaced(half: bytes) -> None:
    """Where an answer has begun, the call may have been done."""
    with serving([half, CLOSE]) as server:
        client = FunctionAws({**LAMBDA, "AWS_ENDPOINT_URL": server.url}).connect("dynamodb", 5)
        with pytest.raises(BotoCoreError):
            client.update_item(TableName="t", Key={})

    assert 1 == server.connections


def test_a_connection_waits_for_no_acknowledgement(
    aws: Aws, monkeypatch: pytest.MonkeyPatch, lambda_environment: None
) -> None:
    """Its socket has boto3's options. Without TCP_NODELAY a body may wait 40 ms for the receiver's word on the head."""
    options: list[tuple[Any, ...]] = []
    real = socket.socket.setsockopt

    def seen(self: socket.socket, *option: Any) -> None:
        options.append(option)
        real(self, *option)

    for made in (aws.ours("dynamodb"), boto3.client("dynamodb", endpoint_url=aws.url)):
        with monkeypatch.context() as patched:
            patched.setattr(socket.socket, "setsockopt", seen)
            made.list_tables()

    ours, boto3s = options
    assert (socket.IPPROTO_TCP, socket.TCP_NODELAY, 1) == ours == boto3s


def test_a_secret_is_read_as_boto3_reads_it(aws: Aws) -> None:
    """A secret comes with the time when it was written, and as bytes where it holds bytes."""
    aws.body = json.dumps({"SecretBinary": "w7w=", "CreatedDate": 1769860800.123, "Name": "token"}).encode()
    expected, found = (
        client.get_secret_value(SecretId="token")
        for client in (theirs("secretsmanager", aws.url), aws.ours("secretsmanager"))
    )

    assert {name: expected[name] for name in found} == found
    assert {"SecretBinary", "CreatedDate", "Name"} == found.keys()


def test_each_service_is_called_at_its_own_address() -> None:
    """The one of the service counts before the one for all, as in boto3."""
    environment = {**LAMBDA, "AWS_ENDPOINT_URL": "https://all.example"}
    named = {"dynamodb": "DYNAMODB", "secretsmanager": "SECRETS_MANAGER", "sqs": "SQS"}
    for service, name in named.items():
        own = {**environment, f"AWS_ENDPOINT_URL_{name}": "https://own.example"}

        assert "https://own.example/" == FunctionAws(own).connect(service, 5)._http.url + "/"
        assert "https://all.example/" == FunctionAws(environment).connect(service, 5)._http.url + "/"


def test_the_addresses_are_boto3s(monkeypatch: pytest.MonkeyPatch, lambda_environment: None) -> None:
    """In every region of AWS's own partition the address is boto3's; other partitions are left to boto3 itself."""
    session = boto3.session.Session()
    regions = {
        region: partition
        for partition in session.get_available_partitions()
        for region in session.get_available_regions("sqs", partition_name=partition)
    }
    light = set()
    for region, partition in regions.items():
        made = function_aws.connection({**LAMBDA, "AWS_DEFAULT_REGION": region})
        if not isinstance(made, FunctionAws):
            continue
        light.add(partition)
        monkeypatch.setenv("AWS_DEFAULT_REGION", region)
        assert clients.session().s3_host == made.s3_host
        for service in SERVICES:
            told = boto3.client(service, region_name=region, config=Config()).meta.endpoint_url
            assert f"{told}/" == made.connect(service, 5)._http.url + "/"

    assert {"aws"} == light
    assert all(
        isinstance(function_aws.connection({**LAMBDA, "AWS_DEFAULT_REGION": region}), FunctionAws)
        for region, partition in regions.items()
        if partition == "aws"
    )


@pytest.mark.usefixtures("lambda_environment")
@pytest.mark.parametrize(
    ("changed", "is_light"),
    [
        ({}, True),
        ({"AWS_ENDPOINT_URL": "http://127.0.0.1:1", "AWS_CA_BUNDLE": "/x"}, True),
        ({"AWS_LAMBDA_LOG_GROUP_NAME": "x", "AWS_XRAY_DAEMON_ADDRESS": "x", "AWS_ACCESS_KEY": "id"}, True),
        ({"AWS_EC2_METADATA_DISABLED": "true"}, True),
        ({"AWS_USE_FIPS_ENDPOINT": "true"}, False),
        ({"AWS_USE_DUALSTACK_ENDPOINT": "true"}, False),
        ({"AWS_PROFILE": "x"}, False),
        ({"AWS_CONTAINER_CREDENTIALS_FULL_URI": "http://127.0.0.1/"}, False),
        ({"AWS_WHATEVER_COMES_NEXT": "x"}, False),
        ({"AWS_SECRET_ACCESS_KEY": ""}, False),
        ({"AWS_DEFAULT_REGION": "cn-north-1"}, False),
        ({"AWS_DEFAULT_REGION": "us-gov-west-1"}, False),
        ({"AWS_DEFAULT_REGION": "evil.example/"}, False),
    ],
    ids=str,
)
def test_what_the_environment_alone_does_not_tell_is_left_to_boto3(changed: dict[str, str], is_light: bool) -> None:
    """FIPS and IPv6, profiles, other sources of keys, other partitions, and whatever AWS invents."""
    assert is_light == isinstance(function_aws.connection({**LAMBDA, **changed}), FunctionAws)


@pytest.mark.usefixtures("lambda_environment")
def test_the_proxy_of_the_environment_is_used(monkeypatch: pytest.MonkeyPatch) -> None:
    """HTTP with the whole address, HTTPS by a tunnel; NO_PROXY leaves it aside."""
    answer = b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\n{}"
    with serving([answer, CLOSE], [b"HTTP/1.1 403 Forbidden\r\nContent-Length: 0\r\n\r\n"]) as proxy:
        monkeypatch.setenv("HTTP_PROXY", f"127.0.0.1:{proxy.port}")
        monkeypatch.setenv("HTTPS_PROXY", proxy.url)
        plain = FunctionAws({**LAMBDA, "AWS_ENDPOINT_URL": "http://aws.example"}).connect("dynamodb", 5)
        assert plain.get_item(TableName="t", Key={}) == {}
        with pytest.raises(BotoCoreError) as refused:
            FunctionAws(LAMBDA).connect("dynamodb", 5).get_item(TableName="t", Key={})
    with serving([answer]) as server:
        monkeypatch.setenv("NO_PROXY", "127.0.0.1")
        direct = FunctionAws({**LAMBDA, "AWS_ENDPOINT_URL": server.url}).connect("dynamodb", 5)
        assert direct.get_item(TableName="t", Key={}) == {}

    assert "ProxyConnectionError" == code_of(refused.value)
    assert proxy.heads[0].startswith(b"POST http://aws.example/ ")
    assert proxy.heads[1].startswith(b"CONNECT dynamodb.eu-central-1.amazonaws.com:443 ")


def test_a_message_that_sqs_does_not_confirm_is_not_parked() -> None:
    """An answer without the message's id may mean anything; the message stays where it is."""
    with serving([b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\n{}"]) as server:
        sqs = FunctionAws({**LAMBDA, "AWS_ENDPOINT_URL": server.url}).connect("sqs", 5)
        with pytest.raises(StorageUnavailableError):
            ArchiveQueue(sqs, QUEUE, QUEUE).dead_letter(Outgoing("{}"), BiginRefusedError("no"))


def test_keys_are_in_no_text() -> None:
    """What holds keys does not show them when it is printed."""
    made = FunctionAws(LAMBDA)

    assert "secret" not in f"{made!r} {made.get_credentials()!r} {made.connect('sqs', 5)!r}"
