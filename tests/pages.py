"""What programs write into the pages of ``docs/``: tables, each between two comments that name it."""

import re
from collections.abc import Mapping
from pathlib import Path

DOCS = Path(__file__).parent.parent / "docs"


def write(page: str, tables: Mapping[str, str]) -> None:
    """Replace what stands between ``<!-- NAME -->`` and ``<!-- /NAME -->``. Raises ValueError if they are missing."""
    file = DOCS / page
    text = file.read_text(encoding="utf-8")
    for name, table in tables.items():
        place = re.search(rf"(?<=<!-- {name} -->\n).*?(?=<!-- /{name} -->)", text, re.DOTALL)
        if place is None:
            raise ValueError(f"docs/{page} has no place for {name}")
        text = f"{text[: place.start()]}\n{table.strip()}\n\n{text[place.end() :]}"
    file.write_text(text, encoding="utf-8")
