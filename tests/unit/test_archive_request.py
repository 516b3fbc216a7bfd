"""Archive requests: what a body asks for, and which bodies are refused."""

import json
from dataclasses import replace
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bigin_archive.archive_request import MODULES, NO_HINTS, ArchiveRequest, parse
from bigin_archive.errors import InvalidRequestError
from tests.vectors import load, text

VALID = load("requests", where=lambda vector: vector["expected"] != "invalid_request")
INVALID = load("requests", where=lambda vector: vector["expected"] == "invalid_request")
# The modules of Bigin API v2, page "Download an attachment".
PAGE = {"Contacts", "Pipelines", "Accounts", "Products", "Tasks", "Events", "Notes"}

REQUESTS = st.builds(
    ArchiveRequest,
    st.sampled_from(MODULES),
    st.from_regex(r"[0-9]{1,50}", fullmatch=True),
    st.one_of(st.none(), st.from_regex(r"[0-9]{1,50}", fullmatch=True)),
    st.one_of(st.none(), st.integers(0, 2**43)),
)
JSON = st.recursive(
    st.one_of(st.none(), st.booleans(), st.integers(), st.floats(), st.text(), st.sampled_from(["Contacts", "1"])),
    lambda inner: st.one_of(
        st.lists(inner),
        st.dictionaries(st.sampled_from(["module", "record_id", "attachment_id", "listed", "size_bytes"]), inner),
    ),
)


@pytest.mark.parametrize("vector", VALID)
def test_request_is_read(vector: dict[str, Any]) -> None:
    """A well-formed body becomes a request, with the module as Bigin's API names it."""
    actual = parse(text(vector["body"]))

    assert ArchiveRequest(**vector["expected"]) == actual


@pytest.mark.parametrize("vector", VALID)
def test_request_is_read_from_bytes(vector: dict[str, Any]) -> None:
    """Bytes of UTF-8 mean the same as text."""
    actual = parse(text(vector["body"]).encode())

    assert ArchiveRequest(**vector["expected"]) == actual


@pytest.mark.parametrize("vector", INVALID)
def test_request_is_refused(vector: dict[str, Any]) -> None:
    """A malformed body is refused, and the detail says what is wrong."""
    with pytest.raises(InvalidRequestError) as caught:
        parse(text(vector["body"]))

    assert vector["detail"] in caught.value.detail


def test_modules_are_those_of_the_page() -> None:
    """The modules are the seven that Bigin documents for downloads."""
    assert set(MODULES) == PAGE


@pytest.mark.parametrize("body", [b"\xff\xfe{", b"\x80", b'{"module":"Contacts","record_id":"\xff"}', b"\x00"])
def test_bytes_that_are_no_text_are_refused(body: bytes) -> None:
    """Bytes that are no UTF-8 are an invalid request, not a bug."""
    with pytest.raises(InvalidRequestError):
        parse(body)


@pytest.mark.parametrize("encoding", ["utf-8-sig", "utf-16", "utf-16-le", "utf-32"])
def test_bytes_are_utf_8_or_refused(encoding: str) -> None:
    """A body that the worker could not read as text is refused at once, while the caller waits."""
    body = '{"module": "Contacts", "record_id": "1"}'.encode(encoding)

    try:
        parse(body)
    except InvalidRequestError:
        return
    assert parse(body) == parse(body.decode())


@pytest.mark.parametrize(
    "listed", [None, 5, "5", [], {}, {"size_bytes": "5"}, {"size_bytes": -1}, {"size_bytes": True}]
)
def test_a_malformed_listing_hint_is_an_unknown_key(listed: object) -> None:
    """A listed size that is malformed is ignored."""
    actual = parse(json.dumps({"module": "Notes", "record_id": "1", "attachment_id": "2", "listed": listed}))

    assert ArchiveRequest("Notes", "1", "2") == actual


def test_the_caller_object_is_not_repeated() -> None:
    """A detail never repeats what the caller sent: it goes into logs."""
    marker = "s3cr3t-marker"
    for body in (marker, json.dumps({"module": marker}), json.dumps({"module": "Notes", "record_id": marker})):
        with pytest.raises(InvalidRequestError) as caught:
            parse(body)

        assert marker not in caught.value.detail


@given(request=REQUESTS)
def test_message_is_read_back(request: ArchiveRequest) -> None:
    """What is queued is read back unchanged, but for the hints, which travel beside the body."""
    actual = parse(request.to_json())

    assert replace(request, hints=NO_HINTS) == actual


@given(body=st.one_of(st.none(), st.text(), st.binary(), JSON.map(json.dumps)))
def test_nothing_makes_the_parser_fail(body: str | bytes | None) -> None:
    """Any body is a request or an invalid one; what gets through names no place outside Bigin's path."""
    try:
        actual = parse(body)
    except InvalidRequestError:
        return

    assert actual.module in PAGE
    for value in (actual.record_id, actual.attachment_id or "0"):
        assert value.isascii()
        assert value.isdigit()
        assert len(value) <= 50
