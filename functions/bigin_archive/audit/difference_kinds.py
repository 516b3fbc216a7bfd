"""The kinds of differences that an audit finds, and what to do about each; and the list of differences. Pure."""

import shutil
import tempfile
import weakref
from collections import Counter
from collections.abc import Iterable, Iterator
from dataclasses import astuple, dataclass
from enum import Enum
from pathlib import Path
from typing import Any

from bigin_archive.archive_request import ArchiveRequest
from bigin_archive.bigin.found_attachment import Found
from bigin_archive.disk import row_file
from bigin_archive.storage.archived_object import ArchivedObject

_NAME = "differences"
_IN_MEMORY = 5_000
_OLDER = (
    "The bucket keeps earlier versions: list them (aws s3api list-object-versions --bucket BUCKET --prefix KEY; the "
    "JSON file has both), compare, and delete the wrong one (delete-object --version-id); then the right one is "
    "under the key again."
)


class Kind(Enum):
    """A kind of difference, the gravest first: ``code`` for machines, ``title`` and ``remedy`` for people.

    Kinds with ``only_told`` do not prevent ``complete``: nothing that Bigin lists is missing, and nothing archived is
    wrong. ``repaired`` says what ``audit --repair`` does: ``queue``, ``row`` or nothing.
    """

    MISSING_OBJECT = (
        "missing_object",
        "Archived once, and not there now",
        "Deleted in S3: remove the delete marker (aws s3api list-object-versions --bucket BUCKET --prefix KEY, then "
        "delete-object --version-id; the JSON file has both). "
        "Or audit --repair fetches it again, if Bigin still has it.",
        "queue",
    )
    NOT_ARCHIVED = (
        "not_archived",
        "In Bigin, and not archived",
        "audit --repair queues it. If it waits in the queue already, it is still archived only once.",
        "queue",
    )
    TRUNCATED = ("truncated", "Shorter than what was archived", _OLDER)
    WRONG_SIZE = ("wrong_size", "Longer than what was archived", _OLDER)
    SWAPPED = ("wrong_checksum", "Replaced by other bytes", _OLDER)
    BYTES_WRONG = (
        "bytes_wrong",
        "Bytes that are not what S3's checksum says",
        "Keep the object for AWS support, then restore an earlier version or fetch it again from Bigin.",
    )
    SIZE_DIFFERS = (
        "size_differs_from_bigin",
        "Another size than Bigin lists",
        "Compare it with the file in Bigin. If that is right, remove or rename the object in S3, then run audit "
        "--repair.",
    )
    NO_CHECKSUM = (
        "no_checksum",
        "Without a SHA-256 in S3",
        "This application did not write it. Compare it with Bigin's, remove or rename it, then run audit --repair.",
    )
    PARKED = (
        "parked",
        "Could not be archived",
        "bigin-archive redrive shows each reason and its remedy, and sends it back once the cause is fixed. If its "
        "dead letter is gone: bigin-archive request MODULE/RECORD/ATTACHMENT.",
    )
    GONE_BUT_LISTED = (
        "gone_but_listed",
        "Listed by Bigin, but Bigin has no file for it",
        "Open it in Bigin. If it opens, audit --repair queues it again, and so does the next sweep. If not, delete "
        "the attachment there, or ask Zoho.",
        "queue",
    )
    SECOND_OBJECT = (
        "second_object",
        "More than one object for one attachment",
        "Find out who wrote the other one, and remove it. The ledger names ours.",
    )
    UNKNOWN_OBJECT = (
        "unknown_object",
        "An object that belongs to no attachment",
        "This application did not write it. Find out who did, and move it out of the prefix.",
    )
    LEDGER_WRONG = (
        "ledger_wrong",
        "The ledger says something else than S3",
        "The file is right. audit --repair corrects the row from S3.",
        "row",
    )
    LEDGER_MISSING = (
        "ledger_missing",
        "Archived, and not in the ledger",
        "The file is right. audit --repair, or rebuild-ledger, restores the row.",
        "row",
    )
    REMOVED_BEFORE = (
        "removed_before_archived",
        "Removed in Bigin before it was archived",
        "Nothing can be done here. Bigin's recycle bin may still hold it for a while.",
    )
    ADOPTED_OBJECT = (
        "adopted_object",
        "Written by somebody else, with the right bytes",
        "Nothing to do: its bytes were compared with Bigin's. It is under the very key that the file would get.",
    )
    CHANGED_IN_BIGIN = (
        "changed_in_bigin",
        "Changed in Bigin after it was archived",
        "An archived file is never overwritten. Compare it with the file in Bigin. If you want that one as well, "
        "attach it there again: it gets a new id, and its own object.",
    )
    REMOVED_IN_BIGIN = ("removed_in_bigin", "Removed in Bigin, kept in the archive", "Nothing to do.")

    def __init__(self, code: str, title: str, remedy: str, repaired: str | None = None) -> None:
        self.code = code
        self.title = title
        self.remedy = remedy
        self.repaired = repaired

    @property
    def only_told(self) -> bool:
        """Whether the archive can be complete with it."""
        return self.code in ("removed_before_archived", "adopted_object", "changed_in_bigin", "removed_in_bigin")


@dataclass(frozen=True, slots=True)
class Difference:
    """One difference of an attachment, or of an object that belongs to none.

    ``stored`` is its object, if any; ``request`` would archive it; ``listed`` is its entry in Bigin's list, and
    ``seen_at`` when it was listed. ``in_bigin`` is False if Bigin's list proves that it is gone there.
    """

    kind: Kind
    place: str
    detail: str
    key: str | None = None
    file_name: str | None = None
    record_name: str | None = None
    in_bigin: bool = True
    request: ArchiveRequest | None = None
    stored: ArchivedObject | None = None
    listed: Found | None = None
    seen_at: str | None = None

    def to_row(self) -> list[Any]:
        """As JSON's values."""
        request = self.request and [self.request.module, self.request.record_id, self.request.attachment_id]
        return [
            self.kind.name,
            self.place,
            self.detail,
            self.key,
            self.file_name,
            self.record_name,
            self.in_bigin,
            request,
            self.stored and astuple(self.stored),
            self.listed and self.listed.to_row(),
            self.seen_at,
        ]

    @classmethod
    def of_row(cls, row: list[Any]) -> "Difference":
        """The inverse of :meth:`to_row`."""
        kind, place, detail, key, file_name, record_name, in_bigin, request, stored, listed, seen_at = row
        found = Found.of_row(listed) if listed else None
        return cls(
            Kind[kind],
            place,
            detail,
            key,
            file_name,
            record_name,
            in_bigin,
            found.request if found else ArchiveRequest(*request) if request else None,
            ArchivedObject(*stored) if stored else None,
            found,
            seen_at,
        )


class Differences:
    """The differences of an audit, in order; ``counts`` tells how many there are of each kind.

    A ledger that is lost makes one of each attachment: all but the last some thousand lie on disk, as long as this list
    lives.
    """

    def __init__(self) -> None:
        self.counts: Counter[Kind] = Counter()
        self._last: list[Difference] = []
        self._folder: Path | None = None

    def __len__(self) -> int:
        return self.counts.total()

    def __iter__(self) -> Iterator[Difference]:
        for path in row_file.paths(self._folder, _NAME) if self._folder else ():
            yield from map(Difference.of_row, row_file.read(path))
        yield from self._last

    def __eq__(self, other: object) -> bool:
        return list(self) == list(other) if isinstance(other, (list, Differences)) else NotImplemented

    __hash__ = None  # type: ignore[assignment]  # it can change, as a list can

    def add(self, found: Iterable[Difference]) -> None:
        """Append."""
        for each in found:
            self._last.append(each)
            self.counts[each.kind] += 1
        if len(self._last) >= _IN_MEMORY:
            if self._folder is None:
                self._folder = Path(tempfile.mkdtemp())
                weakref.finalize(self, shutil.rmtree, self._folder)
            self._write(self._folder, self._last)
            self._last = []

    def save(self, folder: Path) -> None:
        """Write all into a folder that has none of them yet, or other ones."""
        for former in row_file.paths(folder, _NAME):
            former.unlink()
        self._write(folder, self)

    def restore(self, folder: Path) -> None:
        """Append what :meth:`save` wrote."""
        for path in row_file.paths(folder, _NAME):
            self.add(map(Difference.of_row, row_file.read(path)))

    def _write(self, folder: Path, found: Iterable[Difference]) -> None:
        row_file.write(row_file.following(folder, _NAME), (row_file.line_of(each.to_row()) for each in found))
