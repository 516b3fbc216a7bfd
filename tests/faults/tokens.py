"""The access token expires in the middle of a batch, is rotated, or is malformed; and clocks are wrong."""

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta
from functools import partial
from typing import Any

from bigin_archive.archive_request import ArchiveRequest
from bigin_archive.archiving.archiver import Archiver
from bigin_archive.bigin.client import Bigin
from bigin_archive.deadline import Deadline
from bigin_archive.errors import ArchiveError
from bigin_archive.network.transport import session
from bigin_archive.queueing.archive_queue import Outgoing
from bigin_archive.queueing.record_queue import RecordQueue
from bigin_archive.token.access_token import AccessTokens
from tests.bigin import TOKEN
from tests.faults.bench import Bench
from tests.faults.event_source import EventSource
from tests.faults.lab import Lab
from tests.faults.relay import Do
from tests.faults.runtime import WorkerProcess
from tests.faults.tally import Row, of_checks

BATCH = 10


def expired_at_each_call(lab: Lab) -> Iterator[Row]:
    """The token dies, and is renewed, just before the j-th call of a batch: for every j one call is repeated."""
    with lab.bench() as bench:
        bench.through_bigin_relay()
        repeated = 0
        for threads in ("1", "4"):
            bench.next_is_cold()
            for j in range(BATCH):
                rotate = partial(_rotate, bench, f"{threads}-{j}")
                rule = bench.bigin_relay.fault(Do(rotate), "bigin.download", skip=j)
                bench.injected(lambda rule=rule: rule.fired)
                bench.send(*[bench.file(200) for _ in range(BATCH)])
                before = bench.bigin.calls()["by_call"]["download"] if j or threads == "4" else 0
                bench.drain(DOWNLOAD_THREADS=threads)
                repeated += bench.bigin.calls()["by_call"]["download"] - before - BATCH
                rule.times = rule.fired
        row = bench.row("token expired at each call of a batch", f"{repeated} calls repeated")
        if repeated > 2 * BATCH * 4:
            row.complaints.append(f"{repeated} calls were repeated")
        if bench.bigin.calls()["by_call"].get("token"):
            row.complaints.append("a worker asked for a token")
        yield row


def _rotate(bench: Bench, name: str) -> None:
    bench.bigin.control("DELETE", "tokens")
    bench.bigin.control("POST", "tokens", {"token": name})
    bench.aws.store_token(name)


STORED = (
    "",
    " ",
    "{",
    "{}",
    "null",
    "[]",
    '""',
    '{"access_token": ""}',
    '{"access_token": null}',
    '{"access_token": 5}',
    '{"access_token": "a\\nb"}',
    f'{{"access_token": "{TOKEN}", "api_domain": "https://evil.example"}}',
    '{"access_token": "no-longer-valid"}',
    "no-longer-valid",
    '{"access_token": "' + "x" * 5000 + '"}',
    "[" * 20_000,
)
EXPIRIES = (
    "0001-01-01T00:00:00+00:00",
    "0001-01-01T00:00:00+14:00",
    "9999-12-31T23:59:59-14:00",
    "9999-12-31T23:59:59",
    "1970-01-01T00:00:00Z",
    "yesterday",
    "",
    "2026-13-45T99:99:99Z",
)


def stored_badly(lab: Lab) -> Iterator[Row]:
    """The secret is empty, malformed or of another data centre for a while, or names an absurd expiry."""
    with lab.bench() as bench:
        for text in STORED:
            bench.next_is_cold()
            bench.aws.put_secret(bench.aws.token_secret_id, text or " ")
            request = bench.file(100)
            bench.injected(lambda: 1, request)
            bench.send(request)
            bench.source.handle(bench.source.receive(), bench.invoke)
            if [key for key in bench.aws.objects() if request["attachment_id"] in key]:
                bench.remark(f"archived with the secret {text[:60]!r}")
            bench.aws.store_token(TOKEN)
            bench.next_is_cold()
            bench.source.let_time_pass()
            bench.drain()
        for expires_at in EXPIRIES:
            bench.next_is_cold()
            bench.aws.store_token(TOKEN, expires_at=expires_at)
            request = bench.file(100)
            bench.injected(lambda: 1, request)
            bench.send(request)
            bench.drain(patience_s=10)
        for text in STORED:
            # A rotation that has not come to its end: whatever it has put beside the current version.
            bench.next_is_cold()
            bench.aws.secrets.put_secret_value(
                SecretId=bench.aws.token_secret_id, SecretString=text or " ", VersionStages=["AWSPENDING"]
            )
            request = bench.file(100)
            bench.injected(lambda: 1, request)
            bench.send(request)
            bench.drain(patience_s=10)
        yield bench.row("token secret malformed or foreign")


HERD_WORKERS = 5
HERD_ROUNDS = 20


def herd(lab: Lab) -> Iterator[Row]:
    """Many threads of several processes see a refused token together, again and again. None asks Zoho for a new one."""
    with lab.bench() as bench:
        workers = [bench.worker() for _ in range(HERD_WORKERS)]
        rounds, refused, looks = lab.scaled(HERD_ROUNDS, least=2), 0, 0
        for number in range(rounds):
            bench.bigin.control("DELETE", "tokens")
            calls, read = bench.bigin.calls()["total"], bench.aws_relay.counts["secrets.get"]
            bench.send(*[bench.file(100) for _ in range(BATCH * HERD_WORKERS)])
            batches = [bench.source.receive() for _ in workers]
            sources = [EventSource(bench.aws.sqs, bench.aws.queue_url) for _ in workers]
            with ThreadPoolExecutor(HERD_WORKERS) as pool:
                list(pool.map(_handle, sources, batches, workers))
            refused += bench.bigin.calls()["total"] - calls
            looks += bench.aws_relay.counts["secrets.get"] - read
            _rotate(bench, f"round-{number}")
            bench.next_is_cold()
            for source in sources:
                source.let_time_pass()
            bench.drain()
            for worker in workers:
                worker.stop()
            workers = [bench.worker() for _ in range(HERD_WORKERS)]
        bench.injected(lambda: refused)
        row = bench.row(
            "dead token met by many", f"{rounds} rounds of {HERD_WORKERS} workers, {looks} looks at the secret"
        )
        if refused > 2 * HERD_WORKERS * rounds:
            row.complaints.append(f"{refused} calls reached Bigin with a dead token")
        if looks > 2 * HERD_WORKERS * rounds:
            row.complaints.append(f"{looks} looks at the secret")
        if bench.bigin.calls()["by_call"].get("token"):
            row.complaints.append("a worker asked for a token")
        yield row


def _handle(source: EventSource, batch: list[dict[str, Any]], worker: WorkerProcess) -> None:
    source.handle(batch, worker.invoke)


REFRESH_ANSWERS: tuple[tuple[int, object], ...] = (
    (200, {"error": "invalid_code"}),
    (200, {"error": "Access Denied", "error_description": "You have made too many requests continuously."}),
    (400, {"error": "invalid_client"}),
    (200, "<html>sign in</html>"),
    (200, ""),
    (200, "null"),
    (200, {"access_token": ""}),
    (200, {"access_token": "x", "api_domain": "https://evil.example"}),
    (200, {"access_token": "a\r\nb"}),
    (302, ""),
    (500, "<html>down</html>"),
)


def refresh(lab: Lab) -> Iterator[Row]:
    """No bad answer of Zoho's accounts server replaces a stored token. A good one does."""
    with lab.bench() as bench:
        credentials = {"client_id": "c", "client_secret": "s", "refresh_token": "r"}
        bench.aws.put_secret(bench.aws.credentials_secret_id, credentials)
        complaints = []
        for status, body in REFRESH_ANSWERS:
            bench.bigin.answer(status, body, call="token")
            before = _token(bench)
            function = WorkerProcess(bench.env, bench.functions, bench.log, "refresh_token")
            answer = function.invoke({}, 60)
            function.stop()
            if _token(bench) != before or answer["status"] != "failed":
                complaints.append(f"{status} {body!r}: {answer['status']}, the stored token changed or not")
        yield of_checks("bad answer to a token refresh", complaints, len(REFRESH_ANSWERS))


def _token(bench: Bench) -> str:
    text: str = bench.aws.secrets.get_secret_value(SecretId=bench.aws.token_secret_id)["SecretString"]
    return text


# ---- Clocks ----------------------------------------------------------------------------------------------------------

SKEWS_MIN = (-15, -5, -4, -3, -2, -1, 1, 2, 3, 4, 5, 15)


def clocks(lab: Lab) -> Iterator[Row]:
    """Clocks are wrong by up to a quarter of an hour, or jump: every file arrives, and no webhook is lost."""
    with lab.bench() as bench:
        complaints = [text for skew in SKEWS_MIN for text in _archive_with(bench, skew)]
        bench.is_drained = True
        row = bench.row("clock wrong or jumping")
        row.injected, row.survived = 3 * len(SKEWS_MIN), 3 * len(SKEWS_MIN) - len(complaints)
        row.complaints += complaints
        yield row
    complaints = [text for skew in SKEWS_MIN for text in _webhooks_with(skew * 60)]
    yield of_checks("webhooks received under two clocks", complaints, len(SKEWS_MIN))


def _archive_with(bench: Bench, skew_min: int) -> list[str]:
    """Archives in one container whose clock is wrong, stands still and jumps back, while tokens are renewed."""
    offset = [timedelta(minutes=skew_min)]
    now = datetime.now(UTC)
    complaints = []
    tokens = AccessTokens(
        bench.aws.secrets, bench.aws.token_secret_id, bench.bigin.url, lambda: datetime.now(UTC) + offset[0]
    )
    archiver = Archiver(
        Bigin(session(1), bench.bigin.url, tokens),
        bench.aws.storage(),
        key_prefix="bigin/",
        max_size_bytes=10**6,
    )
    for step, (jump_min, lifetime_min) in enumerate(((0, 10), (-60, 60), (120, 30))):
        offset[0] += timedelta(minutes=jump_min)
        _rotate(bench, f"token-{skew_min}-{step}")
        expires_at = (now + timedelta(minutes=lifetime_min)).isoformat()
        bench.aws.store_token(f"token-{skew_min}-{step}", expires_at=expires_at)
        request = bench.file(100)
        try:
            archiver.archive(ArchiveRequest(**request), Deadline(30))
        except ArchiveError as error:
            complaints.append(f"clock {skew_min:+} min, step {step}: {error.code}")
    return complaints


class _FifoQueue:
    """An SQS FIFO queue in simulated time, which drops a deduplication id for five minutes after its first use."""

    def __init__(self) -> None:
        self.now_s = 0.0
        self.listed_at_s: list[float] = []
        self._seen: dict[str | None, float] = {}

    def send(self, messages: object) -> int:
        for message in messages:  # type: ignore[attr-defined]
            assert isinstance(message, Outgoing)
            first = self._seen.get(message.deduplication_id)
            if first is None or self.now_s - first >= 300:
                self._seen[message.deduplication_id] = self.now_s
                self.listed_at_s.append(self.now_s + DELAY_S)
        return 1


DELAY_S = 90


def _webhooks_with(skew_s: float) -> list[str]:
    """Sends events of a record for a while, and one more. A list must be read after it."""
    complaints = []
    for quiet_s in (1, 30, 61, 120, 600):
        queue = _FifoQueue()
        # SQS's clock differs from API Gateway's, by which all containers name their events.
        records = RecordQueue(queue, DELAY_S)  # type: ignore[arg-type]
        for number in range(45):
            queue.now_s = 20.0 * number
            records.send([ArchiveRequest("Contacts", "1")], _clock(queue, skew_s))
        queue.now_s += quiet_s
        records.send([ArchiveRequest("Contacts", "1")], _clock(queue, skew_s))
        if max(queue.listed_at_s) < queue.now_s:
            complaints.append(f"clocks {skew_s:+.0f} s apart: the event of the second one is never listed")
    return complaints[:1]


def _clock(queue: _FifoQueue, skew_s: float) -> float:
    return 1e9 + queue.now_s + skew_s
