"""The log line and metrics of each slice, whether a sweep is running or not."""

import time
from collections.abc import Callable, Sequence
from contextlib import suppress
from dataclasses import KW_ONLY, dataclass

from bigin_archive import clock
from bigin_archive.audit.comparison import COMPLETE
from bigin_archive.errors import StorageUnavailableError
from bigin_archive.ledger.credit_usage import CreditUsage
from bigin_archive.queueing.archive_queue import ArchiveQueue
from bigin_archive.sweep.cursor import SweepState
from bigin_archive.sweep.weekly_mail import WeeklyMail
from bigin_archive.telemetry import Reporter

OLDEST_S = (
    8 * 24 * 60 * 60
)  # age of a list that a verdict relies on: everything is listed once a week, which may take a day
STUCK_S = 3 * 60 * 60  # without a step; a record whose list fails is skipped after two hours


@dataclass(frozen=True, slots=True)
class Heartbeat:
    """Reports every quarter of an hour. The alarms notice if it stops.

    ``share`` is in credits a day; ``is_scheduled`` tells whether sweeps begin by themselves.
    """

    credits_used: CreditUsage
    share: int
    dead_letter_queues: Sequence[ArchiveQueue]
    reporter: Reporter
    mail: WeeklyMail
    now: Callable[[], float] = time.time
    _: KW_ONLY
    is_scheduled: bool

    def tell(self, state: SweepState | None, *, mail_at_once: bool = False) -> None:
        """One line, the samples, and the weekly mail where it is due or asked for.

        Raises StorageUnavailableError where the credits cannot be read.
        """
        used = self.credits_used.used().used
        reason = not_proved(state, self.now(), is_scheduled=self.is_scheduled)
        samples: dict[str, float] = {
            "CreditsOfShare": 100 * used / max(1, self.share),
            "NotProved": int(reason is not None),
        }
        with suppress(StorageUnavailableError):  # the next slice reports it
            samples["Parked"] = sum(queue.waiting() for queue in self.dead_letter_queues)
        fields = {**_fields(state), "not_proved": reason, "credits_used": used, "dead_letters": samples.get("Parked")}
        self.reporter.report(f"sweep_{state.phase if state else 'idle'}", fields, samples)
        self.reporter.flush()
        self.mail.send_if_due(state, reason, at_once=mail_at_once)


def not_proved(state: SweepState | None, now_s: float, *, is_scheduled: bool) -> str | None:
    """Why the archive is not proved complete; None if it is, and before the first audit.

    Without a schedule an old audit is no fault, because nobody promised another one.
    """
    if state is None:
        return None
    if _age_s(state.stuck_since, now_s) >= STUCK_S:
        return "sweep_stuck"
    if state.verdict not in (None, COMPLETE):
        return "audit_not_complete"
    if is_scheduled and _age_s(state.complete_as_of, now_s) > OLDEST_S:
        return "audit_overdue"
    return None


def _age_s(time_text: str | None, now_s: float) -> float:
    """Seconds since then; 0 without a time."""
    moment = clock.parse(time_text)
    return now_s - moment.timestamp() if moment else 0


def _fields(state: SweepState | None) -> dict[str, object]:
    """Ids of records and figures alone; names are in the lists, which no line repeats."""
    if state is None:
        return {}
    fields = {name: value for name, value in state.as_dict().items() if name not in ("reading", "doubted")}
    return {**fields, "correlation_id": state.correlation_id}
