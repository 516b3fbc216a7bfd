"""What became of a request: one log line and a few metrics each. No file name, no token."""

import threading
from collections import Counter
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from aws_lambda_powertools.logging.formatter import LambdaPowertoolsFormatter
from aws_lambda_powertools.metrics import MetricUnit, single_metric

if TYPE_CHECKING:
    from aws_lambda_powertools import Logger, Metrics
    from aws_lambda_powertools.logging.types import LogRecord

# These are counted; every other metric says its unit here.
_UNITS = {
    "BytesArchived": MetricUnit.Bytes,
    "ArchiveDuration": MetricUnit.Milliseconds,
    "TokenAge": MetricUnit.Seconds,
    "CreditsOfShare": MetricUnit.Percent,
}
# These are told once more for each error code, in a dimension of that name: what failed, and why.
_BY_REASON = ("Parked", "Retried", "Refused")


class LogLines(LambdaPowertoolsFormatter):
    """JSON lines with our fields at the top; ``module`` is a name that Python's own log records use."""

    def serialize(self, log: "LogRecord") -> str:
        """One line."""
        line: dict[str, Any] = dict(log)
        line.update(line.pop("fields", {}))
        return super().serialize(line)


class Reporter:
    """Writes fields to the log and samples to the metrics, from several threads."""

    def __init__(self, logger: "Logger", metrics: "Metrics") -> None:
        self._logger = logger
        self._metrics = metrics
        self._lock = threading.Lock()  # Powertools' metrics are not made for threads
        self._reasons: Counter[tuple[str, str]] = Counter()

    def report(self, outcome: str, fields: Mapping[str, object], metrics: Mapping[str, float] | None = None) -> None:
        """One line with ``outcome`` and every field that has a value; one sample of each metric, kept for the flush."""
        given = {"outcome": outcome, **{name: value for name, value in fields.items() if value is not None}}
        self._logger.info(outcome, extra={"fields": given})
        if metrics:
            self.measure(metrics, fields.get("error_code"))

    def measure(self, metrics: Mapping[str, float], error_code: object = None) -> None:
        """Samples without a line."""
        with self._lock:
            for name, value in metrics.items():
                self._metrics.add_metric(name, _UNITS.get(name, MetricUnit.Count), value)
                if error_code and name in _BY_REASON and value:
                    self._reasons[name, str(error_code)] += 1

    def flush(self) -> None:
        """Write the metrics (embedded metric format, one line; one more for each reason of a failure)."""
        with self._lock:
            if self._metrics.metric_set:
                self._metrics.flush_metrics()
            for (name, code), count in self._reasons.items():
                with single_metric(name, MetricUnit.Count, count) as metric:
                    metric.add_dimension("error_code", code)
            self._reasons.clear()
