"""An attachment that a list of Bigin shows, with its place in the account. Pure."""

from collections.abc import Sequence
from dataclasses import dataclass, fields, replace
from typing import Any, Self

from bigin_archive.archive_request import ArchiveRequest
from bigin_archive.bigin.listing import Link, ListedAttachment

_CELLS = tuple(each.name for each in fields(ListedAttachment) if each.name != "link")


@dataclass(frozen=True, slots=True)
class Found:
    """An attachment that Bigin lists: what would archive it, its record's name where it is known, and the entry."""

    request: ArchiveRequest
    record_name: str | None
    listed: ListedAttachment

    @classmethod
    def of_record(cls, module: str, record_id: str, record_name: str | None, listed: ListedAttachment) -> Self:
        """An entry of one record's own list."""
        return cls(ArchiveRequest(module, record_id, listed.attachment_id, listed.hints), record_name, listed)

    @property
    def without_size(self) -> Self:
        """The same, where Bigin's sizes are not those of the files."""
        return replace(self, request=self.request.without_size, listed=replace(self.listed, size_bytes=None))

    def to_row(self) -> list[Any]:
        """As JSON's values."""
        listed, link = self.listed, self.listed.link
        cells = [getattr(listed, name) for name in _CELLS]
        return [self.request.module, self.request.record_id, self.record_name, link and [link.title, link.url], *cells]

    @classmethod
    def of_row(cls, row: Sequence[Any]) -> Self:
        """The inverse of :meth:`to_row`."""
        module, record_id, record_name, link, *cells = row
        listed = ListedAttachment(**dict(zip(_CELLS, cells, strict=True)), link=Link(*link) if link else None)
        return cls.of_record(module, record_id, record_name, listed)
