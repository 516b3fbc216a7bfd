"""A record's listing of attachments, as Bigin sends it (Bigin API v2, "Get attachments"). Pure."""

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from bigin_archive.errors import BiginUnavailableError
from bigin_archive.links import Link

# Always named: CRM's newer pages require ``fields``, and $-fields come only when asked for.
LISTING_FIELDS = "id,File_Name,Size,$type,$link_url"
_ID = re.compile(r"[0-9]{1,50}")


@dataclass(frozen=True, slots=True)
class ListedAttachment:
    """One entry of a record's listing; ``size_bytes`` is None where Bigin does not tell it, ``link`` for files."""

    attachment_id: str
    size_bytes: int | None
    link: Link | None = None


def entries(listing: Mapping[str, object]) -> Iterator[ListedAttachment]:
    """The attachments of one page; none where Bigin has none (204).

    Raises BiginUnavailableError where a page or an entry is not what it should be: what cannot be read is not left out.
    """
    data = listing.get("data") if listing else []
    for entry in data if isinstance(data, list) else [None]:
        attachment_id = entry.get("id") if isinstance(entry, dict) else None
        # A number has lost digits on its way.
        if not isinstance(entry, dict) or not isinstance(attachment_id, str) or not _ID.fullmatch(attachment_id):
            raise BiginUnavailableError("Bigin's listing of the record cannot be read. Try again later.")
        yield ListedAttachment(attachment_id, _size(entry.get("Size")), _link(entry))


def _link(entry: Mapping[str, object]) -> Link | None:
    # The type of files has several names in Zoho's pages, that of links has one.
    url = entry.get("$link_url")
    if not url and entry.get("$type") != "Link URL":
        return None
    return Link(title=str(entry.get("File_Name") or ""), url=str(url or ""))


def _size(value: object) -> int | None:
    # A string of digits in the newer specification, a number in older pages.
    if isinstance(value, int) and not isinstance(value, bool) and value >= 0:
        return value
    if isinstance(value, str) and value.isascii() and value.isdigit() and len(value) < 16:
        return int(value)
    return None
