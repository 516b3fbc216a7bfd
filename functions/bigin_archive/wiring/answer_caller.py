"""``/callers/attachments``."""

from collections.abc import Mapping
from functools import cache

from bigin_archive.aws.function_aws import connection
from bigin_archive.callers.caller_endpoint import CallerEndpoint
from bigin_archive.callers.caller_limits import CallerLimits
from bigin_archive.ledger.ledger import Ledger
from bigin_archive.settings import ArchiveSettings, required
from bigin_archive.storage.version_reader import VersionReader
from bigin_archive.telemetry import reporter
from bigin_archive.wiring.archive_now import S3_TIMEOUT_S, endpoint
from bigin_archive.wiring.pipeline import LEDGER_TIMEOUT_S


def caller_endpoint(env: Mapping[str, str]) -> CallerEndpoint:
    """Raises SettingsError."""
    settings = ArchiveSettings.from_env(env)
    aws = connection(env)
    dynamodb = aws.connect("dynamodb", LEDGER_TIMEOUT_S)
    reports = reporter()

    @cache
    def versions() -> VersionReader:
        # Made when it is first needed: boto3 and its model of S3 are most of a cold start.
        from bigin_archive.aws.clients import SIGNED, config, session

        client = session().client("s3", config=config(S3_TIMEOUT_S, tries=2).merge(SIGNED))
        return VersionReader(client, settings.bucket, settings.key_prefix)

    return CallerEndpoint(
        endpoint(env, aws, dynamodb, reports),
        Ledger(dynamodb, settings.ledger_table),
        versions,
        CallerLimits(dynamodb, required(env, "LEASES_TABLE")),
        reports,
    )
