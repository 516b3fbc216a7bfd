"""The kinds of differences that an audit finds, and what to do about each. Pure."""

from dataclasses import dataclass
from enum import Enum
from typing import TYPE_CHECKING

from bigin_archive.archive_request import ArchiveRequest
from bigin_archive.storage.archived_object import ArchivedObject

if TYPE_CHECKING:
    from bigin_archive.bigin.account_listing import Found

_OLDER = (
    "The bucket keeps earlier versions: list them (aws s3api list-object-versions --bucket BUCKET --prefix KEY; the "
    "JSON file has both), compare, and delete the wrong one (delete-object --version-id); the right one then stands "
    "under the key again."
)


class Kind(Enum):
    """A kind of difference, the gravest first: ``code`` as machines read it, ``title`` and ``remedy`` for people.

    ``only_told`` kinds prevent no ``complete``: nothing that Bigin lists is missing, and nothing that is archived is
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
        "audit --repair queues it. What waits in the queue already is archived once all the same.",
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
        "Compare it with the file in Bigin. If that is right, remove or rename the object in S3; then audit --repair.",
    )
    NO_CHECKSUM = (
        "no_checksum",
        "Without a SHA-256 in S3",
        "Not written by this application. Compare it with Bigin's, remove or rename it; then audit --repair.",
    )
    PARKED = (
        "parked",
        "Could not be archived",
        "bigin-archive redrive tells each reason and its remedy, and sends it back once the cause is mended. "
        "Where no dead letter is left of it: bigin-archive request MODULE/RECORD/ATTACHMENT.",
    )
    GONE_BUT_LISTED = (
        "gone_but_listed",
        "Listed by Bigin, which has no file for it",
        "Open it in Bigin. If it opens, audit --repair queues it again, as the next sweep does. Else delete the "
        "attachment there, or ask Zoho.",
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
        "Not written by this application: find out who did, and move it out of the prefix.",
    )
    LEDGER_WRONG = (
        "ledger_wrong",
        "The ledger says something else than S3",
        "The file is right. audit --repair writes what S3 says into the row.",
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
        "Nothing to do: its bytes were compared with Bigin's. It stands under the very key that the file would get.",
    )
    CHANGED_IN_BIGIN = (
        "changed_in_bigin",
        "Changed in Bigin after it was archived",
        "What is archived is never overwritten. Compare it with the file in Bigin; where that one is wanted as well, "
        "attach it there anew: it gets an id, and an object, of its own.",
    )
    REMOVED_IN_BIGIN = ("removed_in_bigin", "Removed in Bigin, kept in the archive", "Nothing to do.")

    def __init__(self, code: str, title: str, remedy: str, repaired: str | None = None) -> None:
        self.code = code
        self.title = title
        self.remedy = remedy
        self.repaired = repaired

    @property
    def only_told(self) -> bool:
        """Whether an archive with it is complete all the same."""
        return self.code in ("removed_before_archived", "adopted_object", "changed_in_bigin", "removed_in_bigin")


@dataclass(frozen=True, slots=True)
class Difference:
    """What is not as it should be with one attachment, or with one object that belongs to none.

    ``stored`` is the object that stands for it, if any; ``request`` what would archive it; ``listed`` what Bigin lists,
    and ``seen_at`` when; ``in_bigin`` is False where Bigin's list proves that it is not there any more.
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
    listed: "Found | None" = None
    seen_at: str | None = None
