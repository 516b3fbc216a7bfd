"""What is known of one attachment from three sides: Bigin's list, the ledger, S3. Pure."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from bigin_archive.archive_request import ArchiveRequest
from bigin_archive.storage.archived_object import ArchivedObject

if TYPE_CHECKING:
    from bigin_archive.bigin.account_listing import Found
    from bigin_archive.ledger.ledger_entry import LedgerEntry


@dataclass(frozen=True, slots=True)
class AttachmentView:
    """All that is known of one ``place``: ``{module}/{record_id}/{attachment_id}``, or a key that is no such thing.

    ``objects`` are those below that place in S3; there should be one.
    """

    place: str
    listed: Found | None = None
    entry: LedgerEntry | None = None
    objects: tuple[ArchivedObject, ...] = ()

    @property
    def request(self) -> ArchiveRequest | None:
        """What would archive it, with what Bigin's list says of it; None where the place is none of ours."""
        if self.listed:
            return self.listed.request
        return self.entry.request if self.entry else self.objects[0].request if self.objects else None

    @property
    def stored(self) -> ArchivedObject | None:
        """The object that stands for the attachment: the one that the ledger names, else the first of ours."""
        ours = [found for found in self.objects if found.is_ours]
        named = [found for found in self.objects if self.entry and found.key == self.entry.key]
        return next(iter([*named, *ours, *self.objects]), None)

    @property
    def is_attachment(self) -> bool:
        """Whether it is one of Bigin's, and not only an object of somebody else."""
        return bool(self.listed or self.entry or any(found.is_ours for found in self.objects))

    @property
    def is_archived(self) -> bool:
        """Whether an object stands for it: one of ours, or one that the ledger takes for it."""
        return self.stored is not None and (self.entry is not None or self.stored.is_ours)

    @property
    def is_link(self) -> bool:
        """Whether a shortcut stands for it, whose size and bytes Bigin does not know."""
        if self.listed and self.listed.listed.link:
            return True
        return self.entry.state == "link" if self.entry else bool(self.stored and self.stored.is_link)

    @property
    def record_name(self) -> str | None:
        """The record's name, as far as anybody knows it."""
        return (self.listed and self.listed.record_name) or (self.entry and self.entry.record_name) or None

    @property
    def file_name(self) -> str | None:
        """The file's name: as archived, else as Bigin lists it."""
        if self.stored:
            return self.stored.file_name
        if self.listed and self.listed.listed.name:
            return self.listed.listed.name
        return self.entry.file_name if self.entry else None
