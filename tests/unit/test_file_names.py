"""File names: from Content-Disposition to a safe name in a key."""

import unicodedata
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bigin_archive.storage.file_names import from_content_disposition, safe, shortened
from tests.vectors import load, text

FOLDER = "bigin/Contacts/2034020000000489124/2034020000000711002/"
ROOM = 1024 - len(FOLDER)
BIDIRECTIONAL = {0x061C, 0x200E, 0x200F, *range(0x202A, 0x202F), *range(0x2066, 0x206A)}
FORBIDDEN = {
    *map(chr, range(0x20)),
    *map(chr, range(0x7F, 0xA0)),
    *map(chr, BIDIRECTIONAL),
    *map(chr, range(0xD800, 0xE000)),
    *"/\\\ufffe\uffff",
}
# Every character there is, the dangerous ones more often than chance would bring them.
NAMES = st.text(
    st.one_of(st.characters(exclude_categories=[]), st.sampled_from([*sorted(FORBIDDEN), *'."; =%*' + "e\u0301"]))
)
HEADERS = st.one_of(
    st.text(),
    st.text(st.characters(max_codepoint=0xFF)),
    st.lists(
        st.sampled_from(
            ["attachment", ";", "filename", "*", "=", '"', "\\", "UTF-8''", "'", "%", "%2e", "a", " ", "\xe9", "\r\n"]
        )
    ).map("".join),
)


@pytest.mark.parametrize("vector", load("file_names"))
def test_header_gives_the_file_name(vector: dict[str, Any]) -> None:
    """The file name is read from Content-Disposition unchanged: UTF-8 where it is valid, else Latin-1."""
    actual = from_content_disposition(text(vector["header"]))

    assert text(vector["file_name"]) == actual


@pytest.mark.parametrize("vector", load("file_names"))
def test_name_in_the_key_is_safe(vector: dict[str, Any]) -> None:
    """In the key the name is harmless, in NFC, and short enough."""
    actual = safe(text(vector["file_name"]), ROOM)

    assert text(vector["in_key"]) == actual


@given(name=st.one_of(st.none(), NAMES), room=st.integers(100, 1014))
def test_no_name_gets_past_the_rules(name: str | None, room: int) -> None:
    """Whatever the name is, the result is in NFC, fits, names no folder and holds no forbidden character."""
    actual = safe(name, room)

    assert actual not in ("", ".", "..")
    assert not FORBIDDEN & set(actual)
    assert unicodedata.is_normalized("NFC", actual)
    assert len(actual.encode()) <= room


@given(name=NAMES)
def test_safe_is_stable(name: str) -> None:
    """A name that was made safe once stays as it is."""
    once = safe(name, ROOM)

    assert once == safe(once, ROOM)


@given(name=st.text(st.characters(exclude_characters=sorted(FORBIDDEN), exclude_categories=["Cs"]), min_size=3))
def test_harmless_names_are_only_normalized(name: str) -> None:
    """A harmless name that fits changes in nothing but its Unicode form."""
    expected = unicodedata.normalize("NFC", name)
    actual = safe(name, 100_000)

    assert expected == actual


@given(
    stem=st.text(st.characters(exclude_categories=["Cs"], exclude_characters="."), min_size=1),
    repeat=st.integers(1, 400),
    extension=st.from_regex(r"[A-Za-z0-9]{1,12}", fullmatch=True),
    room=st.integers(100, 1014),
)
def test_shortened_name_keeps_its_extension(stem: str, repeat: int, extension: str, room: int) -> None:
    """However long a name is, the program that opens it is still found by its extension."""
    actual = shortened(f"{stem * repeat}.{extension}", room)

    assert actual.endswith(f".{extension}")
    assert len(actual.encode()) <= room
    assert (stem * repeat).startswith(actual.removesuffix(f".{extension}"))


@given(name=st.text(max_size=300), room=st.integers(100, 1014))
def test_shortened_name_loses_no_more_than_it_must(name: str, room: int) -> None:
    """A name is cut by no more than needed."""
    actual = shortened(name, room)

    assert actual == name or len(actual.encode()) > room - 4


@given(header=st.one_of(st.none(), HEADERS))
def test_no_header_makes_the_reader_fail(header: str | None) -> None:
    """Any header gives a name that is not empty, or none."""
    name = from_content_disposition(header)

    assert name is None or name
    if name:
        name.encode()  # no lone surrogates: it goes into the metadata
