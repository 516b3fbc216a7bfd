"""The command `authorize`: connects a stack to Bigin, or checks it."""

import os

import click

from bigin_archive.network.transport import session
from operate.commands.options import STATUSES, modules_option, on_a_stack
from operate.connect import scopes
from operate.connect.check import as_json, check, show
from operate.connect.prompts import Prompts
from operate.connect.secrets import StackSecrets
from operate.connect.wizard import ACCESS_TOKEN, NOTHING_STORED, Authorization
from operate.connect.zoho import CLIENT_ID, CLIENT_SECRET, CODE
from operate.errors import INTERRUPTED
from operate.stack.target import Target
from operate.terminal import complain


@click.command(
    epilog="""\b
Examples:
  bigin-archive authorize --stack bigin-archive
  bigin-archive authorize --stack bigin-archive --check
  bigin-archive authorize --module Contacts --module Notes

Without a terminal, missing values are read from stdin, one a line: client id, client secret, code.

"""
    + STATUSES
)
@on_a_stack
@click.option("--client-id", envvar="BIGIN_CLIENT_ID", metavar="ID", help="Else BIGIN_CLIENT_ID, else you are asked.")
@modules_option("A module that the archive must reach")
@click.option("--notifications", is_flag=True, help="Also print the scope that WatchModules needs.")
@click.option(
    "--access-token-only",
    is_flag=True,
    help="Store an access token that nothing renews (BIGIN_ACCESS_TOKEN, or typed).",
)
@click.option("--scopes", "only_scopes", is_flag=True, help="Print the scope line for Zoho's API console, and stop.")
@click.option("--check", "only_check", is_flag=True, help="Show what the connection can do. Changes nothing.")
@click.option("--renew", is_flag=True, help="With --check: renew the token first. Zoho allows ten in ten minutes.")
@click.option("--json", "machine", is_flag=True, help="With --check: print JSON.")
def authorize(
    target: Target,
    client_id: str | None,
    modules: tuple[str, ...],
    notifications: bool,
    access_token_only: bool,
    only_scopes: bool,
    only_check: bool,
    renew: bool,
    machine: bool,
) -> int:
    """Connect a stack to Bigin, or check the connection.

    You type the secrets, which are not shown, or export BIGIN_CLIENT_SECRET, BIGIN_GRANT_CODE or BIGIN_ACCESS_TOKEN. No
    option takes a secret, because the list of processes shows options.
    """
    if (renew or machine) and not only_check:
        raise click.UsageError("Use --renew and --json together with --check.")
    if only_scopes:
        click.echo(scopes.line(modules, notifications=notifications))
        return 0
    found = target.stack
    connection = StackSecrets(target.client("secretsmanager"), found)
    if only_check:
        functions = target.client("lambda") if renew else None
        checked = check(found, connection, session(1), modules, functions)
        if machine:
            click.echo(as_json(checked))
        else:
            show(checked)
        return 0 if checked.fine else 1
    given = {
        CLIENT_ID: client_id,
        CLIENT_SECRET: os.environ.get("BIGIN_CLIENT_SECRET"),
        CODE: os.environ.get("BIGIN_GRANT_CODE"),
        ACCESS_TOKEN: os.environ.get("BIGIN_ACCESS_TOKEN"),
    }
    http, answers = session(1), Prompts(given)
    talk = Authorization(found, connection, http, answers, modules, notifications=notifications)
    try:
        talk.connect_bare_token() if access_token_only else talk.connect()
    except (KeyboardInterrupt, click.Abort):
        complain(
            "Stopped while storing." if connection.touched else f"Stopped. {NOTHING_STORED}",
            "See what the stack has now: bigin-archive authorize --check." if connection.touched else "",
        )
        return INTERRUPTED
    return 0
