"""What became of a request: one log line and a few metrics each. No file name, no token.

The metrics are ten, which is what CloudWatch's free tier holds; what failed and why is asked of the log lines.
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
    # From the request to the file in S3; of what is tried again, so far.
    "ArchiveDuration": MetricUnit.Milliseconds,
    # Dead letters: 1 more from the worker, how many there are from each slice of the sweep (take the maximum).
    "Parked": MetricUnit.Count,
    # The sum counts retries. A sample of 0 says that not everything fails for the same cause (alarm on silence).
    "Retried": MetricUnit.Count,
    # Of causes that a person has to mend, 0 or 1
    "ConnectionBroken": MetricUnit.Count,
    "StorageRefused": MetricUnit.Count,
    "NotProved": MetricUnit.Count,
    "CreditsOfShare": MetricUnit.Percent,
    # The tenth, FunctionFailures, is made by metric filters of CloudWatch Logs: a function that died tells nothing.
}
# One sample of each metric, or several.
Samples = Mapping[str, float | Sequence[float]]


class LogLines(LambdaPowertoolsFormatter):
    """JSON lines with our fields at the top; ``module`` is a name that Python's own log records use."""

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
        """One line with ``outcome`` and every field that has a value; samples of metrics, kept for the flush."""
        given = {"outcome": outcome, **{name: value for name, value in fields.items() if value is not None}}
        self._logger.info(outcome, extra={"fields": given})
        if metrics:
            self.measure(metrics)

    def measure(self, metrics: Samples) -> None:
        """Samples without a line. Raises KeyError for a metric that METRICS does not hold."""
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
