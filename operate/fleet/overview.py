"""One stack in one line, for a person who looks after many. Only reads."""

from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta

from bigin_archive.audit.comparison import COMPLETE
from bigin_archive.clock import parse
from bigin_archive.ledger.credit_usage import CreditUsage
from bigin_archive.queueing.archive_queue import ArchiveQueue
from bigin_archive.storage import audit_report
from bigin_archive.sweep.credit_budget import CreditBudget
from operate.connect.secrets import StackSecrets
from operate.doctor.bigin import OLD
from operate.doctor.stack import resources
from operate.errors import OperateError
from operate.stack.archive import translate_errors
from operate.stack.aws import Account, aws_errors
from operate.stack.stack import Stack

_OLD_VERDICT = timedelta(days=2)  # a sweep runs each night
_ALARMS_A_CALL = 100  # CloudWatch API Reference, DescribeAlarms


@dataclass(slots=True)
class Overview:
    """One stack. None means not known, and ``problems`` says why. Every problem needs attention."""

    stack: str
    region: str
    profile: str | None
    verdict: str | None = None
    audited_at: str | None = None
    archived: int | None = None
    waiting: int | None = None
    dead_letters: int | None = None
    token_age_s: int | None = None
    alarms: list[str] = field(default_factory=list)
    credits_used: int | None = None
    credits_share: int | None = None
    problems: list[str] = field(default_factory=list)


def overview(account: Account, stack: Stack, now: datetime | None = None) -> Overview:
    """Look at one stack. A part that cannot be read becomes a problem in its line."""
    made = Overview(stack.name, stack.region, account.profile)
    now = now or datetime.now(UTC)
    looks: tuple[Callable[[Account, Stack, Overview, datetime], None], ...] = (
        _audit, _queues, _token, _alarms, _credits,
    )  # fmt: skip
    for look in looks:
        try:
            look(account, stack, made, now)
        except OperateError as error:
            made.problems.append(error.problem)
    return made


def _audit(account: Account, stack: Stack, made: Overview, now: datetime) -> None:
    s3 = account.client("s3")
    key, beginning = f"{stack.key_prefix}{audit_report.PATH}", f"bytes=0-{audit_report.BEGINNING_BYTES - 1}"
    with aws_errors("read the last audit"):
        try:
            head = s3.get_object(Bucket=stack.bucket, Key=key, Range=beginning)["Body"].read()
        except s3.exceptions.NoSuchKey:
            made.problems.append("no audit yet: bigin-archive sweep")
            return
    report = audit_report.summary(head)
    try:
        audited_at = parse(report["finished_at"])
        archived = sum(int(totals["archived"]) + int(totals["links"]) for totals in report["modules"].values())
        verdict = str(report["verdict"])
    except (LookupError, TypeError, ValueError, AttributeError):
        audited_at = None
    if audited_at is None:  # somebody else wrote it
        made.problems.append("the last audit cannot be read")
        return
    made.verdict, made.audited_at, made.archived = verdict, report["finished_at"], archived
    if made.verdict != COMPLETE:
        made.problems.append(f"audit {made.verdict}")
    if now - audited_at > _OLD_VERDICT:
        made.problems.append("no audit for two days")


def _queues(account: Account, stack: Stack, made: Overview, now: datetime) -> None:
    sqs = account.client("sqs")
    with translate_errors("read the queues"):
        made.waiting = ArchiveQueue(sqs, stack.queue_url).waiting()
        made.dead_letters = ArchiveQueue(sqs, stack.dead_letter_queue_url).waiting()
    if made.dead_letters:
        made.problems.append(f"{made.dead_letters:,} dead letters")


def _token(account: Account, stack: Stack, made: Overview, now: datetime) -> None:
    stored = StackSecrets(account.client("secretsmanager"), stack).token()
    if stored.token is None or stored.written_at is None:
        made.problems.append("not connected to Bigin")
        return
    age = now - stored.written_at
    made.token_age_s = max(0, int(age.total_seconds()))
    if age > OLD:
        made.problems.append("the token is not renewed")


def _alarms(account: Account, stack: Stack, made: Overview, now: datetime) -> None:
    names = [physical for logical, physical in resources(account, stack).items() if logical.endswith("Alarm")]
    cloudwatch = account.client("cloudwatch")
    with aws_errors("look at the alarms"):
        for start in range(0, len(names), _ALARMS_A_CALL):
            some = names[start : start + _ALARMS_A_CALL]
            found = cloudwatch.describe_alarms(AlarmNames=some, StateValue="ALARM")["MetricAlarms"]
            made.alarms += [alarm["AlarmName"] for alarm in found]
    if made.alarms:
        made.problems.append(f"{len(made.alarms)} alarms")


def _credits(account: Account, stack: Stack, made: Overview, now: datetime) -> None:
    made.credits_share = CreditBudget(stack.daily_credits, stack.share_percent).share
    with translate_errors("read the credits"):
        made.credits_used = CreditUsage(account.client("dynamodb"), stack.ledger_table).used().used
