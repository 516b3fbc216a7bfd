"""Every attachment of the account: from the list of all if Bigin offers it, else record by record.

The module ``Attachments`` is in Bigin's own metadata, but its list is not documented. So it is tried first, and used
only if each entry names its record. Both ways take one credit for 200 entries; the second also takes one for each
record (Bigin API v2, "API limits").
"""

from collections.abc import Callable, Iterable
from contextlib import suppress

from bigin_archive.archive_request import MODULES
from bigin_archive.bigin.client import Bigin
from bigin_archive.bigin.found_attachment import Found
from bigin_archive.bigin.list_reader import Keyed, ListReader, Read, Reading
from bigin_archive.bigin.listing import (
    ACCOUNT_FIELDS,
    FIRST_PAGE,
    ListedRecord,
    Position,
    account_entries,
    record_fields,
    records,
)
from bigin_archive.deadline import Deadline
from bigin_archive.errors import AttachmentGoneError, BiginRefusedError, BiginScopeMissingError, BiginUnavailableError


def account_list(
    bigin: Bigin, deadline: Callable[[], Deadline], reading: Reading | None = None, seen: Iterable[str] = ()
) -> ListReader[Found]:
    """The list of all attachments, from where ``reading`` stands. ``deadline()`` makes that of one page."""

    def fetch(position: Position) -> Read[Found]:
        page = bigin.page("/Attachments", ACCOUNT_FIELDS, position, deadline())
        found = [entry and Found(*entry) for entry in account_entries(page.listing)]
        return Read(
            page, [Keyed(each.request.place, each.listed.created_time, each) if each else None for each in found]
        )

    # It had entries when it was chosen.
    return ListReader("all attachments", reading or Reading(), fetch, seen=seen, confirms_empty=True)


def record_list(
    bigin: Bigin,
    module: str,
    deadline: Callable[[], Deadline],
    reading: Reading | None = None,
    seen: Iterable[str] = (),
) -> ListReader[ListedRecord]:
    """The list of a module's records, as :func:`account_list`."""

    def fetch(position: Position) -> Read[ListedRecord]:
        # Without asking for both, Bigin leaves out records that wait for an approval.
        page = bigin.page(f"/{module}", record_fields(module), {"approved": "both", **position}, deadline())
        found = records(page.listing, module)
        return Read(page, [Keyed(each.record_id, each.created_time, each) if each else None for each in found])

    # Nothing tells a wrong answer from a module without records, and all of its files would be missing.
    return ListReader(module, reading or Reading(), fetch, seen=seen, confirms_empty=True)


def lists_all(bigin: Bigin, deadline: Deadline) -> bool:
    """Whether Bigin offers a usable list of all attachments. Raises ArchiveError if Bigin is down."""
    try:
        page = bigin.page("/Attachments", ACCOUNT_FIELDS, FIRST_PAGE, deadline)
        # An empty list may also mean that the module is closed to the API.
        found = list(account_entries(page.listing))
        return bool(found) and None not in found
    except (BiginRefusedError, BiginScopeMissingError, AttachmentGoneError):
        return False
    except BiginUnavailableError:
        # An undocumented list may fail for ever. If a documented list fails as well, Bigin is down.
        with suppress(BiginRefusedError, AttachmentGoneError):
            record_list(bigin, MODULES[0], lambda: deadline).next_rows()
        return False
