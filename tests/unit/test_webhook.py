"""Bigin's webhooks: who may send them, and which records they name."""

import base64
import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bigin_archive.api import webhook_request
from bigin_archive.archive_request import ArchiveRequest
from bigin_archive.errors import InvalidRequestError, UnauthorizedError
from tests.vectors import load, text

SECRET = "a" * 40


def event(vector: dict[str, Any]) -> dict[str, Any]:
    """The event of API Gateway for a vector."""
    query = vector["query"]
    values = vector.get("multi_query") or (query and {name: [value] for name, value in query.items()})
    return {
        "headers": vector["headers"],
        "queryStringParameters": query,
        "multiValueQueryStringParameters": values,
        "body": text(vector["body"]),
        "isBase64Encoded": vector.get("base64", False),
    }


VALID = load("webhooks", where=lambda vector: isinstance(vector["expected"], list))
INVALID = load("webhooks", where=lambda vector: vector["expected"] == "invalid_request")
ANY_TEXT = st.text(st.characters(exclude_categories=[]))  # JSON can carry lone surrogates
EVENTS = st.fixed_dictionaries(
    {
        "headers": st.one_of(
            st.none(),
            st.dictionaries(
                st.sampled_from(["Content-Type", "X-Webhook-Secret"]),
                st.one_of(st.text(), st.just("application/x-www-form-urlencoded")),
            ),
        ),
        "queryStringParameters": st.one_of(
            st.none(), st.dictionaries(st.sampled_from(["module", "id", "secret", "operation"]), st.text())
        ),
        "body": st.one_of(
            st.none(),
            st.text(),
            st.dictionaries(
                st.sampled_from(["module", "ids", "record_id", "attachment_id", "token", "operation"]),
                st.one_of(ANY_TEXT, st.none(), st.integers(), st.lists(st.text()), st.just("Contacts"), st.just("1")),
            ).map(json.dumps),
        ),
        "isBase64Encoded": st.booleans(),
    }
)


@pytest.mark.parametrize("vector", VALID)
def test_webhook_names_its_records(vector: dict[str, Any]) -> None:
    """JSON, form fields and query parameters name module and records; each record counts once."""
    actual = webhook_request.requests_in(event(vector))

    assert [ArchiveRequest(**expected) for expected in vector["expected"]] == actual


@pytest.mark.parametrize("vector", INVALID)
def test_webhook_is_refused(vector: dict[str, Any]) -> None:
    """What names no known module or no well-formed id is refused, so that Bigin's failure list shows it."""
    with pytest.raises(InvalidRequestError) as caught:
        webhook_request.requests_in(event(vector))

    assert vector["detail"] in caught.value.detail


@pytest.mark.parametrize("vector", load("webhooks", where=lambda vector: vector["expected"] != "invalid_request"))
def test_deletion_is_recognized(vector: dict[str, Any]) -> None:
    """A webhook about a deletion is recognized."""
    actual = webhook_request.is_deletion(event(vector))

    assert vector.get("deletion", False) == actual


@pytest.mark.parametrize("vector", load("webhooks", "presented"))
def test_first_place_that_is_filled_gives_the_secret(vector: dict[str, Any]) -> None:
    """The secret is looked for in the header, then in the query, then in the body."""
    actual = webhook_request.presented_secret(event(vector))

    assert vector["expected"] == actual


def test_1000_ids_are_taken() -> None:
    """A notification of 1,000 records is not too long."""
    ids = [str(10**49 + number) for number in range(1000)]
    actual = webhook_request.requests_in({"headers": {}, "body": json.dumps({"module": "Tasks", "ids": ids})})

    assert ids == [request.record_id for request in actual]


@pytest.mark.parametrize("accepted", [[SECRET], [SECRET, "b" * 40], ["b" * 40, SECRET], ["", SECRET]])
def test_current_and_previous_secret_are_accepted(accepted: list[str]) -> None:
    """During a rotation both secrets are good."""
    webhook_request.authenticate(SECRET, accepted)


@pytest.mark.parametrize(
    "presented",
    ["", "wrong", SECRET[:-1], SECRET + "a", SECRET.upper(), f" {SECRET}", "é" * 40, "\ud800", f"{SECRET}\ud800"],
)
@pytest.mark.parametrize("accepted", [[SECRET], [SECRET, "b" * 40], [], [""], ["", ""]])
def test_wrong_secret_is_unauthorized(presented: str, accepted: list[str]) -> None:
    """Anything but the secret is refused; without a configured secret everything is."""
    with pytest.raises(UnauthorizedError) as caught:
        webhook_request.authenticate(presented, accepted)

    assert SECRET not in caught.value.detail


def test_good_secret_is_useless_where_none_is_configured() -> None:
    """A stack without a secret lets nobody in."""
    with pytest.raises(UnauthorizedError):
        webhook_request.authenticate(SECRET, ["", ""])


def test_unauthorized_tells_where_the_secret_goes() -> None:
    """The refusal names the three places."""
    with pytest.raises(UnauthorizedError) as caught:
        webhook_request.authenticate("", [SECRET])

    for place in ("X-Webhook-Secret", "secret", "token"):
        assert place in caught.value.detail


@pytest.mark.parametrize(
    ("stored", "expected"),
    [
        (json.dumps({"webhook_secret": SECRET}), SECRET),
        (json.dumps({"webhook_secret": SECRET, "x": 1}), SECRET),
        (json.dumps({"webhook_secret": 5}), ""),
        (json.dumps({"webhook_secret": None}), ""),
        (json.dumps([SECRET]), ""),
        ("{}", ""),
        ("", ""),
        (None, ""),
        ("{", ""),
        ("[" * 50_000, ""),
    ],
)
def test_secret_in(stored: str | None, expected: str) -> None:
    """The stored secret is a JSON object; whatever else is stored is no secret."""
    actual = webhook_request.secret_in(stored)

    assert expected == actual


def test_form_in_base64() -> None:
    """A form that API Gateway encoded is read as well."""
    body = base64.b64encode(b"module=Contacts&id=1&token=abc").decode()
    encoded = {
        "headers": {"Content-Type": "application/x-www-form-urlencoded"},
        "body": body,
        "isBase64Encoded": True,
    }

    assert [ArchiveRequest("Contacts", "1")] == webhook_request.requests_in(encoded)
    assert webhook_request.presented_secret(encoded) == "abc"


@pytest.mark.parametrize(
    "header", ["name*=a; name*0=b", "name*0*=''%00", "name*99999=x", 'name="', "name*=utf-7''+AAA-; name=token"]
)
def test_a_part_with_an_odd_header_is_a_stranger_and_no_fault(header: str) -> None:
    """A part that Python's parser cannot read is skipped: the answer is 401 without the secret, never a bug."""
    part = f"--b\r\nContent-Disposition: form-data; {header}\r\n\r\nabc\r\n"
    good = '--b\r\nContent-Disposition: form-data; name="module"\r\n\r\nContacts\r\n--b--'
    odd = {"headers": {"Content-Type": "multipart/form-data; boundary=b"}, "body": part + good}

    with pytest.raises(UnauthorizedError):
        webhook_request.authenticate(webhook_request.presented_secret(odd), [SECRET])
    with pytest.raises(InvalidRequestError):
        webhook_request.requests_in(odd)


@given(event=EVENTS)
def test_no_webhook_makes_the_receiver_fail(event: dict[str, Any]) -> None:
    """Any event is unauthorized to somebody without the secret, and a request or an invalid one to others."""
    with pytest.raises(UnauthorizedError):
        webhook_request.authenticate(webhook_request.presented_secret(event), [SECRET])
    try:
        requests = webhook_request.requests_in(event)
    except InvalidRequestError:
        return

    assert requests
