"""Callers' keys, what they allow, and the authorizer's policy."""

import secrets
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bigin_archive.callers import caller, caller_key
from bigin_archive.callers.caller import Caller
from bigin_archive.callers.download_link import seconds_wanted
from bigin_archive.errors import InvalidRequestError
from bigin_archive.http_errors import ForbiddenError
from tests.vectors import load, text

AT, LATER = "2026-01-31T09:30:00.000+00:00", "2027-01-31T09:30:00.000+00:00"
KEY = caller_key.new(secrets.token_bytes)


def entry(**fields: Any) -> Caller:
    return Caller(**{"key_id": KEY.key_id, "name": "n8n", "right": "archive", "sha256": KEY.sha256, "created_at": AT,
                     "ends_at": LATER, **fields})  # fmt: skip


@pytest.mark.parametrize("vector", load("caller_keys"))
def test_what_a_header_presents(vector: dict[str, Any]) -> None:
    """A header presents a well-formed key behind the scheme Bearer and nothing else; the hash is of the whole key."""
    key = caller_key.presented(text(vector["authorization"]))

    assert vector["key_id"] == (key.key_id if key else None)
    if key:
        assert vector["sha256"] == key.sha256


def test_a_new_key_holds_256_random_bits() -> None:
    """Each random byte changes the key; it reads back, and shows itself in no representation."""
    made = caller_key.new(secrets.token_bytes)
    counted: list[int] = []

    def zeros(count: int) -> bytes:
        counted.append(count)
        return bytes(count)

    caller_key.new(zeros)

    assert caller_key.parse(made.text) == made
    assert 32 in counted
    assert made.text.rpartition("_")[2] not in repr(made)
    assert len({caller_key.new(secrets.token_bytes).text for _ in range(100)}) == 100


@given(st.text(max_size=100))
def test_no_text_is_taken_for_a_key_by_accident(header: str) -> None:
    """Whatever is sent, the answer is a key or None."""
    key = caller_key.presented(header)

    assert key is None or key.text in header


@pytest.mark.parametrize(
    ("found", "at", "expected"),
    [
        (entry(), AT, True),
        (entry(ends_at=AT), AT, False),
        (entry(ended_at=AT), AT, False),
        (entry(sha256="0" * 64), AT, False),
        (entry(), LATER, False),
        (None, AT, False),
    ],
    ids=["valid", "at its end", "ended", "another key's id", "expired", "unknown"],
)
def test_whose_key_it_is(found: Caller | None, at: str, expected: bool) -> None:
    """A key is valid if its hash matches and it has neither been ended nor expired."""
    assert caller.is_key_of(KEY, found, at) is expected


def test_the_hash_of_nobody_is_nobodys_key() -> None:
    """No key matches the placeholder that is compared for an unknown caller."""
    assert not caller.is_key_of(KEY, None, AT)
    assert not caller.is_key_of(KEY, entry(sha256=""), AT)


def test_the_hash_does_not_show() -> None:
    """A log line with a caller in it holds no hash."""
    assert KEY.sha256 not in repr(entry())


@pytest.mark.parametrize(
    ("right", "wanted", "expected"),
    [
        ("archive", "archive", True),
        ("link", "archive", True),
        ("link", "link", True),
        ("archive", "link", False),
        ("", "archive", False),
        ("admin", "archive", False),
    ],
)
def test_link_includes_archive(right: str, wanted: str, expected: bool) -> None:
    """Each right includes those before it; an unknown right includes none."""
    assert caller.includes(right, wanted) is expected


@pytest.mark.parametrize("value", [60, 300, 900, "60", "900"])
def test_a_link_lasts_one_to_fifteen_minutes(value: object) -> None:
    """A link lasts 1 to 15 minutes, given as a number in a body or as digits in a query."""
    assert seconds_wanted({"download_link_seconds": value}, "link") == int(str(value))


@pytest.mark.parametrize("value", [59, 901, 0, -60, 60.0, 60.5, True, None, "", "x", "6e1", " 60", "٦٠", [60], 10**30])
def test_other_times_are_refused(value: object) -> None:
    """A time out of range, or no whole number, is refused with a sentence that names the range."""
    with pytest.raises(InvalidRequestError, match="from 60 to 900"):
        seconds_wanted({"download_link_seconds": value}, "link")


def test_without_the_right_a_link_is_forbidden() -> None:
    """A key without the right gets 403 if it asks for a link, and no link if it does not."""
    for value in (60, 1, "x"):
        with pytest.raises(ForbiddenError):
            seconds_wanted({"download_link_seconds": value}, "archive")
    assert seconds_wanted({}, "archive") is None
    assert seconds_wanted({}, "link") is None
