"""The queue of archive requests alone."""

from collections.abc import Mapping

from bigin_archive.aws.clients import Session, config, session
from bigin_archive.queueing.archive_queue import ArchiveQueue
from bigin_archive.settings import QueueSettings


def queue(env: Mapping[str, str], aws: Session | None = None) -> ArchiveQueue:
    """Raises SettingsError."""
    return ArchiveQueue((aws or session()).client("sqs", config=config(5)), QueueSettings.from_env(env).queue_url)
