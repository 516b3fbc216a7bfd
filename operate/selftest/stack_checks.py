"""The template, the roles and the alarms, looked at without deploying anything."""

import json
import secrets
from collections.abc import Iterator, Mapping
from datetime import UTC, datetime, timedelta
from functools import partial
from typing import Any

from botocore.exceptions import ClientError

from bigin_archive.aws.error_codes import code_of
from operate.selftest.check import Check, NotDecidedError
from operate.stack.aws import Account
from operate.stack.stack import Stack

STACK_PREFIX = "bigin-archive-selftest-"
TEMPLATE_CHECK = "template: change set"
_PATIENCE_S = 120
_ALL_RING = "all there, switched on, and can be computed"


def template_check(account: Account, template: str, bucket: str) -> Check:
    """A change set of the template that is never executed; ``template`` is its text."""
    meaning = "This region or account would refuse a deployment: see the reason in CloudFormation's change set."
    return Check(TEMPLATE_CHECK, lambda: _change_set(account, template, bucket), "would be created", meaning)


def _change_set(account: Account, template: str, bucket: str) -> str:
    client, s3 = account.client("cloudformation"), account.client("s3")
    name = f"{STACK_PREFIX}{secrets.token_hex(6)}"
    # CloudFormation does not read the code before a change set is executed.
    text = template.replace("CodeUri: functions/", f"CodeUri: s3://{bucket}/functions.zip")
    s3.put_object(Bucket=bucket, Key="template.yaml", Body=text.encode())
    url = s3.generate_presigned_url("get_object", Params={"Bucket": bucket, "Key": "template.yaml"})
    try:
        client.create_change_set(
            StackName=name,
            ChangeSetName="selftest",
            ChangeSetType="CREATE",
            TemplateURL=url.partition("?")[0],  # as text it would be too long
            Capabilities=["CAPABILITY_IAM", "CAPABILITY_AUTO_EXPAND"],
        )
    except ClientError as error:
        if code_of(error) == "NoSuchBucket":
            raise NotDecidedError("CloudFormation does not see the buckets here") from None
        raise
    try:
        waiter = client.get_waiter("change_set_create_complete")
        waiter.wait(
            StackName=name, ChangeSetName="selftest", WaiterConfig={"Delay": 2, "MaxAttempts": _PATIENCE_S // 2}
        )
        found = client.describe_change_set(StackName=name, ChangeSetName="selftest")
        return "would be created" if found.get("Changes") else "would create nothing"
    finally:
        client.delete_change_set(StackName=name, ChangeSetName="selftest")
        client.delete_stack(StackName=name)


def checks_of(account: Account, stack: Stack, physical: Mapping[str, str]) -> Iterator[Check]:
    """The roles and the alarms of a deployed stack."""
    for logical, name in physical.items():
        if logical.endswith("Role") and name:
            meaning = "A permission boundary or an organisation's policy takes rights away, so functions would fail."
            yield Check(f"role {logical}", partial(_role, account, name), "all allowed", meaning)
    alarms = [name for logical, name in physical.items() if logical.endswith("Alarm")]
    meaning = "These alarms never ring. Deploy the stack again, or look at them in the console of CloudWatch."
    yield Check("alarms", lambda: _alarms(account, alarms), _ALL_RING, meaning)


def _role(account: Account, role: str) -> str:
    iam = account.client("iam")
    arn = iam.get_role(RoleName=role)["Role"]["Arn"]
    refused = 0
    for policy in iam.list_role_policies(RoleName=role)["PolicyNames"]:
        document = iam.get_role_policy(RoleName=role, PolicyName=policy)["PolicyDocument"]
        document = json.loads(document) if isinstance(document, str) else document
        for statement in document["Statement"]:
            if statement["Effect"] != "Allow":
                continue
            refused += _refused(iam, arn, statement)
    return "all allowed" if not refused else f"{refused} denied"


def _refused(iam: Any, arn: str, statement: Mapping[str, Any]) -> int:
    actions, resources = (
        [value] if isinstance(value := statement[name], str) else list(value) for name in ("Action", "Resource")
    )
    if not all(resources):  # as the emulator makes it of an empty list of former keys
        return 0
    context = [
        {"ContextKeyName": key, "ContextKeyValues": [value.replace("*", "x")], "ContextKeyType": "string"}
        for condition in statement.get("Condition", {}).values()
        for key, value in condition.items()
    ]
    answer = iam.simulate_principal_policy(
        PolicySourceArn=arn,
        ActionNames=[action.removesuffix("*") for action in actions],
        ResourceArns=[resource.replace("*", "x") if resource != "*" else "*" for resource in resources],
        ContextEntries=context,
    )
    return sum(found["EvalDecision"] != "allowed" for found in answer["EvaluationResults"])


def _alarms(account: Account, names: list[str]) -> str:
    client, now = account.client("cloudwatch"), datetime.now(UTC)
    found = client.describe_alarms(AlarmNames=names)["MetricAlarms"]
    broken = 0
    for alarm in found:
        answer = client.get_metric_data(
            MetricDataQueries=alarm.get("Metrics") or [_query(alarm)], StartTime=now - timedelta(hours=3), EndTime=now
        )
        states = [one.get("StatusCode", "Complete") for one in answer["MetricDataResults"]]
        broken += bool(answer.get("Messages")) or any(state not in ("Complete", "PartialData") for state in states)
    counts = {
        "missing": len(names) - len(found),
        "switched off": sum(not alarm["ActionsEnabled"] or not alarm["AlarmActions"] for alarm in found),
        "cannot be computed": broken,
    }
    return ", ".join(f"{count} {what}" for what, count in counts.items() if count) or _ALL_RING


def _query(alarm: Mapping[str, Any]) -> dict[str, Any]:
    """What an alarm on one metric looks at."""
    metric = {name: alarm[name] for name in ("Namespace", "MetricName", "Dimensions") if name in alarm}
    stat = alarm.get("Statistic") or alarm["ExtendedStatistic"]
    return {"Id": "m", "MetricStat": {"Metric": metric, "Period": alarm["Period"], "Stat": stat}}
