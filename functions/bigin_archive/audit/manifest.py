"""The index: all attachments as a table, and the checksums of all objects, in formats that any program reads.

``attachments.csv`` is RFC 4180 in UTF-8, with the byte order mark that Excel needs. ``SHA256SUMS`` is the output of
``sha256sum`` (GNU coreutils manual, "sha2 utilities"), with paths relative to the prefix.
"""

import csv
import io
import re
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import IO

from bigin_archive.audit.attachment_view import AttachmentView
from bigin_archive.disk.part_file import PartFile
from bigin_archive.storage.archived_object import place_of

CSV_PATH, SUMS_PATH = "_index/attachments.csv", "_index/SHA256SUMS"
CSV_TYPE, SUMS_TYPE = "text/csv; charset=utf-8; header=present", "text/plain; charset=utf-8"
COLUMNS = (
    "module",
    "record_id",
    "record_name",
    "attachment_id",
    "file_name",
    "size_bytes",
    "sha256",
    "key",
    "state",
    "reason",
    "created_time",
    "modified_time",
    "archived_at",
    "last_seen",
    "owner",
)
# What spreadsheets take for the beginning of a formula (OWASP, "CSV Injection"), the full-width forms included, also
# behind quotes and blanks; and at the beginning of each cell that another separator than ours would make.
_COMPUTED = r"""(?=[\s"']*[=+\-@＝＋－＠]|[\t\r\n])"""
_FORMULA = re.compile(rf"(^|[;,|\t\r\n]){_COMPUTED}")
_AFTER_SEPARATOR = re.compile(rf"[;,|\t\r\n]{_COMPUTED}")


class Index:
    """The two files while they are written, on disk. What lies in ``folder`` already comes first."""

    def __init__(self, folder: Path) -> None:
        self._table = PartFile("table", folder)
        self._sums = PartFile("sums", folder)
        if self._table.is_empty:
            self._table.write(csv_line(COLUMNS).encode("utf-8-sig"))

    def flush(self) -> None:
        """Write what is still in memory."""
        self._table.flush()
        self._sums.flush()

    def files(self) -> Iterator[tuple[str, IO[bytes], str]]:
        """Path, content and type of each file."""
        for path, parts, content_type in ((CSV_PATH, self._table, CSV_TYPE), (SUMS_PATH, self._sums, SUMS_TYPE)):
            with parts.whole() as file:
                yield path, file, content_type

    def add(self, known: AttachmentView) -> None:
        """Add an attachment to the table, and what was archived for it to the checksums."""
        if known.is_attachment:
            self._table.write(csv_line(row(known)).encode(errors="replace"))
        entry = known.entry if known.entry and known.entry.key else None
        for found in known.objects:
            if place_of(found.path) != known.place:
                continue  # a file that was sent back has its line at its origin
            is_archived = found.is_ours or (entry is not None and found.key == entry.key)
            if is_archived and (sha256 := archived_sha256(known) if found is known.stored else found.sha256):
                self._add_sum(sha256, found.path)
        # A check of a copy must notice a file that is gone.
        is_missing = known.stored is None and not known.named
        if entry and entry.key and entry.sha256 and is_missing and not entry.restored_from:
            self._add_sum(entry.sha256, f"{known.place}/{entry.key.rpartition('/')[2]}")

    def _add_sum(self, sha256: str, path: str) -> None:
        self._sums.write(sum_line(sha256, path).encode(errors="surrogatepass"))


def archived_sha256(known: AttachmentView) -> str | None:
    """The SHA-256 (hex) of the file when it was archived: the ledger's, if it names another version."""
    stored, archived = known.stored, known.archived
    if not stored or (archived and archived.sha256 and archived.version_id != stored.version_id):
        return archived.sha256 if archived else None
    return stored.sha256


def row(known: AttachmentView) -> list[str]:
    """One row of the table, in the order of :data:`COLUMNS`."""
    request, entry = known.request, known.entry
    stored = known.stored
    listed = known.listed.listed if known.listed else None
    state = entry.state if entry else "pending"
    if stored and state not in ("archived", "link"):
        state = "link" if known.is_shortcut(stored) else "archived"
    listed_bytes = listed.size_bytes if listed else entry.listed_size_bytes if entry else None
    cells: dict[str, object] = {
        "module": request and request.module,
        "record_id": request and request.record_id,
        "record_name": known.record_name,
        "attachment_id": request and request.attachment_id,
        "file_name": known.file_name,
        "size_bytes": stored.size_bytes if stored else listed_bytes,
        "sha256": archived_sha256(known),
        "key": stored and stored.key,
        "state": "missing" if state in ("archived", "link") and not stored else state,
        "reason": entry and entry.reason,
        "created_time": (listed and listed.created_time) or (entry and entry.created_time),
        "modified_time": (listed and listed.modified_time) or (entry and entry.modified_time),
        "archived_at": (entry and entry.archived_at) or (stored and stored.modified_at),
        "last_seen": known.seen_at or (entry and entry.last_seen),
        "owner": (listed and listed.owner) or (entry and entry.owner),
    }
    return ["" if cells[name] is None else str(cells[name]) for name in COLUMNS]


def csv_line(cells: Iterable[str]) -> str:
    """A line of the table. Cells that a spreadsheet would compute begin with an apostrophe, which makes them text."""
    cells = list(cells)
    if _AFTER_SEPARATOR.search("," + ",".join(cells)):  # rare, and one search is quicker than one for each cell
        cells = [_FORMULA.sub(r"\1'", cell) for cell in cells]
    text = io.StringIO()
    csv.writer(text).writerow(cells)
    return text.getvalue()


def sum_line(sha256: str, path: str) -> str:
    """A line of SHA256SUMS. A name with a backslash or a line break is escaped; a backslash in front says so."""
    escaped = path.replace("\\", "\\\\").replace("\n", "\\n").replace("\r", "\\r")
    return f"{'' if escaped == path else chr(92)}{sha256}  {escaped}\n"
