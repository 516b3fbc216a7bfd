"""S3's list of versions: what it tells of each key, and what it proves."""

from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, datetime
from threading import Event
from typing import Any

import pytest

from bigin_archive.audit.merge_join import Joined
from bigin_archive.audit.object_lookup import _proved_object
from bigin_archive.errors import StorageUnavailableError
from bigin_archive.ledger.ledger_entry import LedgerEntry, verified_mark
from bigin_archive.storage.archived_object import full_sha256, identity
from bigin_archive.storage.version_listing import ListedKey, listed_keys

WHEN = datetime(2026, 11, 25, 20, tzinfo=UTC)
KEY = "bigin/Contacts/1/2/a.pdf"
ROW = LedgerEntry("Contacts", "1", "2", "archived", key=KEY, version_id="v1", size_bytes=5, sha256="ab")
MARKED = replace(ROW, verified=verified_mark(ROW))


def version(key: str = KEY, version_id: str = "v1", size: int = 5, **more: Any) -> dict[str, Any]:
    return {"Key": key, "VersionId": version_id, "Size": size, "LastModified": WHEN, "IsLatest": True} | more


def marker(key: str = KEY, **more: Any) -> dict[str, Any]:
    return {"Key": key, "VersionId": "m1", "LastModified": WHEN, "IsLatest": True} | more


def pages(*answers: dict[str, Any]) -> Callable[..., Any]:
    """S3, answering with one page after the other."""
    rest = list(answers)
    return lambda *_, **__: rest.pop(0)


def keys(*answers: dict[str, Any]) -> list[ListedKey]:
    return list(listed_keys(pages(*answers), "bigin/"))


@pytest.mark.parametrize(
    ("answer", "current", "may_exist"),
    [
        ({"Versions": [version()]}, "v1", True),
        ({"Versions": [version(IsLatest=False)], "DeleteMarkers": [marker()]}, "m1", False),
        ({"Versions": [version(version_id="v2"), version(IsLatest=False)]}, "v2", True),
        ({"Versions": [version(IsLatest=False), version(version_id="v2")]}, "v2", True),
        # IsLatest is missing, or told twice: only a look at the key tells.
        ({"Versions": [version(IsLatest=None)]}, None, True),
        ({"Versions": [version()], "DeleteMarkers": [marker()]}, None, True),
        ({"DeleteMarkers": [marker(IsLatest=None)]}, None, False),
    ],
)
def test_what_a_list_of_versions_tells(answer: dict[str, Any], current: str | None, may_exist: bool) -> None:
    """Which version stands under the key, or that nothing does, or that the list does not tell it."""
    (found,) = keys(answer)

    assert current == (found.current.version_id if found.current else None)
    assert may_exist == found.may_exist


def test_a_page_may_be_cut_between_two_versions() -> None:
    """The versions of one key come together even if a page is cut between them."""
    first = {
        "Versions": [version(version_id="v2")],
        "IsTruncated": True,
        "NextKeyMarker": KEY,
        "NextVersionIdMarker": "v2",
    }
    found = keys(first, {"Versions": [version(IsLatest=False), version("bigin/b")]})

    assert [(KEY, ["v2", "v1"]), ("bigin/b", ["v1"])] == [
        (each.key, [one.version_id for one in each.versions]) for each in found
    ]


@pytest.mark.parametrize(
    "answers",
    [
        [{"Versions": [version()], "IsTruncated": True}],
        [{"Versions": [version()], "IsTruncated": True, "NextKeyMarker": KEY}] * 3,
        [
            {"Versions": [version("bigin/b")], "IsTruncated": True, "NextKeyMarker": "b"},
            {"Versions": [version("bigin/a")]},
        ],
        [{"Versions": [{"Key": KEY, "VersionId": "v1", "LastModified": WHEN}]}],
    ],
    ids=["no marker", "the same marker", "out of order", "no size"],
)
def test_a_list_that_breaks_off_proves_nothing(answers: list[dict[str, Any]]) -> None:
    """A list that is cut, repeats itself, is out of order or has an unreadable entry proves nothing."""
    with pytest.raises(StorageUnavailableError):
        keys(*answers)


def test_a_marker_that_leaps_ahead_leaves_nothing_out() -> None:
    """The list goes on behind the last key that came."""
    asked: list[dict[str, Any]] = []
    first = {
        "Versions": [version("bigin/a")],
        "IsTruncated": True,
        "NextKeyMarker": "bigin/y",
        "NextVersionIdMarker": "v",
    }
    answers = [first, {"Versions": [version("bigin/b")]}]

    def call(_: str, **arguments: Any) -> dict[str, Any]:
        asked.append(arguments)
        return answers.pop(0)

    found = list(listed_keys(call, "bigin/"))

    assert ["a", "b"] == [each.path for each in found]
    assert {"Prefix": "bigin/", "KeyMarker": "bigin/a"} == asked[1]


def test_the_next_page_comes_while_one_is_worked_on() -> None:
    """A million attachments are a thousand pages, and each one is waited for; one page ahead is in memory, not more."""
    asked: list[str] = []
    is_ahead = Event()

    def call(_: str, **arguments: Any) -> dict[str, Any]:
        asked.append(arguments.get("KeyMarker", ""))
        if len(asked) == 2:
            is_ahead.set()
        keys = [f"bigin/{len(asked)}{letter}" for letter in "ab"]
        cut = {"IsTruncated": len(asked) < 4, "NextKeyMarker": keys[1], "NextVersionIdMarker": "v1"}
        return {"Versions": [version(key) for key in keys]} | cut

    found = listed_keys(call, "bigin/")
    first = next(found)

    assert is_ahead.wait(20)
    assert ("1a", ["", "bigin/1b"]) == (first.path, asked)
    assert ["1b", "2a", "2b", "3a", "3b", "4a", "4b"] == [each.path for each in found]
    assert ["", "bigin/1b", "bigin/2b", "bigin/3b"] == asked


@pytest.mark.parametrize("changed", [{"key": "x"}, {"version_id": "v2"}, {"size_bytes": 6}, {"sha256": "cd"}], ids=str)
def test_a_mark_is_of_all_four_facts(changed: dict[str, Any]) -> None:
    """If one of the four values changes, the mark no longer counts. Without a version there is no mark."""
    assert MARKED.is_verified
    assert not replace(MARKED, **changed).is_verified
    assert verified_mark(replace(ROW, version_id=None)) is None


@pytest.mark.parametrize(
    ("entry", "found", "proved"),
    [
        (MARKED, [version()], True),
        (ROW, [version()], False),
        (MARKED, [version(version_id="v2")], False),
        (MARKED, [version(version_id="v2"), version(IsLatest=False)], False),
        (MARKED, [version(size=6)], False),
        (MARKED, [version(IsLatest=None)], False),
        (MARKED, [version(), version("bigin/Contacts/1/2/b")], False),
        (MARKED, [version("bigin/Contacts/1/2/b")], False),
        (replace(MARKED, state="parked"), [version()], False),
        (None, [version()], False),
    ],
)
def test_only_the_very_version_proves(entry: LedgerEntry | None, found: list[dict[str, Any]], proved: bool) -> None:
    """Only the version that S3 confirmed, alone under its prefix, needs no call. All others do."""
    joined = Joined("Contacts/1/2", None, entry, tuple(keys({"Versions": found})))

    assert proved == (_proved_object(joined) is not None)


def test_a_checksum_of_parts_is_none() -> None:
    """A checksum of parts counts as none, because it is no SHA-256 of the file."""
    assert "00" * 32 == full_sha256("AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA=")
    assert full_sha256("AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA=-2") is None
    assert full_sha256("?") is None
    assert full_sha256(None) is None


@pytest.mark.parametrize(("message", "known"), [("v1", "v1"), ("null", None), ("", None), (None, None)])
def test_null_names_no_version(message: str | None, known: str | None) -> None:
    """While versioning is suspended each write replaces the version of that name."""
    assert known == identity(message)
    (found,) = keys({"Versions": [version(VersionId=message)]})
    assert found.current
    assert known == found.current.version_id
