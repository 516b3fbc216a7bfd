"""What each function must not be able to do, tried with the rights of its role; the table of docs/denials.md."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

PAGE = "docs/denials.md"
HEADER = "| the role of | must not | denied |\n|---|---|---|\n"


@dataclass(frozen=True)
class Place:
    """The deployed stack, by physical names; ``key`` is an object below the prefix."""

    bucket: str
    prefix: str
    queue: str
    dead_letters: str
    record_queue: str
    record_dead_letters: str
    token: str
    credentials: str
    webhook: str
    leases: str
    ledger: str
    refresher: str
    callers: str
    event_queue: str
    event_bus: str

    @property
    def key(self) -> str:
        return f"{self.prefix}Contacts/1/2/a.txt"


# Clients of a role by service, and the place; whatever is called has to be refused.
Call = Callable[[Mapping[str, Any], Place], object]


@dataclass(frozen=True)
class Denial:
    """One thing that a role must not do: in words, as IAM calls it, and as a call."""

    words: str
    action: str
    call: Call


def _secret(name: str, words: str) -> Denial:
    return Denial(
        f"read {words}",
        "secretsmanager:GetSecretValue",
        lambda c, p: c["secretsmanager"].get_secret_value(SecretId=getattr(p, name)),
    )


def _write(name: str, words: str) -> Denial:
    return Denial(
        f"write {words}",
        "secretsmanager:PutSecretValue",
        lambda c, p: c["secretsmanager"].put_secret_value(SecretId=getattr(p, name), SecretString="x"),
    )


def _receive(name: str, words: str) -> Denial:
    return Denial(
        f"take from {words}", "sqs:ReceiveMessage", lambda c, p: c["sqs"].receive_message(QueueUrl=getattr(p, name))
    )


def _send(name: str, words: str) -> Denial:
    return Denial(
        f"send to {words}",
        "sqs:SendMessage",
        lambda c, p: c["sqs"].send_message(QueueUrl=getattr(p, name), MessageBody="x"),
    )


CREDENTIALS = _secret("credentials", "Bigin's client secret and refresh token")
WEBHOOK = _secret("webhook", "the webhook secret")
TOKEN = _secret("token", "the access token")
DELETE = Denial("delete an object", "s3:DeleteObject", lambda c, p: c["s3"].delete_object(Bucket=p.bucket, Key=p.key))
DELETE_VERSION = Denial(
    "delete a version for good",
    "s3:DeleteObjectVersion",
    lambda c, p: c["s3"].delete_object(Bucket=p.bucket, Key=p.key, VersionId="null"),
)
PUT_ELSEWHERE = Denial(
    "write outside its prefix",
    "s3:PutObject",
    lambda c, p: c["s3"].put_object(Bucket=p.bucket, Key="elsewhere/a.txt", Body=b"x"),
)
GET_ELSEWHERE = Denial(
    "read outside its prefix", "s3:GetObject", lambda c, p: c["s3"].get_object(Bucket=p.bucket, Key="elsewhere/a.txt")
)
LIST_ALL = Denial("list outside its prefix", "s3:ListBucket", lambda c, p: c["s3"].list_objects_v2(Bucket=p.bucket))
PUT = Denial("write a file", "s3:PutObject", lambda c, p: c["s3"].put_object(Bucket=p.bucket, Key=p.key, Body=b"x"))
GET = Denial("read a file", "s3:GetObject", lambda c, p: c["s3"].get_object(Bucket=p.bucket, Key=p.key))
LIST = Denial(
    "list the archive", "s3:ListBucket", lambda c, p: c["s3"].list_objects_v2(Bucket=p.bucket, Prefix=p.prefix)
)
UNVERSION = Denial(
    "stop the keeping of versions",
    "s3:PutBucketVersioning",
    lambda c, p: c["s3"].put_bucket_versioning(Bucket=p.bucket, VersioningConfiguration={"Status": "Suspended"}),
)
POLICY = Denial(
    "change the bucket's policy", "s3:DeleteBucketPolicy", lambda c, p: c["s3"].delete_bucket_policy(Bucket=p.bucket)
)
PURGE = Denial("empty the queue", "sqs:PurgeQueue", lambda c, p: c["sqs"].purge_queue(QueueUrl=p.queue))
INVOKE = Denial(
    "call the token refresher", "lambda:InvokeFunction", lambda c, p: c["lambda"].invoke(FunctionName=p.refresher)
)
READ_LEASES = Denial("read the leases", "dynamodb:Scan", lambda c, p: c["dynamodb"].scan(TableName=p.leases))
READ_LEDGER = Denial("read the whole ledger", "dynamodb:Scan", lambda c, p: c["dynamodb"].scan(TableName=p.ledger))
FORGET = Denial(
    "delete from the ledger",
    "dynamodb:DeleteItem",
    lambda c, p: c["dynamodb"].delete_item(
        TableName=p.ledger, Key={"record": {"S": "Contacts/1"}, "attachment_id": {"S": "2"}}
    ),
)
READ_CALLERS = Denial("list the callers", "dynamodb:Scan", lambda c, p: c["dynamodb"].scan(TableName=p.callers))
ADD_CALLER = Denial(
    "make a key for a caller",
    "dynamodb:PutItem",
    lambda c, p: c["dynamodb"].put_item(TableName=p.callers, Item={"key_id": {"S": "stranger"}}),
)
REVIVE_CALLER = Denial(
    "change a caller's rights or end",
    "dynamodb:UpdateItem",
    lambda c, p: c["dynamodb"].update_item(
        TableName=p.callers, Key={"key_id": {"S": "stranger"}}, UpdateExpression="REMOVE ended_at"
    ),
)
WRITE_LEDGER = Denial(
    "write the ledger",
    "dynamodb:UpdateItem",
    lambda c, p: c["dynamodb"].update_item(
        TableName=p.ledger, Key={"record": {"S": "Contacts/1"}, "attachment_id": {"S": "2"}}
    ),
)
REPLACE_ROW = Denial(
    "replace a row of the ledger",
    "dynamodb:PutItem",
    lambda c, p: c["dynamodb"].put_item(
        TableName=p.ledger, Item={"record": {"S": "Contacts/1"}, "attachment_id": {"S": "2"}}
    ),
)
PUT_EVENT = Denial(
    "announce an event",
    "events:PutEvents",
    lambda c, p: c["events"].put_events(
        Entries=[{"Source": "bigin-archive", "DetailType": "x", "Detail": "{}", "EventBusName": p.event_bus}]
    ),
)
PUT_EVENT_ELSEWHERE = Denial(
    "announce on another bus",
    "events:PutEvents",
    lambda c, p: c["events"].put_events(Entries=[{"Source": "bigin-archive", "DetailType": "x", "Detail": "{}"}]),
)
ASSUME = Denial(
    "give itself more rights",
    "iam:PutRolePolicy",
    lambda c, p: c["iam"].put_role_policy(
        RoleName="any", PolicyName="all", PolicyDocument='{"Version": "2012-10-17", "Statement": []}'
    ),
)

DENIALS: dict[str, tuple[Denial, ...]] = {
    "ArchiveQueuedRole": (
        CREDENTIALS,
        WEBHOOK,
        _write("token", "the access token"),
        DELETE,
        DELETE_VERSION,
        PUT_ELSEWHERE,
        GET_ELSEWHERE,
        LIST_ALL,
        UNVERSION,
        POLICY,
        _receive("dead_letters", "the dead-letter queue"),
        _send("record_queue", "the record queue"),
        PURGE,
        INVOKE,
        READ_LEASES,
        READ_LEDGER,
        REPLACE_ROW,
        FORGET,
        PUT_EVENT,
        ASSUME,
    ),
    "ArchiveNowRole": (
        CREDENTIALS,
        WEBHOOK,
        _write("token", "the access token"),
        DELETE,
        DELETE_VERSION,
        PUT_ELSEWHERE,
        GET_ELSEWHERE,
        LIST_ALL,
        _receive("queue", "the queue"),
        _send("dead_letters", "the dead-letter queue"),
        READ_LEASES,
        READ_LEDGER,
        REPLACE_ROW,
        FORGET,
        INVOKE,
    ),
    "ReceiveWebhookRole": (
        CREDENTIALS,
        TOKEN,
        _write("webhook", "the webhook secret"),
        GET,
        PUT,
        LIST,
        _receive("queue", "the queue"),
        _receive("record_queue", "the record queue"),
        _send("dead_letters", "the dead-letter queue"),
        INVOKE,
    ),
    "QueueRecordsRole": (
        CREDENTIALS,
        TOKEN,
        WEBHOOK,
        GET,
        LIST,
        _receive("queue", "the queue"),
        _send("record_queue", "the record queue"),
    ),
    "SweepRole": (
        CREDENTIALS,
        WEBHOOK,
        _write("token", "the access token"),
        DELETE,
        DELETE_VERSION,
        PUT_ELSEWHERE,
        GET_ELSEWHERE,
        LIST_ALL,
        _receive("queue", "the queue"),
        _receive("dead_letters", "the dead-letter queue"),
        _send("dead_letters", "the dead-letter queue"),
        FORGET,
        READ_LEASES,
        INVOKE,
    ),
    "AuthorizeCallerRole": (
        CREDENTIALS,
        TOKEN,
        WEBHOOK,
        READ_CALLERS,
        ADD_CALLER,
        REVIVE_CALLER,
        GET,
        LIST,
        READ_LEDGER,
        _send("queue", "the queue"),
    ),
    "AnswerCallerRole": (
        CREDENTIALS,
        WEBHOOK,
        _write("token", "the access token"),
        READ_CALLERS,
        ADD_CALLER,
        REVIVE_CALLER,
        DELETE,
        DELETE_VERSION,
        PUT_ELSEWHERE,
        GET_ELSEWHERE,
        LIST_ALL,
        _receive("queue", "the queue"),
        _send("dead_letters", "the dead-letter queue"),
        READ_LEASES,
        READ_LEDGER,
        FORGET,
        INVOKE,
    ),
    "AnnounceArchivedRole": (
        CREDENTIALS,
        TOKEN,
        WEBHOOK,
        PUT,
        DELETE,
        DELETE_VERSION,
        GET_ELSEWHERE,
        LIST,
        READ_LEDGER,
        WRITE_LEDGER,
        _receive("queue", "the queue"),
        _send("event_queue", "the event queue"),
        PUT_EVENT_ELSEWHERE,
    ),
    "ConsoleRole": (
        CREDENTIALS,
        TOKEN,
        WEBHOOK,
        PUT,
        DELETE,
        DELETE_VERSION,
        GET_ELSEWHERE,
        LIST,
        READ_LEDGER,
        FORGET,
        READ_LEASES,
        _receive("queue", "the queue"),
        _send("queue", "the queue"),
        INVOKE,
        ASSUME,
    ),
    "RefreshTokenRole": (
        WEBHOOK,
        _write("credentials", "Bigin's client secret and refresh token"),
        GET,
        PUT,
        LIST,
        _receive("queue", "the queue"),
        _send("queue", "the queue"),
    ),
}
# What each role may do, so that a denial is one of this action and not of everything.
ALLOWED: dict[str, Call] = {
    "ArchiveQueuedRole": TOKEN.call,
    "ArchiveNowRole": LIST.call,
    "ReceiveWebhookRole": WEBHOOK.call,
    "QueueRecordsRole": _receive("record_queue", "").call,
    "SweepRole": READ_LEDGER.call,
    "AuthorizeCallerRole": lambda c, p: c["dynamodb"].get_item(TableName=p.callers, Key={"key_id": {"S": "1"}}),
    "AnswerCallerRole": LIST.call,
    "AnnounceArchivedRole": PUT_EVENT.call,
    "ConsoleRole": lambda c, p: c["dynamodb"].query(
        TableName=p.ledger,
        KeyConditionExpression="#record = :record",
        ExpressionAttributeNames={"#record": "record"},
        ExpressionAttributeValues={":record": {"S": "Contacts/1"}},
    ),
    "RefreshTokenRole": CREDENTIALS.call,
}


def table() -> str:
    """The table of the page: every row was tried and refused in the last run of the tests."""
    rows = [
        f"| {role.removesuffix('Role')} | {denial.words} | `{denial.action}` |\n"
        for role, denials in DENIALS.items()
        for denial in denials
    ]
    return HEADER + "".join(rows)
