"""The counts of the selftest and the probe, and a report without personal data that can be attached to an issue."""

import json
from collections.abc import Sequence

from bigin_archive import __version__
from operate.findings import Finding, State
from operate.terminal import say

# Whether AWS or Bigin answered as this version expects: printed, and stored with the probe's report.
VERDICTS = {State.OK: "as expected", State.PROBLEM: "different", State.UNKNOWN: "not supported here"}


def show_counts(found: Sequence[Finding]) -> None:
    """Print how many checks ended how."""
    counts = (f"{sum(each.state is state for each in found)} {verdict}" for state, verdict in VERDICTS.items())
    say()
    say(", ".join(counts) + ".")


def exit_status(found: Sequence[Finding]) -> int:
    """1 if something is different."""
    return int(any(each.state is State.PROBLEM for each in found))


def as_json(found: Sequence[Finding], where: str, at: str) -> str:
    """The report without personal data: ``where`` is a region or a data centre, ``at`` the time (ISO 8601, UTC)."""
    rows = [
        {
            "check": each.name,
            "verdict": VERDICTS[each.state],
            "seen": each.detail,
            "meaning": each.remedy or None,
        }
        for each in found
    ]
    return json.dumps({"version": __version__, "where": where, "at": at, "checks": rows}, indent=2)
