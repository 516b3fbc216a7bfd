"""Plants each bug in a copy of the package and runs the kind of fault, or the test, that must notice it."""

import json
import os
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Collection, Iterable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from rich.console import Console
from rich.table import Table

from tests import pages
from tests.faults import paths
from tests.faults.mutation import Mutation
from tests.faults.mutations import MUTATIONS

SCALE = "0.05"
AT_ONCE = 2
TIMEOUT_S = 400

COPIED = ("functions", "operate")
LINKED = ("tests", "local", "docs", "pyproject.toml", "README.md", "samconfig.toml")  # what tests need beside it

_COLUMNS = ("Planted bug", "In", "Caught by", "How it shows")


class StaleMutationError(Exception):
    """The text that a planted bug replaces is not in the package exactly once: nothing would be planted."""


@dataclass(frozen=True, slots=True)
class Verdict:
    """What became of one planted bug; ``kind`` (of fault, or a test) is None where nothing noticed it."""

    mutation: Mutation
    kind: str | None
    how: str

    def cells(self) -> tuple[str, str, str, str]:
        return self.mutation.name, Path(self.mutation.file).name, self.kind or "NOTHING", self.how


def main(only: Iterable[str] | None, *, docs: bool = False) -> int:
    """Plant the bugs, run, and print the table. The exit status tells whether every bug was caught."""
    chosen = [mutation for mutation in MUTATIONS if not only or mutation.name in only]
    started_s = time.monotonic()
    with tempfile.TemporaryDirectory(prefix="bigin-archive-mutants-") as name:
        copies = [Path(name) / str(number) for number in range(len(chosen))]
        for mutation, copy in zip(chosen, copies, strict=True):
            plant(mutation, copy)
        with ThreadPoolExecutor(AT_ONCE) as pool:
            kinds = sorted({kind for mutation in chosen for kind in mutation.caught_by})
            sound = {kind for kind, is_sound in zip(kinds, pool.map(_is_sound, kinds), strict=True) if is_sound}
            sound |= _passing({test for mutation in chosen for test in mutation.caught_by_test})
            verdicts = list(pool.map(lambda mutation, copy: _catch(mutation, copy, sound), chosen, copies))
    seconds = time.monotonic() - started_s
    caught = sum(verdict.kind is not None for verdict in verdicts)
    table = Table(*_COLUMNS, title=f"Planted bugs: {caught} of {len(verdicts)} caught ({seconds:.0f} s)")
    for verdict in verdicts:
        table.add_row(*verdict.cells(), style=None if verdict.kind else "red")
    Console(width=None if sys.stdout.isatty() else 160).print(table)
    if docs:
        pages.write("fault-testing.md", {"mutations": as_markdown(verdicts)})
    return 0 if caught == len(verdicts) else 1


def plant(mutation: Mutation, copy: Path) -> None:
    """Write a copy of what is deployed, with the bug in it, to ``copy``. Raises StaleMutationError."""
    for folder in COPIED:
        shutil.copytree(paths.UNDER_TEST / folder, copy / folder, ignore=shutil.ignore_patterns("__pycache__"))
    shutil.copy(paths.TEMPLATE, copy)
    for name in LINKED:
        (copy / name).symlink_to(paths.PROJECT / name)
    (copy / mutation.file).write_text(planted(mutation))


def planted(mutation: Mutation) -> str:
    """The text of the file with the bug in it. Raises StaleMutationError."""
    text = (paths.UNDER_TEST / mutation.file).read_text()
    if text.count(mutation.old) != 1 or mutation.old == mutation.new:
        raise StaleMutationError(f"{mutation.name}: its text is in {mutation.file} {text.count(mutation.old)} times")
    return text.replace(mutation.old, mutation.new)


def as_markdown(verdicts: Iterable[Verdict]) -> str:
    """The table of docs/fault-testing.md."""
    lines = ["| " + " | ".join(_COLUMNS) + " |", "|---" * len(_COLUMNS) + "|"]
    lines += ["| " + " | ".join(cell.replace("|", "/") for cell in verdict.cells()) + " |" for verdict in verdicts]
    return "\n".join(lines) + "\n"


def _is_sound(kind: str) -> bool:
    """Whether the kind passes without a planted bug. One that fails anyway cannot show a bug."""
    rows = _run(kind, paths.UNDER_TEST)
    is_sound = bool(rows) and all(row["is_good"] for row in rows or ())
    if not is_sound:
        Console(stderr=True).print(f"[red]{kind} fails without a planted bug[/red]")
    return is_sound


def _catch(mutation: Mutation, copy: Path, sound: Collection[str]) -> Verdict:
    """The first kind that notices the bug, and how it shows."""
    started_s = time.monotonic()
    verdict = Verdict(mutation, None, "")
    for kind in mutation.caught_by:
        if kind not in sound:
            verdict = Verdict(mutation, None, f"{kind} fails without it, too")
            continue
        rows = _run(kind, copy)
        if rows is None:
            verdict = Verdict(mutation, kind, f"no end within {TIMEOUT_S} s")
        elif bad := [row for row in rows if not row["is_good"]]:
            verdict = Verdict(mutation, kind, _how(bad[0]))
        if verdict.kind:
            break
    if not verdict.kind and mutation.caught_by_test:
        verdict = _caught_by_test(mutation, copy, sound)
    Console(stderr=True).print(
        f"{mutation.name}: {verdict.kind or '[red]NOTHING[/red]'} ({time.monotonic() - started_s:.0f} s)"
    )
    return verdict


def _caught_by_test(mutation: Mutation, copy: Path, sound: Collection[str]) -> Verdict:
    """The first test that fails with the bug in place."""
    for test in mutation.caught_by_test:
        if test not in sound:
            return Verdict(mutation, None, f"{test} fails without it, too")
        if not _passes([test], copy):
            return Verdict(mutation, test.rpartition("::")[2], "the test fails")
    return Verdict(mutation, None, "")


def _passing(tests: Collection[str]) -> set[str]:
    """The tests that pass without any planted bug."""
    if not tests or _passes(sorted(tests), paths.PROJECT):
        return set(tests)
    passing = {test for test in tests if _passes([test], paths.PROJECT)}
    for test in sorted(set(tests) - passing):
        Console(stderr=True).print(f"[red]{test} fails without a planted bug[/red]")
    return passing


def _passes(tests: Sequence[str], project: Path) -> bool:
    """Whether tests of pytest pass in that copy of the project; one that is not found, or has no end, does not."""
    command = [sys.executable, "-m", "pytest", "-q", "-x", "-p", "no:cacheprovider", *tests]
    return _status(command, project, {}) == 0


def _how(row: Mapping[str, Any]) -> str:
    counts = ", ".join(f"{row[name]} {text}" for name, text in _COUNTED.items() if row[name])
    return f"{row['kind']}: {counts or str((row['complaints'] or ['not survived'])[0])[:80]}"


_COUNTED = {"lost": "lost", "wrong": "with wrong bytes", "extra": "extra"}


def _run(kind: str, project: Path) -> list[dict[str, Any]] | None:
    """The rows of a short run against another copy of the package; None where it did not end."""
    with tempfile.NamedTemporaryFile(suffix=".json") as table:
        command = [sys.executable, "-m", "tests.faults", "--only", kind, "--scale", SCALE, "--json", table.name]
        if _status(command, paths.PROJECT, {paths.VARIABLE: str(project)}) is None:
            return None
        text = Path(table.name).read_text()
    rows: list[dict[str, Any]] | None = json.loads(text)["rows"] if text else None
    return rows


def _status(command: Sequence[str], folder: Path, environment: Mapping[str, str]) -> int | None:
    """The exit status of a run of the tests; None where it did not end."""
    run = subprocess.Popen(
        command,
        cwd=folder,
        env={**os.environ, **environment},
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
        start_new_session=True,
    )
    try:
        return run.wait(TIMEOUT_S)
    except subprocess.TimeoutExpired:
        return None
    finally:
        # Also where this program is stopped: servers and workers of the run belong to its group.
        with suppress(ProcessLookupError):
            os.killpg(run.pid, signal.SIGKILL)
        run.wait()
