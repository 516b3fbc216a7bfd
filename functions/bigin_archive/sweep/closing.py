"""The end of a sweep: writes index and audit, against the lists of the sweep."""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any

from bigin_archive import clock
from bigin_archive.audit.auditor import Auditor
from bigin_archive.audit.bigin_side import Listing
from bigin_archive.audit.comparison import Audit
from bigin_archive.bigin.found_attachment import Found
from bigin_archive.deadline import Deadline
from bigin_archive.errors import StorageUnavailableError
from bigin_archive.ledger.stored_list import PageLostError
from bigin_archive.sweep.cursor import Cursor, SweepState


def close(auditor: Auditor, cursor: Cursor, state: SweepState, deadline: Deadline) -> Audit | None:
    """Write index and audit; return the audit, or None if the next slice has to continue.

    A sweep of changed records uses Bigin's list of the last full sweep, with the changes. If there is a gap between
    them, nobody knows what changed in it. Raises StorageUnavailableError, StorageRefusedError.
    """
    unlisted: dict[str, str] = {}
    began_at = state.full_since if state.since else state.started_at
    if not began_at or (state.since and not _is_before(state.since, began_at)):
        unlisted = dict.fromkeys(state.modules, f"only what was changed since {state.since} was listed")
    stored = state.own_list if state.is_full else state.full_list
    listing = left_by(cursor, state, began_at or state.started_at, stored, state.refused, unlisted)
    made = auditor.go_on(state.audit, listing, state.modules, deadline)
    state.audit = None if isinstance(made, Audit) else made
    return made if isinstance(made, Audit) else None


def left_by(
    cursor: Cursor,
    state: SweepState,
    began_at: str,
    stored: Sequence[Any] | None,
    refused: Iterable[str],
    unlisted: Mapping[str, str],
) -> Listing:
    """Bigin's list as a sweep left it: ``stored`` says where it is, ``began_at`` when its reading began.

    If an earlier version stored it only in the ledger's rows, ``stored`` is None. ``refused`` are the modules and
    records that Bigin kept back, ``unlisted`` the modules that the sweep does not cover, and why. To read the list
    raises StorageUnavailableError, also if it is gone.
    """
    kept_back = {what.partition("/")[0]: f"Bigin did not list {what}" for what in refused}
    return Listing(
        began_at,
        stored=_read(cursor, stored, began_at) if stored else None,
        counted=None if stored else state.full_listed,
        unlisted=kept_back | dict(unlisted),
        unsupported_modules=dict(state.uncovered),
        is_of_all=state.strategy == "all",
        is_of_changes=not state.is_full,
        compares_sizes=state.compares_sizes,
    )


def _read(cursor: Cursor, stored: Sequence[Any], sweep: str) -> Iterator[Found]:
    try:
        yield from cursor.found(stored, sweep)
    except PageLostError:
        raise StorageUnavailableError(
            "A stored page of the last sweep is gone. The next sweep of everything writes it again."
        ) from None


def _is_before(since: str, began_at: str) -> bool:
    """Whether the changes begin before the last whole list does; both times are ours."""
    first, then = clock.parse(since), clock.parse(began_at)
    return first is not None and then is not None and first <= then
