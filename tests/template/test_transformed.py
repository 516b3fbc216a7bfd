"""The template as CloudFormation gets it, after the SAM transform."""

import copy
import json
from functools import cache
from typing import Any

import boto3
import pytest

from operate.doctor.account import WITHOUT_BUDGETS
from tests.template.parsed import TEMPLATE

REGION = "eu-central-1"


@cache
def transformed() -> dict[str, Any]:
    """The resources that SAM makes of the template, with every parameter's default."""
    from samtranslator.parser.parser import Parser  # type: ignore[import-untyped]  # takes long
    from samtranslator.translator.translator import Translator  # type: ignore[import-untyped]

    template = copy.deepcopy(TEMPLATE)
    template["Globals"]["Function"]["CodeUri"] = "s3://packages/functions.zip"
    values = {name: found.get("Default", "") for name, found in template["Parameters"].items()}
    translator = Translator({}, Parser(), boto_session=boto3.Session(region_name=REGION))
    resources: dict[str, Any] = translator.translate(template, values)["Resources"]
    return resources


def names_given(kind: str, properties: dict[str, Any]) -> dict[str, Any]:
    """Of what identifies a resource of this type in an account, what the template itself gives."""
    from cfnlint.schema.manager import PROVIDER_SCHEMA_MANAGER  # type: ignore[import-untyped]  # takes long

    schema = PROVIDER_SCHEMA_MANAGER.get_resource_schema(REGION, kind).schema
    identifiers = [path.split("/")[2] for path in schema["primaryIdentifier"]]
    return {name: properties[name] for name in identifiers if name in properties}


def fixed_names(resources: dict[str, Any]) -> list[str]:
    """Resources whose whole name stands in the template, so that a second stack would find it taken."""
    found = []
    for name, resource in resources.items():
        given = names_given(resource["Type"], resource.get("Properties", {}))
        if given and not any(word in json.dumps(given) for word in ('"Ref"', "Fn::GetAtt", "AWS::StackName")):
            found.append(name)
    return found


def test_two_stacks_stand_side_by_side() -> None:
    """No resource has a name that a second stack in the same account and region would want, too."""
    assert fixed_names(transformed()) == []


def test_a_fixed_name_is_noticed() -> None:
    """A schedule that SAM names, a queue, a dashboard: each would be found."""
    named = {
        "Slice": {"Type": "AWS::Scheduler::Schedule", "Properties": {"Name": "SweepFunctionSlice"}},
        "Board": {"Type": "AWS::CloudWatch::Dashboard", "Properties": {"DashboardName": "bigin"}},
        "Own": {"Type": "AWS::CloudWatch::Dashboard", "Properties": {"DashboardName": {"Ref": "AWS::StackName"}}},
    }

    assert fixed_names(named) == ["Slice", "Board"]


SCHEDULED = sorted(
    name
    for name, found in TEMPLATE["Resources"].items()
    if any(event["Type"] == "ScheduleV2" for event in found.get("Properties", {}).get("Events", {}).values())
)


@pytest.mark.parametrize("name", SCHEDULED)
def test_a_scheduled_event_runs_once_or_ends(name: str) -> None:
    """Lambda, which Scheduler calls asynchronously, neither repeats a failed event nor keeps a throttled one for hours:
    twelve renewals of the token at one time would make Zoho block the client."""
    configured = [
        found["Properties"]
        for found in transformed().values()
        if found["Type"] == "AWS::Lambda::EventInvokeConfig" and found["Properties"]["FunctionName"] == {"Ref": name}
    ]

    assert [(one["MaximumRetryAttempts"], one["MaximumEventAgeInSeconds"]) for one in configured] == [(0, 900)]


def test_schedules_call_three_functions() -> None:
    """The rule above has its subjects."""
    assert SCHEDULED == ["ReceiveWebhookFunction", "RefreshTokenFunction", "SweepFunction"]


def test_a_budget_is_refused_where_cloudformation_has_none() -> None:
    """The rule, and the doctor, list the regions that AWS's own resource schemas leave out."""
    rule = TEMPLATE["Rules"]["BudgetsAreMadeHere"]
    listed, region = rule["RuleCondition"]["Fn::Contains"]
    assert region == {"Ref": "AWS::Region"}
    assert rule["Assertions"][0]["Assert"] == {"Fn::Equals": [{"Ref": "MonthlyBudgetUsd"}, 0]}
    assert set(listed) == WITHOUT_BUDGETS
    from cfnlint.helpers import REGIONS  # type: ignore[import-untyped]

    assert set(listed) == {one for one in REGIONS if not _knows(one, "AWS::Budgets::Budget")}


def _knows(region: str, kind: str) -> bool:
    from cfnlint.schema import ResourceNotFoundError  # type: ignore[import-untyped]
    from cfnlint.schema.manager import PROVIDER_SCHEMA_MANAGER

    try:
        PROVIDER_SCHEMA_MANAGER.get_resource_schema(region, kind)
    except ResourceNotFoundError:
        return False
    return True
