"""What became of each file that was to be sent back, and the exit status. Pure."""

from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field

from bigin_archive.archive_request import ArchiveRequest
from bigin_archive.ledger.ledger_entry import LedgerEntry

RESTORED, ALREADY_THERE = "restored", "already_there"
REFUSED, RECORD_GONE, DAMAGED, UNCONFIRMED = "refused", "record_gone", "damaged", "unconfirmed"
WOULD_RESTORE = "would_restore"  # a dry run says this in place of ``restored``
NOT_TRIED = "not_tried"  # the run ended before it came to this file
OUTCOMES = (RESTORED, WOULD_RESTORE, ALREADY_THERE, REFUSED, RECORD_GONE, DAMAGED, UNCONFIRMED, NOT_TRIED)
_GOOD = (RESTORED, WOULD_RESTORE, ALREADY_THERE)


@dataclass(frozen=True, slots=True)
class Wanted:
    """An archived file, by its ledger row, and the record that it is sent to."""

    entry: LedgerEntry
    to: ArchiveRequest

    @property
    def size_bytes(self) -> int:
        """The archived size."""
        return self.entry.size_bytes or 0


@dataclass(frozen=True, slots=True)
class Outcome:
    """``attachment_id`` and ``name_in_bigin`` are those in Bigin now; ``code`` is Bigin's own code of a refusal."""

    wanted: Wanted
    outcome: str
    attachment_id: str | None = None
    name_in_bigin: str | None = None
    code: str | None = None
    detail: str = ""
    remedy: str = ""


@dataclass(slots=True)
class Run:
    """A run so far. ``missing`` are ids that are not in the archive, ``failure`` says why a run ended early."""

    dry: bool
    wanted: Sequence[Wanted]
    missing: tuple[str, ...] = ()
    outcomes: list[Outcome] = field(default_factory=list)
    credits_used: int = 0
    failure: str | None = None
    remedy: str = ""

    def all_outcomes(self) -> list[Outcome]:
        """One outcome for each wanted file, in their order."""
        done = {id(one.wanted): one for one in self.outcomes}
        return [done.get(id(wanted)) or Outcome(wanted, NOT_TRIED) for wanted in self.wanted]

    def counts(self) -> dict[str, int]:
        """How many files had which outcome; outcomes without a file are left out."""
        counted = Counter(one.outcome for one in self.all_outcomes())
        return {name: counted[name] for name in OUTCOMES if counted[name]}

    @property
    def exit_status(self) -> int:
        """0 all there, 2 some not, 1 it did not work."""
        if self.failure or not (self.wanted or self.missing):
            return 1
        return 0 if not self.missing and set(self.counts()) <= set(_GOOD) else 2


def records(wanted: Iterable[Wanted]) -> list[tuple[ArchiveRequest, list[Wanted]]]:
    """The files by the record that they are sent to, in order."""
    grouped: dict[ArchiveRequest, list[Wanted]] = {}
    for one in wanted:
        grouped.setdefault(one.to, []).append(one)
    return list(grouped.items())
