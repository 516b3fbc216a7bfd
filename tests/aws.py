"""AWS resources of one test, on the emulator, and what a function sees of them."""

import functools
import json
import uuid
from dataclasses import dataclass
from typing import Any

import boto3
from botocore.config import Config

from bigin_archive.api.archive_endpoint import ArchiveEndpoint
from bigin_archive.archiving.message import Message
from bigin_archive.archiving.queue_worker import Worker
from bigin_archive.aws.function_aws import FunctionAws
from bigin_archive.aws.s3_http import bucket_requests
from bigin_archive.queueing.archive_queue import SENT_BACK, read_correlation_id, read_hints
from bigin_archive.storage.object_store import ObjectStore
from bigin_archive.wiring.archive_now import archive_endpoint
from bigin_archive.wiring.archive_queued import worker
from local.emulator import Emulator
from tests.bigin import TOKEN

REGION = "us-east-1"


@dataclass(frozen=True, slots=True)
class Names:
    """What the resources of a test are called."""

    bucket: str
    leases_table: str
    ledger_table: str
    queue_url: str
    record_queue_url: str
    dead_letter_queue_url: str
    token_secret_id: str
    credentials_secret_id: str
    webhook_secret_id: str


class Aws:
    """Bucket, queues, secrets; clients with the rights of the account's root."""

    def __init__(self, emulator: Emulator, bigin_url: str) -> None:
        self._emulator = emulator
        self._begin(bigin_url)

    def _begin(self, bigin_url: str) -> None:
        self.s3, self.sqs = self._shared("s3"), self._shared("sqs")
        self.secrets, self.dynamodb = self._shared("secretsmanager"), self._shared("dynamodb")
        names = self._made(f"test-{uuid.uuid4().hex[:12]}")
        self.bucket, self.ledger_table = names.bucket, names.ledger_table
        self.queue_url, self.record_queue_url = names.queue_url, names.record_queue_url
        self.dead_letter_queue_url = names.dead_letter_queue_url
        self.token_secret_id, self.credentials_secret_id = names.token_secret_id, names.credentials_secret_id
        self.webhook_secret_id = names.webhook_secret_id
        self.environment = {
            **self._endpoints(),
            "LEASES_TABLE": names.leases_table,
            "LEDGER_TABLE": self.ledger_table,
            "AWS_ACCESS_KEY_ID": "test",
            "AWS_SECRET_ACCESS_KEY": "test",
            "AWS_DEFAULT_REGION": REGION,
            "POWERTOOLS_SERVICE_NAME": "bigin-archive",
            "POWERTOOLS_METRICS_NAMESPACE": "BiginArchive",
            "DATA_CENTER": "US",
            "BIGIN_API_URL": bigin_url,
            "BIGIN_ACCOUNTS_URL": bigin_url,
            "BUCKET": self.bucket,
            "KEY_PREFIX": "bigin/",
            "MAX_FILE_SIZE_MIB": "1024",
            "TOKEN_SECRET_ID": self.token_secret_id,
            "CREDENTIALS_SECRET_ID": self.credentials_secret_id,
            "WEBHOOK_SECRET_ID": self.webhook_secret_id,
            "QUEUE_URL": self.queue_url,
            "RECORD_QUEUE_URL": self.record_queue_url,
            "RECORD_QUEUE_DELAY_S": "90",
            "DEAD_LETTER_QUEUE_URL": self.dead_letter_queue_url,
            "DOWNLOAD_THREADS": "4",
            "SWEEP_SCHEDULE": "cron(0 1 * * ? *)",
            "DEAD_LETTER_QUEUE_URLS": self.dead_letter_queue_url,
            "DAILY_CREDITS": "50000",
            "CREDITS_SHARE_PERCENT": "50",
            "RETRY_DELAY_S": "1",
            "RETRY_DELAY_MAX_S": "20",
        }
        self.bigin_url = bigin_url
        self.store_token(TOKEN)

    def _made(self, name: str) -> Names:
        """Make everything."""
        self.s3.create_bucket(Bucket=name)
        self.s3.put_bucket_versioning(Bucket=name, VersioningConfiguration={"Status": "Enabled"})
        queues = [
            self.sqs.create_queue(QueueName=f"{name}{ending}", Attributes=attributes)["QueueUrl"]
            for ending, attributes in (
                ("", {"VisibilityTimeout": "1800"}),
                ("-records.fifo", {"FifoQueue": "true", "DelaySeconds": "0"}),
                # What a test has taken out does not come back, however slow the machine is.
                ("-dead", {"VisibilityTimeout": "1800"}),
            )
        ]
        secrets = [
            self.secrets.create_secret(Name=f"{name}-{each}")["ARN"] for each in ("token", "credentials", "webhook")
        ]
        self._make_table(name, "lease")
        self._make_table(f"{name}-ledger", "record", "attachment_id")
        return Names(name, name, f"{name}-ledger", *queues, *secrets)

    def _make_table(self, name: str, *key: str) -> None:
        self.dynamodb.create_table(
            TableName=name,
            BillingMode="PAY_PER_REQUEST",
            AttributeDefinitions=[{"AttributeName": each, "AttributeType": "S"} for each in key],
            KeySchema=[
                {"AttributeName": each, "KeyType": kind} for each, kind in zip(key, ("HASH", "RANGE"), strict=False)
            ],
        )

    def _endpoints(self) -> dict[str, str]:
        """Where a function finds AWS."""
        return {"AWS_ENDPOINT_URL": self._emulator.url, "AWS_CA_BUNDLE": str(self._emulator.ca_bundle)}

    def _shared(self, service: str) -> Any:
        return _shared_client(self._emulator.url, str(self._emulator.ca_bundle), service)

    def client(self, service: str, signature: str | None = None) -> Any:
        """A client of this test's own, for what it registers with it."""
        return _client(self._emulator.url, str(self._emulator.ca_bundle), service, signature)

    def storage(self) -> ObjectStore:
        """The bucket, as the functions see it."""
        told = self.environment
        url = told.get("AWS_ENDPOINT_URL_S3", told["AWS_ENDPOINT_URL"])
        requests = bucket_requests(FunctionAws(told), self.bucket, endpoint_url=url, read_timeout_s=30, connections=4)
        return ObjectStore(requests, self.bucket)

    def store_token(self, token: str, **more: str) -> None:
        self.put_secret(self.token_secret_id, {"access_token": token, "api_domain": self.bigin_url, **more})

    def put_secret(self, secret_id: str, value: object) -> None:
        text = value if isinstance(value, str) else json.dumps(value)
        self.secrets.put_secret_value(SecretId=secret_id, SecretString=text)

    def stored_keys(self) -> list[str]:
        """The keys of all objects; one with two versions fails the test."""
        versions = self.s3.list_object_versions(Bucket=self.bucket).get("Versions", [])
        keys = [version["Key"] for version in versions]
        assert len(keys) == len(set(keys)), "a key has more than one version"
        return keys

    def objects(self) -> dict[str, bytes]:
        """Every object, by its key; a key with two versions fails the test."""
        return {key: self.s3.get_object(Bucket=self.bucket, Key=key)["Body"].read() for key in self.stored_keys()}

    def head(self, key: str) -> dict[str, Any]:
        found: dict[str, Any] = self.s3.head_object(Bucket=self.bucket, Key=key, ChecksumMode="ENABLED")
        return found

    def messages(self, queue_url: str) -> list[dict[str, Any]]:
        """What lies visible in a queue (at most 100), taken out."""
        found: list[dict[str, Any]] = []
        for _ in range(10):
            answer = self.sqs.receive_message(
                QueueUrl=queue_url, MaxNumberOfMessages=10, MessageAttributeNames=["All"], WaitTimeSeconds=0
            )
            found += answer.get("Messages", [])
            if not answer.get("Messages"):
                break
        return found

    def deliver(self, *bodies: object) -> list[Message]:
        """Send the bodies and receive them, as Lambda's event source does."""
        for body in bodies:
            self.sqs.send_message(
                QueueUrl=self.queue_url, MessageBody=body if isinstance(body, str) else json.dumps(body)
            )
        messages: list[Message] = []
        while len(messages) < len(bodies):
            messages += self.receive()
        return messages

    def receive(self) -> list[Message]:
        """Up to ten messages with their hints, as Lambda's event source brings them."""
        answer = self.sqs.receive_message(
            QueueUrl=self.queue_url,
            MaxNumberOfMessages=10,
            AttributeNames=["ApproximateReceiveCount"],
            MessageAttributeNames=["All"],
        )
        return [
            Message(
                found["MessageId"],
                found["Body"],
                found["ReceiptHandle"],
                int(found["Attributes"]["ApproximateReceiveCount"]),
                read_hints(attributes := _values(found)),
                read_correlation_id(attributes),
                was_sent_back=SENT_BACK in attributes,
            )
            for found in answer.get("Messages", [])
        ]

    def worker(self, **environment: str) -> Worker:
        return worker({**self.environment, **environment})

    def archive_or_queue(self, **environment: str) -> ArchiveEndpoint:
        return archive_endpoint({**self.environment, **environment})


def _client(url: str, ca_bundle: str, service: str, signature: str | None = None) -> Any:
    return boto3.client(
        service,
        endpoint_url=url,
        verify=ca_bundle,
        aws_access_key_id="test",
        aws_secret_access_key="test",
        region_name=REGION,
        config=Config(s3={"addressing_style": "path"}, signature_version=signature),
    )


# To make one takes longer than most of the tests use it.
_shared_client = functools.cache(_client)


def _values(message: dict[str, Any]) -> dict[str, str]:
    return {name: found["StringValue"] for name, found in message.get("MessageAttributes", {}).items()}
