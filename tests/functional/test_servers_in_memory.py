"""The servers in memory of the random histories answer as the emulator and the simulator do: the same requests."""

import base64
import hashlib
import json
import logging
import time
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import pytest
from botocore.exceptions import ClientError

from bigin_archive.aws.s3_http import S3Requests, bucket_requests
from tests.aws import Aws
from tests.bigin import TOKEN, Simulator
from tests.histories import clients
from tests.histories.bigin import Bigin
from tests.histories.clients import clients_in_memory
from tests.histories.network import Request
from tests.histories.world import Setup, World


@dataclass(frozen=True, slots=True)
class Servers:
    """One side: clients, and the names that they are called with."""

    s3: Any
    dynamodb: Any
    sqs: Any
    secrets: Any
    requests: S3Requests
    bucket: str
    ledger: str
    queue_url: str
    fifo_url: str
    secret_id: str


@pytest.fixture(params=["emulator", "memory"])
def servers(request: pytest.FixtureRequest) -> Iterator[Servers]:
    logging.root.manager.loggerDict.pop("bigin-archive", None)
    if request.param == "emulator":
        yield _emulated(request.getfixturevalue("aws"))
        return
    with clients_in_memory() as aws:
        world = World(aws, Setup())
        world.clock.now_s = time.time()
        url = clients.ENVIRONMENT["AWS_ENDPOINT_URL_S3"]
        made = bucket_requests(aws, clients.BUCKET, endpoint_url=url, read_timeout_s=5, connections=1)
        yield Servers(
            *(aws.client(name) for name in ("s3", "dynamodb", "sqs", "secretsmanager")),
            made,
            clients.BUCKET,
            clients.LEDGER,
            clients.ENVIRONMENT["QUEUE_URL"],
            clients.ENVIRONMENT["RECORD_QUEUE_URL"],
            clients.TOKEN_SECRET,
        )


def _emulated(aws: Aws) -> Servers:
    return Servers(
        aws.s3,
        aws.dynamodb,
        aws.sqs,
        aws.secrets,
        aws.storage()._requests,
        aws.bucket,
        aws.ledger_table,
        aws.queue_url,
        aws.record_queue_url,
        aws.token_secret_id,
    )


def test_a_write_on_condition_happens_once_and_keeps_its_checksum(servers: Servers) -> None:
    """Our own PutObject, and what a look at the object tells afterwards."""
    body, sha256 = b"bytes", hashlib.sha256(b"bytes")
    checksum = base64.b64encode(sha256.digest()).decode()
    headers = {"If-None-Match": "*", "x-amz-checksum-sha256": checksum, "x-amz-meta-file-name": "a%20b"}

    def put(content: bytes) -> tuple[int, bool]:
        answer = servers.requests.send(
            "PUT",
            "a/b c.txt",
            headers={**headers, "Content-Type": "text/plain"},
            body=content,
            body_bytes=len(content),
            payload=hashlib.sha256(content).hexdigest(),
        )
        return answer.status, b"PreconditionFailed" in answer.body

    assert put(body) == (200, False)
    assert put(body) == (412, True)
    found = servers.s3.head_object(Bucket=servers.bucket, Key="a/b c.txt", ChecksumMode="ENABLED")
    assert found["ChecksumSHA256"] == checksum
    assert (found["ContentLength"], found["ContentType"], found["Metadata"]) == (
        5,
        "text/plain",
        {"file-name": "a%20b"},
    )
    assert servers.s3.get_object(Bucket=servers.bucket, Key="a/b c.txt")["Body"].read() == body
    own = servers.requests.send("HEAD", "a/b c.txt", headers={"x-amz-checksum-mode": "ENABLED"})
    assert own.headers["x-amz-checksum-sha256"] == checksum
    assert own.headers["x-amz-version-id"] == found["VersionId"]
    part = servers.requests.send("GET", "a/b c.txt", headers={"Range": "bytes=1-2"})
    assert (part.status, part.body) == (206, b"yt")


def test_wrong_bytes_are_not_stored(servers: Servers) -> None:
    """Bytes that do not fit the checksum in their header are not stored."""
    answer = servers.requests.send(
        "PUT",
        "a",
        headers={"x-amz-checksum-sha256": base64.b64encode(hashlib.sha256(b"right").digest()).decode()},
        body=b"wrong",
        body_bytes=5,
        payload=hashlib.sha256(b"wrong").hexdigest(),
    )
    assert answer.status == 400
    assert servers.requests.send("HEAD", "a").status == 404
    assert b"NoSuchKey" in servers.requests.send("GET", "a").body


def test_versions_and_markers_are_listed_by_key_the_newest_first(servers: Servers) -> None:
    """A key that is written twice and then deleted has two versions and a marker; the others are untouched."""
    for key, body in (("p/b", b"1"), ("p/b", b"22"), ("p/a", b"3"), ("q", b"4")):
        servers.s3.put_object(Bucket=servers.bucket, Key=key, Body=body, ChecksumAlgorithm="SHA256")
    servers.s3.delete_object(Bucket=servers.bucket, Key="p/b")
    answer = servers.s3.list_object_versions(Bucket=servers.bucket, Prefix="p/")
    assert [(each["Key"], each["Size"], each["IsLatest"]) for each in answer["Versions"]] == [
        ("p/a", 1, True),
        ("p/b", 2, False),
        ("p/b", 1, False),
    ]
    assert [(each["Key"], each["IsLatest"]) for each in answer["DeleteMarkers"]] == [("p/b", True)]
    assert answer["IsTruncated"] is False
    listed = servers.s3.list_objects_v2(Bucket=servers.bucket, Prefix="p/")
    assert [(each["Key"], each["Size"]) for each in listed["Contents"]] == [("p/a", 1)]
    own = servers.requests.send("GET", query={"list-type": "2", "prefix": "p/", "encoding-type": "url"})
    assert (own.status, own.body.count(b"<Contents>")) == (200, 1)
    with pytest.raises(ClientError) as missing:
        servers.s3.head_object(Bucket=servers.bucket, Key="p/b")
    assert missing.value.response["Error"]["Code"] == "404"
    older = servers.s3.get_object(Bucket=servers.bucket, Key="p/b", VersionId=answer["Versions"][2]["VersionId"])
    assert older["Body"].read() == b"1"
    assert servers.s3.get_bucket_versioning(Bucket=servers.bucket)["Status"] == "Enabled"


def test_an_update_sets_removes_adds_and_obeys_its_condition(servers: Servers) -> None:
    """Both sides understand the expressions that ledger, cursor, lease and credits use."""
    key = {"record": {"S": "Contacts/1"}, "attachment_id": {"S": "2"}}

    def update(expression: str, condition: str | None = None, **values: Any) -> str | None:
        names = {f"#{name}": name for name in ("state", "name") if f"#{name}" in expression + (condition or "")}
        given: dict[str, Any] = {"ConditionExpression": condition} if condition else {}
        given |= {"ExpressionAttributeNames": names} if names else {}
        given |= {"ExpressionAttributeValues": {f":{name}": value for name, value in values.items()}} if values else {}
        try:
            servers.dynamodb.update_item(TableName=servers.ledger, Key=key, UpdateExpression=expression, **given)
        except ClientError as error:
            return str(error.response["Error"]["Code"])
        return None

    def item() -> Any:
        answer = servers.dynamodb.get_item(TableName=servers.ledger, Key=key, ConsistentRead=True)
        return {name: value for name, value in answer.get("Item", {}).items() if name not in key}

    failed = "ConditionalCheckFailedException"
    assert item() == {}
    assert update("SET a = :a", "attribute_exists(attachment_id)", a={"S": "x"}) == failed
    first = "SET #state = :s, #name = if_not_exists(#name, :n) REMOVE gone"
    assert update(first, s={"S": "pending"}, n={"S": "one"}) is None
    assert update(first, s={"S": "archived"}, n={"S": "two"}) is None
    assert item() == {"state": {"S": "archived"}, "name": {"S": "one"}}
    lasting = "attribute_exists(attachment_id) AND (attribute_not_exists(#state) OR NOT #state IN (:a, :b))"
    assert update("SET #state = :s", lasting, s={"S": "x"}, a={"S": "archived"}, b={"S": "link"}) == failed
    assert update("ADD used :two SET ends_at = :at", two={"N": "2"}, at={"N": "1.5"}) is None
    assert (
        update("ADD used :two", "ends_at < :later OR ends_at = :at", two={"N": "3"}, later={"N": "2"}, at={"N": "9"})
        is None
    )
    assert update("REMOVE ends_at", "ends_at < :now", now={"N": "1.5"}) == failed
    assert update("REMOVE ends_at, #name", "#state = :s", s={"S": "archived"}) is None
    assert item() == {"state": {"S": "archived"}, "used": {"N": "5"}}
    answer = servers.dynamodb.update_item(
        TableName=servers.ledger,
        Key=key,
        UpdateExpression="ADD used :two",
        ExpressionAttributeValues={":two": {"N": "2"}},
        ReturnValues="UPDATED_NEW",
    )
    assert answer["Attributes"] == {"used": {"N": "7"}}


def test_items_are_found_by_key_by_range_and_by_scan(servers: Servers) -> None:
    """Both sides find what the sweep, the budget and the audit read; bytes come back as they went."""
    for record, name in (("a", "1"), ("a", "2"), ("b", "1")):
        item = {"record": {"S": record}, "attachment_id": {"S": name}, "rows": {"B": name.encode()}}
        condition = "attribute_not_exists(attachment_id)"
        servers.dynamodb.put_item(TableName=servers.ledger, Item=item, ConditionExpression=condition)
        with pytest.raises(ClientError, match="ConditionalCheckFailedException"):
            servers.dynamodb.put_item(TableName=servers.ledger, Item=item, ConditionExpression=condition)
    keys = [{"record": {"S": record}, "attachment_id": {"S": "2"}} for record in ("a", "b")]
    answer = servers.dynamodb.batch_get_item(RequestItems={servers.ledger: {"Keys": keys, "ConsistentRead": True}})
    assert [item["attachment_id"]["S"] for item in answer["Responses"][servers.ledger]] == ["2"]
    assert servers.dynamodb.get_item(TableName=servers.ledger, Key=keys[0])["Item"]["rows"]["B"] == b"2"
    found = servers.dynamodb.query(
        TableName=servers.ledger,
        KeyConditionExpression="#record = :key AND attachment_id >= :since",
        ExpressionAttributeNames={"#record": "record"},
        ExpressionAttributeValues={":key": {"S": "a"}, ":since": {"S": "2"}},
        ConsistentRead=True,
    )
    assert [item["attachment_id"]["S"] for item in found["Items"]] == ["2"]
    parts = [
        servers.dynamodb.scan(TableName=servers.ledger, Segment=each, TotalSegments=2, ConsistentRead=True)["Items"]
        for each in (0, 1)
    ]
    assert sorted(item["record"]["S"] for part in parts for item in part) == ["a", "a", "b"]
    servers.dynamodb.delete_item(TableName=servers.ledger, Key=keys[0])
    assert servers.dynamodb.scan(TableName=servers.ledger, ConsistentRead=True)["Count"] == 2


def test_messages_are_hidden_shown_again_and_deleted(servers: Servers) -> None:
    """Both sides do what the worker and redrive ask of a queue, and keep the attributes."""
    attributes = {"size": {"DataType": "Number", "StringValue": "3"}}
    entries = [{"Id": str(number), "MessageBody": f"{number}", "MessageAttributes": attributes} for number in range(3)]
    answer = servers.sqs.send_message_batch(QueueUrl=servers.queue_url, Entries=entries)
    assert sorted(each["Id"] for each in answer["Successful"]) == ["0", "1", "2"]
    received = _receive(servers, servers.queue_url)
    assert sorted(each["Body"] for each in received) == ["0", "1", "2"]
    assert received[0]["MessageAttributes"] == attributes
    assert received[0]["Attributes"]["ApproximateReceiveCount"] == "1"
    assert _receive(servers, servers.queue_url) == []
    assert _counts(servers) == (0, 3)
    shown, deleted = received[0]["ReceiptHandle"], received[1]["ReceiptHandle"]
    servers.sqs.change_message_visibility(QueueUrl=servers.queue_url, ReceiptHandle=shown, VisibilityTimeout=0)
    servers.sqs.delete_message(QueueUrl=servers.queue_url, ReceiptHandle=deleted)
    assert _counts(servers) == (1, 1)
    again = _receive(servers, servers.queue_url)
    assert [(each["Body"], each["Attributes"]["ApproximateReceiveCount"]) for each in again] == [
        (received[0]["Body"], "2")
    ]
    handles = [{"Id": "0", "ReceiptHandle": again[0]["ReceiptHandle"]}]
    servers.sqs.delete_message_batch(QueueUrl=servers.queue_url, Entries=handles)
    assert _counts(servers) == (0, 1)


def test_a_fifo_queue_takes_what_it_knows_only_once(servers: Servers) -> None:
    """A second message with the same deduplication id is not kept, as the record queue needs it."""
    for name in ("one", "one", "two"):
        entry = {"Id": "0", "MessageBody": name, "MessageGroupId": "g", "MessageDeduplicationId": name}
        servers.sqs.send_message_batch(QueueUrl=servers.fifo_url, Entries=[entry])
    answer = servers.sqs.get_queue_attributes(QueueUrl=servers.fifo_url, AttributeNames=["All"])["Attributes"]
    waiting = ("ApproximateNumberOfMessages", "ApproximateNumberOfMessagesDelayed")
    assert sum(int(answer[name]) for name in waiting) == 2


def test_a_secret_has_its_last_value(servers: Servers) -> None:
    """What the refresher writes is what the worker reads; a stage that there never was is not found."""
    servers.secrets.put_secret_value(SecretId=servers.secret_id, SecretString="first")
    servers.secrets.put_secret_value(SecretId=servers.secret_id, SecretString="last")
    found = servers.secrets.get_secret_value(SecretId=servers.secret_id)
    assert found["SecretString"] == "last"
    assert found["CreatedDate"].tzinfo is not None
    with pytest.raises(ClientError, match="ResourceNotFoundException"):
        servers.secrets.get_secret_value(SecretId="another")


@pytest.mark.parametrize(
    ("path", "query"),
    [
        ("Contacts", {"fields": "id,Full_Name,Modified_Time", "per_page": "200", "page": "1"}),
        ("Contacts", {"fields": "id", "per_page": "1", "page": "2"}),
        ("Contacts", {"per_page": "200", "page": "1"}),
        ("Contacts/5570213000000100001/Attachments", {"fields": "id,File_Name,Size,$type", "page": "1"}),
        ("Contacts/5570213000000100001/Attachments/4", {}),
        ("Contacts/4/Attachments", {"fields": "id", "page": "1"}),
        ("Attachments", {"fields": "id", "page": "1"}),
        ("Notes/1", {}),
    ],
)
def test_bigin_answers_in_memory_as_over_a_socket(bigin: Simulator, path: str, query: dict[str, str]) -> None:
    """Lists, denials and errors have the same status and body."""
    headers = {"authorization": f"Zoho-oauthtoken {TOKEN}"}
    asked = bigin._http.get(f"{bigin.url}/bigin/v2/{path}", params=query, headers=headers, timeout=10)
    reply = Bigin("http://127.0.0.1")(Request("GET", f"/bigin/v2/{path}", query, headers))
    assert (reply.status, _comparable(reply.body)) == (asked.status_code, _comparable(asked.content))
    assert reply.headers.get("content-type") == asked.headers.get("content-type")


def _receive(servers: Servers, url: str) -> list[Any]:
    answer = servers.sqs.receive_message(
        QueueUrl=url,
        MaxNumberOfMessages=10,
        AttributeNames=["ApproximateReceiveCount", "SentTimestamp"],
        MessageAttributeNames=["All"],
    )
    return list(answer.get("Messages", []))


def _counts(servers: Servers) -> tuple[int, int]:
    """Messages that can be received, and those that are hidden."""
    found = servers.sqs.get_queue_attributes(QueueUrl=servers.queue_url, AttributeNames=["All"])["Attributes"]
    names = ("ApproximateNumberOfMessages", "ApproximateNumberOfMessagesNotVisible")
    visible, hidden = (int(found[name]) for name in names)
    return visible, hidden


def _comparable(body: bytes) -> Any:
    """What a list says, but for the end of its page token's life."""
    if not body.startswith(b"{"):
        return body
    answer = json.loads(body)
    for name in ("page_token_expiry", "next_page_token"):
        if answer.get("info", {}).get(name):
            answer["info"][name] = "some"
    return answer
