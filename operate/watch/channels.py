"""`watch`: the notification channels of a stack, as Bigin lists them. Only reads, unless a renewal is asked for."""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from rich.table import Table
from rich.text import Text

from bigin_archive.bigin.client import Bigin
from bigin_archive.bigin.notification_channels import (
    SCOPE_REMEDY,
    Channel,
    NotificationChannels,
    channel_id,
    serves,
)
from bigin_archive.clock import iso_or_none
from bigin_archive.deadline import Deadline
from bigin_archive.errors import ArchiveError, BiginScopeMissingError
from bigin_archive.network.transport import Session
from bigin_archive.settings import RENEW_CHANNELS
from bigin_archive.token.access_token import AccessTokens
from operate.errors import OperateError
from operate.stack.aws import aws_errors
from operate.stack.stack import Stack
from operate.terminal import complain, duration, good, moment, out, printable, say, working

TIMEOUT_S = 60  # for the listing, all pages


@dataclass(frozen=True, slots=True)
class Watched:
    """A watched module and its channel; None if Bigin has none."""

    module: str
    channel_id: str
    channel: Channel | None
    last_event: datetime | None

    def is_alive(self, now: datetime) -> bool:
        """Whether Bigin announces changes of the module now."""
        return self.channel is not None and self.channel.lives_until(now)


@dataclass(frozen=True, slots=True)
class Report:
    """Everything that was found; ``others`` are channels of other programs."""

    stack: Stack
    now: datetime
    watched: tuple[Watched, ...]
    others: tuple[Channel, ...]
    log_was_read: bool
    renewal: str | None = None

    @property
    def fine(self) -> bool:
        """Whether every watched module has a live channel."""
        return all(found.is_alive(self.now) for found in self.watched)


def watch(
    stack: Stack,
    session: Session,
    secrets: Any,
    last_events: Mapping[str, datetime] | None,
    renewal: str | None,
    now: datetime,
) -> Report:
    """Ask Bigin for the channels, with the stack's access token. Raises OperateError."""
    url = stack.webhook_url
    tokens = AccessTokens(secrets, stack.token_secret_id, stack.hosts.api_url)
    channels = NotificationChannels(Bigin(session, stack.hosts.api_url, tokens))
    try:
        with working("Asking Bigin"):
            listed = list(channels.listed(Deadline(TIMEOUT_S)))
    except BiginScopeMissingError:
        raise OperateError("The access token may not see notification channels.", SCOPE_REMEDY) from None
    except ArchiveError as error:
        raise OperateError("The channels cannot be listed.", error.detail) from None
    times = last_events or {}
    watched = tuple(
        Watched(
            module,
            channel_id(url, module),
            next((channel for channel in listed if serves(channel, module, url)), None),
            times.get(channel_id(url, module)),
        )
        for module in stack.watched
    )
    ours = [found.channel for found in watched]
    others = tuple(channel for channel in listed if channel not in ours)
    return Report(stack, now, watched, others, last_events is not None, renewal)


def renew(functions: Any, stack: Stack) -> str:
    """Let the stack renew its channels now; return how it went. Raises OperateError."""
    with working("Renewing the channels"), aws_errors("invoke the webhook receiver"):
        answer = functions.invoke(
            FunctionName=stack.webhook_function, Payload=json.dumps({RENEW_CHANNELS: stack.webhook_url}).encode()
        )
    try:
        detail = str(json.loads(answer["Payload"].read())["detail"])
    except (ValueError, LookupError, TypeError):
        detail = ""
    if answer.get("FunctionError") or not detail:
        raise OperateError("The renewal failed.", f"Look at the log of the function {stack.webhook_function}.")
    return detail


def show(report: Report) -> None:
    """Print the report for a person."""
    name, region = report.stack.name, report.stack.region
    say(f"The notification channels of the stack {name} ({region})", "bold")
    if report.renewal:
        say(f"Renewal: {report.renewal}")
    if report.watched or report.others:
        out().print(_table(report))
    if not report.watched:
        say("This stack watches no module. To change that, deploy it with WatchModules=Contacts,Pipelines.")
    elif report.fine:
        good("Bigin announces changes of every watched module.")
    else:
        dead = ", ".join(found.module for found in report.watched if not found.is_alive(report.now))
        complain(f"There is no live channel for {dead}.", f"Renew now: bigin-archive watch --stack {name} --renew")


def as_json(report: Report) -> str:
    """The report for a machine."""
    return json.dumps(
        {
            "stack": report.stack.name,
            "fine": report.fine,
            "renewal": report.renewal,
            "last_events_known": report.log_was_read,
            "channels": [
                {
                    "module": found.module,
                    "channel_id": found.channel_id,
                    "alive": found.is_alive(report.now),
                    "expires_at": iso_or_none(found.channel.expires_at if found.channel else None),
                    "last_event_at": iso_or_none(found.last_event),
                }
                for found in report.watched
            ],
            "others": [
                {"module": other.module, "channel_id": other.channel_id, "expires_at": iso_or_none(other.expires_at)}
                for other in report.others
            ],
        },
        indent=2,
    )


def _table(report: Report) -> Table:
    table = Table(header_style="bold")
    for heading in ("Module", "Channel", "Whose", "Expires", "Last event"):
        table.add_column(heading)
    for found in report.watched:
        table.add_row(
            found.module, found.channel_id, "this stack's", _expiry(report, found.channel), _last(report, found)
        )
    for other in report.others:
        cells = (printable(other.module), printable(other.channel_id), "another's")
        table.add_row(*cells, _expiry(report, other), "unknown", style="dim")
    return table


def _expiry(report: Report, channel: Channel | None) -> Text:
    if channel is None:
        return Text("not there", style="red")
    if channel.expires_at is None:
        return Text("unknown")
    if not channel.lives_until(report.now):
        return Text("expired", style="red")
    return Text(f"in {duration(channel.expires_at - report.now)} ({moment(channel.expires_at)})")


def _last(report: Report, found: Watched) -> str:
    if found.last_event:
        return f"{duration(report.now - found.last_event)} ago"
    return "none in 7 days" if report.log_was_read else "unknown"
