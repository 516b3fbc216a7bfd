"""Alarms and dashboard: few and cheap; every alarm tells what to do, every metric is one that is really there."""

import re
from typing import Any

import pytest

from bigin_archive.errors import PermanentError, UnauthorizedError
from bigin_archive.telemetry import METRICS
from operate.cli import cli
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

FUNCTIONS = sorted(of_type("AWS::Serverless::Function"))
QUEUES = sorted(of_type("AWS::SQS::Queue"))
OF_ALARMS = [*looked_at_by_alarms()]
OF_AWS = [found for found in (*OF_ALARMS, *looked_at_by_the_dashboard()) if found.namespace.startswith("AWS/")]
LOGS = [found for found in dashboard()["widgets"] if found["type"] == "log"]
# What AWS itself reports. Amazon SQS developer guide, "Available CloudWatch metrics"; AWS Lambda developer guide,
# "Types of metrics".
AWS_METRICS: dict[str, tuple[set[str], set[str], list[str]]] = {
    "AWS/SQS": (
        {"QueueName"},
        {
            "ApproximateAgeOfOldestMessage",
            "ApproximateNumberOfMessagesDelayed",
            "ApproximateNumberOfMessagesNotVisible",
            "ApproximateNumberOfMessagesVisible",
        },
        QUEUES,
    ),
    "AWS/Lambda": ({"FunctionName"}, {"Errors"}, FUNCTIONS),
}
COMMANDS = re.compile(r"bigin-archive (\w[\w-]*)")
# CloudWatch's free tier (aws.amazon.com/cloudwatch/pricing, "Free tier"): so many alarm metrics, and custom metrics.
FREE = 10


PARKED = [error for error in PermanentError.__subclasses__() if error is not UnauthorizedError]


def quoted(anchor: str) -> str:
    """What the runbooks' section of this anchor begins with, as a quotation."""
    text = (ROOT / "docs/runbooks.md").read_text(encoding="utf-8")
    for section in re.split(r"^## ", text, flags=re.MULTILINE)[1:]:
        head, _, rest = section.partition("\n")
        if re.sub(r"[^\w-]", "", head.lower().replace(" ", "-")) == anchor:
            lines = rest.strip().partition("\n\n")[0].splitlines()
            return " ".join(line.removeprefix("> ") for line in lines)
    raise AssertionError(anchor)


def test_the_free_tier_holds_alarms_metrics_and_dashboard() -> None:
    """Ten alarms at most, which refer to ten metrics at most, ten custom metrics, one dashboard."""
    made = {
        one["MetricName"]
        for found in of_type("AWS::Logs::MetricFilter").values()
        for one in found["MetricTransformations"]
    }

    assert len(ALARMS) <= FREE
    assert len(OF_ALARMS) <= FREE
    assert len(METRICS) + len(made) <= FREE
    assert len(of_type("AWS::CloudWatch::Dashboard")) == 1


def test_one_alarm_for_the_whole_archive_tells_a_pager() -> None:
    """It rings while any of them does and says when none does; without a pager there is none, and nothing to pay."""
    (health,) = of_type("AWS::CloudWatch::CompositeAlarm").values()

    assert TEMPLATE["Parameters"]["PagerTopicArn"]["Default"] == ""
    assert RESOURCES["ArchiveHealth"]["Condition"] == "HasPager"
    assert health["AlarmRule"]["Fn::Sub"].strip() == " OR ".join(f'ALARM("${{{name}}}")' for name in ALARMS)
    assert health["AlarmActions"] == health["OKActions"] == [{"Ref": "PagerTopicArn"}]


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
def test_the_runbook_begins_with_the_mail(name: str) -> None:
    """The section that an alarm names begins with the alarm's name and its words: they are said once."""
    text, _, page = ALARMS[name]["AlarmDescription"].partition(" Runbook: ")

    assert quoted(page.partition("#")[2]) == f"`{name}`: {text}"


@pytest.mark.parametrize("error", PARKED, ids=lambda error: error.code)
def test_what_is_parked_has_its_runbook(error: type[PermanentError]) -> None:
    """Meaning and remedy are said by the error alone: the section begins with them."""
    assert quoted(f"parked-{error.code}") == f"{error.meaning} {error.remedy}"


@pytest.mark.parametrize("name", ALARMS)
def test_an_alarm_is_heard(name: str) -> None:
    """It tells the one topic, says what silence means, and stands on every stack, the local one too."""
    assert ALARMS[name]["AlarmActions"] == [{"Ref": "AlarmTopic"}]
    assert ALARMS[name]["TreatMissingData"] in ("notBreaching", "breaching", "ignore")
    assert "Condition" not in RESOURCES[name]


def test_commands_in_descriptions_exist() -> None:
    """What a description tells to type is a command of ``bigin-archive``."""
    named = {command for alarm in ALARMS.values() for command in COMMANDS.findall(alarm["AlarmDescription"])}

    assert named
    assert named <= set(cli.list_commands(None))  # type: ignore[arg-type]


def test_every_dead_letter_queue_is_counted() -> None:
    """The sweep's function counts the messages of every queue that takes dead letters, under the alarm's metric."""
    sources = of_type("AWS::SQS::Queue").values()
    dead = {
        found["RedrivePolicy"]["deadLetterTargetArn"]["Fn::GetAtt"][0] for found in sources if "RedrivePolicy" in found
    }
    variables = RESOURCES["SweepFunction"]["Properties"]["Environment"]["Variables"]
    counted = variables["DEAD_LETTER_QUEUE_URLS"]["Fn::Join"][1]

    assert dead
    assert dead == {(one["Fn::If"][1] if "Fn::If" in one else one)["Ref"] for one in counted}
    assert ALARMS["DeadLetterAlarm"]["MetricName"] == "Parked"


def test_the_end_of_every_function_is_noticed() -> None:
    """A function that dies is counted by its log, or by Lambda, or missed by the alarm that waits for its sign."""
    filtered = {found["LogGroupName"]["Ref"] for found in of_type("AWS::Logs::MetricFilter").values()}
    counted = {
        name for found in OF_AWS for _, name in found.dimensions if found.place in ALARMS and found.name == "Errors"
    }
    missed = {"RefreshTokenFunction": "ConnectionAlarm", "SweepFunction": "NotProvedAlarm"}

    for name, function in of_type("AWS::Serverless::Function").items():
        group = function["LoggingConfig"]["LogGroup"]["Ref"]
        assert group in filtered or name in counted or name in missed, name
    for alarm in missed.values():
        assert ALARMS[alarm]["TreatMissingData"] == "breaching"


def test_failures_of_functions_are_one_metric() -> None:
    """All filters count under the name that the alarm looks at, which holds the stack's name."""
    (alarm,) = [found for found in OF_ALARMS if found.place == "FunctionFailedAlarm"]
    made = {
        (one["MetricNamespace"]["Fn::Sub"].replace("${AWS::StackName}", STACK), one["MetricName"])
        for found in of_type("AWS::Logs::MetricFilter").values()
        for one in found["MetricTransformations"]
    }

    assert made == {(alarm.namespace, alarm.name)}
    assert STACK in alarm.namespace


@pytest.mark.parametrize("found", OF_AWS, ids=lambda found: f"{found.place}-{found.name}")
def test_metrics_of_aws_are_those_that_aws_has(found: Looked) -> None:
    """Name and dimensions are AWS's; what a dimension names is of this stack."""
    names, metrics, resources = AWS_METRICS[found.namespace]

    assert found.dimension_names == names
    assert found.name in metrics
    assert {value for _, value in found.dimensions} <= set(resources)
    if found.axis:
        assert found.axis == "Count"


def test_the_dashboard_shows_every_alarm() -> None:
    """Is it healthy? One widget answers."""
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


@pytest.mark.parametrize("widget", LOGS, ids=lambda found: found["properties"]["title"])
def test_log_widgets_ask_logs_of_the_stack(widget: dict[str, Any]) -> None:
    """Each query of CloudWatch Logs Insights names log groups that every stack has."""
    named = set(re.findall(r"SOURCE '(\w+)'", widget["properties"]["query"]))

    assert named
    assert named <= {name for name in of_type("AWS::Logs::LogGroup") if "Condition" not in RESOURCES[name]}


def test_the_last_failures_are_fields_of_the_log() -> None:
    """What failed is asked of lines that tell an outcome, with the fields that such lines have."""
    queries = {found["properties"]["title"]: found["properties"]["query"] for found in LOGS}
    last = queries["The last that failed"]

    # Lines of metrics have neither.
    for title in ("The last that failed", "What failed, and why"):
        assert "filter ispresent(outcome) and ispresent(error_code)" in queries[title]
    assert set(last.partition("fields ")[2].partition(" |")[0].split(", ")) == {
        "@timestamp", "outcome", "error_code", "error_detail", "module", "record_id", "attachment_id", "correlation_id",
    }  # fmt: skip
