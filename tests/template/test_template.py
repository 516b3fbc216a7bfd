"""template.yaml: what a deployed stack is, and what it may do."""

import json
import re
from collections.abc import Iterator
from datetime import timedelta
from typing import Any

import pytest

from bigin_archive import archive_request, settings
from bigin_archive.archiving.message import Delays
from bigin_archive.bigin import notification_channels
from bigin_archive.settings import RENEW_CHANNELS
from tests.template.parsed import ROOT, TEMPLATE
from tests.vectors import load

PARAMETERS: dict[str, Any] = TEMPLATE["Parameters"]
RESOURCES: dict[str, Any] = TEMPLATE["Resources"]
OUTPUTS: dict[str, Any] = TEMPLATE["Outputs"]
INTERFACE: dict[str, Any] = TEMPLATE["Metadata"]["AWS::CloudFormation::Interface"]
DAY = 24 * 3600
MAX_DOWNLOADS = 8  # by the queue at one time
API_GATEWAY_S = 29  # what API Gateway waits for an answer

SECRETS = ("CredentialsSecret", "AccessTokenSecret", "WebhookSecret")
# IAM on AWS has one action for single and batched sends; the local emulator has two. The only pattern in any policy.
SEND = "sqs:SendMessage*"
# With KmsKeyArn every role may use that key: S3, SQS and Secrets Manager ask for it. With former keys it may only read.
KEY = {("kms:Decrypt", "KmsKeyArn"), ("kms:GenerateDataKey", "KmsKeyArn"), ("kms:Decrypt", "FormerKmsKeyArns")}
# It reads a table alone, which DynamoDB encrypts with a key of its own.
WITHOUT_KEY = ("AuthorizeCallerRole",)
# What each role may do, and to what. Whatever is not here, no function may do.
GRANTS = {
    "ArchiveNowRole": {
        ("logs:CreateLogStream", "ArchiveNowLogs"),
        ("logs:PutLogEvents", "ArchiveNowLogs"),
        ("secretsmanager:GetSecretValue", "AccessTokenSecret"),
        ("s3:ListBucket", "Bucket"),
        ("s3:ListBucketVersions", "Bucket"),
        ("s3:PutObject", "Bucket/*"),
        ("s3:GetObject", "Bucket/*"),
        ("s3:GetObjectVersion", "Bucket/*"),
        ("dynamodb:UpdateItem", "LeasesTable"),
        ("dynamodb:BatchGetItem", "Ledger"),
        ("dynamodb:UpdateItem", "Ledger"),
        (SEND, "Queue"),
    },
    "ReceiveWebhookRole": {
        ("logs:CreateLogStream", "ReceiveWebhookLogs"),
        ("logs:PutLogEvents", "ReceiveWebhookLogs"),
        ("secretsmanager:GetSecretValue", "WebhookSecret"),
        ("secretsmanager:GetSecretValue", "AccessTokenSecret"),  # only where modules are watched
        ("dynamodb:UpdateItem", "LeasesTable"),  # the same
        (SEND, "Queue"),
        (SEND, "RecordQueue"),
    },
    "QueueRecordsRole": {
        ("logs:CreateLogStream", "QueueRecordsLogs"),
        ("logs:PutLogEvents", "QueueRecordsLogs"),
        ("sqs:ReceiveMessage", "RecordQueue"),
        ("sqs:DeleteMessage", "RecordQueue"),
        ("sqs:GetQueueAttributes", "RecordQueue"),
        (SEND, "Queue"),
    },
    "ArchiveQueuedRole": {
        ("logs:CreateLogStream", "ArchiveQueuedLogs"),
        ("logs:PutLogEvents", "ArchiveQueuedLogs"),
        ("dynamodb:Query", "Ledger"),
        ("dynamodb:BatchGetItem", "Ledger"),
        ("dynamodb:UpdateItem", "Ledger"),
        ("secretsmanager:GetSecretValue", "AccessTokenSecret"),
        ("s3:ListBucket", "Bucket"),
        ("s3:ListBucketVersions", "Bucket"),
        ("s3:PutObject", "Bucket/*"),
        ("s3:GetObject", "Bucket/*"),
        ("s3:GetObjectVersion", "Bucket/*"),
        ("sqs:ReceiveMessage", "Queue"),
        ("sqs:DeleteMessage", "Queue"),
        ("sqs:GetQueueAttributes", "Queue"),
        ("sqs:ChangeMessageVisibility", "Queue"),
        (SEND, "Queue"),
        ("sqs:SendMessage", "DeadLetterQueue"),
    },
    "SweepRole": {
        ("logs:CreateLogStream", "SweepLogs"),
        ("logs:PutLogEvents", "SweepLogs"),
        ("secretsmanager:GetSecretValue", "AccessTokenSecret"),
        ("s3:ListBucket", "Bucket"),
        ("s3:ListBucketVersions", "Bucket"),
        ("s3:GetBucketVersioning", "Bucket"),
        ("s3:PutObject", "Bucket/*"),
        ("s3:GetObject", "Bucket/*"),
        ("s3:GetObjectVersion", "Bucket/*"),
        ("dynamodb:GetItem", "Ledger"),
        ("dynamodb:BatchGetItem", "Ledger"),
        ("dynamodb:Query", "Ledger"),
        ("dynamodb:Scan", "Ledger"),
        ("dynamodb:PutItem", "Ledger"),
        ("dynamodb:UpdateItem", "Ledger"),
        ("dynamodb:UpdateItem", "LeasesTable"),
        (SEND, "Queue"),
        ("sqs:GetQueueAttributes", "Queue"),
        ("sqs:GetQueueAttributes", "DeadLetterQueue"),
        ("sqs:GetQueueAttributes", "RecordDeadLetterQueue"),
        ("sqs:GetQueueAttributes", "EventDeadLetterQueue"),
        ("sns:Publish", "AlarmTopic"),
        ("dynamodb:Scan", "ConsoleLinks"),  # only where there is a console
    },
    "AuthorizeCallerRole": {
        ("logs:CreateLogStream", "AuthorizeCallerLogs"),
        ("logs:PutLogEvents", "AuthorizeCallerLogs"),
        ("dynamodb:GetItem", "CallersTable"),
    },
    "AnswerCallerRole": {
        ("logs:CreateLogStream", "AnswerCallerLogs"),
        ("logs:PutLogEvents", "AnswerCallerLogs"),
        ("secretsmanager:GetSecretValue", "AccessTokenSecret"),
        ("s3:ListBucket", "Bucket"),
        ("s3:ListBucketVersions", "Bucket"),
        ("s3:PutObject", "Bucket/*"),
        ("s3:GetObject", "Bucket/*"),
        ("s3:GetObjectVersion", "Bucket/*"),
        ("dynamodb:UpdateItem", "LeasesTable"),
        ("dynamodb:BatchGetItem", "Ledger"),
        ("dynamodb:UpdateItem", "Ledger"),
        (SEND, "Queue"),
    },
    "AnnounceArchivedRole": {
        ("logs:CreateLogStream", "AnnounceArchivedLogs"),
        ("logs:PutLogEvents", "AnnounceArchivedLogs"),
        ("sqs:ReceiveMessage", "EventQueue"),
        ("sqs:DeleteMessage", "EventQueue"),
        ("sqs:GetQueueAttributes", "EventQueue"),
        ("sqs:ChangeMessageVisibility", "EventQueue"),
        ("s3:GetObject", "Bucket/*"),
        ("s3:GetObjectVersion", "Bucket/*"),
        ("s3:ListBucketVersions", "Bucket"),
        ("events:PutEvents", "EventBus"),
    },
    "ConsoleRole": {
        ("logs:CreateLogStream", "ConsoleLogs"),
        ("logs:PutLogEvents", "ConsoleLogs"),
        ("s3:GetObject", "Bucket/*"),
        ("s3:GetObjectVersion", "Bucket/*"),
        ("dynamodb:Query", "Ledger"),
        ("dynamodb:BatchGetItem", "Ledger"),
        ("dynamodb:GetItem", "ConsoleLinks"),
        ("dynamodb:PutItem", "ConsoleLinks"),
    },
    "RefreshTokenRole": {
        ("logs:CreateLogStream", "RefreshTokenLogs"),
        ("logs:PutLogEvents", "RefreshTokenLogs"),
        ("secretsmanager:GetSecretValue", "CredentialsSecret"),
        ("secretsmanager:GetSecretValue", "AccessTokenSecret"),
        ("secretsmanager:PutSecretValue", "AccessTokenSecret"),
    },
}
# The settings of each function, and of no other: who holds a name is able to use what it names.
SETTINGS = {
    "ArchiveNowFunction": {
        "BUCKET",
        "KEY_PREFIX",
        "MAX_FILE_SIZE_MIB",
        "STORAGE_CLASS",
        "TOKEN_SECRET_ID",
        "QUEUE_URL",
        "LEASES_TABLE",
        "LEDGER_TABLE",
    },
    "ReceiveWebhookFunction": {
        "QUEUE_URL",
        "RECORD_QUEUE_URL",
        "RECORD_QUEUE_DELAY_S",
        "WEBHOOK_SECRET_ID",
        "WATCH_MODULES",
        "TOKEN_SECRET_ID",  # only where modules are watched
        "LEASES_TABLE",  # the same
    },
    "QueueRecordsFunction": {"QUEUE_URL"},
    "ArchiveQueuedFunction": {
        "BUCKET",
        "KEY_PREFIX",
        "MAX_FILE_SIZE_MIB",
        "STORAGE_CLASS",
        "TOKEN_SECRET_ID",
        "QUEUE_URL",
        "DEAD_LETTER_QUEUE_URL",
        "DOWNLOAD_THREADS",
        "RETRY_DELAY_S",
        "RETRY_DELAY_MAX_S",
        "DAILY_CREDITS",
        "CREDITS_SHARE_PERCENT",
        "LEDGER_TABLE",
    },
    "SweepFunction": {
        "BUCKET",
        "KEY_PREFIX",
        "MAX_FILE_SIZE_MIB",
        "TOKEN_SECRET_ID",
        "QUEUE_URL",
        "STORAGE_CLASS",
        "LEASES_TABLE",
        "LEDGER_TABLE",
        "DAILY_CREDITS",
        "CREDITS_SHARE_PERCENT",
        "SWEEP_SCHEDULE",
        "DEAD_LETTER_QUEUE_URLS",
        "WEEKLY_MAIL",
        "MAIL_TOPIC_ARN",
        "CONSOLE_URL",
        "LINKS_TABLE",
    },
    "AuthorizeCallerFunction": {"CALLERS_TABLE"},
    "AnswerCallerFunction": {
        "BUCKET",
        "KEY_PREFIX",
        "MAX_FILE_SIZE_MIB",
        "STORAGE_CLASS",
        "TOKEN_SECRET_ID",
        "QUEUE_URL",
        "LEASES_TABLE",
        "LEDGER_TABLE",
    },
    "AnnounceArchivedFunction": {"BUCKET", "KEY_PREFIX", "EVENT_BUS", "EVENT_QUEUE_URL"},
    "ConsoleFunction": {"BUCKET", "KEY_PREFIX", "LEDGER_TABLE", "LINKS_TABLE", "SIGN_IN_URL"},
    "RefreshTokenFunction": {"CREDENTIALS_SECRET_ID", "TOKEN_SECRET_ID"},
}


def of_type(kind: str) -> dict[str, Any]:
    """Logical name and properties of all resources of a type."""
    return {name: found.get("Properties", {}) for name, found in RESOURCES.items() if found["Type"] == kind}


FUNCTIONS = of_type("AWS::Serverless::Function")
QUEUES = of_type("AWS::SQS::Queue")
ROLES = of_type("AWS::IAM::Role")


def listed(value: Any) -> list[Any]:
    return value if isinstance(value, list) else [value]


def walk(node: Any) -> Iterator[Any]:
    """The node and everything in it."""
    yield node
    inner = node.values() if isinstance(node, dict) else node if isinstance(node, list) else ()
    for child in inner:
        yield from walk(child)


def with_all(value: Any) -> Any:
    """The value in a stack that watches modules, has a console and a key of its own."""
    if isinstance(value, dict) and "Fn::If" in value:
        condition, yes, no = value["Fn::If"]
        assert condition in ("WatchesModules", "HasKey", "HadKeys", "HasConsole")
        assert no == {"Ref": "AWS::NoValue"}
        return yes
    return value


def statements(role: str) -> list[dict[str, Any]]:
    policies = [with_all(policy) for policy in ROLES[role]["Policies"]]
    return [statement for policy in policies for statement in listed(policy["PolicyDocument"]["Statement"])]


def target(resource: Any) -> str:
    """The resource of a statement in short: ``Queue``, ``Bucket/*``."""
    if isinstance(resource, dict) and "Fn::GetAtt" in resource:
        name, attribute = resource["Fn::GetAtt"]
        assert attribute in ("Arn", "Id")
        return str(name)
    if isinstance(resource, dict) and "Ref" in resource:
        return str(resource["Ref"])
    assert resource == {"Fn::Sub": "${Bucket.Arn}/${KeyPrefix}*"}, resource
    return "Bucket/*"


def grants(role: str) -> set[tuple[str, str]]:
    return {
        (action, target(resource["Fn::If"][1] if "Fn::If" in resource else resource))
        for statement in statements(role)
        for action in listed(statement["Action"])
        for resource in listed(statement["Resource"])
    }


# ---- Parameters ------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("name", PARAMETERS)
def test_parameter_explains_itself(name: str) -> None:
    """Each parameter has a description and a default, so that a stack can be deployed without setting one."""
    parameter = PARAMETERS[name]

    assert len(parameter["Description"]) >= 20
    assert "Default" in parameter


@pytest.mark.parametrize("name", PARAMETERS)
def test_parameter_is_checked_before_anything_is_made(name: str) -> None:
    """Each parameter has allowed values, a pattern, or a least and a greatest number."""
    parameter = PARAMETERS[name]
    bounded = {"MinValue", "MaxValue"} <= set(parameter)

    assert bounded or "AllowedValues" in parameter or "AllowedPattern" in parameter


@pytest.mark.parametrize("name", [name for name in PARAMETERS if "AllowedPattern" in PARAMETERS[name]])
def test_pattern_says_in_words_what_it_wants(name: str) -> None:
    """A regular expression is no explanation; it is anchored at both ends, and the default passes."""
    parameter = PARAMETERS[name]

    assert parameter["ConstraintDescription"]
    assert all(part[0] == "^" and part[-1] == "$" for part in alternatives(parameter["AllowedPattern"]))
    assert re.fullmatch(parameter["AllowedPattern"], parameter["Default"])


def alternatives(pattern: str) -> list[str]:
    """The alternatives of a pattern at its outermost level."""
    parts, depth = [""], 0
    for character in pattern:
        depth += {"(": 1, ")": -1}.get(character, 0)
        if character == "|" and depth == 0:
            parts.append("")
        else:
            parts[-1] += character
    return parts


def test_parameters_are_grouped_in_the_console() -> None:
    """The console shows every parameter once, in a group, with a label."""
    grouped = [name for group in INTERFACE["ParameterGroups"] for name in group["Parameters"]]

    assert sorted(PARAMETERS) == sorted(grouped)
    assert sorted(PARAMETERS) == sorted(INTERFACE["ParameterLabels"])


def test_data_centers_are_those_of_the_code() -> None:
    """The template offers exactly the data centres that the functions know."""
    assert list(settings.DATA_CENTERS) == PARAMETERS["DataCenter"]["AllowedValues"]
    assert PARAMETERS["DataCenter"]["Default"] == "US"


@pytest.mark.parametrize("parameter", ["BiginApiUrl", "BiginAccountsUrl"])
@pytest.mark.parametrize("verdict", ["accepted", "refused"])
def test_override_patterns_agree_with_the_code(parameter: str, verdict: str) -> None:
    """The template refuses and accepts the same hosts as the functions."""
    group = {"BiginApiUrl": "api", "BiginAccountsUrl": "accounts"}[parameter]
    pattern = re.compile(PARAMETERS[parameter]["AllowedPattern"])
    urls = [one.values[0]["value"] for one in load("urls", f"{group}_{verdict}")]
    matching = [url for url in urls if pattern.fullmatch(url)]

    assert matching == (urls if verdict == "accepted" else [])


@pytest.mark.parametrize(
    ("prefix", "expected"),
    [
        ("", True),
        ("bigin/", True),
        ("a/b/c/", True),
        ("a-b_c.d/", True),
        ("x" * 99 + "/", True),
        ("x" * 100 + "/", False),
        ("bigin", False),
        ("/", False),
        ("/bigin/", False),
        ("../", False),
        ("bigin/*/", False),
        ("${x}/", False),
        ("bigin /", False),
        ("bigün/", False),
    ],
)
def test_key_prefix_pattern(prefix: str, expected: bool) -> None:
    """A prefix ends with a slash, and holds nothing that means something in a policy."""
    actual = re.fullmatch(PARAMETERS["KeyPrefix"]["AllowedPattern"], prefix) is not None

    assert expected == actual


def test_longest_prefix_leaves_room_for_a_name() -> None:
    """With the longest prefix and ids a name still has room for what Bigin allows: 250 characters of UTF-8."""
    module = max(archive_request.MODULES, key=len)

    assert 1024 - len(f"{'x' * 100}{module}/{'9' * 50}/{'9' * 50}/") >= 250 * 3


def test_largest_file_is_what_one_put_takes() -> None:
    """The limit is at most 5 GiB, by default 1 GiB."""
    parameter = PARAMETERS["MaxFileSizeMiB"]

    assert parameter["MaxValue"] <= 5 * 1024
    assert parameter["Default"] == 1024


# ---- Queues ----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("name", QUEUES)
def test_queue_is_encrypted_and_keeps_14_days(name: str) -> None:
    """Every queue is encrypted and keeps its messages as long as SQS can."""
    queue = QUEUES[name]

    if name.startswith("Event"):  # EventBridge may not use the key of whoever deploys
        assert queue["SqsManagedSseEnabled"] is True
        assert "KmsMasterKeyId" not in queue
    else:
        assert queue["SqsManagedSseEnabled"] == {"Fn::If": ["HasKey", {"Ref": "AWS::NoValue"}, True]}
        assert queue["KmsMasterKeyId"] == {"Fn::If": ["HasKey", {"Ref": "KmsKeyArn"}, {"Ref": "AWS::NoValue"}]}
    assert queue["MessageRetentionPeriod"] == 14 * DAY


@pytest.mark.parametrize("name", QUEUES)
def test_queue_answers_only_by_tls(name: str) -> None:
    """A policy denies whatever comes without TLS."""
    denials = [
        dict(statement)
        for policy in of_type("AWS::SQS::QueuePolicy").values()
        if {"Ref": name} in policy["Queues"]
        for statement in policy["PolicyDocument"]["Statement"]
        if statement["Effect"] == "Deny"
    ]
    expected = {
        "Effect": "Deny",
        "Principal": "*",
        "Action": "sqs:*",
        "Condition": {"Bool": {"aws:SecureTransport": "false"}},
    }
    (denial,) = denials
    resource = denial.pop("Resource")

    assert denial == expected
    assert resource in ("*", {"Fn::GetAtt": [name, "Arn"]})  # "*" is the queue that the policy is on


def test_queue_has_a_dead_letter_queue() -> None:
    """What is received too often goes to a queue of its own, which has none itself."""
    pairs = {
        "Queue": "DeadLetterQueue",
        "RecordQueue": "RecordDeadLetterQueue",
        "EventQueue": "EventDeadLetterQueue",
    }

    assert set(QUEUES) == {*pairs, *pairs.values()}
    for queue, dead_letters in pairs.items():
        assert QUEUES[queue]["RedrivePolicy"]["deadLetterTargetArn"] == {"Fn::GetAtt": [dead_letters, "Arn"]}
        assert "RedrivePolicy" not in QUEUES[dead_letters]


def test_message_stays_hidden_while_it_is_worked_on() -> None:
    """The visibility time-out is at least six times the worker's time-out, as Lambda asks for."""
    for queue, function in (
        ("Queue", "ArchiveQueuedFunction"),
        ("RecordQueue", "QueueRecordsFunction"),
        ("EventQueue", "AnnounceArchivedFunction"),
    ):
        assert QUEUES[queue]["VisibilityTimeout"] >= 6 * FUNCTIONS[function]["Timeout"]


def retry_time_s(first_s: int, longest_s: int) -> int:
    """The longest time from the first delivery to the dead-letter queue, each try as long as it may be."""
    tries = QUEUES["Queue"]["RedrivePolicy"]["maxReceiveCount"]
    delays = Delays(first_s, longest_s, jitter=lambda _, most: most)
    timeout_s: int = FUNCTIONS["ArchiveQueuedFunction"]["Timeout"]
    return sum(delays.after(attempt) + timeout_s for attempt in range(1, tries + 1))


def test_retries_last_for_days_and_leave_a_week() -> None:
    """By default a message is tried for days, and as a dead letter has a week left of its 14 days."""
    first_s, longest_s = (PARAMETERS[name]["Default"] for name in ("RetryDelaySeconds", "RetryDelayMaxSeconds"))
    spent_s = retry_time_s(first_s, longest_s)

    assert 3 * DAY < spent_s < QUEUES["Queue"]["MessageRetentionPeriod"] - 7 * DAY


def test_no_retry_delay_outlives_the_queue() -> None:
    """With the longest delays that the template allows, a message still becomes a dead letter before SQS drops it."""
    first_s, longest_s = (PARAMETERS[name]["MaxValue"] for name in ("RetryDelaySeconds", "RetryDelayMaxSeconds"))

    assert retry_time_s(first_s, longest_s) < QUEUES["Queue"]["MessageRetentionPeriod"] - 7 * DAY


# ---- Functions -------------------------------------------------------------------------------------------------------


def test_functions_are_the_files() -> None:
    """Every handler file is a function, and every function has its file."""
    handlers = [found["Handler"] for found in FUNCTIONS.values()]
    files = [f"{path.stem}.handler" for path in (ROOT / "functions").glob("*.py")]

    assert sorted(files) == sorted(handlers)
    assert TEMPLATE["Globals"]["Function"]["CodeUri"] == "functions/"


def test_worker_reports_each_message() -> None:
    """A message that fails does not fail the others of its batch."""
    event = FUNCTIONS["ArchiveQueuedFunction"]["Events"]["Queue"]

    assert event["Type"] == "SQS"
    assert event["Properties"]["FunctionResponseTypes"] == ["ReportBatchItemFailures"]
    assert event["Properties"]["Queue"] == {"Fn::GetAtt": ["Queue", "Arn"]}


def test_downloads_at_once() -> None:
    """All workers with all their threads stay within the downloads that Bigin is to see."""
    scaling = FUNCTIONS["ArchiveQueuedFunction"]["Events"]["Queue"]["Properties"]["ScalingConfig"]
    threads = PARAMETERS["DownloadThreads"]

    assert scaling["MaximumConcurrency"] * threads["MaxValue"] <= MAX_DOWNLOADS
    assert threads["Default"] <= threads["MaxValue"]


def test_api_functions_answer_before_the_gateway_gives_up() -> None:
    """No function behind the API runs longer than API Gateway waits."""
    behind = [
        found for found in FUNCTIONS.values() if any(e["Type"] == "Api" for e in found.get("Events", {}).values())
    ]

    assert len(behind) == 4
    assert all(found["Timeout"] <= API_GATEWAY_S for found in behind)


def test_token_is_renewed_twice_in_its_life() -> None:
    """The token lives an hour and is renewed every half hour; its age is told more often, for the alarm at 50."""
    events = FUNCTIONS["RefreshTokenFunction"]["Events"]

    assert {
        name: (event["Properties"]["ScheduleExpression"], event["Properties"].get("Input"))
        for name, event in events.items()
    } == {
        "Every30Minutes": ("rate(30 minutes)", None),
        "Every5Minutes": ("rate(5 minutes)", '{"only_tell": true}'),
    }


@pytest.mark.parametrize("name", FUNCTIONS)
def test_function_has_what_its_code_reads(name: str) -> None:
    """Each function has its own settings and no other's."""
    actual = FUNCTIONS[name]["Environment"]["Variables"]
    shared = TEMPLATE["Globals"]["Function"]["Environment"]["Variables"]

    assert SETTINGS[name] == set(actual)
    assert {"DATA_CENTER", "BIGIN_API_URL", "BIGIN_ACCOUNTS_URL"} <= set(shared)
    assert shared["POWERTOOLS_METRICS_NAMESPACE"] == "BiginArchive"


@pytest.mark.parametrize("name", FUNCTIONS)
def test_function_reserves_no_concurrency(name: str) -> None:
    """A new AWS account allows ten concurrent executions, so a reservation would make the deployment fail."""
    assert "ReservedConcurrentExecutions" not in FUNCTIONS[name]
    assert "ProvisionedConcurrencyConfig" not in FUNCTIONS[name]


@pytest.mark.parametrize("name", FUNCTIONS)
def test_function_logs_to_its_own_group(name: str) -> None:
    """Each function has its own log group, kept for a stated time."""
    group = FUNCTIONS[name]["LoggingConfig"]["LogGroup"]["Ref"]
    groups = [found["LoggingConfig"]["LogGroup"]["Ref"] for found in FUNCTIONS.values()]

    assert groups.count(group) == 1
    assert RESOURCES[group]["Properties"]["RetentionInDays"] == {"Ref": "LogRetentionDays"}


def test_every_log_group_has_a_retention() -> None:
    """No log is kept for ever by accident."""
    groups = of_type("AWS::Logs::LogGroup")

    assert groups
    assert all("RetentionInDays" in group for group in groups.values())


# ---- Permissions -----------------------------------------------------------------------------------------------------


def test_each_function_has_its_own_role() -> None:
    """No two functions share a role, and no role is without a function."""
    roles = [found["Role"]["Fn::GetAtt"][0] for found in FUNCTIONS.values()]

    assert sorted(ROLES) == sorted(roles)
    assert sorted(GRANTS) == sorted(roles)
    assert not any("Policies" in found for found in FUNCTIONS.values())


@pytest.mark.parametrize("role", GRANTS)
def test_role_may_do_this_and_no_more(role: str) -> None:
    """A role's rights are exactly those of the list above."""
    key = set() if role in WITHOUT_KEY else KEY
    assert GRANTS[role] | key == grants(role)
    assert "ManagedPolicyArns" not in ROLES[role]
    assert all(statement["Effect"] == "Allow" for statement in statements(role))


@pytest.mark.parametrize("role", ROLES)
def test_role_has_no_wildcards(role: str) -> None:
    """No action but the send to the queue is a pattern, and no statement is for all resources."""
    for statement in statements(role):
        assert not {"NotAction", "NotResource"} & set(statement)
        assert {action for action in listed(statement["Action"]) if "*" in action or "?" in action} <= {SEND}
        assert "*" not in listed(statement["Resource"])


@pytest.mark.parametrize("role", ROLES)
def test_only_lambda_assumes_a_role(role: str) -> None:
    """The roles are for the functions alone."""
    (statement,) = ROLES[role]["AssumeRolePolicyDocument"]["Statement"]

    assert statement == {
        "Effect": "Allow",
        "Principal": {"Service": "lambda.amazonaws.com"},
        "Action": "sts:AssumeRole",
    }


def who(action: str, resource: str) -> set[str]:
    return {role for role in ROLES if (action, resource) in grants(role)}


def test_only_the_refresher_knows_the_credentials() -> None:
    """Client secret and refresh token are read by one function, which alone writes the access token."""
    assert who("secretsmanager:GetSecretValue", "CredentialsSecret") == {"RefreshTokenRole"}
    assert who("secretsmanager:PutSecretValue", "AccessTokenSecret") == {"RefreshTokenRole"}
    assert who("secretsmanager:PutSecretValue", "CredentialsSecret") == set()


def test_only_the_receiver_knows_the_webhook_secret() -> None:
    """The webhook secret is read by the webhook receiver alone, which knows no other where nothing is watched."""
    always = [policy for policy in ROLES["ReceiveWebhookRole"]["Policies"] if "Fn::If" not in policy]
    secrets = [
        statement["Resource"]
        for policy in always
        for statement in policy["PolicyDocument"]["Statement"]
        if statement["Action"] == "secretsmanager:GetSecretValue"
    ]

    assert who("secretsmanager:GetSecretValue", "WebhookSecret") == {"ReceiveWebhookRole"}
    assert secrets == [{"Fn::GetAtt": ["WebhookSecret", "Id"]}]


# ---- Notification channels -------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("modules", "expected"),
    [
        ("", True),
        ("Contacts", True),
        ("Contacts,Pipelines,Accounts,Products,Tasks,Events", True),
        ("Notes", False),
        ("Calls", False),
        ("Contacts, Tasks", False),
        ("Contacts,", False),
        (",", False),
        ("contacts", False),
    ],
)
def test_watch_modules_pattern(modules: str, expected: bool) -> None:
    """Whatever the template accepts, the function does."""
    accepted = re.fullmatch(PARAMETERS["WatchModules"]["AllowedPattern"], modules) is not None

    assert expected == accepted
    if accepted and modules:
        environment = {
            "DATA_CENTER": "US",
            "TOKEN_SECRET_ID": "t",
            "WEBHOOK_SECRET_ID": "w",
            "LEASES_TABLE": "l",
            "WATCH_MODULES": modules,
        }
        assert settings.WatchSettings.from_env(environment).modules == tuple(modules.split(","))


def test_every_module_can_be_watched_that_notifications_know() -> None:
    """The template names the modules of the code."""
    assert set(re.findall("[A-Z][a-z]+", PARAMETERS["WatchModules"]["AllowedPattern"])) == set(
        settings.WATCHABLE_MODULES
    )


def test_channels_are_renewed_as_often_as_the_code_believes() -> None:
    """The schedule is on where modules are watched; it names the webhook's address, for the function cannot know it."""
    schedule = FUNCTIONS["ReceiveWebhookFunction"]["Events"]["RenewChannels"]["Properties"]
    condition, on_aws, local = schedule["Input"]["Fn::If"]

    assert schedule["ScheduleExpression"] == "rate(1 hour)"
    assert timedelta(hours=1) == notification_channels.RENEWED_EVERY
    assert schedule["State"] == {"Fn::If": ["WatchesModules", "ENABLED", "DISABLED"]}
    assert condition == "IsOnAws"
    for text in (on_aws, local):
        event = re.sub(r"\$\{[A-Za-z:]+\}", "x", text["Fn::Sub"])

        assert list(json.loads(event)) == [RENEW_CHANNELS, "scheduled"]
        assert json.loads(event)[RENEW_CHANNELS].endswith("/v1/webhooks/bigin")


def test_a_renewal_that_fails_is_an_error_of_its_function() -> None:
    """The schedule asks for it, an hour apart; the alarm counts Lambda's errors of two hours."""
    alarm = RESOURCES["EventsDeadAlarm"]["Properties"]
    schedule = FUNCTIONS["ReceiveWebhookFunction"]["Events"]["RenewChannels"]["Properties"]

    assert all('"scheduled": true' in text["Fn::Sub"] for text in schedule["Input"]["Fn::If"][1:])
    assert (alarm["MetricName"], alarm["Period"]) == ("Errors", notification_channels.RENEWED_EVERY.total_seconds())
    assert alarm["EvaluationPeriods"] == 2


def test_nobody_may_delete_or_overwrite_settings_of_the_archive() -> None:
    """No role may delete an object, a version or the bucket, nor change how the bucket keeps them."""
    actions = {action for role in ROLES for action, _ in grants(role) if action.startswith("s3:")}

    assert actions == {
        "s3:ListBucket",
        "s3:ListBucketVersions",
        "s3:GetBucketVersioning",
        "s3:PutObject",
        "s3:GetObject",
        "s3:GetObjectVersion",
    }


def test_listing_is_limited_to_the_prefix() -> None:
    """A bucket that holds more than the archive shows nothing of it."""
    lists = {"s3:ListBucket", "s3:ListBucketVersions"}
    found = [one for role in ROLES for one in statements(role) if lists & set(listed(one["Action"]))]

    assert len(found) == 5
    for statement in found:
        assert statement["Condition"] == {"StringLike": {"s3:prefix": {"Fn::Sub": "${KeyPrefix}*"}}}


# ---- API -------------------------------------------------------------------------------------------------------------


def test_api_asks_for_a_signature() -> None:
    """Every route is signed unless it says otherwise, and API Gateway does not lend out its caller's rights."""
    auth = RESOURCES["Api"]["Properties"]["Auth"]

    assert auth["DefaultAuthorizer"] == "AWS_IAM"
    assert auth["InvokeRole"] == "NONE"


def test_routes() -> None:
    """There are two routes, and only the webhook's is open: it has a secret of its own."""
    routes = {
        (event["Properties"]["Method"].upper(), event["Properties"]["Path"]): event["Properties"].get("Auth")
        for found in FUNCTIONS.values()
        for event in found.get("Events", {}).values()
        if event["Type"] == "Api" and event["Properties"]["RestApiId"] == {"Ref": "Api"}
    }

    assert routes == {("POST", "/attachments"): None, ("POST", "/webhooks/bigin"): {"Authorizer": "NONE"}}


def test_api_is_throttled() -> None:
    """A flood is refused by API Gateway, before it starts a function."""
    (every,) = RESOURCES["Api"]["Properties"]["MethodSettings"]

    assert (every["ResourcePath"], every["HttpMethod"]) == ("/*", "*")
    assert 0 < every["ThrottlingRateLimit"] <= every["ThrottlingBurstLimit"] <= 1000


def test_bodies_come_as_text() -> None:
    """Without binary media types a body reaches the queue as it was sent."""
    assert "BinaryMediaTypes" not in RESOURCES["Api"]["Properties"]
    assert "BinaryMediaTypes" not in TEMPLATE["Globals"].get("Api", {})


# ---- Secrets ---------------------------------------------------------------------------------------------------------


def test_secrets_are_three() -> None:
    """There are three secrets: credentials, access token, webhook."""
    assert sorted(SECRETS) == sorted(of_type("AWS::SecretsManager::Secret"))


@pytest.mark.parametrize("name", SECRETS)
def test_secret_has_no_value_in_the_template(name: str) -> None:
    """No update of the stack overwrites a secret with a value of the template."""
    assert "SecretString" not in RESOURCES[name].get("Properties", {})


def test_credentials_outlive_the_stack() -> None:
    """The refresh token is kept when the stack is deleted, because it is hard to get again."""
    assert RESOURCES["CredentialsSecret"]["DeletionPolicy"] == "RetainExceptOnCreate"
    assert RESOURCES["CredentialsSecret"]["UpdateReplacePolicy"] == "Retain"


def test_webhook_secret_is_generated() -> None:
    """The webhook secret is random, fits Bigin's 50 characters and needs no escape in a query string."""
    generated = RESOURCES["WebhookSecret"]["Properties"]["GenerateSecretString"]

    assert generated["GenerateStringKey"] == "webhook_secret"
    assert generated["PasswordLength"] == 40
    assert generated["ExcludePunctuation"] is True
    assert not generated.get("IncludeSpace", False)


def test_no_secret_is_in_a_parameter_a_variable_or_an_output() -> None:
    """Parameters, variables and outputs name secrets, and never resolve one."""
    text = json.dumps(TEMPLATE)
    words = re.compile(r"password|refresh.?token|client.?secret|access.?token|credential", re.I)

    assert "{{resolve:" not in text
    assert not [name for name in PARAMETERS if words.search(name)]
    assert all(value.get("NoEcho") is None for value in PARAMETERS.values())
    for found in FUNCTIONS.values():
        for name, given in found["Environment"]["Variables"].items():
            if "SECRET" in name:
                value = with_all(given)
                assert value["Fn::GetAtt"][0] in SECRETS
                assert value["Fn::GetAtt"][1] == "Id"
    for name, output in OUTPUTS.items():
        if words.search(name) or "Secret" in name:
            assert isinstance(output["Value"], dict)


# ---- Bucket ----------------------------------------------------------------------------------------------------------


def test_bucket_keeps_what_it_has() -> None:
    """The archive is versioned, and stays when the stack goes or the bucket would be replaced."""
    bucket = RESOURCES["Bucket"]

    assert bucket["Properties"]["VersioningConfiguration"] == {"Status": "Enabled"}
    assert bucket["DeletionPolicy"] == "RetainExceptOnCreate"
    assert bucket["UpdateReplacePolicy"] == "Retain"


def test_bucket_is_private_and_encrypted() -> None:
    """Nothing in the archive can be made public; everything is encrypted; objects belong to the account."""
    bucket = RESOURCES["Bucket"]["Properties"]
    (rule,) = bucket["BucketEncryption"]["ServerSideEncryptionConfiguration"]

    assert bucket["PublicAccessBlockConfiguration"] == {
        "BlockPublicAcls": True,
        "BlockPublicPolicy": True,
        "IgnorePublicAcls": True,
        "RestrictPublicBuckets": True,
    }
    condition, with_key, without = rule["ServerSideEncryptionByDefault"]["Fn::If"]
    assert condition == "HasKey"
    assert with_key == {"SSEAlgorithm": "aws:kms", "KMSMasterKeyID": {"Ref": "KmsKeyArn"}}
    assert without == {"SSEAlgorithm": "AES256"}
    assert bucket["OwnershipControls"] == {"Rules": [{"ObjectOwnership": "BucketOwnerEnforced"}]}


def test_bucket_answers_only_by_tls() -> None:
    """A policy denies whatever comes without TLS, for the bucket and for its objects."""
    (policy,) = of_type("AWS::S3::BucketPolicy").values()
    statement = policy["PolicyDocument"]["Statement"][0]

    assert policy["Bucket"] == {"Ref": "Bucket"}
    assert (statement["Effect"], statement["Principal"], statement["Action"]) == ("Deny", "*", "s3:*")
    assert statement["Resource"] == [{"Fn::GetAtt": ["Bucket", "Arn"]}, {"Fn::Sub": "${Bucket.Arn}/*"}]
    assert statement["Condition"] == {"Bool": {"aws:SecureTransport": "false"}}


def test_lifecycle_removes_no_object() -> None:
    """Unfinished uploads go after a day, versions that an audit has replaced after a month, what an audit keeps from
    one slice to the next after a week; nothing else ends.
    """
    rules = RESOURCES["Bucket"]["Properties"]["LifecycleConfiguration"]["Rules"]
    ends = {rule["Prefix"]["Fn::Sub"]: rule for rule in rules if "Prefix" in rule}

    assert all(rule["Status"] == "Enabled" for rule in rules)
    assert [set(rule) - {"Id", "Status"} for rule in rules if "Prefix" not in rule] == [
        {"AbortIncompleteMultipartUpload"}
    ]
    work = ends.pop("${KeyPrefix}_audit/work/")
    assert work["ExpirationInDays"] == 7
    assert set(ends) == {"${KeyPrefix}_index/", "${KeyPrefix}_audit/"}
    for rule in ends.values():
        assert set(rule) - {"Id", "Status", "Prefix"} == {"NoncurrentVersionExpiration"}


# ---- The whole -------------------------------------------------------------------------------------------------------


def test_the_archive_itself_takes_few_lines() -> None:
    """The template has at most 1,300 lines without console, callers and events, so that it can be read before a
    deployment.
    """
    blocks = re.split(r"(?m)^(?=  \w+:)|^  # ====.*$", (ROOT / "template.yaml").read_text(encoding="utf-8"))
    optional = re.compile(r"Condition: (HasConsole|TakesCallers|SendsEvents)|\A  (Console|Callers|Events):")
    lines = sum(len(block.splitlines()) for block in blocks if not optional.search(block))

    assert 800 < lines <= 1_300


def test_nothing_has_a_fixed_name() -> None:
    """Two stacks can stand side by side in one account and region."""
    fixed = {"FunctionName", "RoleName", "QueueName", "BucketName", "LogGroupName", "ManagedPolicyName", "AlarmName"}
    for name, found in RESOURCES.items():
        properties = found.get("Properties", {})

        assert not [key for key in fixed & set(properties) if isinstance(properties[key], str)], name
        assert "Name" not in properties or found["Type"] != "AWS::SecretsManager::Secret", name


def test_nothing_is_bound_to_an_account_or_a_region() -> None:
    """No account number, no region and no partition stands in the template."""
    text = json.dumps([RESOURCES, OUTPUTS])

    assert not re.search(r"\b\d{12}\b", text)
    assert not re.search(r"\b(us|eu|ap|sa|ca|me|af|il)-(north|south|east|west|central)[a-z]*-\d\b", text)
    assert "arn:aws:" not in text


def test_every_reference_leads_somewhere() -> None:
    """What is referred to exists, and every parameter is used."""
    known = set(PARAMETERS) | set(RESOURCES)
    used = set()
    for node in walk([RESOURCES, OUTPUTS, TEMPLATE["Globals"], TEMPLATE["Conditions"]]):
        if isinstance(node, dict) and "Ref" in node:
            used.add(node["Ref"])
        elif isinstance(node, dict) and "Fn::GetAtt" in node:
            used.add(node["Fn::GetAtt"][0])
        elif isinstance(node, dict) and "Fn::Sub" in node:
            text, own = node["Fn::Sub"] if isinstance(node["Fn::Sub"], list) else (node["Fn::Sub"], {})
            used.update({name.split(".")[0] for name in re.findall(r"\$\{([A-Za-z0-9.]+)\}", text)} - set(own))

    assert {name for name in used if not name.startswith("AWS::")} <= known
    assert set(PARAMETERS) <= used


@pytest.mark.parametrize("name", OUTPUTS)
def test_output_explains_itself(name: str) -> None:
    """Every output says what it is for, and exports nothing."""
    assert OUTPUTS[name]["Description"]
    assert "Export" not in OUTPUTS[name]


def test_outputs_are_what_tools_need() -> None:
    """Address, queues, bucket, prefix, secrets and refresher can be read off the stack."""
    expected = {
        "ApiUrl",
        "QueueUrl",
        "DeadLetterQueueUrl",
        "BucketName",
        "KeyPrefix",
        "LedgerTable",
        "SweepFunctionName",
        "CredentialsSecretId",
        "TokenSecretId",
        "WebhookSecretId",
        "RefreshTokenFunctionName",
        "ReceiveWebhookFunctionName",
        "ReceiveWebhookLogGroupName",
    }

    assert expected <= set(OUTPUTS)


@pytest.mark.parametrize("metric", ["ConnectionBroken", "StorageRefused", "Parked", "NotProved"])
def test_what_no_retry_mends_raises_an_alarm(metric: str) -> None:
    """A revoked token, a missing scope, a denied bucket and a dead letter each ring an alarm."""
    alarms = list(of_type("AWS::CloudWatch::Alarm").values())
    watched = {node["MetricName"] for node in walk(alarms) if isinstance(node, dict) and "MetricName" in node}

    assert metric in watched


def test_an_audit_has_room_for_as_many_attachments_as_it_has_time_for() -> None:
    """An object takes 1.7 ms; its row of the ledger, and its lines of table and checksums, 1.3 KB."""
    sweep = RESOURCES["SweepFunction"]["Properties"]

    assert sweep["Timeout"] / 0.0017 * 1300 < sweep.get("EphemeralStorage", {"Size": 512})["Size"] * 1024**2


def test_these_tests_read_the_template_as_cfn_lint_does() -> None:
    """The short forms, dates and numbers mean the same."""
    from cfnlint.decode import cfn_yaml  # type: ignore[import-untyped]  # takes long

    assert json.loads(json.dumps(cfn_yaml.load(str(ROOT / "template.yaml")))) == TEMPLATE
