"""The command `status`: how far the archive is."""

import json

import click

from operate.commands.options import STATUSES, of_a_stack
from operate.stack.aws import Account
from operate.stack.stack import find
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
@of_a_stack
@click.option("--json", "machine", is_flag=True, help="Print JSON.")
def status(stack: str | None, region: str | None, profile: str | None, machine: bool) -> int:
    """Show how far the archive is: files, queue, credits.

    Reads the whole ledger: some seconds for a hundred thousand attachments.
    """
    account = Account(profile, region)
    found = find(account, stack)
    seen = Archive(found, account.client("dynamodb"), account.client("sqs")).status()
    if machine:
        click.echo(json.dumps(seen.as_dict()))
    else:
        show(seen, found)
    return 0
