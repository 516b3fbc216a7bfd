"""What became of a request: one log line and a few metrics each. No file name, no token."""

import threading
from collections import Counter
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from aws_lambda_powertools.logging.formatter import LambdaPowertoolsFormatter
from aws_lambda_powertools.metrics import MetricUnit, single_metric

from bigin_archive.archive_request import MODULES
from bigin_archive.errors import (
    ArchiveError,
    BiginScopeMissingError,
    BiginTokenRejectedError,
    StorageRefusedError,
)
from bigin_archive.request_outcome import Outcome

if TYPE_CHECKING:
    from aws_lambda_powertools import Logger, Metrics
    from aws_lambda_powertools.logging.types import LogRecord

    from bigin_archive.bigin.notification_channels import Renewal
    from bigin_archive.sweep.cursor import SweepState
    from bigin_archive.token.token_refresher import Refreshed

_COUNTERS = {
    "archived": "Archived",
    "already_archived": "AlreadyArchived",
    "gone": "Gone",
    "link": "Links",
    "parked": "Parked",
    "retried": "Retried",
    "refused": "Refused",
}
# These are told once more for each error code, in a dimension of that name: what failed, and why.
_BY_REASON = ("parked", "retried", "refused")
# What no retry mends without a person; the alarms stand on these.
_ALARMED: dict[type[ArchiveError], str] = {
    BiginTokenRejectedError: "TokenRejected",
    BiginScopeMissingError: "ScopeMissing",
    StorageRefusedError: "StorageRefused",
}


class LogLines(LambdaPowertoolsFormatter):
    """JSON lines with our fields at the top; ``module`` is a name that Python's own log records use."""

    def serialize(self, log: "LogRecord") -> str:
        """One line."""
        line: dict[str, Any] = dict(log)
        line.update(line.pop("fields", {}))
        return super().serialize(line)


class Reporter:
    """Writes outcomes to the log and the metrics, from several threads."""

    def __init__(self, logger: "Logger", metrics: "Metrics") -> None:
        self._logger = logger
        self._metrics = metrics
        self._lock = threading.Lock()  # Powertools' metrics are not made for threads
        self._reasons: Counter[tuple[str, str]] = Counter()

    def report(self, outcome: Outcome) -> None:
        """One line, one count."""
        request, error = outcome.request, outcome.error
        fields = {
            "outcome": outcome.outcome,
            "error_code": error.code if error else None,
            "error_detail": error.detail if error else None,
            "module": request.module if request else None,
            "record_id": request.record_id if request else None,
            "attachment_id": request.attachment_id if request else None,
            "size_bytes": outcome.size_bytes,
            "queued": outcome.queued,
            "duration_ms": outcome.duration_ms,
            "attempt": outcome.attempt,
            "request_id": outcome.request_id,
            "channel_id": outcome.channel_id,
        }
        self._write(outcome.outcome, fields)
        with self._lock:
            self._count(outcome)

    def report_unwritten(self, error: ArchiveError) -> None:
        """An entry that the ledger did not take: one line, one count."""
        self._write("ledger_unwritten", {"outcome": "ledger_unwritten", "error_detail": error.detail})
        with self._lock:
            self._metrics.add_metric("LedgerUnwritten", MetricUnit.Count, 1)

    def report_refresh(self, refreshed: "Refreshed") -> None:
        """How a renewal of the token went: one line, the token's age, and the failures counted."""
        fields = {
            "outcome": refreshed.status,
            "error_code": refreshed.code,
            "error_detail": refreshed.detail if refreshed.code else None,
            "expires_at": refreshed.expires_at,
        }
        self._write(refreshed.status, fields)
        with self._lock:
            failed = 1 if refreshed.status == "failed" else 0
            self._metrics.add_metric("TokenRefreshFailures", MetricUnit.Count, failed)
        self.report_token_age(refreshed.token_age_s)

    def report_token_age(self, age_s: float | None) -> None:
        """The age of the stored token, where there is one."""
        if age_s is not None:
            with self._lock:
                self._metrics.add_metric("TokenAge", MetricUnit.Seconds, age_s)
        self.flush()

    def report_channels(self, renewal: "Renewal") -> None:
        """How a renewal of the notification channels went: one line, and the channels counted."""
        fields = {
            "outcome": f"channels_{renewal.status}",
            "error_code": renewal.code,
            "error_detail": renewal.detail if renewal.code else None,
            "alive": renewal.alive,
            "dead": renewal.dead,
            "expires_at": renewal.expires_at,
        }
        self._write(f"channels_{renewal.status}", fields)
        with self._lock:
            self._metrics.add_metric("ChannelsAlive", MetricUnit.Count, len(renewal.alive))
            self._metrics.add_metric("ChannelsDead", MetricUnit.Count, len(renewal.dead))
        self.flush()

    def report_sweep(self, state: "SweepState | None", used: int, share: int) -> None:
        """Where the sweep stands: one line; the credits of the last 24 hours; the audit's result when it is done."""
        if state:
            fields = {"outcome": f"sweep_{state.phase}", **state.as_dict()}
            # Ids of records alone, and figures; names are in the lists, which no line repeats.
            self._write(f"sweep_{state.phase}", {name: value for name, value in fields.items() if name != "position"})
        with self._lock:
            self._metrics.add_metric("CreditsUsed", MetricUnit.Count, used)
            self._metrics.add_metric("CreditsOfShare", MetricUnit.Percent, 100 * used / max(1, share))
            self._metrics.add_metric("SweepFailures", MetricUnit.Count, state.failures if state else 0)
            if state and state.is_done and state.result and set(state.modules) == set(MODULES):
                self._metrics.add_metric("AuditIncomplete", MetricUnit.Count, int(state.result != "complete"))
        self.flush()

    def report_console(self, outcome: str, fields: Mapping[str, object]) -> None:
        """What the console did for whom: one line, ids alone."""
        self._write(outcome, {"outcome": outcome, **fields})

    def _write(self, message: str, fields: Mapping[str, object]) -> None:
        given = {name: value for name, value in fields.items() if value is not None}
        self._logger.info(message, extra={"fields": given})

    def flush(self) -> None:
        """Write the metrics (embedded metric format, one line; one more for each reason of a failure)."""
        with self._lock:
            if self._metrics.metric_set:
                self._metrics.flush_metrics()
            for (name, code), count in self._reasons.items():
                with single_metric(name, MetricUnit.Count, count) as metric:
                    metric.add_dimension("error_code", code)
            self._reasons.clear()

    def _count(self, outcome: Outcome) -> None:
        add = self._metrics.add_metric
        if outcome.outcome in _COUNTERS:
            add(_COUNTERS[outcome.outcome], MetricUnit.Count, 1)
        if outcome.outcome == "retried":
            # The alarm on hours without a success can only compare with what was told.
            add("Archived", MetricUnit.Count, 0)
        if outcome.outcome in _BY_REASON and outcome.error:
            self._reasons[_COUNTERS[outcome.outcome], outcome.error.code] += 1
        if outcome.error and type(outcome.error) in _ALARMED:
            add(_ALARMED[type(outcome.error)], MetricUnit.Count, 1)
        if outcome.outcome == "archived":
            add("BytesArchived", MetricUnit.Bytes, outcome.size_bytes or 0)
            add("ArchiveDuration", MetricUnit.Milliseconds, outcome.duration_ms)
