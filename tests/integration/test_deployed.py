"""Both triggers of the deployed application, as its users call them."""

import json
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest

from local.deployment import STACK_NAME
from tests.bigin import TOKEN, sha256
from tests.deployed import Deployed

ERROR = {"status": "error", "message": "m", "details": {}}
MIB = 1024 * 1024


def test_the_api_archives_now(deployed: Deployed) -> None:
    """201 with the object, then 200; the bytes in S3 are those of Bigin."""
    request = deployed.bigin.add(b"by the API", file_name="Überblick.txt")

    answers = [deployed.post(request) for _ in range(2)]

    assert [201, 200] == [answer.status_code for answer in answers]
    assert sha256(b"by the API") == answers[0].json()["sha256"] == answers[1].json()["sha256"]
    assert [b"by the API"] == deployed.objects(request)
    assert 1 == deployed.bigin.downloads(request)


def test_a_large_file_streams_through_both_triggers(deployed: Deployed) -> None:
    """100 MB through the API and 30 MB through the queue arrive byte for byte."""
    by_api = deployed.bigin.add(size_bytes=100 * MIB, seed=1)
    by_queue = deployed.bigin.add(size_bytes=30 * MIB, seed=2)
    sums = {found["attachment_id"]: found["sha256"] for found in deployed.bigin.attachments()}

    deployed.send(by_queue)
    answer = deployed.post(by_api)

    assert (201, sums[by_api["attachment_id"]]) == (answer.status_code, answer.json()["sha256"])
    stored = deployed.until(lambda: deployed.objects(by_queue))
    assert [sums[by_queue["attachment_id"]]] == [sha256(content) for content in stored]


def test_the_queue_archives_a_mixed_batch(deployed: Deployed) -> None:
    """Good messages are archived once, malformed ones are parked with their reason, failing ones are retried, links
    and gone files are done.
    """
    bigin = deployed.bigin
    deployed.dead_letters()
    good = [bigin.add(b"good %d" % number) for number in range(6)]
    late = bigin.add(b"late" * 1000)
    bigin.fault({"kind": "cut", "after": "half", "framing": "chunked"}, attachment_id=late["attachment_id"], times=2)
    settled = [
        {name: found[name] for name in ("module", "record_id", "attachment_id")}
        for found in bigin.attachments()
        if found["kind"] != "file"
    ]
    poison = ["no json", json.dumps({"module": "Contacts", "record_id": 5, "attachment_id": "1"})]

    deployed.send(*good, late, *poison, *settled)

    deployed.until(lambda: deployed.objects(late) and deployed.queue_is_empty())
    assert [[b"good %d" % number] for number in range(6)] == [deployed.objects(request) for request in good]
    assert [1] * 6 == [bigin.downloads(request) for request in good]
    assert [b"late" * 1000] == deployed.objects(late)
    parked = deployed.dead_letters()
    assert sorted(poison) == sorted(message["Body"] for message in parked)
    assert {"invalid_request"} == {m["MessageAttributes"]["error_code"]["StringValue"] for m in parked}
    assert all(m["MessageAttributes"]["error_detail"]["StringValue"] for m in parked)


def test_duplicates_end_in_one_object_and_one_version(deployed: Deployed) -> None:
    """One attachment, requested ten times by the queue and five times by the API at once."""
    request = deployed.bigin.add(b"once" * 50_000)
    deployed.bigin.fault({"kind": "delay", "seconds": 0.1}, times=None)
    deployed.send(*[request] * 10)
    with ThreadPoolExecutor(5) as callers:
        statuses = [answer.status_code for answer in callers.map(deployed.post, [request] * 5)]

    deployed.until(deployed.queue_is_empty)

    assert set(statuses) <= {200, 201}
    assert [b"once" * 50_000] == deployed.objects(request)


def test_respond_async_and_whole_records_go_through_the_queue(deployed: Deployed) -> None:
    """202, and then every attachment of the record stands in S3."""
    requests = [deployed.bigin.add(b"%d" % number, module="Accounts", record_id="991") for number in range(12)]

    answers = [
        deployed.post(requests[0], {"Prefer": "respond-async"}),
        deployed.post({"module": "Companies", "record_id": "991"}),
    ]

    assert [(202, {"status": "queued", "queued": 1})] * 2 == [(a.status_code, a.json()) for a in answers]
    deployed.until(lambda: all(deployed.objects(request) for request in requests))
    deployed.until(deployed.queue_is_empty)
    assert [[b"%d" % number] for number in range(12)] == [deployed.objects(request) for request in requests]


def test_at_most_eight_downloads_run_at_once(deployed: Deployed) -> None:
    """However many messages wait, the queue's workers leave room under Bigin's limit of ten."""
    requests = [deployed.bigin.add(b"%d" % number) for number in range(40)]
    deployed.bigin.fault({"kind": "delay", "seconds": 0.2}, times=None)

    deployed.send(*requests)

    deployed.until(lambda: all(deployed.objects(request) for request in requests))
    assert deployed.bigin.calls()["max_concurrent"] <= 8


@pytest.fixture
def unhurried(deployed: Deployed) -> Iterator[Deployed]:
    """The API's function has ten times its 29 s, so that it queues nothing on a busy machine."""
    functions = deployed.stack.client("lambda")
    resources = deployed.stack.client("cloudformation").describe_stack_resources(StackName=STACK_NAME)["StackResources"]
    (name,) = (one["PhysicalResourceId"] for one in resources if one["LogicalResourceId"] == "ArchiveNowFunction")
    timeout_s = functions.get_function_configuration(FunctionName=name)["Timeout"]
    functions.update_function_configuration(FunctionName=name, Timeout=10 * timeout_s)
    yield deployed
    functions.update_function_configuration(FunctionName=name, Timeout=timeout_s)


def test_at_most_ten_calls_in_all_reach_bigin(unhurried: Deployed) -> None:
    """Twenty callers of the API beside a full queue: at most ten calls at one time, and every caller gets its file."""
    queued, now = ([unhurried.bigin.add(b"%d" % number) for number in range(count)] for count in (40, 20))
    unhurried.bigin.fault({"kind": "delay", "seconds": 0.3}, times=None)

    unhurried.send(*queued)
    with ThreadPoolExecutor(20) as callers:
        statuses = [answer.status_code for answer in callers.map(unhurried.post, now)]

    assert [201] * 20 == statuses
    unhurried.until(lambda: all(unhurried.objects(request) for request in queued + now))
    assert unhurried.bigin.calls()["max_concurrent"] <= 10


CODES: list[tuple[int, Any, dict[str, str], int, str]] = [
    (204, "", {}, 404, "attachment_gone"),
    (400, {"code": "DOWNLOAD_NOT_ALLOWED", **ERROR}, {}, 422, "link_attachment"),
    (400, {"code": "INVALID_MODULE", **ERROR}, {}, 502, "bigin_refused"),
    (401, {"code": "OAUTH_SCOPE_MISMATCH", **ERROR}, {}, 502, "bigin_scope_missing"),
    (401, {"code": "INVALID_TOKEN", **ERROR}, {}, 502, "bigin_token_rejected"),
    (429, {"code": "TOO_MANY_REQUESTS", **ERROR}, {"Retry-After": "3"}, 503, "bigin_rate_limited"),
    (502, "<html>bad gateway</html>", {"Content-Type": "text/html"}, 503, "bigin_unavailable"),
]


@pytest.mark.parametrize(("status", "body", "headers", "expected", "code"), CODES)
def test_the_api_tells_each_error_of_bigin(
    deployed: Deployed, status: int, body: Any, headers: dict[str, str], expected: int, code: str
) -> None:
    """Problem documents with the contract's code, through the real API."""
    request = deployed.bigin.add(b"x")
    deployed.bigin.answer(status, body, headers, times=None)

    answer = deployed.post(request)

    assert (expected, code) == (answer.status_code, answer.json()["code"])
    assert "application/problem+json" == answer.headers["Content-Type"]
    assert answer.json()["detail"]
    assert [] == deployed.objects(request)
    if expected == 503:
        assert int(answer.headers["Retry-After"]) > 0


def test_the_api_tells_an_incomplete_download(deployed: Deployed) -> None:
    """A body that is cut off is answered with 503, and nothing is stored."""
    request = deployed.bigin.add(b"x" * 5000)
    deployed.bigin.fault({"kind": "cut", "after": "half", "framing": "content-length"})

    answer = deployed.post(request)

    assert (503, "download_incomplete") == (answer.status_code, answer.json()["code"])
    assert [] == deployed.objects(request)


def test_the_api_tells_a_file_that_is_too_large(deployed: Deployed) -> None:
    """A file above the limit of 1 GiB is answered with 413, before a byte is read."""
    request = deployed.bigin.add(b"x")
    deployed.bigin.fault({"kind": "declared", "size": 1024 * MIB + 1})

    answer = deployed.post(request)

    assert (413, "attachment_too_large") == (answer.status_code, answer.json()["code"])


def test_a_conflict_is_parked(deployed: Deployed) -> None:
    """An object of another size than Bigin lists is not touched; the message is parked with its reason."""
    deployed.dead_letters()
    request = deployed.bigin.add(b"x", file_name="a.txt", record_id="994")
    key = f"{deployed.description['prefix']}Contacts/994/{request['attachment_id']}/a.txt"
    deployed.s3.put_object(Bucket=deployed.bucket, Key=key, Body=b"other")

    deployed.send({"module": "Contacts", "record_id": "994"})

    parked = deployed.until(deployed.dead_letters)
    assert [("content_conflict", request)] == [
        (m["MessageAttributes"]["error_code"]["StringValue"], json.loads(m["Body"])) for m in parked
    ]
    assert [b"other"] == deployed.objects(request)


@pytest.mark.parametrize("body", ["", "[", "[]", '{"module": "Contacts"}', '{"module": "Contacts", "record_id": 5}'])
def test_the_api_refuses_malformed_requests(deployed: Deployed, body: str) -> None:
    """A malformed request is answered with 400 and a sentence that says how it should be."""
    answer = deployed.post(body)

    assert (400, "invalid_request") == (answer.status_code, answer.json()["code"])


def test_a_body_of_300_kb_is_refused(deployed: Deployed) -> None:
    """A body of 300 KB is refused: a request takes 200 bytes."""
    answer = deployed.post({"module": "Contacts", "record_id": "1", "x": "y" * 300_000})

    assert (400, "invalid_request") == (answer.status_code, answer.json()["code"])


def test_storage_that_is_denied_is_told_and_mended(deployed: Deployed) -> None:
    """A bucket policy that denies the write: 500 storage_refused; without it the same request succeeds."""
    request = deployed.bigin.add(b"denied at first")
    policy = deployed.s3.get_bucket_policy(Bucket=deployed.bucket)["Policy"]
    denied = json.loads(policy)
    denied["Statement"].append(
        {
            "Effect": "Deny",
            "Principal": "*",
            "Action": "s3:PutObject",
            "Resource": f"arn:aws:s3:::{deployed.bucket}/*",
        }
    )
    deployed.s3.put_bucket_policy(Bucket=deployed.bucket, Policy=json.dumps(denied))
    try:
        answer = deployed.post(request)
    finally:
        deployed.s3.put_bucket_policy(Bucket=deployed.bucket, Policy=policy)

    assert (500, "storage_refused") == (answer.status_code, answer.json()["code"])
    assert 201 == deployed.post(request).status_code


def test_what_the_deployment_lacks_is_told(deployed: Deployed) -> None:
    """A queue that is gone is 503 storage_unavailable, a setting that is gone 500 internal_error; then all is well."""
    functions = deployed.stack.client("lambda")
    resources = deployed.stack.client("cloudformation").describe_stack_resources(StackName=STACK_NAME)
    name = next(
        found["PhysicalResourceId"]
        for found in resources["StackResources"]
        if found["LogicalResourceId"] == "ArchiveNowFunction"
    )
    settings = functions.get_function_configuration(FunctionName=name)["Environment"]["Variables"]
    request = deployed.bigin.add(b"x")
    answers = []
    try:
        for broken in (
            {**settings, "QUEUE_URL": settings["QUEUE_URL"] + "-gone"},
            {setting: value for setting, value in settings.items() if setting != "BUCKET"},
        ):
            functions.update_function_configuration(FunctionName=name, Environment={"Variables": broken})
            answers.append(deployed.post(request, {"Prefer": "respond-async"}))
    finally:
        functions.update_function_configuration(FunctionName=name, Environment={"Variables": settings})

    codes = [(answer.status_code, answer.json()["code"]) for answer in answers]
    assert [(503, "storage_unavailable"), (500, "internal_error")] == codes
    assert 201 == deployed.post(request).status_code


def test_an_unsigned_request_is_refused_by_the_api(deployed: Deployed) -> None:
    """``POST /attachments`` needs a signature; Bigin is not called."""
    request = deployed.bigin.add(b"x")

    assert 403 == deployed.post(request, sign=False).status_code

    assert 0 == deployed.bigin.calls()["total"]


def test_a_webhook_archives_a_record(deployed: Deployed) -> None:
    """Bigin's call, unsigned but with the secret, and the attachments appear in S3."""
    requests = [deployed.bigin.add(b"%d" % number, module="Tasks", record_id="993") for number in range(3)]
    stored = deployed.secrets.get_secret_value(SecretId=deployed.description["webhook_secret_id"])["SecretString"]
    secret = json.loads(stored)["webhook_secret"]
    body = {"module": "Tasks", "ids": ["993"], "operation": "update"}

    wrong = deployed.post({**body, "token": "wrong"}, path="/webhooks/bigin", sign=False)
    right = deployed.post({**body, "token": secret}, path="/webhooks/bigin", sign=False)

    assert 40 == len(secret)
    assert (401, "unauthorized") == (wrong.status_code, wrong.json()["code"])
    assert (202, {"status": "queued", "queued": 1}) == (right.status_code, right.json())
    deployed.until(lambda: all(deployed.objects(request) for request in requests))


def test_a_dead_token_loses_nothing(deployed: Deployed) -> None:
    """With a revoked token few calls reach Bigin and nothing is parked. With a new token all is archived."""
    requests = [deployed.bigin.add(b"%d" % number) for number in range(30)]
    deployed.bigin.control("DELETE", "tokens")

    deployed.send(*requests)

    deployed.until(lambda: deployed.bigin.calls()["total"] > 0)
    refused = deployed.bigin.calls()["total"]
    deployed.bigin.control("POST", "tokens", {"token": "mended"})
    deployed.connect("mended")
    deployed.until(lambda: all(deployed.objects(request) for request in requests))
    assert refused <= 20
    assert [] == deployed.dead_letters()
    deployed.bigin.control("POST", "tokens", {"token": TOKEN})


def test_the_refresher_connects_a_stack_without_a_token(deployed: Deployed) -> None:
    """Invoked with ``{}`` it renews the token at once."""
    name = deployed.description["refresh_token_function"]
    deployed.connect("dead-token")

    answer = deployed.stack.client("lambda").invoke(FunctionName=name, Payload=b"{}")

    assert "refreshed" == json.load(answer["Payload"])["status"]
    assert 201 == deployed.post(deployed.bigin.add(b"x")).status_code
