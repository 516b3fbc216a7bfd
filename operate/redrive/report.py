"""Prints what `redrive` found and sent back."""

import json
from collections.abc import Iterable

from rich.table import Table
from rich.text import Text

from bigin_archive import archive_request
from bigin_archive.clock import iso_or_none
from bigin_archive.errors import InvalidRequestError
from operate.redrive.reasons import reason_text
from operate.redrive.redrive import MOST_LISTED, Sent, View
from operate.terminal import complain, duration, good, out, printable, say


def show(view: View, stack: str, *, each: bool) -> None:
    """Print the groups, and with ``each`` the messages one by one."""
    say(f"Dead letters of the stack {stack}", "bold")
    if not view.count:
        good("There are none.")
    else:
        out().print(_groups_table(view))
        if each:
            out().print(_letters_table(view))
        first = min(group.oldest for group in view.groups.values() if group.oldest)
        left = view.depth.retention - (view.depth.now - first)
        say(
            f"SQS deletes a message {duration(view.depth.retention)} after it was sent: the oldest in {duration(left)}."
        )
    if view.depth.hidden:
        say(f"About {view.depth.hidden} more are hidden at the moment: someone else is looking at them.", "yellow")
    if not view.complete:
        say(
            f"The queue is longer than one pass ({view.looked_at} of about {view.depth.visible + view.depth.hidden} "
            "messages were looked at); the rest is of unknown reasons. Sending back makes room for the next pass.",
            "yellow",
        )


def hints(stack: str, reasons: Iterable[str], *, chosen: bool, list_too: bool) -> None:
    """The next commands: those that send back, and the one that shows each message with its id."""
    if chosen:
        say("Nothing was sent. Without --dry-run, these messages are sent back.")
        return
    # Malformed requests would only be parked again, so there is no hint for them.
    for reason in sorted(set(reasons) - {InvalidRequestError.code}):
        say(f"  bigin-archive redrive --stack {stack} --reason {printable(reason)}", "cyan", whole=True)
    if list_too:
        say(f"  bigin-archive redrive --stack {stack} --list", "cyan", whole=True)


def show_sent(sent: Sent) -> None:
    """Print what was sent back."""
    counts = ", ".join(f"{count} {reason}" for reason, count in sorted(sent.by_reason.items()))
    if sent.by_reason:
        good(f"Sent back: {sent.by_reason.total()} ({counts}). The archive works on them now.")
    else:
        say("Nothing was sent back.")
    if sent.refused:
        complain(f"SQS did not take {sent.refused}; they are still dead letters.", "Run the command again.")
    if sent.missing_ids:
        complain(
            f"Not found: {', '.join(sorted(sent.missing_ids))}.",
            "Look again with --list. A message that somebody else is reading comes back within 15 minutes.",
        )
    if not sent.complete:
        complain("The pass ended before the end of the queue.", "Run the command again for the rest.")


def view_json(view: View, *, dry_run: bool) -> str:
    """The view as JSON."""
    return json.dumps(
        {
            "dry_run": dry_run,
            "looked_at": view.looked_at,
            "complete": view.complete,
            "hidden": view.depth.hidden,
            "groups": [
                {
                    "reason": reason,
                    "count": group.count,
                    "oldest": iso_or_none(group.oldest),
                    "detail": printable(group.detail) or None,
                    "meaning": reason_text(reason, view.depth.tries).meaning,
                    "remedy": reason_text(reason, view.depth.tries).remedy,
                }
                for reason, group in sorted(view.groups.items())
            ],
            "messages": [
                {
                    "message_id": letter.message_id,
                    "reason": letter.reason,
                    "detail": printable(letter.detail) or None,
                    "sent_at": iso_or_none(letter.sent_at),
                    "request": _request(letter.body),
                }
                for letter in view.letters
            ],
        },
        indent=2,
    )


def sent_json(sent: Sent) -> str:
    """The result of sending back, as JSON."""
    return json.dumps(
        {
            "sent": sent.by_reason.total(),
            "by_reason": dict(sent.by_reason),
            "refused": sent.refused,
            "not_found": sorted(sent.missing_ids),
            "complete": sent.complete,
        },
        indent=2,
    )


def _groups_table(view: View) -> Table:
    table = Table(header_style="bold", show_lines=True)
    table.add_column("Reason", no_wrap=True)
    table.add_column("Messages", justify="right")
    table.add_column("Oldest", no_wrap=True)
    table.add_column("What happened, and what to do", ratio=1)
    for reason, group in sorted(view.groups.items(), key=lambda item: -item[1].count):
        words = reason_text(reason, view.depth.tries)
        age = duration(view.depth.now - group.oldest) if group.oldest else ""
        meaning = Text(words.meaning)
        if group.detail:
            meaning.append(f"\n{printable(group.detail)}", style="dim")
        meaning.append(f"\n{words.remedy}")
        table.add_row(Text(printable(reason)), str(group.count), age, meaning)
    return table


def _letters_table(view: View) -> Table:
    table = Table(header_style="bold", caption=f"The first {MOST_LISTED}." if view.count > MOST_LISTED else None)
    for name in ("Message id", "Reason", "Sent"):
        table.add_column(name, no_wrap=True)
    table.add_column("Request", overflow="fold")
    for letter in view.letters:
        age = f"{duration(view.depth.now - letter.sent_at)} ago"
        request = _request(letter.body)
        shown = "/".join(value for value in request.values() if value) if request else "malformed"
        table.add_row(letter.message_id, Text(printable(letter.reason)), age, Text(shown))
    return table


def _request(body: str) -> dict[str, str | None] | None:
    try:
        return archive_request.parse(body).ids
    except InvalidRequestError:
        return None
