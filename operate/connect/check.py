"""`authorize --check`: what a stored connection can do. Only reads, unless a renewal is asked for."""

import json
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from datetime import UTC, datetime
from typing import Any

from rich.table import Table
from rich.text import Text

from bigin_archive.clock import iso_or_none
from bigin_archive.errors import ArchiveError
from bigin_archive.network.transport import Session
from operate.connect.secrets import StackSecrets, StoredToken
from operate.connect.token_probe import Access, Finding, Probe
from operate.stack.aws import aws_errors
from operate.stack.stack import Stack
from operate.terminal import complain, duration, good, moment, out, say, working

CONNECT = "Connect it: bigin-archive authorize --stack {}"


@dataclass(frozen=True, slots=True)
class Renewal:
    """How a renewal went, in the words of the refresh function."""

    worked: bool
    detail: str


@dataclass(frozen=True, slots=True)
class Report:
    """Everything that was found; ``renewable`` is None if the credentials may not be read."""

    stack: Stack
    renewable: bool | None
    stored: StoredToken
    renewal: Renewal | None = None
    access: Access | None = None
    refusal: ArchiveError | None = None

    @property
    def fine(self) -> bool:
        """Whether the stack can archive now, and later too."""
        renewed = self.renewal is None or self.renewal.worked
        return renewed and self.renewable is not False and self.access is not None and self.access.fine


def check(
    stack: Stack,
    connection: StackSecrets,
    session: Session,
    modules: Sequence[str],
    functions: Any = None,
) -> Report:
    """Look at the connection. With the Lambda client ``functions`` the token is renewed first. Raises OperateError."""
    renewal = _renew(functions, stack.refresh_function) if functions else None
    renewable, stored = connection.is_renewable(), connection.token()
    if stored.token is None:
        return Report(stack, renewable, stored, renewal)
    try:
        with working("Asking Bigin"):
            access = Probe(session, stack.hosts.api_url, stored.token.value).access(modules)
    except ArchiveError as error:
        return Report(stack, renewable, stored, renewal, refusal=error)
    return Report(stack, renewable, stored, renewal, access)


def _renew(functions: Any, name: str) -> Renewal:
    with working("Renewing the token"), aws_errors("invoke the refresh function"):
        answer = functions.invoke(FunctionName=name, Payload=b"{}")
    try:
        result = json.loads(answer["Payload"].read())
        status, detail = result.get("status"), str(result.get("detail") or "")
    except (ValueError, AttributeError):
        status, detail = None, ""
    if answer.get("FunctionError") or not detail:
        return Renewal(False, "The refresh function failed: look at its log.")
    return Renewal(status == "refreshed", detail)


def show(report: Report) -> None:
    """Print the report for a person."""
    name = report.stack.name
    say(f"The connection of the stack {name} ({report.stack.region}) to Bigin", "bold")
    if report.renewable is False:
        complain("No credentials are stored: nothing renews the token.", CONNECT.format(name))
    elif report.renewable is None:
        say("? It is not known whether credentials are stored: you may not read that secret.", "yellow")
    else:
        good("Credentials are stored; the stack renews its token every 30 minutes.")
    if report.renewal:
        (good if report.renewal.worked else complain)(f"Renewal: {report.renewal.detail}")
    _show_token(report)
    if report.access:
        _show_modules(report.access)
    if report.fine:
        good("All fine.")
    else:
        complain("Something is missing.")


def as_json(report: Report) -> str:
    """The report as JSON, without any secret."""
    token, access = report.stored.token, report.access
    problem = report.refusal.detail if report.refusal else report.stored.problem
    return json.dumps(
        {
            "stack": report.stack.name,
            "fine": report.fine,
            "credentials_stored": report.renewable,
            "renewal": asdict(report.renewal) if report.renewal else None,
            "token": {
                "stored": token is not None,
                "accepted": access is not None,
                "written_at": iso_or_none(report.stored.written_at),
                "expires_at": iso_or_none(_expiry(report)),
                "problem": problem or None,
            },
            "modules": {module.module: asdict(module) for module in access.modules} if access else {},
        },
        indent=2,
    )


def _show_token(report: Report) -> None:
    stored, now = report.stored, datetime.now(UTC)
    if stored.token is None:
        complain(stored.problem)
        return
    expires_at = _expiry(report)
    text = f"written {duration(now - stored.written_at)} ago" if stored.written_at else "stored"
    if expires_at is None:
        text += ", the time of its expiry is not known"
    elif expires_at > now:
        text += f", expires in {duration(expires_at - now)} ({moment(expires_at)})"
    else:
        text += f", expired {duration(now - expires_at)} ago ({moment(expires_at)})"
    if report.refusal:
        complain(f"The access token ({text}) does not work: {report.refusal.detail}", _remedy(report))
    else:
        good(f"Bigin accepts the access token ({text}).")


def _remedy(report: Report) -> str:
    if report.refusal and report.refusal.code == "bigin_token_rejected" and report.renewable:
        return "Renew it now, and see why if that fails: bigin-archive authorize --check --renew."
    return ""


def _expiry(report: Report) -> datetime | None:
    said_by_bigin = report.access.expires_at if report.access else None
    return said_by_bigin or (report.stored.token.expires_at if report.stored.token else None)


def _show_modules(access: Access) -> None:
    table = Table(header_style="bold")
    table.add_column("Module", no_wrap=True)
    table.add_column("Records")
    table.add_column("Attachments")
    for module in access.modules:
        table.add_row(module.module, _cell(module.records), _cell(module.attachments))
    out().print(table)


def _cell(finding: Finding) -> Text:
    if finding.works is None:
        return Text(finding.detail, style="dim")
    return Text("can be listed", style="green") if finding.works else Text(finding.detail, style="red")
