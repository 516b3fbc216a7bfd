"""The command `fleet`: all stacks at a glance."""

import json
from collections.abc import Sequence
from dataclasses import asdict
from datetime import UTC, datetime, timedelta

import click
from rich.table import Table
from rich.text import Text

from operate.commands.options import STATUSES
from operate.errors import OperateError
from operate.fleet.overview import Overview
from operate.fleet.places import Unseen, accounts, look
from operate.terminal import bad, duration, good, out, uncertain, working


@click.command(
    epilog="""\b
Examples:
  bigin-archive fleet
  bigin-archive fleet --all-regions --profile customer-a --profile customer-b
  bigin-archive fleet --region eu-central-1 --region us-east-1 --json

"""
    + STATUSES
)
@click.option(
    "--region",
    "regions",
    multiple=True,
    envvar="AWS_REGION",
    metavar="NAME",
    help="AWS region (repeatable). Default: AWS_REGION.",
)
@click.option("--all-regions", is_flag=True, help="Search every region that is enabled in the account.")
@click.option(
    "--profile", "profiles", multiple=True, metavar="NAME", help="AWS profile (repeatable). Default: AWS_PROFILE."
)
@click.option("--json", "machine", is_flag=True, help="Print JSON.")
def fleet(regions: tuple[str, ...], all_regions: bool, profiles: tuple[str, ...], machine: bool) -> int:
    """Show all stacks, one line each, and which need attention.

    For each stack: the last audit and its age, files archived, requests waiting, dead letters, the token's age, alarms
    that ring, and the API credits used in 24 hours. The exit status is 1 if a stack needs attention, or a named region
    cannot be searched.
    """
    with working("Looking"):
        stacks, unseen = look(list(accounts(profiles, regions, all_regions=all_regions)))
    if not stacks and unseen and not all_regions:
        raise OperateError(unseen[0].problem, unseen[0].remedy)
    if machine:
        click.echo(json.dumps({"stacks": [asdict(row) for row in stacks], "unseen": [asdict(row) for row in unseen]}))
    else:
        _show(stacks, unseen)
    return 1 if unseen or any(row.problems for row in stacks) else 0


def _show(stacks: Sequence[Overview], unseen: Sequence[Unseen]) -> None:
    if stacks:
        out().print(_table(stacks))
    for place in unseen:
        uncertain(f"{_place(place.profile, place.region)}: {place.problem} {place.remedy}")
    needing = [row for row in stacks if row.problems]
    if needing:
        bad(
            f"{len(needing)} of {len(stacks)} need attention: {', '.join(row.stack for row in needing)}.",
            "What to do: bigin-archive doctor --stack NAME",
        )
    elif stacks:
        good(f"{len(stacks)} stacks. None needs attention." if len(stacks) > 1 else "One stack. It needs no attention.")
    else:
        uncertain("There is no stack of Bigin Archive here.")


def _table(stacks: Sequence[Overview]) -> Table:
    table = Table(header_style="bold")
    table.add_column("Stack", overflow="fold", min_width=20)
    table.add_column("Last audit", no_wrap=True)
    for name in ("Archived", "Waiting\ndead", "Token\nage", "Alarms", "Credits"):
        table.add_column(name, justify="right", no_wrap=True)
    table.add_column("Needs", overflow="fold")
    for row in stacks:
        table.add_row(
            f"{row.stack}\n{_place(row.profile, row.region)}",
            f"{row.verdict or '-'}\n{_age(row.audited_at)}".rstrip(),
            _number(row.archived),
            f"{_number(row.waiting)}\n{_number(row.dead_letters)}",
            "-" if row.token_age_s is None else duration(timedelta(seconds=row.token_age_s)),
            str(len(row.alarms)),
            f"{_number(row.credits_used)}\nof {_number(row.credits_share)}",
            Text("; ".join(row.problems) or "nobody", style="bold red" if row.problems else "green"),
        )
    return table


def _place(profile: str | None, region: str) -> str:
    return f"{profile}, {region}" if profile else region


def _age(moment: str | None) -> str:
    return f"{duration(datetime.now(UTC) - datetime.fromisoformat(moment))} ago" if moment else ""


def _number(value: int | None) -> str:
    return "-" if value is None else f"{value:,}"
