"""The audit's pure parts: one verdict for one attachment, the order of the three sides, reports and index."""

import csv
import io
import json
import re
from dataclasses import replace
from html.parser import HTMLParser
from itertools import product
from pathlib import Path
from tempfile import TemporaryDirectory
from urllib.parse import quote

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bigin_archive.archive_request import MODULES, ArchiveRequest
from bigin_archive.audit import manifest, report_html, report_json
from bigin_archive.audit.attachment_view import AttachmentView
from bigin_archive.audit.comparison import Audit
from bigin_archive.audit.difference_kinds import Kind
from bigin_archive.audit.merge_join import MergeJoin
from bigin_archive.bigin.found_attachment import Found
from bigin_archive.bigin.listing import Link, ListedAttachment
from bigin_archive.ledger.ledger_entry import LedgerEntry
from bigin_archive.storage.archived_object import ArchivedObject, describe, place_of
from bigin_archive.storage.object_attributes import describe as attributes
from bigin_archive.storage.version_listing import ListedKey

NOW = "2026-11-23T20:00:00+00:00"
BEFORE, AFTER = "2026-11-01T00:00:00+00:00", "2026-11-23T20:00:01+00:00"
PLACE = "Contacts/1/2"
OBJECT = ArchivedObject(f"bigin/{PLACE}/a.pdf", f"{PLACE}/a.pdf", 5, "ab", "v1", BEFORE, PLACE, "a.pdf")
ENTRY = LedgerEntry(
    "Contacts",
    "1",
    "2",
    "archived",
    key=OBJECT.key,
    version_id="v1",
    size_bytes=5,
    sha256="ab",
    file_name="a.pdf",
    first_seen=BEFORE,
)
LISTED = Found(ArchiveRequest("Contacts", "1", "2"), "Müller", ListedAttachment("2", 5, name="a.pdf"))
LISTED_LINK = Found(LISTED.request, None, ListedAttachment("2", 0, Link("a", "https://example.com/")))
STRANGER = replace(OBJECT, claimed=None)
PLACEHOLDER = ArchivedObject(f"bigin/{PLACE}/", f"{PLACE}/", 0, "e3", "v0", BEFORE)
SWAPPED = replace(OBJECT, version_id="v2", sha256="cd")
SHORTCUT = replace(OBJECT, is_link=True)
SIBLING = ArchivedObject(f"bigin/{PLACE}/a.pdf.url", f"{PLACE}/a.pdf.url", 50, "ef", "w1", BEFORE, PLACE, is_link=True)
SIBLINGS_ROW = replace(ENTRY, state="link", key=SIBLING.key, version_id="w1", size_bytes=50, sha256="ef")
NEWER = replace(LISTED, listed=replace(LISTED.listed, modified_time="2026-11-20T08:00:00+00:00"))
NOWHERE = replace(ENTRY, key=None, version_id=None, size_bytes=None, sha256=None)


def audit(*unlisted: str) -> Audit:
    return Audit(NOW, NOW, MODULES, set(unlisted))


@pytest.mark.parametrize(
    ("listed", "entry", "objects", "code"),
    [
        (LISTED, ENTRY, (OBJECT,), None),
        (LISTED_LINK, replace(ENTRY, state="link"), (SHORTCUT,), None),
        (LISTED, None, (), "not_archived"),
        (LISTED, replace(NOWHERE, state="pending"), (), "not_archived"),
        (LISTED, ENTRY, (), "missing_object"),
        (None, ENTRY, (), "missing_object"),
        (LISTED, replace(ENTRY, state="gone"), (), "missing_object"),
        (LISTED, replace(NOWHERE, state="gone"), (), "gone_but_listed"),
        (None, replace(NOWHERE, state="gone"), (), None),
        (LISTED, replace(NOWHERE, state="parked", reason="bigin_refused"), (), "parked"),
        (None, replace(NOWHERE, state="parked"), (), "removed_before_archived"),
        (None, replace(NOWHERE, state="pending"), (), "removed_before_archived"),
        (None, replace(NOWHERE, state="pending", first_seen=AFTER), (), "not_archived"),
        (None, ENTRY, (OBJECT,), "removed_in_bigin"),
        (None, replace(ENTRY, first_seen=AFTER), (OBJECT,), None),
        (LISTED, ENTRY, (replace(OBJECT, version_id="v2", size_bytes=4, sha256="cd"),), "truncated"),
        (LISTED, ENTRY, (replace(OBJECT, version_id="v2", size_bytes=6, sha256="cd"),), "wrong_size"),
        (LISTED, ENTRY, (replace(OBJECT, version_id="v2", sha256="cd"),), "wrong_checksum"),
        (LISTED, ENTRY, (replace(OBJECT, version_id="v2"),), "ledger_wrong"),
        (LISTED, replace(ENTRY, version_id=None), (replace(OBJECT, version_id=None, sha256="cd"),), "wrong_checksum"),
        (LISTED, replace(ENTRY, version_id=None), (replace(OBJECT, version_id=None),), None),
        (LISTED, ENTRY, (replace(OBJECT, version_id="v2", sha256=None),), "no_checksum"),
        (LISTED, replace(ENTRY, size_bytes=4), (OBJECT,), "ledger_wrong"),
        (LISTED, replace(ENTRY, sha256="cd"), (OBJECT,), "ledger_wrong"),
        (LISTED, replace(ENTRY, sha256=None), (OBJECT,), "ledger_wrong"),
        (LISTED, replace(ENTRY, key="bigin/other"), (OBJECT,), "ledger_wrong"),
        (LISTED, replace(ENTRY, state="pending"), (OBJECT,), "ledger_wrong"),
        (LISTED, replace(ENTRY, state="pending"), (replace(OBJECT, modified_at=AFTER),), None),
        (LISTED, replace(ENTRY, state="parked", reason="content_conflict"), (OBJECT,), "parked"),
        (LISTED, None, (OBJECT,), "ledger_missing"),
        (LISTED, None, (replace(OBJECT, modified_at=AFTER),), None),
        (LISTED, None, (STRANGER,), "not_archived unknown_object"),
        (LISTED, None, (replace(STRANGER, size_bytes=9),), "not_archived unknown_object"),
        (LISTED, replace(NOWHERE, state="pending"), (STRANGER,), "not_archived unknown_object"),
        (None, None, (replace(OBJECT, claimed="Contacts/1/3"),), "unknown_object"),
        (LISTED, ENTRY, (replace(STRANGER, key="bigin/Contacts/1/2/A"), OBJECT), "unknown_object"),
        (LISTED, ENTRY, (OBJECT, replace(OBJECT, key="bigin/Contacts/1/2/b")), "second_object"),
        (LISTED, ENTRY, (replace(OBJECT, bytes_right=True),), None),
        # Whose an object is, its metadata tell.
        (LISTED, ENTRY, (STRANGER,), "adopted_object"),
        (LISTED, ENTRY, (replace(STRANGER, version_id="v2", sha256="cd"),), "wrong_checksum"),
        (LISTED, ENTRY, (OBJECT, PLACEHOLDER), "unknown_object"),
        (None, None, (PLACEHOLDER,), "unknown_object"),
        # A link needs a shortcut, a file its bytes.
        (LISTED_LINK, replace(NOWHERE, state="link"), (), "not_archived"),
        (None, replace(NOWHERE, state="link"), (), "removed_before_archived"),
        (LISTED, replace(ENTRY, state="link"), (SHORTCUT,), "not_archived"),
        (LISTED_LINK, ENTRY, (OBJECT,), "not_archived"),
        (LISTED, ENTRY, (OBJECT, SHORTCUT), None),
        # One that was turned into the other has an object of each; a row that is newer than the list is right.
        (LISTED_LINK, replace(ENTRY, state_at=AFTER), (OBJECT, SIBLING), None),
        (LISTED_LINK, replace(ENTRY, state_at=BEFORE), (OBJECT, SIBLING), "ledger_wrong"),
        (LISTED, replace(SIBLINGS_ROW, state_at=AFTER), (OBJECT, SIBLING), None),
        (LISTED, replace(SIBLINGS_ROW, state_at=BEFORE), (OBJECT, SIBLING), "ledger_wrong"),
        (LISTED, None, (OBJECT, SIBLING), "ledger_missing"),
        # The other one of the two is gone from the bucket.
        (LISTED_LINK, ENTRY, (SIBLING,), "ledger_wrong"),
        (LISTED, SIBLINGS_ROW, (OBJECT,), "ledger_wrong"),
        # What one state says must not hide another.
        (LISTED, replace(ENTRY, state="parked", reason="bigin_refused"), (SWAPPED,), "wrong_checksum"),
        (LISTED, replace(ENTRY, state="parked", reason="content_conflict"), (SWAPPED,), "wrong_checksum parked"),
        (LISTED, replace(ENTRY, version_id=None), (replace(SWAPPED, version_id=None),), "wrong_checksum"),
        # Bigin's word that there is nothing, and its list.
        (LISTED, replace(NOWHERE, state="gone", state_at=AFTER), (), "removed_before_archived"),
        (LISTED, replace(NOWHERE, state="gone", state_at=BEFORE), (), "gone_but_listed"),
        (LISTED, replace(NOWHERE, state="gone", state_at=AFTER, reason="still_listed"), (), "gone_but_listed"),
        # The same id and size, a newer time.
        (NEWER, replace(ENTRY, archived_modified_time="2026-11-01T00:00:00Z"), (OBJECT,), "changed_in_bigin"),
        (NEWER, replace(ENTRY, archived_modified_time="2026-11-20T10:00:00+02:00"), (OBJECT,), None),
        (NEWER, replace(ENTRY, archived_at="2026-11-01T00:00:00Z"), (OBJECT,), "changed_in_bigin"),
        (NEWER, replace(ENTRY, archived_at="2026-11-20T07:50:00Z"), (OBJECT,), None),
        (LISTED, ENTRY, (replace(OBJECT, bytes_right=False),), "bytes_wrong"),
        (replace(LISTED, listed=ListedAttachment("2", 7)), ENTRY, (OBJECT,), "size_differs_from_bigin"),
        (replace(LISTED, listed=ListedAttachment("2", None)), ENTRY, (OBJECT,), None),
    ],
)
def test_each_attachment_gets_one_name(
    listed: Found | None, entry: LedgerEntry | None, objects: tuple[ArchivedObject, ...], code: str | None
) -> None:
    """The gravest difference comes first, and there is none without a reason."""
    found = audit().add(AttachmentView(PLACE, listed, entry, objects))

    assert (code or "").split() == [one.kind.code for one in found]


@pytest.mark.parametrize(("listed", "stored"), [(LISTED, OBJECT), (LISTED_LINK, SIBLING)])
def test_file_and_shortcut_of_an_attachment_are_not_compared_with_each_other(
    listed: Found, stored: ArchivedObject
) -> None:
    """Neither is an overwritten form of the other, and each has its own checksum in the index, alone or beside it."""
    told = ((ENTRY, None), (SIBLINGS_ROW, None), (None, OBJECT), (None, SIBLING))
    for (entry, first), objects in product(told, ((OBJECT, SIBLING), (stored,))):
        known = AttachmentView(PLACE, listed, entry, objects, first=first)

        assert not {"truncated", "wrong_size", "wrong_checksum"} & {one.kind.code for one in audit().add(known)}
        assert known.stored == stored
        assert manifest.archived_sha256(known) == stored.sha256


@pytest.mark.parametrize(
    ("entry", "code"),
    [(ENTRY, None), (replace(NOWHERE, state="pending"), "not_archived"), (replace(NOWHERE, state="parked"), "parked")],
)
def test_a_list_that_is_not_whole_proves_no_removal(entry: LedgerEntry, code: str | None) -> None:
    """Where the module could not be listed, an attachment that is not in the list may well be there."""
    objects = (OBJECT,) if entry.key else ()

    found = audit("Contacts").add(AttachmentView(PLACE, None, entry, objects))

    assert (code or "").split() == [one.kind.code for one in found]


def test_green_needs_everything() -> None:
    """One grave difference, one thing that was not compared, or a failure: not complete. What is only told is."""
    complete, partial, uncovered, failed = audit(), audit(), audit(), audit()
    for one in (complete, partial, uncovered, failed):
        one.add(AttachmentView(PLACE, LISTED, ENTRY, (OBJECT,)))
    complete.add(AttachmentView(PLACE, None, ENTRY, (OBJECT,)))
    partial.add(AttachmentView(PLACE, LISTED))
    uncovered.uncovered.append("Notes")
    failed.failure = "Bigin is down."

    assert ["complete", "partial", "partial", "failed"] == [
        one.verdict for one in (complete, partial, uncovered, failed)
    ]


@pytest.mark.parametrize(
    ("missing", "wrong", "uncovered", "sentence"),
    [
        (1, 0, 0, "Bigin lists 2 attachments: 1 is not in the archive."),
        (2, 0, 1, "Bigin lists 3 attachments: 2 are not in the archive and not everything could be compared."),
        (0, 1, 0, "Bigin lists 2 attachments: 1 difference is to be looked at."),
        (
            1,
            2,
            1,
            "Bigin lists 4 attachments: 1 is not in the archive, 2 other differences are to be looked at "
            "and not everything could be compared.",
        ),
        (0, 0, 0, "Every attachment that Bigin lists (1) is archived, with the right size and checksum."),
    ],
)
def test_the_verdict_is_a_sentence(missing: int, wrong: int, uncovered: int, sentence: str) -> None:
    """The report tells its verdict in one sentence of plain English."""
    made = audit()
    made.add(AttachmentView(PLACE, LISTED, ENTRY, (OBJECT,)))
    for _ in range(missing):
        made.add(AttachmentView(PLACE, LISTED))
    for _ in range(wrong):
        made.add(AttachmentView(PLACE, LISTED, None, (OBJECT,)))
    made.uncovered += ["x"] * uncovered

    assert sentence == report_json.sentence(made)


ids = st.integers(1, 30).map(str)
places = st.tuples(st.sampled_from(MODULES), ids, ids)
names = st.text(st.characters(exclude_categories=["Cs"]), min_size=1, max_size=3)
strays = st.one_of(names, st.sampled_from(["Contacts", "Contacts/", "Contacts/1", "Contacts/1/", "Contacts/1/2"]))


@given(st.sets(places), st.sets(places), st.sets(st.tuples(places, names)), st.sets(strays))
def test_the_three_sides_meet_at_their_places(
    listed: set[tuple[str, str, str]],
    rows: set[tuple[str, str, str]],
    files: set[tuple[tuple[str, str, str], str]],
    others: set[str],
) -> None:
    """Whatever lies where, in S3's order: each place comes once, with all that is known of it."""
    paths = {f"{'/'.join(place)}/{name}" for place, name in files} | others
    objects = [ListedKey(path, path, ()) for path in sorted(paths, key=str.encode)]
    with TemporaryDirectory() as folder:
        join = MergeJoin(Path(folder))
        join.add_listed(Found(ArchiveRequest(*place), None, ListedAttachment(place[2], 1)) for place in listed)
        join.add_entries(LedgerEntry(*place) for place in rows)

        merged = list(join.merged(objects))

    assert len(merged) == len({known.place for known in merged})
    assert {"/".join(place) for place in listed} == {known.place for known in merged if known.listed}
    assert {"/".join(place) for place in rows} == {known.place for known in merged if known.entry}
    assert paths == {found.path for known in merged for found in known.keys}
    for known in merged:
        assert {known.place} >= {place_of(found.path) for found in known.keys}


@given(st.lists(st.one_of(st.text(), st.text("=+-@＝;,|\t\r\n \"'ax")), min_size=2))
def test_no_cell_is_a_formula(cells: list[str]) -> None:
    """A spreadsheet computes nothing, whatever separates cells; a reader gets each back, but for apostrophes."""
    line = manifest.csv_line(cells)

    (read,) = csv.reader(io.StringIO(line, newline=""))
    for cell, told in zip(cells, read, strict=True):
        assert told.replace("'", "") == cell.replace("'", "")
        assert len(told) == len(cell) or told != cell
        assert not told.startswith(("=", "+", "-", "@", "\t", "\r", "\n", "＝", "＋", "－", "＠"))
        for part in re.split(r"[;,|\t\r\n]", told):
            assert not re.match(r"[\s\"]*[=+\-@＝＋－＠]", part), (cell, told)


@pytest.mark.parametrize(
    ("cell", "told"),
    [
        ('x;=HYPERLINK("http://a.example")', 'x;\'=HYPERLINK("http://a.example")'),
        ("x; =1+1", "x;' =1+1"),
        ('x;"=1+1"', 'x;\'"=1+1"'),
        ("x\t@SUM(1)", "x\t'@SUM(1)"),
        ("x|-1", "x|'-1"),
        ("x,+1", "x,'+1"),
        (" =1+1", "' =1+1"),
        ("a;b,c.pdf", "a;b,c.pdf"),
        ("offer - copy.pdf", "offer - copy.pdf"),
        ("a=b.pdf", "a=b.pdf"),
    ],
)
def test_no_separator_begins_a_formula(cell: str, told: str) -> None:
    """Where a semicolon separates cells, as in many countries, what stands behind one is text all the same."""
    (read,) = csv.reader(io.StringIO(manifest.csv_line([cell]), newline=""))

    assert [told] == read


@pytest.mark.parametrize(
    ("known", "rows", "archived"),
    [
        (AttachmentView(PLACE, None, None, (OBJECT,)), [("archived", OBJECT.key)], 1),
        (AttachmentView(PLACE, None, None, (STRANGER,)), [], 0),
        (AttachmentView(PLACE, LISTED, None, (STRANGER,)), [("pending", "")], 0),
        (AttachmentView(PLACE, LISTED, ENTRY, (STRANGER,)), [("archived", OBJECT.key)], 1),
    ],
)
def test_an_object_of_a_stranger_is_no_archived_attachment(
    known: AttachmentView, rows: list[tuple[str, str]], archived: int
) -> None:
    """A stranger's object is in neither index nor totals, and the attachment in whose place it lies is not archived."""
    made = audit()
    made.add(known)
    with TemporaryDirectory() as folder:
        files = manifest.Index(Path(folder))
        files.add(known)
        made_files = {path: file.read() for path, file, _ in files.files()}
    table = list(csv.DictReader(io.StringIO(made_files[manifest.CSV_PATH].decode("utf-8-sig"), newline="")))

    assert rows == [(row["state"], row["key"]) for row in table]
    assert archived == made.total.archived


@given(st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\0"), min_size=1))
def test_a_line_of_checksums_is_one_line(path: str) -> None:
    """A name with a line break stays on one line, escaped as coreutils reads it."""
    line = manifest.sum_line("ab" * 32, path)

    assert 1 == line.count("\n")
    escaped = line.startswith("\\")
    name = line.removeprefix("\\")[66:-1]
    if escaped:
        name = json.loads(f'"{name.replace(chr(34), chr(92) + chr(34))}"', strict=False)
    assert path == name


class Reader(HTMLParser):
    """Tags and text of a page."""

    def __init__(self) -> None:
        super().__init__()
        self.tags: list[tuple[str, dict[str, str | None]]] = []
        self.text: list[str] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append((tag, dict(attrs)))

    def handle_data(self, data: str) -> None:
        self.text.append(data)


HOSTILE = ("<script>alert(1)</script>", '"><img src=x onerror=alert(1)>', "&lt;b&gt;", "</table><h1>x", "a\u202eb")


@pytest.mark.parametrize("name", HOSTILE)
def test_names_stay_text_in_the_page(name: str) -> None:
    """Whatever a file, a record or a stray object is called: no tag comes of it, and it can be read."""
    made, calm = audit(), audit()
    for one, called in ((made, name), (calm, "calm")):
        listed = Found(LISTED.request, called, replace(LISTED.listed, name=called))
        one.add(AttachmentView(PLACE, listed))
        one.add(AttachmentView(called, objects=(ArchivedObject(called, called, 1, None, None, BEFORE),)))
        one.uncovered.append(called)
        one.failure = called

    page, other = Reader(), Reader()
    page.feed("".join(report_html.pieces(made, f"s3://{name}/")))
    other.feed("".join(report_html.pieces(calm, "s3://calm/")))

    assert [tag for tag, _ in other.tags] == [tag for tag, _ in page.tags]
    assert name in page.text


def test_the_page_needs_nothing_from_elsewhere() -> None:
    """The page has no address, script or picture, and its policy forbids them to the browser."""
    made = audit()
    made.add(AttachmentView(PLACE, LISTED))
    page = Reader()
    page.feed("".join(report_html.pieces(made, "s3://bucket/bigin/")))

    assert not {"script", "img", "link", "iframe", "object", "form"} & {tag for tag, _ in page.tags}
    for tag, attributes_ in page.tags:
        assert "src" not in attributes_
        assert str(attributes_.get("href", "#")).startswith("#"), tag
    policy = [attributes_.get("content") for tag, attributes_ in page.tags if tag == "meta"]
    assert any("default-src 'none'" in str(content) for content in policy)


def test_the_page_calls_companies_what_bigin_calls_them() -> None:
    """The API's name for them is Accounts, which keys and reports for machines have."""
    made = Audit(NOW, NOW, ("Accounts",))

    assert "<td>Accounts (Companies)</td>" in "".join(report_html.pieces(made, "s3://bucket/"))


def test_the_page_takes_ten_thousand_of_a_kind() -> None:
    """The page shows ten thousand differences of a kind and counts the rest; the JSON file has all."""
    made = audit()
    for number in range(report_html.MOST_ROWS + 5):
        request = ArchiveRequest("Contacts", "1", str(number))
        made.add(AttachmentView(f"Contacts/1/{number}", replace(LISTED, request=request)))

    text = "".join(report_html.pieces(made, "s3://bucket/"))
    told = json.loads("".join(report_json.pieces(made, "s3://bucket/")))

    assert report_html.MOST_ROWS == text.count("<tr><td><bdi>")
    assert "5 more stand in the JSON file" in text
    assert report_html.MOST_ROWS + 5 == len(told["differences"]) == told["kinds"]["not_archived"]


@pytest.mark.parametrize("kind", Kind, ids=lambda kind: kind.code)
def test_every_kind_has_a_remedy(kind: Kind) -> None:
    """Each kind of difference says what a person can do."""
    assert kind.title
    assert kind.remedy.endswith(".")
    assert ("aws s3api" in kind.remedy) == ("--bucket BUCKET" in kind.remedy)


@given(st.text(min_size=1, max_size=700))
def test_the_original_name_comes_back(name: str) -> None:
    """What goes into the metadata is read again; very long names come back shortened."""
    header = f"attachment; filename*=UTF-8''{quote(name, safe='', errors='replace')}"
    made = attributes("bigin/", ArchiveRequest("Contacts", "1", "2"), header, None)

    found = describe("bigin/", made.key, {"ContentLength": 1, "LastModified": 0, "Metadata": made.metadata})

    assert found.is_ours
    wanted = name.encode(errors="replace").decode()
    assert found.original_name is not None
    assert found.original_name == wanted or len(made.metadata["file-name"]) > 1500
