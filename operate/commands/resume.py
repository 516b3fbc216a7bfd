"""The command `resume`: resume a paused stack."""

import json

import click

from operate.commands.options import STATUSES, on_a_stack
from operate.pause.switches import Switches
from operate.stack.target import Target
from operate.terminal import good


@click.command(
    epilog="""\b
Examples:
  bigin-archive resume
  bigin-archive resume --stack bigin-archive --json

"""
    + STATUSES
)
@on_a_stack
@click.option("--json", "machine", is_flag=True, help="Print JSON.")
def resume(target: Target, machine: bool) -> int:
    """Resume a paused stack.

    It switches on what was on before the pause, and nothing else.
    """
    ended = Switches(target.account, target.stack).resume()
    if machine:
        click.echo(json.dumps({"was_paused_since": ended.since if ended else None}))
    elif ended:
        good("Resumed: triggers, schedules and alarms are as before the pause. Waiting requests are archived now.")
    else:
        good("It was not paused.")
    return 0
