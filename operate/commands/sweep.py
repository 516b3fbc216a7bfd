"""The command `sweep`: archive the whole account."""

import json
from dataclasses import asdict
from datetime import UTC, datetime

import click

from bigin_archive.audit.report_html import size
from bigin_archive.bigin import probed_answers
from bigin_archive.bigin.client import Bigin
from bigin_archive.bigin.credit_meter import CreditMeter
from bigin_archive.bigin.probed_answers import ProbedAnswers
from bigin_archive.deadline import Deadline
from bigin_archive.errors import ArchiveError, CreditsSpentError
from bigin_archive.ledger.ledger import Ledger
from bigin_archive.network.transport import session
from bigin_archive.queueing.archive_queue import ArchiveQueue
from bigin_archive.sweep.credit_budget import CreditBudget
from bigin_archive.token.access_token import AccessTokens
from operate.commands.options import DAY_OR_TIME, STATUSES, modules_option, on_a_stack
from operate.errors import OperateError
from operate.stack.archive import enter_credits, translate_errors
from operate.stack.credit_limit import limited
from operate.stack.stack import Stack
from operate.stack.target import Target
from operate.sweep import progress as sweeping
from operate.sweep.estimate import Estimate, Estimator
from operate.sweep.report import show
from operate.sweep.status import Account as Archive
from operate.terminal import duration_of_hours, good, say, working

_ESTIMATE_TIMEOUT_S = 3600
_RESULTS = {"complete": 0, "partial": 2}  # the same as those of audit


@click.command(
    epilog="""\b
Examples:
  bigin-archive sweep --dry-run
  bigin-archive sweep --watch
  bigin-archive sweep --module Pipelines --module Contacts --since 2026-01-01

A sweep continues by itself, in slices of a quarter of an hour, and pauses while its share of the API credits is used.
With --watch the exit status is that of its audit: 0 complete, 2 partial, 1 failed.

"""
    + STATUSES
)
@on_a_stack
@modules_option("Only this module")
@click.option(
    "--since", type=DAY_OR_TIME, metavar="DAY", help="Only what was changed since: 2026-01-31, or with a time (UTC)."
)
@click.option("--by-record", is_flag=True, help="Go record by record, even if Bigin lists all attachments at once.")
@click.option("--dry-run", is_flag=True, help="Show the credits, bytes and hours that it will take. Queues nothing.")
@click.option("--watch", "watching", is_flag=True, help="Show the progress until it is done.")
@click.option("--json", "machine", is_flag=True, help="Print JSON.")
def sweep(
    target: Target,
    modules: tuple[str, ...],
    since: datetime | None,
    by_record: bool,
    dry_run: bool,
    watching: bool,
    machine: bool,
) -> int:
    """Archive the whole account: find and queue what is missing."""
    found = target.stack
    after = since.replace(tzinfo=UTC).isoformat() if since else None
    order = {"modules": list(modules), "since": after, "by_record": by_record}
    if dry_run:
        expected = _estimate(target, found, modules, after, by_record=by_record)
        budget = CreditBudget(found.daily_credits, found.share_percent)
        if machine:
            click.echo(json.dumps({**asdict(expected), "hours": round(expected.hours(budget), 1)}))
        else:
            _show_estimate(expected, budget)
        return 0
    archive = Archive(found, target.client("dynamodb"), target.client("sqs"))
    functions = target.client("lambda")
    before, _ = archive.sweep()
    sweeping.begin(functions, found.sweep_function, order)
    if not watching:
        if machine:
            click.echo(json.dumps({"begun": True}))
        else:
            good("A sweep has begun, or continues if one was running. To see how far it is:")
            say(f"  bigin-archive status --stack {found.name}", "cyan", whole=True)
        return 0
    try:
        status = sweeping.follow(archive, functions, found.sweep_function, before)
    except KeyboardInterrupt:
        raise OperateError(
            "Stopped watching. The sweep continues.",
            f"bigin-archive status --stack {found.name} shows how far it is.",
            status=130,
        ) from None
    if machine:
        click.echo(json.dumps(status.as_dict()))
    else:
        show(status, found)
    return _RESULTS.get(str(status.sweep.result), 1) if status.sweep else 1


def _estimate(
    target: Target, stack: Stack, modules: tuple[str, ...], since: str | None, *, by_record: bool
) -> Estimate:
    api_url = stack.hosts.api_url
    tokens = AccessTokens(target.client("secretsmanager"), stack.token_secret_id, api_url, target.utc)
    dynamodb, meter, now = target.client("dynamodb"), CreditMeter(), target.archive.clock(target.now)
    limited(meter, stack, dynamodb, target.client("sqs"), now)
    with translate_errors("read what the last probe found"):
        answers = ProbedAnswers.read(target.archive.inventory.own_file(probed_answers.PATH), target.now())
    last, _ = Archive(stack, dynamodb, target.client("sqs")).sweep()
    try:
        with working("Asking Bigin"):
            waiting = ArchiveQueue(target.client("sqs"), stack.queue_url).waiting()
            estimator = Estimator(
                Bigin(session(1), api_url, tokens, meter=meter, now=target.now),
                meter,
                Ledger(dynamodb, stack.ledger_table),
                Deadline(_ESTIMATE_TIMEOUT_S),
                now,
                last.lost_for_next(waiting) if last else None,
                answers,
            )
            return estimator.estimate(modules, since, by_record=by_record)
    except CreditsSpentError:
        raise OperateError(
            "The estimate needs more API credits than are left of the sweep's part for this hour or day.",
            "Try again in an hour. If that is never enough, raise CreditsSharePercent. A sweep waits for credits.",
        ) from None
    except ArchiveError as error:
        raise OperateError("The account cannot be listed.", error.detail) from None
    finally:
        enter_credits(dynamodb, stack.ledger_table, meter, now)


def _show_estimate(expected: Estimate, budget: CreditBudget) -> None:
    if expected.sampled is None:
        say(f"Bigin lists {expected.attachments:,} attachments.")
    elif expected.sampled == expected.records:
        say(f"{expected.records:,} records, all listed: {expected.attachments:,} attachments.")
    else:
        say(
            f"{expected.records:,} records, {expected.sampled} of them listed: about "
            f"{expected.attachments:,} attachments."
        )
    say(f"To be downloaded: {expected.unknown:,} files, {size(expected.unknown_bytes)}.")
    say(f"Credits: {expected.credits:,}; this estimate took {expected.spent:,}.")
    say(f"Time: {duration_of_hours(expected.hours(budget))}, with {budget.sweep_share:,} credits a day for sweeps.")
