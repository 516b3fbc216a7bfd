"""The command `console`: serve the console on this machine, and manage the users of the deployed one."""

import json
import time
import webbrowser
from collections.abc import Callable, Mapping
from dataclasses import asdict

import click
from click.core import ParameterSource
from rich.table import Table

from bigin_archive.console.archive_files import ArchiveFiles
from bigin_archive.console.link_limit import WEEK_S, links_in_week, week_of
from operate.commands.options import STATUSES, on_a_stack
from operate.console.server import ConsoleServer
from operate.console.users import User, Users
from operate.doctor.stack import resources
from operate.errors import OperateError
from operate.stack.archive import translate_errors
from operate.stack.target import Target
from operate.terminal import good, moment, out, printable, say


@click.group(
    invoke_without_command=True,
    epilog="""\b
Examples:
  bigin-archive console
  bigin-archive console --no-browser --port 8080
  bigin-archive console invite anna@example.com

"""
    + STATUSES,
)
@on_a_stack
@click.option("--port", type=click.IntRange(0, 65535), default=0, help="Port on 127.0.0.1. Default: a free one.")
@click.option("--no-browser", is_flag=True, help="Only print the address.")
@click.pass_context
def console(context: click.Context, target: Target, port: int, no_browser: bool) -> int:
    """Search and download files in the browser, or invite others.

    Without a subcommand it serves the page on this machine, with your own AWS credentials, until Ctrl-C. The
    subcommands manage who may sign in to the page that a stack with Console=ON deploys.
    """
    if context.invoked_subcommand:
        given = [name for name in context.params if context.get_parameter_source(name) is ParameterSource.COMMANDLINE]
        if given:
            raise click.UsageError(f"Write the options after {context.invoked_subcommand}.")
        return 0
    from bigin_archive.aws.clients import SIGNED  # boto3, which the help does not need

    archive = target.archive
    client = target.account.client("s3", SIGNED)
    files = ArchiveFiles(client, archive.stack.bucket, archive.stack.key_prefix)
    try:
        server = ConsoleServer(files, archive.ledger, port, _report)
    except OSError as error:
        raise OperateError(
            f"Port {port} cannot be used ({error.strerror}).", "Choose another --port, or leave it out."
        ) from None
    with server:
        say(server.url, "cyan", whole=True)
        say("Open this address in your browser. Ctrl-C ends it. The key in the address works only until then.")
        if not no_browser:
            webbrowser.open(server.url)
        try:
            server.serve_forever()
        except KeyboardInterrupt:
            good("Ended.")
    return 0


@console.command(epilog=STATUSES)
@click.argument("email")
@on_a_stack
def invite(email: str, target: Target) -> int:
    """Let somebody sign in to the deployed console.

    Amazon Cognito mails a temporary password, valid for 7 days. A user who has not signed in yet gets another one.
    """
    url, users = _deployed(target)
    new = users.invite(email)
    good(f"{printable(email)} {'is invited' if new else 'gets another temporary password'}, by e-mail.")
    say("The mail does not contain the address of the page. Send it along:")
    say(f"  {url}", "cyan", whole=True)
    return 0


@console.command("list", epilog=STATUSES)
@on_a_stack
@click.option("--json", "machine", is_flag=True, help="Print JSON.")
def list_(target: Target, machine: bool) -> int:
    """Show who may sign in to the deployed console, and how many links each got last week and this week."""
    url, users = _deployed(target)
    found = sorted(users.all(), key=lambda user: user.email)
    links = _links(target)
    if machine:
        told = [{**asdict(user), "invited_at": user.invited_at.isoformat(), "links": links(user)} for user in found]
        click.echo(json.dumps({"console_url": url, "users": told}, indent=2))
        return 0
    if not found:
        say("Nobody is invited yet: bigin-archive console invite EMAIL")
        return 0
    table = Table(header_style="bold")
    for title in ("User", "Invited", "Signed in", "Links last week", "Links this week"):
        table.add_column(title, overflow="fold")
    for user in found:
        signed_in = "yes" if user.has_signed_in else "not yet"
        counts = [str(count) for count in links(user).values()]
        signed_in = signed_in if user.is_enabled else "disabled"
        table.add_row(printable(user.email), moment(user.invited_at), signed_in, *counts)
    out().print(table)
    say(f"They sign in at {url}", whole=True)
    return 0


@console.command(epilog=STATUSES)
@click.argument("email")
@on_a_stack
def remove(email: str, target: Target) -> int:
    """End somebody's access to the deployed console.

    A user who is signed in can go on for an hour at most.
    """
    _, users = _deployed(target)
    users.remove(email)
    good(f"{printable(email)} cannot sign in any more.")
    return 0


def _deployed(target: Target) -> tuple[str, Users]:
    stack = target.stack
    if not stack.console_url or not stack.console_user_pool_id:
        raise OperateError(
            f"The stack {stack.name} has no console.",
            "Deploy it with Console=ON (sam deploy --parameter-overrides Console=ON ...), or serve it here: "
            "bigin-archive console.",
        )
    return stack.console_url, Users(target.account.client("cognito-idp"), stack.console_user_pool_id)


def _links(target: Target) -> Callable[[User], Mapping[str, int]]:
    """How many links a user got, by week."""
    now_s, client = time.time(), target.account.client("dynamodb")
    table = resources(target.account, target.stack).get("ConsoleLinks")
    weeks = {"last_week": week_of(now_s - WEEK_S), "this_week": week_of(now_s)}
    with translate_errors("count the links"):
        counted = {name: links_in_week(client, table, week) for name, week in weeks.items()}
    return lambda user: {name: counts.get(user.user_id, 0) for name, counts in counted.items()}


def _report(outcome: str, fields: Mapping[str, object]) -> None:
    if outcome == "link_issued":
        say(f"link: {fields['module']}/{fields['record_id']}/{fields['attachment_id']}, version {fields['version_id']}")
