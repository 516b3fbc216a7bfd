"""Command line of the fault suite: see ``python -m tests.faults --help``."""

import argparse
import json
import sys
import time
from pathlib import Path

from tests import pages
from tests.faults import paths


def main() -> int:
    """Run the suite and print the table. The exit status tells whether everything survived."""
    paths.put_functions_first()
    # Only now: these import the code under test.
    from tests.faults import mutate, report, suite
    from tests.faults.lab import lab

    options = _options([kind.name for kind in (*suite.KINDS, *suite.SHORT_FORMS)])
    if options.mutate:
        return mutate.main(options.mutation, docs=options.docs)
    chosen = suite.KINDS
    if options.only:
        chosen = tuple(kind for kind in (*suite.KINDS, *suite.SHORT_FORMS) if kind.name in options.only)
    started_s = time.monotonic()
    rows = []
    # Servers of its own for each kind: the emulator's lists take longer, the more objects earlier kinds left in it.
    for kind in chosen:
        with lab(options.seed, options.scale) as own:
            rows += report.run(kind, own)
    seconds = time.monotonic() - started_s
    report.show(rows, own, seconds)
    if options.json:
        options.json.write_text(json.dumps(report.as_json(rows, options.seed, seconds), indent=1) + "\n")
    if options.docs:
        pages.write("fault-testing.md", {"faults": report.as_markdown(rows)})
    return 0 if all(found.is_good for _, found in rows) else 1


def _options(names: list[str]) -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m tests.faults", description=__doc__)
    parser.add_argument("--only", action="append", choices=names, metavar="KIND", help=", ".join(names))
    parser.add_argument("--seed", type=int, default=1, help="of everything random")
    parser.add_argument("--scale", type=float, default=1.0, help="of the numbers of messages and names")
    parser.add_argument("--mutate", action="store_true", help="plant bugs, and show that each is caught")
    parser.add_argument("--mutation", action="append", metavar="NAME", help="with --mutate: only this bug")
    parser.add_argument("--json", type=Path, metavar="FILE", help="the table as JSON")
    parser.add_argument("--docs", action="store_true", help="write the table into docs/fault-testing.md")
    return parser.parse_args()


if __name__ == "__main__":
    sys.exit(main())
