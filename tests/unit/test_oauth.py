"""The accounts server's answers: a whole token, or a reason in plain words."""

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bigin_archive.token.oauth import GrantError, parse_answer
from tests.vectors import load

API_URL = "https://www.zohoapis.com"
GOOD = load("token_answers", where=lambda vector: isinstance(vector["expected"], dict))
BAD = load("token_answers", where=lambda vector: isinstance(vector["expected"], str))
VALUES = st.one_of(st.none(), st.text(), st.integers(), st.floats(), st.booleans(), st.just(API_URL))
ANSWERS = st.one_of(
    st.binary(),
    st.dictionaries(
        st.sampled_from(["access_token", "api_domain", "expires_in", "error", "refresh_token", "scope"]), VALUES
    ).map(lambda answer: json.dumps(answer).encode()),
)


def content(vector: dict[str, Any]) -> bytes:
    body = vector["body"]
    return body.encode("latin-1") if isinstance(body, str) else json.dumps(body).encode()


@pytest.mark.parametrize("vector", GOOD)
def test_token_is_granted(vector: dict[str, Any]) -> None:
    """A whole answer gives token, life time in seconds and API host; what is missing has a default."""
    grant = parse_answer(vector["status"], content(vector), API_URL)

    assert vector["expected"] == {name: getattr(grant, name) for name in vector["expected"]}


@pytest.mark.parametrize("vector", BAD)
def test_answer_without_token_is_an_error(vector: dict[str, Any]) -> None:
    """Whatever is not a whole token is an error with a code, whatever its HTTP status."""
    with pytest.raises(GrantError) as caught:
        parse_answer(vector["status"], content(vector), API_URL)

    assert vector["expected"] == caught.value.code


@pytest.mark.parametrize("vector", BAD)
def test_error_tells_what_to_do(vector: dict[str, Any]) -> None:
    """The detail says in plain words what to do, or that the stack tries again by itself."""
    with pytest.raises(GrantError) as caught:
        parse_answer(vector["status"], content(vector), API_URL)

    assert vector["remedy"] in caught.value.detail
    assert caught.value.detail.endswith(".")


def test_grant_has_no_repr() -> None:
    """A grant that gets into a message by mistake does not show its tokens."""
    grant = parse_answer(200, b'{"access_token": "s3cr3t-a", "refresh_token": "s3cr3t-r"}', API_URL)

    assert "s3cr3t" not in repr(grant)


@given(status=st.integers(100, 599), answer=ANSWERS)
def test_no_answer_makes_the_reader_fail(status: int, answer: bytes) -> None:
    """Any answer is a token for this data centre that a header can carry, or a GrantError."""
    try:
        grant = parse_answer(status, answer, API_URL)
    except GrantError:
        return

    assert status == 200
    assert grant.access_token
    assert all("!" <= character <= "~" for character in grant.access_token)
    assert 1 <= grant.lifetime_s <= 24 * 3600
    assert grant.api_domain == API_URL


@given(status=st.integers(100, 599), rest=st.text())
def test_error_repeats_no_token(status: int, rest: str) -> None:
    """No token and no text of the answer gets into a detail."""
    secrets = {"access_token": f"s3cr3t {rest}", "refresh_token": "s3cr3t", "error_description": "s3cr3t"}
    with pytest.raises(GrantError) as caught:
        parse_answer(status, json.dumps(secrets).encode(), API_URL)

    assert "s3cr3t" not in caught.value.detail + caught.value.code
