"""Prints the state of the archive, and where its last report is."""

from bigin_archive.audit.auditor import latest
from bigin_archive.audit.comparison import COMPLETE
from operate.stack.stack import Stack
from operate.sweep import progress
from operate.sweep.status import Status
from operate.terminal import say


def show(status: Status, stack: Stack) -> None:
    """Print the status, and what to do if the last audit was not complete."""
    progress.show(status)
    if status.sweep and status.sweep.result not in (None, COMPLETE):
        report = f"s3://{stack.bucket}/{stack.key_prefix}{latest(status.sweep.modules)}.html"
        say(f"See the differences and what to do: {report}, or", whole=True)
        say(f"  bigin-archive audit --stack {stack.name}", "cyan", whole=True)
