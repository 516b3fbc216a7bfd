"""What a sweep would cost: credits, bytes, hours; from Bigin's lists and a sample of records. Queues nothing."""

from collections.abc import Sequence
from dataclasses import dataclass

from bigin_archive.bigin.account_listing import attachments_of, attachments_page, lists_all, records_page
from bigin_archive.bigin.client import Bigin
from bigin_archive.bigin.listing import FIRST_PAGE, Position
from bigin_archive.clock import any_since, parse
from bigin_archive.deadline import Deadline
from bigin_archive.errors import AttachmentGoneError, BiginRefusedError
from bigin_archive.ledger.ledger import Ledger
from bigin_archive.sweep.credit_budget import CreditBudget

SAMPLE = 50  # records whose attachments are counted


@dataclass(frozen=True, slots=True)
class Estimate:
    """``records`` and ``attachments`` that would be looked at; ``unknown`` of them, with ``unknown_bytes``, downloaded.

    ``credits`` for all of it, ``spent`` those that the estimate took. ``sampled`` records stand for all of them; None
    where every attachment was listed, so that the figures are exact.
    """

    records: int
    attachments: int
    unknown: int
    unknown_bytes: int
    credits: int
    spent: int
    sampled: int | None

    def hours(self, budget: CreditBudget) -> float:
        """How long it takes at the least: the share of a day is spent in eight hours, then the sweep waits."""
        days, rest = divmod(self.credits, max(1, budget.sweep_share))
        return days * 24 + min(24.0, 8 * rest / max(1, budget.share))


def estimate(
    bigin: Bigin, ledger: Ledger, modules: Sequence[str], since: str | None, deadline: Deadline, *, by_record: bool
) -> Estimate:
    """List and count. Raises ArchiveError."""
    if not by_record and lists_all(bigin, deadline):
        return _exact(bigin, ledger, modules, since, deadline)
    return _sampled(bigin, ledger, modules, since, deadline, probes=0 if by_record else 1)


def _exact(bigin: Bigin, ledger: Ledger, modules: Sequence[str], since: str | None, deadline: Deadline) -> Estimate:
    position: Position | None = FIRST_PAGE
    after = parse(since)
    pages = listed = unknown = unknown_bytes = 0
    while position:
        found, position = attachments_page(bigin, position, deadline)
        pages += 1
        wanted = [each for each in found if each.request.module in modules]
        if after:
            wanted = [each for each in wanted if any_since(each.listed.times, after)]
        known = ledger.find([each.request for each in wanted])
        files = [each for each in wanted if not each.listed.link]
        new = [each for each in files if each.request.place not in known]
        listed += len(wanted)
        unknown += len(new)
        unknown_bytes += sum(each.listed.size_bytes or 0 for each in new)
    return Estimate(0, listed, unknown, unknown_bytes, pages + 1 + unknown, pages + 1, None)


def _sampled(
    bigin: Bigin, ledger: Ledger, modules: Sequence[str], since: str | None, deadline: Deadline, probes: int
) -> Estimate:
    records: list[tuple[str, str]] = []
    after = parse(since)
    pages = 0
    for module in modules:
        position: Position | None = FIRST_PAGE
        while position:
            try:
                found, position = records_page(bigin, module, position, deadline)
            except BiginRefusedError:
                found, position = [], None
            pages += 1
            records += [(module, each.record_id) for each in found if not after or any_since(each.changed_times, after)]
    # Evenly from the whole list: old records hold other files than new ones.
    step = max(1, len(records) // SAMPLE)
    sample = records[::step][:SAMPLE]
    listed = unknown = unknown_bytes = 0
    for module, record_id in sample:
        try:
            of_record = list(attachments_of(bigin, module, record_id, None, deadline))
        except (AttachmentGoneError, BiginRefusedError):
            continue
        known = ledger.find([each.request for each in of_record])
        new = [each for each in of_record if not each.listed.link and each.request.place not in known]
        listed += len(of_record)
        unknown += len(new)
        unknown_bytes += sum(each.listed.size_bytes or 0 for each in new)
    times = len(records) / len(sample) if sample else 0.0
    downloads = round(unknown * times)
    return Estimate(
        records=len(records),
        attachments=round(listed * times),
        unknown=downloads,
        unknown_bytes=round(unknown_bytes * times),
        credits=probes + pages + len(records) + downloads,
        spent=probes + pages + len(sample),
        sampled=len(sample),
    )
