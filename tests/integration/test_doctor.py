"""A newcomer connects the deployed stack and breaks things. Each time the doctor says what to do."""

import json
from typing import Any

import pytest

from local.deployment import STACK_NAME
from operate.cli import main
from tests.bigin import TOKEN
from tests.deployed import Deployed
from tests.receiver import receiving

CODE = "1000.c0de-of-the-newcomer"
AWS_SETTINGS = ("aws_endpoint_url", "ca_bundle", "region")


@pytest.fixture
def newcomer(deployed: Deployed, monkeypatch: pytest.MonkeyPatch) -> Deployed:
    """The shell of somebody who works with the local stack: it has only the variables that ``make up`` writes."""
    for name in ("AWS_PROFILE", "AWS_SESSION_TOKEN", "AWS_CONFIG_FILE"):
        monkeypatch.delenv(name, raising=False)
    endpoint, bundle, region = (deployed.description[name] for name in AWS_SETTINGS)
    for name, value in {
        "AWS_ENDPOINT_URL": endpoint,
        "AWS_CA_BUNDLE": bundle,
        "AWS_DEFAULT_REGION": region,
        "AWS_ACCESS_KEY_ID": "test",
        "AWS_SECRET_ACCESS_KEY": "test",
    }.items():
        monkeypatch.setenv(name, value)
    deployed.dead_letters()
    _end_all_keys(deployed)
    return deployed


def _end_all_keys(deployed: Deployed) -> None:
    """Callers of other tests end soon, which the doctor tells."""
    table, dynamodb = deployed.stack.outputs["CallersTable"], deployed.stack.client("dynamodb")
    for item in dynamodb.scan(TableName=table)["Items"]:
        dynamodb.delete_item(TableName=table, Key={"key_id": item["key_id"]})


def doctor(capsys: pytest.CaptureFixture[str], *options: str) -> tuple[int, dict[str, dict[str, Any]]]:
    """Exit status, and the findings by name."""
    capsys.readouterr()
    status = main(["doctor", "--stack", STACK_NAME, "--json", *options])
    report = json.loads(capsys.readouterr().out)
    assert report["fine"] is (status == 0)
    return status, {found["name"]: found for found in report["checks"]}


def problems(found: dict[str, dict[str, Any]]) -> set[str]:
    assert all(one["remedy"] for one in found.values() if one["state"] == "problem")
    return {name for name, one in found.items() if one["state"] == "problem"}


def test_a_newcomer_is_told_what_to_do(
    newcomer: Deployed, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """After connecting, all is well. Then the token, a dead letter and the webhook's secret are broken and mended in
    turn.
    """
    newcomer.bigin.control("POST", "codes", {"code": CODE})
    monkeypatch.setenv("BIGIN_CLIENT_ID", "test")
    monkeypatch.setenv("BIGIN_CLIENT_SECRET", "test")
    monkeypatch.setenv("BIGIN_GRANT_CODE", CODE)
    assert 0 == main(["authorize", "--stack", STACK_NAME])
    assert 201 == newcomer.post(newcomer.bigin.add(b"first")).status_code
    newcomer.until(newcomer.queue_is_empty)

    status, found = doctor(capsys)

    assert (0, set()) == (status, problems(found))
    assert "stored: the stack renews its token by itself" == found["Credentials"]["detail"]
    assert "ago" in found["Last success"]["detail"]
    assert "asks for the secret and accepts it" in found["Webhook"]["detail"]

    # 1. The token dies.
    newcomer.bigin.control("DELETE", "tokens")
    status, found = doctor(capsys)
    assert (1, {"Token"}) == (status, problems(found))
    assert f"authorize --stack {STACK_NAME} --check --renew" in found["Token"]["remedy"]
    assert 0 == main(["authorize", "--stack", STACK_NAME, "--check", "--renew"])
    assert 0 == doctor(capsys)[0]

    # 2. Something becomes a dead letter.
    newcomer.send("no request")
    counts = {"QueueUrl": newcomer.dead_letter_queue_url, "AttributeNames": ["ApproximateNumberOfMessages"]}
    newcomer.until(
        lambda: newcomer.sqs.get_queue_attributes(**counts)["Attributes"]["ApproximateNumberOfMessages"] == "1"
    )
    status, found = doctor(capsys)
    assert (1, {"Dead letters"}) == (status, problems(found))
    assert f"bigin-archive redrive --stack {STACK_NAME}" in found["Dead letters"]["remedy"]
    newcomer.dead_letters()
    assert 0 == doctor(capsys)[0]

    # 3. The webhook secret is lost.
    secret = {"SecretId": newcomer.description["webhook_secret_id"]}
    kept = newcomer.secrets.get_secret_value(**secret)["SecretString"]
    newcomer.secrets.put_secret_value(**secret, SecretString="{}")
    status, found = doctor(capsys)
    assert (1, {"Webhook secret", "Webhook"}) == (status, problems(found))
    assert "docs/runbooks.md#suspected-leak" in found["Webhook secret"]["remedy"]
    newcomer.secrets.put_secret_value(**secret, SecretString=kept)
    assert 0 == doctor(capsys)[0]
    newcomer.bigin.control("POST", "tokens", {"token": TOKEN})


def test_a_stack_that_is_not_connected_is_told(newcomer: Deployed, capsys: pytest.CaptureFixture[str]) -> None:
    """Without a token and without credentials the remedy is to connect."""
    ids = [newcomer.description[name] for name in ("token_secret_id", "credentials_secret_id")]
    kept = [newcomer.secrets.get_secret_value(SecretId=secret_id)["SecretString"] for secret_id in ids]
    for secret_id in ids:
        newcomer.secrets.put_secret_value(SecretId=secret_id, SecretString="{}")

    status, found = doctor(capsys)

    for secret_id, value in zip(ids, kept, strict=True):
        newcomer.secrets.put_secret_value(SecretId=secret_id, SecretString=value)
    assert (1, {"Credentials", "Token age", "Token"}) == (status, problems(found))
    assert all("bigin-archive authorize" in found[name]["remedy"] for name in ("Credentials", "Token"))


def test_a_missing_scope_is_named(newcomer: Deployed, capsys: pytest.CaptureFixture[str]) -> None:
    """The doctor names the scope that the token lacks."""
    newcomer.bigin.control("PATCH", "settings", {"scope_mismatch_status": 401})

    status, found = doctor(capsys)

    assert (1, {"Scopes"}) == (status, problems(found))
    assert "the scope ZohoBigin.modules.attachments.READ is missing" in found["Scopes"]["detail"]
    assert "authorize" in found["Scopes"]["remedy"]


def test_what_a_stranger_did_to_the_stack_is_told(newcomer: Deployed, capsys: pytest.CaptureFixture[str]) -> None:
    """The doctor finds a trigger that is off, a bucket without versions, a ringing alarm, and another key prefix."""
    stack = newcomer.stack
    functions, alarms = stack.client("lambda"), stack.client("cloudwatch")
    resources = stack.client("cloudformation").describe_stack_resources(StackName=STACK_NAME)["StackResources"]
    physical = {found["LogicalResourceId"]: found["PhysicalResourceId"] for found in resources}
    (mapping,) = functions.list_event_source_mappings(FunctionName=physical["ArchiveQueuedFunction"])[
        "EventSourceMappings"
    ]
    state = {"AlarmName": physical["DeadLetterAlarm"], "StateReason": "tried"}
    functions.update_event_source_mapping(UUID=mapping["UUID"], Enabled=False)
    newcomer.s3.put_bucket_versioning(Bucket=newcomer.bucket, VersioningConfiguration={"Status": "Suspended"})
    alarms.set_alarm_state(**state, StateValue="ALARM")
    row = {"record": {"S": "Contacts/1"}, "attachment_id": {"S": "2"}}
    ledger = {"TableName": stack.outputs["LedgerTable"]}
    stack.client("dynamodb").put_item(**ledger, Item={**row, "key": {"S": "former/Contacts/1/2/a.pdf"}})
    try:
        status, found = doctor(capsys)
    finally:
        functions.update_event_source_mapping(UUID=mapping["UUID"], Enabled=True)
        newcomer.s3.put_bucket_versioning(Bucket=newcomer.bucket, VersioningConfiguration={"Status": "Enabled"})
        alarms.set_alarm_state(**state, StateValue="OK")
        stack.client("dynamodb").delete_item(**ledger, Key=row)

    assert (1, {"Worker", "Bucket", "Key prefix", "Alarms"}) == (status, problems(found))
    # The emulator leaves descriptions out of its answers in XML, which older clients ask for.
    (alarm,) = alarms.describe_alarms(AlarmNames=[physical["DeadLetterAlarm"]])["MetricAlarms"]
    expected = "#dead-letters" if "AlarmDescription" in alarm else ""
    assert f"docs/runbooks.md{expected}" in found["Alarms"]["remedy"]


@pytest.mark.parametrize(
    ("subscription", "expected", "message"),
    [
        ("PendingConfirmation", {"Alarm e-mail"}, "is not confirmed"),
        ("arn:aws:sns:us-east-1:000000000000:topic:1", set(), "1 confirmed"),
    ],
)
def test_an_address_that_did_not_confirm_is_told(
    newcomer: Deployed,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
    subscription: str,
    expected: set[str],
    message: str,
) -> None:
    """The answer is SNS's own form: the emulator confirms each address at once."""
    member = f"<member><SubscriptionArn>{subscription}</SubscriptionArn><Protocol>email</Protocol></member>"
    result = f"<ListSubscriptionsByTopicResult><Subscriptions>{member}</Subscriptions></ListSubscriptionsByTopicResult>"
    answer = f"<ListSubscriptionsByTopicResponse>{result}</ListSubscriptionsByTopicResponse>"
    with receiving(status=200, answer=answer.encode()) as sns:
        monkeypatch.setenv("AWS_ENDPOINT_URL_SNS", sns.url)
        _, found = doctor(capsys)

    assert expected == problems(found)
    assert message in found["Alarm e-mail"]["detail"]


def test_the_last_webhook_is_bigins_and_not_the_doctors(newcomer: Deployed, capsys: pytest.CaptureFixture[str]) -> None:
    """The doctor's own call of the webhook does not count as the last webhook; a call with a record does."""
    stored = newcomer.secrets.get_secret_value(SecretId=newcomer.description["webhook_secret_id"])["SecretString"]
    answered = {"operation": "delete", "module": "Tasks", "ids": ["1"], "token": json.loads(stored)["webhook_secret"]}
    assert 202 == newcomer.post(answered, path="/webhooks/bigin", sign=False).status_code
    _, first = doctor(capsys)

    _, second = doctor(capsys)

    assert "Bigin called last" in first["Last webhook"]["detail"]
    assert first["Last webhook"]["detail"].partition("(")[2] == second["Last webhook"]["detail"].partition("(")[2]


def test_no_secret_is_in_a_report(newcomer: Deployed, capsys: pytest.CaptureFixture[str]) -> None:
    """Neither the text nor the JSON report holds a secret."""
    ids = ("token_secret_id", "credentials_secret_id", "webhook_secret_id")
    stored = [newcomer.secrets.get_secret_value(SecretId=newcomer.description[name])["SecretString"] for name in ids]
    secrets = {value for text in stored for value in json.loads(text).values() if len(str(value)) > 8}

    main(["doctor", "--stack", STACK_NAME])
    main(["doctor", "--stack", STACK_NAME, "--json"])

    printed = "".join(capsys.readouterr())
    assert secrets - {newcomer.bigin.url}
    assert not [value for value in secrets - {newcomer.bigin.url} if value in printed]
    assert "Traceback" not in printed


def test_before_a_deployment_the_account_is_looked_at(newcomer: Deployed, capsys: pytest.CaptureFixture[str]) -> None:
    """Region, credentials and quota; the stack is not asked for."""
    status, found = doctor(capsys, "--before")

    assert (0, ["AWS region", "AWS credentials", "Lambda quota"]) == (status, list(found))


def test_a_region_without_budgets_is_told(newcomer: Deployed, capsys: pytest.CaptureFixture[str]) -> None:
    """The doctor says so before a deployment that the template's rule would refuse."""
    status, found = doctor(capsys, "--before", "--region", "eu-north-1")

    assert (0, "unknown") == (status, found["Budget"]["state"])
    assert "MonthlyBudgetUsd must stay 0" in found["Budget"]["detail"]


def test_a_stack_that_is_not_there_is_a_problem(newcomer: Deployed, capsys: pytest.CaptureFixture[str]) -> None:
    """The remedy is to deploy the stack, or to name another region."""
    assert 1 == main(["doctor", "--stack", "nowhere"])

    printed = capsys.readouterr().out
    assert "There is no stack nowhere" in printed
    assert "sam deploy --guided" in printed


@pytest.mark.parametrize(
    ("name", "value", "message"),
    [
        ("AWS_DEFAULT_REGION", None, "No region is given"),
        ("AWS_DEFAULT_REGION", "Frankfurt", "not one of AWS"),
        ("AWS_ACCESS_KEY_ID", None, "No usable AWS credentials"),
        ("AWS_ENDPOINT_URL", "http://127.0.0.1:1", "AWS cannot be reached"),
    ],
)
def test_a_machine_that_is_not_ready_is_told(
    newcomer: Deployed,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
    name: str,
    value: str | None,
    message: str,
) -> None:
    """Without region or credentials there is one problem with its remedy, and no traceback."""
    monkeypatch.setenv("AWS_EC2_METADATA_DISABLED", "true")
    monkeypatch.setenv("AWS_SHARED_CREDENTIALS_FILE", "/dev/null")
    if value is None:
        monkeypatch.delenv(name)
    else:
        monkeypatch.setenv(name, value)

    status, found = doctor(capsys, "--before")

    assert 1 == status
    assert 1 == len(problems(found))
    assert message in json.dumps(found)


def test_a_pause_stops_everything_and_loses_nothing(newcomer: Deployed, capsys: pytest.CaptureFixture[str]) -> None:
    """While paused, triggers and schedules are off and the doctor says until when. Requests of that time are archived
    afterwards.
    """
    schedules = newcomer.stack.client("scheduler")

    def enabled() -> set[str]:
        names = [one["Name"] for one in schedules.list_schedules()["Schedules"]]
        return {name for name in names if schedules.get_schedule(Name=name)["State"] == "ENABLED"}

    before = enabled()
    targets = {name: schedules.get_schedule(Name=name)["Target"] for name in before}
    request = newcomer.bigin.add(b"sent during the pause")

    assert 0 == main(["pause", "--stack", STACK_NAME])
    assert 0 == main(["pause", "--stack", STACK_NAME])  # twice is harmless
    assert set() == enabled()
    status, found = doctor(capsys)
    assert 1 == status
    assert {"Pause", "Worker"} <= problems(found)
    assert all("bigin-archive resume" in found[name]["remedy"] for name in ("Pause", "Worker"))
    newcomer.send(request)
    assert 0 == main(["resume", "--stack", STACK_NAME])

    newcomer.until(lambda: newcomer.objects(request))
    assert before == enabled()
    assert targets == {name: schedules.get_schedule(Name=name)["Target"] for name in before}
    assert "ok" == doctor(capsys)[1]["Pause"]["state"]
    assert 0 == main(["resume", "--stack", STACK_NAME])
    assert "not paused" in capsys.readouterr().out


def selftest(capsys: pytest.CaptureFixture[str]) -> dict[str, dict[str, Any]]:
    """The checks of roles and alarms, by name."""
    capsys.readouterr()
    main(["selftest", "--stack", STACK_NAME, "--yes", "--json"])
    checks = json.loads(capsys.readouterr().out)["checks"]
    return {found["check"]: found for found in checks if found["check"].startswith(("role ", "alarms"))}


# Their statements about listing hold under a prefix alone, which the emulator's simulation is not told.
UNDER_A_PREFIX = {"ArchiveNow", "ArchiveQueued", "Sweep", "AnswerCaller", "AnnounceArchived"}


def test_the_selftest_looks_at_roles_and_alarms(newcomer: Deployed, capsys: pytest.CaptureFixture[str]) -> None:
    """A missing right, a deleted alarm and a switched-off alarm are each found."""
    iam, cloudwatch = newcomer.stack.client("iam"), newcomer.stack.client("cloudwatch")
    before = selftest(capsys)
    resources = newcomer.stack.client("cloudformation").describe_stack_resources(StackName=STACK_NAME)["StackResources"]
    physical = {one["LogicalResourceId"]: one["PhysicalResourceId"] for one in resources}
    (deleted,) = cloudwatch.describe_alarms(AlarmNames=[physical["SilentAlarm"]])["MetricAlarms"]
    policy = {"Version": "2012-10-17", "Statement": [{"Effect": "Deny", "Action": "sqs:*", "Resource": "*"}]}
    role = {"RoleName": physical["QueueRecordsRole"], "PolicyName": "planted"}
    iam.put_role_policy(**role, PolicyDocument=json.dumps(policy))
    cloudwatch.delete_alarms(AlarmNames=[physical["SilentAlarm"]])
    cloudwatch.disable_alarm_actions(AlarmNames=[physical["NotProvedAlarm"]])
    try:
        after = selftest(capsys)
    finally:
        iam.delete_role_policy(**role)
        given = cloudwatch.meta.service_model.operation_model("PutMetricAlarm").input_shape.members
        cloudwatch.put_metric_alarm(**{name: value for name, value in deleted.items() if name in given})
        cloudwatch.enable_alarm_actions(AlarmNames=[physical["NotProvedAlarm"]])

    different = {name for name, found in before.items() if found["verdict"] == "different"}
    assert different <= {f"role {name}Role" for name in UNDER_A_PREFIX}, before
    assert len(before) > 15
    assert different | {"role QueueRecordsRole", "alarms"} == {
        name for name, found in after.items() if found["verdict"] == "different"
    }
    assert "denied" in after["role QueueRecordsRole"]["seen"]
    assert after["alarms"]["seen"] == "1 missing, 1 switched off"
