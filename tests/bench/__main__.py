"""``python -m tests.bench``: measures this project and its peers in the same run, interleaved (``make bench``)."""

import argparse
import sys
from pathlib import Path

from local.package import PROJECT
from tests.bench import environment


def main() -> int:
    parser = argparse.ArgumentParser(prog="python -m tests.bench", description=__doc__)
    parser.add_argument("--quick", action="store_true", help="few rounds and smaller files: shows that it runs")
    parser.add_argument("--only", action="append", metavar="ROW", help="cold, large, paced, small ... (repeatable)")
    parser.add_argument("--json", type=Path, default=environment.DIRECTORY / "results.json", metavar="FILE")
    parser.add_argument("--docs", action="store_true", help="write the tables and the plot into docs/")
    arguments = parser.parse_args()
    sys.path.insert(0, str(PROJECT / "functions"))
    environment.install()
    from tests import pages
    from tests.bench import cost, plot, report
    from tests.bench.rows import ROWS, Bench

    chosen = arguments.only or list(ROWS)
    if unknown := set(chosen) - set(ROWS):
        parser.error(f"{', '.join(sorted(unknown))} is none of {', '.join(ROWS)}")
    rows: list[report.Row] = []
    machine = environment.describe()
    with environment.servers() as servers:
        bench = Bench(servers, arguments.quick)
        for name in chosen:
            print(f"Measuring: {name} ...", flush=True)
            rows += ROWS[name](bench)
    report.show(rows, machine)
    arguments.json.parent.mkdir(parents=True, exist_ok=True)
    report.write_json(arguments.json, rows, machine)
    print(cost.markdown())
    if arguments.docs:
        kind = "a quick run: few rounds, 1 GiB measured as 128 MiB" if arguments.quick else "a full run"
        pages.write("performance.md", {"bench": report.markdown(rows, {"run": kind, **machine})})
        pages.write("cost.md", {"cost": cost.markdown()})
        plot.write(rows)
    return 0


if __name__ == "__main__":
    sys.exit(main())
