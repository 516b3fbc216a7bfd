"""The tables in README.md: each between two comments that name it."""

import re
from collections.abc import Mapping

from local.package import PROJECT

README = PROJECT / "README.md"


def write(tables: Mapping[str, str]) -> None:
    """Replace what stands between ``<!-- NAME -->`` and ``<!-- /NAME -->``. Raises ValueError where they are not."""
    text = README.read_text(encoding="utf-8")
    for name, table in tables.items():
        place = re.search(rf"(?<=<!-- {name} -->\n).*?(?=<!-- /{name} -->)", text, re.DOTALL)
        if place is None:
            raise ValueError(f"README.md has no place for {name}")
        text = f"{text[: place.start()]}\n{table.strip()}\n\n{text[place.end() :]}"
    README.write_text(text, encoding="utf-8")
