"""What the template promises for a message and for a file, resource by resource."""

from collections.abc import Iterator, Mapping
from typing import Any

from tests.faults.lab import Lab
from tests.faults.tally import Row, of_checks
from tests.faults.template import parsed

FOURTEEN_DAYS_S = 14 * 24 * 3600
ALLOWED_STARS = ("sqs:SendMessage*",)  # AWS has one action for single and batched sends, the emulator two

Resources = Mapping[str, Mapping[str, Any]]


def as_deployed(lab: Lab) -> Iterator[Row]:
    """Checks every resource that could lose a message or a file, and every alarm that should report it."""
    resources: Resources = parsed()["Resources"]
    found = dict(_checks(resources))
    yield of_checks("template", [text for text, holds in found.items() if not holds], len(found))


def _checks(resources: Resources) -> Iterator[tuple[str, bool]]:
    alarmed = _counted(resources)
    for name, queue in _of(resources, "AWS::SQS::Queue"):
        yield f"{name} forgets a message too early", queue["Properties"]["MessageRetentionPeriod"] == FOURTEEN_DAYS_S
        target = queue["Properties"].get("RedrivePolicy", {}).get("deadLetterTargetArn", {}).get("Fn::GetAtt", [""])[0]
        if target:
            yield f"{name} has dead letters that nobody is told of", target in alarmed
            yield f"{target} is no queue", resources.get(target, {}).get("Type") == "AWS::SQS::Queue"
        else:
            yield f"{name} has no queue for its dead letters and is none", name in alarmed
    for name, alarm in _of(resources, "AWS::CloudWatch::Alarm"):
        yield f"{name} tells nobody", alarm["Properties"].get("AlarmActions") == [{"Ref": "AlarmTopic"}]
    for name, function in _of(resources, "AWS::Serverless::Function"):
        properties = function["Properties"]
        yield f"{name} reserves concurrency", "ReservedConcurrentExecutions" not in properties
        for event in properties.get("Events", {}).values():
            if event["Type"] == "SQS":
                queue = resources[event["Properties"]["Queue"]["Fn::GetAtt"][0]]["Properties"]
                enough = queue["VisibilityTimeout"] >= 6 * properties["Timeout"]
                yield f"{name}'s messages come back while it works", enough
    for name, role in _of(resources, "AWS::IAM::Role"):
        yield f"{name} may do more than it is told to", not any("*" in text for text in _broad(role))
        yield f"{name} may delete what is archived", not any("s3:Delete" in text for text in _actions(role))
    for name, resource in resources.items():
        if resource["Type"] == "AWS::S3::Bucket" or name == "CredentialsSecret":
            kept = (resource.get("DeletionPolicy"), resource.get("UpdateReplacePolicy"))
            yield f"{name} goes with the stack", kept == ("RetainExceptOnCreate", "Retain")


def _counted(resources: Resources) -> set[str]:
    """The queues whose messages the sweep counts as dead letters for an alarm."""
    metrics = {alarm["Properties"].get("MetricName") for _, alarm in _of(resources, "AWS::CloudWatch::Alarm")}
    variables = resources["SweepFunction"]["Properties"]["Environment"]["Variables"]
    queues = variables["DEAD_LETTER_QUEUE_URLS"]["Fn::Join"][1]
    return {(one["Fn::If"][1] if "Fn::If" in one else one)["Ref"] for one in queues} if "Parked" in metrics else set()


def _of(resources: Resources, kind: str) -> Iterator[tuple[str, Mapping[str, Any]]]:
    return ((name, found) for name, found in resources.items() if found["Type"] == kind)


def _statements(node: Any) -> Iterator[Mapping[str, Any]]:
    if isinstance(node, dict):
        if "Action" in node and "Resource" in node:
            yield node
        for inner in node.values():
            yield from _statements(inner)
    elif isinstance(node, list):
        for inner in node:
            yield from _statements(inner)


def _listed(value: Any) -> list[Any]:
    return value if isinstance(value, list) else [value]


def _actions(role: Mapping[str, Any]) -> list[str]:
    return [action for statement in _statements(role["Properties"]) for action in _listed(statement["Action"])]


def _broad(role: Mapping[str, Any]) -> list[str]:
    """The role's actions, and its resources that are plain text."""
    resources = [one for statement in _statements(role["Properties"]) for one in _listed(statement["Resource"])]
    actions = [action for action in _actions(role) if action not in ALLOWED_STARS]
    return [*actions, *(one for one in resources if isinstance(one, str))]
