"""The commands `sweep` and `status`: options in, exit status out."""

import json
from dataclasses import asdict
from datetime import UTC, datetime

import click

from bigin_archive.access_token import AccessTokens
from bigin_archive.archive_request import MODULES
from bigin_archive.audit import COMPLETE
from bigin_archive.auditor import latest
from bigin_archive.bigin import Bigin
from bigin_archive.budget import Budget
from bigin_archive.credits import Meter
from bigin_archive.deadline import Deadline
from bigin_archive.errors import ArchiveError
from bigin_archive.leases import open_gate
from bigin_archive.ledger import Ledger
from bigin_archive.report_page import size
from operate import sweep as sweeping
from operate.account_status import Account as Archive
from operate.account_status import Status
from operate.archive import enter_credits
from operate.aws import Account
from operate.estimate import Estimate, estimate
from operate.failure import OperateError
from operate.options import DAY_OR_TIME, MODULE, STATUSES, of_a_stack
from operate.stack import Stack, find
from operate.terminal import duration_of_hours, good, say, working
from operate.zoho import session

_ESTIMATE_TIMEOUT_S = 3600
_RESULTS = {"complete": 0, "partial": 2}  # as those of audit


@click.command(
    epilog="""\b
Examples:
  python -m operate sweep --dry-run
  python -m operate sweep --watch
  python -m operate sweep --module Pipelines --module Contacts --since 2026-01-01

\b
A sweep goes on by itself, in slices of a quarter of an hour, and waits where the credits of its share are used.
With --watch the exit status is that of its audit: 0 complete, 2 partial, 1 failed.

"""
    + STATUSES
)
@of_a_stack
@click.option(
    "--module",
    "modules",
    multiple=True,
    type=MODULE,
    default=MODULES,
    metavar="NAME",
    help=f"Only this module; can be repeated. Default: all ({', '.join(MODULES)}).",
)
@click.option(
    "--since", type=DAY_OR_TIME, metavar="DAY", help="Only what was changed since: 2026-01-31, or with a time (UTC)."
)
@click.option("--by-record", is_flag=True, help="Record by record, even where Bigin lists all attachments at once.")
@click.option("--dry-run", is_flag=True, help="Tell the credits, bytes and hours to be expected; queue nothing.")
@click.option("--watch", "watching", is_flag=True, help="Show the progress until it is done.")
@click.option("--json", "machine", is_flag=True, help="Print JSON.")
def sweep(
    stack: str,
    region: str | None,
    profile: str | None,
    modules: tuple[str, ...],
    since: datetime | None,
    by_record: bool,
    dry_run: bool,
    watching: bool,
    machine: bool,
) -> int:
    """Archive the whole account: find every attachment, and queue what is not archived yet."""
    account = Account(profile, region)
    found = find(account, stack)
    after = since.replace(tzinfo=UTC).isoformat() if since else None
    order = {"modules": list(modules), "since": after, "by_record": by_record}
    if dry_run:
        expected = _estimate(account, found, modules, after, by_record=by_record)
        budget = Budget(found.daily_credits, found.share_percent)
        if machine:
            click.echo(json.dumps({**asdict(expected), "hours": round(expected.hours(budget), 1)}))
        else:
            _show_estimate(expected, budget)
        return 0
    archive = Archive(found, account.client("dynamodb"), account.client("sqs"))
    functions = account.client("lambda")
    before, _ = archive.sweep()
    sweeping.begin(functions, found.sweep_function, order)
    if not watching:
        if machine:
            click.echo(json.dumps({"begun": True}))
        else:
            good("A sweep has begun, or goes on if one was under way. How far it is:")
            say(f"  python -m operate status --stack {found.name}", "cyan", whole=True)
        return 0
    try:
        status = sweeping.follow(archive, functions, found.sweep_function, before)
    except KeyboardInterrupt:
        raise OperateError(
            "Stopped watching; the sweep goes on.",
            f"python -m operate status --stack {found.name} shows how far it is.",
            status=130,
        ) from None
    if machine:
        click.echo(json.dumps(status.as_dict()))
    else:
        _show(status, found)
    return _RESULTS.get(str(status.sweep.result), 1) if status.sweep else 1


@click.command(
    epilog="""\b
Examples:
  python -m operate status --stack bigin-archive
  python -m operate status --json

"""
    + STATUSES
)
@of_a_stack
@click.option("--json", "machine", is_flag=True, help="Print JSON.")
def status(stack: str, region: str | None, profile: str | None, machine: bool) -> int:
    """Show how far the archive is: sweep, attachments, queue, credits. Reads the whole ledger."""
    account = Account(profile, region)
    found = find(account, stack)
    seen = Archive(found, account.client("dynamodb"), account.client("sqs")).status()
    if machine:
        click.echo(json.dumps(seen.as_dict()))
    else:
        _show(seen, found)
    return 0


def _show(status: Status, stack: Stack) -> None:
    sweeping.show(status)
    if status.sweep and status.sweep.result not in (None, COMPLETE):
        report = f"s3://{stack.bucket}/{stack.key_prefix}{latest(status.sweep.modules)}.html"
        say(f"What differs, and what to do: {report}, or", whole=True)
        say(f"  python -m operate audit --stack {stack.name}", "cyan", whole=True)


def _estimate(
    account: Account, stack: Stack, modules: tuple[str, ...], since: str | None, *, by_record: bool
) -> Estimate:
    api_url = stack.hosts.api_url
    tokens = AccessTokens(account.client("secretsmanager"), stack.token_secret_id, api_url)
    dynamodb, meter = account.client("dynamodb"), Meter()
    try:
        with working("Asking Bigin"):
            return estimate(
                Bigin(session(api_url), api_url, tokens, open_gate, meter),
                Ledger(dynamodb, stack.ledger_table),
                modules,
                since,
                Deadline(_ESTIMATE_TIMEOUT_S),
                by_record=by_record,
            )
    except ArchiveError as error:
        raise OperateError("The account cannot be listed.", error.detail) from None
    finally:
        enter_credits(dynamodb, stack.ledger_table, meter)


def _show_estimate(expected: Estimate, budget: Budget) -> None:
    if expected.sampled is None:
        say(f"Bigin lists {expected.attachments:,} attachments.")
    elif expected.sampled == expected.records:
        say(f"{expected.records:,} records, all looked into: {expected.attachments:,} attachments.")
    else:
        say(
            f"{expected.records:,} records, of which {expected.sampled} were looked into: about "
            f"{expected.attachments:,} attachments."
        )
    say(f"To be downloaded: {expected.unknown:,} files, {size(expected.unknown_bytes)}.")
    say(f"Credits: {expected.credits:,}; this estimate took {expected.spent:,}.")
    say(f"Time: {duration_of_hours(expected.hours(budget))}, with {budget.sweep_share:,} credits a day for sweeps.")
