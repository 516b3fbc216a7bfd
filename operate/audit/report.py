"""Prints the result of `audit`."""

import heapq
import json
from datetime import datetime
from typing import Any

from rich.table import Table
from rich.text import Text

from bigin_archive.audit.comparison import COMPLETE, Audit
from bigin_archive.audit.report_html import size
from bigin_archive.audit.report_json import difference, sentence, summary
from bigin_archive.storage.inventory import Inventory
from operate.audit.repair import Repaired
from operate.terminal import bad, good, moment, out, printable, say

MOST_SHOWN = 20
_COLUMNS = ("listed", "archived", "links", "pending", "parked", "gone", "differences")
_ALWAYS = ("listed", "archived", "differences")


def show(audit: Audit, stack: str, where: str, spent: int, repaired: Repaired | None) -> None:
    """Print the audit for a person, with the verdict at the end."""
    say(f"The archive of the stack {stack}", "bold")
    out().print(_totals(audit))
    if audit.differences:
        out().print(_differences(audit))
        _remedies(audit)
    for text in audit.uncovered:
        say(f"Not compared: {text}", "yellow")
    for text in audit.limits:
        say(text, "dim")
    if audit.complete_as_of:
        say(f"Bigin's lists were whole as of {moment(datetime.fromisoformat(audit.complete_as_of))}.")
    say(f"Credits used: {spent}")
    say(f"Report: {where}", whole=True)
    (good if audit.verdict == COMPLETE else bad)(sentence(audit))
    if repaired:
        say(f"Repaired: {repaired.queued} queued, {repaired.rows} rows of the ledger corrected.")
        if repaired.left:
            say(f"{repaired.left} need a person: the report says what to do.")
        if repaired.queued:
            say("Audit again when the queue has run empty.")


def as_json(audit: Audit, inventory: Inventory, extra: dict[str, Any]) -> str:
    """The same for a machine, with every difference."""
    about = f"s3://{inventory.bucket}/{inventory.prefix}"
    report = {**summary(audit, about), **extra, "differences": [difference(one) for one in audit.differences]}
    return json.dumps(report, indent=2)


def _totals(audit: Audit) -> Table:
    table = Table(header_style="bold")
    table.add_column("Module", no_wrap=True)
    # All columns together are wider than 80 characters, so columns of zeros are left out.
    shown = [name for name in _COLUMNS if name in _ALWAYS or getattr(audit.total, name)]
    for name in (*shown, "size"):
        table.add_column(name.capitalize(), justify="right", no_wrap=True)
    for module, totals in (*audit.totals.items(), ("All", audit.total)):
        counts = [f"{getattr(totals, name):,}" for name in shown]
        table.add_row(module, *counts, size(totals.size_bytes), style="bold" if module == "All" else "")
    return table


def _differences(audit: Audit) -> Table:
    shown = heapq.nsmallest(MOST_SHOWN, audit.differences, key=lambda one: one.kind.only_told)
    rest = len(audit.differences) - len(shown)
    table = Table(header_style="bold", caption=f"{rest:,} more in the report." if rest else None)
    table.add_column("Kind", no_wrap=True)
    for name in ("Attachment", "File", "Finding"):
        table.add_column(name, overflow="fold")
    for one in shown:
        cells = [Text(printable(text)) for text in (one.place, one.file_name or "", one.detail)]
        table.add_row(Text(one.kind.code, style="dim" if one.kind.only_told else "red"), *cells)
    return table


def _remedies(audit: Audit) -> None:
    for kind, count in audit.by_kind():
        say(f"{count:,} {kind.code}: {kind.remedy}")
