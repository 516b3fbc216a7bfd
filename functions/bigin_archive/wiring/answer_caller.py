"""``/callers/attachments``."""

from collections.abc import Mapping
from functools import cache

from bigin_archive.api.archive_endpoint import ArchiveEndpoint
from bigin_archive.aws.clients import SIGNED, config, session
from bigin_archive.aws.semaphore import Semaphore
from bigin_archive.callers.caller_endpoint import CallerEndpoint
from bigin_archive.callers.caller_limits import CallerLimits
from bigin_archive.settings import ApiSettings, ArchiveSettings
from bigin_archive.storage.version_reader import VersionReader
from bigin_archive.wiring.pipeline import LEDGER_TIMEOUT_S, archive_pipeline
from bigin_archive.wiring.reporting import reporter

_S3_TIMEOUT_S = 4  # with what the function keeps in reserve, the answer still comes within API Gateway's 29 s


def caller_endpoint(env: Mapping[str, str]) -> CallerEndpoint:
    """Raises SettingsError."""
    settings, leases_table = ArchiveSettings.from_env(env), ApiSettings.from_env(env).leases_table
    aws = session()
    dynamodb = aws.client("dynamodb", config=config(LEDGER_TIMEOUT_S))
    reports = reporter()
    pipeline = archive_pipeline(
        env,
        aws,
        dynamodb,
        reports,
        threads=1,
        read_timeout_s=_S3_TIMEOUT_S,
        limiter=Semaphore(dynamodb, leases_table).hold,
    )

    @cache
    def versions() -> VersionReader:
        # Made when a link or a look-up asks for it: its model is the largest of all.
        client = aws.client("s3", config=config(_S3_TIMEOUT_S, tries=2).merge(SIGNED))
        return VersionReader(client, settings.bucket, settings.key_prefix)

    return CallerEndpoint(
        ArchiveEndpoint(pipeline.archiver, pipeline.links, pipeline.queue, pipeline.ledger_writer, reports),
        pipeline.ledger,
        versions,
        CallerLimits(dynamodb, leases_table),
        reports,
    )
