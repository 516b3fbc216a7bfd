"""The command `restore`: send archived files back to Bigin."""

import json
import random
from collections.abc import Callable
from contextlib import AbstractContextManager, nullcontext
from datetime import datetime
from typing import Any

import click

from bigin_archive.archive_request import ArchiveRequest
from bigin_archive.bigin.client import Bigin
from bigin_archive.bigin.credit_meter import CreditMeter
from bigin_archive.errors import ArchiveError
from bigin_archive.network.transport import session
from bigin_archive.token.access_token import AccessTokens, TokenSource
from operate.commands.options import DAY, MODULE, on_a_stack
from operate.errors import INTERRUPTED
from operate.restore import limits, report, selection
from operate.restore.grant import LEFT_REMEDY, asked_for, granted
from operate.restore.notes import RestoreNotes
from operate.restore.outcome import RESTORED, Outcome, Run, Wanted
from operate.restore.restorer import BATCH, Restorer
from operate.restore.selection import Selection
from operate.restore.sender import Sender
from operate.restore.uploader import Uploader
from operate.stack.archive import Archive, enter_credits, translate_errors
from operate.stack.target import Target
from operate.terminal import complain, good, printable, say, working


class _Parsed(click.ParamType[Any]):
    """An id or a record, read by a function that raises ValueError."""

    def __init__(self, name: str, parse: Callable[[str], Any]) -> None:
        self.name = name
        self._parse = parse

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> Any:
        try:
            return self._parse(value) if isinstance(value, str) else value
        except ValueError as error:
            self.fail(str(error), param, ctx)


_RECORD, _PLACE = _Parsed("record", selection.record), _Parsed("id", selection.place)


@click.command(
    epilog="""\b
Examples:
  bigin-archive restore --record Contacts/2034020000000489124 --yes
  bigin-archive restore ID --to-record Contacts/2034020000000489125
  bigin-archive restore --module Pipelines --since 2026-01-01 --json
  bigin-archive restore --drill Contacts/2034020000000489124 --yes

With --yes it asks for a code from Zoho's API console. Without a terminal, it reads what is missing from stdin, one
value a line: client id, client secret, code.

Exit status: 0 all there, 2 some not (or wrong usage), 1 failed, 130 interrupted."""
)
@click.argument("ids", nargs=-1, type=_PLACE, metavar="[ID]...")
@on_a_stack
@click.option("--record", "records", multiple=True, type=_RECORD, metavar="RECORD", help="All files of this MODULE/ID.")
@click.option("--module", "modules", multiple=True, type=MODULE, metavar="NAME", help="All files of a module.")
@click.option("--since", type=DAY, metavar="DAY", help="With --record, --module: attached then or later.")
@click.option(
    "--to-record", "to", type=_RECORD, metavar="RECORD", help="Send the files to this record, not to their own."
)
@click.option("--drill", type=_RECORD, metavar="RECORD", help="Send a copy of one file to this record, as a test.")
@click.option("--yes", is_flag=True, help="Do it. Without it, only show what would be done.")
@click.option("--client-id", envvar="BIGIN_CLIENT_ID", metavar="ID", help="Default: BIGIN_CLIENT_ID, or you are asked.")
@click.option(
    "--upload-limit",
    "limit_mib",
    type=click.IntRange(1, 5120),
    default=limits.UPLOAD_LIMIT_MIB,
    metavar="MIB",
    help=f"Largest file that your Bigin accepts. Default: {limits.UPLOAD_LIMIT_MIB}.",
)
@click.option("--forget-grants", is_flag=True, help="Forget the grants that you removed at Zoho.")
@click.option("--json", "machine", is_flag=True, help="Print JSON.")
def restore(
    ids: tuple[str, ...],
    target: Target,
    records: tuple[ArchiveRequest, ...],
    modules: tuple[str, ...],
    since: datetime | None,
    to: ArchiveRequest | None,
    drill: ArchiveRequest | None,
    yes: bool,
    client_id: str | None,
    limit_mib: int,
    forget_grants: bool,
    machine: bool,
) -> int:
    """Send archived files back to Bigin, and compare every byte.

    Name attachments by their IDs (see find), whole records, or a module. Without --yes nothing is changed: it shows
    what would be sent, what is there already, what Bigin would refuse, and the credits that it takes.

    Each file is checked before it is sent, and compared after it arrived. What is there already is not sent again.
    """
    if drill and (records or modules or since or to or len(ids) > 1):
        raise click.UsageError("--drill takes one ID at most, and neither --record, --module, --since nor --to-record.")
    if not (ids or records or modules or drill or forget_grants):
        raise click.UsageError("Name what to restore: ids, --record MODULE/ID, or --module NAME.")
    if since and not (records or modules):
        raise click.UsageError("Use --since together with --record or --module.")
    archive = target.archive
    notes = RestoreNotes(archive)
    if forget_grants:
        with translate_errors("forget the grants"):
            forgotten = notes.forget_grants()
        if machine:
            click.echo(json.dumps({"forgotten": forgotten}))
        else:
            good(f"{forgotten} forgotten.")
        return 0
    with working("Looking them up"), translate_errors("look them up"):
        wanted, missing = _wanted(archive, Selection(ids, records, modules, since and since.date(), drill or to), drill)
        _tell_left(notes.open_grants())
    run = Run(dry=not yes, wanted=wanted, missing=missing)
    meter, interrupted = CreditMeter(), False
    try:
        if wanted:
            if yes:
                report.tell_refusals(wanted, archive.stack.bucket, limit_mib)
            with _tokens(target, notes, wanted, client_id, yes=yes) as tokens:
                _run(archive, notes, run, tokens, meter, limit_mib=limit_mib, drill=drill is not None)
    except (KeyboardInterrupt, click.Abort):
        complain("Stopped.", "Run the command again for the rest: what was sent is not sent again.")
        interrupted = True
    run.credits_used += enter_credits(archive.dynamodb, archive.stack.ledger_table, meter, archive.clock())
    if machine:
        click.echo(report.as_json(run, archive.stack.bucket, {"drill": bool(drill), "interrupted": interrupted}))
    else:
        report.show(run, archive.stack.bucket)
    if drill and yes and run.outcomes:
        _end_drill(notes, run.outcomes[0], machine=machine)
    return INTERRUPTED if interrupted else run.exit_status


def _wanted(archive: Archive, chosen: Selection, drill: ArchiveRequest | None) -> tuple[list[Wanted], tuple[str, ...]]:
    if drill and not chosen.ids:
        return [selection.for_drill(archive.ledger, drill, random.SystemRandom())], ()
    return selection.select(archive.ledger, chosen)


def _tokens(
    target: Target, notes: RestoreNotes, wanted: list[Wanted], client_id: str | None, *, yes: bool
) -> AbstractContextManager[TokenSource]:
    """This run's own grant; for a dry run the stack's own token, which can only read."""
    stack = target.stack
    if not yes:
        return nullcontext(AccessTokens(target.client("secretsmanager"), stack.token_secret_id, stack.hosts.api_url))
    modules = selection.modules_of(wanted)
    values = asked_for(stack, modules, client_id)
    return granted(session(1), stack.hosts, values, modules, notes)


def _run(
    archive: Archive,
    notes: RestoreNotes,
    run: Run,
    tokens: TokenSource,
    meter: CreditMeter,
    *,
    limit_mib: int,
    drill: bool,
) -> None:
    api_url = archive.stack.hosts.api_url
    http = session(1)
    bigin = Bigin(http, api_url, tokens, meter=meter)
    # Uploads get their own connections: a kept one may close during an upload, and then its outcome is unknown.
    sender = None if run.dry else Sender(Uploader(session(1), api_url, tokens, meter))
    restorer = Restorer(archive, bigin, sender, notes, limit_mib=limit_mib, drill=drill)
    with working("Comparing" if run.dry else "Restoring") as progress:

        def tell(outcome: Outcome) -> None:
            run.outcomes.append(outcome)
            progress(len(run.outcomes))
            if len(run.outcomes) % BATCH == 0:  # the sweep's share depends on what is recorded
                run.credits_used += enter_credits(archive.dynamodb, archive.stack.ledger_table, meter, archive.clock())

        try:
            restorer.restore(run.wanted, tell)
        except ArchiveError as error:
            run.failure, run.remedy = error.code, error.detail.removesuffix(" Retried by itself.")


def _tell_left(open_grants: list[str]) -> None:
    if open_grants:
        times = ", ".join(began[:16].replace("T", " ") for began in open_grants[-3:])
        complain(
            f"{len(open_grants)} grant{'' if len(open_grants) == 1 else 's'} of other runs: not revoked, or still in "
            f"use (begun {times} UTC).",
            LEFT_REMEDY,
        )


def _end_drill(notes: RestoreNotes, one: Outcome, *, machine: bool) -> None:
    to = one.wanted.to
    with translate_errors("note the drill"):
        copy = f"{to.module}/{to.record_id}/{one.attachment_id or ''}"
        notes.note_drill(one.outcome, one.wanted.entry.request.place, copy)
    if not machine and one.outcome == RESTORED:
        say(
            "The drill is noted. This grant cannot delete: to remove the copy, open the record "
            f"{to.module}/{to.record_id} in Bigin, go to its attachments, and delete "
            f"{printable(one.name_in_bigin or '')} ({one.attachment_id})."
        )
