"""Events for other systems while everything fails: each stored version is announced, and nothing else."""

from collections import Counter
from collections.abc import Iterator
from dataclasses import replace
from random import Random
from typing import Any

import boto3
from botocore.config import Config

from bigin_archive.deadline import Deadline
from bigin_archive.events.announcer import Announcer, Message
from bigin_archive.events.event_bus import MAX_ENTRIES, EventBus
from bigin_archive.queueing.archive_queue import ArchiveQueue
from bigin_archive.storage.version_reader import VersionReader
from tests.event_schema import check
from tests.faults.event_servers import BUCKET, PREFIX, EventServers
from tests.faults.lab import Lab
from tests.faults.tally import Row

FILES = 10_000
MOST_TRIES = 200  # maxReceiveCount of the event queue
READ_TIMEOUT_S = 0.25  # less than a late answer takes


class Killed(BaseException):
    """The function was killed in the middle of a batch."""


class Hangman:
    """Kills the function now and then, before a call leaves or after its answer has come, and says how often."""

    def __init__(self, random: Random, share: float) -> None:
        self._random, self._share = random, share
        self.kills = 0

    def __call__(self, **_: Any) -> None:
        if self._random.random() < self._share:
            self.kills += 1
            raise Killed


def announced(lab: Lab) -> Iterator[Row]:
    """Archives files while the bus fails in part or as a whole, S3 reports twice and late, and functions are killed."""
    random = lab.random("announcements")
    row, files = Row("events: bus, S3 and function fail"), lab.scaled(FILES, 100)
    with EventServers(random) as servers:
        bodies = servers.store(files)
        hangman = Hangman(random, 0.01)
        announcer = _announcer(servers.url, hangman)
        queue = [Message(f"m{number}", body, "handle", 1) for number, body in enumerate(bodies)]
        dead = 0
        while queue:
            random.shuffle(queue)
            again: list[Message] = []
            for start in range(0, len(queue), MAX_ENTRIES):
                again += _batch(announcer, queue[start : start + MAX_ENTRIES])
            queue = [replace(message, attempt=message.attempt + 1) for message in again]
            dead += sum(message.attempt > MOST_TRIES for message in queue)
            queue = [message for message in queue if message.attempt <= MOST_TRIES]
        _judge(row, servers, dead)
        row.injected = servers.faults.total() + hangman.kills
        row.survived = row.injected - len(row.complaints)
        row.note = f"{files:,} files, {len(bodies):,} messages, {hangman.kills:,} kills, {dead} dead letters"
    yield row


def _batch(announcer: Announcer, messages: list[Message]) -> list[Message]:
    """The messages that come again: those that the function names, or all of them if it was killed."""
    try:
        failed = set(announcer.announce(messages, Deadline(60)))
    except Killed:
        return messages
    return [message for message in messages if message.message_id in failed]


def _judge(row: Row, servers: EventServers, dead: int) -> None:
    heard: Counter[str] = Counter()
    for event in servers.heard:
        detail = check(event)  # the schema, and the id that this version has
        heard["{key}/{version_id}".format(**detail["data"])] += 1
    row.lost = len(servers.expected - set(heard))
    row.extra = len(set(heard) - servers.expected)
    if row.lost:
        row.complaints.append(f"{row.lost} versions were never announced")
    if row.extra:
        row.complaints.append(f"{row.extra} events of what is not there, or not ours")
    if dead:
        row.complaints.append(f"{dead} dead letters")


def _announcer(url: str, hangman: Hangman) -> Announcer:
    session = boto3.session.Session("test", "test", region_name="us-east-1")
    session.events.register("before-send.*.*", hangman)
    session.events.register("after-call.*.*", hangman)
    config = Config(
        connect_timeout=2,
        read_timeout=READ_TIMEOUT_S,
        retries={"total_max_attempts": 1},
        s3={"addressing_style": "path"},
        proxies={},
    )
    s3, bus, sqs = (session.client(name, endpoint_url=url, config=config) for name in ("s3", "events", "sqs"))
    return Announcer(
        VersionReader(s3, BUCKET, PREFIX),
        EventBus(bus, "bus"),
        ArchiveQueue(sqs, f"{url}/000000000000/events"),
        "the-stack",
        lambda outcome, fields: None,
    )
