"""Entries of Bigin's lists: whatever stands in one, messages and rows can carry what is read of it."""

from typing import Any

import pytest

from bigin_archive import clock
from bigin_archive.archive_request import ArchiveRequest
from bigin_archive.bigin.listing import FIRST_PAGE, Link, Page, account_entries, entries, records
from bigin_archive.errors import BiginUnavailableError
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
    """A size that no file has counts as not known, because DynamoDB would refuse its row and the sweep would stop."""
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
    """A size may have either name, and the first that holds one counts."""
    assert only(**sizes).size_bytes == expected


def test_a_text_without_an_end_is_cut() -> None:
    """A very long text is cut, so that ten names fit into a message of 1 MiB, and one into a row of 400 KB."""
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
    """A time with a control character is left out, because SQS would refuse the whole batch of messages."""
    assert only(Modified_Time=time, Created_Time=time).times == [expected] * 2 * (expected is not None)


@pytest.mark.parametrize("odd", [None, 12, True, {}, [], "", " ", "soon", "2020-01-31", "1" * 65, "\ud800"], ids=repr)
def test_what_was_changed_at_an_unreadable_time_may_have_been_changed_now(odd: object) -> None:
    """What has an unreadable time may have been changed now, whatever its other time says."""
    since, old = clock.parse("2026-01-31T00:00:00Z"), "2020-01-31T00:00:00Z"
    assert since
    told = {"id": "1", "Created_Time": old, "Modified_Time": odd}
    (record,) = records({"data": [{**told, "Last_Activity_Time": old}]}, "Contacts")
    (active,) = records({"data": [{**told, "Modified_Time": old, "Last_Activity_Time": odd}]}, "Contacts")
    (without,) = records({"data": [{"id": "1", "Last_Activity_Time": old}]}, "Contacts")
    (attachment,) = entries({"data": [told]})

    assert record
    assert active
    assert without
    assert attachment
    assert clock.any_since(record.changed_times, since)
    assert clock.any_since(active.changed_times, since) is (odd is not None)
    assert clock.any_since(without.changed_times, since)
    assert clock.any_since(attachment.times, since)


def test_old_times_are_believed() -> None:
    """Old times of change are believed; otherwise each nightly sweep would read all records."""
    since, old = clock.parse("2026-01-31T00:00:00Z"), "2020-01-31T00:00:00Z"
    assert since
    (record,) = records({"data": [{"id": "1", "Modified_Time": old, "Last_Activity_Time": None}]}, "Contacts")
    assert record

    assert not clock.any_since(record.changed_times, since)
    assert not clock.any_since(only(Modified_Time=old).times, since)


@pytest.mark.parametrize("address", [None, True, 5, {}, [], ""], ids=repr)
@pytest.mark.parametrize("kind", [None, "File", "Link URL", 7])
def test_a_link_has_an_address(address: object, kind: object) -> None:
    """A link without an address is no link, and is downloaded like any file."""
    assert only(**{"$link_url": address, "$type": kind}).link is None


@pytest.mark.parametrize("module", ["", " ", "\ud800", "x" * 101, "Calls/1", "Contäcts", None, 5])
def test_a_module_has_the_form_of_an_api_name(module: object) -> None:
    """A module has the form of an API name, because it becomes part of keys and of a sweep's state."""
    entry = {"id": "1", "Parent_Id": {"id": "2"}}

    assert [None] == list(account_entries({"data": [{**entry, "$se_module": module}]}))
    assert [None] != list(account_entries({"data": [{**entry, "$se_module": "CustomModule5001"}]}))


def test_a_page_of_far_more_entries_than_were_asked_for_is_none() -> None:
    """A page of far more entries than were asked for is refused, because a sweep keeps the last page."""
    many = [{"id": str(number)} for number in range(1, 2002)]

    assert 2000 == len(list(entries({"data": many[:2000]})))
    with pytest.raises(BiginUnavailableError):
        list(entries({"data": many}))


def test_a_token_without_an_end_is_none() -> None:
    """A page token that is too long counts as none: no address could carry it, and no sweep could keep it."""
    tokens = ["t" * 2000, "t" * 2001]

    pages = [Page({"info": {"next_page_token": token}}, FIRST_PAGE).following for token in tokens]

    assert [{"page_token": tokens[0]}, {"page": "2"}] == pages


@pytest.mark.parametrize("ids", IDS, ids=["short ids", "long ids"])
@pytest.mark.parametrize("letter", ["a", "%", "ä", "漢", "😀"])
def test_the_metadata_of_a_link_fit_into_two_kilobytes(ids: tuple[str, str, str], letter: str) -> None:
    """A link's metadata fit into 2 KB, whatever title and address are; a title of Bigin's length stays whole."""
    for count in (1, 255, 371, 499, 547, 1000, 1499, 2000):
        for url in ("https://x.y/" + "z" * 388, "https://x.y/" + "z" * 389):
            made, _ = shortcut("p/", ArchiveRequest(*ids), Link(letter * count, url))
            assert sum(len(key) + len(text) for key, text in made.metadata.items()) <= 2048
            assert ("link-url" in made.metadata) != ("bigin-kind" in made.metadata)
            if count <= 255:
                assert ("link-url" in made.metadata) == (len(url) <= 400)
