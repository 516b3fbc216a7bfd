"""The command `announce`: repeat the events of archived attachments."""

import json
from datetime import UTC, datetime

import click

from operate.announce.replay import announce_again
from operate.commands.options import DAY, STATUSES, on_a_stack
from operate.stack.target import Target
from operate.terminal import good, working


@click.command(
    epilog="""\b
Examples:
  bigin-archive announce --since 2026-01-31
  bigin-archive announce --all

"""
    + STATUSES
)
@on_a_stack
@click.option("--since", type=DAY, metavar="DAY", help="Files archived on this day (UTC) or later: 2026-01-31.")
@click.option("--all", "everything", is_flag=True, help="Everything in the archive.")
@click.option("--json", "machine", is_flag=True, help="Print JSON.")
def announce(target: Target, since: datetime | None, everything: bool, machine: bool) -> int:
    """Repeat events, for a new consumer or after an outage.

    For the stack's parameter Events=ON. Each event keeps its id, and says "replay": true.
    """
    if (since is None) != everything:
        raise click.UsageError("Say what to repeat: --since DAY, or --all.")
    with working("Listing the archive") as progress:
        count = announce_again(target, since.replace(tzinfo=UTC) if since else None, progress)
    if machine:
        click.echo(json.dumps({"queued": count}))
    else:
        good(f"{count:,} events are queued; they reach the bus within minutes.")
    return 0
