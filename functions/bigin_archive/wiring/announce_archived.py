"""The announcer of archived files."""

from collections.abc import Mapping

from bigin_archive.aws.clients import config, session
from bigin_archive.events.announcer import Announcer
from bigin_archive.events.event_bus import EventBus
from bigin_archive.queueing.archive_queue import ArchiveQueue
from bigin_archive.settings import EventSettings
from bigin_archive.storage.version_reader import VersionReader
from bigin_archive.telemetry import reporter


def announcer(env: Mapping[str, str]) -> Announcer:
    """Raises SettingsError."""
    settings = EventSettings.from_env(env)
    aws = session()
    once = config(5)  # one try, because the queue retries
    return Announcer(
        VersionReader(aws.client("s3", config=once), settings.bucket, settings.key_prefix),
        EventBus(aws.client("events", config=once), settings.event_bus),
        ArchiveQueue(aws.client("sqs", config=once), settings.event_queue_url),
        settings.powertools_service_name,
        reporter().report,
    )
