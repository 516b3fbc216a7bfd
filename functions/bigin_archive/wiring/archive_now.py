"""``POST /attachments``."""

from collections.abc import Mapping

from bigin_archive.api.archive_endpoint import ArchiveEndpoint
from bigin_archive.aws.clients import config, session
from bigin_archive.aws.semaphore import Semaphore
from bigin_archive.settings import ApiSettings
from bigin_archive.wiring.pipeline import LEDGER_TIMEOUT_S, archive_pipeline
from bigin_archive.wiring.reporting import reporter

_S3_TIMEOUT_S = 4  # with what the function keeps in reserve, the answer still comes within API Gateway's 29 s


def archive_endpoint(env: Mapping[str, str]) -> ArchiveEndpoint:
    """Raises SettingsError."""
    aws = session()
    dynamodb = aws.client("dynamodb", config=config(LEDGER_TIMEOUT_S))
    semaphore = Semaphore(dynamodb, ApiSettings.from_env(env).leases_table)
    reports = reporter()
    pipeline = archive_pipeline(
        env, aws, dynamodb, reports, threads=1, read_timeout_s=_S3_TIMEOUT_S, limiter=semaphore.hold
    )
    return ArchiveEndpoint(pipeline.archiver, pipeline.links, pipeline.queue, pipeline.ledger_writer, reports)
