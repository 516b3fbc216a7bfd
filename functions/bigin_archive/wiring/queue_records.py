"""The queue of archive requests alone."""

from collections.abc import Mapping

from bigin_archive.aws.clients import Session, config, session
from bigin_archive.queueing.archive_queue import ArchiveQueue
from bigin_archive.settings import required


def queue(env: Mapping[str, str], aws: Session | None = None) -> ArchiveQueue:
    """Raises SettingsError."""
    return ArchiveQueue((aws or session()).client("sqs", config=config(5)), required(env, "QUEUE_URL"))
