"""The search index of an audit, and a page that searches a copy of the archive. Pure."""

import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import IO

from bigin_archive.audit.attachment_view import AttachmentView
from bigin_archive.page import find_page
from bigin_archive.search import search_index
from bigin_archive.search.search_index import SearchIndexWriter
from bigin_archive.search.search_row import SearchRow, day


class SearchFiles:
    """Attachments in, files out. What lies in ``folder`` already counts, and ``last_archived_at`` is of it."""

    def __init__(self, folder: Path, last_archived_at: str | None = None) -> None:
        self._rows = SearchIndexWriter(folder)
        self.last_archived_at = last_archived_at

    def add(self, known: AttachmentView) -> None:
        """Take in one attachment; what is none of Bigin's is left out."""
        row = search_row(known)
        if not row:
            return
        self._rows.add(row)
        if archived_at := _archived_at(known):
            self.last_archived_at = max(archived_at, self.last_archived_at or "")

    def flush(self) -> None:
        """Write what is still in memory."""
        self._rows.flush()

    def files(self, as_of: str) -> Iterator[tuple[str, IO[bytes], str]]:
        """Path, content and type of each file; ``as_of`` (ISO 8601, UTC) is the time up to which they are whole."""
        with self._rows.write(as_of, self.last_archived_at) as index:
            yield search_index.PATH, index, search_index.TYPE
        for path, pieces, content_type in (
            (find_page.SCRIPT_PATH, find_page.script(self._rows.lines(), as_of), find_page.SCRIPT_TYPE),
            (find_page.HTML_PATH, iter([find_page.html()]), find_page.HTML_TYPE),
        ):
            with tempfile.TemporaryFile() as file:
                for piece in pieces:
                    file.write(piece.encode())
                yield path, file, content_type


def search_row(known: AttachmentView) -> SearchRow | None:
    """The attachment as a search result; None for a foreign object.

    Its state is the ledger's. If that says archived and there is no object, nothing is linked, and the audit reports
    it.
    """
    request, entry = known.request, known.entry
    if not known.is_attachment or not request or not request.attachment_id:
        return None
    stored = known.stored
    listed = known.listed.listed if known.listed else None
    state = entry.state if entry else "pending"
    if stored and (not entry or state in ("pending", "gone", "parked")):
        state = "link" if known.is_shortcut(stored) else "archived"
    listed_bytes = listed.size_bytes if listed else entry.listed_size_bytes if entry else None
    link = listed.link.url if listed and listed.link else None
    return SearchRow(
        module=request.module,
        record_id=request.record_id,
        record_name=known.record_name,
        attachment_id=request.attachment_id,
        file_name=(listed and listed.name)
        or (entry and entry.file_name)
        or (stored and stored.original_name)
        or known.file_name,
        size_bytes=stored.size_bytes if stored else listed_bytes,
        attached_on=day(
            listed.created_time if listed else None,
            entry.created_time if entry else None,
            _archived_at(known),
            entry.first_seen if entry else None,
        ),
        state=state,
        link_url=link or (entry.link_url if entry else None) or (stored.link_url if stored else None),
        stored_as=stored.file_name if stored else None,
    )


def _archived_at(known: AttachmentView) -> str | None:
    stored = known.stored
    return (known.entry.archived_at if known.entry else None) or (stored.modified_at if stored else None)
