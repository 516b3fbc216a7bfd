"""The command `pause`: stop a stack in an emergency."""

import json
from datetime import UTC, datetime

import click

from operate.commands.options import STATUSES, on_a_stack
from operate.pause.switches import Switches
from operate.stack.target import Target
from operate.terminal import good, moment, say


@click.command(
    epilog="""\b
Examples:
  bigin-archive pause
  bigin-archive pause --stack bigin-archive --json

"""
    + STATUSES
)
@on_a_stack
@click.option("--json", "machine", is_flag=True, help="Print JSON.")
def pause(target: Target, machine: bool) -> int:
    """Stop a stack in an emergency; nothing is lost for 13 days.

    It switches off the triggers of the queues and all schedules: nothing calls Bigin, and requests wait. Webhooks are
    still accepted, and POST /attachments still archives while its caller waits. Alarms send no mail, except the one
    that rings after half a day because requests wait.
    """
    found = target.stack
    made = Switches(target.account, found).pause(datetime.now(UTC))
    if machine:
        click.echo(json.dumps({"paused_since": made.since, "nothing_is_lost_until": made.safe_until.isoformat()}))
        return 0
    good(f"Paused: {len(made.triggers)} triggers and {len(made.schedules)} schedules are off. Requests wait.")
    say(f"Nothing is lost until {moment(made.safe_until)}. Resume before that:")
    say(f"  bigin-archive resume --stack {found.name}", "cyan", whole=True)
    return 0
