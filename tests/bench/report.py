"""Rows of figures: on the terminal, as JSON, as Markdown."""

import json
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, field
from pathlib import Path

from rich.console import Console
from rich.table import Table


@dataclass(frozen=True, slots=True)
class Row:
    """One measure. ``target`` is the most that is allowed; None where the figure is for information."""

    measure: str
    figure: float
    unit: str
    target: float | None = None
    spread: tuple[float, float] | None = None
    peers: Mapping[str, float] = field(default_factory=dict)
    note: str = ""

    @property
    def met(self) -> bool | None:
        return None if self.target is None else self.figure <= self.target

    @property
    def verdict(self) -> str:
        return {None: "", True: "met", False: "missed"}[self.met]

    def cells(self) -> list[str]:
        spread = f" ({_number(self.spread[0])} to {_number(self.spread[1])})" if self.spread else ""
        target = "" if self.target is None else f"{_number(self.target)}{self.unit}"
        peers = ", ".join(f"{name} {_number(value)}" for name, value in self.peers.items())
        beside = "; ".join(part for part in (peers, self.note) if part)
        return [self.measure, f"{_number(self.figure)}{self.unit}{spread}", target, self.verdict, beside]


HEADINGS = ("measure", "this project (least to most)", "at most", "target", "beside it")


def table(rows: Sequence[Row], machine: Mapping[str, str]) -> Table:
    made = Table(title="Benchmarks", caption="\n".join(f"{name}: {value}" for name, value in machine.items()))
    for heading in HEADINGS:
        made.add_column(heading)
    for row in rows:
        made.add_row(*row.cells(), style="bold red" if row.met is False else None)
    return made


def show(rows: Sequence[Row], machine: Mapping[str, str]) -> None:
    console = Console(width=max(150, Console().width))  # narrower, every cell would wrap
    console.print(table(rows, machine))
    judged = [row.met for row in rows if row.met is not None]
    console.print(f"{sum(judged)} of {len(judged)} targets met")


def markdown(rows: Sequence[Row], machine: Mapping[str, str]) -> str:
    lines = [HEADINGS, ["---"] * len(HEADINGS), *(row.cells() for row in rows)]
    text = "\n".join(f"| {' | '.join(cell.replace('|', chr(92) + '|') for cell in cells)} |" for cells in lines)
    return f"{text}\n\n{'; '.join(f'{name}: {value}' for name, value in machine.items())}\n"


def write_json(path: Path, rows: Sequence[Row], machine: Mapping[str, str]) -> None:
    content = {"machine": dict(machine), "rows": [{**asdict(row), "met": row.met} for row in rows]}
    path.write_text(json.dumps(content, indent=2) + "\n")


def _number(value: float) -> str:
    if value >= 100:
        return f"{value:,.0f}"
    return f"{value:.3g}" if value < 1 else f"{value:.2f}".rstrip("0").rstrip(".")
