"""Bigin's side of an audit: a list that is read now, or the list of the last sweep. Pure."""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field

from bigin_archive.archive_request import MODULES
from bigin_archive.bigin.found_attachment import Found
from bigin_archive.bigin.listing import Link, ListedAttachment
from bigin_archive.ledger.attachment_state import State
from bigin_archive.ledger.ledger_entry import LedgerEntry


@dataclass(slots=True)
class Listing:
    """Bigin's side. ``began_at`` (ISO 8601, UTC) is when the list began.

    Without ``found`` it is the list of the last sweeps: what the last sweep of everything ``stored``, and newer notes
    in the ledger's rows. If it stored nothing, ``counted`` is how many attachments it counted. ``unlisted`` names
    modules whose list is not whole, and why. ``unsupported_modules`` counts attachments of modules that cannot be
    archived. ``is_of_all`` says that it is Bigin's list of all attachments, ``is_of_changes`` that it is an older list
    with the changes since. These may change while ``found`` is read. ``compares_sizes`` is False if Bigin's sizes are
    not those of the files.
    """

    began_at: str
    found: Iterable[Found] | None = None
    stored: Iterable[Found] | None = None
    counted: int | None = None
    unlisted: dict[str, str] = field(default_factory=dict)
    unsupported_modules: dict[str, int] = field(default_factory=dict)
    is_of_all: bool = False
    is_of_changes: bool = False
    compares_sizes: bool = True

    def of_modules(self, wanted: Iterable[str]) -> Iterator[Found]:
        """The entries of the wanted modules; those of modules that cannot be archived are counted."""
        wanted = frozenset(wanted)
        for one in (self.stored if self.found is None else self.found) or ():
            module = one.request.module
            if module in wanted:
                yield one if self.compares_sizes else one.without_size
            elif module not in MODULES:
                self.unsupported_modules[module] = self.unsupported_modules.get(module, 0) + 1

    def seen_at(self, entry: LedgerEntry | None) -> str | None:
        """When the attachment was listed, at least the sweep's beginning; None if a list is read now."""
        return max(self.began_at, (entry and entry.last_seen) or "") if self.found is None else None

    def listed(self, entry: LedgerEntry | None) -> Found | None:
        """The last sweep's note in the attachment's row; None without one, or if a list is read now."""
        if self.found is not None or entry is None or (entry.last_seen or "") < self.began_at:
            return None
        # Rows of version 0.1.0 do not tell the address of a link, which does not matter here.
        is_link = entry.link_url is not None or (entry.state == State.LINK and not entry.listed_size_bytes)
        listed = ListedAttachment(
            attachment_id=entry.attachment_id,
            size_bytes=entry.listed_size_bytes,
            link=Link(entry.file_name or "", entry.link_url or "") if is_link else None,
            name=entry.file_name,
            created_time=entry.created_time,
            modified_time=entry.modified_time,
            owner=entry.owner,
        )
        found = Found(entry.request, entry.record_name, listed)
        return found if self.compares_sizes else found.without_size
