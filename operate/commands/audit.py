"""The command `audit`: prove that the archive is complete."""

import re
from dataclasses import asdict
from functools import partial
from typing import Any

import click

from bigin_archive.archive_request import MODULES
from bigin_archive.audit.auditor import Auditor
from bigin_archive.audit.bigin_side import Listing
from bigin_archive.audit.comparison import EXIT_STATUS, Audit
from bigin_archive.bigin import probed_answers
from bigin_archive.bigin.client import Bigin
from bigin_archive.bigin.credit_meter import CreditMeter
from bigin_archive.bigin.probed_answers import ProbedAnswers
from bigin_archive.network.transport import session
from bigin_archive.queueing.archive_queue import ArchiveQueue
from bigin_archive.sweep.closing import left_by
from bigin_archive.sweep.cursor import Cursor
from bigin_archive.token.access_token import AccessTokens
from operate.audit import report
from operate.audit.bigin_listing import listing as read_now
from operate.audit.repair import Repaired, repair
from operate.commands.options import MODULE, on_a_stack
from operate.errors import OperateError
from operate.stack.archive import Archive, enter_credits, translate_errors
from operate.stack.credit_limit import limited, wait_for_credits
from operate.stack.target import Target
from operate.terminal import working


class Share(click.ParamType[float]):
    """A share such as 5%, as a fraction."""

    name = "share"

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> float:
        """Read the share. Anything but a number above 0 and at most 100 is wrong usage."""
        if isinstance(value, float):
            return value
        text = str(value).removesuffix("%").strip()
        if not re.fullmatch(r"[0-9]{1,3}(\.[0-9]{1,3})?", text) or not 0 < float(text) <= 100:
            self.fail(f"{value!r} is not a share. Write for example 5%", param, ctx)
        return float(text) / 100


@click.command(
    epilog="""\b
Examples:
  bigin-archive audit --stack bigin-archive
  bigin-archive audit --deep 5%         (once a week: all is read in 20 weeks)
  bigin-archive audit --repair
  bigin-archive audit --as-of-sweep     (takes no API credits)
  bigin-archive audit --module Contacts --json

Exit status: 0 complete, 2 partial (a difference, or something was not compared) or wrong usage, 1 failed, so
nothing is proved, 130 interrupted."""
)
@on_a_stack
@click.option("--module", "modules", multiple=True, type=MODULE, metavar="NAME", help="Only this (repeatable).")
@click.option(
    "--deep",
    type=Share(),
    default=0.0,
    metavar="5%",
    help="Also read this part of all bytes again; each run takes the next part.",
)
@click.option("--head", "by_head", is_flag=True, help="Ask S3 about each object, even if its version proves it.")
@click.option("--by-record", is_flag=True, help="Go record by record: one call for each record.")
@click.option("--as-of-sweep", is_flag=True, help="Use the list of the last sweep of everything. Does not call Bigin.")
@click.option("--repair", "repairing", is_flag=True, help="Queue what is missing, restore rows of the ledger.")
@click.option("--json", "machine", is_flag=True, help="Print JSON, with every difference.")
def audit(
    target: Target,
    modules: tuple[str, ...],
    deep: float,
    by_head: bool,
    by_record: bool,
    as_of_sweep: bool,
    repairing: bool,
    machine: bool,
) -> int:
    """Prove that the archive is complete, or list what is not.

    Compares what Bigin lists, what the ledger says and what lies in S3, attachment by attachment. Writes a report to
    the bucket, as a page for people and as JSON. Without --repair it changes
    nothing else, except that it notes in the ledger which objects S3 confirmed.
    """
    if by_record and as_of_sweep:
        raise click.UsageError("Use either --by-record or --as-of-sweep, not both.")
    archive = target.archive
    chosen = tuple(name for name in MODULES if name in modules) or MODULES
    meter, now = CreditMeter(), archive.clock(target.now)
    try:
        if as_of_sweep:
            side = _of_last_sweep(target)
        else:
            limit = limited(meter, archive.stack, archive.dynamodb, target.client("sqs"), now)
            side = read_now(
                _bigin(target, archive, meter),
                chosen,
                by_record=by_record,
                sleep=target.sleep,
                more_credits=partial(wait_for_credits, limit, target.sleep),
                now=target.now,
            )
            with translate_errors("ask S3 for its time"):
                side.began_at = archive.now()
                answers = ProbedAnswers.read(archive.inventory.own_file(probed_answers.PATH), target.now())
                side.compares_sizes = answers.sizes_are_right
        with working("Comparing") as progress, translate_errors("audit the archive"):
            made = Auditor(archive.ledger, archive.inventory, target.utc).audit(
                side, modules=chosen, deep=deep, by_head=by_head, progress=progress
            )
    finally:  # also after Ctrl-C and errors: what was spent counts
        enter_credits(archive.dynamodb, archive.stack.ledger_table, meter, now)
    spent = meter.total
    repaired = _repaired(target, archive, made) if repairing and not made.failure else None
    where = f"s3://{archive.stack.bucket}/{made.report_key}"
    if machine:
        extra = {"report": where, "credits": spent, "repaired": asdict(repaired) if repaired else None}
        click.echo(report.as_json(made, archive.inventory, extra))
    else:
        report.show(made, archive.stack.name, where, spent, repaired)
    return EXIT_STATUS[made.verdict]


def _bigin(target: Target, archive: Archive, meter: CreditMeter) -> Bigin:
    api_url = archive.stack.hosts.api_url
    tokens = AccessTokens(target.client("secretsmanager"), archive.stack.token_secret_id, api_url, target.utc)
    return Bigin(session(1), api_url, tokens, meter=meter, now=target.now)


def _of_last_sweep(target: Target) -> Listing:
    archive = target.archive
    with translate_errors("read the state of the sweep"):
        cursor = Cursor(archive.dynamodb, archive.stack.ledger_table, "", target.now)
        state = cursor.load()
    if state is None or state.full_since is None:
        raise OperateError(
            "No sweep of the whole account has finished yet.",
            "Audit without --as-of-sweep, or start one: bigin-archive sweep.",
        )
    left_out = {name: "the last sweep left it out" for name in MODULES if name not in state.modules}
    # Once the next full sweep has begun, the gaps of the last one are no longer known.
    unknown = {} if state.is_done or not state.is_full else dict.fromkeys(MODULES, "a sweep is running: audit after it")
    refused = {*state.refused, *(state.full_refused or ())}
    return left_by(cursor, state, state.full_since, state.full_list, sorted(refused), unknown | left_out)


def _repaired(target: Target, archive: Archive, made: Audit) -> Repaired:
    queue = ArchiveQueue(target.client("sqs"), archive.stack.queue_url)
    with working("Repairing"), translate_errors("repair everything; finished repairs stay"):
        return repair(made.differences, archive.ledger, queue, archive.now())
