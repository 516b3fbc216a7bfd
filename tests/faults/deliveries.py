"""Thousands of messages, each delivered one to five times in any order, to several workers, while calls fail."""

import itertools
import json
import time
from collections import deque
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress

from tests.faults import reading
from tests.faults.aws_proxy import json_error, s3_error
from tests.faults.bench import Bench, Request
from tests.faults.event_source import EventSource
from tests.faults.lab import Lab
from tests.faults.relay import LoseAnswer, Script
from tests.faults.runtime import WorkerProcess
from tests.faults.tally import Row

MESSAGES = 10_000
WORKERS = 2
WAITING = 400  # in the queue at one time
PATIENCE_S = 900
# Few empty ones: a worker waits a moment at each, in case that bytes follow all the same.
SIZES = (0, *(1, 17, 900, 4000) * 25)
MOST_CALLS_PER_FILE = 1.3
# Of all calls of a sort, the part that fails; together about 5 %.
BIGIN_FAULTS = (
    (0.015, {"kind": "cut", "after": "half", "framing": "content-length"}),
    (0.010, {"kind": "cut", "after": "last-byte", "framing": "chunked"}),
    (0.010, {"kind": "answer", "status": 503, "headers": {}, "body": "down"}),
    (0.010, {"kind": "reset", "after": 0}),
    (0.005, {"kind": "reset-before-headers"}),
    (0.001, {"kind": "answer", "status": 429, "headers": {}, "body": ""}),
)
AWS_FAULTS = (
    ("s3.put", 0.02, s3_error(503, "SlowDown")),
    ("s3.put", 0.02, LoseAnswer()),
    ("s3.put", 0.01, s3_error(409, "ConditionalRequestConflict")),
    ("s3.list", 0.02, s3_error(500, "InternalError")),
    ("s3.list", 0.02, Script((), reset=True)),
    ("sqs.delay", 0.05, json_error(500, "InternalFailure")),
)


def shuffled(lab: Lab) -> Iterator[Row]:
    """Delivers everything shuffled: each file is archived once, however often its message was delivered."""
    randomness = lab.random("deliveries")
    with lab.bench() as bench:
        requests = [bench.file(randomness.choice(SIZES)) for _ in range(lab.scaled(MESSAGES, least=100))]
        deliveries = [request for request in requests for _ in range(randomness.randint(1, 5))]
        randomness.shuffle(deliveries)
        _faults(bench, lab)
        bench.is_drained = _drain(bench, deliveries)
        note = f"{len(deliveries):,} deliveries, {WORKERS} workers"
        row = bench.row(f"{len(requests):,} files, 5 % of calls fail", note)
        if row.calls > MOST_CALLS_PER_FILE * row.files:
            row.complaints.append(f"{row.calls} calls for {row.files} files")
        yield row


def mixed_batches(lab: Lab) -> Iterator[Row]:
    """Batches of ten with k files that fail, for each k: exactly k messages stay, and the others are not repeated."""
    with lab.bench() as bench:
        for k in range(11):
            batch = [bench.file(300) for _ in range(10)]
            for request in batch[:k]:
                bench.strike(request, {"kind": "cut", "after": "half"})
            bench.injected(lambda: 1)
            poison = json.dumps({"module": "Leads", "record_id": str(k)})
            bench.send(*batch[::-1], poison)
            bench.invoke({"Records": []})
            found = [message for _ in range(3) for message in bench.source.receive()]
            done = sum(bench.source.handle(found[n : n + 10], bench.invoke) for n in range(0, len(found), 10))
            if (len(found), done) != (11, 11 - k):
                bench.remark(f"{k} of 11 failed, and {len(found) - done} of {len(found)} stayed")
            bench.drain()
            parked = [body for body, _, _ in reading.bodies(bench.aws, bench.aws.dead_letter_queue_url)]
            bench.empty_dead_letters()
            if parked != [poison]:
                bench.remark(f"{len(parked)} dead letters of one bad message")
            again = [request for request in batch[k:] if bench.bigin.downloads(request) != 1]
            if again:
                bench.remark(f"{len(again)} good neighbours were downloaded again")
        yield bench.row("batch of which k fail", "k = 0 to 10")


def _faults(bench: Bench, lab: Lab) -> None:
    """Set all faults. They are counted together, because a rare one need not strike in a short run."""
    seeds = itertools.count(lab.seed * 100)
    rules = [
        {"call": "download", "times": None, "fraction": fraction, "seed": next(seeds), "fault": fault}
        for fraction, fault in BIGIN_FAULTS
    ]
    made = [bench.bigin.control("POST", "faults", rule)["id"] for rule in rules]
    on_aws = [
        bench.aws_relay.fault(fault, call, times=None, fraction=fraction, seed=next(seeds))
        for call, fraction, fault in AWS_FAULTS
    ]
    bench.injected(lambda: sum(map(bench.fired, made)) + sum(rule.fired for rule in on_aws))


def _drain(bench: Bench, deliveries: Sequence[Request]) -> bool:
    """Deliver all, few in the queue at any time, because the emulator searches its whole queue for each message."""
    workers = [bench.worker() for _ in range(WORKERS)]
    end_s = time.monotonic() + PATIENCE_S
    rest = deque(deliveries[WAITING:])
    bench.send(*deliveries[:WAITING])
    with ThreadPoolExecutor(WORKERS) as pool:
        return all(pool.map(lambda worker: _poll(bench, worker, rest, end_s), workers)) and not rest


def _poll(bench: Bench, worker: WorkerProcess, rest: deque[Request], end_s: float) -> bool:
    source = EventSource(bench.aws.sqs, bench.aws.queue_url)
    while time.monotonic() < end_s:
        # What the other poller keeps becomes visible when that one lets time pass.
        if messages := source.receive(wait_s=0 if source.keeps_any else 1):
            done = source.handle(messages, worker.invoke)
            bench.send(*_taken(rest, done))
        elif source.keeps_any:
            source.let_time_pass()
        elif source.is_empty():
            return True
    return False


def _taken(rest: deque[Request], count: int) -> list[Request]:
    taken: list[Request] = []
    with suppress(IndexError):  # both pollers take from it
        while len(taken) < count:
            taken.append(rest.popleft())
    return taken
