"""Plants each bug in a copy of the package and runs the kind of fault that must notice it."""

import json
import os
import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

from rich.console import Console
from rich.table import Table

from tests.faults import paths
from tests.faults.mutations import MUTATIONS, Mutation

SCALE = "0.05"
TIMEOUT_S = 120

Badness = Mapping[str, int]


def main(only: Iterable[str] | None) -> int:
    """Plant, run, print the table; the status tells whether every bug was caught."""
    chosen = [mutation for mutation in MUTATIONS if not only or mutation.name in only]
    console = Console(stderr=True)
    table = Table("Planted bug", "In", "Caught by", "How it shows", title="Planted bugs")
    survivors = 0
    sound: dict[str, Badness] = {}
    with tempfile.TemporaryDirectory(prefix="bigin-archive-mutants-") as name:
        for number, mutation in enumerate(chosen):
            started_s = time.monotonic()
            copy = Path(name) / str(number)
            kind, how = _catch(mutation, copy, sound) if _plant(mutation, copy) else (None, "its text is gone")
            survivors += kind is None
            console.print(f"{mutation.name}: {kind or 'SURVIVED'} ({time.monotonic() - started_s:.0f} s)")
            style = None if kind else "red"
            table.add_row(mutation.name, mutation.file, kind or "SURVIVED", how, style=style)
    Console(width=None if sys.stdout.isatty() else 160).print(table)
    return 1 if survivors else 0


def _plant(mutation: Mutation, copy: Path) -> bool:
    """False where the list of bugs has fallen behind the package."""
    shutil.copytree(paths.FUNCTIONS, copy, ignore=shutil.ignore_patterns("__pycache__"))
    file = copy / mutation.file
    text = file.read_text()
    file.write_text(text.replace(mutation.old, mutation.new))
    return text.count(mutation.old) == 1


def _catch(mutation: Mutation, copy: Path, sound: dict[str, Badness]) -> tuple[str | None, str]:
    """The first kind under which the copy does worse than the package itself, and how that shows."""
    for kind in mutation.caught_by:
        if kind not in sound:
            sound[kind] = _badness(_run(kind, paths.FUNCTIONS))
        rows = _run(kind, copy)
        if rows is None:
            return kind, "the suite could not go on"
        worse = [name for name, bad in _badness(rows).items() if bad > sound[kind].get(name, 0)]
        if worse:
            row = next(row for row in rows if row["kind"] == worse[0])
            counts = {name: row[name] for name in ("lost", "wrong", "extra") if row[name]}
            counted = ", ".join(f"{count} {name}" for name, count in counts.items())
            return kind, f"{row['kind']}: {counted or str((row['complaints'] or ['not survived'])[0])[:70]}"
    return None, ""


def _badness(rows: list[dict[str, Any]] | None) -> Badness:
    """By row: how much is not as it should be."""
    return {
        row["kind"]: row["lost"]
        + row["wrong"]
        + row["extra"]
        + len(row["complaints"])
        + abs(row["injected"] - row["survived"])
        for row in rows or []
    }


def _run(kind: str, functions: Path) -> list[dict[str, Any]] | None:
    with tempfile.NamedTemporaryFile(suffix=".json") as table:
        command = [sys.executable, "-m", "tests.faults", "--only", kind, "--scale", SCALE, "--json", table.name]
        try:
            subprocess.run(
                command,
                cwd=paths.PROJECT,
                env={**os.environ, paths.VARIABLE: str(functions)},
                stdout=subprocess.DEVNULL,
                stderr=subprocess.DEVNULL,
                timeout=TIMEOUT_S,
                check=False,
            )
        except subprocess.TimeoutExpired:
            return None
        text = Path(table.name).read_text()
    return json.loads(text)["rows"] if text else None
