"""What a search tells of one attachment, and its line in the search index. Pure."""

import re
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Self

from bigin_archive.search.folding import fold

COLUMNS = (
    "search",
    "record_id",
    "attachment_id",
    "module",
    "attached_on",
    "state",
    "record_name",
    "file_name",
    "size_bytes",
    "link_url",
    "stored_as",
)
_ESCAPES = {"\\": "\\\\", "\t": "\\t", "\n": "\\n", "\r": "\\r"}
_SPECIAL = re.compile(r"[\\\t\n\r]")
_ESCAPED = {ord(letter): code for letter, code in _ESCAPES.items()}


class IndexUnreadableError(Exception):
    """It is damaged, or of another version."""


@dataclass(frozen=True, slots=True)
class SearchRow:
    """What a search tells of an attachment.

    ``attached_on`` is a day (2026-01-31), ``link_url`` a link's address, ``stored_as`` the file's name in its key.
    """

    module: str
    record_id: str
    record_name: str | None
    attachment_id: str
    file_name: str | None
    size_bytes: int | None
    attached_on: str | None
    state: str
    link_url: str | None = None
    stored_as: str | None = None

    def searched(self) -> str:
        """The names, folded; the ids are searched as they are."""
        stored_as = None if self.stored_as == self.file_name else self.stored_as
        return fold(" ".join(name for name in (self.record_name, self.file_name, stored_as) if name))

    def line(self) -> str:
        """The row in the index, without its end."""
        cells = (
            self.record_id,
            self.attachment_id,
            self.module,
            self.attached_on,
            self.state,
            self.record_name,
            self.file_name,
            None if self.size_bytes is None else str(self.size_bytes),
            self.link_url,
            self.stored_as,
        )
        return "\t".join((self.searched(), *(_escaped(cell or "") for cell in cells)))

    @classmethod
    def from_line(cls, line: str) -> Self:
        """The inverse of :meth:`line`. Raises IndexUnreadableError."""
        cells = [_unescaped(cell) for cell in line.split("\t")[1:]]
        if len(cells) != len(COLUMNS) - 1:
            raise IndexUnreadableError("a line has another number of columns")
        record_id, attachment_id, module, attached_on, state, *others = cells
        record_name, file_name, size_bytes, link_url, stored_as = others
        try:
            return cls(
                module=module,
                record_id=record_id,
                attachment_id=attachment_id,
                state=state,
                record_name=record_name or None,
                file_name=file_name or None,
                size_bytes=int(size_bytes) if size_bytes else None,
                attached_on=attached_on or None,
                link_url=link_url or None,
                stored_as=stored_as or None,
            )
        except ValueError:
            raise IndexUnreadableError("a size is no number") from None


def _escaped(cell: str) -> str:
    return cell.translate(_ESCAPED) if _SPECIAL.search(cell) else cell


def _unescaped(cell: str) -> str:
    if "\\" not in cell:
        return cell
    letters = {code[1]: letter for letter, code in _ESCAPES.items()}
    parts = iter(cell)
    return "".join(letters.get(next(parts, ""), "") if letter == "\\" else letter for letter in parts)


def day(*times: str | None) -> str | None:
    """The day (2026-01-31) of the first time (ISO 8601) that is known: in its own zone, as Bigin shows it."""
    try:
        moment = datetime.fromisoformat(next(time for time in times if time))
    except (StopIteration, ValueError):
        return None
    return (moment if moment.tzinfo else moment.replace(tzinfo=UTC)).date().isoformat()
