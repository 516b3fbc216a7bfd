"""Random histories, from seeds one after the other; the first failing one is shrunk, told, and kept as a vector.

python -m tests.histories --count 1000            (on all processors)
python -m tests.histories --seed 7 --steps 100    (one, again)
"""

import argparse
import json
import multiprocessing
import os
import sys
import time
from collections import Counter
from collections.abc import Iterator, Sequence
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

from tests import pages
from tests.faults import paths

if TYPE_CHECKING:
    from tests.histories.runs import Told


def main() -> int:
    """Run, and print the figures. The exit status tells whether there was no violation."""
    paths.put_functions_first()
    options = _options()
    started_s = time.monotonic()
    seeds = range(options.first, options.first + options.count) if options.seed is None else [options.seed]
    told = []
    for each in _all(seeds, options.steps, options.processes, options.minutes):
        told.append(each)
        if each.violation and options.stop:
            break
    seconds = time.monotonic() - started_s
    failed = [each for each in told if each.violation]
    for each in failed[:10]:
        print(f"seed {each.seed}: {each.violation}")
    if failed and not options.no_shrink:
        _shrink(failed[0], options.steps, options.keep)
    steps = len(told) * options.steps
    verdicts = sum((each.verdicts for each in told), Counter())
    figures = (
        f"{len(told):,} histories of {options.steps} steps, {sum(each.calls for each in told):,} calls, "
        f"{verdicts.total():,} audits ({', '.join(f'{count:,} {name}' for name, count in sorted(verdicts.items()))}): "
        f"{len(failed)} violations; {seconds:.0f} s, {steps / max(seconds, 0.001):,.0f} steps a second"
    )
    print(figures)
    if options.docs:
        pages.write("fault-testing.md", {"histories": f"> {figures}"})
    return 1 if failed else 0


def _all(seeds: Sequence[int], steps: int, processes: int, minutes: float) -> Iterator["Told"]:
    # Only now: it imports the code under test.
    from tests.histories import runs

    if processes == 1 or len(seeds) == 1:
        yield from map(partial(runs.told, count=steps), seeds)
        return
    until_s = time.monotonic() + minutes * 60
    with multiprocessing.get_context("fork").Pool(processes) as pool:
        for told in pool.imap_unordered(partial(runs.told, count=steps), seeds, chunksize=2):
            yield told
            if time.monotonic() > until_s:
                pool.terminate()
                return


def _shrink(told: "Told", steps: int, keep: Path | None) -> None:
    from tests.histories import runs

    print(f"shrinks seed {told.seed} ...", flush=True)
    made = runs.shortest(runs.generated(told.seed, steps))
    print("\n".join(json.dumps(each) for each in [made.setup, *made.steps, made.why]))
    print(f"again: python -m tests.histories --seed {told.seed} --steps {steps}")
    if keep:
        path = keep / f"seed-{told.seed}.json"
        path.write_text(json.dumps(made.as_json(), indent=1) + "\n")
        print(f"kept: {path}")


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m tests.histories", description=__doc__)
    parser.add_argument("--count", type=int, default=100, help="histories")
    parser.add_argument("--first", type=int, default=1, help="the first seed")
    parser.add_argument("--seed", type=int, help="only this one")
    parser.add_argument("--steps", type=int, default=100, help="of each history")
    parser.add_argument("--processes", type=int, default=os.cpu_count() or 1)
    parser.add_argument("--minutes", type=float, default=60, help="none is begun after them")
    parser.add_argument("--docs", action="store_true", help="write the figures into docs/fault-testing.md")
    parser.add_argument("--stop", action="store_true", help="at the first violation")
    parser.add_argument("--no-shrink", action="store_true", help="only tell the seeds")
    parser.add_argument("--keep", type=Path, metavar="DIR", help="where to put the shrunk history")
    return parser.parse_args()


if __name__ == "__main__":
    sys.exit(main())
