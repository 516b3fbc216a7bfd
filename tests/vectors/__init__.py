"""Test vectors: JSON that any program can read, one file per rule.

A string may be given as a list of parts; ``{"repeat": text, "times": number}`` is a part, so that long values stay
readable. Header values are text as HTTP libraries give it: one Latin-1 character for each byte.
"""

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest


def load(name: str, group: str = "vectors", where: Callable[[Any], bool] = bool) -> list[Any]:
    """The vectors of a file for which ``where`` holds, ready for ``pytest.mark.parametrize``."""
    document = json.loads((Path(__file__).parent / f"{name}.json").read_text(encoding="utf-8"))
    return [pytest.param(vector, id=vector["name"]) for vector in document[group] if where(vector)]


def text(value: Any) -> Any:
    """A string from its parts; anything else unchanged."""
    if not isinstance(value, list):
        return value
    return "".join(part if isinstance(part, str) else part["repeat"] * part["times"] for part in value)
