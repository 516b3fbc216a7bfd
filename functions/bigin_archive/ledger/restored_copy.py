"""A file that was sent back to Bigin: noted in the ledger, and in the bucket for a rebuilt ledger."""

import json
from dataclasses import asdict, dataclass, fields
from typing import Self

from bigin_archive.archive_request import MODULES, ArchiveRequest
from bigin_archive.ledger.ledger import Ledger
from bigin_archive.ledger.ledger_entry import STORED_STATES, LedgerEntry

FOLDER = "_restored/"
CONTENT_TYPE = "application/json"
_FIELDS = {field.name for field in fields(LedgerEntry)}


@dataclass(frozen=True, slots=True)
class RestoredCopy:
    """``entry`` is the copy's row. Of a ``drill`` the original keeps its place: the copy does not stand for it."""

    entry: LedgerEntry
    drill: bool = False

    @property
    def path(self) -> str:
        """Where it is noted in S3, below the prefix."""
        return f"{FOLDER}{self.entry.request.place}.json"

    def record_in(self, ledger: Ledger) -> None:
        """Note it in the rows of copy and original; once more does no harm. Raises StorageUnavailableError."""
        ledger.record_restored(self.entry)
        if not self.drill:
            ledger.record_restored_as(ArchiveRequest.of_place(str(self.entry.restored_from)), self.entry.request.place)

    def to_json(self) -> bytes:
        """As it is noted in S3."""
        row = {name: value for name, value in asdict(self.entry).items() if value is not None}
        return json.dumps({"drill": self.drill, "row": row}, ensure_ascii=False, indent=1).encode()

    @classmethod
    def from_json(cls, text: bytes) -> Self | None:
        """Read it back; None where it is no such note."""
        try:
            noted = json.loads(text)
            entry = LedgerEntry(**{name: value for name, value in noted["row"].items() if name in _FIELDS})
            ArchiveRequest.of_place(str(entry.restored_from))
        except (ValueError, LookupError, TypeError, AttributeError, RecursionError):
            return None
        is_whole = entry.module in MODULES and entry.key and entry.state in STORED_STATES
        return cls(entry, noted.get("drill") is True) if is_whole else None
