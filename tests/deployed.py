"""The deployed application as its users see it: API, queues, bucket."""

import json
import time
from collections.abc import Callable
from typing import Any

import requests

from local.stack import LocalStack
from tests.bigin import TOKEN, Simulator

PATIENCE_S = 180  # how long anything may take before a test gives up


class Deployed:
    """A running local stack with its simulator."""

    def __init__(self, stack: LocalStack, bigin: Simulator) -> None:
        self.stack, self.bigin = stack, bigin
        self.description = stack.description
        self.bucket = stack.description["bucket"]
        self.queue_url = stack.description["queue_url"]
        self.dead_letter_queue_url = stack.description["dead_letter_queue_url"]
        self.s3, self.sqs, self.secrets = (stack.client(name) for name in ("s3", "sqs", "secretsmanager"))

    def connect(self, token: str = TOKEN) -> None:
        """Store an access token as ``authorize`` does."""
        stored = {"access_token": token, "api_domain": self.bigin.url}
        self.secrets.put_secret_value(SecretId=self.description["token_secret_id"], SecretString=json.dumps(stored))

    def post(
        self, body: object, headers: dict[str, str] | None = None, path: str = "/attachments", *, sign: bool = True
    ) -> requests.Response:
        return self.stack.post(path, body, headers, sign=sign, timeout_s=PATIENCE_S)

    def send(self, *bodies: object) -> None:
        for body in bodies:
            text = body if isinstance(body, str) else json.dumps(body)
            self.sqs.send_message(QueueUrl=self.queue_url, MessageBody=text)

    def objects(self, request: dict[str, Any]) -> list[bytes]:
        """All versions of all objects of one attachment."""
        prefix = "{}{}/{}/{}/".format(
            self.description["prefix"], request["module"], request["record_id"], request["attachment_id"]
        )
        versions = self.s3.list_object_versions(Bucket=self.bucket, Prefix=prefix).get("Versions", [])
        return [
            self.s3.get_object(Bucket=self.bucket, Key=version["Key"], VersionId=version["VersionId"])["Body"].read()
            for version in versions
        ]

    def dead_letters(self) -> list[dict[str, Any]]:
        """Take all messages out of the dead-letter queue."""
        found: list[dict[str, Any]] = []
        while True:
            answer = self.sqs.receive_message(
                QueueUrl=self.dead_letter_queue_url, MaxNumberOfMessages=10, MessageAttributeNames=["All"]
            ).get("Messages", [])
            for message in answer:
                self.sqs.delete_message(QueueUrl=self.dead_letter_queue_url, ReceiptHandle=message["ReceiptHandle"])
            found += answer
            if not answer:
                return found

    def queue_is_empty(self) -> bool:
        names = ["ApproximateNumberOfMessages", "ApproximateNumberOfMessagesNotVisible"]
        counts = self.sqs.get_queue_attributes(QueueUrl=self.queue_url, AttributeNames=names)["Attributes"]
        return all(int(counts[name]) == 0 for name in names)

    def until(self, condition: Callable[[], Any]) -> Any:
        """Poll the outside world; the only wait of these tests."""
        end = time.monotonic() + PATIENCE_S
        while time.monotonic() < end:
            if found := condition():
                return found
            time.sleep(0.1)
        raise AssertionError("not within the time that anything may take")
