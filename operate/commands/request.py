"""The command `request`: archive single attachments or records, named by their ids."""

import json
import uuid
from collections.abc import Sequence
from contextlib import suppress

import click

from bigin_archive.archive_request import ArchiveRequest, identifier, module_name
from bigin_archive.errors import InvalidRequestError, StorageRefusedError, StorageUnavailableError
from bigin_archive.ledger.attachment_state import Event
from bigin_archive.queueing.archive_queue import ArchiveQueue, Outgoing
from operate.commands.options import STATUSES, on_a_stack
from operate.stack.archive import translate_errors
from operate.stack.target import Target
from operate.terminal import good, say


@click.command(
    epilog="""\b
Examples:
  bigin-archive request Contacts/2034020000000489124/2034020000000711002
  bigin-archive request Companies/2034020000000489124

"""
    + STATUSES
)
@click.argument("places", nargs=-1, required=True, metavar="MODULE/RECORD[/ATTACHMENT]...")
@on_a_stack
@click.option("--json", "machine", is_flag=True, help="Print JSON.")
def request(places: tuple[str, ...], target: Target, machine: bool) -> int:
    """Archive single attachments, or all of a record.

    Files that are archived already are not downloaded again. The ids are in the address bar of Bigin, and in the report
    of each audit.
    """
    requests = [_request(place) for place in places]
    found = target.stack
    correlation_id = f"request-{uuid.uuid4().hex}"
    with translate_errors("queue the requests; repeat the command"):
        _mark(target, [each for each in requests if each.attachment_id])
        queued = ArchiveQueue(target.client("sqs"), found.queue_url).send(
            Outgoing(each.to_json(), correlation_id=correlation_id) for each in requests
        )
    if machine:
        click.echo(json.dumps({"queued": queued}))
        return 0
    what, them = ("request is", "it") if queued == 1 else ("requests are", "them")
    good(f"{queued} {what} queued. What becomes of {them}:")
    say(f"  bigin-archive status --stack {found.name}", "cyan", whole=True)
    return 0


def _mark(target: Target, requests: Sequence[ArchiveRequest]) -> None:
    """Note that messages are about to be sent, so that no sweep sends others. Not everybody may write to the ledger."""
    archive = target.archive
    with suppress(StorageUnavailableError, StorageRefusedError):
        at = archive.now()
        for each in requests:
            archive.ledger.record_event(each, Event.QUEUED, at)


def _request(place: str) -> ArchiveRequest:
    module, _, ids = place.partition("/")
    record_id, slash, attachment_id = ids.partition("/")
    try:
        return ArchiveRequest(
            module_name(module),
            identifier("The record's id", record_id),
            identifier("The attachment's id", attachment_id) if slash else None,
        )
    except InvalidRequestError as error:
        raise click.UsageError(f"{place!r} is not valid: {error.detail}") from None
