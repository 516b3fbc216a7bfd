"""Search: what counts as the same letter, what a query finds, and the index that it looks through."""

import gzip
import io
import json
from dataclasses import astuple, replace
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bigin_archive.page import find_page
from bigin_archive.search import kept_index
from bigin_archive.search.folding import LETTERS, fold, words
from bigin_archive.search.query import Query
from bigin_archive.search.search_index import FORMAT, SearchIndex, SearchIndexWriter, unpack
from bigin_archive.search.search_row import COLUMNS, IndexUnreadableError, SearchRow, day
from tests.vectors import load

VECTORS = Path(__file__).parents[1] / "vectors"
AS_OF = "2026-03-02T01:00:00+00:00"
ROW = SearchRow("Contacts", "7", "Muller", "9", "Offer.pdf", 10, "2026-01-31", "archived", None, "Offer.pdf")
TEXTS = st.none() | st.text(st.characters(exclude_categories=["Cs"]), min_size=1)
IDS = st.text("0123456789", min_size=1, max_size=50)


def rows() -> list[SearchRow]:
    """Those of the search vectors."""
    return [SearchRow(**row) for row in json.loads((VECTORS / "searches.json").read_text(encoding="utf-8"))["rows"]]


def written(*given: SearchRow) -> bytes:
    """The index of these rows."""
    with TemporaryDirectory() as folder:
        writer = SearchIndexWriter(Path(folder))
        for row in given:
            writer.add(row)
        with writer.write(AS_OF, None) as file:
            file.seek(0)
            return file.read()


def index_of(*given: SearchRow) -> SearchIndex:
    """The same, read back."""
    return unpack(io.BytesIO(written(*given)))


@pytest.mark.parametrize("vector", load("folding"))
def test_letters_that_count_as_the_same(vector: dict[str, str]) -> None:
    """Capitals, accents, strokes and compatibility forms do not matter."""
    assert vector["folded"] == fold(vector["text"])


@given(st.text())
def test_folding_twice_changes_nothing(text: str) -> None:
    """What is folded stays as it is, so that a folded index and a folded query meet."""
    assert fold(text) == fold(fold(text))


def test_both_programs_know_the_same_letters() -> None:
    """The page's list of letters is that of the functions."""
    script = (Path(find_page.__file__).parent / "search.js").read_text(encoding="utf-8")

    assert set(LETTERS.split(" ")) == set("".join(script.split("`")[1:4:2]).split(" "))


def test_a_word_that_another_one_holds_says_nothing_more() -> None:
    """A word inside another one is left out, so that a text of 200 characters costs few passes."""
    assert ("muller", "of") == words("of Müller mull  ull muller")


@pytest.mark.parametrize("vector", load("searches"))
def test_queries_find_what_they_say(vector: dict[str, Any]) -> None:
    """A query finds rows that hold every word in names or ids, narrowed by module, state and days, the newest first."""
    query = vector["query"]
    index = index_of(*rows())

    found = index.search(
        Query(
            words(query["q"]),
            modules=frozenset({query["module"]} if "module" in query else ()),
            states=frozenset({query["state"]} if "state" in query else ()),
            since=query.get("since"),
            until=query.get("until"),
        )
    )

    assert vector["found"] == [index.row(number).attachment_id for number in found]


def test_an_index_finds_what_its_rows_say_however_often_it_is_asked() -> None:
    """An index finds what its rows match one by one, also for words that it remembers or has dropped."""
    made = [
        replace(
            rows()[0],
            record_id=f"70{number % 7}",
            attachment_id=f"9{number}",
            record_name=f"Møller {number % 5} offer offer",
            file_name=f"{number} Angebot {number % 3}.pdf",
        )
        for number in range(40)
    ]
    index = index_of(*made)
    newest = sorted(made, key=lambda row: (row.attached_on or "", row.attachment_id.zfill(50)), reverse=True)
    texts = [f"{word}{number}" for word in ("", "moller ", "angebot ", "offer 1 ", "7") for number in range(20)]
    for text in [*texts, *texts[::-1]]:
        query = Query(words(text))
        expected = [row for row in newest if query.matches(row.searched(), row.record_id, row.attachment_id)]
        assert expected == [index.row(number) for number in index.search(query)], text


@given(st.builds(SearchRow, st.just("Notes"), IDS, TEXTS, IDS, TEXTS, st.none() | st.integers(0), st.just("2026-01-31")
       | st.none(), st.just("archived"), TEXTS, TEXTS))  # fmt: skip
def test_a_row_comes_back_as_it_was(row: SearchRow) -> None:
    """A row comes back as it was, with tabs, line breaks and backslashes in its names."""
    line = row.line()

    assert "\n" not in line
    assert row == SearchRow.from_line(line)


def test_a_name_that_is_no_text_does_not_spoil_the_index() -> None:
    """A lone surrogate, which UTF-8 does not carry, becomes a question mark."""
    index = index_of(replace(ROW, file_name="a\ud800.pdf"))

    assert "a?.pdf" == index.row(0).file_name


def test_the_same_rows_make_the_same_bytes() -> None:
    """The same rows make the same bytes, so an unchanged archive keeps its ETag's content."""
    assert written(ROW, *rows()) == written(*reversed(rows()), ROW)


def test_the_index_tells_until_when_it_is_whole() -> None:
    """The index tells until when it is whole, and when something was archived last."""
    with TemporaryDirectory() as folder:
        writer = SearchIndexWriter(Path(folder))
        writer.add(ROW)
        with writer.write(AS_OF, "2026-03-01T00:00:00+00:00") as file:
            file.seek(0)
            index = unpack(file)

    assert (AS_OF, "2026-03-01T00:00:00+00:00", 1) == (index.as_of, index.last_archived_at, len(index))


def packed(text: str) -> bytes:
    """A gzipped text."""
    return gzip.compress(text.encode(errors="surrogateescape"))


@pytest.mark.parametrize(
    "content",
    [
        b"",
        b"no gzip",
        written(ROW)[:-9],
        written(ROW)[:30],
        packed(""),
        packed(f"{FORMAT}\t{AS_OF}\t\t1\n" + "\t".join(COLUMNS) + "\n"),
        packed(f"{FORMAT}\t{AS_OF}\t\tmany\n" + "\t".join(COLUMNS) + "\n"),
        packed(f"{FORMAT}0\t{AS_OF}\t\t0\n" + "\t".join(COLUMNS) + "\n"),
        packed(f"{FORMAT}\t{AS_OF}\t\t0\nother\tcolumns\n"),
        packed(f"{FORMAT}\t{AS_OF}\t\t1\n" + "\t".join(COLUMNS) + "\na\t1\t2\tContacts\n"),
    ],
    ids=[
        "empty",
        "no gzip",
        "cut end",
        "cut",
        "no line",
        "too few",
        "no count",
        "later version",
        "columns",
        "cut line",
    ],
)
def test_a_damaged_index_is_refused(content: bytes) -> None:
    """A damaged index is refused, because it may have lost lines."""
    with pytest.raises(IndexUnreadableError):
        unpack(io.BytesIO(content))


@pytest.mark.parametrize("given", [[], [ROW], [ROW, *rows()]], ids=["none", "one", "more"])
def test_a_kept_index_finds_what_the_index_finds(given: list[SearchRow], tmp_path: Path) -> None:
    """A kept index finds the same rows as the index: by a word, two, a number or an id."""
    index = index_of(*given)
    kept_index.save(index, tmp_path)

    kept = kept_index.load(tmp_path)

    assert (len(index), index.as_of, index.last_archived_at) == (len(kept), kept.as_of, kept.last_archived_at)
    assert [index.row(number) for number in range(len(index))] == [kept.row(number) for number in range(len(kept))]
    for text in ("", "a", "pdf offer", "1", ROW.attachment_id, f"{ROW.record_id} pdf"):
        assert list(index.search(Query(words(text)))) == list(kept.search(Query(words(text))))


@pytest.mark.parametrize("line", ["1\t2", "x\t1\t2\tContacts\t\tarchived\t\t\tmany\t\t"])
def test_a_damaged_row_is_refused(line: str) -> None:
    """A row that cannot be read is an error."""
    with pytest.raises(IndexUnreadableError):
        SearchRow.from_line(line)


@pytest.mark.parametrize(
    ("times", "expected"),
    [
        (("2026-01-31T23:59:00+03:00", "2026-05-05T00:00:00+00:00"), "2026-01-31"),
        ((None, "2026-05-05T00:00:00+00:00"), "2026-05-05"),
        ((None, ""), None),
        (("yesterday",), None),
    ],
)
def test_the_day_is_that_of_bigin(times: tuple[str | None, ...], expected: str | None) -> None:
    """The day is that of Bigin's own time zone, as its screens show it."""
    assert expected == day(*times)


def test_the_find_page_holds_the_lines_of_the_index() -> None:
    """The find page holds the lines of the index as strings, whatever the names are."""
    with TemporaryDirectory() as folder:
        writer = SearchIndexWriter(Path(folder))
        for row in [*rows(), replace(ROW, file_name='"]};alert(1)//\u2028</script>')]:
            writer.add(row)
        lines = list(writer.lines())
        script = "".join(find_page.script(lines, AS_OF))
    strings = script[script.index("[\n") : script.index("\n]};")].rstrip(",\n") + "]"

    assert "\n".join(lines) == "\n".join(json.loads(strings))
    assert len(astuple(ROW)) == len(COLUMNS) - 1


def test_the_find_page_asks_nothing_of_anybody() -> None:
    """The find page has its style inside and one script beside it, and no other address."""
    page = find_page.html()

    assert page.count('src="') == 1
    assert '<script defer src="find.js">' in page
    assert "http:" not in page
    assert "https:" not in page
