"""The command `status`: how far the archive is."""

import json

import click

from operate.commands.options import STATUSES, on_a_stack
from operate.stack.target import Target
from operate.sweep.report import show
from operate.sweep.status import Account as Archive


@click.command(
    epilog="""\b
Examples:
  bigin-archive status --stack bigin-archive
  bigin-archive status --json

"""
    + STATUSES
)
@on_a_stack
@click.option("--json", "machine", is_flag=True, help="Print JSON.")
def status(target: Target, machine: bool) -> int:
    """Show how far the archive is: files, queue, credits.

    It reads the whole ledger, which takes some seconds for a hundred thousand attachments.
    """
    found = target.stack
    seen = Archive(found, target.client("dynamodb"), target.client("sqs")).status()
    if machine:
        click.echo(json.dumps(seen.as_dict()))
    else:
        show(seen, found)
    return 0
