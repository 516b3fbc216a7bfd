"""The command `doctor`: checks what commonly goes wrong, and names each remedy. Changes nothing."""

import json
from collections.abc import Iterator, Sequence
from itertools import chain

import click

from operate.commands.options import STATUSES, on_a_stack
from operate.doctor import account as account_doctor
from operate.doctor.bigin import BiginDoctor
from operate.doctor.callers import CallersDoctor
from operate.doctor.restore import RestoreDoctor
from operate.doctor.stack import StackDoctor, resources
from operate.errors import OperateError
from operate.findings import Finding, State, look, problem, show
from operate.stack.target import Target
from operate.terminal import bad, good, say

_NAME_WIDTH = 16  # columns


@click.command(
    epilog="""\b
Examples:
  bigin-archive doctor --before --region eu-central-1
  bigin-archive doctor --stack bigin-archive
  bigin-archive doctor --profile customer --json

It changes and queues nothing. It takes 14 API credits at most: one record and one attachment of each module.

"""
    + STATUSES
)
@on_a_stack
@click.option("--before", is_flag=True, help="Before a deployment: look only at this machine and the AWS account.")
@click.option("--json", "machine", is_flag=True, help="Print JSON.")
def doctor(target: Target, before: bool, machine: bool) -> int:
    """Check everything that commonly goes wrong.

    Each line says that something is fine, or what is wrong and what to do, or that it is not known. The exit status is
    1 if there is a problem.
    """
    found = []
    if not machine:
        say(_title(target) if not before else "Before a deployment", "bold")
    for finding in _findings(target, before=before):
        found.append(finding)
        if not machine:
            show(finding, name_width=_NAME_WIDTH)
    problems = [finding for finding in found if finding.state is State.PROBLEM]
    if machine:
        click.echo(_as_json(target.name, target.account.region, found))
    elif problems:
        names = ", ".join(finding.name for finding in problems)
        bad(f"{len(problems)} of {len(found)} checks found a problem: {names}.")
    else:
        good("No problem was found.")
    return 1 if problems else 0


def _findings(target: Target, *, before: bool) -> Iterator[Finding]:
    """All findings. Without credentials and a region, the first two are all."""
    account = target.account
    for finding in look(account_doctor.checks(account)):
        yield finding
        if finding.state is State.PROBLEM and finding.name in ("AWS region", "AWS credentials"):
            return
    if before:
        return
    try:
        deployed = target.stack
        physical = resources(account, deployed)
    except OperateError as error:
        remedy = f"{error.remedy} To deploy: make build, then .venv/sam/bin/sam deploy --guided."
        yield problem("Stack", error.problem, remedy)
        return
    of_stack = StackDoctor(account, deployed, physical)
    of_bigin = BiginDoctor(account, deployed, physical["WebhookSecret"])
    of_restore = RestoreDoctor(target.archive)
    of_callers = CallersDoctor(target)
    yield from look(chain(of_stack.checks(), of_bigin.checks(), of_restore.checks(), of_callers.checks()))


def _title(target: Target) -> str:
    region = target.account.region
    if target.name:
        return f"The stack {target.name} ({region or 'no region'})"
    return f"The stack of region {region}" if region else "The stack"


def _as_json(stack: str | None, region: str, found: Sequence[Finding]) -> str:
    return json.dumps(
        {
            "stack": stack,
            "region": region,
            "fine": all(finding.state is not State.PROBLEM for finding in found),
            "checks": [
                {
                    "name": finding.name,
                    "state": finding.state.value,
                    "detail": finding.detail,
                    "remedy": finding.remedy or None,
                }
                for finding in found
            ],
        },
        indent=2,
    )
