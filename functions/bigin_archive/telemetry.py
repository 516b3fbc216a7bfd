"""What became of a request: one log line and a few metrics each. No file name, no token.

There are ten metrics, as many as CloudWatch's free tier holds. The log lines say what failed and why.
"""

import logging
import threading
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

from aws_lambda_powertools import Logger, Metrics
from aws_lambda_powertools.logging.formatter import LambdaPowertoolsFormatter
from aws_lambda_powertools.metrics import MetricUnit

if TYPE_CHECKING:
    from aws_lambda_powertools.logging.types import LogRecord

METRICS = {
    # Of requests
    "Archived": MetricUnit.Count,
    "BytesArchived": MetricUnit.Bytes,
    # From the request to the file in S3; until now for a request that is still retried.
    "ArchiveDuration": MetricUnit.Milliseconds,
    # Dead letters: the worker adds 1, each slice of the sweep sends their number (take the maximum).
    "Parked": MetricUnit.Count,
    # The sum counts retries. A sample of 0 says that something succeeds (alarm on silence).
    "Retried": MetricUnit.Count,
    # Causes that a person has to fix, 0 or 1
    "ConnectionBroken": MetricUnit.Count,
    "StorageRefused": MetricUnit.Count,
    "NotProved": MetricUnit.Count,
    "CreditsOfShare": MetricUnit.Percent,
    # Metric filters of CloudWatch Logs make the tenth, FunctionFailures: a function that died sends nothing.
}
# One sample of each metric, or several.
Samples = Mapping[str, float | Sequence[float]]


class LogLines(LambdaPowertoolsFormatter):
    """JSON lines with our fields at the top. (``module`` is also a field of Python's own log records.)"""

    def serialize(self, log: "LogRecord") -> str:
        """One line."""
        line: dict[str, Any] = dict(log)
        line.update(line.pop("fields", {}))
        return super().serialize(line)


class Reporter:
    """Writes fields to the log and samples to the metrics, from several threads."""

    def __init__(self, logger: Logger, metrics: Metrics) -> None:
        self._logger = logger
        self._metrics = metrics
        self._lock = threading.Lock()  # Powertools' metrics are not made for threads

    def report(self, outcome: str, fields: Mapping[str, object], metrics: Samples | None = None) -> None:
        """Write one line with ``outcome`` and every field that has a value; keep the samples until the flush."""
        given = {"outcome": outcome, **{name: value for name, value in fields.items() if value is not None}}
        self._logger.info(outcome, extra={"fields": given})
        if metrics:
            self.measure(metrics)

    def measure(self, metrics: Samples) -> None:
        """Add samples without a line. Raises KeyError for a metric that METRICS does not hold."""
        with self._lock:
            for name, values in metrics.items():
                for value in values if isinstance(values, Sequence) else (values,):
                    self._metrics.add_metric(name, METRICS[name], value)

    def flush(self) -> None:
        """Write the metrics (embedded metric format, one line)."""
        with self._lock:
            if self._metrics.metric_set:
                self._metrics.flush_metrics()


def reporter() -> Reporter:
    """Powertools' Logger and Metrics, named by the environment (POWERTOOLS_SERVICE_NAME, ..._NAMESPACE)."""
    # urllib3 would log headers that it cannot parse: they hold file names.
    logging.getLogger("urllib3").setLevel(logging.ERROR)
    return Reporter(Logger(logger_formatter=LogLines(utc=True)), Metrics())
