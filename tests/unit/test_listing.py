"""Entries of Bigin's lists: whatever stands in one, messages and rows can carry what is read of it."""

from typing import Any

import pytest

from bigin_archive.archive_request import ArchiveRequest
from bigin_archive.bigin.listing import Link, entries
from bigin_archive.storage.link_shortcut import shortcut

IDS = [("Contacts", "1", "2"), ("Pipelines", "9" * 50, "9" * 50)]


def only(**fields: Any) -> Any:
    (entry,) = entries({"data": [{"id": "1", **fields}]})
    return entry


@pytest.mark.parametrize(
    ("size", "expected"),
    [
        (0, 0),
        ("0", 0),
        ("5368709120", 5368709120),
        (10**15 - 1, 10**15 - 1),
        (10**15, None),
        (10**40, None),
        ("9" * 19, None),
        (-1, None),
        (5.0, None),
        (True, None),
        ("٥", None),
        ("", None),
    ],
)
def test_a_size_that_no_file_has_is_not_known(size: object, expected: int | None) -> None:
    """DynamoDB keeps 38 digits and refuses the write of a row with more, so that a sweep would stop there."""
    assert only(Size=size).size_bytes == expected


@pytest.mark.parametrize(
    ("sizes", "expected"),
    [
        ({"$size": "7"}, 7),
        ({"Size": None, "$size": "7"}, 7),
        ({"Size": "", "$size": 7}, 7),
        ({"Size": "0", "$size": "7"}, 0),
        ({"Size": None, "$size": None}, None),
    ],
    ids=str,
)
def test_a_size_may_have_either_name(sizes: dict[str, object], expected: int | None) -> None:
    """The first that holds one counts."""
    assert only(**sizes).size_bytes == expected


def test_a_text_without_an_end_is_cut() -> None:
    """A message takes 1 MiB and a row 400 KB, names of ten messages included."""
    entry = only(File_Name="ä" * 3_000_000, Owner={"name": "x" * 10**6}, **{"$link_url": "https://x.y/" + "z" * 10**6})

    assert [len(text or "") for text in (entry.name, entry.owner, entry.link.title)] == [2000] * 3
    assert len(entry.link.url) == 32_000


@pytest.mark.parametrize(
    ("time", "expected"),
    [
        ("2026-01-31T09:30:00+01:00", "2026-01-31T09:30:00+01:00"),
        ("yesterday", "yesterday"),  # told as it came, and believed by nobody
        ("2026-01-31\x00", None),
        ("\ufffe", None),
        (" ", None),
        ("1" * 65, None),
        (1769848200, None),
    ],
)
def test_a_time_that_no_message_can_carry_is_left_out(time: object, expected: str | None) -> None:
    """It travels as a message attribute, and SQS refuses the whole batch for one control character."""
    assert only(Modified_Time=time, Created_Time=time).times == [expected] * 2 * (expected is not None)


@pytest.mark.parametrize("ids", IDS, ids=["short ids", "long ids"])
@pytest.mark.parametrize("letter", ["a", "%", "ä", "漢", "😀"])
def test_the_metadata_of_a_link_fit_into_two_kilobytes(ids: tuple[str, str, str], letter: str) -> None:
    """Whatever its title and address are; a title as long as Bigin's stays whole."""
    for count in (1, 255, 371, 499, 547, 1000, 1499, 2000):
        for url in ("https://x.y/" + "z" * 388, "https://x.y/" + "z" * 389):
            made, _ = shortcut("p/", ArchiveRequest(*ids), Link(letter * count, url))
            assert sum(len(key) + len(text) for key, text in made.metadata.items()) <= 2048
            assert ("link-url" in made.metadata) != ("bigin-kind" in made.metadata)
            if count <= 255:
                assert ("link-url" in made.metadata) == (len(url) <= 400)
