"""CloudWatch's alarms: evaluates those of the template on samples, by the rules of "Alarm evaluation".

(Amazon CloudWatch User Guide, "Using Amazon CloudWatch alarms": periods, M out of N, how missing data is treated.)
"""

import json
import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

from tests.template.parsed import ALARMS, of_type, value

Metric = tuple[str, str, tuple[tuple[str, str], ...]]
HOUR_S = 3600
_EVALUATED_S = 900
# CloudWatch looks at more periods than an alarm has, to do without missing ones; how many is not documented.
_MORE_PERIODS = 3
_STATISTICS = {"Maximum": max, "Minimum": min, "Sum": sum}
_COMPARED = {
    "GreaterThanOrEqualToThreshold": lambda value, threshold: value >= threshold,
    "GreaterThanThreshold": lambda value, threshold: value > threshold,
}


@dataclass
class Told:
    """The samples of metrics that one run of a handler wrote, in the order of its lines."""

    samples: list[tuple[Metric, float]] = field(default_factory=list)

    @classmethod
    def of(cls, output: str) -> "Told":
        """Lines in embedded metric format, and lines that a metric filter of the template counts."""
        told = cls()
        for line in output.splitlines():
            document = json.loads(line) if '"_aws"' in line else {}
            for directive in document.get("_aws", {}).get("CloudWatchMetrics", []):
                (names,) = directive["Dimensions"]
                dimensions = tuple((name, document[name]) for name in names)
                for metric in directive["Metrics"]:
                    key = (directive["Namespace"], metric["Name"], dimensions)
                    values = document[metric["Name"]]
                    told.samples += [(key, one) for one in (values if isinstance(values, list) else [values])]
            told.samples += [(metric, 1.0) for metric, words in _filters() if any(word in line for word in words)]
        return told


def _filters() -> Iterator[tuple[Metric, list[str]]]:
    """The metric of each distinct filter, and the words of which one is enough for a line to count."""
    for pattern, namespace, name in {
        (found["FilterPattern"], value(one["MetricNamespace"]), one["MetricName"])
        for found in of_type("AWS::Logs::MetricFilter").values()
        for one in found["MetricTransformations"]
    }:
        yield (namespace, name, ()), re.findall(r'\?"([^"]+)"', pattern)


@dataclass
class Day:
    """Thirty hours of a stack: each source repeats its samples at its interval in seconds."""

    sources: dict[str, tuple[int, Told]]
    hours: int = 30

    def ringing(self, silent_hours: int = 6) -> set[str]:
        """Alarms that were in state ALARM at some time of the last 18 hours."""
        series: dict[Metric, list[tuple[int, float]]] = {}
        for interval_s, told in self.sources.values():
            for at_s in range(interval_s // 2, self.hours * HOUR_S, interval_s):
                for metric, sample in told.samples:
                    series.setdefault(metric, []).append((at_s, sample))
        ends = range(12 * HOUR_S, self.hours * HOUR_S + 1, _EVALUATED_S)
        return {
            name
            for name, alarm in ALARMS.items()
            if any(_rings(alarm, series.get(_metric(alarm), []), end, silent_hours) for end in ends)
        }


def _metric(alarm: Mapping[str, Any]) -> Metric:
    dimensions = tuple((found["Name"], value(found["Value"])) for found in alarm["Dimensions"])
    return value(alarm["Namespace"]), alarm["MetricName"], dimensions


def _rings(alarm: Mapping[str, Any], samples: Iterable[tuple[int, float]], end_s: int, silent_hours: int) -> bool:
    period_s, periods = int(alarm["Period"]), alarm["EvaluationPeriods"]
    count = silent_hours if isinstance(periods, dict) else int(periods)
    needed = int(alarm.get("DatapointsToAlarm", count))
    points: dict[int, list[float]] = {}
    for at_s, sample in samples:
        back = (end_s - 1 - at_s) // period_s
        if at_s < end_s and back < count + _MORE_PERIODS:
            points.setdefault(back, []).append(sample)
    compare, threshold = _COMPARED[alarm["ComparisonOperator"]], float(alarm["Threshold"])
    statistic = _STATISTICS[alarm["Statistic"]]
    real = [compare(statistic(points[back]), threshold) for back in sorted(points)][:count]
    missing = (count - len(real)) * [alarm["TreatMissingData"] == "breaching"]
    return sum(real + missing) >= needed
