"""The records and attachments of one Bigin account.

Nothing here knows about HTTP; ids are digit strings that only grow.
"""

import itertools
import time
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field, replace
from typing import Any, Literal
from urllib.parse import quote

from .content import Content
from .timestamps import iso

MODULES = ("Contacts", "Pipelines", "Accounts", "Products", "Tasks", "Events", "Notes")
"""The modules whose records carry attachments ("Download an attachment", v2)."""

FIRST_NEW_ID = 5570213000001000001  # above every seeded id, so that new records sort first

Kind = Literal["file", "link", "gone"]


def disposition_of(file_name: str) -> str:
    """Return the usual Content-Disposition: no blank after `;`, blanks raw, the rest encoded.

    The form is that of the published example of the platform's file store.
    """
    return f"attachment;filename*=UTF-8''{quote(file_name, safe=' ')}"


@dataclass(frozen=True, slots=True)
class Attachment:
    """One attachment: a file, a link, or a file that is listed although its bytes are gone."""

    id: str
    module: str
    record_id: str
    file_name: str
    content: Content
    content_type: str
    disposition: str | None
    kind: Kind = "file"
    link_url: str | None = None
    size_listed: int | None = None
    created_time: str = "2026-03-02T09:30:00+03:00"
    listed: Mapping[str, Any] = field(default_factory=dict)

    def fields(self, record_name: str) -> dict[str, Any]:
        """Return the attachment as a list shows it, with every field ("Get attachments")."""
        is_link = self.kind == "link"
        size = self.content.size_bytes if self.size_listed is None else self.size_listed
        return {
            "id": self.id,
            "File_Name": self.file_name,
            "Size": 0 if is_link else size,
            "Created_Time": self.created_time,
            "Modified_Time": self.created_time,
            "Owner": OWNER,
            "Created_By": OWNER,
            "Modified_By": OWNER,
            "Parent_Id": {"id": self.record_id, "name": record_name},
            "$type": "Link URL" if is_link else "File",
            "$file_id": None if is_link else f"f{int(self.id):032x}",
            "$link_url": self.link_url,
            "$se_module": self.module,
            "$state": "save",
            "$editable": True,
            **self.listed,
        }


OWNER = {"name": "Runa Lindqvist", "id": "5570213000000100001", "email": "runa@example.com"}


@dataclass(slots=True)
class Record:
    """A record and the attachments on it by id; without a name of its own it is called by its module and id."""

    id: str
    module: str
    name: str
    modified_time: str = "2026-03-02T09:30:00+03:00"
    attachments: dict[str, Attachment] = field(default_factory=dict)

    def fields(self) -> dict[str, Any]:
        """Return the record as a list shows it, with every field ("Get records")."""
        return {
            "id": self.id,
            _NAME_FIELD[self.module]: self.name,
            "Owner": OWNER,
            "Created_Time": self.modified_time,
            "Modified_Time": self.modified_time,
            "Last_Activity_Time": self.modified_time,
            "Record_Image": None,
            "Tag": [],
        }


_NAME_FIELD = {
    "Contacts": "Full_Name",
    "Pipelines": "Deal_Name",
    "Accounts": "Account_Name",
    "Products": "Product_Name",
    "Tasks": "Subject",
    "Events": "Event_Title",
    "Notes": "Note_Title",
}


class Account:
    """All records by module and id, and all attachments by id."""

    def __init__(self) -> None:
        self.records: dict[str, dict[str, Record]] = {module: {} for module in MODULES}
        self.attachments: dict[str, Attachment] = {}
        self.hidden: dict[str, int | None] = {}  # ids, and how many lists of the record leave them out; None: all
        self._ids: Iterator[int] = itertools.count(FIRST_NEW_ID)

    def new_id(self) -> str:
        """Return an id that nothing in the account has."""
        return str(next(self._ids))

    def add_record(self, module: str, record_id: str, modified_time: str | None = None, name: str = "") -> Record:
        """Return the record, made now if it is not there yet.

        Raises:
            ValueError: the module does not carry attachments or the id is not a digit string.
        """
        if module not in self.records:
            raise ValueError(f"module {module!r} is not one of {', '.join(MODULES)}")
        if not is_id(record_id):
            raise ValueError(f"record_id {record_id!r} is not a digit string")
        made = Record(record_id, module, name or f"{module} {record_id[-6:]}", modified_time or iso(time.time()))
        return self.records[module].setdefault(record_id, made)

    def edit_record(self, module: str, record_id: str, modified_time: str | None = None) -> bool:
        """Give a record another modified time, by default now; False if there is no such record."""
        record = self.records.get(module, {}).get(record_id)
        if record is not None:
            record.modified_time = modified_time or iso(time.time())
        return record is not None

    def remove_record(self, module: str, record_id: str) -> bool:
        """Delete a record with its attachments; False if there is no such record."""
        record = self.records.get(module, {}).pop(record_id, None)
        for attachment_id in record.attachments if record else ():
            del self.attachments[attachment_id]
        return record is not None

    def add(self, attachment: Attachment, record_modified_time: str | None = None) -> None:
        """Attach to a record, made if it is new; an attachment with the same id is replaced."""
        record = self.add_record(attachment.module, attachment.record_id, record_modified_time)
        self.remove(attachment.id)
        record.attachments[attachment.id] = attachment
        self.attachments[attachment.id] = attachment

    def record_of(self, attachment: Attachment) -> Record:
        """Return the record that an attachment is attached to."""
        return self.records[attachment.module][attachment.record_id]

    def set_kind(self, attachment_id: str, kind: Kind) -> bool:
        """Make an attachment one that is listed and has no bytes, or a file again; False if there is none."""
        attachment = self.attachments.get(attachment_id)
        if attachment is not None:
            changed = replace(attachment, kind=kind)
            self.record_of(changed).attachments[attachment_id] = self.attachments[attachment_id] = changed
        return attachment is not None

    def shown(self, record: Record) -> list[Attachment]:
        """Return what a list of the record shows now."""
        visible = []
        for attachment in record.attachments.values():
            left = self.hidden.get(attachment.id, 0)
            if left:
                self.hidden[attachment.id] = left - 1
            if left == 0:
                visible.append(attachment)
        return visible

    def remove(self, attachment_id: str) -> bool:
        """Delete an attachment; False if there is none of that id."""
        attachment = self.attachments.pop(attachment_id, None)
        if attachment is None:
            return False
        del self.records[attachment.module][attachment.record_id].attachments[attachment_id]
        return True


def is_id(text: str) -> bool:
    """Say whether a text has the form of an id: ASCII digits only, at most 50."""
    return text.isascii() and text.isdigit() and len(text) <= 50
