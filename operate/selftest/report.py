"""The table, and a report without personal data that can be attached to an issue."""

import json
from collections.abc import Sequence

from bigin_archive import __version__
from operate.selftest.result import Result, Verdict
from operate.terminal import bad, good, say, uncertain


def show(results: Sequence[Result]) -> None:
    """Print one line for each check, and what a difference means."""
    for found in results:
        line = f"{found.name}: {found.seen}"
        if found.verdict is Verdict.EXPECTED:
            good(line)
        elif found.verdict is Verdict.DIFFERENT:
            bad(line, found.meaning)
        else:
            uncertain(f"{line} ({found.verdict.value})")
    counts = {verdict: sum(found.verdict is verdict for found in results) for verdict in Verdict}
    say()
    say(", ".join(f"{count} {verdict.value}" for verdict, count in counts.items()) + ".")


def as_json(results: Sequence[Result], where: str, at: str) -> str:
    """The report without personal data: ``where`` is a region or a data centre, ``at`` the time (ISO 8601, UTC)."""
    rows = [
        {"check": found.name, "verdict": found.verdict.value, "seen": found.seen, "meaning": found.meaning or None}
        for found in results
    ]
    return json.dumps({"version": __version__, "where": where, "at": at, "checks": rows}, indent=2)
