"""Pages of a thousand entries, read quickly: the same as botocore reads."""

import io
import json
from typing import Any
from xml.sax.saxutils import escape

import boto3
import pytest
from botocore.awsrequest import AWSResponse
from botocore.config import Config
from botocore.exceptions import ClientError
from hypothesis import given, settings
from hypothesis import strategies as st

from bigin_archive.aws import page_parser

SPACE = ' xmlns="http://s3.amazonaws.com/doc/2006-03-01/"'
TOLD = {"Key", "VersionId", "IsLatest", "LastModified", "Size"}


class Aws:
    """Answers ``body`` to every call; one client reads it as botocore does, the other quickly."""

    def __init__(self, service: str) -> None:
        self.status, self.body = 200, b""
        self.clients = []
        for is_quick in (False, True):
            session = boto3.session.Session("a", "b", region_name="us-east-1")
            if is_quick:
                page_parser.use(session.events)
            client = session.client(service, config=Config(retries={"total_max_attempts": 1}))
            client.meta.events.register("before-send", self._answer)
            self.clients.append(client)

    def ask(self, operation: str, **arguments: Any) -> list[Any]:
        """What each makes of it; an error's code where it is one."""
        found = []
        for client in self.clients:
            try:
                answer = getattr(client, operation)(**arguments)
                answer.pop("ResponseMetadata")
                found.append(answer)
            except ClientError as error:
                found.append(error.response["Error"]["Code"])
        return found

    def _answer(self, **_: Any) -> AWSResponse:
        raw: Any = io.BytesIO(self.body)
        raw.stream = lambda *_args, **_more: iter([self.body])
        return AWSResponse("https://localhost", self.status, {}, raw)


@pytest.fixture(scope="module")
def s3() -> Aws:
    return Aws("s3")


@pytest.fixture(scope="module")
def table() -> Aws:
    return Aws("dynamodb")


texts = st.text(st.characters(codec="utf-8", exclude_categories=["Cc", "Cs", "Cn"]), max_size=5)
entries = st.tuples(
    st.sampled_from(["Version", "DeleteMarker"]),
    texts,
    st.sampled_from(["true", "false", None]),
    st.sampled_from(["<Owner><ID>x</ID></Owner>", "<ETag>x</ETag>", "<Size>7</Size>", ""]),
)


@settings(max_examples=50, deadline=None)
@given(st.lists(entries, max_size=4), st.booleans(), st.sampled_from(["", SPACE]))
def test_a_list_of_versions_is_read_as_botocore_reads_it(s3: Aws, found: Any, is_cut: bool, space: str) -> None:
    """A list of versions is read as botocore reads it: in any order, with IsLatest and without, with escaped names."""
    listed = "".join(
        f"<{kind}><Key>{escape(key)}%20%E4</Key><VersionId>v</VersionId>"
        + (f"<IsLatest>{latest}</IsLatest>" if latest else "")
        + f"<LastModified>2026-01-02T03:04:05.678Z</LastModified>{more}</{kind}>"
        for kind, key, latest, more in found
    )
    following = "<NextKeyMarker>a%20b</NextKeyMarker><NextVersionIdMarker>v</NextVersionIdMarker>" if is_cut else ""
    s3.body = (
        f"<ListVersionsResult{space}><Name>x</Name><EncodingType>url</EncodingType><MaxKeys>1000</MaxKeys>"
        f"<IsTruncated>{str(is_cut).lower()}</IsTruncated>{following}{listed}</ListVersionsResult>"
    ).encode()

    slow, quick = s3.ask("list_object_versions", Bucket="bucket")

    for name, told in (
        ("Versions", TOLD),
        ("DeleteMarkers", TOLD - {"Size"}),
    ):  # botocore's model knows none of a marker
        assert _of(slow, name, told) == _of(quick, name, told)
    for name in ("IsTruncated", "NextKeyMarker", "NextVersionIdMarker"):
        assert slow.get(name) == quick.get(name)


def _of(answer: dict[str, Any], name: str, told: set[str]) -> list[dict[str, Any]]:
    return [{key: value for key, value in each.items() if key in told} for each in answer.get(name, [])]


@pytest.mark.parametrize(
    ("status", "body"),
    [
        (403, "<Error><Code>AccessDenied</Code></Error>"),
        (200, "<Error><Code>InternalError</Code></Error>"),
        (200, "<ListVersionsResult><IsTruncated>false</IsTruncated></ListVersionsResult>"),
        (200, ""),
    ],
)
def test_what_is_no_list_of_versions_stays_what_it_is(s3: Aws, status: int, body: str) -> None:
    """An error, also behind a 200, an empty list or an empty answer is read as botocore reads it."""
    s3.status, s3.body = status, body.encode()
    try:
        slow, quick = s3.ask("list_object_versions", Bucket="bucket")
    finally:
        s3.status = 200

    assert slow == quick


@pytest.mark.parametrize("operation", ["scan", "batch_get_item"])
def test_rows_are_read_as_botocore_reads_them(table: Aws, operation: str) -> None:
    """Texts, numbers and the beginning of the next page are read as botocore reads them."""
    item = {"record": {"S": "Contacts/1"}, "size_bytes": {"N": "5"}, "name": {"S": "é\u2028"}}
    told: dict[str, Any] = {"Items": [item], "LastEvaluatedKey": {"record": {"S": "a"}}, "Count": 1}
    asked: dict[str, Any] = {"TableName": "table"}
    if operation == "batch_get_item":
        told, asked = {"Responses": {"t": [item]}, "UnprocessedKeys": {}}, {"RequestItems": {"t": {"Keys": [item]}}}
    table.body = json.dumps(told).encode()

    slow, quick = table.ask(operation, **asked)

    assert told == quick == slow


def test_an_error_of_the_table_stays_one(table: Aws) -> None:
    """An error keeps its code."""
    table.status, table.body = 400, b'{"__type": "x#ResourceNotFoundException", "message": "no"}'
    try:
        assert ["ResourceNotFoundException"] * 2 == table.ask("scan", TableName="table")
    finally:
        table.status = 200
