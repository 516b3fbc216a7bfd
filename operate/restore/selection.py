"""Chooses archived files: by id, by record, by module and date."""

import random
import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime

from bigin_archive.archive_request import ALIASES, MODULES, ArchiveRequest
from bigin_archive.ledger.ledger import Ledger
from bigin_archive.ledger.ledger_entry import LedgerEntry
from operate.errors import OperateError
from operate.restore import limits
from operate.restore.outcome import Wanted

_MODULES = "|".join((*MODULES, *ALIASES))
_RECORD = re.compile(rf"({_MODULES})/([0-9]{{1,50}})")
_PLACE = re.compile(rf"({_MODULES})/([0-9]{{1,50}})/([0-9]{{1,50}})")
_ID = re.compile(r"[0-9]{1,50}")
# For a drill: large enough to prove something, and small enough to be quick.
_DRILL_BYTES = range(1, 2 * limits.MIB)


@dataclass(frozen=True, slots=True)
class Selection:
    """What was asked for. ``since`` is the first day on which files were attached, in Bigin's own time zone."""

    ids: tuple[str, ...] = ()
    records: tuple[ArchiveRequest, ...] = ()
    modules: tuple[str, ...] = ()
    since: date | None = None
    to: ArchiveRequest | None = None


def record(text: str) -> ArchiveRequest:
    """``MODULE/ID``. Raises ValueError."""
    match = _RECORD.fullmatch(text)
    if not match:
        raise ValueError(f"{text!r} is not a record. Write for example Contacts/2034020000000489124.")
    return ArchiveRequest(ALIASES.get(match[1], match[1]), match[2])


def place(text: str) -> str:
    """An attachment's id, or ``MODULE/RECORD/ATTACHMENT``. Raises ValueError."""
    if _ID.fullmatch(text):
        return text
    match = _PLACE.fullmatch(text)
    if not match:
        raise ValueError(f"{text!r} is not an attachment. Give its id, or MODULE/RECORD/ATTACHMENT (see find).")
    return f"{ALIASES.get(match[1], match[1])}/{match[2]}/{match[3]}"


def select(ledger: Ledger, chosen: Selection) -> tuple[list[Wanted], tuple[str, ...]]:
    """The files, and the ids that are not in the archive. Raises OperateError, StorageUnavailableError.

    A file that was sent back before is taken once, by its first id.
    """
    ids = set(chosen.ids)
    rows: dict[str, LedgerEntry] = {}
    if places := [ArchiveRequest.of_place(one) for one in ids if "/" in one]:
        rows |= ledger.find(places)
    for one in chosen.records:
        found_there = ledger.entries_of(one.module, one.record_id)
        rows |= {row.request.place: row for row in found_there if _is_since(row, chosen.since)}
    if chosen.modules or any("/" not in one for one in ids):
        rows |= {row.request.place: row for row in ledger.entries() if _is_meant(row, chosen, ids)}
    found = {name: row for name, row in rows.items() if row.key}
    _refuse_ambiguous(found.values(), ids)
    told = {row.attachment_id for row in found.values()} | found.keys()
    missing = tuple(one for one in dict.fromkeys(chosen.ids) if one not in told)
    kept = [row for row in found.values() if row.restored_from not in found or row.request.place in ids]
    kept.sort(key=lambda row: (row.module, row.record_id.zfill(50), row.attachment_id.zfill(50)))
    return [Wanted(row, chosen.to or ArchiveRequest(row.module, row.record_id)) for row in kept], missing


def _is_meant(row: LedgerEntry, chosen: Selection, ids: set[str]) -> bool:
    return row.attachment_id in ids or (row.module in chosen.modules and _is_since(row, chosen.since))


def _is_since(row: LedgerEntry, since: date | None) -> bool:
    if since is None:
        return True
    try:
        moment = datetime.fromisoformat(row.created_time or row.archived_at or row.first_seen or "")
    except ValueError:
        return True  # its day is not known: better once too often than not at all
    return (moment if moment.tzinfo else moment.replace(tzinfo=UTC)).date() >= since


def _refuse_ambiguous(rows: Iterable[LedgerEntry], ids: set[str]) -> None:
    by_id: dict[str, list[str]] = {}
    for row in rows:
        if row.attachment_id in ids:
            by_id.setdefault(row.attachment_id, []).append(row.request.place)
    for attachment_id, places in by_id.items():
        if len(places) > 1:
            raise OperateError(
                f"The id {attachment_id} belongs to several records.",
                f"Name one of them: {', '.join(sorted(places))}.",
                status=2,
            )


def for_drill(ledger: Ledger, to: ArchiveRequest, choose: random.Random) -> Wanted:
    """A random archived file that Bigin would accept, so that each drill proves another one. Raises OperateError."""
    chosen: LedgerEntry | None = None
    fitting = 0
    for row in ledger.entries():
        name = row.file_name or (row.key or "").rpartition("/")[2]
        if row.state != "archived" or not row.key or row.restored_from or (row.size_bytes or 0) not in _DRILL_BYTES:
            continue
        if limits.file_refusal(name, row.size_bytes or 0):
            continue
        fitting += 1
        if choose.randrange(fitting) == 0:
            chosen = row
    if chosen is None:
        raise OperateError(
            "No archived file of at most 2 MiB is there to try it with.", "Name one: bigin-archive restore ID --drill."
        )
    return Wanted(chosen, to)


def modules_of(wanted: Sequence[Wanted]) -> tuple[str, ...]:
    """The modules that the files are sent to."""
    return tuple(name for name in MODULES if any(one.to.module == name for one in wanted))
