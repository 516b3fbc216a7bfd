"""Bigin's answers: every row of tests/vectors/answers.json, and what no answer may do."""

import json
from datetime import UTC, datetime
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bigin_archive.bigin.classify import ERROR_BODY_BYTES, classify, may_be_error, retry_after_s
from bigin_archive.errors import ArchiveError, NothingToArchiveError, PermanentError, TransientError
from tests.vectors import load, text

NOW = datetime(2026, 11, 23, 12, 0, tzinfo=UTC)  # a Monday
OUTCOMES: dict[str, type[ArchiveError]] = {
    "done": NothingToArchiveError,
    "parked": PermanentError,
    "retried": TransientError,
}


def body(vector: dict[str, Any]) -> bytes:
    if "body_parts" in vector:
        return str(text(vector["body_parts"])).encode("latin-1")
    value = vector["body"]
    return value.encode("latin-1") if isinstance(value, str) else json.dumps(value).encode()


def error_for(vector: dict[str, Any]) -> ArchiveError | None:
    return classify(vector["status"], vector["headers"], body(vector)[:ERROR_BODY_BYTES], now=lambda: NOW)


@pytest.mark.parametrize("vector", load("answers"))
def test_answer_has_the_code_that_the_vector_names(vector: dict[str, Any]) -> None:
    """An answer of Bigin means what the vector says: a file, or one error code."""
    error = error_for(vector)

    assert vector["expected"] == ("file" if error is None else error.code)


ERRORS = load("answers", where=lambda vector: vector["expected"] != "file")
REFUSALS = load("answers", where=lambda vector: vector["expected"] == "bigin_refused")


@pytest.mark.parametrize("vector", ERRORS)
def test_error_tells_the_remedy(vector: dict[str, Any]) -> None:
    """The detail tells the reader what to do."""
    error = error_for(vector)

    assert error is not None
    assert vector["remedy"] in error.detail


@pytest.mark.parametrize("vector", ERRORS)
def test_error_decides_the_fate_of_the_message(vector: dict[str, Any]) -> None:
    """Every error settles, parks or retries its message, and never two of these."""
    error = error_for(vector)

    assert [vector["message"]] == [outcome for outcome, kind in OUTCOMES.items() if isinstance(error, kind)]


@pytest.mark.parametrize("vector", ERRORS)
def test_error_waits_as_long_as_bigin_asks(vector: dict[str, Any]) -> None:
    """A usable Retry-After becomes seconds; any other is ignored."""
    error = error_for(vector)

    assert error is not None
    assert vector["retry_after_s"] == error.retry_after_s


@pytest.mark.parametrize("vector", REFUSALS)
def test_refusal_names_the_code_of_bigin(vector: dict[str, Any]) -> None:
    """A refusal's detail names Bigin's own code, so that its documentation can be looked up."""
    error = error_for(vector)

    assert error is not None
    assert json.loads(body(vector))["code"] in error.detail


def test_scope_error_names_every_scope_to_grant() -> None:
    """The error for a missing scope names both scopes that a download needs."""
    error = classify(401, {}, b'{"code": "OAUTH_SCOPE_MISMATCH", "status": "error"}')

    assert error is not None
    for scope in ("ZohoBigin.modules.attachments.READ", "ZohoBigin.modules.ALL"):
        assert scope in error.detail


@pytest.mark.parametrize(
    ("status", "headers", "expected"),
    [
        (200, {"content-disposition": "attachment; filename=offer.pdf"}, False),
        (200, {"content-disposition": "attachment; filename=response.json"}, True),
        (200, {"content-disposition": " "}, True),
        (200, {}, True),
        (404, {"content-disposition": "attachment; filename=offer.pdf"}, True),
    ],
)
def test_body_is_read_ahead_only_where_it_may_be_an_error(status: int, headers: dict[str, str], expected: bool) -> None:
    """A 200 with a file's own Content-Disposition is a file, whatever it holds."""
    actual = may_be_error(status, headers)

    assert expected == actual


HEADERS = st.dictionaries(
    st.sampled_from(["content-type", "content-disposition", "retry-after", "location"]), st.text(max_size=60)
)
CODES = st.one_of(st.text(max_size=10), st.integers(), st.none(), st.sampled_from(["NO_PERMISSION", "INVALID_TOKEN"]))
BODIES = st.one_of(
    st.binary(max_size=200), CODES.map(lambda code: json.dumps({"code": code, "status": "error"}).encode())
)


@given(status=st.integers(100, 999), headers=HEADERS, beginning=BODIES)
def test_nothing_makes_the_judge_fail(status: int, headers: dict[str, str], beginning: bytes) -> None:
    """Any answer is classified without an exception, and only status 200 can be a file."""
    error = classify(status, headers, beginning, now=lambda: NOW)

    assert error is not None or status == 200


@given(header=st.text(max_size=60), beginning=BODIES)
def test_detail_repeats_nothing_but_a_code(header: str, beginning: bytes) -> None:
    """No header and no body gets into a detail, so that none gets into a log line."""
    marker = "s3cr3t-" + header
    error = classify(
        500,
        {"content-type": marker, "content-disposition": marker, "location": marker, "retry-after": marker},
        json.dumps({"code": marker, "message": marker, "status": "error"}).encode() + beginning,
        now=lambda: NOW,
    )

    assert error is not None
    assert "s3cr3t-" not in error.detail


@given(header=st.one_of(st.none(), st.text(max_size=60), st.integers().map(str)))
def test_wait_is_bounded(header: str | None) -> None:
    """Whatever the header says, the wait is from one second to one hour, or none."""
    seconds = retry_after_s(header, lambda: NOW)

    assert seconds is None or 1 <= seconds <= 3600
