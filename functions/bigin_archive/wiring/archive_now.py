"""``POST /attachments``."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING

from bigin_archive.api.archive_endpoint import ArchiveEndpoint
from bigin_archive.aws.connection import Connection
from bigin_archive.aws.function_aws import connection
from bigin_archive.aws.semaphore import Semaphore
from bigin_archive.settings import required
from bigin_archive.telemetry import Reporter, reporter
from bigin_archive.wiring.pipeline import LEDGER_TIMEOUT_S, archive_pipeline

if TYPE_CHECKING:
    from mypy_boto3_dynamodb import DynamoDBClient

S3_TIMEOUT_S = 4  # with the reserve of the function, the answer still comes within API Gateway's 29 s


def archive_endpoint(env: Mapping[str, str]) -> ArchiveEndpoint:
    """Raises SettingsError."""
    aws = connection(env)
    return endpoint(env, aws, aws.connect("dynamodb", LEDGER_TIMEOUT_S), reporter())


def endpoint(env: Mapping[str, str], aws: Connection, dynamodb: DynamoDBClient, reports: Reporter) -> ArchiveEndpoint:
    """For every function that archives while somebody waits. Raises SettingsError."""
    semaphore = Semaphore(dynamodb, required(env, "LEASES_TABLE"))
    pipeline = archive_pipeline(
        env, aws, dynamodb, reports, threads=1, read_timeout_s=S3_TIMEOUT_S, limiter=semaphore.hold
    )
    return ArchiveEndpoint(pipeline.archiver, pipeline.links, pipeline.queue, pipeline.ledger_writer, reports)
