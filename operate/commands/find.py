"""The command `find`: which attachments are archived, by words of their names."""

import json
import unicodedata
from collections.abc import Callable, Iterable, Iterator
from dataclasses import asdict
from datetime import UTC, date, datetime

import click
from rich.table import Table
from rich.text import Text

from bigin_archive.audit.report_html import size
from bigin_archive.ledger.ledger_entry import STATES, LedgerEntry
from operate.commands.options import DAY, MODULE, on_a_stack
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

\b
Exit status: 0 found, 1 nothing found or it did not work, 2 used wrongly, 130 interrupted."""
)
@click.argument("text")
@on_a_stack
@click.option("--module", "modules", multiple=True, type=MODULE, metavar="NAME", help="Only this (repeatable).")
@click.option("--since", type=DAY, metavar="DAY", help="Attached on this day or later: 2026-01-31.")
@click.option("--until", type=DAY, metavar="DAY", help="Attached on this day or earlier.")
@click.option("--state", "states", multiple=True, type=click.Choice(STATES), help="Only in this state (repeatable).")
@click.option("--json", "machine", is_flag=True, help="Print JSON.")
def find(
    text: str,
    target: Target,
    modules: tuple[str, ...],
    since: datetime | None,
    until: datetime | None,
    states: tuple[str, ...],
    machine: bool,
) -> int:
    """Find archived files by the words of their names.

    Shows the attachments whose record, file name or ids contain every word of TEXT.

    The record's name is that of the company, contact or deal. Capitals and accents do not matter. The ledger is read
    whole: some seconds for a hundred thousand attachments.
    """
    archive = target.archive
    first, last = (moment.date() if moment else None for moment in (since, until))
    read = 0

    def counted(entries: Iterable[LedgerEntry], progress: Callable[[int], None]) -> Iterator[LedgerEntry]:
        nonlocal read
        for read, entry in enumerate(entries, 1):
            progress(read)
            yield entry

    with working("Looking") as progress, translate_errors("read the ledger"):
        found = [
            entry
            for entry in matching(counted(archive.ledger.entries(), progress), text)
            if (not modules or entry.module in modules)
            and (not states or entry.state in states)
            and _is_within(entry, first, last)
        ]
    found.sort(key=lambda entry: (_day(entry) or date.min, entry.attachment_id), reverse=True)
    if machine:
        click.echo(json.dumps([asdict(entry) for entry in found], indent=2))
    elif found:
        _show(found, archive.stack.name)
    elif not read:
        complain(
            "The ledger is empty.",
            f"Fill it: bigin-archive sweep --stack {archive.stack.name} --watch; "
            f"if files are archived already: bigin-archive rebuild-ledger --stack {archive.stack.name}.",
        )
    else:
        complain("Nothing was found.", "Records get their names from the sweep. Try the name of the file.")
    return 0 if found else 1


def matching(entries: Iterable[LedgerEntry], text: str) -> Iterator[LedgerEntry]:
    """Those that hold every word of ``text``."""
    words = plain(text).split()
    for entry in entries:
        translate_errors = (entry.record_name, entry.file_name, entry.record_id, entry.attachment_id)
        haystack = plain(" ".join(part for part in translate_errors if part))
        if all(word in haystack for word in words):
            yield entry


def plain(text: str) -> str:
    """Without capitals and accents: what is typed "muller" finds "Müller"."""
    decomposed = unicodedata.normalize("NFKD", text.casefold())
    return "".join(letter for letter in decomposed if not unicodedata.combining(letter))


def _is_within(entry: LedgerEntry, first: date | None, last: date | None) -> bool:
    if not first and not last:
        return True
    day = _day(entry)
    return day is not None and (not first or day >= first) and (not last or day <= last)


def _day(entry: LedgerEntry) -> date | None:
    """When it was attached, in Bigin's own time zone; else when it was archived."""
    try:
        moment = datetime.fromisoformat(entry.created_time or entry.archived_at or entry.first_seen or "")
    except ValueError:
        return None
    return (moment if moment.tzinfo else moment.replace(tzinfo=UTC)).date()


def _show(found: list[LedgerEntry], stack: str) -> None:
    rest = len(found) - MOST_SHOWN
    table = Table(header_style="bold", caption=f"{rest:,} more: narrow it down, or --json." if rest > 0 else None)
    # Both ids have to stay whole, to be copied, in a terminal of 80 columns, too.
    table.add_column("Record", overflow="fold", min_width=29)  # a module and an id of Bigin
    table.add_column("File and its id", overflow="fold", min_width=19)
    table.add_column("Attached", no_wrap=True)
    for entry in found[:MOST_SHOWN]:
        record = Text(printable(entry.record_name or ""))
        record.append(f"{chr(10) if entry.record_name else ''}{entry.module}/{entry.record_id}", style="dim")
        file = Text(printable(entry.file_name or ""))
        file.append(f"{chr(10) if entry.file_name else ''}{entry.attachment_id}")
        bytes_ = entry.size_bytes if entry.size_bytes is not None else entry.listed_size_bytes
        attached = Text(str(_day(entry) or ""))
        attached.append("" if bytes_ is None else f"\n{size(bytes_)}", style="dim")
        attached.append("" if entry.state == "archived" else f"\n{entry.state}", style="yellow")
        table.add_row(record, file, attached)
    out().print(table)
    first = next((entry for entry in found if entry.is_stored), None)
    if first:
        say(f"  bigin-archive get --stack {stack} {first.attachment_id}", "cyan", whole=True)
