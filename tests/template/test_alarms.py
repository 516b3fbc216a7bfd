"""Alarms and dashboard: every alarm tells what to do, and every metric is one that AWS or the code really has."""

import re
from typing import Any

import click
import pytest

from bigin_archive.errors import ArchiveError, PermanentError, UnauthorizedError
from operate.cli import cli
from tests.bench.cost import FIXED
from tests.template.parsed import (
    ALARMS,
    RESOURCES,
    ROOT,
    STACK,
    TEMPLATE,
    Looked,
    dashboard,
    looked_at_by_alarms,
    looked_at_by_the_dashboard,
    of_type,
)
from tests.unit.test_docs import anchors

# What is off unless somebody asks for it tells by its queue, or by its answers to whoever calls it.
FUNCTIONS = sorted(name for name in of_type("AWS::Serverless::Function") if "Condition" not in RESOURCES[name])
QUEUES = sorted(of_type("AWS::SQS::Queue"))
LOOKED = [*looked_at_by_alarms(), *looked_at_by_the_dashboard()]
OF_AWS = [found for found in LOOKED if found.namespace.startswith("AWS/")]
# What AWS itself reports. Amazon SQS developer guide, "Available CloudWatch metrics"; AWS Lambda developer guide,
# "Types of metrics"; Amazon API Gateway developer guide, "Amazon API Gateway dimensions and metrics".
AWS_METRICS: dict[str, tuple[set[str], set[str], list[str]]] = {
    "AWS/SQS": (
        {"QueueName"},
        {
            "ApproximateAgeOfOldestMessage",
            "ApproximateNumberOfMessagesDelayed",
            "ApproximateNumberOfMessagesNotVisible",
            "ApproximateNumberOfMessagesVisible",
            "NumberOfMessagesSent",
        },
        QUEUES,
    ),
    "AWS/Lambda": ({"FunctionName"}, {"Errors", "Throttles", "Invocations", "Duration"}, FUNCTIONS),
    "AWS/ApiGateway": ({"ApiName", "Stage"}, {"Count", "4XXError", "5XXError", "Latency"}, [STACK]),
}
AWS_UNITS = {"ApproximateAgeOfOldestMessage": "Seconds", "Latency": "Milliseconds", "Duration": "Milliseconds"}
COMMANDS = re.compile(r"bigin-archive (\w[\w-]*)")


@pytest.mark.parametrize("name", ALARMS)
def test_an_alarm_says_what_happened_and_what_to_do(name: str) -> None:
    """Two sentences at least, within CloudWatch's 1,024 characters, and a runbook whose heading is there."""
    text = ALARMS[name]["AlarmDescription"]
    page, _, anchor = text.rpartition("Runbook: ")[2].partition("#")

    assert len(re.findall(r"[.?](?= )", text)) >= 2
    assert len(text) <= 1024
    assert (ROOT / page).is_file()
    assert anchor in anchors(ROOT / page)


@pytest.mark.parametrize("name", ALARMS)
def test_an_alarm_is_heard(name: str) -> None:
    """It tells the one topic, and says what silence means."""
    assert ALARMS[name]["AlarmActions"] == [{"Ref": "AlarmTopic"}]
    assert ALARMS[name]["TreatMissingData"] in ("notBreaching", "breaching", "ignore")


def test_commands_in_descriptions_exist() -> None:
    """What a description tells to type is a command of ``operate``."""
    named = {command for alarm in ALARMS.values() for command in COMMANDS.findall(alarm["AlarmDescription"])}

    assert named
    assert named <= set(cli.list_commands(click.Context(cli)))


def test_only_metric_math_is_left_out_of_the_local_stack() -> None:
    """An alarm has the condition of what it watches, or one where the emulator lacks metric math."""
    of_parts = {
        "ChannelDeadAlarm": "WatchesModules",
        "EventsWaitAlarm": "SendsEvents",
        "EventDeadLetterAlarm": "SendsEvents",
    }
    for name, alarm in ALARMS.items():
        expected = "IsOnAws" if "Metrics" in alarm else of_parts.get(name)

        assert RESOURCES[name].get("Condition") == expected, name


@pytest.mark.parametrize("queue", QUEUES)
def test_every_queue_has_its_alarms(queue: str) -> None:
    """A source queue tells of its oldest message, a dead-letter queue of its first."""
    watched = {found.name for found in LOOKED if found.place in ALARMS and ("QueueName", queue) in found.dimensions}
    dead = queue.endswith("DeadLetterQueue")

    assert ("ApproximateNumberOfMessagesVisible" if dead else "ApproximateAgeOfOldestMessage") in watched


@pytest.mark.parametrize("function", FUNCTIONS)
def test_every_function_has_its_alarms(function: str) -> None:
    """Errors and throttles of each function are told, and shown."""
    for alarm, metric in (("FunctionErrorsAlarm", "Errors"), ("FunctionThrottlesAlarm", "Throttles")):
        places = {
            found.place
            for found in LOOKED
            if (found.namespace, found.name, found.dimensions) == ("AWS/Lambda", metric, (("FunctionName", function),))
        }

        assert places == {alarm, "Functions: errors and throttles"}


PARKED = [error for error in PermanentError.__subclasses__() if error is not UnauthorizedError]


@pytest.mark.parametrize("error", PARKED, ids=lambda error: error.code)
def test_every_reason_to_park_has_its_alarm(error: type[ArchiveError]) -> None:
    """Each says by its own remedy what to do, and links the runbook of this code."""
    (found,) = [found for found in LOOKED if ("error_code", error.code) in found.dimensions]

    assert found.name == "Parked"
    assert ALARMS[found.place]["AlarmDescription"].endswith(f"#parked-{error.code}")


def test_silence_is_told() -> None:
    """The heartbeat: something waits, and in each of SilentHours hours nothing was done, whatever "done" may be."""
    alarm = ALARMS["SilentAlarm"]
    (math,) = [found for found in alarm["Metrics"] if "Expression" in found]
    ids = {found["Id"] for found in alarm["Metrics"]} - {math["Id"]}
    done = {found.name for found in LOOKED if found.place == "SilentAlarm" and found.namespace == "BiginArchive"}
    periods = {found["MetricStat"]["Period"] for found in alarm["Metrics"] if "MetricStat" in found}

    assert ids == set(re.findall(r"\b[a-z]\w+\b", math["Expression"])) - {"IF", "FILL", "AND"}
    assert done == {"Archived", "AlreadyArchived", "Gone", "Links"}
    assert alarm["EvaluationPeriods"] == {"Ref": "SilentHours"}
    assert periods == {3600}
    # A day is the longest that CloudWatch evaluates with periods of this length.
    assert TEMPLATE["Parameters"]["SilentHours"]["MaxValue"] * 3600 <= 24 * 3600


@pytest.mark.parametrize("alarm", [found for found in ALARMS.values() if "Metrics" in found])
def test_metric_math_returns_one_series(alarm: dict[str, Any]) -> None:
    """CloudWatch takes an alarm whose metrics return exactly one, and are ten at most."""
    returned = [found for found in alarm["Metrics"] if found.get("ReturnData", True)]

    assert len(returned) == 1
    assert "Expression" in returned[0]
    assert len(alarm["Metrics"]) <= 10


@pytest.mark.parametrize("found", OF_AWS, ids=lambda found: f"{found.place}-{found.name}")
def test_metrics_of_aws_are_those_that_aws_has(found: Looked) -> None:
    """Name, dimensions and unit are AWS's; what a dimension names is of this stack."""
    names, metrics, resources = AWS_METRICS[found.namespace]
    values = dict(found.dimensions)

    assert found.dimension_names == names
    assert found.name in metrics
    assert values.pop("Stage", "v1") == "v1"
    assert set(values.values()) <= set(resources)
    if found.axis:
        assert found.axis == AWS_UNITS.get(found.name, "Count")


def test_the_apis_metrics_are_found_by_the_stacks_name() -> None:
    """SAM names the API after the stack, which is the dimension ApiName."""
    assert "Name" not in RESOURCES["Api"]["Properties"]
    assert RESOURCES["Api"]["Properties"]["StageName"] == "v1"
    assert "DefinitionBody" not in RESOURCES["Api"]["Properties"]


def test_the_dashboard_shows_every_alarm() -> None:
    """Is it healthy? One widget answers; what a stack does not have is left out."""
    (widget,) = [found for found in dashboard()["widgets"] if found["type"] == "alarm"]

    assert sorted(ALARMS) == sorted(widget["properties"]["alarms"])


def test_the_dashboard_has_no_gaps_and_no_overlaps() -> None:
    """Rows of 24 columns, each widget in its own place, all with a title."""
    taken: set[tuple[int, int]] = set()
    for widget in dashboard()["widgets"]:
        cells = {
            (x, y)
            for x in range(widget["x"], widget["x"] + widget["width"])
            for y in range(widget["y"], widget["y"] + widget["height"])
        }

        assert not cells & taken
        assert widget["properties"]["title"]
        taken |= cells
    bottom = max(y for _, y in taken) + 1
    assert len(taken) == 24 * bottom


def test_the_last_failures_are_fields_of_the_log() -> None:
    """The log widget asks for fields that every log line of a failure has, of the functions that archive."""
    (widget,) = [found for found in dashboard()["widgets"] if found["type"] == "log"]
    query = widget["properties"]["query"]
    fields = query.partition("fields ")[2].partition(" |")[0].split(", ")

    # Lines of metrics have an error code as well, and no outcome.
    assert "filter ispresent(outcome) and ispresent(error_code)" in query
    assert set(re.findall(r"SOURCE '(\w+)'", query)) == {"ArchiveQueuedLogs", "ArchiveNowLogs"}
    assert set(fields) == {
        "@timestamp", "outcome", "error_code", "error_detail", "module", "record_id", "attachment_id",
    }  # fmt: skip


def test_the_cost_of_the_alarms_is_told() -> None:
    """The cost model counts what the alarms of a stack look at that watches no module."""
    alarms = [found for found in RESOURCES.values() if found["Type"] == "AWS::CloudWatch::Alarm"]
    always = [found["Properties"] for found in alarms if found.get("Condition") in (None, "IsOnAws")]
    looked = [sum("MetricStat" in one for one in found.get("Metrics", [])) or 1 for found in always]

    assert FIXED["metrics that alarms look at"][1] == sum(looked)
