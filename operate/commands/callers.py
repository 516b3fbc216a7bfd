"""The command `callers`: keys for programs that cannot sign for AWS."""

import json
from dataclasses import asdict

import click
from rich.table import Table
from rich.text import Text

from bigin_archive.callers.caller import MOST_DAYS, RIGHTS
from operate.callers.keys import Keys
from operate.commands.options import STATUSES, on_a_stack
from operate.stack.target import Target
from operate.terminal import complain, good, out, printable, say


@click.group(
    epilog="""\b
Examples:
  bigin-archive callers add n8n --right link
  bigin-archive callers list
  bigin-archive callers end n8n

"""
    + STATUSES
)
def callers() -> None:
    """Make, list and end the keys of other programs.

    For the stack's parameter Callers=ON. A program sends its key as the header Authorization: Bearer KEY.
    """


@callers.command(epilog=STATUSES)
@click.argument("name")
@on_a_stack
@click.option(
    "--right",
    type=click.Choice(RIGHTS),
    default=RIGHTS[0],
    show_default=True,
    help="archive: archive attachments and ask what became of them. link: also get download links.",
)
@click.option(
    "--days",
    type=click.IntRange(1, MOST_DAYS),
    default=MOST_DAYS,
    show_default=True,
    metavar="N",
    help=f"Days until the key ends by itself, at most {MOST_DAYS}.",
)
@click.option("--json", "machine", is_flag=True, help="Print JSON.")
def add(name: str, target: Target, right: str, days: int, machine: bool) -> int:
    """Make a key for NAME, and print it. It is shown only once."""
    key, caller = Keys(target).add(name, right, days)
    url = target.stack.callers_url
    if machine:
        told = {"key": key.text, "url": url, "key_id": caller.key_id, "name": caller.name}
        click.echo(json.dumps({**told, "right": caller.right, "ends_at": caller.ends_at}))
        return 0
    good(f"{printable(caller.name)} may now call until {caller.ends_at[:10]}, with the right {caller.right}.")
    say(f"  URL:  {url}", whole=True)
    say(f"  Key:  {key.text}", "cyan", whole=True)
    say("Copy the key now. Only its SHA-256 is kept, so it can never be shown again.")
    return 0


@callers.command("list", epilog=STATUSES)
@on_a_stack
@click.option("--json", "machine", is_flag=True, help="Print JSON.")
def list_(target: Target, machine: bool) -> int:
    """List all keys, when each was used last, and when it ends."""
    found = Keys(target).all()
    if machine:
        click.echo(json.dumps([asdict(caller) for caller in found], indent=2))
        return 0
    if not found:
        say("There are no keys yet: bigin-archive callers add NAME")
        return 0
    table = Table(header_style="bold")
    for heading in ("Name", "Id", "Right", "State", "Last use", "Ends"):
        table.add_column(heading, overflow="fold")
    for caller in found:
        used = caller.last_used_at[:16].replace("T", " ") if caller.last_used_at else "never"
        ends = (caller.ended_at or caller.ends_at)[:10]
        table.add_row(Text(printable(caller.name)), caller.key_id, caller.right, caller.state, used, ends)
    out().print(table)
    return 0


@callers.command(epilog=STATUSES)
@click.argument("name")
@on_a_stack
def end(name: str, target: Target) -> int:
    """End the key of NAME (its name, or its id). It stops working within a minute."""
    ended = Keys(target).end(name)
    if not ended:
        complain(f"The key of {printable(name)} has already ended.")
        return 0
    good(f"Ended: {', '.join(ended)}. It stops working within a minute.")
    return 0
