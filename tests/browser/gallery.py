"""The pictures of docs/console.md: the console over an archive that is made up, as a phone and a desktop show it.

python -m tests.browser.gallery
"""

import threading
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

from playwright.sync_api import Page, sync_playwright

from bigin_archive.archive_request import ArchiveRequest
from bigin_archive.ledger.ledger_entry import LedgerEntry
from bigin_archive.ledger.search_row import search_row
from bigin_archive.search.search_index import SearchIndex, SearchIndexWriter, unpack
from bigin_archive.storage.archived_object import ArchivedObject
from operate.console.server import ConsoleServer
from tests.browser.chromium import OPTIONS, executable

IMAGES = Path(__file__).parents[2] / "docs" / "images"
AS_OF = "2026-11-24T02:14:00+00:00"
COMPANIES = (
    "Müller & Söhne GmbH", "Łódź Logistics Sp. z o.o.", "Møllevej ApS", "Boulangerie Lefèvre", "Çelik Yapı A.Ş.",
    "Nordwind Energie AG", "株式会社さくら商事", "Παπαδόπουλος & Υιοί", "Smith, Weaver & Partners",
    "ООО «Северный ветер»",
)  # fmt: skip
FILES = (
    "Angebot 2026-114.pdf", "Rahmenvertrag signed.pdf", "Rechnung 88213.pdf", "Floor plan v3.dwg", "Offer – final.docx",
    "契約書.pdf", "Umowa ramowa.pdf", "Protokoll Kickoff.docx", "Price list.xlsx", "Site photos.zip",
)  # fmt: skip


@dataclass(frozen=True, slots=True)
class MadeUp:
    """An archive of these entries, in memory, in place of a bucket and a table."""

    entries: Sequence[LedgerEntry]
    verdict: Mapping[str, Any]

    def index(self) -> SearchIndex:
        with TemporaryDirectory() as folder:
            writer = SearchIndexWriter(Path(folder))
            for entry in self.entries:
                writer.add(search_row(entry))
            with writer.write(AS_OF, AS_OF) as file:
                file.seek(0)
                return unpack(file)

    def report(self) -> Mapping[str, Any]:
        return self.verdict

    def version(self, key: str, version_id: str | None) -> ArchivedObject:
        return ArchivedObject(key, key, 1, None, version_id, AS_OF)

    def signed_url(self, file: ArchivedObject, seconds: int) -> str:
        return "/console/app.css"

    def entries_of(self, module: str, record_id: str) -> Iterator[LedgerEntry]:
        return (entry for entry in self.entries if (entry.module, entry.record_id) == (module, record_id))

    def find(self, requests: Sequence[ArchiveRequest]) -> dict[str, LedgerEntry]:
        known = {entry.request.place: entry for entry in self.entries}
        return {request.place: known[request.place] for request in requests if request.place in known}


def made_up(count: int = 240) -> MadeUp:
    """Some hundred attachments of ten companies, one of them a link, one refused, one waiting."""
    modules = ("Accounts", "Pipelines", "Contacts")
    states = {3: "link", 11: "parked", 17: "pending"}
    entries = [
        LedgerEntry(
            module=modules[number % 10 % 3],
            record_id=f"20340200000004{number % 10:05}",
            attachment_id=f"20340200000007{count - number:05}",
            state=states.get(number, "archived"),
            key=f"bigin/x/{FILES[(number * 7 + number // 10) % 10]}",
            size_bytes=(number * 7919 + 40) ** 2 % 9_000_000,
            sha256="9f86d081884c7d659a2feaa0c55ad015a3bf4f1b2b0b822cd15d6c15b0f00a08",
            file_name=FILES[(number * 7 + number // 10) % 10],
            record_name=COMPANIES[number % 10],
            created_time=f"{2026 - number // 80}-{11 - number // 24 % 10:02}-{24 - number % 23:02}T09:00:00+01:00",
            link_url="https://drive.example.com/drawings/17" if number == 3 else None,
        )
        for number in range(count)
    ]
    totals = {"archived": 12_482, "links": 61, "size_bytes": 48_316_000_000, "pending": 0, "parked": 0}
    report = {"verdict": "complete", "finished_at": AS_OF, "complete_as_of": "2026-11-24T01:00:00+00:00"}
    return MadeUp(entries, {**report, "modules": {"Accounts": totals}})


def picture(page: Page, name: str) -> None:
    page.screenshot(path=str(IMAGES / f"{name}.png"))


def main() -> None:
    IMAGES.mkdir(exist_ok=True)
    archive: Any = made_up()
    with ConsoleServer(archive, archive, 0, lambda *line: None) as server, sync_playwright() as playwright:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        browser = playwright.chromium.launch(executable_path=executable(), args=OPTIONS)
        for device, width, height, scale in (("desktop", 1280, 800, 1), ("phone", 390, 844, 2)):
            for mode in ("light", "dark"):
                context = browser.new_context(
                    viewport={"width": width, "height": height},
                    device_scale_factor=scale,
                    color_scheme=mode,  # type: ignore[arg-type]
                    locale="en-GB" if mode == "light" else "de-DE",
                )
                page = context.new_page()
                page.goto(server.url)
                page.wait_for_selector("tbody tr")
                page.wait_for_selector("#verdict:not([hidden])")
                picture(page, f"console-{device}-{mode}")
                if mode == "light":
                    page.fill("#q", "muller")
                    page.wait_for_function("document.querySelector('#count').textContent.startsWith('24')")
                    page.locator("tbody .to").first.click()
                    page.wait_for_selector("#record-head:not([hidden])")
                    page.wait_for_selector("tbody tr")
                    page.locator("tbody .do button").first.click()
                    page.wait_for_selector("details")
                    page.locator("details summary").first.click()
                    picture(page, f"console-{device}-record")
                context.close()
        browser.close()
        server.shutdown()


if __name__ == "__main__":
    main()
