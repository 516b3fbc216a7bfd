"""What an attachment looks like in S3: key, metadata, headers."""

import base64
import unicodedata
from typing import Any
from urllib.parse import quote, unquote

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from bigin_archive.archive_request import MODULES, ArchiveRequest
from bigin_archive.storage import archived_object
from bigin_archive.storage.file_names import from_content_disposition
from bigin_archive.storage.object_attributes import ObjectAttributes, describe, folder
from tests.vectors import load, text

REQUESTS = st.builds(
    ArchiveRequest,
    st.sampled_from(MODULES),
    st.from_regex(r"[0-9]{1,50}", fullmatch=True),
    st.from_regex(r"[0-9]{1,50}", fullmatch=True),
)
# What the template allows as KeyPrefix.
PREFIXES = st.one_of(st.just(""), st.from_regex(r"[A-Za-z0-9][A-Za-z0-9._/-]{0,98}/", fullmatch=True))
HEADERS = st.one_of(st.none(), st.text(), st.text(st.characters(max_codepoint=0xFF)))
NAMES = st.one_of(
    st.text(st.characters(exclude_categories=["Cs"]), min_size=1),
    st.tuples(st.text(st.characters(exclude_categories=["Cs"]), min_size=1, max_size=8), st.integers(1, 400)).map(
        lambda part: part[0] * part[1] + ".pdf"
    ),
)
MAX_KEY_BYTES = 1024
MAX_METADATA_BYTES = 2048  # S3 User Guide, "Working with object metadata"
MAX_HEADERS_BYTES = 8192
SIGNATURE_BYTES = 2048  # room for the headers of every signed request, the session token above all
BIDIRECTIONAL = "\u061c\u200e\u200f\u202a\u202b\u202c\u202d\u202e\u2066\u2067\u2068\u2069"
FORBIDDEN = {*map(chr, range(0x20)), *map(chr, range(0x7F, 0xA0)), *BIDIRECTIONAL, *"/\\\ufffe\uffff"}


def described(vector: dict[str, Any]) -> ObjectAttributes:
    headers = vector["headers"]
    return describe(
        text(vector["prefix"]),
        ArchiveRequest(**vector["request"]),
        text(headers.get("content-disposition")),
        headers.get("content-type"),
    )


def original(metadata: dict[str, str]) -> str | None:
    """The file name, read back from the metadata as the documentation says."""
    value = metadata.get("file-name")
    if value and value.startswith("=?UTF-8?B?") and value.endswith("?="):
        return base64.b64decode(value[10:-2], validate=True).decode()
    return value and unquote(value, errors="strict")


@pytest.mark.parametrize("vector", load("keys"))
def test_key(vector: dict[str, Any]) -> None:
    """The key is prefix, module, record, attachment and file name."""
    actual = described(vector)

    assert text(vector["key"]) == actual.key
    assert actual.key.rpartition("/")[2] == actual.file_name


@pytest.mark.parametrize("vector", load("keys"))
def test_metadata(vector: dict[str, Any]) -> None:
    """The metadata hold the ids and the unchanged file name, and nothing else."""
    actual = described(vector).metadata

    assert {name: text(value) for name, value in vector["metadata"].items()} == actual


@pytest.mark.parametrize("vector", load("keys"))
def test_content_type(vector: dict[str, Any]) -> None:
    """The type is Bigin's, else the extension's; only text keeps its charset."""
    actual = described(vector).content_type

    assert vector["content_type"] == actual


@pytest.mark.parametrize("vector", load("keys"))
def test_content_disposition(vector: dict[str, Any]) -> None:
    """A browser saves the object under the name in its key, and never opens it in place."""
    actual = described(vector).content_disposition

    assert text(vector["content_disposition"]) == actual


@pytest.mark.parametrize("extension", ["tgz", "svgz", "taz", "tbz2", "txz"])
def test_compressed_file_is_not_declared_as_its_content(extension: str) -> None:
    """A compressed file without a type is never declared as what it holds once it is decompressed."""
    attributes = describe("", ArchiveRequest("Notes", "1", "2"), f"attachment; filename=a.{extension}", None)

    assert attributes.content_type not in ("application/x-tar", "image/svg+xml")


def test_folder_ends_the_attachment_id() -> None:
    """The folder of attachment 1 does not match the keys of attachment 12."""
    one, twelve = (folder("bigin/", ArchiveRequest("Notes", "7", attachment)) for attachment in ("1", "12"))

    assert one == "bigin/Notes/7/1/"
    assert not twelve.startswith(one)


@given(prefix=PREFIXES, request=REQUESTS, disposition=HEADERS, content_type=HEADERS)
@example(prefix="", request=ArchiveRequest("Notes", "1", "2"), disposition=None, content_type=f"a/b; {'c' * 9000}=d")
@example(prefix="", request=ArchiveRequest("Notes", "1", "2"), disposition=None, content_type=f"a/b; c={'d' * 9000}")
@example(prefix="", request=ArchiveRequest("Notes", "1", "2"), disposition=None, content_type=f"a/b{'; c=d' * 2000}")
def test_no_header_makes_an_object_that_s3_refuses(
    prefix: str, request: ArchiveRequest, disposition: str | None, content_type: str | None
) -> None:
    """Whatever Bigin's headers hold, S3 can take the object: key, metadata and headers keep to its limits."""
    actual = describe(prefix, request, disposition, content_type)

    check_limits(prefix, request, actual)


@given(prefix=PREFIXES, request=REQUESTS, name=NAMES)
@example(prefix="", request=ArchiveRequest("Notes", "1", "2"), name="\u00e4" * 700)
@example(
    prefix="p" * 99 + "/", request=ArchiveRequest("Pipelines", "9" * 50, "9" * 50), name="\U0001f600" * 349 + ".pdf"
)
def test_original_name_can_be_read_back(prefix: str, request: ArchiveRequest, name: str) -> None:
    """A name of up to 1,400 bytes is in the metadata whole; the header that S3 sends names the object as its key."""
    actual = describe(prefix, request, f"attachment; filename*=UTF-8''{quote(name, safe='')}", None)

    check_limits(prefix, request, actual)
    if len(name.encode()) <= 1400:
        assert name == original(actual.metadata)
    assert actual.file_name == from_content_disposition(actual.content_disposition)


@given(name=st.text(st.characters(exclude_categories=["Cs"]), min_size=1400, max_size=2000))
def test_a_name_beyond_the_metadata_is_shortened_there(name: str) -> None:
    """A name that the metadata cannot hold is cut there, at a character, and keeps its beginning."""
    actual = describe(
        "", ArchiveRequest("Notes", "1", "2"), f"attachment; filename*=UTF-8''{quote(name, safe='')}", None
    )
    read = original(actual.metadata)

    assert read is not None
    assert name[:300] == read[:300]


def check_limits(prefix: str, request: ArchiveRequest, actual: ObjectAttributes) -> None:
    parent = folder(prefix, request)
    name = actual.key.removeprefix(parent)
    values = [actual.content_type, actual.content_disposition, *actual.metadata.values()]
    headers = [*values, *(f"x-amz-meta-{key}" for key in actual.metadata)]

    assert actual.key.startswith(parent)
    assert name not in ("", ".", "..")
    assert not FORBIDDEN & set(name)
    assert unicodedata.is_normalized("NFC", actual.key)
    assert len(actual.key.encode()) <= MAX_KEY_BYTES
    assert all(" " <= character <= "~" for value in values for character in value)
    assert all(value == value.strip() for value in values)
    assert sum(len(key) + len(value) for key, value in actual.metadata.items()) <= MAX_METADATA_BYTES
    assert sum(map(len, headers)) < MAX_HEADERS_BYTES - SIGNATURE_BYTES


@pytest.mark.parametrize("vector", load("metadata_names"))
def test_a_name_in_the_metadata_is_read_in_any_form(vector: dict[str, Any]) -> None:
    """Percent-encoded as we write it, or as the encoded words that S3 and other programs make of it; else none."""
    metadata = {} if vector["header"] is None else {"file-name": vector["header"]}
    head = {"ContentLength": 1, "LastModified": 0, "Metadata": metadata}
    found = archived_object.describe("", "Contacts/1/2/a", head)

    assert vector["file_name"] == found.original_name
