"""The way of an attachment from Bigin to S3: the parts that the worker, the API and the sweep share."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping
from contextlib import nullcontext
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import TYPE_CHECKING

from bigin_archive.archiving.archiver import Archiver
from bigin_archive.archiving.link_archiver import LinkArchiver
from bigin_archive.archiving.restored_files import RestoredFiles
from bigin_archive.aws.connection import Connection
from bigin_archive.aws.s3_http import bucket_requests
from bigin_archive.bigin import probed_answers
from bigin_archive.bigin.client import Bigin, ConcurrencyLimiter
from bigin_archive.bigin.credit_meter import CreditMeter
from bigin_archive.bigin.probed_answers import ProbedAnswers
from bigin_archive.ledger.credit_usage import CreditUsage
from bigin_archive.ledger.ledger import Ledger
from bigin_archive.ledger.ledger_writer import LedgerWriter
from bigin_archive.network import transport
from bigin_archive.queueing.archive_queue import ArchiveQueue
from bigin_archive.settings import ArchiveSettings
from bigin_archive.storage.object_store import ObjectStore
from bigin_archive.telemetry import Reporter
from bigin_archive.token.access_token import AccessTokens

if TYPE_CHECKING:
    from mypy_boto3_dynamodb import DynamoDBClient

# A slow ledger must not hold up an answer or a message.
LEDGER_TIMEOUT_S = 1


@dataclass(frozen=True, slots=True)
class ArchivePipeline:
    """The parts that archive an attachment and record its outcome."""

    bigin: Bigin
    archiver: Archiver
    queue: ArchiveQueue
    ledger: Ledger
    credits: CreditUsage
    meter: CreditMeter
    ledger_writer: LedgerWriter
    links: LinkArchiver
    restored: RestoredFiles


def archive_pipeline(
    env: Mapping[str, str],
    aws: Connection,
    dynamodb: DynamoDBClient,
    reports: Reporter,
    *,
    threads: int,
    read_timeout_s: float,
    limiter: ConcurrencyLimiter = nullcontext,
    answered: Callable[[], None] = lambda: None,
    dead_letter_queue_url: str | None = None,
    now: Callable[[], float] = time.time,
) -> ArchivePipeline:
    """Put it together. ``answered`` is called when Bigin has answered a download. Raises SettingsError."""
    settings = ArchiveSettings.from_env(env)
    bucket = bucket_requests(
        aws, settings.bucket, endpoint_url=settings.s3_url, read_timeout_s=read_timeout_s, connections=threads
    )
    secrets = aws.connect("secretsmanager", 5)
    tokens = AccessTokens(
        secrets, settings.token_secret_id, settings.api_url, lambda: datetime.fromtimestamp(now(), UTC)
    )
    meter = CreditMeter()
    bigin = Bigin(transport.session(threads), settings.api_url, tokens, limiter, meter, now)
    storage = ObjectStore(bucket, settings.bucket, settings.storage_class)
    ledger, usage = Ledger(dynamodb, settings.ledger_table), CreditUsage(dynamodb, settings.ledger_table, now)
    restored = RestoredFiles(ledger)

    def sizes_are_right() -> bool:
        report = storage.read(settings.key_prefix + probed_answers.PATH)
        return ProbedAnswers.read(report, now()).sizes_are_right

    archiver = Archiver(
        bigin,
        storage,
        key_prefix=settings.key_prefix,
        max_size_bytes=settings.max_size_bytes,
        answered=answered,
        restored=restored.row,
        sizes_are_right=sizes_are_right,
    )
    queue = ArchiveQueue(aws.connect("sqs", 5, threads), settings.queue_url, dead_letter_queue_url)
    ledger_writer = LedgerWriter(ledger, usage, meter, reports.report, now)
    links = LinkArchiver(archiver, restored, ledger_writer)
    return ArchivePipeline(bigin, archiver, queue, ledger, usage, meter, ledger_writer, links, restored)
