"""What a sweep would cost in credits, bytes and hours, from Bigin's lists and a sample of records. Queues nothing."""

from collections.abc import Callable, Sequence
from contextlib import suppress
from dataclasses import dataclass
from datetime import datetime

from bigin_archive.archive_request import ArchiveRequest
from bigin_archive.bigin.account_listing import account_list, lists_all, record_list
from bigin_archive.bigin.client import Bigin
from bigin_archive.bigin.credit_meter import CreditMeter
from bigin_archive.bigin.found_attachment import Found
from bigin_archive.bigin.probed_answers import ProbedAnswers
from bigin_archive.clock import any_since, iso, parse
from bigin_archive.deadline import Deadline
from bigin_archive.errors import AttachmentGoneError, BiginRefusedError
from bigin_archive.ledger.ledger import Ledger
from bigin_archive.sweep.credit_budget import CreditBudget
from bigin_archive.sweep.discovery import files_to_queue

SAMPLE = 50  # records whose attachments are listed


@dataclass(frozen=True, slots=True)
class Estimate:
    """``records`` and ``attachments`` that a sweep would list; ``unknown`` files with ``unknown_bytes`` to download.

    ``credits`` are for all of it, ``spent`` those that the estimate used. ``sampled`` records stand for all of them;
    None if every attachment was listed, so that the figures are exact.
    """

    records: int
    attachments: int
    unknown: int
    unknown_bytes: int
    credits: int
    spent: int
    sampled: int | None

    def hours(self, budget: CreditBudget) -> float:
        """The least time it takes: the share of a day is spent in eight hours, then the sweep waits."""
        days, rest = divmod(self.credits, max(1, budget.sweep_share))
        return days * 24 + min(24.0, 8 * rest / max(1, budget.share))


@dataclass(frozen=True, slots=True)
class Estimator:
    """Lists and counts, as a sweep does that takes messages from before ``lost_before`` for lost.

    ``meter`` counts what ``bigin`` calls; ``now`` is AWS's clock, by which messages are dated; ``answers`` are those of
    the last probe.
    """

    bigin: Bigin
    meter: CreditMeter
    ledger: Ledger
    deadline: Deadline
    now: Callable[[], float]
    lost_before: str | None
    answers: ProbedAnswers

    def estimate(self, modules: Sequence[str], since: str | None, *, by_record: bool) -> Estimate:
        """Of these modules, and of what was changed ``since``. Raises ArchiveError."""
        began, after = self.meter.total, parse(since)
        if not by_record and self.answers.may_list_all and lists_all(self.bigin, self.deadline):
            return self._exact(modules, after, began)
        return self._sampled(modules, after, began)

    def _exact(self, modules: Sequence[str], after: datetime | None, began: int) -> Estimate:
        reader = account_list(self.bigin, lambda: self.deadline)
        listed, files = 0, self._files()
        while not reader.is_over:
            found = [each for each in reader.next_rows() if each.request.module in modules]
            wanted = [each for each in found if not after or any_since(each.listed.times, after)]
            listed += len(wanted)
            files.add(wanted, self.ledger)
        spent = self.meter.total - began
        return Estimate(0, listed, files.count, files.size_bytes, spent + files.count, spent, None)

    def _sampled(self, modules: Sequence[str], after: datetime | None, began: int) -> Estimate:
        records: list[tuple[str, str]] = []
        for module in modules:
            with suppress(BiginRefusedError, AttachmentGoneError):
                found = list(record_list(self.bigin, module, lambda: self.deadline).rest())
                changed = [each for each in found if not after or any_since(each.changed_times, after)]
                records += [(module, each.record_id) for each in changed]
        # Evenly from the whole list, because old records hold other files than new ones.
        step = max(1, len(records) // SAMPLE)
        sample = records[::step][:SAMPLE]
        for_lists, listed, files = self.meter.total - began, 0, self._files()
        for module, record_id in sample:
            with suppress(AttachmentGoneError, BiginRefusedError):
                request = ArchiveRequest(module, record_id)
                rows = self.bigin.attachment_list(request, lambda: self.deadline).rest()
                of_record = [Found.of_record(module, record_id, None, each) for each in rows]
                listed += len(of_record)
                files.add(of_record, self.ledger)
        times = len(records) / len(sample) if sample else 0.0
        spent, downloads = self.meter.total - began, round(files.count * times)
        return Estimate(
            records=len(records),
            attachments=round(listed * times),
            unknown=downloads,
            unknown_bytes=round(files.size_bytes * times),
            credits=for_lists + round((spent - for_lists) * times) + downloads,
            spent=spent,
            sampled=len(sample),
        )

    def _files(self) -> "_Files":
        return _Files(self.now, self.lost_before, self.answers.sizes_are_right)


@dataclass(slots=True)
class _Files:
    """The files that a sweep would queue."""

    now: Callable[[], float]
    lost_before: str | None  # as SweepState has it
    compares_sizes: bool
    count: int = 0
    size_bytes: int = 0

    def add(self, found: Sequence[Found], ledger: Ledger) -> None:
        """Add those of ``found`` that have to be downloaded."""
        known = ledger.find([each.request for each in found]) if found else {}
        listed = found if self.compares_sizes else [each.without_size for each in found]
        new = files_to_queue(listed, known, iso(self.now()), self.lost_before)
        self.count += len(new)
        self.size_bytes += sum(each.listed.size_bytes or 0 for each in new)
