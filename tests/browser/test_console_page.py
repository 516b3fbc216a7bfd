"""The console in a browser, used by somebody who only knows the name of a company."""

import hashlib
import json
from collections.abc import Callable
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import pytest
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import expect

from bigin_archive.audit.auditor import Listing
from bigin_archive.console.link_limit import MOST_LINKS
from bigin_archive.page import find_page
from bigin_archive.search import search_index
from bigin_archive.search.search_index import SearchIndexWriter
from bigin_archive.search.search_row import SearchRow
from operate.console.server import ConsoleServer
from tests.archived import PREFIX, Archive, content
from tests.browser.conftest import Tab
from tests.vectors import load

LONG_AGO = Listing("2026-01-01T00:00:00+00:00")
OPEN = Callable[..., Tab]
VECTORS = Path(__file__).parents[1] / "vectors"


def hostile_names() -> list[str]:
    """982 names as files may have them, 200 as records may: markup, scripts, and what turns text around."""
    parts = (
        "<img src=x onerror=alert(1)>", "<script>alert(1)</script>", "\"><svg onload=alert(1)>", "javascript:alert(1)",
        "{{constructor.constructor('alert(1)')()}}", "${alert(1)}", "'-alert(1)-'", "</td></table><b>", "&lt;b&gt;",
        "\u202efdp.exe", "\u2066a\u2069", "a\u0000b", "\n\r\t", "\\u003cscript\\u003e", "%3Cscript%3E",
        "../../etc/passwd",
        "=HYPERLINK(\"http://a.example\")", "\ufeff", "\U0001f600" * 5, "a" * 255, "i\u0300" * 60, "]]>", "<!--",
        "\u2028x",
    )  # fmt: skip
    return [f"{parts[number % len(parts)]}{number}{parts[(number * 7 + 3) % len(parts)]}" for number in range(1182)]


def put_index(archive: Archive, rows: list[SearchRow]) -> None:
    """The search index of these rows, as an audit stores it."""
    with TemporaryDirectory() as folder:
        writer = SearchIndexWriter(Path(folder))
        for row in rows:
            writer.add(row)
        with writer.write("2026-03-02T01:00:00+00:00", None) as file:
            file.seek(0)
            archive.aws.s3.put_object(Bucket=archive.aws.bucket, Key=PREFIX + search_index.PATH, Body=file.read())


def test_three_files_are_found_by_company_and_downloaded(
    archive: Archive, console: ConsoleServer, tab: OPEN, tmp_path: Path
) -> None:
    """A search without accents finds three files; each downloads with its own bytes and its SHA-256."""
    wanted = [
        archive.new(1, module="Accounts", record_name=name, file_name=file)[0]
        for name, file in (
            ("Møllevej ApS", "Vertrag.pdf"),
            ("Łódź Sp. z o.o.", "Umowa 1.pdf"),
            ("株式会社", "契約書.pdf"),
        )
    ]
    archive.new(60)
    archive.auditor.audit(LONG_AGO)
    opened = tab()
    page = opened.page
    page.goto(console.url)

    expect(page.locator("#answer")).to_have_text("Everything is there")
    expect(page.locator("#count")).to_have_text("63 files · Page 1 of 2")
    for entry, typed in zip(wanted, ("mollevej", "lodz umowa", "契約"), strict=True):
        page.fill("#q", typed)
        expect(page.locator("tbody tr")).to_have_count(1)
        expect(page.locator("tbody td.file")).to_contain_text(str(entry.file_name))
        with page.expect_download() as waiting:
            page.locator("tbody .do button").click()
        path = tmp_path / "file"
        waiting.value.save_as(path)
        page.locator("tbody summary").click()

        assert path.read_bytes() == content(entry)
        assert page.locator("tbody code").inner_text() == hashlib.sha256(content(entry)).hexdigest() == entry.sha256
    assert opened.violations == []
    assert "key=" not in page.url


def test_the_keyboard_alone_is_enough(archive: Archive, console: ConsoleServer, tab: OPEN) -> None:
    """From the search field to the record, its files, and back; the count is told to screen readers."""
    archive.new(3, record_id="77", module="Tasks", record_name="Runa AB")
    archive.auditor.audit(LONG_AGO)
    page = tab().page
    page.goto(console.url)
    expect(page.locator("#count")).to_have_text("3 files")

    page.focus("#q")
    page.keyboard.type("runa")
    expect(page.locator("#count")).to_have_attribute("aria-live", "polite")
    page.locator("tbody .to").first.focus()
    page.keyboard.press("Enter")
    expect(page.locator("#record-name")).to_have_text("Runa AB")
    expect(page.locator("#back")).to_be_focused()
    page.keyboard.press("Enter")
    expect(page.locator("#q")).to_be_focused()
    assert page.input_value("#q") == "runa"


def test_an_address_opens_at_an_attachment(archive: Archive, console: ConsoleServer, tab: OPEN) -> None:
    """A link to an attachment opens its record, with the file's button focused."""
    made = archive.new(3, record_id="77", module="Tasks")
    page = tab().page
    page.goto(console.url)
    page.goto(f"http://{console.host}/console#Tasks/77/{made[1].attachment_id}")

    expect(page.locator("tr.chosen button")).to_be_focused()


@pytest.mark.parametrize("language", ["en", "de"])
@pytest.mark.parametrize("mode", ["light", "dark"])
def test_nobody_is_shut_out(archive: Archive, console: ConsoleServer, tab: OPEN, language: str, mode: str) -> None:
    """axe finds no accessibility fault, in both languages and both modes, in the list and on a record's page."""
    archive.new(2, record_id="77", module="Tasks")
    archive.new(1, state="parked")
    archive.auditor.audit(LONG_AGO)
    page = tab(locale={"en": "en-GB", "de": "de-DE"}[language], color_scheme=mode).page
    page.goto(console.url)
    expect(page.locator("tbody tr").first).to_be_visible()
    expect(page.locator("#verdict")).to_be_visible()
    lists = Axe().run(page)
    page.locator("tbody .to").first.click()
    expect(page.locator("#record-head")).to_be_visible()
    records = Axe().run(page)

    assert page.evaluate("document.documentElement.lang") == language
    for results in (lists, records):
        assert results.violations_count == 0, results.generate_report()


@pytest.mark.parametrize("width", [360, 2560])
def test_every_width_holds_it(archive: Archive, console: ConsoleServer, tab: OPEN, width: int) -> None:
    """No sideways scrolling, with the longest names too."""
    archive.new(2, record_name="Wort" * 50, file_name="x" * 200 + ".pdf")
    archive.auditor.audit(LONG_AGO)
    page = tab(viewport={"width": width, "height": 800}).page
    page.goto(console.url)
    expect(page.locator("tbody tr").first).to_be_visible()

    assert page.evaluate("document.documentElement.scrollWidth") <= width


def test_hostile_names_are_text(
    archive: Archive, console: ConsoleServer, tab: OPEN, figure: Callable[[str], None]
) -> None:
    """No dialog, no policy is violated, and nothing is asked of another host, however names are made."""
    names = hostile_names()
    rows = [
        SearchRow("Notes", str(number), names[982 + number % 200], str(number), name, 1, "2026-01-31", "archived")
        for number, name in enumerate(names[:982], 1)
    ]
    put_index(archive, rows)
    opened = tab()
    page = opened.page
    page.goto(console.url)
    expect(page.locator("#count")).to_have_text("982 files · Page 1 of 20")
    for number in range(2, 21):
        page.click("#next")
        expect(page.locator("#page")).to_have_text(f"Page {number} of 20")
        expect(page.locator("table")).not_to_have_attribute("aria-busy", "true")

    assert (opened.dialogs, opened.violations, opened.foreign(f"http://{console.host}/")) == ([], [], [])
    assert page.locator("tbody script, tbody img, tbody svg").count() == 0
    figure("console: 982 hostile file names, 200 hostile record names: 0 dialogs, 0 violations, 0 foreign requests")


def test_what_goes_wrong_has_its_sentence(archive: Archive, console: ConsoleServer, tab: OPEN) -> None:
    """No list yet, nothing found, an old list, too many links, no answer, no key."""
    page = tab().page
    page.goto(console.url)
    expect(page.locator("#notice")).to_contain_text("bigin-archive audit")
    (entry,) = archive.new(1)
    put_index(archive, [SearchRow(entry.module, entry.record_id, "R", entry.attachment_id, "f", 1, None, "archived")])
    page.fill("#q", "nothing like it")
    expect(page.locator("#count")).to_contain_text("Nothing was found")
    page.fill("#q", "")
    expect(page.locator("#notice")).to_contain_text("This list is from 2 Mar 2026")
    for _ in range(MOST_LINKS):
        console.console.limit.take("operator")
    page.locator("tbody .do button").click()
    expect(page.locator("#notice")).to_contain_text("many files in one hour")
    page.route("**/search*", lambda route: route.abort())
    page.fill("#q", "x")
    expect(page.locator("#notice")).to_contain_text("No answer")
    page.unroute("**/search*")
    page.evaluate("sessionStorage.clear()")
    page.reload()
    expect(page.locator("#gate-text")).to_contain_text("start bigin-archive console again")


def test_a_copy_is_searched_from_disk(archive: Archive, tab: OPEN, tmp_path: Path) -> None:
    """find.html of a synced folder: no server, the same search, links to the files of the copy alone."""
    (entry,) = archive.new(
        1, module="Accounts", record_id="77", record_name="Møllevej ApS", file_name="Vertrag #1 50%.pdf"
    )
    archive.new(1, module="Accounts", record_id="77", record_name="Møllevej ApS", file_name="evil.html")
    archive.new(60)
    archive.auditor.audit(LONG_AGO)
    for found in archive.aws.s3.list_objects_v2(Bucket=archive.aws.bucket)["Contents"]:
        path = tmp_path / found["Key"]
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(archive.aws.s3.get_object(Bucket=archive.aws.bucket, Key=found["Key"])["Body"].read())
    opened = tab()
    page = opened.page
    page.goto((tmp_path / PREFIX / find_page.HTML_PATH).as_uri())
    expect(page.locator("#count")).to_have_text("62 files · Page 1 of 2")
    page.fill("#q", "mollevej vertrag")
    expect(page.locator("#count")).to_have_text("1 file")
    address = page.evaluate("document.querySelector('tbody a').href")
    page.locator("tbody .to").click()
    expect(page.locator("#record-name")).to_have_text("Møllevej ApS")

    assert Path(page.evaluate("(url) => decodeURIComponent(new URL(url).pathname)", address)).read_bytes() == content(
        entry
    )
    assert page.locator("tbody a").count() == 1  # a browser would run the other one
    assert "evil.html" in page.locator("tbody").inner_text()
    assert (opened.violations, opened.foreign("file:")) == ([], [])


def test_both_programs_search_alike(tab: OPEN, tmp_path: Path) -> None:
    """The page's search finds what the vectors say, as Python's search does."""
    document = json.loads((VECTORS / "searches.json").read_text(encoding="utf-8"))
    with TemporaryDirectory() as folder:
        writer = SearchIndexWriter(Path(folder))
        for row in document["rows"]:
            writer.add(SearchRow(**row))
        lines = list(writer.lines())
    (tmp_path / "find.js").write_text("".join(find_page.script(lines, "2026-03-02T01:00:00+00:00")), encoding="utf-8")
    (tmp_path / "find.html").write_text(find_page.html(), encoding="utf-8")
    page = tab().page
    page.goto((tmp_path / "find.html").as_uri())

    def searched(query: dict[str, Any]) -> list[str]:
        code = "(query) => search(names, rest, query).map((n) => decode(rest[n]).attachment_id)"
        found: list[str] = page.evaluate(code, query)
        return found

    for vector in document["vectors"]:
        assert vector["found"] == searched(vector["query"]), vector["name"]
    for one in load("folding"):
        vector = one.values[0]
        assert vector["folded"] == page.evaluate("(text) => fold(text)", vector["text"]), vector["name"]
    decoded = page.evaluate("rest.map(decode)")
    assert [row["file_name"] for row in decoded] == [SearchRow.from_line(line).file_name or "" for line in lines]
