"""Prints rows: progress, the table, JSON, Markdown, and how to repeat what failed."""

import sys
import time
import traceback
from typing import Any

from rich.console import Console
from rich.table import Table

from tests.faults.lab import Lab
from tests.faults.suite import Kind
from tests.faults.tally import Row

Rows = list[tuple[str, Row]]

_COLUMNS = ("Fault", "Injected", "Survived", "Lost", "Wrong bytes", "Extra versions", "Calls to Bigin per file", "Note")
COMPLAINTS_SHOWN = 12


def run(kind: Kind, lab: Lab) -> Rows:
    """Run one kind. If the suite itself breaks, the kind has failed and the next one runs."""
    started_s = time.monotonic()
    console = Console(stderr=True)
    rows: Rows = []
    try:
        for row in kind.run(lab):
            rows.append((kind.name, row))
            verdict = "" if row.is_good else "  [red]FAILED[/red]"
            console.print(
                f"{row.kind}: {row.survived} of {row.injected} ({time.monotonic() - started_s:.1f} s){verdict}"
            )
    except Exception as error:  # noqa: BLE001 - whatever it is, the other kinds have their own figures
        traceback.print_exc()
        rows.append((kind.name, Row(kind.name, complaints=[f"the suite broke down: {type(error).__name__}: {error}"])))
        console.print(f"{kind.name}: [red]BROKEN[/red]")
    return rows


def command(kind: str, lab: Lab) -> str:
    """The command that repeats a kind exactly."""
    scale = "" if lab.scale == 1 else f" --scale {lab.scale:g}"
    return f"python -m tests.faults --only {kind} --seed {lab.seed}{scale}"


def show(rows: Rows, lab: Lab, seconds: float) -> None:
    """Print the table, then what is behind each failure."""
    console = Console(width=None if sys.stdout.isatty() else 160)
    table = Table(*_COLUMNS[:1], title=f"Faults survived (seed {lab.seed}, {seconds:.0f} s)")
    for column in _COLUMNS[1:]:
        table.add_column(column, justify="left" if column == "Note" else "right")
    for _, row in rows:
        table.add_row(*_cells(row), style=None if row.is_good else "red")
    console.print(table)
    for kind, row in rows:
        if not row.is_good:
            print(f"\nFAILED: {row.kind} (seed {lab.seed}). Repeat with: {command(kind, lab)}")
            for text in row.complaints[:COMPLAINTS_SHOWN]:
                print(f"  - {text}")
            if len(row.complaints) > COMPLAINTS_SHOWN:
                print(f"  ... and {len(row.complaints) - COMPLAINTS_SHOWN} more")


def _cells(row: Row) -> list[str]:
    calls = "-" if row.calls_per_file is None else f"{row.calls_per_file:.2f}"
    counts = (row.injected, row.survived, row.lost, row.wrong, row.extra)
    return [row.kind, *(f"{count:,}" for count in counts), calls, row.note]


def as_json(rows: Rows, seed: int, seconds: float) -> dict[str, Any]:
    """Everything, for other programs."""
    names = (
        "kind",
        "is_good",
        "injected",
        "survived",
        "lost",
        "wrong",
        "extra",
        "files",
        "calls",
        "note",
        "complaints",
    )
    return {
        "seed": seed,
        "seconds": round(seconds, 1),
        "rows": [{"only": kind} | {name: getattr(row, name) for name in names} for kind, row in rows],
    }


def as_markdown(rows: Rows) -> str:
    """The table of docs/fault-testing.md."""
    lines = ["| " + " | ".join(_COLUMNS) + " |", "|---|" + "---:|" * 6 + "---|"]
    lines += ["| " + " | ".join(_cells(row)) + " |" for _, row in rows]
    return "\n".join(lines) + "\n"
