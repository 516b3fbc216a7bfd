"""A ledger entry as a search tells of it. Pure."""

from __future__ import annotations

from typing import TYPE_CHECKING

from bigin_archive.search.search_row import SearchRow, day

if TYPE_CHECKING:
    from bigin_archive.ledger.ledger_entry import LedgerEntry


def search_row(entry: LedgerEntry) -> SearchRow:
    """Name and size as archived where Bigin's listing did not tell them."""
    in_key = entry.key.rpartition("/")[2] if entry.key else None
    return SearchRow(
        module=entry.module,
        record_id=entry.record_id,
        attachment_id=entry.attachment_id,
        state=entry.state,
        record_name=entry.record_name,
        file_name=entry.file_name or in_key,
        size_bytes=entry.listed_size_bytes if entry.size_bytes is None else entry.size_bytes,
        attached_on=day(entry.created_time, entry.archived_at, entry.first_seen),
        link_url=entry.link_url,
        stored_as=in_key,
    )
