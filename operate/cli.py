"""The commands: options in, exit status out.

Exit statuses: 0 done and all fine, 1 it did not work or something is missing, 2 used wrongly, 130 interrupted.
"""

import io
import os
import sys
import traceback
from collections.abc import Sequence

import click

from bigin_archive.archive_request import MODULES
from operate import redrive_report, scopes
from operate.answers import Answers
from operate.audit_command import audit
from operate.authorize import ACCESS_TOKEN, NOTHING_STORED, Authorization
from operate.aws import Account
from operate.check import as_json, check, show
from operate.connection import Connection
from operate.dead_letters import DeadLetters
from operate.doctor_command import doctor
from operate.failure import OperateError
from operate.find_command import find
from operate.get_command import get
from operate.options import MODULE, STATUSES, of_a_stack
from operate.rebuild_command import rebuild_ledger
from operate.redrive import Choice, Sent, look, send_back
from operate.request_command import request
from operate.stack import find as find_stack
from operate.sweep_command import status, sweep
from operate.terminal import complain
from operate.watch_command import watch
from operate.zoho import CLIENT_ID, CLIENT_SECRET, CODE, session

INTERRUPTED = 130
WITH_HELP = {"help_option_names": ["-h", "--help"]}


def main(arguments: Sequence[str]) -> int:
    """Run a command; every failure becomes a sentence and an exit status, none a traceback."""
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, io.TextIOWrapper):
            stream.reconfigure(errors="replace")  # a name that the terminal cannot show is no bug
    try:
        status = cli.main(list(arguments), prog_name="python -m operate", standalone_mode=False)
        return int(status or 0)
    except OperateError as error:
        complain(error.problem, error.remedy)
        return error.status
    except click.Abort:
        complain("Stopped.")
        return INTERRUPTED
    except click.ClickException as error:
        error.show()
        return 2
    except BrokenPipeError:  # a reader such as head has gone; nothing more can be told
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return 1
    except Exception as error:  # noqa: BLE001 - a traceback, or an error's text, might show a secret
        place = traceback.extract_tb(error.__traceback__)[-1]
        complain(
            f"A bug of Bigin Archive ({type(error).__name__} in {os.path.basename(place.filename)}, "
            f"line {place.lineno}).",
            "Please report it with this sentence.",
        )
        return 1


@click.group(context_settings=WITH_HELP, epilog=STATUSES)
def cli() -> None:
    """Operate a deployed stack of Bigin Archive.

    Run it from the project's root, with AWS credentials that may read the stack (aws configure, AWS_PROFILE).
    """


cli.add_command(doctor)
cli.add_command(watch)
cli.add_command(sweep)
cli.add_command(status)
cli.add_command(audit)
cli.add_command(find)
cli.add_command(get)
cli.add_command(rebuild_ledger)
cli.add_command(request)


@cli.command(
    epilog="""\b
Examples:
  python -m operate authorize --stack bigin-archive
  python -m operate authorize --stack bigin-archive --check
  python -m operate authorize --module Contacts --module Notes
  python -m operate authorize --client-id 1000.ABC    (BIGIN_CLIENT_SECRET and BIGIN_GRANT_CODE are exported)

\b
Without a terminal, what no option or variable gives is read from stdin, a line each: client id, client secret, code.

"""
    + STATUSES
)
@of_a_stack
@click.option("--client-id", envvar="BIGIN_CLIENT_ID", metavar="ID", help="Else BIGIN_CLIENT_ID, or you are asked.")
@click.option(
    "--module",
    "modules",
    multiple=True,
    type=MODULE,
    default=MODULES,
    metavar="NAME",
    help=f"A module that the archive must reach; can be repeated. Default: all ({', '.join(MODULES)}).",
)
@click.option(
    "--notifications", is_flag=True, help="With the scope that WatchModules needs, if the stack lacks it yet."
)
@click.option("--access-token-only", is_flag=True, help="Store a bare access token (BIGIN_ACCESS_TOKEN, or asked for).")
@click.option("--scopes", "only_scopes", is_flag=True, help="Print the scope line for Zoho's API console, and stop.")
@click.option("--check", "only_check", is_flag=True, help="Tell what the stored connection can do; change nothing.")
@click.option("--renew", is_flag=True, help="With --check: have the stack renew its token first (ten in ten minutes).")
@click.option("--json", "machine", is_flag=True, help="With --check: print JSON.")
def authorize(
    stack: str,
    region: str | None,
    profile: str | None,
    client_id: str | None,
    modules: tuple[str, ...],
    notifications: bool,
    access_token_only: bool,
    only_scopes: bool,
    only_check: bool,
    renew: bool,
    machine: bool,
) -> int:
    """Connect a stack to Bigin, or check it.

    Secrets are typed hidden, or come from BIGIN_CLIENT_SECRET, BIGIN_GRANT_CODE and BIGIN_ACCESS_TOKEN; no option
    takes one, since options show in the list of processes.
    """
    if (renew or machine) and not only_check:
        raise click.UsageError("--renew and --json belong to --check.")
    if only_scopes:
        click.echo(scopes.line(modules, notifications=notifications))
        return 0
    account = Account(profile, region)
    found = find_stack(account, stack)
    connection = Connection(account.client("secretsmanager"), found)
    if only_check:
        functions = account.client("lambda") if renew else None
        report = check(found, connection, session(found.hosts.api_url), modules, functions)
        if machine:
            click.echo(as_json(report))
        else:
            show(report)
        return 0 if report.fine else 1
    given = {
        CLIENT_ID: client_id,
        CLIENT_SECRET: os.environ.get("BIGIN_CLIENT_SECRET"),
        CODE: os.environ.get("BIGIN_GRANT_CODE"),
        ACCESS_TOKEN: os.environ.get("BIGIN_ACCESS_TOKEN"),
    }
    http, answers = session(found.hosts.accounts_url), Answers(given)
    talk = Authorization(found, connection, http, answers, modules, notifications=notifications)
    try:
        talk.connect_bare_token() if access_token_only else talk.connect()
    except (KeyboardInterrupt, click.Abort):
        complain(
            "Stopped while storing." if connection.touched else f"Stopped. {NOTHING_STORED}",
            "authorize --check tells what the stack has now." if connection.touched else "",
        )
        return INTERRUPTED
    return 0


@cli.command(
    epilog="""\b
Examples:
  python -m operate redrive --stack bigin-archive
  python -m operate redrive --list
  python -m operate redrive --reason bigin_refused
  python -m operate redrive --all --yes
  python -m operate redrive --message-id 5d8f... --dry-run

\b
How SQS lets a queue be looked at:
  To be read, a message has to be received, which hides it from everybody else. A pass hides what it reads for
  at most 15 minutes, and shows it again when it ends; should it be killed, the messages come back by
  themselves. A pass takes at most 10 minutes and 100,000 messages: a longer queue takes several. SQS's counts are
  approximate. Sent back means: received, sent to the source queue, deleted here, in this order, so that nothing
  is lost wherever it is interrupted; what is then in both queues is archived once.

"""
    + STATUSES
)
@of_a_stack
@click.option("--reason", "reasons", multiple=True, metavar="CODE", help="Send back those of this reason (repeatable).")
@click.option("--message-id", "ids", multiple=True, metavar="ID", help="Send back this message (repeatable).")
@click.option("--all", "everything", is_flag=True, help="Send back all.")
@click.option("--list", "each", is_flag=True, help="Show the messages one by one.")
@click.option("--dry-run", is_flag=True, help="Show what would be sent back, and send nothing.")
@click.option("--yes", is_flag=True, help="Do not ask.")
@click.option("--json", "machine", is_flag=True, help="Print JSON.")
def redrive(
    stack: str,
    region: str | None,
    profile: str | None,
    reasons: tuple[str, ...],
    ids: tuple[str, ...],
    everything: bool,
    each: bool,
    dry_run: bool,
    yes: bool,
    machine: bool,
) -> int:
    """Show dead letters, and send them back.

    A dead letter is a request that could not be archived: it waits in the dead-letter queue, with its reason.
    Without --reason, --message-id or --all it is only shown.
    """
    choice = Choice(frozenset(reasons), frozenset(ids), everything)
    sending = bool(choice) and not dry_run
    if sending and not yes and (machine or not sys.stdin.isatty()):
        raise click.UsageError("Nobody can be asked here: say --yes to send back, or --dry-run to see.")
    if not choice and (yes or dry_run):
        raise click.UsageError("Say what to send back: --reason, --message-id or --all.")
    account = Account(profile, region)
    found = find_stack(account, stack)
    queue = DeadLetters(account.client("sqs"), found.dead_letter_queue_url, found.queue_url)
    if not sending or not yes:
        view = look(queue, choice if choice else None)
        if machine:
            click.echo(redrive_report.view_json(view, dry_run=dry_run))
            return 0
        redrive_report.show(view, found.name, each=each)
        if not sending:
            redrive_report.hints(found.name, view.groups, chosen=bool(choice), list_too=bool(view.count) and not each)
            return 0
        if not view.count:
            return 1 if ids else 0
        if not click.confirm(f"Send {view.count} back to the queue?", default=False):
            return 0
    return _send(queue, choice, machine=machine)


def _send(queue: DeadLetters, choice: Choice, *, machine: bool) -> int:
    sent = Sent()
    status = INTERRUPTED
    try:
        send_back(queue, choice, sent)
        status = 0 if sent.fine else 1
    except KeyboardInterrupt:
        complain("Stopped; nothing is lost.", "Run the command again for the rest.")
    finally:
        if machine:
            click.echo(redrive_report.sent_json(sent))
        else:
            redrive_report.show_sent(sent)
    return status
