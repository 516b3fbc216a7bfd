"""The weekly mail: when it comes, and what it says."""

import json
import os
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

import boto3
import pytest

from bigin_archive.console.link_limit import MANY_LINKS, TableLinkLimit
from bigin_archive.deadline import Deadline
from bigin_archive.sweep.sweep import SweepRequest
from bigin_archive.sweep.weekly_mail import MailSettings
from bigin_archive.sweep.weekly_text import Figures, mail
from bigin_archive.sweep.weekly_words import LANGUAGES, NEEDS
from bigin_archive.wiring.sweep_account import sweep
from local.emulator import Emulator
from tests.aws import Aws
from tests.bigin import Simulator

pytestmark = pytest.mark.in_memory

MONDAY = datetime(2026, 2, 2, tzinfo=UTC)
HOUR = timedelta(hours=1)
FIGURES = Figures(
    stack="bigin-archive",
    now=MONDAY + HOUR,
    archived=3456,
    size_bytes=12_300_000_000,
    archived_week=1234,
    bytes_week=34_500_000,
    verdict="complete",
    audited_at=MONDAY,
    complete_as_of=MONDAY - timedelta(days=4),
    needs={},
    credits=4321,
    credits_share=175_000,
    dollars=0.4,
    report_url="https://console.example/report",
)


@pytest.fixture(autouse=True)
def emulated_sns(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> None:
    """The mails go over the emulator's SNS, wherever everything else is."""
    if "aws" in request.fixturenames:
        emulator: Emulator = request.getfixturevalue("emulator")
        request.getfixturevalue("aws")  # which sets the environment first
        monkeypatch.setenv("AWS_ENDPOINT_URL_SNS", emulator.url)
        monkeypatch.setenv("AWS_CA_BUNDLE", str(emulator.ca_bundle))


class Week:
    """A stack whose slices run when the test says so, and the mails that it sent."""

    def __init__(self, aws: Aws, language: str = "EN", *, links: bool = False) -> None:
        self.now = MONDAY - timedelta(days=3)
        session = boto3.session.Session()  # boto3's own remembers the addresses of earlier tests
        sns, sqs = session.client("sns"), session.client("sqs", endpoint_url=os.environ["AWS_ENDPOINT_URL_SNS"])
        self._sqs, self._inbox = sqs, sqs.create_queue(QueueName=f"{aws.bucket}-inbox")["QueueUrl"]
        arn = sqs.get_queue_attributes(QueueUrl=self._inbox, AttributeNames=["QueueArn"])["Attributes"]["QueueArn"]
        allow = {"Effect": "Allow", "Principal": {"Service": "sns.amazonaws.com"}, "Action": "sqs:*", "Resource": "*"}
        policy = json.dumps({"Version": "2012-10-17", "Statement": [allow]})
        sqs.set_queue_attributes(QueueUrl=self._inbox, Attributes={"Policy": policy})
        topic = sns.create_topic(Name=aws.bucket)["TopicArn"]
        sns.subscribe(TopicArn=topic, Protocol="sqs", Endpoint=arn)
        more = {"WEEKLY_MAIL": language, "MAIL_TOPIC_ARN": topic, "AWS_REGION": "eu-central-1"}
        self.links_table = f"{aws.bucket}-links"
        if links:
            aws.dynamodb.create_table(
                TableName=self.links_table,
                BillingMode="PAY_PER_REQUEST",
                AttributeDefinitions=[{"AttributeName": "user", "AttributeType": "S"}],
                KeySchema=[{"AttributeName": "user", "KeyType": "HASH"}],
            )
            more["LINKS_TABLE"] = self.links_table
        self._sweep, self._heartbeat = sweep({**aws.environment, **more}, now=lambda: self.now.timestamp())
        self._aws = aws

    def slice(self, at: datetime, *, start: bool = False, at_once: bool = False) -> list[dict[str, Any]]:
        """One slice; the mails that it sent."""
        self.now = at
        state = self._sweep.work(SweepRequest() if start else None, Deadline(840))
        while start and state and not state.is_done:
            self._aws.sqs.purge_queue(QueueUrl=self._aws.queue_url)
            self.now += timedelta(minutes=15)
            state = self._sweep.work(None, Deadline(840))
        self._heartbeat.tell(state, mail_at_once=at_once)
        found = self._sqs.receive_message(QueueUrl=self._inbox, MaxNumberOfMessages=10, WaitTimeSeconds=0)
        return [json.loads(message["Body"]) for message in found.get("Messages", [])]


def test_it_comes_once_a_week_after_the_sweep(aws: Aws, bigin: Simulator) -> None:
    """The mail comes once on Monday, after the night's sweep, and again a week later."""
    week = Week(aws)

    assert [] == week.slice(MONDAY - timedelta(days=3))
    assert [] == week.slice(MONDAY + HOUR / 2)  # the sweep of this night has not begun
    (mail,) = week.slice(MONDAY + HOUR, start=True)
    assert "bigin-archive" in mail["Subject"]
    assert [] == week.slice(MONDAY + 3 * HOUR)
    assert [] == week.slice(MONDAY + timedelta(days=4), start=True)
    assert 1 == len(week.slice(MONDAY + timedelta(days=7) + HOUR, start=True))


def test_it_says_as_of_when_the_archive_is_complete(aws: Aws) -> None:
    """A check may be younger than the lists that it relies on: the nights between two sweeps of everything."""
    week = Week(aws)
    week.slice(MONDAY - timedelta(days=3))
    times = {"finished_at": MONDAY.isoformat(), "complete_as_of": (MONDAY - timedelta(days=4)).isoformat()}
    report = {"verdict": "complete", "total": {"archived": 3}, **times}
    aws.s3.put_object(Bucket=aws.bucket, Key="bigin/_audit/latest.json", Body=json.dumps(report).encode())

    (sent,) = week.slice(MONDAY + timedelta(days=1, hours=1))

    assert "complete as of 2026-01-29 00:00 UTC, checked 2026-02-02 00:00 UTC" in sent["Message"]
    assert "mit Stand vom 29.01.2026 00:00 UTC, geprüft am 02.02.2026 00:00 UTC" in mail(FIGURES, "DE")[1]


@pytest.mark.parametrize(
    "report",
    [
        {"total": [], "verdict": "complete"},
        {"total": {"archived": "many", "size_bytes": None}, "verdict": "partial", "kinds": {"x": "y"}},
        {"total": {"archived": 3}, "verdict": []},
        {"verdict": "complete"},
    ],
    ids=["totals", "counts", "verdict", "none"],
)
def test_a_report_that_somebody_changed_holds_up_no_mail(aws: Aws, report: object) -> None:
    """What cannot be read of it is left out, and the slice goes on."""
    week = Week(aws)
    week.slice(MONDAY - timedelta(days=3))
    aws.s3.put_object(Bucket=aws.bucket, Key="bigin/_audit/latest.json", Body=json.dumps(report).encode())

    (sent,) = week.slice(MONDAY + timedelta(days=1, hours=1))

    assert "Archived in all:    0 files" in sent["Message"]


def test_no_sweep_holds_it_up(aws: Aws) -> None:
    """If the night's sweep does not end, the mail comes on Tuesday and says what is wrong."""
    week = Week(aws)

    week.slice(MONDAY - timedelta(days=3))
    assert [] == week.slice(MONDAY + timedelta(hours=23))
    (mail,) = week.slice(MONDAY + timedelta(hours=25))

    assert "has to do something" in mail["Subject"]
    assert "bigin-archive doctor --stack" in mail["Message"]


def test_it_says_what_to_do(aws: Aws, bigin: Simulator) -> None:
    """A dead letter and a file that is not archived are named, each with its command, and the report's own page."""
    week = Week(aws)
    bigin.add(b"never archived")
    aws.sqs.send_message(QueueUrl=aws.dead_letter_queue_url, MessageBody="x")

    week.slice(MONDAY - timedelta(days=1), start=True)
    (mail,) = week.slice(MONDAY, at_once=True)

    text = mail["Message"]
    assert "Not archived: 1 file(s) or record(s)" in text
    assert "bigin-archive redrive" in text
    assert "bigin-archive audit --repair" in text
    assert f"/s3/object/{aws.bucket}?region=eu-central-1&prefix=bigin/_audit/latest.html" in text
    assert "X-Amz-" not in text


def test_it_tells_of_many_links(aws: Aws) -> None:
    """The mail names a user who got more than 200 links in its week, once."""
    week = Week(aws, links=True)
    for user, links in (("anna", MANY_LINKS + 1), ("bert", MANY_LINKS)):
        for number in range(links):
            moment = MONDAY - timedelta(days=5) + number * timedelta(minutes=1)
            TableLinkLimit(aws.dynamodb, week.links_table, moment.timestamp).take(user)

    (this,) = week.slice(MONDAY + HOUR, at_once=True)
    (later,) = week.slice(MONDAY + timedelta(days=7), at_once=True)

    assert "1 person(s) opened more than 200 files" in this["Message"]
    assert "bigin-archive console list" in this["Message"]
    assert "opened more than" not in later["Message"]


def test_german(aws: Aws) -> None:
    """The parameter chooses the language; the subject stays within what SNS takes."""
    (mail,) = Week(aws, "DE").slice(MONDAY, at_once=True)

    assert "noch nie geprüft" in mail["Message"]
    assert mail["Subject"].isascii()


def test_without_a_language_none_is_sent(aws: Aws) -> None:
    """With WeeklyMail OFF no mail is sent, even if one is asked for at once."""
    assert [] == Week(aws, "OFF").slice(MONDAY, at_once=True)


@pytest.mark.parametrize("language", LANGUAGES)
@pytest.mark.parametrize("need", [None, *NEEDS])
def test_every_case_has_its_words(language: str, need: str | None) -> None:
    """Well or not, a mail has a subject that SNS takes, no gap, every figure, and the way to notice its absence."""
    needs = {need: 2} if need else {}
    subject, text = mail(FIGURES.__class__(**{**_fields(FIGURES), "needs": needs}), language)

    assert 0 < len(subject) <= 100
    assert subject.isascii()
    assert "{" not in subject + text
    for figure in ("3.456" if language == "DE" else "3,456", "https://console.example/report", "bigin-archive doctor"):
        assert figure in text
    assert ("1. " in text) is bool(need)
    assert all(len(line) <= 110 for line in text.splitlines())


def _fields(figures: Figures) -> dict[str, Any]:
    return {name: getattr(figures, name) for name in figures.__slots__}


@pytest.mark.parametrize(
    ("language", "one", "many"), [("EN", "1 file, 1 KB", "1,000 files"), ("DE", "1 Datei, 1 KB", "1.000 Dateien")]
)
def test_one_file_is_told_as_one(language: str, one: str, many: str) -> None:
    """Subject and text use the singular for one file, and give the size of a small file."""
    few = replace(FIGURES, archived=1000, archived_week=1, bytes_week=12)
    subject, text = mail(few, language)

    assert one in text
    assert many in text
    assert f"{one.partition(',')[0]} " in subject


@pytest.mark.parametrize(
    ("region", "host"),
    [
        ("eu-central-1", "eu-central-1.console.aws.amazon.com"),
        ("cn-north-1", "cn-north-1.console.amazonaws.cn"),
        ("us-gov-west-1", "us-gov-west-1.console.amazonaws-us-gov.com"),
    ],
)
def test_the_report_is_on_the_console_of_its_partition(region: str, host: str) -> None:
    """The link leads to S3's own console, where one has to sign in, or to the archive's console if there is one."""
    names = ("LEDGER_TABLE", "MAIL_TOPIC_ARN")
    env = {**dict.fromkeys(names, "x"), "AWS_REGION": region, "BUCKET": "b", "KEY_PREFIX": "bigin/"}

    assert MailSettings.from_env(env).report_url == (
        f"https://{host}/s3/object/b?region={region}&prefix=bigin/_audit/latest.html"
    )
    assert MailSettings.from_env({**env, "CONSOLE_URL": "https://own"}).report_url == "https://own"
