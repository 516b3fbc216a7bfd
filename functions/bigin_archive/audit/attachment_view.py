"""What is known of one attachment from three sides: Bigin's list, the ledger, S3. Pure."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING

from bigin_archive.archive_request import ArchiveRequest
from bigin_archive.ledger.attachment_state import State
from bigin_archive.storage.archived_object import SHORTCUT_TYPE, ArchivedObject

if TYPE_CHECKING:
    from bigin_archive.bigin.found_attachment import Found
    from bigin_archive.ledger.ledger_entry import LedgerEntry


@dataclass(frozen=True)  # without slots, so that what is asked for a dozen times is found once
class AttachmentView:
    """All that is known of one ``place``: ``{module}/{record_id}/{attachment_id}``, or a key that is no such thing.

    ``listed`` is what Bigin lists, ``seen_at`` when it did (None: when the audit's list began), ``objects`` are those
    below that place in S3: there should be one. ``first`` is what was archived first, where there are several
    versions. ``position`` is where it stands in the order of all places.
    """

    place: str
    listed: Found | None = None
    entry: LedgerEntry | None = None
    objects: tuple[ArchivedObject, ...] = ()
    seen_at: str | None = None
    first: ArchivedObject | None = None
    position: str = ""

    @property
    def request(self) -> ArchiveRequest | None:
        """What would archive it, with what Bigin's list says of it; None where the place is none of ours."""
        if self.listed:
            return self.listed.request
        return self.entry.request if self.entry else self.objects[0].request if self.objects else None

    @cached_property
    def named(self) -> ArchivedObject | None:
        """The object under the key that the ledger names."""
        return next((found for found in self.objects if self.entry and found.key == self.entry.key), None)

    @cached_property
    def own(self) -> tuple[ArchivedObject, ...]:
        """The attachment's own objects of the sort that Bigin lists (file or shortcut), the oldest first."""
        own = [found for found in self.objects if found.is_ours and self.is_link in (None, self.is_shortcut(found))]
        return tuple(sorted(own, key=lambda found: (found.modified_at, found.key)))

    @cached_property
    def stored(self) -> ArchivedObject | None:
        """The object that stands for the attachment: the one that the ledger names, else the oldest of its own.

        A stranger's object is none, unless the ledger names its very key: the bytes were compared then.
        """
        named = self.named
        if named and (not named.is_ours or self.is_link in (None, self.is_shortcut(named))):
            return named
        first = [found for found in self.own if self.first and found.key == self.first.key]
        return next(iter([*first, *self.own]), None)

    def is_shortcut(self, found: ArchivedObject) -> bool:
        """Whether the object is a shortcut: by its metadata, which version 0.1.0 left out for long addresses."""
        by_row = self.entry is not None and self.entry.state == State.LINK and self.entry.key == found.key
        return found.is_link or (by_row and found.content_type == SHORTCUT_TYPE)

    @property
    def strangers(self) -> tuple[ArchivedObject, ...]:
        """Objects in the attachment's place that are not its own, and do not stand for it."""
        return tuple(found for found in self.objects if not found.is_ours and found is not self.named)

    @property
    def is_attachment(self) -> bool:
        """Whether it is one of Bigin's, and not only an object of somebody else."""
        return bool(self.listed or self.entry or any(found.is_ours for found in self.objects))

    @property
    def is_link(self) -> bool | None:
        """Whether it is a link, whose shortcut's size and bytes Bigin does not know; None where nobody tells."""
        if self.listed:
            return self.listed.listed.link is not None
        if self.entry and self.entry.is_stored:
            return self.entry.state == State.LINK
        return None

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
        if self.entry and self.entry.file_name:
            return self.entry.file_name
        return self.objects[0].file_name if self.objects else None
