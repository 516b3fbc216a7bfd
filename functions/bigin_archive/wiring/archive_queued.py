"""The queue's worker."""

import time
from collections.abc import Callable, Mapping

from bigin_archive.archiving.circuit_breaker import CircuitBreaker
from bigin_archive.archiving.message import Delays
from bigin_archive.archiving.queue_worker import Worker
from bigin_archive.archiving.record_expander import RecordExpander
from bigin_archive.aws.connection import Connection
from bigin_archive.aws.function_aws import connection
from bigin_archive.settings import WorkerSettings
from bigin_archive.sweep.credit_budget import CreditBudget
from bigin_archive.telemetry import reporter
from bigin_archive.wiring.pipeline import LEDGER_TIMEOUT_S, archive_pipeline

# The breaker follows the retry delays: from twice the first (60 s) to a quarter of the longest (15 min).
_PAUSE_FIRST, _PAUSE_LONGEST = 2, 4
_S3_TIMEOUT_S = 30  # S3 answers a PutObject of 5 GiB well within it


def worker(
    env: Mapping[str, str],
    now: Callable[[], float] = time.time,
    aws: Connection | None = None,
    monotonic: Callable[[], float] = time.monotonic,
) -> Worker:
    """Raises SettingsError."""
    settings = WorkerSettings.from_env(env)
    aws = aws or connection(env)
    first_s = settings.retry_delay_s * _PAUSE_FIRST
    breaker = CircuitBreaker(first_s, max(first_s, settings.retry_delay_max_s / _PAUSE_LONGEST), monotonic)
    reports = reporter()
    pipeline = archive_pipeline(
        env,
        aws,
        aws.connect("dynamodb", LEDGER_TIMEOUT_S, settings.download_threads),
        reports,
        threads=settings.download_threads,
        read_timeout_s=_S3_TIMEOUT_S,
        answered=breaker.record_answer,
        dead_letter_queue_url=settings.dead_letter_queue_url,
        now=now,
    )
    budget = CreditBudget(settings.daily_credits, settings.credits_share_percent)

    def credits_left() -> int:
        meter = pipeline.meter
        spending = pipeline.credits.spending().plus(meter.pending, meter.pending, meter.remaining)
        return budget.left(spending, pipeline.queue.ready() + spending.promised)

    return Worker(
        pipeline.archiver,
        pipeline.links,
        RecordExpander(pipeline.bigin, pipeline.links, pipeline.restored, pipeline.queue, pipeline.ledger_writer),
        pipeline.queue,
        breaker,
        Delays(settings.retry_delay_s, settings.retry_delay_max_s),
        pipeline.ledger_writer,
        reports,
        settings.download_threads,
        now,
        pipeline.meter,
        credits_left,
    )
