"""`bigin-archive fleet`: every stack in one line, and who needs somebody."""

import json
import uuid
from datetime import UTC, datetime, timedelta

import pytest

from operate.fleet.overview import Overview, overview
from operate.stack.aws import Account
from operate.stack.stack import find
from tests.aws import Aws
from tests.functional.test_operate_stack import deploy, run

pytestmark = pytest.mark.in_memory

REPORT = {
    "verdict": "complete",
    "finished_at": datetime.now(UTC).isoformat(),
    "modules": {"Contacts": {"archived": 20, "links": 1}, "Notes": {"archived": 3, "links": 0}},
}


def report(aws: Aws, prefix: str = "bigin/", differences: int = 0, **changed: object) -> None:
    """The last audit of the bucket, as the auditor writes it: the differences at its end."""
    head = json.dumps({**REPORT, **changed}, indent=1)
    rows = ",\n  ".join(json.dumps({"kind": "parked", "detail": "x" * 100}) for _ in range(differences))
    body = head[: head.rindex("\n}")] + ',\n "differences": [\n  ' + rows + "\n ]\n}\n"
    aws.client("s3").put_object(Bucket=aws.bucket, Key=f"{prefix}_audit/latest.json", Body=body.encode())


def seen(aws: Aws, now: datetime | None = None) -> Overview:
    account = Account(None, None)
    return overview(account, find(account, deploy(aws)), now)


def test_a_stack_that_is_well_needs_nobody(aws: Aws) -> None:
    """Its line tells the audit, the files, the queues, the token and the credits."""
    report(aws, differences=2000)  # more than what is read of it

    row = seen(aws)

    assert [] == row.problems
    assert ("complete", 24, 0, 0) == (row.verdict, row.archived, row.waiting, row.dead_letters)
    assert row.token_age_s is not None
    assert (0, 25_000) == (row.credits_used, row.credits_share)


@pytest.mark.parametrize(
    ("changed", "hours", "problem"),
    [
        ({"verdict": "partial"}, 0, "audit partial"),
        ({"verdict": "failed", "modules": {}}, 0, "audit failed"),
        ({}, 49, "no audit for two days"),
        ({}, 1, "the token is not renewed"),
        ({"modules": []}, 0, "the last audit cannot be read"),
        ({"modules": {"Contacts": {"archived": "many", "links": 0}}}, 0, "the last audit cannot be read"),
        ({"finished_at": "yesterday"}, 0, "the last audit cannot be read"),
        ({"finished_at": 7}, 0, "the last audit cannot be read"),
    ],
    ids=["partial", "failed", "old audit", "old token", "no modules", "no number", "no time", "a number"],
)
def test_what_needs_somebody(aws: Aws, changed: dict[str, object], hours: int, problem: str) -> None:
    """An audit that is not complete or too old needs somebody, and so does a token that nobody renews."""
    report(aws, **changed)

    assert problem in seen(aws, datetime.now(UTC) + timedelta(hours=hours)).problems


def test_a_stack_without_audit_token_or_queue(aws: Aws) -> None:
    """What cannot be read is a problem of its line, and hides no other."""
    aws.put_secret(aws.token_secret_id, {})
    aws.sqs.send_message(QueueUrl=aws.dead_letter_queue_url, MessageBody="{}")

    row = seen(aws)

    assert {"no audit yet: bigin-archive sweep", "1 dead letters", "not connected to Bigin"} <= set(row.problems)
    assert 1 == row.dead_letters


def test_the_command_shows_every_stack(
    aws: Aws, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """One line a stack, also of one that is of another version; the status says whether one needs somebody."""
    report(aws)
    well = deploy(aws)
    other = deploy(aws, outputs={"CredentialsSecretId": "x", "RefreshTokenFunctionName": "y"})

    assert 1 == run(monkeypatch, "fleet", "--json")

    rows = {row["stack"]: row for row in json.loads(capsys.readouterr().out)["stacks"]}
    assert [] == rows[well]["problems"]
    assert "not a stack of this version" in rows[other]["problems"][0]
    assert 1 == run(monkeypatch, "fleet")
    assert other in capsys.readouterr().out


def test_a_region_without_a_stack_is_told(
    aws: Aws, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """A region without a stack is named, and nothing is wrong."""
    assert 0 == run(monkeypatch, "fleet", "--region", "ap-south-1")
    assert "no stack of Bigin Archive here" in capsys.readouterr().out


def test_a_profile_that_is_not_there_is_explained(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """A profile that does not exist is a usage error."""
    assert 2 == run(monkeypatch, "fleet", "--profile", f"no-{uuid.uuid4().hex}")
    assert "no such AWS profile" in capsys.readouterr().err
