"""The figures of a large account that changes while it is swept, for a small one."""

import re
import subprocess
import sys
from pathlib import Path

TOP = Path(__file__).parents[2]


def test_the_figures_are_of_an_account_that_changes_and_of_functions_that_are_killed() -> None:
    """Else they would prove nothing: once the changes did not happen, and nobody noticed."""
    command = [sys.executable, "-m", "tests.sweep_figures", "--records", "80", "--attachments", "120", "--kills", "3"]

    made = subprocess.run(command, cwd=TOP, capture_output=True, text=True, timeout=120, check=True)

    changes, killed, missed = (
        int(found[1]) if (found := re.search(pattern, made.stdout)) else -1
        for pattern in (r"; (\d+) changes", r"killed (\d+) times", r"missed (\d+)\n")
    )
    assert (True, True, 0) == (changes > 5, killed > 0, missed), made.stdout
