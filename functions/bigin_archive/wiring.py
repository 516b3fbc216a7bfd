"""Settings -> clients -> objects. The only place that makes clients; called once, at cold start.

Each function imports what it alone runs where it builds it: a cold start loads no module of another function.
"""

from __future__ import annotations

import logging
from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING

import boto3.session
from aws_lambda_powertools import Logger, Metrics

from bigin_archive import transport
from bigin_archive.access_token import AccessTokens
from bigin_archive.archive import Archiver
from bigin_archive.aws_clients import config, session
from bigin_archive.bigin import Bigin, Gate, open_gate
from bigin_archive.outcome import LogLines, Reporter
from bigin_archive.queue import Queue
from bigin_archive.settings import (
    ApiSettings,
    ArchiveSettings,
    QueueSettings,
    RefreshSettings,
    WatchSettings,
    WebhookSettings,
    WorkerSettings,
)
from bigin_archive.storage import Storage

if TYPE_CHECKING:
    from bigin_archive.archive_or_queue import ArchiveOrQueue
    from bigin_archive.channels import Channels
    from bigin_archive.token_refresher import TokenRefresher
    from bigin_archive.webhook_receiver import WebhookReceiver
    from bigin_archive.worker import Worker

# The brake follows the retry delays: from twice the first (60 s) to a quarter of the longest (15 min).
_BRAKE_FIRST, _BRAKE_LONGEST = 2, 4


def reporter() -> Reporter:
    """Powertools' Logger and Metrics, named by the environment (POWERTOOLS_SERVICE_NAME, ..._NAMESPACE)."""
    # urllib3 would log headers that it cannot parse: they hold file names.
    logging.getLogger("urllib3").setLevel(logging.ERROR)
    return Reporter(Logger(logger_formatter=LogLines(utc=True)), Metrics())


def archiver(
    env: Mapping[str, str],
    aws: boto3.session.Session,
    *,
    threads: int,
    read_timeout_s: float,
    gate: Gate = open_gate,
    answered: Callable[[], None] = lambda: None,
    dead_letter_queue_url: str | None = None,
) -> tuple[Archiver, Bigin, Queue]:
    """What archives, and the queue for what does not fit in now. Raises SettingsError."""
    settings = ArchiveSettings.from_env(env)
    with_timeouts = config(read_timeout_s, threads)
    tokens = AccessTokens(aws.client("secretsmanager", config=config(5)), settings.token_secret_id, settings.api_url)
    bigin = Bigin(transport.session(threads), settings.api_url, tokens, gate)
    made = Archiver(
        bigin,
        Storage(aws.client("s3", config=with_timeouts), settings.bucket),
        key_prefix=settings.key_prefix,
        max_size_bytes=settings.max_size_bytes,
        answered=answered,
    )
    queue = Queue(aws.client("sqs", config=config(5, threads)), settings.queue_url, dead_letter_queue_url)
    return made, bigin, queue


def worker(env: Mapping[str, str]) -> Worker:
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
    made, bigin, queue = archiver(
        env,
        aws,
        threads=settings.threads,
        read_timeout_s=30,
        answered=brake.released,
        dead_letter_queue_url=settings.dead_letter_queue_url,
    )
    return Worker(
        made,
        Records(bigin, made, queue),
        queue,
        brake,
        Delays(settings.retry_delay_s, settings.retry_delay_max_s),
        reporter(),
        settings.threads,
    )


def archive_or_queue(env: Mapping[str, str]) -> ArchiveOrQueue:
    """What answers ``POST /attachments``. Raises SettingsError."""
    from bigin_archive.archive_or_queue import ArchiveOrQueue
    from bigin_archive.leases import Leases

    aws = session()
    leases = Leases(aws.client("dynamodb", config=config(5)), ApiSettings.from_env(env).leases_table)
    # 4 s: with what the function keeps in reserve, the answer still comes within API Gateway's 29 s.
    made, _, queue = archiver(env, aws, threads=1, read_timeout_s=4, gate=leases.hold)
    return ArchiveOrQueue(made, queue, reporter())


def webhook_receiver(env: Mapping[str, str]) -> WebhookReceiver:
    """What answers ``POST /webhooks/bigin``. Raises SettingsError."""
    from bigin_archive.record_queue import RecordQueue
    from bigin_archive.webhook_receiver import WebhookReceiver
    from bigin_archive.webhook_secret import WebhookSecret

    settings = WebhookSettings.from_env(env)
    aws = session()
    # Whether Bigin sends a webhook again is not known: one reset connection must not cost an event.
    twice = config(5, attempts=2)
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
