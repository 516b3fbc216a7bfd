"""The command `find`: find archived attachments by words of their names."""

import json
from datetime import datetime

import click
from rich.table import Table
from rich.text import Text

from bigin_archive.audit.report_html import size
from bigin_archive.console.archive_files import ArchiveFiles
from bigin_archive.console.routes import told
from bigin_archive.ledger.ledger_entry import STATES, STORED_STATES
from bigin_archive.search.folding import words
from bigin_archive.search.query import Query
from bigin_archive.search.search_row import SearchRow
from operate.commands.options import DAY, MODULE, on_a_stack
from operate.find import index_cache
from operate.find.lookup import look
from operate.stack.archive import translate_errors
from operate.stack.target import Target
from operate.terminal import complain, out, printable, say, working

MOST_SHOWN = 200


@click.command(
    epilog="""\b
Examples:
  bigin-archive find "muller offer"
  bigin-archive find Angebot --module Pipelines --since 2026-01-01
  bigin-archive find 2034020000000489124 --json
  bigin-archive find Contacts/2034020000000489124

Exit status: 0 found, 1 not found or failed, 2 wrong usage, 130 interrupted."""
)
@click.argument("text")
@on_a_stack
@click.option("--module", "modules", multiple=True, type=MODULE, metavar="NAME", help="Only this (repeatable).")
@click.option("--since", type=DAY, metavar="DAY", help="Attached on this day or later: 2026-01-31.")
@click.option("--until", type=DAY, metavar="DAY", help="Attached on this day or earlier.")
@click.option(
    "--state",
    "states",
    multiple=True,
    type=click.Choice([str(state) for state in STATES]),
    metavar="STATE",
    help=f"Only this (repeatable): {', '.join(STATES)}.",
)
@click.option("--now", is_flag=True, help="Read the whole ledger, to include files that are newer than the last audit.")
@click.option("--json", "machine", is_flag=True, help="Print JSON.")
def find(
    text: str,
    target: Target,
    modules: tuple[str, ...],
    since: datetime | None,
    until: datetime | None,
    states: tuple[str, ...],
    now: bool,
    machine: bool,
) -> int:
    """Find archived files by the words of their names.

    Shows the attachments whose record, file name or ids contain every word of TEXT. The record's name is that of the
    company, contact or deal. Capitals, accents and strokes do not matter.

    It searches the list that the last audit wrote. If it finds nothing there, it reads the whole ledger, which takes
    some seconds for a hundred thousand attachments. With MODULE/ID as TEXT it shows all attachments of that record as
    they are now.
    """
    archive = target.archive
    stack = archive.stack
    client = target.account.client("s3")
    files = ArchiveFiles(client, stack.bucket, stack.key_prefix)
    query = Query(
        words(text),
        modules=frozenset(modules),
        states=frozenset(states),
        since=since.date().isoformat() if since else None,
        until=until.date().isoformat() if until else None,
    )
    cache = index_cache.folder_of(f"{client.meta.endpoint_url}/{stack.bucket}/{stack.key_prefix}")
    with working("Looking") as progress, translate_errors("look"):
        found = look(text, query, files, archive.ledger, cache, now=now, progress=progress)
    if machine:
        click.echo(json.dumps([told(row) for row in found.rows], indent=2))
    elif found.rows:
        _show(found.rows, stack.name)
        if found.as_of:
            say(f"As of {found.as_of[:16].replace('T', ' ')} UTC. For newer files: --now, or find MODULE/ID.", "dim")
    elif found.is_empty:
        complain(
            "The ledger is empty.",
            f"Fill it: bigin-archive sweep --stack {stack.name} --watch; "
            f"if files are archived already: bigin-archive rebuild-ledger --stack {stack.name}.",
        )
    else:
        complain("Nothing was found.", "Records get their names from the sweep. Try the name of the file.")
    return 0 if found.rows else 1


def _show(found: list[SearchRow], stack: str) -> None:
    rest = len(found) - MOST_SHOWN
    table = Table(header_style="bold", caption=f"{rest:,} more. Add a word, or use --json." if rest > 0 else None)
    # Both ids must fit whole into 80 columns, so that they can be copied.
    table.add_column("Record", overflow="fold", min_width=29)  # a module and an id of Bigin
    table.add_column("File and its id", overflow="fold", min_width=19)
    table.add_column("Attached", no_wrap=True)
    for entry in found[:MOST_SHOWN]:
        record = Text(printable(entry.record_name or ""))
        record.append(f"{chr(10) if entry.record_name else ''}{entry.module}/{entry.record_id}", style="dim")
        file = Text(printable(entry.file_name or ""))
        file.append(f"{chr(10) if entry.file_name else ''}{entry.attachment_id}")
        attached = Text(entry.attached_on or "")
        attached.append("" if entry.size_bytes is None else f"\n{size(entry.size_bytes)}", style="dim")
        attached.append("" if entry.state == "archived" else f"\n{entry.state}", style="yellow")
        table.add_row(record, file, attached)
    out().print(table)
    first = next((entry for entry in found if entry.state in STORED_STATES), None)
    if first:
        say(f"  bigin-archive get --stack {stack} {first.attachment_id}", "cyan", whole=True)
