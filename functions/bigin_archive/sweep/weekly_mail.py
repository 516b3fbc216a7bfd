"""The weekly mail: on Monday, after the night's sweep, the alarm topic gets a mail about the archive.

It also comes when all is well, so that its absence is noticed. It is sent before that is noted: if the function dies in
between, it comes twice.
"""

import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any, Self
from urllib.parse import quote

from bigin_archive.audit.difference_kinds import Kind
from bigin_archive.aws.dynamodb import call
from bigin_archive.aws.error_codes import AWS_ERRORS, code_of
from bigin_archive.clock import parse
from bigin_archive.errors import ArchiveError
from bigin_archive.ledger.credit_usage import DAY_S, CreditUsage
from bigin_archive.ledger.ledger import CONTROL
from bigin_archive.queueing.archive_queue import ArchiveQueue
from bigin_archive.settings import Settings
from bigin_archive.storage import audit_report
from bigin_archive.sweep.cursor import SweepState
from bigin_archive.sweep.weekly_text import Figures, mail
from bigin_archive.sweep.weekly_words import LANGUAGES
from bigin_archive.telemetry import Reporter

if TYPE_CHECKING:
    from mypy_boto3_dynamodb import DynamoDBClient

# List prices of us-east-1, as the cost model computes them (a test compares): the empty stack and a GB for a month,
# one file on its way.
IDLE_USD_A_MONTH, GB_USD_A_MONTH, FILE_USD = 1.40, 0.023, 0.000033
_WEEKS_A_MONTH = 30.4 / 7
# The partitions of AWS whose console has a host of its own (AWS Management Console, "Endpoints").
_CONSOLES = {"cn-": "console.amazonaws.cn", "us-gov-": "console.amazonaws-us-gov.com"}
_KEY = {"record": {"S": f"{CONTROL}mail"}, "attachment_id": {"S": "weekly"}}


@dataclass(frozen=True, slots=True)
class MailSettings(Settings):
    """Who gets the mail, and in which language; both are needed. ``report_url`` is the console or S3's report."""

    ledger_table: str
    report_url: str
    stack: str = "bigin-archive"
    mail_topic_arn: str = ""
    weekly_mail: str = "OFF"
    is_scheduled: bool = False
    links_table: str = ""  # of the console, where there is one

    @classmethod
    def from_env(cls, env: Mapping[str, str]) -> Self:
        return cls.read(
            env,
            report_url=env.get("CONSOLE_URL") or _report_page(env),
            stack=env.get("POWERTOOLS_SERVICE_NAME"),
            is_scheduled=bool(env.get("SWEEP_SCHEDULE")),
        )


@dataclass(frozen=True, slots=True)
class WeeklyMail:
    """Writes and sends the mail of one stack.

    ``share`` is in credits a day; ``many_links`` counts the console's users who got many, by the week's Monday.

    ``own_file`` reads what the audit wrote, by its path below the prefix; ``sns`` makes a client when needed.
    """

    settings: MailSettings
    share: int
    client: "DynamoDBClient"
    own_file: Callable[[str], bytes | None]
    credits_used: CreditUsage
    dead_letter_queues: list[ArchiveQueue]
    sns: Callable[[], Any]
    reporter: Reporter
    now: Callable[[], float]
    many_links: Callable[[str], int]

    def send_if_due(self, state: SweepState | None, reason: str | None, *, at_once: bool = False) -> None:
        """Send it if it is due, or ``at_once``. A failure is logged and retried by the next slice.

        ``reason`` says why the archive is not proved; None if it is.
        """
        if not self.settings.mail_topic_arn or self.settings.weekly_mail not in LANGUAGES:
            return
        now = datetime.fromtimestamp(self.now(), UTC)
        try:
            noted = self._noted()
            if not at_once and not self._is_due(now, noted, state):
                return
            figures = self._figures(now, noted, reason)
            subject, text = mail(figures, self.settings.weekly_mail)
            self.sns().publish(TopicArn=self.settings.mail_topic_arn, Subject=subject, Message=text)
            self._note(now, figures)
        except AWS_ERRORS as error:
            self.reporter.report("weekly_mail_failed", {"error_detail": code_of(error)})
        except ArchiveError as error:
            self.reporter.report("weekly_mail_failed", {"error_code": error.code, "error_detail": error.detail})
        else:
            self.reporter.report("weekly_mail_sent", {})

    def _is_due(self, now: datetime, noted: Mapping[str, Any], state: SweepState | None) -> bool:
        monday = (now - timedelta(days=now.weekday())).replace(hour=0, minute=0, second=0, microsecond=0)
        if not noted:
            self._note(now, None)  # the stack is new: its first whole week is told
            return False
        last = parse(noted["sent_at"])
        if last is not None and last >= monday:
            return False
        finished = parse(state.finished_at) if state else None
        waits = state is None or not state.is_done or finished is None or finished < monday
        # The mail does not wait for a sweep that takes longer than its night, or does not run.
        return not (self.settings.is_scheduled and waits) or now >= monday + timedelta(days=1)

    def _figures(self, now: datetime, noted: Mapping[str, Any], reason: str | None) -> Figures:
        # One that is being written, or was changed by somebody, is treated as missing.
        report = audit_report.summary(self.own_file(audit_report.PATH) or b"")
        total, verdict = report.get("total"), report.get("verdict")
        if not (isinstance(total, dict) and isinstance(verdict, str)):
            report, total, verdict = {}, {}, None
        archived, size_bytes = _count(total.get("archived")), _count(total.get("size_bytes"))
        before, bytes_before = noted.get("archived"), noted.get("size_bytes")
        week = None if before is None else max(0, archived - before)
        needs = {"dead_letters": sum(queue.waiting() for queue in self.dead_letter_queues)}
        if reason:
            needs[reason] = _differences(report) if reason == "audit_not_complete" else 1
        if not report:
            needs["never_audited"] = 1
        last_week = (now - timedelta(days=now.weekday() + 7)).date().isoformat()
        needs["many_links"] = self.many_links(last_week)
        used = self.credits_used.used(7 * DAY_S).used
        dollars = (IDLE_USD_A_MONTH + GB_USD_A_MONTH * size_bytes / 1e9) / _WEEKS_A_MONTH + FILE_USD * (week or 0)
        return Figures(
            stack=self.settings.stack,
            now=now,
            archived=archived,
            size_bytes=size_bytes,
            archived_week=week,
            bytes_week=None if bytes_before is None else max(0, size_bytes - bytes_before),
            verdict=verdict,
            audited_at=parse(report.get("finished_at")),
            complete_as_of=parse(report.get("complete_as_of")),
            needs=needs,
            credits=used,
            credits_share=7 * self.share,
            dollars=dollars,
            report_url=self.settings.report_url if report else None,
        )

    def _noted(self) -> dict[str, Any]:
        item = call(self.client, "get_item", TableName=self.settings.ledger_table, Key=_KEY, ConsistentRead=True)
        noted: dict[str, Any] = json.loads(item["Item"]["mail"]["S"]) if "Item" in item else {}
        return noted

    def _note(self, now: datetime, figures: Figures | None) -> None:
        noted: dict[str, Any] = {"sent_at": now.isoformat()}
        if figures:
            noted |= {"archived": figures.archived, "size_bytes": figures.size_bytes}
        call(
            self.client,
            "put_item",
            TableName=self.settings.ledger_table,
            Item={**_KEY, "mail": {"S": json.dumps(noted)}},
        )


def _report_page(env: Mapping[str, str]) -> str:
    """The page of S3's own console that opens the report. A presigned address would open it to everybody."""
    key, region = quote(f"{env.get('KEY_PREFIX', '')}{audit_report.PAGE_PATH}"), env.get("AWS_REGION", "")
    own = next((host for part, host in _CONSOLES.items() if region.startswith(part)), "console.aws.amazon.com")
    return f"https://{region}.{own}/s3/object/{env.get('BUCKET', '')}?region={region}&prefix={key}"


def _differences(report: Mapping[str, Any]) -> int:
    """How many differences of the last report prevent ``complete``; at least 1, since something does."""
    found = report.get("kinds")
    told = {kind.code for kind in Kind if kind.only_told}
    counts = found.items() if isinstance(found, dict) else ()
    return max(1, sum(_count(count) for code, count in counts if code not in told))


def _count(found: object) -> int:
    return found if isinstance(found, int) else 0
