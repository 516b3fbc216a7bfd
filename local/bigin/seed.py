"""The account the simulator starts with: always the same records, attachments and ids.

Every module has a record with attachments; every attachment is there for a reason, named beside
it. Names and firms are made up.
"""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

from .account import MODULES, Account, Attachment, disposition_of
from .content import MIB, Content, numbered_lines, sound, stored

DOCUMENTS = Path(__file__).parent / "documents"
ID_PREFIX = "5570213000000"

RECORDS = {module: f"{ID_PREFIX}{number}00001" for number, module in enumerate(MODULES, start=1)}
"""The record with attachments of each module."""
RECORD_NAMES = {
    "Contacts": "Þórdís Jónsdóttir",
    "Pipelines": "Расширение склада, Łódź Północ",
    "Accounts": "株式会社あおぞら製作所",
    "Products": "Azulejo São Brás 15 × 15 cm",
    "Tasks": "Protokoll an alle Teilnehmer senden",
    "Events": "Visite de chantier, Brasserie du Vieux Pont",
    "Notes": "Call with Adaeze Okonkwo, Harbour Lane Bakery",
}
BARE_RECORD = ("Contacts", f"{ID_PREFIX}100002")
"""A record without attachments."""
BARE_RECORD_NAME = "Mateusz Wiśniewski"
# When each attachment was attached, by its number: ids grow with time, as Bigin's do.
ATTACHED_ON = (
    "2023-02-14", "2023-03-02", "2023-05-22", "2023-06-19", "2023-09-08", "2023-11-27", "2024-01-15", "2024-02-06",
    "2024-02-07", "2024-04-30", "2024-05-13", "2024-07-01", "2024-08-29", "2024-10-03", "2024-12-11", "2025-01-20",
    "2025-03-17", "2025-04-02", "2025-05-28", "2025-07-09", "2025-09-16", "2025-11-04", "2026-01-23", "2026-03-02",
)  # fmt: skip

LONG_NAME = "Protokoll der Sitzung vom 28. Mai 2025 " + "mit allen Anlagen " * 10 + "(Entwurf).txt"

_Row = tuple[int, str, str, str | Content, str, dict[str, Any]]


def _rows() -> Iterator[_Row]:
    """Yield id suffix, module, file name, document, content type, and what else is unusual."""
    # The published example: no blank after ";", a raw blank, percent-encoded brackets.
    yield 1, "Contacts", "image (2).png", "chart.png", "image/png;charset=UTF-8", {}
    # Latin letters with accents.
    yield 2, "Contacts", "Angebot für Frau Þórdís - Größe 2.docx", "offer.docx", DOCX, {}
    # The same name twice on one record, with different bytes.
    yield 3, "Contacts", "invoice.pdf", "invoice.pdf", "application/pdf", {}
    yield 4, "Contacts", "invoice.pdf", "floor-plan.pdf", "application/pdf", {}
    # A genuine JSON attachment named as the API's own answers are.
    yield (
        5,
        "Contacts",
        "response.json",
        "saved-answer.json",
        JSON,
        {"disposition": "attachment; filename=response.json"},
    )
    yield 6, "Pipelines", "Смета и договор.xlsx", "stock.xlsx", XLSX, {}
    yield 7, "Pipelines", "عرض السعر.pdf", "invoice.pdf", "application/pdf;charset=UTF-8", {}
    # 100 MB: the largest body the platform takes.
    yield 8, "Pipelines", "Messwerte Prüfstand 2024.txt", numbered_lines(100 * MIB), "text/plain", {}
    yield 9, "Pipelines", "Grundriss Halle 3 (freigegeben)", stored(b""), "text/html", {
        "kind": "link", "link_url": "https://example.com/drawings/17?view=full&page=2",
    }  # fmt: skip
    yield 10, "Accounts", "見積書 2024年4月.pdf", "floor-plan.pdf", "application/x-download", {}
    yield (
        11,
        "Accounts",
        "客户名单.csv",
        "contacts.csv",
        "text/csv;charset=UTF-8",
        {"disposition": "attachment; filename=客户名单.csv"},
    )
    # A quoted name with quotes and a semicolon inside.
    yield (
        12,
        "Accounts",
        'The "final" version; signed.jpg',
        "landscape.jpg",
        "image/jpeg",
        {"disposition": 'attachment; filename="The \\"final\\" version; signed.jpg"'},
    )
    yield 13, "Accounts", "samples.zip", "samples.zip", "application/zip", {"disposition": None}
    yield 14, "Products", "नमूना सूची.html", "newsletter.html", "text/html;charset=UTF-8", {}
    yield 15, "Products", "logo 🏺✨.png", "logo.png", "application/octet-stream", {}
    # Both forms of the name, as the standard recommends.
    yield 16, "Products", "naïve façade.txt", "latin1.txt", "text/plain;charset=ISO-8859-1", {
        "disposition": "attachment; filename=\"naive facade.txt\"; "
                       "filename*=utf-8''na%C3%AFve%20fa%C3%A7ade.txt",
    }  # fmt: skip
    # A file that holds an error of the API: its name, given in full, tells that it is a file.
    yield 17, "Products", "100% cotton & more #1 + 2.json", "saved-error.json", JSON, {}
    yield 18, "Tasks", "empty.txt", stored(b""), "text/plain", {}
    yield 19, "Tasks", LONG_NAME, "minutes.txt", "text/plain;charset=UTF-8", {}
    # The one whose bytes the tests and the docs take away: it is listed then, and a download is answered with 204.
    yield 20, "Tasks", "Reisekosten Juli 2025.pdf", "invoice.pdf", "application/pdf", {}
    yield 21, "Events", "voice note.wav", sound(3 * MIB + 1), "audio/x-wav", {}
    # No content type, another `$type`, no `$file_id`.
    yield (
        22,
        "Events",
        "appointment.ics",
        "appointment.ics",
        "",
        {"listed": {"$type": "Attachment", "$file_id": None}},
    )
    # A path in a name.
    yield 23, "Notes", "../../etc/..\\sketch.svg", "sketch.svg", "image/svg+xml", {}
    yield (
        24,
        "Notes",
        ".spinner",
        "spinner.gif",
        "image/gif",
        {"disposition": 'attachment; filename=".spinner"'},
    )


DOCX = "application/vnd.openxmlformats-officedocument.wordprocessingml.document"
XLSX = "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet"
JSON = "application/json;charset=UTF-8"


def seeded_account() -> Account:
    """Return the account as it is at the start."""
    account = Account()
    account.add_record(*BARE_RECORD, modified_time="2023-01-09T09:00:00+03:00", name=BARE_RECORD_NAME)
    for module, record_id in RECORDS.items():
        account.add_record(module, record_id, modified_time="2026-03-02T09:30:00+03:00", name=RECORD_NAMES[module])
    for number, module, file_name, document, content_type, unusual in _rows():
        content = document if isinstance(document, Content) else _document(document)
        usual: dict[str, Any] = {"disposition": disposition_of(file_name)}
        attachment = Attachment(
            id=f"{ID_PREFIX}9{number:05d}",
            module=module,
            record_id=RECORDS[module],
            file_name=file_name,
            content=content,
            content_type=content_type,
            created_time=f"{ATTACHED_ON[number - 1]}T09:{number:02d}:00+03:00",
            **usual | unusual,
        )
        account.add(attachment)
    return account


def _document(name: str) -> Content:
    return stored((DOCUMENTS / name).read_bytes())
