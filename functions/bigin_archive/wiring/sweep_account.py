"""The sweep, with the audit at its end."""

import time
import uuid
from collections.abc import Callable, Mapping
from contextlib import suppress
from datetime import UTC, datetime
from functools import partial

from bigin_archive.audit.auditor import Auditor
from bigin_archive.aws.clients import Session, config, session
from bigin_archive.aws.semaphore import Semaphore
from bigin_archive.bigin import probed_answers
from bigin_archive.bigin.probed_answers import ProbedAnswers
from bigin_archive.console.link_limit import users_with_many_links
from bigin_archive.errors import ArchiveError
from bigin_archive.queueing.archive_queue import ArchiveQueue
from bigin_archive.settings import SweepSettings
from bigin_archive.storage.inventory import Inventory
from bigin_archive.sweep.credit_budget import CreditBudget, CreditLimit
from bigin_archive.sweep.cursor import Cursor
from bigin_archive.sweep.discovery import Discovery
from bigin_archive.sweep.heartbeat import Heartbeat
from bigin_archive.sweep.lists import Lists
from bigin_archive.sweep.sweep import Sweep
from bigin_archive.sweep.weekly_mail import MailSettings, WeeklyMail
from bigin_archive.telemetry import reporter
from bigin_archive.wiring.pipeline import archive_pipeline


def sweep(
    env: Mapping[str, str],
    aws: Session | None = None,
    now: Callable[[], float] = time.time,
    semaphore: Semaphore | None = None,
) -> tuple[Sweep, Heartbeat]:
    """The sweep, and the heartbeat that reports it. Raises SettingsError."""
    settings = SweepSettings.from_env(env)
    aws = aws or session()
    dynamodb = aws.client("dynamodb", config=config(10))
    semaphore = semaphore or Semaphore(dynamodb, settings.leases_table, now)
    reports = reporter()
    pipeline = archive_pipeline(
        env, aws, dynamodb, reports, threads=1, read_timeout_s=30, limiter=semaphore.hold, now=now
    )
    # Each object may need a call, and one failure without a retry would end the audit.
    inventory = Inventory(
        aws.client("s3", config=config(30, 16, tries=5)), pipeline.archiver.bucket, settings.key_prefix
    )
    budget = CreditBudget(settings.daily_credits, settings.credits_share_percent)
    limit = CreditLimit(
        pipeline.meter, budget, pipeline.credits, pipeline.queue, pipeline.ledger_writer.flush_credits, now
    )

    def probed() -> ProbedAnswers:
        with suppress(ArchiveError):  # a sweep can do without
            return ProbedAnswers.read(inventory.own_file(probed_answers.PATH), now())
        return ProbedAnswers()

    made = Sweep(
        Lists(pipeline.bigin, now, probed),
        Discovery(pipeline.bigin, pipeline.links, pipeline.queue, pipeline.ledger, limit, now),
        pipeline.queue,
        pipeline.ledger_writer,
        pipeline.meter,
        limit,
        lambda: Cursor(dynamodb, settings.ledger_table, uuid.uuid4().hex, now),
        Auditor(pipeline.ledger, inventory, lambda: datetime.fromtimestamp(now(), UTC)),
        now,
    )
    sqs = aws.client("sqs", config=config(5))
    dead_letter_queues = [ArchiveQueue(sqs, url) for url in settings.dead_letter_queue_urls]
    mail_settings = MailSettings.from_env(env)
    mail = WeeklyMail(
        mail_settings,
        budget.share,
        dynamodb,
        inventory.own_file,
        pipeline.credits,
        dead_letter_queues,
        lambda: aws.client("sns", config=config(10)),
        reports,
        now,
        partial(users_with_many_links, dynamodb, mail_settings.links_table),
    )
    heartbeat = Heartbeat(
        pipeline.credits,
        budget.share,
        dead_letter_queues,
        reports,
        mail,
        now,
        is_scheduled=settings.is_scheduled,
    )
    return made, heartbeat
