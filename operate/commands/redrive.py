"""The command `redrive`: shows dead letters, and sends them back."""

import sys

import click

from operate.commands.options import STATUSES, on_a_stack
from operate.errors import INTERRUPTED
from operate.redrive import report
from operate.redrive.dead_letter_queue import DeadLetterQueue
from operate.redrive.redrive import Choice, Sent, look, send_back
from operate.stack.target import Target
from operate.terminal import complain


@click.command(
    epilog="""\b
Examples:
  bigin-archive redrive --stack bigin-archive
  bigin-archive redrive --list
  bigin-archive redrive --reason bigin_refused
  bigin-archive redrive --all --yes
  bigin-archive redrive --message-id 5d8f... --dry-run

While the command reads the dead-letter queue, SQS hides its messages from others, for at most 15 minutes. It reads
at most 100,000 messages in 10 minutes; run it again for more. A message is sent to the queue before it is deleted
here, so nothing is lost if the command is interrupted.

"""
    + STATUSES
)
@on_a_stack
@click.option("--reason", "reasons", multiple=True, metavar="CODE", help="Send back all with this reason (repeatable).")
@click.option("--message-id", "ids", multiple=True, metavar="ID", help="Send back this message (repeatable).")
@click.option("--all", "everything", is_flag=True, help="Send back all.")
@click.option("--list", "each", is_flag=True, help="Show the messages one by one.")
@click.option("--dry-run", is_flag=True, help="Show what would be sent back, and send nothing.")
@click.option("--yes", is_flag=True, help="Do not ask.")
@click.option("--json", "machine", is_flag=True, help="Print JSON.")
def redrive(
    target: Target,
    reasons: tuple[str, ...],
    ids: tuple[str, ...],
    everything: bool,
    each: bool,
    dry_run: bool,
    yes: bool,
    machine: bool,
) -> int:
    """Show requests that failed and why, and send them back.

    A dead letter is a request that could not be archived. It waits in the dead-letter queue, with its reason. Without
    --reason, --message-id or --all the command only shows dead letters.
    """
    choice = Choice(frozenset(reasons), frozenset(ids), everything)
    sending = bool(choice) and not dry_run
    if sending and not yes and (machine or not sys.stdin.isatty()):
        raise click.UsageError("There is no terminal to ask at. Add --yes to send back, or --dry-run to look.")
    if not choice and (yes or dry_run):
        raise click.UsageError("Choose what to send back: --reason, --message-id or --all.")
    found = target.stack
    queue = DeadLetterQueue(target.client("sqs"), found.dead_letter_queue_url, found.queue_url)
    if not sending or not yes:
        view = look(queue, choice if choice else None)
        if machine:
            click.echo(report.view_json(view, dry_run=dry_run))
            return 0
        report.show(view, found.name, each=each)
        if not sending:
            report.hints(found.name, view.groups, chosen=bool(choice), list_too=bool(view.count) and not each)
            return 0
        if not view.count:
            return 1 if ids else 0
        if not click.confirm(f"Send {view.count} back to the queue?", default=False):
            return 0
    return _send(queue, choice, machine=machine)


def _send(queue: DeadLetterQueue, choice: Choice, *, machine: bool) -> int:
    sent = Sent()
    status = INTERRUPTED
    try:
        send_back(queue, choice, sent)
        status = 0 if sent.fine else 1
    except KeyboardInterrupt:
        complain("Stopped; nothing is lost.", "Run the command again for the rest.")
    finally:
        if machine:
            click.echo(report.sent_json(sent))
        else:
            report.show_sent(sent)
    return status
