"""`sweep` and `status`: starts a sweep, follows it, and shows how far the archive is."""

import json
import time
from datetime import UTC, datetime
from typing import Any

from rich.console import Group
from rich.live import Live
from rich.table import Table
from rich.text import Text

from bigin_archive.archive_request import MODULES
from bigin_archive.audit.report_html import size
from bigin_archive.sweep.cursor import SweepState
from operate.stack.aws import aws_errors
from operate.sweep.status import Account, Status, done_part, expected_end
from operate.terminal import moment, out, progress

_LOOK_S = 2
_WHOLE_LOOK_S = 30  # at least; reading the whole ledger must not take more than a twentieth of the time
# The function's schedule runs every 15 minutes, which is too long for somebody who watches.
_NEXT_SLICE_S = 15
_PHASES = {
    "listing": "storing Bigin's lists",
    "attachments": "comparing attachments with the ledger",
    "draining": "waiting for the queue to run empty",
    "closing": "writing index and audit",
    "done": "done",
}


def begin(functions: Any, name: str, order: dict[str, Any]) -> None:
    """Let the function start a sweep; a running one continues. Raises OperateError."""
    _invoke(functions, name, {"start": order})


def follow(account: Account, functions: Any, name: str, before: SweepState | None) -> Status:
    """Show the progress until the sweep is done, and start each next slice at once. Raises OperateError.

    ``before`` is the state of the last sweep when this one was ordered. A sweep that was done then is not waited for.
    """
    console = progress()
    status, next_look_s = _look(account)
    invoked_s = time.monotonic()
    phase = ""
    with Live(console=console, auto_refresh=False, transient=True) as live:
        while True:
            sweep, is_at_work = account.sweep()
            now_s = time.monotonic()
            is_over = sweep is not None and sweep.is_done and _is_awaited(sweep, before)
            if now_s > next_look_s or is_over:
                status, next_look_s = _look(account)
            if console.is_terminal:
                live.update(table(status, sweep), refresh=True)
            elif sweep and sweep.phase != phase and (is_over or not sweep.is_done):
                phase = sweep.phase
                console.print(Text(f"{_PHASES[phase]} ({sweep.listed} listed, {sweep.queued} queued)"), soft_wrap=True)
            if is_over:
                return status
            if not is_at_work and now_s - invoked_s > _NEXT_SLICE_S:
                _invoke(functions, name, {})
                invoked_s = now_s
            time.sleep(_LOOK_S)


def _look(account: Account) -> tuple[Status, float]:
    """The status, and when to look again."""
    began_s = time.monotonic()
    status = account.status()
    now_s = time.monotonic()
    return status, now_s + max(_WHOLE_LOOK_S, 20 * (now_s - began_s))


def _is_awaited(sweep: SweepState, before: SweepState | None) -> bool:
    # By the function's own clock, because this machine's may be ahead.
    return before is None or not before.is_done or sweep.started_at != before.started_at


def table(status: Status, sweep: SweepState | None) -> Group:
    """The status as a table for a person."""
    grid = Table.grid(padding=(0, 2))
    for name, value in _lines(status, sweep):
        grid.add_row(Text(name, style="bold"), Text(value))
    return Group(grid)


def _lines(status: Status, sweep: SweepState | None) -> list[tuple[str, str]]:
    lines = []
    if sweep is None:
        lines.append(("Sweep", "none yet: bigin-archive sweep"))
    else:
        part = done_part(sweep)
        lines.append(("Sweep", _PHASES[sweep.phase] + (f", {part:.0%}" if part is not None and part < 1 else "")))
        if set(sweep.modules) != set(MODULES):
            lines.append(("Only", ", ".join(sweep.modules)))
        lines.append(("Begun", moment(datetime.fromisoformat(sweep.started_at))))
        if sweep.waits_for:
            lines.append(("Waits for", sweep.waits_for))
        if end := expected_end(sweep, status.share, datetime.now(UTC)):
            lines.append(("Expected end", moment(end)))
        if sweep.finished_at:
            lines.append(("Finished", moment(datetime.fromisoformat(sweep.finished_at))))
        looked = f"{sweep.listed:,} listed, {sweep.known:,} known, {sweep.queued:,} queued ({size(sweep.bytes_queued)})"
        lines.append(("Attachments", f"{looked}, {_count(sweep.links, 'link')}"))
        lines.append(("Its credits", f"{sweep.credits:,}"))
        if sweep.refused:
            lines.append(("Not listed by Bigin", ", ".join(sweep.refused[:5])))
        if sweep.result:
            lines.append(("Audit", sweep.result))
        if sweep.full_since and sweep.full_since != sweep.started_at:
            lines.append(("Last of everything", moment(datetime.fromisoformat(sweep.full_since))))
        if sweep.complete_as_of:
            lines.append(("Lists whole as of", moment(datetime.fromisoformat(sweep.complete_as_of))))
    stored = status.states.get("archived", 0) + status.states.get("link", 0)
    lines += [
        ("In the archive", f"{stored:,} attachments, {size(status.stored_bytes)}"),
        ("Not in it", f"{status.states.get('gone', 0):,} gone, {status.states.get('pending', 0):,} pending"),
        ("Waiting", f"{_count(status.waiting, 'message')}, {_count(status.dead_letters, 'dead letter')}"),
        ("Credits in 24 h", f"{status.credits.used:,} used, {status.left:,} left of a share of {status.share:,}"),
    ]
    lines += [("Parked", f"{count} {reason}") for reason, count in sorted(status.parked.items())]
    return lines


def _count(number: int, what: str) -> str:
    return f"{number:,} {what}{'' if number == 1 else 's'}"


def show(status: Status) -> None:
    """Print it."""
    out().print(table(status, status.sweep))


def _invoke(functions: Any, name: str, event: dict[str, Any]) -> None:
    with aws_errors("invoke the sweep function"):
        functions.invoke(FunctionName=name, InvocationType="Event", Payload=json.dumps(event).encode())
