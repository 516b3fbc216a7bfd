"""template.yaml as a parsed document, and the metrics that its alarms and its dashboard look at."""

import json
import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import yaml  # type: ignore[import-untyped]

ROOT = Path(__file__).parents[2]
STACK = "the-stack"


class _Loader(yaml.CSafeLoader):  # type: ignore[misc]
    """YAML with CloudFormation's short forms. cfn-lint reads the same in fifteen times the time; a test compares."""


def _written_out(loader: _Loader, name: str, node: yaml.Node) -> dict[str, Any]:
    kinds = {"scalar": loader.construct_scalar, "sequence": loader.construct_sequence}
    given = kinds[node.id](node) if node.id == "scalar" else kinds[node.id](node, deep=True)
    if name == "GetAtt":
        given = given.split(".", 1)
    return {name if name in ("Ref", "Condition") else f"Fn::{name}": given}


_Loader.add_multi_constructor("!", _written_out)


def load(path: Path = ROOT / "template.yaml") -> dict[str, Any]:
    """A template with CloudFormation's short forms written out."""
    parsed: dict[str, Any] = yaml.load(path.read_text(encoding="utf-8"), _Loader)
    return parsed


TEMPLATE = load()
RESOURCES: dict[str, Any] = TEMPLATE["Resources"]


def of_type(kind: str) -> dict[str, Any]:
    """Logical name and properties of all resources of a type."""
    return {name: found.get("Properties", {}) for name, found in RESOURCES.items() if found["Type"] == kind}


ALARMS = of_type("AWS::CloudWatch::Alarm")


@dataclass(frozen=True)
class Looked:
    """A metric that something looks at: ``place`` is the alarm or the widget, ``axis`` what the widget writes at it."""

    place: str
    namespace: str
    name: str
    dimensions: tuple[tuple[str, str], ...]
    stat: str
    axis: str | None = None

    @property
    def dimension_names(self) -> frozenset[str]:
        return frozenset(name for name, _ in self.dimensions)


def value(node: Any) -> str:
    """A value of the template in short: the stack's name, a logical name, or the text itself."""
    if isinstance(node, dict) and "Ref" in node:
        return STACK if node["Ref"] == "AWS::StackName" else str(node["Ref"])
    if isinstance(node, dict) and "Fn::Sub" in node:
        return str(node["Fn::Sub"]).replace("${AWS::StackName}", STACK)
    if isinstance(node, dict) and "Fn::GetAtt" in node:
        return str(node["Fn::GetAtt"][0])
    return str(node)


def looked_at_by_alarms() -> Iterator[Looked]:
    """Each metric of each alarm."""
    for place, alarm in ALARMS.items():
        stats = [found["MetricStat"] for found in alarm.get("Metrics", []) if "MetricStat" in found]
        for stat in stats or [{"Metric": alarm, "Stat": alarm.get("Statistic")}]:
            metric = stat["Metric"]
            dimensions = tuple((found["Name"], value(found["Value"])) for found in metric["Dimensions"])
            yield Looked(place, value(metric["Namespace"]), metric["MetricName"], dimensions, stat["Stat"])


def dashboard() -> dict[str, Any]:
    """The dashboard's body, each reference replaced by the name of what it refers to."""
    text = RESOURCES["Dashboard"]["Properties"]["DashboardBody"]["Fn::Sub"]
    text = text.replace("${AWS::StackName}", STACK).replace("${AWS::Region}", "eu-west-1")
    body: dict[str, Any] = json.loads(re.sub(r"\$\{(\w+)(?:\.\w+)?\}", r"\1", text))
    return body


def looked_at_by_the_dashboard() -> Iterator[Looked]:
    """Each metric of each widget."""
    for widget in dashboard()["widgets"]:
        properties = widget["properties"]
        for row in properties.get("metrics", []):
            options = row[-1] if isinstance(row[-1], dict) else {}
            labels = properties.get("yAxis", {})
            axis = labels.get(options.get("yAxis", "left"), {}).get("label") if labels else None
            names = [part for part in row if not isinstance(part, dict)]
            dimensions = tuple(zip(names[2::2], names[3::2], strict=True))
            stat = options.get("stat", properties["stat"])
            yield Looked(properties["title"], names[0], names[1], dimensions, stat, axis)
