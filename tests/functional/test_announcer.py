"""``announce_archived`` as Lambda calls it: S3's events in, events on the bus out, of what is stored and ours alone."""

import json
from typing import Any

import pytest

from local.event_listener import listen
from tests.archived import Archive
from tests.aws import Aws
from tests.bigin import Simulator
from tests.event_schema import check
from tests.lambdas import Context, load

HIDDEN = {"VisibilityTimeout": "3600"}


class Chain:
    """Event queue, function and bus of one test; ``heard`` is what a consumer got."""

    def __init__(self, aws: Aws, monkeypatch: pytest.MonkeyPatch) -> None:
        self.aws, self.events = aws, aws.client("events")
        self.bus = f"{aws.bucket}-bus"
        self.events.create_event_bus(Name=self.bus)
        self.queue_url = aws.sqs.create_queue(QueueName=f"{aws.bucket}-events", Attributes=HIDDEN)["QueueUrl"]
        self._heard_url = listen(self.bus, events=self.events, sqs=aws.sqs, name=f"{aws.bucket}-heard")
        monkeypatch.setenv("EVENT_BUS", self.bus)
        monkeypatch.setenv("EVENT_QUEUE_URL", self.queue_url)
        self.handler = load("announce_archived").handler

    def send(self, *bodies: object) -> None:
        for body in bodies:
            text = body if isinstance(body, str) else json.dumps(body)
            self.aws.sqs.send_message(QueueUrl=self.queue_url, MessageBody=text)

    def run(self, attempt: int = 1, seconds: float = 60) -> int:
        """Work on what is visible, a batch at a time; return how many messages come again."""
        again = 0
        while True:
            found = self.aws.sqs.receive_message(QueueUrl=self.queue_url, MaxNumberOfMessages=10).get("Messages", [])
            if not found:
                return again
            records = [
                {
                    "messageId": one["MessageId"],
                    "body": one["Body"],
                    "receiptHandle": one["ReceiptHandle"],
                    "attributes": {"ApproximateReceiveCount": str(attempt)},
                }
                for one in found
            ]
            answer = self.handler({"Records": records}, Context(seconds))
            staying = {failed["itemIdentifier"] for failed in answer["batchItemFailures"]}
            again += len(staying)
            for one in found:
                if one["MessageId"] not in staying:
                    self.aws.sqs.delete_message(QueueUrl=self.queue_url, ReceiptHandle=one["ReceiptHandle"])

    def heard(self) -> list[dict[str, Any]]:
        """The details of the events since the last time, each checked against the published schema."""
        return [check(json.loads(message["Body"])) for message in self.aws.messages(self._heard_url)]


def told(aws: Aws, key: str, version_id: str | None, **fields: Any) -> dict[str, Any]:
    """What S3 tells of a write, as EventBridge hands it on."""
    stored = {"key": key, "size": 1, "etag": "e", "sequencer": "00"}
    if version_id:
        stored["version-id"] = version_id
    detail = {"version": "0", "bucket": {"name": aws.bucket}, "object": stored, "reason": "PutObject"}
    return {"source": "aws.s3", "detail-type": "Object Created", "detail": {**detail, **fields}}


@pytest.fixture
def chain(aws: Aws, monkeypatch: pytest.MonkeyPatch) -> Chain:
    return Chain(aws, monkeypatch)


def test_each_version_is_announced_with_its_id(chain: Chain, bigin: Simulator) -> None:
    """An event that comes twice is announced twice with the same id, with or without S3's version id."""
    entries = Archive(chain.aws, bigin).new(12)

    chain.send(*(told(chain.aws, str(entry.key), entry.version_id) for entry in entries))
    chain.send(*(told(chain.aws, str(entry.key), None) for entry in entries[:2]))
    assert chain.run() == 0

    heard = chain.heard()
    assert len(heard) == 14
    assert len({detail["metadata"]["id"] for detail in heard}) == 12
    expected = {(entry.key, entry.version_id, entry.sha256, entry.size_bytes, "file", False) for entry in entries}
    assert expected == {
        (
            detail["data"]["key"],
            detail["data"]["version_id"],
            detail["data"]["sha256"],
            detail["data"]["size_bytes"],
            detail["data"]["kind"],
            detail["metadata"]["replay"],
        )
        for detail in heard
    }


def test_a_link_is_announced_as_one(chain: Chain, bigin: Simulator) -> None:
    """A link is announced with its shortcut, as the archive path stores it."""
    place = {"module": "Contacts", "record_id": "9191"}
    bigin.control("POST", "attachments", {**place, "attachment_id": "1", "kind": "link", "file_name": "a link",
                                          "link_url": "https://example.com/"})  # fmt: skip
    worker = load("archive_queued").handler
    record = {"messageId": "1", "body": json.dumps(place), "receiptHandle": "r",
              "attributes": {"ApproximateReceiveCount": "1"}}  # fmt: skip
    worker({"Records": [record]}, Context(300))
    (key,) = chain.aws.objects()

    chain.send(told(chain.aws, key, None))
    assert chain.run() == 0

    (detail,) = chain.heard()
    assert (detail["data"]["kind"], detail["data"]["record_id"]) == ("link", "9191")


def test_what_is_not_ours_or_not_there_is_not_announced(chain: Chain, bigin: Simulator) -> None:
    """A stranger's upload, a report, another bucket, a deleted object or version: done, without an event."""
    aws = chain.aws
    gone, hidden, kept = Archive(aws, bigin).new(3)
    aws.s3.put_object(Bucket=aws.bucket, Key="bigin/Contacts/1/2/stranger.txt", Body=b"?")
    aws.s3.put_object(Bucket=aws.bucket, Key="bigin/_audit/latest.json", Body=b"{}")
    aws.s3.put_object(Bucket=aws.bucket, Key="elsewhere/a.txt", Body=b"?")
    aws.s3.delete_object(Bucket=aws.bucket, Key=gone.key, VersionId=gone.version_id)
    aws.s3.delete_object(Bucket=aws.bucket, Key=hidden.key)

    chain.send(
        told(aws, "bigin/Contacts/1/2/stranger.txt", None),
        told(aws, "bigin/_audit/latest.json", None),
        told(aws, "elsewhere/a.txt", None),
        told(aws, str(gone.key), gone.version_id),
        told(aws, str(gone.key), None),
        told(aws, str(hidden.key), None),  # a delete marker is the newest
        told(aws, str(kept.key), kept.version_id, bucket={"name": "of-another-tenant"}),
        {"source": "aws.s3", "detail-type": "Object Deleted", "detail": {}},
    )

    assert chain.run() == 0
    assert chain.heard() == []
    # The version below a delete marker is still there, and told by its id.
    chain.send(told(aws, str(hidden.key), hidden.version_id))
    assert chain.run() == 0
    assert [detail["data"]["version_id"] for detail in chain.heard()] == [hidden.version_id]


def test_what_cannot_be_announced_now_comes_again(chain: Chain, bigin: Simulator) -> None:
    """Messages for which there is no time, or that cannot be read, are kept, and the others are announced."""
    (entry,) = Archive(chain.aws, bigin).new()

    chain.send(told(chain.aws, str(entry.key), entry.version_id))
    assert chain.run(seconds=4) == 1
    chain.send("{")
    assert chain.run() == 1

    assert chain.heard() == []
    chain.send(told(chain.aws, str(entry.key), entry.version_id), "{")
    assert chain.run() == 1
    assert len(chain.heard()) == 1
