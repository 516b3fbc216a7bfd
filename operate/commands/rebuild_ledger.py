"""The command `rebuild-ledger`: rebuild the ledger from S3."""

import json
from dataclasses import asdict

import click

from bigin_archive.ledger.restored_copy import FOLDER
from operate.audit.ledger_rows import rebuild, rebuild_restored
from operate.commands.options import STATUSES, on_a_stack
from operate.stack.archive import translate_errors
from operate.stack.target import Target
from operate.terminal import good, say, working


@click.command(
    "rebuild-ledger",
    epilog="""\b
Examples:
  bigin-archive rebuild-ledger --dry-run
  bigin-archive rebuild-ledger --stack bigin-archive

"""
    + STATUSES,
)
@on_a_stack
@click.option("--dry-run", is_flag=True, help="Show how many rows are missing. Write none.")
@click.option("--json", "machine", is_flag=True, help="Print JSON.")
def rebuild_ledger(target: Target, dry_run: bool, machine: bool) -> int:
    """Rebuild the ledger from the files in S3.

    It writes only missing rows, so it can be repeated at any time, also while the stack works. The next sweep adds the
    names of records, and what was parked or gone.
    """
    archive = target.archive
    with (
        working("Looking at the objects") as progress,
        translate_errors("rebuild the ledger; repeat the command to continue"),
    ):
        rebuilt = rebuild(archive.ledger, archive.inventory, archive.now(), dry_run=dry_run, progress=progress)
        rebuild_restored(archive.ledger, archive.inventory.own_files(FOLDER), rebuilt, dry_run=dry_run)
    if machine:
        click.echo(json.dumps({"dry_run": dry_run, **asdict(rebuilt)}, indent=2))
        return 0
    done = "would be restored" if dry_run else "restored"
    good(f"{rebuilt.objects:,} objects: {rebuilt.restored:,} rows {done}, {rebuilt.known:,} were there.")
    if rebuilt.several:
        say(
            f"{rebuilt.several:,} attachments have several objects or versions. The oldest one counts; "
            "an audit names the others.",
            "yellow",
        )
    if rebuilt.strange:
        say(f"{rebuilt.strange:,} objects were not written by this application; an audit names them.", "yellow")
    return 0
