"""The report of the last audit of the whole account: where it is, and its summary. Pure.

The list of differences is its last part. Where a ledger was lost it is longer than a function's memory, so a reader of
the figures reads only the beginning.
"""

import json
from typing import Any

PATH, PAGE_PATH = "_audit/latest.json", "_audit/latest.html"
BEGINNING_BYTES = 1024 * 1024  # the summary takes some thousand
DIFFERENCES = '\n "differences": ['  # begins the list; no text inside the JSON can hold a line break


def summary(content: bytes) -> dict[str, Any]:
    """Everything but the differences, from a report or its beginning; empty if it is none."""
    beginning, found, _ = content.partition(DIFFERENCES.encode())
    try:
        report = json.loads(beginning.rstrip().removesuffix(b",") + b"}" if found else content)
    except (ValueError, RecursionError):
        return {}
    return report if isinstance(report, dict) else {}
