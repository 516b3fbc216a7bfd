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
from bigin_archive.archiving.archiver import Archiver
from bigin_archive.aws.clients import Session, config, session
from bigin_archive.bigin.client import Bigin
from bigin_archive.bigin.concurrency import ConcurrencyLimiter, unlimited
from bigin_archive.bigin.credit_meter import CreditMeter
from bigin_archive.ledger.credit_usage import CreditUsage
from bigin_archive.ledger.ledger import Ledger
from bigin_archive.ledger.ledger_writer import LedgerWriter
from bigin_archive.queueing.archive_queue import ArchiveQueue
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
from bigin_archive.storage.object_store import ObjectStore
from bigin_archive.telemetry import LogLines, Reporter
from bigin_archive.token.access_token import AccessTokens

if TYPE_CHECKING:
    from mypy_boto3_dynamodb import DynamoDBClient

    from bigin_archive.api.archive_endpoint import ArchiveEndpoint
    from bigin_archive.api.webhook_endpoint import WebhookEndpoint
    from bigin_archive.archiving.queue_worker import Worker
    from bigin_archive.bigin.notification_channels import NotificationChannels
    from bigin_archive.sweep.credit_budget import CreditBudget
    from bigin_archive.sweep.sweep import Sweep
    from bigin_archive.token.token_refresher import TokenRefresher

# A slow ledger must not hold up an answer or a message.
LEDGER_TIMEOUT_S = 1
# The breaker follows the retry delays: from twice the first (60 s) to a quarter of the longest (15 min).
_BRAKE_FIRST, _BRAKE_LONGEST = 2, 4


def reporter() -> Reporter:
    """Powertools' Logger and Metrics, named by the environment (POWERTOOLS_SERVICE_NAME, ..._NAMESPACE)."""
    # urllib3 would log headers that it cannot parse: they hold file names.
    logging.getLogger("urllib3").setLevel(logging.ERROR)
    return Reporter(Logger(logger_formatter=LogLines(utc=True)), Metrics())


@dataclass(frozen=True, slots=True)
class ArchivePipeline:
    """The way of an attachment from Bigin to S3, and what is noted of it."""

    bigin: Bigin
    storage: ObjectStore
    archiver: Archiver
    queue: ArchiveQueue
    ledger: Ledger
    credits: CreditUsage
    ledger_writer: LedgerWriter


def archive_pipeline(
    env: Mapping[str, str],
    aws: Session,
    dynamodb: DynamoDBClient,
    reports: Reporter,
    *,
    threads: int,
    read_timeout_s: float,
    gate: ConcurrencyLimiter = unlimited,
    answered: Callable[[], None] = lambda: None,
    dead_letter_queue_url: str | None = None,
    now: Callable[[], float] = time.time,
) -> ArchivePipeline:
    """All that takes part in archiving. Raises SettingsError."""
    settings = ArchiveSettings.from_env(env)
    bucket = aws.bucket(
        settings.bucket, endpoint_url=settings.s3_url, read_timeout_s=read_timeout_s, connections=threads
    )
    tokens = AccessTokens(aws.client("secretsmanager", config=config(5)), settings.token_secret_id, settings.api_url)
    meter = CreditMeter()
    bigin = Bigin(transport.session(threads), settings.api_url, tokens, gate, meter)
    storage = ObjectStore(bucket, settings.bucket, settings.storage_class)
    archiver = Archiver(
        bigin, storage, key_prefix=settings.key_prefix, max_size_bytes=settings.max_size_bytes, answered=answered
    )
    queue = ArchiveQueue(aws.client("sqs", config=config(5, threads)), settings.queue_url, dead_letter_queue_url)
    ledger, book = Ledger(dynamodb, settings.ledger_table), CreditUsage(dynamodb, settings.ledger_table, now)
    ledger_writer = LedgerWriter(ledger, book, meter, reports.report_unwritten, now)
    return ArchivePipeline(bigin, storage, archiver, queue, ledger, book, ledger_writer)


def worker(env: Mapping[str, str], now: Callable[[], float] = time.time) -> Worker:
    """The queue's worker. Raises SettingsError."""
    from bigin_archive.archiving.circuit_breaker import CircuitBreaker
    from bigin_archive.archiving.queue_worker import Delays, Worker
    from bigin_archive.archiving.record_expander import RecordExpander

    settings = WorkerSettings.from_env(env)
    aws = session()
    # 30 s: S3 answers a PutObject of 5 GiB well within it.
    breaker = CircuitBreaker(
        settings.retry_delay_s * _BRAKE_FIRST,
        max(settings.retry_delay_s * _BRAKE_FIRST, settings.retry_delay_max_s / _BRAKE_LONGEST),
    )
    reports = reporter()
    pipeline = archive_pipeline(
        env,
        aws,
        aws.client("dynamodb", config=config(LEDGER_TIMEOUT_S, settings.threads)),
        reports,
        threads=settings.threads,
        read_timeout_s=30,
        answered=breaker.record_success,
        dead_letter_queue_url=settings.dead_letter_queue_url,
        now=now,
    )
    return Worker(
        pipeline.archiver,
        RecordExpander(pipeline.bigin, pipeline.archiver, pipeline.queue, pipeline.ledger_writer),
        pipeline.queue,
        breaker,
        Delays(settings.retry_delay_s, settings.retry_delay_max_s),
        pipeline.ledger_writer,
        reports,
        settings.threads,
    )


def archive_or_queue(env: Mapping[str, str]) -> ArchiveEndpoint:
    """What answers ``POST /attachments``. Raises SettingsError."""
    from bigin_archive.api.archive_endpoint import ArchiveEndpoint
    from bigin_archive.aws.semaphore import Semaphore

    aws = session()
    dynamodb = aws.client("dynamodb", config=config(LEDGER_TIMEOUT_S))
    leases = Semaphore(dynamodb, ApiSettings.from_env(env).leases_table)
    reports = reporter()
    # 4 s: with what the function keeps in reserve, the answer still comes within API Gateway's 29 s.
    pipeline = archive_pipeline(env, aws, dynamodb, reports, threads=1, read_timeout_s=4, gate=leases.hold)
    return ArchiveEndpoint(pipeline.archiver, pipeline.queue, pipeline.ledger_writer, reports)


def sweep(
    env: Mapping[str, str], aws: Session | None = None, now: Callable[[], float] = time.time
) -> tuple[Sweep, CreditUsage, CreditBudget]:
    """What sweeps, the book of credits, and the share that it may use. Raises SettingsError."""
    from bigin_archive.audit.auditor import Auditor
    from bigin_archive.aws.semaphore import Semaphore
    from bigin_archive.storage.inventory import Inventory
    from bigin_archive.sweep.closing import Closing
    from bigin_archive.sweep.credit_budget import CreditBudget
    from bigin_archive.sweep.cursor import Cursor
    from bigin_archive.sweep.discovery import Discovery
    from bigin_archive.sweep.sweep import Sweep

    settings = SweepSettings.from_env(env)
    aws = aws or session()
    dynamodb = aws.client("dynamodb", config=config(10))
    leases = Semaphore(dynamodb, settings.leases_table)
    pipeline = archive_pipeline(env, aws, dynamodb, reporter(), threads=1, read_timeout_s=30, gate=leases.hold, now=now)
    # One call for each object: a single failure, not repeated, would end the audit.
    inventory = Inventory(
        aws.client("s3", config=config(30, 16, tries=5)), pipeline.storage.bucket, env.get("KEY_PREFIX", "")
    )
    budget = CreditBudget(settings.daily_credits, settings.share_percent)
    made = Sweep(
        Discovery(pipeline.bigin, pipeline.archiver, pipeline.queue, pipeline.ledger, pipeline.ledger_writer),
        pipeline.queue,
        pipeline.ledger_writer,
        pipeline.credits,
        budget,
        lambda: Cursor(dynamodb, settings.ledger_table, uuid.uuid4().hex, now),
        Closing(Auditor(pipeline.ledger, inventory)).close,
        now,
    )
    return made, pipeline.credits, budget


def webhook_receiver(env: Mapping[str, str]) -> WebhookEndpoint:
    """What answers ``POST /webhooks/bigin``. Raises SettingsError."""
    from bigin_archive.api.webhook_endpoint import WebhookEndpoint
    from bigin_archive.api.webhook_secret import WebhookSecret
    from bigin_archive.queueing.record_queue import RecordQueue

    settings = WebhookSettings.from_env(env)
    aws = session()
    # Whether Bigin sends a webhook again is not known: one reset connection must not cost an event.
    twice = config(5, tries=2)
    sqs = aws.client("sqs", config=twice)
    return WebhookEndpoint(
        WebhookSecret(aws.client("secretsmanager", config=twice), settings.webhook_secret_id),
        ArchiveQueue(sqs, settings.queue_url),
        RecordQueue(ArchiveQueue(sqs, settings.record_queue_url), settings.record_queue_delay_s),
        reporter(),
    )


def channels(env: Mapping[str, str]) -> NotificationChannels:
    """What renews the notification channels. Raises SettingsError, also where no module is to be watched."""
    from bigin_archive.api.webhook_secret import WebhookSecret
    from bigin_archive.aws.semaphore import Semaphore
    from bigin_archive.bigin.notification_channels import NotificationChannels

    settings = WatchSettings.from_env(env)
    aws = session()
    secrets = aws.client("secretsmanager", config=config(5))
    leases = Semaphore(aws.client("dynamodb", config=config(5)), settings.leases_table)
    tokens = AccessTokens(secrets, settings.token_secret_id, settings.api_url)
    return NotificationChannels(
        Bigin(transport.session(1), settings.api_url, tokens, leases.hold),
        settings.modules,
        WebhookSecret(secrets, settings.webhook_secret_id).current,
    )


def queue(env: Mapping[str, str]) -> ArchiveQueue:
    """The queue of archive requests alone. Raises SettingsError."""
    return ArchiveQueue(session().client("sqs", config=config(5)), QueueSettings.from_env(env).queue_url)


def token_refresher(env: Mapping[str, str]) -> TokenRefresher:
    """What renews the access token. Raises SettingsError."""
    from bigin_archive.token.token_refresher import TokenRefresher

    settings = RefreshSettings.from_env(env)
    aws = session()
    return TokenRefresher(
        transport.session(1),
        aws.client("secretsmanager", config=config(5)),
        settings,
    )
