"""Settings -> clients -> objects. The only place that makes clients; called once, at cold start.

Each function imports what it alone runs where it builds it: a cold start loads no module of another function.
"""

from __future__ import annotations

import logging
import time
import uuid
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING

from aws_lambda_powertools import Logger, Metrics

from bigin_archive import transport
from bigin_archive.access_token import AccessTokens
from bigin_archive.archive import Archiver
from bigin_archive.aws_clients import Session, config, session
from bigin_archive.bigin import Bigin
from bigin_archive.books import Books
from bigin_archive.credits import Credits, Meter
from bigin_archive.leases import Gate, open_gate
from bigin_archive.ledger import Ledger
from bigin_archive.outcome import LogLines, Reporter
from bigin_archive.queue import Queue
from bigin_archive.settings import (
    ApiSettings,
    ArchiveSettings,
    QueueSettings,
    RefreshSettings,
    SweepSettings,
    WatchSettings,
    WebhookSettings,
    WorkerSettings,
)
from bigin_archive.storage import Storage

if TYPE_CHECKING:
    from mypy_boto3_dynamodb import DynamoDBClient

    from bigin_archive.archive_or_queue import ArchiveOrQueue
    from bigin_archive.budget import Budget
    from bigin_archive.channels import Channels
    from bigin_archive.sweep import Sweep
    from bigin_archive.token_refresher import TokenRefresher
    from bigin_archive.webhook_receiver import WebhookReceiver
    from bigin_archive.worker import Worker

# The books hold up an answer as little as a message.
BOOKS_TIMEOUT_S = 1
# The brake follows the retry delays: from twice the first (60 s) to a quarter of the longest (15 min).
_BRAKE_FIRST, _BRAKE_LONGEST = 2, 4


def reporter() -> Reporter:
    """Powertools' Logger and Metrics, named by the environment (POWERTOOLS_SERVICE_NAME, ..._NAMESPACE)."""
    # urllib3 would log headers that it cannot parse: they hold file names.
    logging.getLogger("urllib3").setLevel(logging.ERROR)
    return Reporter(Logger(logger_formatter=LogLines(utc=True)), Metrics())


@dataclass(frozen=True, slots=True)
class Path:
    """The way of an attachment from Bigin to S3, and what is noted of it."""

    bigin: Bigin
    storage: Storage
    archiver: Archiver
    queue: Queue
    ledger: Ledger
    credits: Credits
    books: Books


def path(
    env: Mapping[str, str],
    aws: Session,
    dynamodb: DynamoDBClient,
    reports: Reporter,
    *,
    threads: int,
    read_timeout_s: float,
    gate: Gate = open_gate,
    answered: Callable[[], None] = lambda: None,
    dead_letter_queue_url: str | None = None,
    now: Callable[[], float] = time.time,
) -> Path:
    """All that takes part in archiving. Raises SettingsError."""
    settings = ArchiveSettings.from_env(env)
    bucket = aws.bucket(
        settings.bucket, endpoint_url=settings.s3_url, read_timeout_s=read_timeout_s, connections=threads
    )
    tokens = AccessTokens(aws.client("secretsmanager", config=config(5)), settings.token_secret_id, settings.api_url)
    meter = Meter()
    bigin = Bigin(transport.session(threads), settings.api_url, tokens, gate, meter)
    storage = Storage(bucket, settings.bucket, settings.storage_class)
    archiver = Archiver(
        bigin, storage, key_prefix=settings.key_prefix, max_size_bytes=settings.max_size_bytes, answered=answered
    )
    queue = Queue(aws.client("sqs", config=config(5, threads)), settings.queue_url, dead_letter_queue_url)
    ledger, book = Ledger(dynamodb, settings.ledger_table), Credits(dynamodb, settings.ledger_table, now)
    books = Books(ledger, book, meter, reports.report_unwritten, now)
    return Path(bigin, storage, archiver, queue, ledger, book, books)


def worker(env: Mapping[str, str], now: Callable[[], float] = time.time) -> Worker:
    """The queue's worker. Raises SettingsError."""
    from bigin_archive.brake import Brake
    from bigin_archive.records import Records
    from bigin_archive.worker import Delays, Worker

    settings = WorkerSettings.from_env(env)
    aws = session()
    # 30 s: S3 answers a PutObject of 5 GiB well within it.
    brake = Brake(
        settings.retry_delay_s * _BRAKE_FIRST,
        max(settings.retry_delay_s * _BRAKE_FIRST, settings.retry_delay_max_s / _BRAKE_LONGEST),
    )
    reports = reporter()
    way = path(
        env,
        aws,
        aws.client("dynamodb", config=config(BOOKS_TIMEOUT_S, settings.threads)),
        reports,
        threads=settings.threads,
        read_timeout_s=30,
        answered=brake.released,
        dead_letter_queue_url=settings.dead_letter_queue_url,
        now=now,
    )
    return Worker(
        way.archiver,
        Records(way.bigin, way.archiver, way.queue, way.books),
        way.queue,
        brake,
        Delays(settings.retry_delay_s, settings.retry_delay_max_s),
        way.books,
        reports,
        settings.threads,
    )


def archive_or_queue(env: Mapping[str, str]) -> ArchiveOrQueue:
    """What answers ``POST /attachments``. Raises SettingsError."""
    from bigin_archive.archive_or_queue import ArchiveOrQueue
    from bigin_archive.leases import Leases

    aws = session()
    dynamodb = aws.client("dynamodb", config=config(BOOKS_TIMEOUT_S))
    leases = Leases(dynamodb, ApiSettings.from_env(env).leases_table)
    reports = reporter()
    # 4 s: with what the function keeps in reserve, the answer still comes within API Gateway's 29 s.
    way = path(env, aws, dynamodb, reports, threads=1, read_timeout_s=4, gate=leases.hold)
    return ArchiveOrQueue(way.archiver, way.queue, way.books, reports)


def sweep(
    env: Mapping[str, str], aws: Session | None = None, now: Callable[[], float] = time.time
) -> tuple[Sweep, Credits, Budget]:
    """What sweeps, the book of credits, and the share that it may use. Raises SettingsError."""
    from bigin_archive.auditor import Auditor
    from bigin_archive.budget import Budget
    from bigin_archive.closing import Closing
    from bigin_archive.discovery import Discovery
    from bigin_archive.inventory import Inventory
    from bigin_archive.leases import Leases
    from bigin_archive.sweep import Sweep
    from bigin_archive.sweep_state import Cursor

    settings = SweepSettings.from_env(env)
    aws = aws or session()
    dynamodb = aws.client("dynamodb", config=config(10))
    leases = Leases(dynamodb, settings.leases_table)
    way = path(env, aws, dynamodb, reporter(), threads=1, read_timeout_s=30, gate=leases.hold, now=now)
    # One call for each object: a single failure, not repeated, would end the audit.
    inventory = Inventory(
        aws.client("s3", config=config(30, 16, tries=5)), way.storage.bucket, env.get("KEY_PREFIX", "")
    )
    budget = Budget(settings.daily_credits, settings.share_percent)
    made = Sweep(
        Discovery(way.bigin, way.archiver, way.queue, way.ledger, way.books),
        way.queue,
        way.books,
        way.credits,
        budget,
        lambda: Cursor(dynamodb, settings.ledger_table, uuid.uuid4().hex, now),
        Closing(Auditor(way.ledger, inventory)).close,
        now,
    )
    return made, way.credits, budget


def webhook_receiver(env: Mapping[str, str]) -> WebhookReceiver:
    """What answers ``POST /webhooks/bigin``. Raises SettingsError."""
    from bigin_archive.record_queue import RecordQueue
    from bigin_archive.webhook_receiver import WebhookReceiver
    from bigin_archive.webhook_secret import WebhookSecret

    settings = WebhookSettings.from_env(env)
    aws = session()
    # Whether Bigin sends a webhook again is not known: one reset connection must not cost an event.
    twice = config(5, tries=2)
    sqs = aws.client("sqs", config=twice)
    return WebhookReceiver(
        WebhookSecret(aws.client("secretsmanager", config=twice), settings.webhook_secret_id),
        Queue(sqs, settings.queue_url),
        RecordQueue(Queue(sqs, settings.record_queue_url), settings.record_queue_delay_s),
        reporter(),
    )


def channels(env: Mapping[str, str]) -> Channels:
    """What renews the notification channels. Raises SettingsError, also where no module is to be watched."""
    from bigin_archive.channels import Channels
    from bigin_archive.leases import Leases
    from bigin_archive.webhook_secret import WebhookSecret

    settings = WatchSettings.from_env(env)
    aws = session()
    secrets = aws.client("secretsmanager", config=config(5))
    leases = Leases(aws.client("dynamodb", config=config(5)), settings.leases_table)
    tokens = AccessTokens(secrets, settings.token_secret_id, settings.api_url)
    return Channels(
        Bigin(transport.session(1), settings.api_url, tokens, leases.hold),
        settings.modules,
        WebhookSecret(secrets, settings.webhook_secret_id).current,
    )


def queue(env: Mapping[str, str]) -> Queue:
    """The queue of archive requests alone. Raises SettingsError."""
    return Queue(session().client("sqs", config=config(5)), QueueSettings.from_env(env).queue_url)


def token_refresher(env: Mapping[str, str]) -> TokenRefresher:
    """What renews the access token. Raises SettingsError."""
    from bigin_archive.token_refresher import TokenRefresher

    settings = RefreshSettings.from_env(env)
    aws = session()
    return TokenRefresher(
        transport.session(1),
        aws.client("secretsmanager", config=config(5)),
        settings,
    )
