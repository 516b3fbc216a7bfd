"""Plants differences in an archive, one for each attachment, with the name that an audit must give it."""

import hashlib
from collections.abc import Callable

from bigin_archive.ledger.ledger_entry import LedgerEntry
from tests.archived import PREFIX, Archive, content

Plant = Callable[[Archive, LedgerEntry], None]


def _delete(archive: Archive, entry: LedgerEntry) -> None:
    archive.aws.s3.delete_object(Bucket=archive.aws.bucket, Key=entry.key)


def _truncate(archive: Archive, entry: LedgerEntry) -> None:
    archive.overwrite(str(entry.key), content(entry)[:-1])


def _lengthen(archive: Archive, entry: LedgerEntry) -> None:
    archive.overwrite(str(entry.key), content(entry) + b"!")


def _swap(archive: Archive, entry: LedgerEntry) -> None:
    archive.overwrite(str(entry.key), content(entry)[::-1])


def _strip_checksum(archive: Archive, entry: LedgerEntry) -> None:
    archive.overwrite(str(entry.key), content(entry), ChecksumAlgorithm="CRC32")


def _add_second(archive: Archive, entry: LedgerEntry) -> None:
    """As a copy in the S3 console makes it: with all metadata."""
    key = str(entry.key).rpartition("/")[0]
    metadata = archive.aws.head(str(entry.key))["Metadata"]
    archive.aws.s3.put_object(
        Bucket=archive.aws.bucket,
        Key=f"{key}/A copy.pdf",
        Body=content(entry),
        Metadata=metadata,
        ChecksumAlgorithm="SHA256",
    )


def _add_beside(archive: Archive, entry: LedgerEntry) -> None:
    """A folder placeholder, or what somebody put into the attachment's folder."""
    key = str(entry.key).rpartition("/")[0]
    name = "" if int(entry.attachment_id) % 2 else "note.txt"
    archive.aws.s3.put_object(Bucket=archive.aws.bucket, Key=f"{key}/{name}", Body=name.encode())


def _add_unknown(archive: Archive, entry: LedgerEntry) -> None:
    body = f"of nobody {entry.attachment_id}".encode()
    archive.aws.s3.put_object(Bucket=archive.aws.bucket, Key=_stray(entry), Body=body)


def _stray(entry: LedgerEntry) -> str:
    # Some where attachments lie, some elsewhere.
    folder = f"{entry.module}/4/" if int(entry.attachment_id) % 2 else "Old files/"
    return f"{PREFIX}{folder}{entry.attachment_id}/stray.txt"


def _drop_row(archive: Archive, entry: LedgerEntry) -> None:
    archive.drop_row(entry)


def _wrong_row(archive: Archive, entry: LedgerEntry) -> None:
    fields = (
        {"size_bytes": 1},
        {"sha256": hashlib.sha256(b"wrong").hexdigest()},
        {"key": f"{entry.key}.old"},
        {"state": "pending"},
    )
    archive.change_row(entry, **fields[int(entry.attachment_id) % len(fields)])


def _park(archive: Archive, entry: LedgerEntry) -> None:
    _delete(archive, entry)
    _without_object(archive, entry, state="parked", reason="attachment_too_large")


def _gone(archive: Archive, entry: LedgerEntry) -> None:
    _delete(archive, entry)
    _without_object(archive, entry, state="gone")


def _never_archived(archive: Archive, entry: LedgerEntry) -> None:
    _delete(archive, entry)
    if int(entry.attachment_id) % 2:
        archive.drop_row(entry)
    else:
        _without_object(archive, entry, state="pending")


def _without_object(archive: Archive, entry: LedgerEntry, **fields: str) -> None:
    nothing = dict.fromkeys(("key", "version_id", "size_bytes", "sha256", "archived_at"))
    archive.change_row(entry, **nothing, **fields)


def _remove_in_bigin(archive: Archive, entry: LedgerEntry) -> None:
    archive.bigin.control("DELETE", f"attachments/{entry.attachment_id}")


def _remove_before(archive: Archive, entry: LedgerEntry) -> None:
    _remove_in_bigin(archive, entry)
    _delete(archive, entry)
    _without_object(archive, entry, state="pending")


def _other_size_in_bigin(archive: Archive, entry: LedgerEntry) -> None:
    archive.bigin.add(
        b"another file",
        module=entry.module,
        record_id=entry.record_id,
        attachment_id=entry.attachment_id,
        file_name=entry.file_name,
    )


# The eight of the figure, then the rest.
FIGURE: dict[str, tuple[Plant, str]] = {
    "object deleted": (_delete, "missing_object"),
    "object truncated": (_truncate, "truncated"),
    "object swapped": (_swap, "wrong_checksum"),
    "object added": (_add_unknown, "unknown_object"),
    "ledger row missing": (_drop_row, "ledger_missing"),
    "ledger row wrong": (_wrong_row, "ledger_wrong"),
    "attachment added in Bigin": (_never_archived, "not_archived"),
    "attachment removed in Bigin": (_remove_in_bigin, "removed_in_bigin"),
}
ALL: dict[str, tuple[Plant, str]] = FIGURE | {
    "object lengthened": (_lengthen, "wrong_size"),
    "object without SHA-256": (_strip_checksum, "no_checksum"),
    "second object": (_add_second, "second_object"),
    "a stranger's object beside it": (_add_beside, "unknown_object"),
    "parked": (_park, "parked"),
    "gone, and listed": (_gone, "gone_but_listed"),
    "removed before it was archived": (_remove_before, "removed_before_archived"),
    "another size in Bigin": (_other_size_in_bigin, "size_differs_from_bigin"),
}


def plant(archive: Archive, entries: list[LedgerEntry], kinds: dict[str, tuple[Plant, str]]) -> dict[str, str]:
    """Plant one difference at each entry, the kinds in turn; return the expected name of each place."""
    expected = {}
    plants = list(kinds.values())
    for number, entry in enumerate(entries):
        what, code = plants[number % len(plants)]
        what(archive, entry)
        place = f"{entry.module}/{entry.record_id}/{entry.attachment_id}"
        if what is _add_unknown:
            place = _stray(entry).removeprefix(PREFIX)
            if not place.startswith("Old files/"):
                place = place.rpartition("/")[0]
        expected[place] = code
    return expected
