"""Each cause rings one alarm, the one that tells its reader what to do; a day of normal work rings none.

The causes are planted on the servers in memory, the handlers run for real, and what they write is given to the alarms
of the template.
"""

import json
import logging
import os
import time
from collections.abc import Callable
from datetime import UTC, datetime, timedelta

import pytest
import requests

from bigin_archive.bigin.credit_meter import Usage
from bigin_archive.deadline import Deadline
from bigin_archive.ledger.credit_usage import CreditUsage
from bigin_archive.settings import RefreshSettings
from bigin_archive.sweep.sweep import SweepRequest
from bigin_archive.telemetry import reporter
from bigin_archive.token.token_refresher import TokenRefresher
from bigin_archive.wiring.sweep_account import sweep
from tests.alarms import Day, Metric, Told
from tests.aws import Aws
from tests.bigin import Simulator
from tests.lambdas import Context, load, sqs_event
from tests.template.parsed import STACK

pytestmark = pytest.mark.in_memory

ERROR = {"status": "error", "message": "m", "details": {}}
GIB = 1024**3
DAY_S = 86_400
FIVE_MINUTES, SLICE, HOUR = 300, 900, 3600
AGE: Metric = ("AWS/SQS", "ApproximateAgeOfOldestMessage", (("QueueName", "Queue"),))
ERRORS: Metric = ("AWS/Lambda", "Errors", (("FunctionName", "ReceiveWebhookFunction"),))
WEBHOOK = "https://api.execute-api.us-east-1.amazonaws.com/v1/webhooks/bigin"
NORMAL: dict[str, Told] = {}


class Clock:
    """A clock that is set by hand."""

    def __init__(self, now_s: float) -> None:
        self.now_s = now_s

    def __call__(self) -> float:
        return self.now_s


class Stack:
    """What the causes are planted on."""

    def __init__(
        self, aws: Aws, bigin: Simulator, capsys: pytest.CaptureFixture[str], patch: pytest.MonkeyPatch
    ) -> None:
        self.aws, self.bigin, self.set = aws, bigin, patch.setenv
        self._capsys = capsys
        self.day = Day({})

    def told(self) -> Told:
        """What was written since the last time."""
        return Told.of(self._capsys.readouterr().out)

    def work(self, *requests: object, age_s: int = 0) -> None:
        """One batch of the worker, in a container of its own."""
        event = sqs_event([request if isinstance(request, str) else json.dumps(request) for request in requests])
        for record in event["Records"]:
            record["attributes"]["SentTimestamp"] = str(round((time.time() - age_s) * 1000))
        load("archive_queued").handler(event, Context(300))

    def refresh(self, event: dict[str, object]) -> None:
        load("refresh_token").handler(event, Context())

    def slice(self, **event: object) -> dict[str, object]:
        state: dict[str, object] = load("sweep_account").handler(event, Context(840))
        return state


@pytest.fixture
def stack(aws: Aws, bigin: Simulator, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> Stack:
    """A stack on a normal day."""
    made = Stack(aws, bigin, capsys, monkeypatch)
    made.set("POWERTOOLS_SERVICE_NAME", STACK)
    # Powertools keeps a logger's handler, and with it the output of the test that made it.
    logging.root.manager.loggerDict.pop(STACK, None)
    if not NORMAL:
        made.refresh({"only_tell": True})
        NORMAL["refresher"] = made.told()
        made.slice()
        NORMAL["sweep"] = made.told()
        archived, others = bigin.add(b"content"), [found for found in bigin.attachments() if found["kind"] != "file"]
        late = bigin.add(b"at the second try")
        bigin.fault({"kind": "cut", "after": "half", "framing": "chunked"}, attachment_id=late["attachment_id"])
        bigin.control("POST", "records", {"module": "Contacts", "record_id": "4712"})
        made.work(archived, late, *others)
        # A record without attachments, one that is gone, what is archived already, a retry that succeeds.
        made.work({"module": "Contacts", "record_id": "4712"}, {**archived, "attachment_id": "404"}, archived, late)
        NORMAL["worker"] = made.told()
        bigin.no_faults()
    hourly = {"worker": NORMAL["worker"], "age": Told([(AGE, 40)]), "errors": Told([(ERRORS, 0)])}
    made.day.sources = {
        "refresher": (FIVE_MINUTES, NORMAL["refresher"]),
        "sweep": (SLICE, NORMAL["sweep"]),
        **{name: (HOUR, told) for name, told in hourly.items()},
    }
    made.told()
    return made


def hourly(stack: Stack, name: str = "cause") -> None:
    """The metrics so far are repeated each hour, in place of those of the source of that name."""
    stack.day.sources[name] = (HOUR, stack.told())


# ---- Causes that park a request --------------------------------------------------------------------------------------


def parked(stack: Stack) -> None:
    """The worker reports it once, and then each slice of the sweep."""
    hourly(stack)
    stack.slice()
    stack.day.sources["sweep"] = (SLICE, stack.told())


def no_request(stack: Stack) -> None:
    stack.work("no request")
    parked(stack)


def refused(stack: Stack) -> None:
    request = stack.bigin.add(b"x")
    stack.bigin.answer(403, {"code": "NO_PERMISSION", **ERROR}, attachment_id=request["attachment_id"])
    stack.work(request)
    parked(stack)


def too_large(stack: Stack) -> None:
    request = stack.bigin.add(b"x")
    stack.bigin.fault({"kind": "declared", "size": GIB + 1}, attachment_id=request["attachment_id"])
    stack.work(request)
    parked(stack)


def gave_up(stack: Stack) -> None:
    stack.aws.sqs.send_message(QueueUrl=stack.aws.dead_letter_queue_url, MessageBody="moved by SQS itself")
    stack.slice()
    stack.day.sources["sweep"] = (SLICE, stack.told())


def dead_record(stack: Stack) -> None:
    stack.set("DEAD_LETTER_QUEUE_URLS", f"{stack.aws.dead_letter_queue_url} {stack.aws.record_queue_url}")
    stack.aws.sqs.send_message(
        QueueUrl=stack.aws.record_queue_url, MessageBody="x", MessageGroupId="1", MessageDeduplicationId="1"
    )
    stack.slice()
    stack.day.sources["sweep"] = (SLICE, stack.told())


# ---- Causes that keep requests waiting -------------------------------------------------------------------------------


def refusing(status: int, body: object) -> Callable[[Stack], None]:
    """Bigin answers every download so."""

    def plant(stack: Stack) -> None:
        requests = [stack.bigin.add(b"x") for _ in range(4)]
        for request in requests:
            stack.bigin.answer(status, body, attachment_id=request["attachment_id"], times=None)
        stack.work(*requests, age_s=DAY_S)
        hourly(stack, "worker")

    return plant


def bucket(name: str, value: str) -> Callable[[Stack], None]:
    """The functions' S3 address is wrong."""

    def plant(stack: Stack) -> None:
        stack.set(name, value)
        stack.work(stack.bigin.add(b"x"), age_s=DAY_S)
        hourly(stack, "worker")

    return plant


def one_file(stack: Stack) -> None:
    request, good = stack.bigin.add(b"content"), stack.bigin.add(b"good")
    cut = {"kind": "cut", "after": "half", "framing": "chunked"}
    stack.bigin.fault(cut, attachment_id=request["attachment_id"], times=None)
    stack.work(good, request, age_s=DAY_S + 60)
    hourly(stack)


def worker_is_off(stack: Stack) -> None:
    del stack.day.sources["worker"]
    stack.day.sources["age"] = (HOUR, Told([(AGE, 50_000)]))


def a_bug(stack: Stack) -> None:
    worker = stack.aws.worker()
    worker._archiver = None  # type: ignore[assignment]
    worker.work(stack.aws.deliver(*(stack.bigin.add(b"x") for _ in range(3))), Deadline(60))
    hourly(stack)


def time_out(stack: Stack) -> None:
    # AWS Lambda developer guide, "Troubleshoot execution issues in Lambda".
    line = "2026-01-31T09:30:00.000Z 8f3d1a52-0000-4000-8000-000000000000 Task timed out after 300.00 seconds\n"
    stack.day.sources["cause"] = (HOUR, Told.of(3 * line))


# ---- The connection --------------------------------------------------------------------------------------------------


def revoked(stack: Stack) -> None:
    stack.set("TOKEN_SECRET_ID", "no-value-yet")
    stack.aws.put_secret(
        stack.aws.credentials_secret_id, dict.fromkeys(("client_id", "client_secret", "refresh_token"), "x")
    )
    stack.refresh({})
    stack.day.sources["refresher"] = (FIVE_MINUTES, stack.told())


def token_is_old(stack: Stack) -> None:
    settings = RefreshSettings.from_env(stack.aws.environment)
    later = datetime.now(UTC) + timedelta(minutes=51)
    refresher = TokenRefresher(requests.Session(), stack.aws.secrets, settings, lambda: later)
    reports = reporter()
    reports.measure(refresher.stored().metrics())
    reports.flush()
    stack.day.sources["refresher"] = (FIVE_MINUTES, stack.told())


def refresher_is_off(stack: Stack) -> None:
    del stack.day.sources["refresher"]


def channel_dead(stack: Stack) -> None:
    stack.set("WATCH_MODULES", "Contacts")
    stack.aws.put_secret(stack.aws.webhook_secret_id, {"webhook_secret": "s" * 40})
    stack.bigin.control("PATCH", "settings", {"channel_lifetime_s": 60})
    try:
        load("receive_webhook").handler({"renew_channels": WEBHOOK, "scheduled": True}, Context())
    except Exception as error:  # noqa: BLE001 - as Lambda, which counts it
        stack.day.sources["errors"] = (HOUR, Told([(ERRORS, 1)] if "Contacts" in str(error) else []))


# ---- The proof -------------------------------------------------------------------------------------------------------


def swept(stack: Stack, days_later: int = 0) -> None:
    """A whole sweep with its audit, then a slice so much later."""
    clock = Clock(time.time())
    made, heartbeat = sweep(stack.aws.environment, now=clock)
    state = made.work(SweepRequest(), Deadline(840))
    while state and not state.is_done:
        stack.aws.sqs.purge_queue(QueueUrl=stack.aws.queue_url)
        clock.now_s += SLICE
        state = made.work(None, Deadline(840))
    stack.told()
    clock.now_s += days_later * DAY_S
    heartbeat.tell(state)
    stack.day.sources["sweep"] = (SLICE, stack.told())


def empty(stack: Stack) -> None:
    for module in {found["module"] for found in stack.bigin.attachments()}:
        stack.bigin.control("DELETE", "records", {"module": module, "record_ids": stack.bigin.record_ids(module)})


def incomplete(stack: Stack) -> None:
    stack.bigin.add(b"never archived")
    swept(stack)


def overdue(stack: Stack) -> None:
    empty(stack)
    swept(stack, days_later=9)


def stuck(stack: Stack) -> None:
    stack.set("TOKEN_SECRET_ID", "no-value-yet")
    clock = Clock(time.time())
    environment = {**stack.aws.environment, "TOKEN_SECRET_ID": os.environ["TOKEN_SECRET_ID"]}
    made, heartbeat = sweep(environment, now=clock)
    state = made.work(SweepRequest(), Deadline(840))
    for _ in range(12):
        clock.now_s += SLICE
        state = made.work(None, Deadline(840))
    heartbeat.tell(state)
    stack.day.sources["sweep"] = (SLICE, stack.told())


def sweep_is_off(stack: Stack) -> None:
    del stack.day.sources["sweep"]


def above_the_share(stack: Stack) -> None:
    stack.set("DAILY_CREDITS", "1000")
    stack.set("CREDITS_SHARE_PERCENT", "1")
    CreditUsage(stack.aws.dynamodb, stack.aws.ledger_table).add(Usage(20))
    stack.slice()
    stack.day.sources["sweep"] = (SLICE, stack.told())


CAUSES: list[tuple[Callable[[Stack], None], str]] = [
    (no_request, "DeadLetterAlarm"),
    (refused, "DeadLetterAlarm"),
    (too_large, "DeadLetterAlarm"),
    (gave_up, "DeadLetterAlarm"),
    (dead_record, "DeadLetterAlarm"),
    (one_file, "WaitingAlarm"),
    (worker_is_off, "QueueStalledAlarm"),
    (refusing(401, {"code": "INVALID_TOKEN", **ERROR}), "ConnectionAlarm"),
    (refusing(401, {"code": "OAUTH_SCOPE_MISMATCH", **ERROR}), "ConnectionAlarm"),
    (revoked, "ConnectionAlarm"),
    (token_is_old, "ConnectionAlarm"),
    (refresher_is_off, "ConnectionAlarm"),
    (refusing(502, "bad gateway"), "SilentAlarm"),
    (refusing(429, ""), "SilentAlarm"),
    (bucket("AWS_ENDPOINT_URL_S3", "https://127.0.0.1:9"), "SilentAlarm"),
    (bucket("BUCKET", "no-such-bucket"), "StorageRefusedAlarm"),
    (a_bug, "FunctionFailedAlarm"),
    (time_out, "FunctionFailedAlarm"),
    (incomplete, "NotProvedAlarm"),
    (overdue, "NotProvedAlarm"),
    (stuck, "NotProvedAlarm"),
    (sweep_is_off, "NotProvedAlarm"),
    (channel_dead, "EventsDeadAlarm"),
    (above_the_share, "CreditsAlarm"),
]


@pytest.mark.parametrize(
    ("plant", "alarm"),
    [
        # A size that is declared and never sent is a fault of a connection.
        pytest.param(plant, alarm, id=f"{number}-{alarm}", marks=[pytest.mark.processes] if plant is too_large else [])
        for number, (plant, alarm) in enumerate(CAUSES)
    ],
)
def test_a_cause_rings_one_alarm(stack: Stack, plant: Callable[[Stack], None], alarm: str) -> None:
    """For a whole day a cause rings exactly the alarm that says what to do about it."""
    plant(stack)

    assert stack.day.ringing() == {alarm}


def test_a_normal_day_rings_none(stack: Stack) -> None:
    """A normal day rings no alarm: files, links, gone files, an empty record, a retry, and a complete audit."""
    assert stack.day.ringing() == set()
    empty(stack)
    swept(stack)

    assert stack.day.ringing() == set()


def test_a_stack_that_is_not_connected_yet_rings_none(stack: Stack) -> None:
    """Before authorize nothing is broken: no token, no credentials, no sweep."""
    stack.set("TOKEN_SECRET_ID", "no-value-yet")
    stack.set("CREDENTIALS_SECRET_ID", "no-value-yet")
    stack.refresh({})
    stack.refresh({"only_tell": True})
    stack.day.sources["refresher"] = (FIVE_MINUTES, stack.told())
    del stack.day.sources["worker"]

    assert stack.day.ringing() == set()
