"""One attachment from three sides: Bigin's list, the ledger, S3. Pure."""

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
    """Everything about one ``place``: ``{module}/{record_id}/{attachment_id}``, or a key of another form.

    ``listed`` is the entry in Bigin's list, ``seen_at`` when it was listed (None: when the audit's list began).
    ``objects`` are those below that place in S3: there should be one. ``first`` is what was archived first, if there
    are several versions. ``position`` is its number in the order of all places.
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
        """The request that would archive it, with the hints of Bigin's list; None for a place of another form."""
        if self.listed:
            return self.listed.request
        return self.entry.request if self.entry else self.objects[0].request if self.objects else None

    @cached_property
    def named(self) -> ArchivedObject | None:
        """The object under the ledger's key."""
        return next((found for found in self.objects if self.entry and found.key == self.entry.key), None)

    @cached_property
    def own(self) -> tuple[ArchivedObject, ...]:
        """The attachment's own objects of the kind that Bigin lists (file or shortcut), the oldest first."""
        own = [found for found in self.objects if found.is_ours and self.is_link in (None, self.is_shortcut(found))]
        return tuple(sorted(own, key=lambda found: (found.modified_at, found.key)))

    @cached_property
    def stored(self) -> ArchivedObject | None:
        """The attachment's object: the one in the ledger, else the oldest of its own.

        A foreign object counts only if the ledger has its very key: then its bytes were compared.
        """
        named = self.named
        if named and (not named.is_ours or self.is_link in (None, self.is_shortcut(named))):
            return named
        first = [found for found in self.own if self.first and found.key == self.first.key]
        return next(iter([*first, *self.own]), None)

    @property
    def archived(self) -> LedgerEntry | ArchivedObject | None:
        """What was archived as ``stored``, by the row or else the first version.

        None where these tell of its sibling: a file turned into a link, or a link into a file, has an object of each.
        """
        entry, stored, first = self.entry, self.stored, self.first
        if entry and entry.key:
            is_other_sort = stored and entry.is_stored and self.is_shortcut(stored) is not (entry.state == State.LINK)
            is_sibling = self.named is not stored and (self.named or is_other_sort)
            return None if is_sibling else entry
        is_sibling = first and stored and self.is_shortcut(first) is not self.is_shortcut(stored)
        return None if is_sibling else first

    def is_shortcut(self, found: ArchivedObject) -> bool:
        """Whether the object is a shortcut, by its metadata. Version 0.1.0 left them out for long addresses."""
        by_row = self.entry is not None and self.entry.state == State.LINK and self.entry.key == found.key
        return found.is_link or (by_row and found.content_type == SHORTCUT_TYPE)

    @property
    def strangers(self) -> tuple[ArchivedObject, ...]:
        """Objects in the attachment's place that do not belong to it."""
        return tuple(found for found in self.objects if not found.is_ours and found is not self.named)

    @property
    def is_attachment(self) -> bool:
        """Whether this is an attachment of Bigin, and not only a foreign object."""
        return bool(self.listed or self.entry or any(found.is_ours for found in self.objects))

    @property
    def is_link(self) -> bool | None:
        """Whether it is a link, of whose shortcut Bigin knows neither size nor bytes; None if that is not known."""
        if self.listed:
            return self.listed.listed.link is not None
        if self.entry and self.entry.is_stored:
            return self.entry.state == State.LINK
        return None

    @property
    def record_name(self) -> str | None:
        """The record's name, if it is known."""
        return (self.listed and self.listed.record_name) or (self.entry and self.entry.record_name) or None

    @property
    def file_name(self) -> str | None:
        """The file's name: the archived one, else the one in Bigin's list."""
        if self.stored:
            return self.stored.file_name
        if self.listed and self.listed.listed.name:
            return self.listed.listed.name
        if self.entry and self.entry.file_name:
            return self.entry.file_name
        return self.objects[0].file_name if self.objects else None
