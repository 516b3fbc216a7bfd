"""The queue of archive requests alone."""

from collections.abc import Mapping

from bigin_archive.aws.connection import Connection
from bigin_archive.aws.function_aws import connection
from bigin_archive.queueing.archive_queue import ArchiveQueue
from bigin_archive.settings import required


def queue(env: Mapping[str, str], aws: Connection | None = None) -> ArchiveQueue:
    """Raises SettingsError."""
    return ArchiveQueue((aws or connection(env)).connect("sqs", 5), required(env, "QUEUE_URL"))
