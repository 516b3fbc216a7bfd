"""Events in numbers: a storm of webhooks, a record with a thousand attachments, calls that are refused."""

import json
import time
from collections import Counter
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest

from bigin_archive.archiving.message import Message
from bigin_archive.archiving.queue_worker import Worker
from bigin_archive.deadline import Deadline
from tests.aws import Aws
from tests.bigin import Simulator
from tests.lambdas import Context, api_event, load, sqs_event
from tests.receiver import until

pytestmark = pytest.mark.in_memory

SECRET = "s3cret-of-forty-characters-0123456789abc"
GOOD = {"X-Webhook-Secret": SECRET}
FORM = "application/x-www-form-urlencoded"
CALLS, RECORDS = 1000, 700
ATTACHMENTS = 440  # three pages of a list
EACH_20TH = ATTACHMENTS // 20  # 5%


def batches(aws: Aws, queue_url: str) -> Iterator[list[dict[str, Any]]]:
    """What lies in a queue, as an event source takes it: up to ten at a time, deleted when they are worked on."""
    names = ["MessageDeduplicationId", "ApproximateReceiveCount"]
    while True:
        found = aws.sqs.receive_message(
            QueueUrl=queue_url, MaxNumberOfMessages=10, MessageSystemAttributeNames=names, MessageAttributeNames=["All"]
        ).get("Messages", [])
        if not found:
            return
        yield found
        if done := [
            {"Id": str(number), "ReceiptHandle": message["ReceiptHandle"]}
            for number, message in enumerate(found)
            if not message.get("stays")
        ]:
            aws.sqs.delete_message_batch(QueueUrl=queue_url, Entries=done)


def work(aws: Aws, worker: Worker) -> None:
    """Work on what is visible in the queue."""
    for batch in batches(aws, aws.queue_url):
        messages = [
            Message(
                found["MessageId"],
                found["Body"],
                found["ReceiptHandle"],
                int(found["Attributes"]["ApproximateReceiveCount"]),
            )
            for found in batch
        ]
        staying = set(worker.work(messages, Deadline(290)))
        for found in batch:
            found["stays"] = found["MessageId"] in staying


def is_empty(aws: Aws) -> bool:
    names = [
        "ApproximateNumberOfMessages",
        "ApproximateNumberOfMessagesNotVisible",
        "ApproximateNumberOfMessagesDelayed",
    ]
    counts = aws.sqs.get_queue_attributes(QueueUrl=aws.queue_url, AttributeNames=names)["Attributes"]
    return not any(int(counts[name]) for name in names)


def test_a_storm_of_webhooks(
    aws: Aws, bigin: Simulator, figure: Callable[[str], None], capsys: pytest.CaptureFixture[str]
) -> None:
    """1,000 calls, 30% of them duplicates: none lost, and at most one listing for a record and minute."""
    aws.put_secret(aws.webhook_secret_id, {"webhook_secret": SECRET})
    handler, hand_on = load("receive_webhook").handler, load("queue_records").handler
    ids = [str(77_000 + number) for number in range(RECORDS)]
    for record_id in ids:
        bigin.control("POST", "records", {"module": "Contacts", "record_id": record_id})
    bodies = [{"module": "Contacts", "ids": [one], "operation": "update", "token": SECRET} for one in ids]
    storm = [*bodies, *bodies[: CALLS - RECORDS]]

    started = time.monotonic()
    with ThreadPoolExecutor(8) as callers:
        answers = list(callers.map(lambda body: handler(api_event(body), Context()), storm))
    seconds = time.monotonic() - started
    spans = [message for batch in batches(aws, aws.record_queue_url) for message in batch]
    for start in range(0, len(spans), 10):
        hand_on(sqs_event([message["Body"] for message in spans[start : start + 10]]), Context())
    work(aws, aws.worker())

    capsys.readouterr()
    keys = Counter(message["Attributes"]["MessageDeduplicationId"] for message in spans)
    listings = Counter(call["path"] for call in bigin.calls()["log"] if call["call"] == "list")
    figure(
        f"{CALLS} webhooks in {seconds:.1f} s, {CALLS - RECORDS} of them duplicates: {RECORDS} records, "
        f"{listings.total()} listings, {RECORDS - len(listings)} lost"
    )
    assert {202} == {answer["statusCode"] for answer in answers}
    assert set(ids) == {json.loads(message["Body"])["record_id"] for message in spans}
    assert 1 == max(keys.values())
    assert RECORDS == len(listings)
    assert listings.total() == len(spans)


@pytest.mark.processes
def test_a_record_with_hundreds_of_attachments(
    aws: Aws, bigin: Simulator, figure: Callable[[str], None], capsys: pytest.CaptureFixture[str]
) -> None:
    """5% links, 5% gone before their download, 5% calls that fail once: each attachment has exactly one outcome."""
    kinds = {0: "link", 1: "gone", 2: "faulty"}
    every: dict[str, set[str]] = {kind: set() for kind in ("link", "gone", "faulty", "file")}
    for number in range(ATTACHMENTS):
        kind = kinds.get(number % 20, "file")
        more = {"kind": kind} if kind in ("link", "gone") else {}
        link = {"link_url": f"https://example.com/{number}"} if kind == "link" else {}
        made = bigin.add(b"%d" % number, record_id="77001", file_name=f"{number}.bin", **more, **link)
        every[kind].add(made["attachment_id"])
        if kind == "faulty" and number % 40 == 2:
            bigin.answer(500, "<html>oops</html>", attachment_id=made["attachment_id"])
        elif kind == "faulty":
            bigin.fault({"kind": "cut", "after": "half", "framing": "chunked"}, attachment_id=made["attachment_id"])
    bigin.control("DELETE", "calls")
    capsys.readouterr()
    aws.sqs.send_message(QueueUrl=aws.queue_url, MessageBody=json.dumps({"module": "Contacts", "record_id": "77001"}))
    worker = aws.worker()

    def drained() -> bool:
        work(aws, worker)
        return is_empty(aws)

    until(drained)

    lines = [json.loads(line) for line in capsys.readouterr().out.splitlines()]
    ends = Counter((line["attachment_id"], line["outcome"]) for line in lines if "attachment_id" in line)
    outcomes = {
        outcome: {found for found, ending in ends if ending == outcome} for outcome in ("archived", "gone", "retried")
    }
    keys = [key.split("/") for key in aws.objects()]
    shortcuts = {key[3] for key in keys if key[4].endswith(".url")}
    calls = bigin.calls()
    figure(
        f"record with {ATTACHMENTS} attachments: {len(outcomes['archived'])} archived, of them "
        f"{len(outcomes['retried'])} at the second try, {len(shortcuts)} links, {len(outcomes['gone'])} gone, 0 lost; "
        f"{calls['credits_used']} credits of Bigin: {calls['by_call']['list']} listing pages, "
        f"{calls['by_call']['download']} downloads"
    )
    assert every["link"] == shortcuts
    assert every["gone"] == outcomes["gone"]
    assert every["file"] | every["faulty"] == outcomes["archived"]
    assert every["faulty"] == outcomes["retried"]
    assert {1} == set(ends.values())
    assert ATTACHMENTS - EACH_20TH == len(keys)
    assert calls["credits_used"] == calls["by_call"]["list"] + calls["by_call"]["download"]
    assert ATTACHMENTS == calls["by_call"]["download"]
    assert [] == aws.messages(aws.dead_letter_queue_url)


BAD: list[tuple[dict[str, Any], int]] = [
    ({}, 401),
    ({"body": "x"}, 401),
    ({"body": '{"module": "Contacts", "id": "1"}'}, 401),
    ({"headers": {"X-Webhook-Secret": ""}, "body": '{"module": "Contacts", "id": "1"}'}, 401),
    ({"headers": {"X-Webhook-Secret": SECRET[:-1]}}, 401),
    ({"headers": {"X-Webhook-Secret": SECRET.upper()}}, 401),
    ({"headers": {"Authorization": SECRET}}, 401),
    ({"queryStringParameters": {"secret": "wrong", "module": "Contacts", "id": "1"}}, 401),
    ({"queryStringParameters": {"token": SECRET, "module": "Contacts", "id": "1"}}, 401),
    ({"body": json.dumps({"module": "Contacts", "id": "1", "token": [SECRET]})}, 401),
    ({"body": json.dumps({"module": "Contacts", "id": "1", "secret": SECRET})}, 401),
    ({"headers": GOOD}, 400),
    ({"headers": GOOD, "body": "["}, 400),
    ({"headers": GOOD, "body": "[]"}, 400),
    ({"headers": GOOD, "body": "null"}, 400),
    ({"headers": GOOD, "body": '{"id": "1"}'}, 400),
    ({"headers": GOOD, "body": '{"module": "Contacts"}'}, 400),
    ({"headers": GOOD, "body": '{"module": "Leads", "id": "1"}'}, 400),
    ({"headers": GOOD, "body": '{"module": "Contacts", "id": 1}'}, 400),
    ({"headers": GOOD, "body": '{"module": "Contacts", "id": "null"}'}, 400),
    ({"headers": GOOD, "body": '{"module": "Contacts", "id": "../1"}'}, 400),
    ({"headers": GOOD, "body": '{"module": "Contacts", "id": "%s"}' % ("1" * 51)}, 400),
    ({"headers": GOOD, "body": '{"module": "Contacts", "ids": []}'}, 400),
    ({"headers": GOOD, "body": json.dumps({"module": "Contacts", "ids": ["1"] * 1001})}, 400),
    ({"headers": GOOD, "body": '{"module": "Contacts", "id": "1", "attachment_id": "x"}'}, 400),
    ({"headers": GOOD, "body": json.dumps({"module": "Contacts", "id": "1", "x": "y" * 70_000})}, 400),
    ({"headers": GOOD, "body": "!", "isBase64Encoded": True}, 400),
    ({"headers": {**GOOD, "Content-Type": FORM}, "body": "module=Contacts"}, 400),
    ({"headers": {**GOOD, "Content-Type": FORM}, "body": "&".join(f"f{n}=1" for n in range(101))}, 400),
    ({"headers": {**GOOD, "Content-Type": "multipart/form-data"}, "body": "module=Contacts&id=1"}, 400),
]


def test_bad_calls_are_refused(aws: Aws, bigin: Simulator, figure: Callable[[str], None]) -> None:
    """Each bad call gets its status and its problem document. Nothing is queued, and Bigin is not called."""
    aws.put_secret(aws.webhook_secret_id, {"webhook_secret": SECRET})
    handler = load("receive_webhook").handler

    answers = [handler({**api_event(), **event}, Context()) for event, _ in BAD]

    assert [expected for _, expected in BAD] == [answer["statusCode"] for answer in answers]
    codes = {401: "unauthorized", 400: "invalid_request"}
    assert [codes[answer["statusCode"]] for answer in answers] == [json.loads(one["body"])["code"] for one in answers]
    assert not any(SECRET in answer["body"] for answer in answers)
    assert [] == aws.messages(aws.record_queue_url) + aws.messages(aws.queue_url)
    assert 0 == bigin.calls()["total"]
    figure(f"{len(BAD)} bad webhook calls refused, each with its status; 0 queued, 0 calls of Bigin")
