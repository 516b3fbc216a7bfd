"""Callers with keys, as API Gateway calls the two functions: the authorizer first, then ``/callers/attachments``."""

import json
import secrets
import time
from typing import Any, Literal

import pytest
import requests

from bigin_archive.callers import caller_key
from bigin_archive.callers.caller import Caller
from bigin_archive.callers.caller_key import CallerKey
from bigin_archive.callers.caller_limits import CALLS_A_SECOND, LINKS_A_DAY, CallerLimits
from bigin_archive.callers.caller_table import CallerTable
from bigin_archive.clock import iso, parse
from bigin_archive.http_errors import TooManyLinksError, TooManyRequestsError
from tests.aws import Aws
from tests.bigin import Simulator, sha256
from tests.lambdas import Context, api_event, load, sqs_event

pytestmark = pytest.mark.in_memory

ARN = "arn:aws:execute-api:us-east-1:123456789012:api/v1/POST/callers/attachments"
DAY_S = 24 * 3600


class Door:
    """Both functions of one test, freshly started, and a table of callers."""

    def __init__(self, aws: Aws, monkeypatch: pytest.MonkeyPatch) -> None:
        table = f"{aws.bucket}-callers"
        aws.dynamodb.create_table(
            TableName=table,
            BillingMode="PAY_PER_REQUEST",
            AttributeDefinitions=[{"AttributeName": "key_id", "AttributeType": "S"}],
            KeySchema=[{"AttributeName": "key_id", "KeyType": "HASH"}],
        )
        monkeypatch.setenv("CALLERS_TABLE", table)
        self.aws = aws
        self.table = CallerTable(aws.dynamodb, table)
        self.authorize, self.answer = load("authorize_caller").handler, load("answer_caller").handler
        self._seconds = 0

    def add(self, right: str = "archive", days: float = 1, **fields: Any) -> CallerKey:
        key = caller_key.new(secrets.token_bytes)
        times = {"created_at": iso(time.time()), "ends_at": iso(time.time() + days * DAY_S)}
        self.table.add(Caller(**{"key_id": key.key_id, "name": "x", "right": right, "sha256": key.sha256, **times,
                                 **fields}))  # fmt: skip
        return key

    def policy(self, authorization: str | None, name: str = "Authorization") -> dict[str, Any]:
        headers = {} if authorization is None else {name: authorization}
        made: dict[str, Any] = self.authorize({"methodArn": ARN, "headers": headers}, Context())
        return made

    def call(self, key: CallerKey, body: object = None, **event: Any) -> dict[str, Any]:
        """A second after the last call, so that no limit is met by accident."""
        context = self.policy(f"Bearer {key.text}").get("context", {})
        self._seconds += 1
        made = api_event(body, **{"httpMethod": "POST", **event})
        made["requestContext"] |= {
            "authorizer": context,
            "requestTimeEpoch": round((time.time() + self._seconds) * 1000),
        }
        answer: dict[str, Any] = self.answer(made, Context())
        return {"status": answer["statusCode"], "headers": answer["headers"], **json.loads(answer["body"])} | {
            "http": answer["statusCode"]
        }

    def get(self, key: CallerKey, request: dict[str, str], **query: str) -> dict[str, Any]:
        return self.call(key, httpMethod="GET", pathParameters=request, queryStringParameters=query or None)


@pytest.fixture
def door(aws: Aws, monkeypatch: pytest.MonkeyPatch) -> Door:
    return Door(aws, monkeypatch)


def effect(policy: dict[str, Any]) -> str:
    (statement,) = policy["policyDocument"]["Statement"]
    # The answer is kept for a minute and for every route: it must be about all of them.
    assert statement["Resource"] == "arn:aws:execute-api:us-east-1:123456789012:api/v1/*"
    assert statement["Action"] == "execute-api:Invoke"
    return str(statement["Effect"])


def test_the_authorizer_knows_whom_it_admits(door: Door) -> None:
    """A key that is valid opens every route, and comes with its id, right and end; header names have no case."""
    key = door.add("link")

    for name in ("Authorization", "authorization"):
        policy = door.policy(f"Bearer {key.text}", name)
        assert effect(policy) == "Allow"
        assert policy["principalId"] == key.key_id
        assert (policy["context"]["key_id"], policy["context"]["right"]) == (key.key_id, "link")


def test_what_is_no_valid_key_is_denied(door: Door, bigin: Simulator) -> None:
    """A missing, malformed, unknown, ended or expired key gets the same refusal, without a reason."""
    known, other = door.add(), door.add()
    ended, expired = door.add(ended_at=iso(time.time())), door.add(days=-1)
    forged = f"bak_{known.key_id}_{other.text[-43:]}"
    unknown = caller_key.new(secrets.token_bytes)

    refusals = [
        door.policy(header)
        for header in (
            None,
            "",
            "Bearer",
            f"Basic {known.text}",
            known.text,
            f"Bearer {forged}",
            f"Bearer {unknown.text}",
            f"Bearer {ended.text}",
            f"Bearer {expired.text}",
        )
    ]

    assert {effect(policy) for policy in refusals} == {"Deny"}
    assert all(policy == refusals[0] for policy in refusals)
    assert bigin.calls()["total"] == 0


def test_a_key_in_an_address_opens_nothing(door: Door) -> None:
    """The query string and the path stand in logs everywhere: the authorizer does not look there."""
    key = door.add()
    event = {"methodArn": ARN, "headers": {}, "queryStringParameters": {"Authorization": f"Bearer {key.text}"}}

    assert effect(door.authorize({**event, "path": f"/callers/{key.text}"}, Context())) == "Deny"


def test_a_key_ends_at_once_behind_the_cache(door: Door) -> None:
    """The authorizer looks at the table each time: only what API Gateway keeps, for 60 s, outlives the end."""
    key = door.add()
    assert effect(door.policy(f"Bearer {key.text}")) == "Allow"

    assert door.table.end(key.key_id, iso(time.time()))

    assert effect(door.policy(f"Bearer {key.text}")) == "Deny"
    assert not door.table.end(key.key_id, iso(time.time()))


def test_a_table_that_is_gone_denies_nobody(door: Door) -> None:
    """If the table cannot be read, API Gateway answers 503, so that a caller does not think its key has ended."""
    key = door.add()
    door.aws.dynamodb.delete_table(TableName=f"{door.aws.bucket}-callers")

    with pytest.raises(Exception, match="cannot be used"):
        door.policy(f"Bearer {key.text}")


def test_post_answers_as_post_attachments(door: Door, bigin: Simulator) -> None:
    """POST answers 201 with the object, then 200, and the bytes are in S3."""
    key, request = door.add(), bigin.add(b"content", file_name="Größe.txt", content_type="text/plain")

    first, second = door.call(key, request), door.call(key, request)

    assert (first["http"], second["http"]) == (201, 200)
    assert first["sha256"] == second["sha256"] == sha256(b"content")
    assert (first["status"], second["status"]) == ("archived", "already_archived")
    assert "download" not in first
    assert door.aws.objects() == {first["key"]: b"content"}


@pytest.mark.processes
def test_a_link_downloads_this_version_for_its_time(door: Door, bigin: Simulator) -> None:
    """POST and GET give an address of S3 that names the version, and that ends when the answer says."""
    key, request = door.add("link"), bigin.add(b"content")

    posted = door.call(key, {**request, "download_link_seconds": 60})
    got = door.get(key, request, download_link_seconds="900")

    for answer, seconds in ((posted, 60), (got, 900)):
        url = answer["download"]["url"]
        with requests.Session() as http:
            http.trust_env = False
            assert http.get(url, verify=door.aws.environment["AWS_CA_BUNDLE"]).content == b"content"
        assert f"X-Amz-Expires={seconds}" in url
        assert f"versionId={answer['version_id']}" in url
        assert abs(_seconds_until(answer["download"]["expires_at"]) - seconds) < 30


@pytest.mark.processes
def test_a_file_in_an_archive_tier_has_no_link(door: Door, bigin: Simulator) -> None:
    """The answer says what to do, in place of a link that S3 would refuse. Without a link it is as usual."""
    key, request = door.add("link"), bigin.add(b"content")
    stored = door.call(key, request)["key"]
    head = door.aws.head(stored)
    # Of two versions the first would count, which can be read at once.
    door.aws.s3.delete_object(Bucket=door.aws.bucket, Key=stored, VersionId=head["VersionId"])
    door.aws.s3.put_object(
        Bucket=door.aws.bucket, Key=stored, Body=b"content", Metadata=head["Metadata"], StorageClass="GLACIER"
    )
    row = {"record": {"S": f"Contacts/{request['record_id']}"}, "attachment_id": {"S": request["attachment_id"]}}
    door.aws.dynamodb.delete_item(TableName=door.aws.ledger_table, Key=row)  # so that S3's present version counts

    plain, posted = door.call(key, request), door.call(key, {**request, "download_link_seconds": 60})
    got = door.get(key, request, download_link_seconds="60")

    assert plain["http"] == 200
    for answer in (posted, got):
        assert (answer["http"], answer["code"]) == (500, "storage_refused")
        assert "archive tier" in answer["detail"]


def _seconds_until(moment: str) -> float:
    found = parse(moment)
    assert found
    return found.timestamp() - time.time()


def test_without_the_right_there_is_no_link_and_nothing_is_archived(door: Door, bigin: Simulator) -> None:
    """Without the right, POST and GET answer 403 before Bigin is called."""
    key, request = door.add("archive"), bigin.add(b"content")

    answers = [
        door.call(key, {**request, "download_link_seconds": 60}),
        door.get(key, request, download_link_seconds="60"),
    ]

    assert [(answer["http"], answer["code"]) for answer in answers] == [(403, "forbidden")] * 2
    assert bigin.calls()["total"] == 0


def test_a_time_out_of_range_archives_nothing(door: Door, bigin: Simulator) -> None:
    """A time out of range is answered with 400 before Bigin is called."""
    key, request = door.add("link"), bigin.add(b"content")

    for seconds in (59, 901, "x", None):
        answer = door.call(key, {**request, "download_link_seconds": seconds})
        assert (answer["http"], answer["code"]) == (400, "invalid_request")

    assert bigin.calls()["total"] == 0


def test_get_tells_what_became_of_it(door: Door, bigin: Simulator) -> None:
    """GET answers 404 before the request, 202 while it waits, and 200 with the object once it is archived."""
    key, request = door.add(), bigin.add(b"content")

    unknown = door.get(key, request)
    queued = door.call(key, request, headers={"Prefer": "respond-async"})
    pending = door.get(key, request)
    (message,) = door.aws.messages(door.aws.queue_url)
    load("archive_queued").handler(sqs_event([message["Body"]]), Context(300))
    done = door.get(key, request)

    assert (unknown["http"], unknown["code"]) == (404, "unknown_attachment")
    assert [(answer["http"], answer["status"], answer["queued"]) for answer in (queued, pending)] == [
        (202, "queued", 1)
    ] * 2
    assert (done["http"], done["sha256"]) == (200, sha256(b"content"))


ERROR = {"status": "error", "message": "m", "details": {}}


def test_get_tells_why_there_is_no_file(door: Door, bigin: Simulator) -> None:
    """GET and POST answer with the code of the outcome: gone, a link, or the reason for which it was parked."""
    key = door.add()
    archive_queued = load("archive_queued").handler
    gone, refused = bigin.add(b"content", record_id="701"), bigin.add(b"content", record_id="702")
    link = bigin.add(b"", kind="link", link_url="https://example.com/", file_name="a link", record_id="703")
    bigin.control("DELETE", f"attachments/{gone['attachment_id']}")
    bigin.answer(403, {"code": "NO_PERMISSION", **ERROR}, times=None, attachment_id=refused["attachment_id"])

    for request, expected in (
        (gone, (404, "attachment_gone")),
        (link, (422, "link_attachment")),
        (refused, (502, "bigin_refused")),
    ):
        door.call(key, request, headers={"Prefer": "respond-async"})
        archive_queued(sqs_event([json.dumps(request)]), Context(300))
        answer, posted = door.get(key, request), door.call(key, request)

        assert (answer["http"], answer["code"]) == expected == (posted["http"], posted["code"])
        assert answer["detail"]


def row_of(request: dict[str, str]) -> dict[str, Any]:
    return {"record": {"S": f"Contacts/{request['record_id']}"}, "attachment_id": {"S": request["attachment_id"]}}


def test_get_believes_s3_where_the_ledger_knows_nothing(door: Door, bigin: Simulator) -> None:
    """GET finds a file that has no row in the ledger, and does not take a stranger's object for it."""
    key, request, other = door.add(), bigin.add(b"content"), bigin.add(b"other")
    door.call(key, request)
    door.aws.dynamodb.delete_item(TableName=door.aws.ledger_table, Key=row_of(request))
    place = f"bigin/Contacts/{other['record_id']}/{other['attachment_id']}"
    door.aws.s3.put_object(Bucket=door.aws.bucket, Key=f"{place}/stranger.txt", Body=b"?")

    assert door.get(key, request)["sha256"] == sha256(b"content")
    assert door.get(key, other)["http"] == 404


def overwritten(
    door: Door, request: dict[str, str], key: str, algorithm: Literal["SHA256", "CRC32"] = "SHA256"
) -> None:
    """As a stranger does it who keeps our metadata."""
    metadata = {f"bigin-{name.replace('_', '-')}": value for name, value in request.items()}
    door.aws.s3.put_object(
        Bucket=door.aws.bucket, Key=key, Body=b"others", Metadata=metadata, ChecksumAlgorithm=algorithm
    )


@pytest.mark.parametrize("is_known", [True, False], ids=["with its row", "without"])
def test_get_tells_of_what_was_archived_first(door: Door, bigin: Simulator, *, is_known: bool) -> None:
    """Of an overwritten object GET names the first version, as the worker and the audit do."""
    key, request = door.add(), bigin.add(b"content")
    first = door.call(key, request)
    overwritten(door, request, first["key"])
    if not is_known:
        door.aws.dynamodb.delete_item(TableName=door.aws.ledger_table, Key=row_of(request))

    found = door.get(key, request)

    assert (first["sha256"], first["version_id"]) == (found["sha256"], found["version_id"])


@pytest.mark.parametrize("algorithm", ["SHA256", "CRC32"])
def test_get_tells_of_no_other_bytes(door: Door, bigin: Simulator, algorithm: Literal["SHA256", "CRC32"]) -> None:
    """Where the archived version is gone for good, and other bytes are in its place, that is a conflict: also where S3
    keeps no SHA-256 of these.
    """
    key, request = door.add(), bigin.add(b"content")
    file = f"bigin/Contacts/{request['record_id']}/{request['attachment_id']}/file.txt"
    overwritten(door, request, file, algorithm)
    row = {"state": "archived", "key": file, "version_id": "no-longer-there", "sha256": sha256(b"archived")}
    typed = {name: {"S": value} for name, value in row.items()}
    door.aws.dynamodb.put_item(TableName=door.aws.ledger_table, Item=row_of(request) | typed)

    answer = door.get(key, request)

    assert (409, "content_conflict") == (answer["http"], answer["code"])


def test_a_malformed_place_is_400(door: Door) -> None:
    """Module and ids in the address are checked as in a body."""
    key, place = door.add(), {"module": "Contacts", "record_id": "1", "attachment_id": "2"}

    for wrong in ({"module": "Calls"}, {"record_id": "x"}, {"attachment_id": "٢"}, {"attachment_id": ""}):
        answer = door.get(key, {**place, **wrong})
        assert (answer["http"], answer["code"]) == (400, "invalid_request")


def test_a_module_has_its_other_name_too(door: Door, bigin: Simulator) -> None:
    """Companies counts as Accounts, by GET and by POST."""
    key, request = door.add(), bigin.add(b"content", module="Accounts")

    assert door.call(key, {**request, "module": "Companies"})["http"] == 201
    assert door.get(key, {**request, "module": "Companies"})["http"] == 200


def test_whole_records_are_queued(door: Door) -> None:
    """A whole record is answered with 202 and one message, and has no link yet."""
    answer = door.call(door.add("link"), {"module": "Contacts", "record_id": "1", "download_link_seconds": 60})

    assert (answer["http"], answer["queued"]) == (202, 1)
    assert "download" not in answer


def test_without_the_authorizers_word_nobody_is_answered(door: Door) -> None:
    """401, also where API Gateway still keeps an answer about a key that expired within the minute."""
    event = api_event({"module": "Contacts", "record_id": "1"}, httpMethod="POST")

    for context in ({}, {"key_id": "x"}, {"key_id": "x", "right": "link", "ends_at": "2020-01-01"}):
        event["requestContext"]["authorizer"] = context
        answer = door.answer(event, Context())
        assert (answer["statusCode"], json.loads(answer["body"])["code"]) == (401, "unauthorized")


@pytest.mark.processes
def test_limits_are_those_of_the_key_alone(door: Door) -> None:
    """Each key has its own calls a second and links a day. Beyond them the answer names the seconds to wait."""
    limits = CallerLimits(door.aws.dynamodb, door.aws.environment["LEASES_TABLE"])
    at_s = 1_800_000_000.2
    for _ in range(CALLS_A_SECOND):
        limits.count_call("one", at_s)

    with pytest.raises(TooManyRequestsError) as refused:
        limits.count_call("one", at_s + 0.5)

    assert refused.value.retry_after_s == 1
    limits.count_call("two", at_s)
    limits.count_call("one", at_s + 1)
    assert limits.last_used(["one", "two", "three"]) == {"one": int(at_s) + 1, "two": int(at_s)}


def test_a_day_has_so_many_links(door: Door, bigin: Simulator) -> None:
    """One link too many is 429 with the time until midnight (UTC); the file is archived and told without a link."""
    key, request = door.add("link"), bigin.add(b"content")
    limits = CallerLimits(door.aws.dynamodb, door.aws.environment["LEASES_TABLE"])
    today = int(time.time() // DAY_S) * DAY_S
    limits.count_link(key.key_id, today)
    door.aws.dynamodb.update_item(
        TableName=door.aws.environment["LEASES_TABLE"],
        Key={"lease": {"S": f"caller-links/{key.key_id}"}},
        UpdateExpression="SET used = :most",
        ExpressionAttributeValues={":most": {"N": str(LINKS_A_DAY)}},
    )

    answer = door.call(key, {**request, "download_link_seconds": 60})

    assert (answer["http"], answer["code"]) == (429, "too_many_links")
    assert 0 < int(answer["headers"]["Retry-After"]) <= DAY_S
    assert door.call(key, request)["http"] == 200
    with pytest.raises(TooManyLinksError):
        limits.count_link(key.key_id, today + DAY_S - 1)
    limits.count_link(key.key_id, today + DAY_S)


@pytest.mark.processes
def test_the_sixth_call_of_a_second_is_429(door: Door) -> None:
    """The sixth call of a second is answered with 429 and Retry-After before the request is read."""
    key = door.add()
    context = door.policy(f"Bearer {key.text}")["context"]
    event = api_event("[", httpMethod="POST")
    event["requestContext"] |= {"authorizer": context, "requestTimeEpoch": round(time.time() * 1000)}

    statuses = [door.answer(event, Context()) for _ in range(CALLS_A_SECOND + 1)]

    assert [answer["statusCode"] for answer in statuses] == [400] * CALLS_A_SECOND + [429]
    assert statuses[-1]["headers"]["Retry-After"] == "1"
    assert json.loads(statuses[-1]["body"])["code"] == "too_many_requests"


@pytest.mark.processes
def test_the_log_names_the_key_by_its_id_alone(
    aws: Aws, bigin: Simulator, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """Each line has key id and correlation id; no line holds a key, a signed address or a file name."""
    door = Door(aws, monkeypatch)
    key, request = door.add("link"), bigin.add(b"content", file_name="geheim.pdf")

    door.call(key, {**request, "download_link_seconds": 60})
    door.get(key, request, download_link_seconds="60")
    door.get(key, {**request, "attachment_id": "1"})

    out = capsys.readouterr().out
    lines = [line for line in map(json.loads, out.splitlines()) if "outcome" in line]
    assert [line["outcome"] for line in lines] == ["archived", "link_issued", "looked_up", "link_issued", "refused"]
    assert {line["key_id"] for line in lines} == {key.key_id}
    for line in lines[:-1]:
        assert request == {name: line[name] for name in request}
    assert all(line["correlation_id"] for line in lines)
    for secret in (key.text[-43:], "X-Amz-Signature", "geheim"):
        assert secret not in out
