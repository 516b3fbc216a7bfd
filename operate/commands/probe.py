"""The command `probe`: how the connected Bigin account answers. Only reads."""

import io
import time

import click

from bigin_archive.bigin import probed_answers
from bigin_archive.clock import iso
from bigin_archive.network.transport import session
from operate.commands.options import STATUSES, on_a_stack
from operate.connect.secrets import StackSecrets
from operate.errors import OperateError
from operate.findings import show
from operate.probe.account_probe import AccountProbe
from operate.selftest import report
from operate.stack.target import Target
from operate.terminal import say, working


@click.command(
    epilog="""\b
Examples:
  bigin-archive probe --stack bigin-archive
  bigin-archive probe --json > probe.json

It reads, and changes nothing: some twenty API credits at most.

"""
    + STATUSES
)
@on_a_stack
@click.option("--json", "machine", is_flag=True, help="Print a JSON report without personal data.")
def probe(target: Target, machine: bool) -> int:
    """See how your Bigin account answers. Only reads.

    It compares lists, sizes, downloads, limits and fields with what this version expects. The answers are kept beside
    the archive. The doctor shows them, and sweeps use them for 90 days: they try no list that Bigin lacks, and compare
    no size that is wrong. The exit status is 1 if something differs.
    """
    stack = target.stack
    stored = StackSecrets(target.client("secretsmanager"), stack).token()
    if stored.token is None:
        raise OperateError(stored.problem, f"Connect first: bigin-archive authorize --stack {stack.name}")
    with working("Asking Bigin"):
        found = list(AccountProbe(session(1), stack.hosts.api_url, stored.token.value).findings())
    text = report.as_json(found, stack.data_center or "a simulator", iso(time.time()))
    target.archive.inventory.write(probed_answers.PATH, io.BytesIO(text.encode()), "application/json")
    if machine:
        click.echo(text)
    else:
        for finding in found:
            show(finding)
        report.show_counts(found)
        say(f"Kept as {probed_answers.PATH} beside the archive; it holds no personal data.", "dim")
    return report.exit_status(found)
