"""The access token as it is stored."""

from datetime import datetime, timedelta
from typing import Any

import pytest
from botocore.exceptions import ClientError
from hypothesis import given
from hypothesis import strategies as st

from bigin_archive.errors import BiginTokenRejectedError
from bigin_archive.token.access_token import AccessToken, AccessTokens, parse
from tests.vectors import load

API_URL = "https://www.zohoapis.com"
NOW = datetime.fromisoformat("2026-11-23T12:00:00+00:00")


class OneSecret:
    """Secrets Manager with one secret; counts how often it is read."""

    def __init__(self, text: str) -> None:
        self.text = text
        self.reads = 0

    def get_secret_value(self, **_: str) -> dict[str, str]:
        self.reads += 1
        return {"SecretString": self.text}


class NoValue:
    """Secrets Manager with a secret that has no value yet, as after a deployment."""

    def get_secret_value(self, **_: str) -> dict[str, str]:
        raise ClientError({"Error": {"Code": "ResourceNotFoundException"}}, "GetSecretValue")


GOOD = load("stored_tokens", where=lambda vector: isinstance(vector["expected"], dict))
BAD = load("stored_tokens", where=lambda vector: isinstance(vector["expected"], str))


@pytest.mark.parametrize("vector", GOOD)
def test_stored_token_is_read(vector: dict[str, Any]) -> None:
    """The secret is JSON or a bare token; an end that cannot be read counts as not known."""
    actual = parse(vector["secret"], API_URL)
    expires_at = vector["expected"]["expires_at"]

    assert vector["expected"]["value"] == actual.value
    assert (expires_at and datetime.fromisoformat(expires_at)) == actual.expires_at


@pytest.mark.parametrize("vector", BAD)
def test_unusable_token_is_rejected(vector: dict[str, Any]) -> None:
    """A secret without a usable token of this data centre counts as not connected; the detail tells the remedy."""
    with pytest.raises(BiginTokenRejectedError) as caught:
        parse(vector["secret"], API_URL)

    assert vector["remedy"] in caught.value.detail


def test_a_secret_without_a_value_means_not_connected() -> None:
    """Before the first connection, the error says to connect, and does not look like an outage of AWS."""
    with pytest.raises(BiginTokenRejectedError, match="bigin-archive authorize"):
        AccessTokens(NoValue(), "token", API_URL).current()  # type: ignore[arg-type]


def test_token_has_no_repr() -> None:
    """A token that gets into a message by mistake does not show itself."""
    token = AccessToken("1000.s3cr3t", NOW)

    assert "s3cr3t" not in repr(token)
    assert "s3cr3t" not in str(token)


@given(secret=st.one_of(st.none(), st.text(), st.text().map(lambda text: f'{{"access_token": "s3cr3t{text}"')))
def test_no_secret_makes_the_reader_fail(secret: str | None) -> None:
    """Any text is a token that a header can carry, or it is rejected without being repeated."""
    try:
        token = parse(secret, API_URL)
    except BiginTokenRejectedError as error:
        detail = error.detail
    else:
        detail = ""
        assert all("!" <= character <= "~" for character in token.value)

    assert "s3cr3t" not in detail


@pytest.mark.parametrize(
    "expires_at", ["0001-01-01T00:00:00+00:00", "0001-01-01T00:00:00+14:00", "9999-12-31T23:59:59Z"]
)
def test_an_end_beyond_the_calendar_is_no_bug(expires_at: str) -> None:
    """A token with an absurd end is used all the same."""
    client = OneSecret(f'{{"access_token": "a", "expires_at": "{expires_at}"}}')
    tokens = AccessTokens(client, "token", API_URL, now=lambda: NOW)

    assert [tokens.current().value for _ in range(2)] == ["a", "a"]


@pytest.mark.parametrize(("minutes", "reads"), [(0, 1), (58, 1), (60, 2), (90, 2)])
def test_token_is_read_again_before_it_ends(minutes: int, reads: int) -> None:
    """The secret is read once, and again shortly before the token expires."""
    clock = [NOW]
    client = OneSecret(f'{{"access_token": "a", "expires_at": "{(NOW + timedelta(hours=1)).isoformat()}"}}')
    tokens = AccessTokens(client, "token", API_URL, now=lambda: clock[0])
    tokens.current()
    clock[0] += timedelta(minutes=minutes)
    tokens.current()
    tokens.current()

    assert reads == client.reads


def test_refused_token_is_looked_up_once() -> None:
    """A token that Bigin refuses is not used again unless the secret holds another one."""
    client = OneSecret("old")
    tokens = AccessTokens(client, "token", API_URL, now=lambda: NOW)
    refused = tokens.current()
    with pytest.raises(BiginTokenRejectedError, match="no newer"):
        tokens.after_refusal(refused)
    client.text = "new"

    assert tokens.after_refusal(refused).value == "new"
    assert client.reads == 3


def test_newer_token_is_used_without_another_look() -> None:
    """If two threads have a refused token, the second uses the token that the first one has read."""
    client = OneSecret("old")
    tokens = AccessTokens(client, "token", API_URL, now=lambda: NOW)
    refused = tokens.current()
    client.text = "new"
    values = [tokens.after_refusal(refused).value for _ in range(3)]

    assert values == ["new", "new", "new"]
    assert client.reads == 2
