"""Bigin is out of order for hours of simulated time, with real workers, breakers and delays, and a queue with
visibility.
"""

import heapq
import http.client
import io
import itertools
import json
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any

from bigin_archive.archive_request import ArchiveRequest, Hints
from bigin_archive.archiving.archiver import Archiver
from bigin_archive.archiving.circuit_breaker import CircuitBreaker
from bigin_archive.archiving.message import Delays, Message
from bigin_archive.archiving.queue_worker import Worker
from bigin_archive.bigin.download import Download
from bigin_archive.bigin.response_body import Body
from bigin_archive.deadline import Deadline
from bigin_archive.errors import (
    ArchiveError,
    BiginRateLimitedError,
    BiginScopeMissingError,
    BiginTokenRejectedError,
    BiginUnavailableError,
)
from bigin_archive.request_outcome import Outcome
from bigin_archive.storage.archived_object import StoredObject
from bigin_archive.storage.object_attributes import ObjectAttributes
from tests.faults.lab import Lab
from tests.faults.tally import Row
from tests.faults.template import numbers

HOUR_S = 3600.0
OUTAGE_HOURS = 6
MESSAGES = 10_000
CONTAINERS = 2  # the template's MaximumConcurrency
CONTAINER_LIFE_S = 2 * HOUR_S  # Lambda replaces containers: a new one has a new breaker
MOST_CALLS_AN_HOUR = 200
FILE_BYTES = 10
OVERSIZE_EVERY = 50  # one message in so many is of a file that the listing says is too large


class Clock:
    """Simulated time in seconds."""

    def __init__(self) -> None:
        self.now_s = 0.0

    def __call__(self) -> float:
        return self.now_s


class SimulatedBigin:
    """Raises what an outage raises until it is over, and counts its calls by hour."""

    def __init__(self, clock: Clock, failure: Callable[[], ArchiveError], call_s: float) -> None:
        self._clock = clock
        self._failure = failure
        self._call_s = call_s
        self.calls_at_s: list[float] = []

    @contextmanager
    def download(self, request: ArchiveRequest, deadline: Deadline) -> Iterator[Download]:
        self.calls_at_s.append(self._clock.now_s)
        if self._clock.now_s < OUTAGE_HOURS * HOUR_S:
            self._clock.now_s += self._call_s
            raise self._failure()
        yield Download(Body(_answer(bytes(FILE_BYTES)), deadline), 'attachment; filename="a.bin"', None, False)


def _answer(content: bytes) -> http.client.HTTPResponse:
    head = f"HTTP/1.1 200 OK\r\nContent-Length: {len(content)}\r\n\r\n".encode()

    class Connection:
        def makefile(self, mode: str) -> io.BufferedReader:
            return io.BufferedReader(io.BytesIO(head + content))  # type: ignore[type-var]

    answer = http.client.HTTPResponse(Connection())  # type: ignore[arg-type]
    answer.begin()
    return answer


class SimulatedStorage:
    """A bucket as a dictionary, which counts second versions."""

    bucket = "bucket"

    def __init__(self) -> None:
        self.objects: dict[str, int] = {}
        self.extra = 0

    def sizes(self, prefix: str) -> dict[str, int]:
        key = prefix + "a.bin"
        return {key: self.objects[key]} if key in self.objects else {}

    def head(self, key: str, place: str = "") -> StoredObject:
        return StoredObject(key, self.objects[key], None, None, "")

    def put(self, attributes: ObjectAttributes, source: Body) -> StoredObject:
        size = source.fill(memoryview(bytearray(FILE_BYTES)))
        self.extra += attributes.key in self.objects
        self.objects[attributes.key] = size
        return self.head(attributes.key)


@dataclass
class SimulatedQueue:
    """SQS in simulated time: visibility, receive counts, and the template's maximum before the dead-letter queue."""

    clock: Clock
    most_tries: int
    visibility_s: float
    waiting: list[tuple[float, int, Message]] = field(default_factory=list)
    parked: list[str] = field(default_factory=list)
    exhausted: list[str] = field(default_factory=list)
    delays_s: dict[str, float] = field(default_factory=dict)
    _order: Iterator[int] = field(default_factory=itertools.count)

    def dead_letter(self, body: str, error: ArchiveError) -> None:
        self.parked.append(error.code)

    def delay(self, receipt_handle: str, seconds: int) -> None:
        self.delays_s[receipt_handle] = seconds

    def put(self, message: Message, visible_at_s: float) -> None:
        heapq.heappush(self.waiting, (visible_at_s, next(self._order), message))

    def receive(self) -> list[Message]:
        found = []
        while self.waiting and self.waiting[0][0] <= self.clock.now_s and len(found) < 10:
            message = heapq.heappop(self.waiting)[2]
            if message.attempt >= self.most_tries:
                self.exhausted.append(message.body)
            else:
                found.append(
                    Message(
                        message.message_id,
                        message.body,
                        message.message_id,
                        message.attempt + 1,
                        message.hints,
                    )
                )
        return found

    def give_back(self, message: Message) -> None:
        delay_s = self.delays_s.pop(message.message_id, self.visibility_s)
        self.put(message, self.clock.now_s + delay_s)


class NoLedgerWriter:
    """Writes nothing, because the ledger decides nothing here."""

    def record(self, outcome: Outcome) -> None:
        """Write nothing."""

    def flush_credits(self) -> None:
        """Write nothing."""


class Silent:
    """Reports nothing, because outcomes are read from bucket and queues."""

    def report(self, *_: Any) -> None:
        pass

    def flush(self) -> None:
        pass


FAILURES: dict[str, tuple[Callable[[], ArchiveError], float, float]] = {
    # what is raised, how long a call takes, the part of all messages
    "Bigin down: 503": (lambda: BiginUnavailableError("down"), 0.3, 1.0),
    "Bigin down: no answer": (lambda: BiginUnavailableError("down"), 30.0, 0.2),
    "Bigin throttles: 429": (lambda: BiginRateLimitedError("busy", retry_after_s=30), 0.2, 0.2),
    "token dead": (lambda: BiginTokenRejectedError("dead"), 0.2, 0.2),
    "scope missing": (lambda: BiginScopeMissingError("scope"), 0.2, 0.2),
}


def six_hours(lab: Lab) -> Iterator[Row]:
    """Each kind of outage; the first with all messages."""
    for kind, (failure, call_s, part) in FAILURES.items():
        yield _outage(kind, failure, call_s, lab.scaled(round(MESSAGES * part), least=500), lab)


def _outage(kind: str, failure: Callable[[], ArchiveError], call_s: float, messages: int, lab: Lab) -> Row:
    template, clock, storage, randomness = numbers(), Clock(), SimulatedStorage(), lab.random(kind)
    bigin = SimulatedBigin(clock, failure, call_s)
    queue = SimulatedQueue(clock, template.most_tries, template.visibility_s)
    archiver = Archiver(bigin, storage, key_prefix="", max_size_bytes=1000)  # type: ignore[arg-type]

    def worker() -> Worker:
        breaker = CircuitBreaker(template.retry_first_s * 2, template.retry_longest_s / 4, clock)
        delays = Delays(template.retry_first_s, template.retry_longest_s, randomness.uniform)
        # One thread: with several the order of calls, and with it the figures, would vary from run to run.
        return Worker(archiver, None, None, queue, breaker, delays, NoLedgerWriter(), Silent(), 1)  # type: ignore[arg-type]

    oversize = 0
    for number in range(messages):
        body = json.dumps({"module": "Contacts", "record_id": "1", "attachment_id": str(number)})
        is_oversize = number % OVERSIZE_EVERY == OVERSIZE_EVERY - 1
        oversize += is_oversize
        message = Message(str(number), body, "", 0, Hints(10**9 if is_oversize else None))
        # They arrive in the course of the first two hours, not all at once.
        queue.put(message, randomness.uniform(0, 2 * HOUR_S))
    _run(clock, queue, worker)
    hours = [int(at_s // HOUR_S) for at_s in bigin.calls_at_s if at_s < OUTAGE_HOURS * HOUR_S]
    most = max(hours.count(hour) for hour in range(OUTAGE_HOURS))
    archived = len(storage.objects)
    row = Row(f"{kind}, {OUTAGE_HOURS} h", messages, archived + min(oversize, len(queue.parked)))
    row.lost = messages - archived - len(queue.parked) - len(queue.exhausted)
    row.wrong = sum(size != FILE_BYTES for size in storage.objects.values())
    row.extra = storage.extra
    row.files, row.calls = messages, len(bigin.calls_at_s)
    row.note = f"at most {most} calls an hour, all archived after {clock.now_s / HOUR_S:.1f} h"
    if most > MOST_CALLS_AN_HOUR:
        row.complaints.append(f"{most} calls an hour reached a dead Bigin")
    if set(queue.parked) - {"attachment_too_large"} or len(queue.parked) != oversize or queue.exhausted:
        row.complaints.append(
            f"parked {len(queue.parked)}, given up {len(queue.exhausted)}; expected {oversize} parked"
        )
    return row


def _run(clock: Clock, queue: SimulatedQueue, worker: Callable[[], Worker]) -> None:
    containers = [worker() for _ in range(CONTAINERS)]
    born_s = [0.0] * CONTAINERS
    turn = 0
    while queue.waiting and clock.now_s < 10 * 24 * HOUR_S:
        clock.now_s = max(clock.now_s, queue.waiting[0][0])
        turn = (turn + 1) % CONTAINERS
        if clock.now_s - born_s[turn] > CONTAINER_LIFE_S:
            containers[turn], born_s[turn] = worker(), clock.now_s
        batch = queue.receive()
        staying = set(containers[turn].work(batch, Deadline(290, clock)))
        clock.now_s += 0.05
        for message in batch:
            if message.message_id in staying:
                queue.give_back(message)
            else:
                queue.delays_s.pop(message.message_id, None)
