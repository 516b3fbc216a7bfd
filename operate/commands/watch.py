"""The command `watch`: show or renew the notification channels."""

from datetime import UTC, datetime

import click

from bigin_archive.bigin.notification_channels import channel_id
from bigin_archive.network.transport import session
from operate.commands.options import STATUSES, on_a_stack
from operate.errors import OperateError
from operate.stack.log_search import last_events
from operate.stack.target import Target
from operate.watch.channels import as_json, renew, show
from operate.watch.channels import watch as look


@click.command(
    epilog="""\b
Examples:
  bigin-archive watch --stack bigin-archive
  bigin-archive watch --renew
  bigin-archive watch --json

"""
    + STATUSES
)
@on_a_stack
@click.option("--renew", "renewing", is_flag=True, help="Renew the channels first.")
@click.option("--json", "machine", is_flag=True, help="Print JSON.")
def watch(target: Target, renewing: bool, machine: bool) -> int:
    """Show or renew the channels by which Bigin announces changes.

    A stack that was deployed with WatchModules renews them each hour. The exit status is 1 if a channel is missing or
    dead.
    """
    found = target.stack
    if renewing and not found.watched:
        raise OperateError("This stack watches no module.", "Deploy it with WatchModules, then renew.", status=2)
    renewal = renew(target.client("lambda"), found) if renewing else None
    now = datetime.now(UTC)
    ids = [channel_id(found.webhook_url, module) for module in found.watched]
    times = last_events(target.client("logs"), found.webhook_logs, ids, now) if ids else {}
    report = look(found, session(1), target.client("secretsmanager"), times, renewal, now)
    if machine:
        click.echo(as_json(report))
    else:
        show(report)
    return 0 if report.fine else 1
