"""The Lambda functions as Lambda calls them: events in, answers out."""

import base64
import json
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from bigin_archive.settings import SettingsError
from tests.aws import Aws
from tests.bigin import TOKEN, Simulator, sha256
from tests.lambdas import Context, api_event, load, sqs_event

pytestmark = pytest.mark.in_memory

ERROR = {"status": "error", "message": "m", "details": {}}
SECRET = "s3cret-of-forty-characters-0123456789abc"


def problem(answer: dict[str, Any]) -> tuple[int, str]:
    document = json.loads(answer["body"])
    assert "application/problem+json" == answer["headers"]["Content-Type"]
    assert {"type", "title", "status", "detail", "code", "request_id"} == set(document)
    assert answer["statusCode"] == document["status"]
    if answer["statusCode"] == 503:
        assert int(answer["headers"]["Retry-After"]) > 0
    return answer["statusCode"], document["code"]


def test_archive_now_answers_201_then_200(aws: Aws, bigin: Simulator) -> None:
    """The first request archives, the second finds it; both tell the same object."""
    handler = load("archive_now").handler
    request = bigin.add(b"content", file_name="Größe.txt", content_type="text/plain;charset=UTF-8")

    first, second = (handler(api_event(request), Context()) for _ in range(2))

    assert [201, 200] == [first["statusCode"], second["statusCode"]]
    body = json.loads(first["body"])
    assert {
        "status": "archived",
        "bucket": aws.bucket,
        "key": f"bigin/Contacts/{request['record_id']}/{request['attachment_id']}/Größe.txt",
        "version_id": body["version_id"],
        "size_bytes": 7,
        "sha256": sha256(b"content"),
        "content_type": "text/plain;charset=UTF-8",
        "file_name": "Größe.txt",
    } == body
    assert {**body, "status": "already_archived"} == json.loads(second["body"])


def test_the_object_carries_the_metadata_of_the_contract(aws: Aws, bigin: Simulator) -> None:
    """The object's metadata hold module, ids and the unchanged name, and S3 keeps its checksum."""
    name = "a/b é (1).pdf"
    request = bigin.add(b"content", file_name=name, content_type="application/pdf;charset=UTF-8")
    answer = json.loads(load("archive_now").handler(api_event(request), Context())["body"])

    head = aws.head(answer["key"])

    assert answer["key"].endswith("/a_b é (1).pdf")
    assert {
        "bigin-module": "Contacts",
        "bigin-record-id": request["record_id"],
        "bigin-attachment-id": request["attachment_id"],
        "file-name": "a%2Fb%20%C3%A9%20%281%29.pdf",
    } == head["Metadata"]
    assert "application/pdf" == head["ContentType"]
    assert "attachment; filename*=UTF-8''a_b%20%C3%A9%20%281%29.pdf" == head["ContentDisposition"]
    assert sha256(b"content") == base64.b64decode(head["ChecksumSHA256"]).hex()


@pytest.mark.parametrize(
    ("status", "body", "headers", "expected"),
    [
        (400, {"code": "INVALID_DATA", **ERROR}, {}, (404, "attachment_gone")),
        (204, "", {}, (404, "attachment_gone")),
        (400, {"code": "DOWNLOAD_NOT_ALLOWED", **ERROR}, {}, (422, "link_attachment")),
        (403, {"code": "NO_PERMISSION", **ERROR}, {}, (502, "bigin_refused")),
        (404, {"code": "INVALID_URL_PATTERN", **ERROR}, {}, (502, "bigin_refused")),
        (403, {"code": "OAUTH_SCOPE_MISMATCH", **ERROR}, {}, (502, "bigin_scope_missing")),
        (401, {"code": "INVALID_TOKEN", **ERROR}, {}, (502, "bigin_token_rejected")),
        (429, {"code": "TOO_MANY_REQUESTS", **ERROR}, {"Retry-After": "7"}, (503, "bigin_rate_limited")),
        (500, {"code": "INTERNAL_ERROR", **ERROR}, {}, (503, "bigin_unavailable")),
        (200, {"code": "INTERNAL_ERROR", **ERROR}, {}, (503, "bigin_unavailable")),
        (200, "<html>log in</html>", {"Content-Type": "text/html"}, (503, "bigin_unavailable")),
    ],
)
def test_archive_now_tells_what_bigin_says(
    aws: Aws, bigin: Simulator, status: int, body: Any, headers: dict[str, str], expected: tuple[int, str]
) -> None:
    """Each answer of Bigin becomes the problem that the contract names; nothing is stored."""
    request = bigin.add(b"content")
    bigin.answer(status, body, headers, times=None)

    answer = load("archive_now").handler(api_event(request), Context())

    assert expected == problem(answer)
    assert {} == aws.objects()
    if "Retry-After" in headers:
        assert headers["Retry-After"] == answer["headers"]["Retry-After"]


@pytest.mark.parametrize("prefer", ["respond-async", "wait=10, Respond-Async", "respond-async; x=1"])
def test_prefer_respond_async_queues_the_body_unchanged(aws: Aws, bigin: Simulator, prefer: str) -> None:
    """With ``Prefer: respond-async`` the request waits in the queue as it was sent."""
    body = json.dumps({**bigin.add(b"x"), "own": "key"}, indent=1)

    answer = load("archive_now").handler(api_event(body, {"prefer": prefer}), Context())

    assert (202, {"status": "queued", "queued": 1}) == (answer["statusCode"], json.loads(answer["body"]))
    assert [body] == [message["Body"] for message in aws.messages(aws.queue_url)]
    assert 0 == bigin.calls()["total"]


def test_a_whole_record_is_queued(aws: Aws, bigin: Simulator) -> None:
    """Without attachment_id one message is queued: the record."""
    answer = load("archive_now").handler(api_event({"module": "Companies", "record_id": "1"}), Context())

    assert (202, {"status": "queued", "queued": 1}) == (answer["statusCode"], json.loads(answer["body"]))
    assert 0 == bigin.calls()["total"]


def test_a_queue_that_is_gone_is_told(aws: Aws, monkeypatch: pytest.MonkeyPatch) -> None:
    """If the queue is gone, the answer is not 202."""
    monkeypatch.setenv("QUEUE_URL", aws.queue_url + "-gone")

    answer = load("archive_now").handler(api_event({"module": "Notes", "record_id": "1"}), Context())

    assert (503, "storage_unavailable") == problem(answer)


SETTINGS = ["BUCKET", "QUEUE_URL", "TOKEN_SECRET_ID", "MAX_FILE_SIZE_MIB", "DATA_CENTER"]


@pytest.mark.parametrize("name", SETTINGS)
def test_a_missing_setting_is_named_at_the_workers_cold_start(
    aws: Aws, monkeypatch: pytest.MonkeyPatch, name: str
) -> None:
    """A worker whose environment lacks a setting does not start, says which, and leaves its messages."""
    monkeypatch.delenv(name)

    with pytest.raises(SettingsError, match=name):
        load("archive_queued")


@pytest.mark.parametrize(
    ("function", "name"), [*(("archive_now", name) for name in SETTINGS), ("receive_webhook", "WEBHOOK_SECRET_ID")]
)
def test_a_missing_setting_is_named_in_the_answer(
    aws: Aws, monkeypatch: pytest.MonkeyPatch, function: str, name: str
) -> None:
    """A caller of the API is told which setting the deployment lacks."""
    monkeypatch.delenv(name)

    answer = load(function).handler(api_event({"module": "Notes", "record_id": "1"}), Context())

    assert (500, "internal_error") == problem(answer)
    assert name in json.loads(answer["body"])["detail"]


def test_the_worker_names_the_messages_that_stay(aws: Aws, bigin: Simulator) -> None:
    """The worker's partial batch response names only the messages that must come back."""
    good, cut = bigin.add(b"good"), bigin.add(b"cut")
    bigin.fault({"kind": "reset-before-headers"}, attachment_id=cut["attachment_id"], times=9)
    event = sqs_event([json.dumps(good), json.dumps(cut), "poison"])

    answer = load("archive_queued").handler(event, Context(300))

    assert {"batchItemFailures": [{"itemIdentifier": event["Records"][1]["messageId"]}]} == answer


bodies = (
    st.none()
    | st.text(max_size=300)
    | st.dictionaries(st.text(), st.text() | st.integers() | st.none()).map(json.dumps)
)


@settings(max_examples=400, deadline=None, suppress_health_check=list(HealthCheck))
@given(body=bodies, encoded=st.booleans(), later=st.booleans())
def test_no_body_is_a_bug(now: Any, body: str | None, encoded: bool, later: bool) -> None:
    """Whatever 400 bodies hold, the answer is a problem with its remedy, never an internal error."""
    headers = {"Prefer": "respond-async"} if later else {}

    answer = now.handler(api_event(body, headers, isBase64Encoded=encoded), Context())

    assert (400, "invalid_request") == problem(answer)


@pytest.fixture
def now(aws: Aws) -> Any:
    return load("archive_now")


def test_a_webhook_queues_its_records(aws: Aws) -> None:
    """With the secret, each record that a notification names is queued once, and a burst adds nothing."""
    aws.put_secret(aws.webhook_secret_id, {"webhook_secret": SECRET})
    handler = load("receive_webhook").handler
    body = {"module": "Contacts", "ids": ["11", "12", "11"], "operation": "insert", "token": SECRET}

    answers = [handler(api_event(body), Context()) for _ in range(5)]

    for answer in answers:
        assert (202, {"status": "queued", "queued": 2}) == (answer["statusCode"], json.loads(answer["body"]))
    queued = [json.loads(message["Body"]) for message in aws.messages(aws.record_queue_url)]
    # Two in a row may lie on both sides of a minute's end; five cannot make more than two of each.
    assert {"11", "12"} == {request["record_id"] for request in queued}
    assert len(queued) in (2, 4)


def test_a_webhook_with_an_attachment_queues_it_at_once(aws: Aws) -> None:
    """What names its attachment needs no listing, and no delay."""
    aws.put_secret(aws.webhook_secret_id, {"webhook_secret": SECRET})
    body = {"module": "Notes", "id": "11", "attachment_id": "12", "token": SECRET}

    assert 202 == load("receive_webhook").handler(api_event(body), Context())["statusCode"]

    expected = {"module": "Notes", "record_id": "11", "attachment_id": "12"}
    assert [expected] == [json.loads(message["Body"]) for message in aws.messages(aws.queue_url)]


def test_records_are_handed_on(aws: Aws) -> None:
    """After their delay records go to the queue of archive requests, unchanged."""
    bodies = [json.dumps({"module": "Notes", "record_id": str(number)}) for number in range(10)]

    load("queue_records").handler(sqs_event(bodies), Context())

    assert bodies == sorted(message["Body"] for message in aws.messages(aws.queue_url))


@pytest.mark.parametrize(
    ("event", "expected"),
    [
        ({}, 401),
        ({"headers": {"X-Webhook-Secret": "wrong"}}, 401),
        ({"headers": {"x-webhook-secret": SECRET}, "body": '{"module": "Contacts", "id": "1"}'}, 202),
        ({"headers": {}, "queryStringParameters": {"secret": SECRET, "module": "Tasks", "id": "1"}}, 202),
        ({"headers": {"X-Webhook-Secret": "wrong"}, "queryStringParameters": {"secret": SECRET}}, 401),
        ({"headers": {"X-Webhook-Secret": SECRET}, "body": '{"module": "Contacts", "id": ""}'}, 400),
        ({"headers": {"X-Webhook-Secret": SECRET}, "body": '{"module": "Contacts", "id": "null"}'}, 400),
        ({"headers": {"X-Webhook-Secret": SECRET}, "body": '{"module": "Leads", "id": "1"}'}, 400),
        ({"headers": {"X-Webhook-Secret": SECRET}, "body": "x" * 100}, 400),
        (
            {"headers": {"X-Webhook-Secret": SECRET}, "body": '{"module": "Notes", "ids": ["1"], "attachment_id": ""}'},
            202,
        ),
    ],
)
def test_webhooks_are_authenticated_then_read(aws: Aws, event: dict[str, Any], expected: int) -> None:
    """The first place that is filled decides; then module and ids must be well-formed."""
    aws.put_secret(aws.webhook_secret_id, {"webhook_secret": SECRET})

    answer = load("receive_webhook").handler({**api_event(), **event}, Context())

    assert expected == answer["statusCode"]
    assert (1 if expected == 202 else 0) == len(aws.messages(aws.record_queue_url))


def test_without_a_configured_secret_every_webhook_is_refused(aws: Aws) -> None:
    """No secret, no entry: not even with an empty one."""
    handler = load("receive_webhook").handler
    for secret in ("", "x"):
        answer = handler(api_event({"module": "Tasks", "id": "1", "token": secret}), Context())

        assert (401, "unauthorized") == problem(answer)


@pytest.mark.processes
def test_both_secrets_of_a_rotation_are_accepted(aws: Aws) -> None:
    """AWSCURRENT and AWSPREVIOUS both open the door; what is older does not."""
    handler = load("receive_webhook").handler
    for secret in ("one", "two", "three"):
        aws.put_secret(aws.webhook_secret_id, {"webhook_secret": secret})
    statuses = [
        handler(api_event({"module": "Tasks", "id": "1", "token": secret}), Context())["statusCode"]
        for secret in ("one", "two", "three")
    ]

    assert [401, 202, 202] == statuses


def test_a_secret_is_accepted_as_soon_as_it_is_stored(aws: Aws) -> None:
    """A new secret is accepted at once, also if a forged call came just before."""
    handler = load("receive_webhook").handler
    aws.put_secret(aws.webhook_secret_id, {"webhook_secret": "old"})
    statuses = []
    for secret in ("old", "forged", "new"):
        if secret == "new":
            aws.put_secret(aws.webhook_secret_id, {"webhook_secret": "new"})
        statuses.append(handler(api_event({"module": "Tasks", "id": "1", "token": secret}), Context())["statusCode"])

    assert [202, 401, 202] == statuses


def test_a_deletion_is_recorded_and_deletes_nothing(aws: Aws, capsys: pytest.CaptureFixture[str]) -> None:
    """``operation: delete`` is answered with nothing queued, and one log line."""
    aws.put_secret(aws.webhook_secret_id, {"webhook_secret": SECRET})
    body = {"module": "Contacts", "ids": ["11"], "operation": "delete", "token": SECRET}

    answer = load("receive_webhook").handler(api_event(body), Context())

    assert (202, {"status": "queued", "queued": 0}) == (answer["statusCode"], json.loads(answer["body"]))
    lines = [json.loads(line) for line in capsys.readouterr().out.splitlines()]
    (recorded,) = (line for line in lines if "outcome" in line)
    assert ("recorded", "Contacts", "11", 0) == tuple(
        recorded[name] for name in ("outcome", "module", "record_id", "queued")
    )


@pytest.mark.parametrize("named", [{"module": "Leads", "ids": ["1"]}, {"module": "Contacts", "ids": []}, {}])
def test_a_deletion_of_what_is_not_known_is_recorded_too(
    aws: Aws, capsys: pytest.CaptureFixture[str], named: dict[str, Any]
) -> None:
    """Nothing is to be done for it, so Bigin need not list it as a failure."""
    aws.put_secret(aws.webhook_secret_id, {"webhook_secret": SECRET})
    handler = load("receive_webhook").handler

    answer = handler(api_event({**named, "operation": "delete", "token": SECRET}), Context())

    assert (202, {"status": "queued", "queued": 0}) == (answer["statusCode"], json.loads(answer["body"]))
    assert '"outcome":"recorded"' in capsys.readouterr().out


def test_an_odd_attribute_parks_its_message_alone(aws: Aws, bigin: Simulator) -> None:
    """A size of 5,000 digits, which nothing of ours sends, is a dead letter with its reason; its neighbours go on."""
    odd, other = bigin.add(b"odd"), bigin.add(b"other")
    event = sqs_event([json.dumps(odd), json.dumps(other)])
    event["Records"][0]["messageAttributes"] = {
        "listed_size_bytes": {"stringValue": "9" * 5000, "dataType": "String"},
    }
    event["Records"][1]["messageAttributes"] = {
        "listed_size_bytes": {"stringValue": "five", "dataType": "String"},
        "listed_name": {"binaryValue": "AA==", "dataType": "Binary"},
        "stringless": {"stringValue": None, "dataType": "String"},
    }

    answer = load("archive_queued").handler(event, Context(120))

    (parked,) = aws.messages(aws.dead_letter_queue_url)
    assert {"batchItemFailures": []} == answer
    assert (json.dumps(odd), "invalid_request") == (
        parked["Body"],
        parked["MessageAttributes"]["error_code"]["StringValue"],
    )
    assert [b"other"] == list(aws.objects().values())


@pytest.mark.processes
def test_secrets_may_be_stored_as_bytes(aws: Aws, bigin: Simulator) -> None:
    """A webhook secret, a token and credentials that came from a file (SecretBinary) are read as text."""
    for secret_id, value in (
        (aws.webhook_secret_id, {"webhook_secret": SECRET}),
        (aws.token_secret_id, {"access_token": TOKEN, "api_domain": bigin.url}),
        (aws.credentials_secret_id, {"client_id": "test", "client_secret": "test", "refresh_token": "test"}),
    ):
        aws.secrets.put_secret_value(SecretId=secret_id, SecretBinary=b"\xef\xbb\xbf" + json.dumps(value).encode())

    webhook = load("receive_webhook").handler(
        api_event({"module": "Contacts", "ids": ["1"]}, {"X-Webhook-Secret": SECRET}), Context()
    )
    archived = load("archive_now").handler(api_event(bigin.add(b"content")), Context())
    refreshed = load("refresh_token").handler({}, Context())

    assert (202, 201) == (webhook["statusCode"], archived["statusCode"])
    assert "refreshed" == refreshed["status"]


@pytest.mark.processes
def test_binary_credentials_that_are_no_text_are_a_failure(aws: Aws) -> None:
    """Credentials that are no text are a failure. The stack does not count as one that waits to be connected."""
    aws.secrets.put_secret_value(SecretId=aws.credentials_secret_id, SecretBinary=b"\xff\xfe\x00")

    answer = load("refresh_token").handler({}, Context())

    assert ("failed", "bad_credentials") == (answer["status"], answer["code"])


def test_refresh_token_stores_a_whole_token(aws: Aws, bigin: Simulator) -> None:
    """The refresher exchanges the stored credentials and writes token, expiry and host."""
    credentials = {"client_id": "test", "client_secret": "test", "refresh_token": "test"}
    aws.put_secret(aws.credentials_secret_id, credentials)

    answer = load("refresh_token").handler({}, Context(60))

    stored = json.loads(aws.secrets.get_secret_value(SecretId=aws.token_secret_id)["SecretString"])
    assert "refreshed" == answer["status"]
    assert {"access_token", "expires_at", "api_domain"} == set(stored)
    assert bigin.url == stored["api_domain"]
    assert 201 == load("archive_now").handler(api_event(bigin.add(b"x")), Context())["statusCode"]


@pytest.mark.parametrize(
    ("status", "body"),
    [
        (200, {"error": "invalid_code"}),
        (200, {"error": "invalid_client"}),
        (400, {"error": "Access Denied", "error_description": "too many requests", "status": "failure"}),
        (500, "<html>oops</html>"),
        (503, ""),
        (200, "<html>log in</html>"),
        (200, '{"access_token": "1000.abc", "expi'),
        (200, {"access_token": "t", "api_domain": "https://www.zohoapis.eu", "expires_in": 3600}),
        (200, {"access_token": "t", "api_domain": "https://evil.example", "expires_in": 3600}),
        (200, {"api_domain": "x", "expires_in": 3600}),
        (200, {"access_token": ""}),
        (200, {"access_token": "two\r\nlines"}),
        (200, {"access_token": 5}),
        (200, "[]"),
        (302, ""),
    ],
)
def test_a_bad_answer_never_replaces_a_good_token(aws: Aws, bigin: Simulator, status: int, body: Any) -> None:
    """Whatever the accounts server says, the stored token stays, and the failure is told."""
    credentials = {"client_id": "test", "client_secret": "test", "refresh_token": "test"}
    aws.put_secret(aws.credentials_secret_id, credentials)
    before = aws.secrets.get_secret_value(SecretId=aws.token_secret_id)["SecretString"]
    bigin.answer(status, body, {"Location": "http://127.0.0.1:1/"}, call="token", times=None)

    answer = load("refresh_token").handler({}, Context(60))

    assert "failed" == answer["status"]
    assert answer["detail"]
    assert before == aws.secrets.get_secret_value(SecretId=aws.token_secret_id)["SecretString"]
