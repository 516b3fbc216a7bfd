"""How long each command takes to start."""

import statistics
import subprocess
import sys
import time

import click

from local.package import PROJECT
from operate.cli import cli
from tests.bench.report import Row

MOST_S = 0.4


def starts(rounds: int) -> list[Row]:
    """Each command's ``--help``, which imports what the command does; the slowest median counts."""
    names = cli.list_commands(click.Context(cli))
    took = {name: statistics.median(_once(name) for _ in range(rounds)) for name in names}
    slowest = max(took, key=lambda name: took[name])
    note = f"{slowest}; the quickest of {len(names)} {min(took.values()):.2f} s; a process each, --help"
    return [
        Row("start of the slowest command", took[slowest], " s", MOST_S, (min(took.values()), took[slowest]), {}, note)
    ]


def _once(name: str) -> float:
    began_s = time.perf_counter()
    subprocess.run(
        [sys.executable, "-m", "operate", name, "--help"], cwd=PROJECT, stdout=subprocess.DEVNULL, check=True
    )
    return time.perf_counter() - began_s
