"""The metrics that alarms and dashboard look at are those that the handlers really write: name, unit, dimensions."""

import json
from collections.abc import Callable
from typing import Any

import pytest

from bigin_archive.archive_request import MODULES
from bigin_archive.queueing.archive_queue import LISTED_SIZE
from bigin_archive.telemetry import METRICS
from tests.aws import Aws
from tests.bigin import TOKEN, Simulator
from tests.lambdas import Context, api_event, load, sqs_event
from tests.template.parsed import STACK, looked_at_by_alarms, looked_at_by_the_dashboard

pytestmark = pytest.mark.in_memory

OURS = [found for found in (*looked_at_by_alarms(), *looked_at_by_the_dashboard()) if found.namespace == "BiginArchive"]
ERROR = {"status": "error", "message": "m", "details": {}}
GIB = 1024**3
# Metric and names of its dimensions: unit, and the values of the dimensions that were seen.
Written = dict[tuple[str, frozenset[str]], tuple[str, set[tuple[tuple[str, str], ...]]]]


def written(output: str) -> Written:
    """What the lines in embedded metric format tell CloudWatch."""
    found: Written = {}
    for line in output.splitlines():
        document = json.loads(line) if '"_aws"' in line else {}
        for directive in document.get("_aws", {}).get("CloudWatchMetrics", []):
            assert directive["Namespace"] == "BiginArchive"
            for names in directive["Dimensions"]:
                values = tuple(sorted((name, document[name]) for name in names))
                for metric in directive["Metrics"]:
                    assert metric["Name"] in document
                    seen = found.setdefault((metric["Name"], frozenset(names)), (metric["Unit"], set()))
                    assert seen[0] == metric["Unit"]
                    seen[1].add(values)
    return found


def work(worker: Any, *requests: object) -> None:
    bodies = [request if isinstance(request, str) else json.dumps(request) for request in requests]
    worker.handler(sqs_event(bodies), Context(300))


def everything(aws: Aws, bigin: Simulator, set_variable: Callable[[str, str], None]) -> None:
    """Each outcome that a metric counts, by the real handlers."""
    set_variable("POWERTOOLS_SERVICE_NAME", STACK)
    worker = load("archive_queued")
    archived, settled = bigin.add(b"content"), bigin.attachments()
    work(worker, archived)
    work(worker, archived, *(found for found in settled if found["kind"] != "file"))
    work(worker, {**archived, "attachment_id": "404"}, "no request")
    answers: list[tuple[int, Any]] = [
        (403, {"code": "NO_PERMISSION", **ERROR}),
        (502, "bad gateway"),
        (401, {"code": "OAUTH_SCOPE_MISMATCH", **ERROR}),
        (401, {"code": "INVALID_TOKEN", **ERROR}),
    ]
    for status, body in answers:
        request = bigin.add(b"x")
        bigin.answer(status, body, attachment_id=request["attachment_id"], times=None)
        work(load("archive_queued"), request)
    large, other = bigin.add(b"x"), bigin.add(b"x", file_name="a", record_id="994")
    bigin.fault({"kind": "declared", "size": GIB + 1}, attachment_id=large["attachment_id"])
    work(load("archive_queued"), large)
    aws.s3.put_object(Bucket=aws.bucket, Key=f"bigin/Contacts/994/{other['attachment_id']}/a", Body=b"other bytes")
    work(load("archive_queued"), {"module": "Contacts", "record_id": "994"})
    (message,) = aws.messages(aws.queue_url)
    event = sqs_event([message["Body"]])
    size = message["MessageAttributes"][LISTED_SIZE]["StringValue"]
    event["Records"][0]["messageAttributes"] = {LISTED_SIZE: {"stringValue": size}}
    load("archive_queued").handler(event, Context(300))
    load("archive_now").handler(api_event("no request"), Context())
    for module in MODULES:
        if ids := bigin.record_ids(module):
            bigin.control("DELETE", "records", {"module": module, "record_ids": ids})
    sweep = load("sweep_account")
    state = sweep.handler({"start": {}}, Context(840))
    while state["phase"] != "done":
        aws.sqs.purge_queue(QueueUrl=aws.queue_url)
        state = sweep.handler({}, Context(840))
    set_variable("LEDGER_TABLE", "no-such-table")
    work(load("archive_queued"), bigin.add(b"x"))
    set_variable("BUCKET", "no-such-bucket")
    work(load("archive_queued"), bigin.add(b"x"))
    refresher = load("refresh_token")
    aws.put_secret(aws.credentials_secret_id, {"client_id": "test", "client_secret": "test", "refresh_token": "test"})
    refresher.handler({}, Context())
    refresher.handler({"only_tell": True}, Context())
    aws.store_token(TOKEN)
    aws.put_secret(aws.webhook_secret_id, {"webhook_secret": "s" * 40})
    set_variable("WATCH_MODULES", "Contacts")
    url = "https://api.execute-api.us-east-1.amazonaws.com/v1/webhooks/bigin"
    load("receive_webhook").handler({"renew_channels": url}, Context())


@pytest.fixture(scope="module")
def seen() -> Written:
    """Filled by the first test of a run that asks for it: the handlers have to run only once."""
    return {}


@pytest.fixture
def metrics(
    seen: Written,
    aws: Aws,
    bigin: Simulator,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> Written:
    if not seen:
        everything(aws, bigin, monkeypatch.setenv)
        seen.update(written(capsys.readouterr().out))
    return seen


def test_every_metric_that_is_looked_at_is_written(metrics: Written) -> None:
    """Every metric of an alarm or a widget is written with its name and dimensions."""
    for looked in OURS:
        assert (looked.name, looked.dimension_names) in metrics, looked
        assert dict(looked.dimensions) == {"service": STACK}, looked


def test_every_axis_has_the_unit_of_its_metrics(metrics: Written) -> None:
    """What a widget writes at its axis is the unit of what it shows."""
    for looked in OURS:
        if looked.axis:
            assert looked.axis == metrics[looked.name, looked.dimension_names][0], looked


def test_what_is_written_is_what_is_known(metrics: Written) -> None:
    """The metrics of all handlers are those of the one table, with the stack's name as their only dimension."""
    assert {name for name, _ in metrics} == set(METRICS)
    assert {names for _, names in metrics} == {frozenset({"service"})}


def test_every_metric_is_looked_at(metrics: Written) -> None:
    """Nothing is counted, and paid for, that neither an alarm nor the dashboard shows."""
    looked = {found.name for found in OURS}

    assert {name for name, _ in metrics if name not in looked} == set()
