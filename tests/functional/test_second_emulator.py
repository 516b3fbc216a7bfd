"""The requests of storage, ledger, queue and secrets against two emulators that know nothing of each other.

Where they agree, both read AWS's documentation alike; where they do not, it is a known line with what that says.
"""

import base64
import hashlib
import json
import logging
import tempfile
import uuid
from collections.abc import Callable, Iterator
from dataclasses import asdict
from typing import Any

import boto3
import pytest
from botocore.config import Config
from moto.server import ThreadedMotoServer  # type: ignore[import-not-found, unused-ignore]

from bigin_archive.api.webhook_secret import WebhookSecret
from bigin_archive.archive_request import ArchiveRequest, Hints
from bigin_archive.aws.function_aws import FunctionAws
from bigin_archive.aws.s3_http import bucket_requests
from bigin_archive.bigin.credit_meter import Usage
from bigin_archive.bigin.listing import ListedAttachment
from bigin_archive.bigin.response_body import Spooled
from bigin_archive.errors import ArchiveError, InvalidRequestError
from bigin_archive.ledger.credit_usage import CreditUsage
from bigin_archive.ledger.ledger import Ledger
from bigin_archive.queueing.archive_queue import ArchiveQueue, Outgoing, read_hints
from bigin_archive.settings import MIB
from bigin_archive.storage.archived_object import StoredObject
from bigin_archive.storage.object_attributes import ObjectAttributes
from bigin_archive.storage.object_store import AlreadyThereError, ObjectStore
from bigin_archive.token.access_token import AccessTokens
from local.emulator import Emulator
from tests.bodies import body

REGION = "us-east-1"
CREDENTIALS = {"aws_access_key_id": "test", "aws_secret_access_key": "test"}
PLACE = "Contacts/1/2"
KEYS = (
    "plain.pdf",
    "Angebot Müller (1) €.pdf",
    "a+b%20c&d=e;f?g#h@i'j\"k~l.pdf",
    "日本語\U0001f600.txt",
    " leading and trailing ",
    "{}[]|^`<>$!*,:.bin",
    "dots...",
)
# Observation: what differs, and what AWS's documentation says of it.
KNOWN: dict[str, str] = {}

Observed = dict[str, object]


class Cloud:
    """One emulator; ``secure`` is its bundle of certificates."""

    def __init__(self, url: str, secure: str | None) -> None:
        self.url, self.secure = url, secure
        self.name = f"second-{uuid.uuid4().hex[:12]}"

    def client(self, service: str) -> Any:
        config = Config(s3={"addressing_style": "path"}, retries={"total_max_attempts": 1})
        return boto3.client(
            service, endpoint_url=self.url, verify=self.secure, region_name=REGION, config=config, **CREDENTIALS
        )

    def store(self, bucket: str) -> ObjectStore:
        told = {name.upper(): text for name, text in CREDENTIALS.items()}
        aws = FunctionAws({**told, "AWS_DEFAULT_REGION": REGION, "AWS_CA_BUNDLE": self.secure or ""})
        requests = bucket_requests(aws, bucket, endpoint_url=self.url, read_timeout_s=10, connections=1)
        return ObjectStore(requests, bucket)


@pytest.fixture(scope="module")
def clouds(emulator: Emulator) -> Iterator[tuple[Cloud, Cloud]]:
    """The emulator of the local stack, and moto."""
    logging.getLogger("werkzeug").setLevel(logging.ERROR)  # a line for each request
    server = ThreadedMotoServer(ip_address="127.0.0.1", port=0, verbose=False)
    server.start()
    host, port = server.get_host_and_port()
    yield Cloud(emulator.url, str(emulator.ca_bundle)), Cloud(f"http://{host}:{port}", None)
    server.stop()


def attributes(name: str) -> ObjectAttributes:
    metadata = {"bigin-module": "Contacts", "bigin-record-id": "1", "bigin-attachment-id": "2", "file-name": "a%20b"}
    return ObjectAttributes(f"bigin/{PLACE}/{name}", name, "text/plain; a=b", 'attachment; filename="a"', metadata)


def put_spooled(store: ObjectStore, content: bytes) -> StoredObject:
    with tempfile.TemporaryFile() as file:
        file.write(content)
        file.seek(0)
        return store.put(attributes("spooled"), Spooled(file, len(content), hashlib.sha256(content).digest()))


def outcome(action: Callable[[], object]) -> object:
    """The result, or the name of the error."""
    try:
        return action()
    except (ArchiveError, AlreadyThereError) as error:
        return type(error).__name__


def put(cloud: Cloud, bucket: str) -> Observed:
    store, large = cloud.store(bucket), bytes(range(256)) * (2 * MIB // 256)
    seen: Observed = {}
    ways: dict[str, Callable[[], StoredObject]] = {
        "bytes": lambda: store.put(attributes("bytes"), b"small"),
        "empty": lambda: store.put(attributes("empty"), b""),
        "streamed": lambda: store.put(attributes("streamed"), body(large)),
        "spooled": lambda: put_spooled(store, large),
    }
    for name, way in ways.items():
        for attempt in ("first", "second"):
            result = outcome(way)
            seen[f"put {name}, {attempt}"] = result if isinstance(result, str) else (result.sha256, result.size_bytes)  # type: ignore[attr-defined]
    for name in KEYS:
        seen[f"put {name!r}"] = outcome(lambda name=name: store.put(attributes(name), b"x").sha256)  # type: ignore[misc]
    return seen


def storage(cloud: Cloud) -> Observed:
    bucket, s3 = cloud.name, cloud.client("s3")
    s3.create_bucket(Bucket=bucket)
    s3.put_bucket_versioning(Bucket=bucket, VersioningConfiguration={"Status": "Enabled"})
    seen = put(cloud, bucket)
    store = cloud.store(bucket)
    seen["sizes"] = store.sizes(f"bigin/{PLACE}/")
    for name in ("bytes", "streamed", *KEYS):
        found = store.head(attributes(name).key, PLACE)
        assert found is not None
        seen[f"head {name!r}"] = (found.size_bytes, found.sha256, found.content_type, found.is_own, found.is_link)
        answer = s3.head_object(Bucket=bucket, Key=attributes(name).key, ChecksumMode="ENABLED")
        seen[f"kept {name!r}"] = (
            answer["Metadata"],
            answer["ContentDisposition"],
            base64.b64decode(answer["ChecksumSHA256"]).hex(),
            answer.get("ContentEncoding") or "none",
        )
    seen["head of nothing"] = store.head("bigin/nothing", PLACE)
    versions = s3.list_object_versions(Bucket=bucket)["Versions"]
    seen["versions of a key"] = max(versions.count(one) for one in versions)
    return seen


def retention(cloud: Cloud) -> Observed:
    """A bucket with Object Lock takes what is buffered and what is streamed, and keeps it."""
    bucket, s3 = f"{cloud.name}-locked", cloud.client("s3")
    s3.create_bucket(Bucket=bucket, ObjectLockEnabledForBucket=True)
    rule = {"DefaultRetention": {"Mode": "GOVERNANCE", "Days": 1}}
    s3.put_object_lock_configuration(
        Bucket=bucket, ObjectLockConfiguration={"ObjectLockEnabled": "Enabled", "Rule": rule}
    )
    store, seen = cloud.store(bucket), {}
    for name, content in (("small", b"small"), ("large", bytes(2 * MIB))):
        seen[f"put {name}"] = outcome(lambda c=content, n=name: store.put(attributes(n), body(c)).sha256)  # type: ignore[misc]
        answer = s3.head_object(Bucket=bucket, Key=attributes(name).key)
        seen[f"mode of {name}"] = answer.get("ObjectLockMode")
    return seen


def queue(cloud: Cloud) -> Observed:
    sqs = cloud.client("sqs")
    url, dead = (sqs.create_queue(QueueName=f"{cloud.name}-{kind}")["QueueUrl"] for kind in ("queue", "dead"))
    fifo = sqs.create_queue(QueueName=f"{cloud.name}.fifo", Attributes={"FifoQueue": "true"})["QueueUrl"]
    archive = ArchiveQueue(sqs, url, dead)
    hints = Hints(5, "Größe \x01 a/b.pdf", "2026-01-31T09:30:00+01:00")
    seen: Observed = {
        "sent": archive.send([*(Outgoing(str(number)) for number in range(11)), Outgoing("hinted", hints)]),
        "waiting": archive.waiting(),
        "twice in a FIFO queue": ArchiveQueue(sqs, fifo).send(
            Outgoing("once", group="g", deduplication_id="d") for _ in range(2)
        ),
        "left of them": ArchiveQueue(sqs, fifo).waiting(),
        "parked": archive.dead_letter(Outgoing("odd", hints), InvalidRequestError("why")),
    }
    received: list[dict[str, Any]] = []
    while len(received) < 12:
        received += sqs.receive_message(QueueUrl=url, MaxNumberOfMessages=10, MessageAttributeNames=["All"])["Messages"]
    hinted = next(one for one in received if one["Body"] == "hinted")
    texts = {name: found["StringValue"] for name, found in hinted["MessageAttributes"].items()}
    seen["hints come back"] = asdict(read_hints(texts))
    seen["delayed"] = archive.delay(hinted["ReceiptHandle"], 3600)
    (parked,) = sqs.receive_message(QueueUrl=dead, MessageAttributeNames=["All"])["Messages"]
    seen["reason"] = sorted((name, found["StringValue"]) for name, found in parked["MessageAttributes"].items())
    return seen


def ledger(cloud: Cloud) -> Observed:
    dynamodb, at = cloud.client("dynamodb"), "2026-01-31T09:30:00.000+00:00"
    dynamodb.create_table(
        TableName=cloud.name,
        BillingMode="PAY_PER_REQUEST",
        AttributeDefinitions=[{"AttributeName": name, "AttributeType": "S"} for name in ("record", "attachment_id")],
        KeySchema=[
            {"AttributeName": "record", "KeyType": "HASH"},
            {"AttributeName": "attachment_id", "KeyType": "RANGE"},
        ],
    )
    ledger, usage = Ledger(dynamodb, cloud.name), CreditUsage(dynamodb, cloud.name, lambda: 1_769_850_000.0)
    requests = [ArchiveRequest("Contacts", "1", str(number)) for number in range(130)]
    for request in requests[:3]:
        ledger.record_listing(request, ListedAttachment(str(request.attachment_id), 5, name="Größe.pdf"), "Müller", at)
    for _ in range(2):
        usage.add(Usage(3, 40_000))
    found = ledger.find(requests)
    return {
        "found": {place: asdict(entry) for place, entry in sorted(found.items())},
        "of a record": len(list(ledger.entries_of("Contacts", "1"))),
        "all": sorted(entry.request.place for entry in ledger.entries()),
        "a second row": ledger.put(found["Contacts/1/0"]),
        "credits": asdict(usage.used()),
    }


def secrets(cloud: Cloud) -> Observed:
    client = cloud.client("secretsmanager")
    empty, token, webhook = (client.create_secret(Name=f"{cloud.name}-{kind}")["ARN"] for kind in "etw")
    seen: Observed = {
        "no value": outcome(AccessTokens(client, empty, "https://api.example").current),
        "no webhook secret": WebhookSecret(client, empty).accepted(),
    }
    for number in (1, 2):
        client.put_secret_value(SecretId=webhook, SecretString=json.dumps({"webhook_secret": f"secret-{number}"}))
    client.put_secret_value(SecretId=token, SecretBinary=json.dumps({"access_token": "1000.a.b"}).encode())
    seen["both stages"] = WebhookSecret(client, webhook).accepted()
    seen["as bytes"] = AccessTokens(client, token, "https://api.example").current().value
    return seen


SCENARIOS = (storage, retention, queue, ledger, secrets)


@pytest.mark.parametrize("scenario", SCENARIOS, ids=lambda scenario: scenario.__name__)
def test_both_emulators_agree(clouds: tuple[Cloud, Cloud], scenario: Callable[[Cloud], Observed]) -> None:
    """What the application sees is the same, but for the known lines."""
    ours, theirs = (scenario(cloud) for cloud in clouds)
    differ = {name: (ours[name], theirs.get(name)) for name in ours if ours[name] != theirs.get(name)}

    assert set(differ) == {name for name in KNOWN if name in ours}, differ


def test_what_agrees_is_also_right(clouds: tuple[Cloud, Cloud]) -> None:
    """Two emulators that do nothing would agree as well."""
    seen = storage(clouds[1].__class__(clouds[1].url, clouds[1].secure))

    assert "AlreadyThereError" == seen["put streamed, second"]
    assert (hashlib.sha256(b"small").hexdigest(), 5) == seen["put bytes, first"]
    assert len(KEYS) + 4 == len(seen["sizes"])  # type: ignore[arg-type]
    assert seen["head of nothing"] is None
