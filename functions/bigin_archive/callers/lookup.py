"""What became of an attachment: asks the ledger, and S3 if the ledger does not know."""

from bigin_archive.archive_request import ArchiveRequest
from bigin_archive.archiving.listed_size import conflict
from bigin_archive.errors import ArchiveError, AttachmentGoneError, InternalError, LinkAttachmentError, kinds
from bigin_archive.http_errors import UnknownAttachmentError
from bigin_archive.ledger.ledger import Ledger
from bigin_archive.ledger.ledger_entry import LedgerEntry
from bigin_archive.storage.archived_object import ArchivedObject, StoredObject
from bigin_archive.storage.version_reader import VersionReader


def find(request: ArchiveRequest, ledger: Ledger, versions: VersionReader) -> StoredObject | None:
    """The object of the attachment; None while it waits.

    Raises UnknownAttachmentError, the error for which it was parked, AttachmentGoneError, LinkAttachmentError,
    ContentConflictError if other bytes took the place of the archived ones, and StorageUnavailableError or
    StorageRefusedError if neither can be asked.
    """
    entry = ledger.find([request]).get(request.place)
    state = entry.state if entry else None
    if state == "gone":
        raise AttachmentGoneError("Bigin says that this record or attachment does not exist.")
    if state == "link":
        raise _link()
    if entry and state == "parked":
        raise _parked(entry.reason)
    found = versions.read(entry.key, entry.version_id) if entry and entry.key else None
    # The ledger may miss a write, so S3 decides.
    found = found or versions.find(request.place)
    if found:
        # An object that lost its checksum was written again.
        if entry and entry.sha256 and found.sha256 != entry.sha256 and not _is_named(entry, found):
            raise conflict("without the archived SHA-256")
        if found.is_link:
            raise _link()
        return found.as_stored
    if state == "pending":
        return None
    raise UnknownAttachmentError(
        "The archive does not know this attachment. Check module and ids, or send it with POST to archive it."
    )


def _is_named(entry: LedgerEntry, found: ArchivedObject) -> bool:
    """Whether it is the version that the row names, which never changes."""
    return found.version_id is not None and found.version_id == entry.version_id


def _link() -> LinkAttachmentError:
    return LinkAttachmentError("This attachment is a link, not a file. The archive keeps its address as a shortcut.")


def _parked(reason: str | None) -> ArchiveError:
    kind = next((kind for kind in kinds(ArchiveError) if kind.code == reason), InternalError)
    return kind(
        f"This attachment could not be archived ({reason or 'unknown'}) and waits with its reason. The person who "
        "runs the archive can fix the cause and send it back: bigin-archive redrive."
    )
