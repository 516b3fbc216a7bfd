"""Lists of Bigin: attachments of a record or of the account, and records (Bigin API v2, "Get attachments", "Get
records"). Pure."""

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from bigin_archive.archive_request import ALIASES, ArchiveRequest, Hints
from bigin_archive.errors import BiginUnavailableError

# CRM's newer pages require ``fields``, and $-fields come only when asked for.
LISTING_FIELDS = "id,File_Name,Size,Created_Time,Modified_Time,Owner,$type,$link_url"
ACCOUNT_FIELDS = f"{LISTING_FIELDS},Parent_Id,$se_module"
# What a record of each module is called (Bigin API v2, "Get field metadata"; Notes: "Get notes").
NAME_FIELDS: Mapping[str, str] = {
    "Contacts": "Full_Name",
    "Pipelines": "Deal_Name",
    "Accounts": "Account_Name",
    "Products": "Product_Name",
    "Tasks": "Subject",
    "Events": "Event_Title",
    "Notes": "Note_Title",
}
_MADE, _CHANGED, _TOUCHED = "Created_Time", "Modified_Time", "Last_Activity_Time"
_UNREADABLE = "unreadable"  # in place of a time
_FIELDS_MISSING = ("REQUIRED_PARAM_MISSING", "LIMIT_EXCEEDED")  # these speak of ``fields``, and do not refuse it
_ID = re.compile(r"[0-9]{1,50}")
_MODULE = re.compile(r"[A-Za-z0-9_]{1,100}")  # API names of modules
# Zoho CRM OpenAPI v8, attachments: a name has at most 250 characters, an address 3,000. Longer ones are cut, so that
# one odd entry stops no message and no row of the ledger.
_MOST_CHARACTERS, _MOST_OF_A_URL = 2000, 32_000
_TIME = re.compile(r"[!-~](?:[ -~]{0,62}[!-~])?")
_SIZES = ("Size", "$size")  # one client of Bigin reads the second
_NO_SIZE = 10**15  # bytes; a row of the ledger cannot keep any number
# An item of the table, in which a sweep keeps where it stands, holds 400 KB.
_MOST_OF_A_TOKEN = 2000  # characters
_MOST_ENTRIES = 2000  # of a page, ten times what is asked for


PAGE_SIZE = 200  # Zoho CRM OpenAPI v8, attachments: per_page 1 to 200
# A place in a list: what a page is asked for with. Page numbers reach 2,000 entries, page tokens all; a token lives 24
# hours (Bigin API v2, "Get records").
Position = Mapping[str, str]
FIRST_PAGE: Position = {"page": "1"}


@dataclass(frozen=True, slots=True)
class Page:
    """One page of a list: what Bigin sent (empty where it has nothing), and where it stands in the list.

    ``told_at`` is when Bigin sent it, by its own clock (ISO 8601, in seconds).
    """

    listing: Mapping[str, object]
    position: Position
    told_at: str | None = None

    @property
    def has_more(self) -> bool | None:
        """Whether Bigin says that the list goes on; None if it does not say so clearly."""
        more = self._info.get("more_records")
        return more if isinstance(more, bool) else None

    @property
    def following(self) -> Position | None:
        """The position behind this page, whether there is a page or not; None if it is not known."""
        token = self._info.get("next_page_token")
        if isinstance(token, str) and 0 < len(token) <= _MOST_OF_A_TOKEN:
            return {"page_token": token}
        return {"page": str(int(self.position["page"]) + 1)} if "page" in self.position else None

    @property
    def _info(self) -> Mapping[str, object]:
        info = self.listing.get("info")
        return info if isinstance(info, dict) else {}


@dataclass(frozen=True, slots=True)
class Link:
    """A link attachment as the record's listing describes it."""

    title: str
    url: str


@dataclass(frozen=True, slots=True)
class ListedAttachment:
    """One entry of a list; a field is None if Bigin does not name it, ``link`` is None for files.

    Times are ISO 8601 as Bigin sent them, ``owner`` is a name.
    """

    attachment_id: str
    size_bytes: int | None
    link: Link | None = None
    name: str | None = None
    created_time: str | None = None
    modified_time: str | None = None
    owner: str | None = None

    @property
    def times(self) -> list[str]:
        """When it was attached and last changed; empty if Bigin does not say when it was changed."""
        return [time for time in (self.created_time, self.modified_time) if time] if self.modified_time else []

    @property
    def hints(self) -> Hints:
        """The hints for a message about this attachment."""
        return Hints(self.size_bytes, self.name, self.modified_time)


@dataclass(frozen=True, slots=True)
class ListedRecord:
    """One record; ``changed_times`` are those of its last edit and last activity, where Bigin tells them.

    All times are as Bigin sent them; one that cannot be read is no time, and may be any.
    """

    record_id: str
    name: str | None
    changed_times: tuple[str, ...] = ()
    created_time: str | None = None


def entries(listing: Mapping[str, object]) -> Iterator[ListedAttachment | None]:
    """The attachments of one page; none where Bigin has none (204), None for an entry that cannot be read.

    Raises BiginUnavailableError where the page is none.
    """
    for attachment_id, entry in _rows(listing):
        yield _attachment(attachment_id, entry) if attachment_id else None


def account_entries(
    listing: Mapping[str, object],
) -> Iterator[tuple[ArchiveRequest, str | None, ListedAttachment] | None]:
    """The attachments of one page of the whole account: of which record, the record's name, and the entry.

    As :func:`entries`; what does not name its record cannot be read. Modules that this project does not know come as
    they are.
    """
    for attachment_id, entry in _rows(listing):
        module, parent = entry.get("$se_module"), entry.get("Parent_Id")
        record_id = parent.get("id") if isinstance(parent, dict) else None
        if (
            not isinstance(parent, dict)
            or not isinstance(module, str)
            or not _MODULE.fullmatch(module)
            or not isinstance(record_id, str)
            or not _ID.fullmatch(record_id)
            or not attachment_id
        ):
            yield None
            continue
        listed = _attachment(attachment_id, entry)
        request = ArchiveRequest(ALIASES.get(module, module), record_id, attachment_id, listed.hints)
        yield request, _text(parent, "name"), listed


def records(listing: Mapping[str, object], module: str) -> Iterator[ListedRecord | None]:
    """The records of one page, as :func:`entries`."""
    for record_id, entry in _rows(listing):
        told = [_CHANGED, *([_TOUCHED] if entry.get(_TOUCHED) is not None else [])]
        times = tuple(_time(entry, field) or _UNREADABLE for field in told)
        name, made = _text(entry, NAME_FIELDS[module]), _time(entry, _MADE)
        yield ListedRecord(record_id, name, times, made) if record_id else None


def record_fields(module: str) -> str:
    """The fields to ask for in a list of records."""
    return ",".join(("id", NAME_FIELDS[module], _MADE, _CHANGED, _TOUCHED))


def refuses_fields(answer: Mapping[str, object]) -> bool:
    """Whether an error says that ``fields`` may not be given: two clients of Bigin's lists leave it out."""
    details = answer.get("details")
    names_them = isinstance(details, dict) and "fields" in details.values()
    return names_them and "code" in answer and answer["code"] not in _FIELDS_MISSING


def _rows(listing: Mapping[str, object]) -> Iterator[tuple[str | None, Mapping[str, object]]]:
    """The entries with their ids. A missing id is None, so that its neighbours can still be read."""
    data = listing.get("data") if listing else []
    if not isinstance(data, list) or len(data) > _MOST_ENTRIES:
        raise BiginUnavailableError("Bigin's listing cannot be read. Try again later.")
    for entry in data:
        found = entry.get("id") if isinstance(entry, dict) else None
        # A JSON number has lost digits.
        is_id = isinstance(found, str) and _ID.fullmatch(found)
        yield (found if is_id else None), (entry if isinstance(entry, dict) else {})


def _attachment(attachment_id: str, entry: Mapping[str, object]) -> ListedAttachment:
    owner = entry.get("Owner")
    return ListedAttachment(
        attachment_id=attachment_id,
        size_bytes=next((size for name in _SIZES if (size := _size(entry.get(name))) is not None), None),
        link=_link(entry),
        name=_text(entry, "File_Name"),
        created_time=_time(entry, _MADE),
        modified_time=_time(entry, _CHANGED),
        owner=_text(owner, "name") if isinstance(owner, dict) else None,
    )


def _text(entry: Mapping[str, object], field: str, most: int = _MOST_CHARACTERS) -> str | None:
    value = entry.get(field)
    # A lone surrogate, which JSON can carry, fits into no message and no table. Neither does a text without an end.
    return value[:most].encode(errors="replace").decode() if isinstance(value, str) and value else None


def _time(entry: Mapping[str, object], field: str) -> str | None:
    """A time as Bigin sent it; None for a text that no message attribute could carry."""
    text = _text(entry, field)
    return text if text and _TIME.fullmatch(text) else None


def _link(entry: Mapping[str, object]) -> Link | None:
    # A link without its address is requested like a file: Bigin then says what it is, and it is not archived.
    url = _text(entry, "$link_url", _MOST_OF_A_URL)
    return Link(title=_text(entry, "File_Name") or "", url=url) if url else None


def _size(value: object) -> int | None:
    # A string of digits in the newer specification, a number in older pages.
    if isinstance(value, str) and value.isascii() and value.isdigit() and len(value) < 20:
        value = int(value)
    return value if isinstance(value, int) and not isinstance(value, bool) and 0 <= value < _NO_SIZE else None
