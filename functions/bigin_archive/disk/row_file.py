"""A file of rows: gzipped, a JSON array a line. Written at once, and never changed."""

import gzip
import json
from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path
from typing import Any

# JSON that repeats itself shrinks to a sixth at the lowest level; a higher one takes much longer for a little more.
LEVEL = 1
# json.dumps would make an encoder for each row, json.loads look for the encoding of each.
_encoded = json.JSONEncoder(separators=(",", ":")).encode
_decoded = json.JSONDecoder().decode


def line_of(row: Sequence[Any]) -> bytes:
    """A row as it is written."""
    return _encoded(row).encode() + b"\n"


def write(path: Path, lines: Iterable[bytes]) -> None:
    """Write rows, each as :func:`line_of` makes it."""
    with gzip.open(path, "wb", compresslevel=LEVEL) as file:
        file.writelines(lines)


def read(path: Path) -> Iterator[list[Any]]:
    """The rows again."""
    with gzip.open(path, "rt", encoding="ascii", newline="\n") as file:
        yield from map(_decoded, file)


def count(path: Path) -> int:
    """How many rows there are."""
    with gzip.open(path, "rb") as file:
        return sum(1 for _ in file)


def paths(folder: Path, name: str) -> list[Path]:
    """The files of one name in a folder, in the order in which they were written."""
    return sorted(folder.glob(f"{name}-[0-9]*.gz"))


def following(folder: Path, name: str) -> Path:
    """Where the next file of that name goes."""
    return folder / f"{name}-{len(paths(folder, name)):06}.gz"
