"""Which versions are announced again: those in the bucket now, under the keys of attachments."""

from collections.abc import Callable, Iterator
from datetime import datetime

from bigin_archive.archive_request import MODULES
from bigin_archive.events.stored_version import StoredVersion
from bigin_archive.queueing.archive_queue import ArchiveQueue, Outgoing
from operate.errors import OperateError
from operate.stack.archive import translate_errors
from operate.stack.aws import aws_errors
from operate.stack.target import Target


def announce_again(target: Target, since: datetime | None, progress: Callable[[int], None]) -> int:
    """Queue every version that was stored at ``since`` or later; return how many. Raises OperateError.

    The announcer decides by the metadata of a version whether it is an attachment of this archive.
    """
    url = target.stack.event_queue_url
    if not url:
        raise OperateError(
            f"The stack {target.stack.name} announces no events.", "Deploy it with the parameter Events=ON first."
        )
    queue = ArchiveQueue(target.client("sqs"), url)

    def orders() -> Iterator[Outgoing]:
        for count, version in enumerate(_versions(target, since), 1):
            progress(count)
            yield Outgoing(version.order())

    with translate_errors("queue the events; repeat the command, which does no harm"):
        return queue.send(orders())


def _versions(target: Target, since: datetime | None) -> Iterator[StoredVersion]:
    pages = target.client("s3").get_paginator("list_object_versions")
    for module in sorted(MODULES):
        with aws_errors("list the archive"):
            for page in pages.paginate(Bucket=target.stack.bucket, Prefix=f"{target.stack.key_prefix}{module}/"):
                for found in page.get("Versions", []):
                    if since is None or found["LastModified"] >= since:
                        yield StoredVersion(found["Key"], found["VersionId"], replay=True)
