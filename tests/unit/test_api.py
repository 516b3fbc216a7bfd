"""HTTP as API Gateway speaks it."""

import base64
import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bigin_archive.api import gateway
from bigin_archive.archiving.archiver import Archived
from bigin_archive.errors import BiginRateLimitedError, InvalidRequestError
from bigin_archive.storage.archived_object import StoredObject

STORED = StoredObject("bigin/Notes/1/2/a b.pdf", 5, "ab" * 32, "v1", "application/pdf")


@pytest.mark.parametrize(
    ("prefer", "expected"),
    [
        ("respond-async", True),
        ("Respond-Async", True),
        (" respond-async ", True),
        ("respond-async, wait=10", True),
        ("wait=10, respond-async", True),
        ("respond-async; x=1", True),
        ("return=minimal", False),
        ("respond-async=no", False),
        ("no-respond-async", False),
        ("", False),
    ],
)
def test_prefer_asks_for_the_queue(prefer: str, expected: bool) -> None:
    """``Prefer: respond-async`` among other preferences (RFC 7240) asks for the queue."""
    actual = gateway.wants_queue({"headers": {"prefer": prefer}})

    assert expected == actual


def test_prefer_may_come_in_several_lines() -> None:
    """A header may come in several lines (RFC 9110, 5.3). API Gateway puts only the last one among the headers."""
    lines = ["respond-async", "wait=10"]

    assert gateway.wants_queue({"headers": {"prefer": lines[-1]}, "multiValueHeaders": {"prefer": lines}})


@pytest.mark.parametrize("headers", [None, {}, {"Accept": "*/*"}])
def test_no_prefer_asks_for_now(headers: dict[str, str] | None) -> None:
    """Without the header, the request is archived while the caller waits."""
    assert not gateway.wants_queue({"headers": headers})


@pytest.mark.parametrize("name", ["X-Webhook-Secret", "x-webhook-secret", "X-WEBHOOK-SECRET"])
def test_header_names_have_no_case(name: str) -> None:
    """A header is found whatever the case of its name."""
    assert gateway.header({"headers": {name: "value"}}, "X-Webhook-Secret") == "value"


def test_missing_header_is_none() -> None:
    """A header that was not sent is None."""
    assert gateway.header({"headers": {"X-Other": "value"}}, "X-Webhook-Secret") is None


def test_body_as_text() -> None:
    """A body comes as it is."""
    assert gateway.body({"body": "a", "isBase64Encoded": False}) == "a"


@pytest.mark.parametrize("event", [{}, {"body": None}, {"body": None, "isBase64Encoded": True}])
def test_no_body_is_none(event: dict[str, Any]) -> None:
    """A request without a body has the body None."""
    assert gateway.body(event) is None


def test_body_in_base64() -> None:
    """A body that API Gateway encoded is decoded."""
    encoded = base64.b64encode(b"\x00\xff").decode()

    assert gateway.body({"body": encoded, "isBase64Encoded": True}) == b"\x00\xff"


@pytest.mark.parametrize("body", ["%", "abc", "YQ==\x00", "ä"])
def test_body_in_broken_base64_is_refused(body: str) -> None:
    """Broken base64 is an invalid request, not a bug."""
    with pytest.raises(InvalidRequestError):
        gateway.body({"body": body, "isBase64Encoded": True})


@pytest.mark.parametrize(("already", "status", "word"), [(False, 201, "archived"), (True, 200, "already_archived")])
def test_archived(already: bool, status: int, word: str) -> None:
    """The answer names the object, its size, its SHA-256 and its file name."""
    answer = gateway.archived("bucket-1", Archived(STORED, already))
    expected = {
        "status": word,
        "bucket": "bucket-1",
        "key": "bigin/Notes/1/2/a b.pdf",
        "version_id": "v1",
        "size_bytes": 5,
        "sha256": "ab" * 32,
        "content_type": "application/pdf",
        "file_name": "a b.pdf",
    }

    assert status == answer["statusCode"]
    assert answer["headers"]["Content-Type"] == "application/json"
    assert expected == json.loads(answer["body"])


@pytest.mark.parametrize("count", [0, 1, 1000])
def test_queued(count: int) -> None:
    """``202`` tells the number of messages."""
    answer = gateway.queued(count)

    assert answer["statusCode"] == 202
    assert {"status": "queued", "queued": count} == json.loads(answer["body"])


def test_retry_after_is_what_bigin_asked_for() -> None:
    """A wait that Bigin asked for reaches the caller."""
    answer = gateway.problem(BiginRateLimitedError("x", retry_after_s=77), {})

    assert answer["headers"]["Retry-After"] == "77"


@given(detail=st.text(), identifier=st.text())
def test_problem_is_ascii_json(detail: str, identifier: str) -> None:
    """Any detail becomes ASCII JSON, which every client and API Gateway accept."""
    answer = gateway.problem(InvalidRequestError(detail), {"requestContext": {"requestId": identifier}})

    assert answer["body"].isascii()
    assert detail == json.loads(answer["body"])["detail"]
