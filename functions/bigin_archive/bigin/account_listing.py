"""Every attachment of the account: from the list of all, where Bigin offers it, else record by record.

The module ``Attachments`` is in Bigin's own metadata, but its list is documented nowhere; so it is tried first and
believed only if each entry names its record. Both ways take one credit for 200 entries, the second also one for each
record (Bigin API v2, "API limits").
"""

from collections.abc import Iterator
from contextlib import suppress
from dataclasses import dataclass

from bigin_archive.archive_request import MODULES, ArchiveRequest
from bigin_archive.bigin.client import Bigin
from bigin_archive.bigin.listing import (
    ACCOUNT_FIELDS,
    FIRST_PAGE,
    ListedAttachment,
    ListedRecord,
    Position,
    account_entries,
    record_fields,
    records,
)
from bigin_archive.deadline import Deadline
from bigin_archive.errors import AttachmentGoneError, BiginRefusedError, BiginScopeMissingError, BiginUnavailableError


@dataclass(frozen=True, slots=True)
class Found:
    """An attachment that Bigin lists: what would archive it, its record's name where it is known, and the entry."""

    request: ArchiveRequest
    record_name: str | None
    listed: ListedAttachment


def attachments_page(bigin: Bigin, position: Position, deadline: Deadline) -> tuple[list[Found], Position | None]:
    """One page of the list of all attachments, and where it goes on. Raises ArchiveError."""
    page = bigin.page("/Attachments", ACCOUNT_FIELDS, position, deadline)
    return [Found(*entry) for entry in account_entries(page.listing)], page.next


def records_page(
    bigin: Bigin, module: str, position: Position, deadline: Deadline
) -> tuple[list[ListedRecord], Position | None]:
    """One page of the records of a module, and where it goes on. Raises ArchiveError."""
    # Unless asked for both, Bigin keeps back the records that wait for an approval.
    page = bigin.page(f"/{module}", record_fields(module), {"approved": "both", **position}, deadline)
    return list(records(page.listing, module)), page.next


def attachments_of(
    bigin: Bigin, module: str, record_id: str, record_name: str | None, deadline: Deadline
) -> Iterator[Found]:
    """The attachments of one record. Raises ArchiveError, AttachmentGoneError where the record is gone."""
    request = ArchiveRequest(module, record_id)
    for entry in bigin.attachments(request, deadline):
        yield Found(ArchiveRequest(module, record_id, entry.attachment_id, entry.hints), record_name, entry)


def lists_all(bigin: Bigin, deadline: Deadline) -> bool:
    """Whether Bigin offers the list of all attachments, and it can be used. Raises ArchiveError where Bigin is down."""
    try:
        page = bigin.page("/Attachments", ACCOUNT_FIELDS, FIRST_PAGE, deadline)
        # An empty list may as well mean that the module is closed to the API.
        return bool(list(account_entries(page.listing)))
    except (BiginRefusedError, BiginScopeMissingError, AttachmentGoneError):
        return False
    except BiginUnavailableError:
        # What nobody documents may fail for ever; where a documented list fails as well, it is Bigin.
        with suppress(BiginRefusedError, AttachmentGoneError):
            records_page(bigin, MODULES[0], FIRST_PAGE, deadline)
        return False
