"""How much of the concurrency that Bigin allows is used while a backlog waits: simulated, without a clock.

Files are log-normal from 10 KB to 100 MB (a geometric mean of 1 MB), at 5 MB/s each and 50 to 500 ms to the first byte.
Lambda's poller is modelled as its developer guide describes it, and where the guide is silent by the slower choice: a
batch is gathered in calls of ten messages only when an invocation has ended, and the next one begins when it is
complete. Each batch is begun in the worker's own order.
"""

import heapq
import random
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass

from bigin_archive.archive_request import Hints
from bigin_archive.archiving.message import Message, start_order
from tests.bench.report import Row
from tests.template.parsed import TEMPLATE, of_type

LEAST_BYTES, MOST_BYTES, USUAL_BYTES, SPREAD = 10_000, 100_000_000, 1_000_000, 1.84  # SPREAD: sigma of ln(bytes)
BYTES_PER_S = 5_000_000  # of one download
FIRST_BYTE_S = (0.05, 0.5)
UPLOAD_S = 0.03  # S3's answer and the look before it
RECEIVE_S = 0.02  # one ReceiveMessage of ten
INVOKE_S = 0.05
USABLE_S = 260  # the worker's time-out of 300 s less what it keeps in reserve

FORMER_BATCH = 10  # the most without a batching window
TARGET_IDLE = 0.10

Order = Callable[[Iterable[Message]], Sequence[Message]]


@dataclass(frozen=True, slots=True)
class Poller:
    """The event source: ``batch`` messages for each of ``concurrency`` invocations with ``threads`` downloads each."""

    batch: int
    concurrency: int
    threads: int


@dataclass(frozen=True, slots=True)
class Usage:
    """``share`` of the allowed downloads that ran on average; ``most`` that ran at one time; messages sent ``back``."""

    share: float
    most: int
    back: int


def deployed() -> Poller:
    """The event source of the template."""
    source = of_type("AWS::Serverless::Function")["ArchiveQueuedFunction"]["Events"]["Queue"]["Properties"]
    threads = TEMPLATE["Parameters"]["DownloadThreads"]["Default"]
    return Poller(source["BatchSize"], source["ScalingConfig"]["MaximumConcurrency"], threads)


def rows() -> list[Row]:
    """For ``make bench``: the share of idle downloads with the template's event source, and with smaller batches."""
    poller = deployed()
    small = Poller(FORMER_BATCH, poller.concurrency, poller.threads)
    peers = {
        "as received": 1 - simulate(poller, list).share,
        "no sizes known": 1 - simulate(poller, known=0).share,
        f"batches of {FORMER_BATCH}": 1 - simulate(small).share,
        f"batches of {FORMER_BATCH} as received": 1 - simulate(small, list).share,
    }
    note = "simulated: 10,000 files, log-normal from 10 KB to 100 MB, 50 to 500 ms to the first byte, 5 MB/s each"
    idle = 1 - simulate(poller).share
    measure = "share of the allowed downloads that is idle while a backlog waits"
    return [Row(measure, idle, "", TARGET_IDLE, peers=peers, note=note)]


def simulate(
    poller: Poller, order: Order = start_order, *, files: int = 10_000, known: float = 1, seed: int = 1
) -> Usage:
    """Empty a backlog of ``files``; ``known`` is the share whose size is known (a sweep's are, an event's are not)."""
    chance = random.Random(seed)
    waiting = [_message(chance, number, known) for number in range(files)]
    seconds = {message.message_id: taken_s for message, taken_s in waiting}
    queue = [message for message, _ in reversed(waiting)]
    free_at = [0.0] * poller.concurrency
    spans: list[tuple[float, float]] = []
    back = 0
    while queue:
        begin_s = heapq.heappop(free_at)
        batch = [queue.pop() for _ in range(min(poller.batch, len(queue)))]
        begin_s += INVOKE_S + RECEIVE_S * -(-len(batch) // 10)
        threads = [begin_s] * poller.threads
        for message in order(batch):
            start_s = heapq.heappop(threads)
            if start_s + seconds[message.message_id] > begin_s + USABLE_S:
                queue.insert(0, message)
                back += 1
                heapq.heappush(threads, start_s)
                continue
            spans.append((start_s, start_s + seconds[message.message_id]))
            heapq.heappush(threads, spans[-1][1])
        heapq.heappush(free_at, max(threads))
    busy_s = sum(end_s - start_s for start_s, end_s in spans)
    return Usage(busy_s / (max(free_at) * poller.concurrency * poller.threads), _most_at_once(spans), back)


def _message(chance: random.Random, number: int, known: float) -> tuple[Message, float]:
    """A message, and the seconds that its file takes."""
    size = 0.0
    while not LEAST_BYTES <= size <= MOST_BYTES:
        size = USUAL_BYTES * chance.lognormvariate(0, SPREAD)
    hints = Hints(size_bytes=round(size) if chance.random() < known else None)
    return Message(str(number), "", "", 1, hints), chance.uniform(*FIRST_BYTE_S) + size / BYTES_PER_S + UPLOAD_S


def _most_at_once(spans: Iterable[tuple[float, float]]) -> int:
    # At one moment what ends comes before what begins.
    moments = sorted(moment for start_s, end_s in spans for moment in ((start_s, 1), (end_s, -1)))
    running = most = 0
    for _, change in moments:
        running += change
        most = max(most, running)
    return most
