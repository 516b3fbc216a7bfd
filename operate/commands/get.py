"""The command `get`: download archived files, and verify their bytes."""

import json
import re
from pathlib import Path

import click

from bigin_archive.archive_request import ALIASES, MODULES
from operate.commands.options import MODULE, STATUSES, on_a_stack
from operate.find.download import by_id, fetch_all, fetch_module, of_records
from operate.stack.archive import translate_errors
from operate.stack.target import Target
from operate.terminal import complain, printable, say, working

_RECORD = re.compile(rf"({'|'.join((*MODULES, *ALIASES))})/([0-9]{{1,50}})")


@click.command(
    epilog="""\b
Examples:
  bigin-archive get 2034020000000711002
  bigin-archive get 2034020000000711002 2034020000000711003 --to ~/Downloads
  bigin-archive get --record Contacts/2034020000000489124 --to contact
  bigin-archive get --module Pipelines --to pipelines

"""
    + STATUSES
)
@click.argument("ids", nargs=-1, metavar="[ID]...")
@on_a_stack
@click.option("--record", "records", multiple=True, metavar="MODULE/ID", help="All files of a record (repeatable).")
@click.option(
    "--module", "modules", multiple=True, type=MODULE, metavar="NAME", help="All files of a module (repeatable)."
)
@click.option(
    "--to",
    "folder",
    default=".",
    show_default=True,
    metavar="DIR",
    type=click.Path(file_okay=False, path_type=Path),
    help="Where to put them.",
)
@click.option("--json", "machine", is_flag=True, help="Print JSON.")
def get(
    ids: tuple[str, ...],
    target: Target,
    records: tuple[str, ...],
    modules: tuple[str, ...],
    folder: Path,
    machine: bool,
) -> int:
    """Download archived files, checked by their SHA-256.

    Name attachments by their IDs, which find shows, whole records with --record, or all records of a module with
    --module. Each file is verified against its SHA-256 before it appears under its name. No file is overwritten: a file
    with the same bytes stays, and beside another one the new file gets a similar name. After an interruption, the same
    command goes on: what is there already is not downloaded again.
    """
    if not ids and not records and not modules:
        raise click.UsageError("Name what to download: attachment ids, --record MODULE/ID, or --module NAME.")
    places = [_place(record) for record in records]
    archive = target.archive
    with working("Looking them up"), translate_errors("look them up"):
        lost: list[str] = []
        wanted = [*by_id(archive, ids, folder), *of_records(archive, places, folder, lost)]
    missing = sorted(set(ids) - {one.attachment_id for one in wanted}) + lost
    missing += [place for place in places if not any(one.record == place for one in wanted)]
    for name in missing:
        complain(f"{printable(name)}: no archived file.", "See what there is: bigin-archive find.")
    paths = fetch_all(archive, wanted, quiet=machine)
    for module in dict.fromkeys(modules):
        found, fetched, gone = fetch_module(archive, module, folder, quiet=machine)
        wanted, paths, missing = wanted + found, paths + fetched, missing + gone
    failed = len(wanted) - len(paths)
    if machine:
        click.echo(json.dumps({"files": [str(path.resolve()) for path in paths], "failed": failed, "missing": missing}))
    elif paths:
        folders = {path.parent for path in paths}
        place = (folders.pop() if len(folders) == 1 else folder).resolve()
        say(f"{len(paths)} of {len(wanted)} {'is' if len(paths) == 1 else 'are'} in {place}, verified.")
    return 1 if failed or missing else 0


def _place(record: str) -> str:
    match = _RECORD.fullmatch(record)
    if not match:
        raise click.UsageError(f"{record!r} is not a record. Write for example Contacts/2034020000000489124.")
    return f"{ALIASES.get(match[1], match[1])}/{match[2]}"
