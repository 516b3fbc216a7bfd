"""A large account swept over days of simulated time: ``python -m tests.sweep_figures --records 20000``.

Real are the code, the simulator of Bigin and every byte; simulated are AWS, in memory, and time: Bigin's clock and S3's
are wrong by minutes. While the sweep reads, files are attached, deleted and restored, and it is killed at ten random
calls. A second sweep, in which nothing changes, follows.
"""

import argparse
import bisect
import random
import resource
import sys
import time
from collections import Counter
from contextlib import redirect_stdout
from io import StringIO

import operate  # noqa: F401 - puts functions/ on the path

# isort: split
from bigin_archive import clock
from bigin_archive.archive_request import MODULES
from bigin_archive.sweep.cursor import SweepState
from bigin_archive.sweep.sweep import SweepRequest
from local.bigin.account import Attachment, disposition_of
from local.bigin.content import stored
from tests.histories.clients import clients_in_memory
from tests.histories.interrupts import KILL, Plan
from tests.histories.network import Reply, Request
from tests.histories.world import Setup, World

SLICE_S = 15 * 60  # the template's schedule
HOUR_S, DAY_S = 3600, 86400


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m tests.sweep_figures", description=__doc__)
    parser.add_argument("--records", type=int, default=20_000)
    parser.add_argument("--attachments", type=int, default=30_000)
    parser.add_argument("--daily-credits", type=int, default=50_000)
    parser.add_argument("--changed-percent", type=float, default=5, help="attached, deleted and restored, each")
    parser.add_argument("--bigin-ahead-s", type=float, default=600, help="by how much Bigin's clock is wrong")
    parser.add_argument("--s3-ahead-s", type=float, default=-120, help="by how much S3's is")
    parser.add_argument("--kills", type=int, default=10)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--way", choices=["records", "all"], default="records")
    given = parser.parse_args()
    with clients_in_memory() as aws:
        setup = Setup(
            list_of_all=given.way == "all",
            daily_credits=given.daily_credits,
            bigin_ahead_s=given.bigin_ahead_s,
            s3_ahead_s=given.s3_ahead_s,
        )
        _Figures(given, World(aws, setup)).show()


class _Figures:
    def __init__(self, given: argparse.Namespace, world: World) -> None:
        self._given, self._world, self._randomness = given, world, random.Random(given.seed)
        self._used_at: list[float] = []  # simulated times of the calls that cost a credit
        self._downloads: Counter[str] = Counter()
        self._left = Counter(
            dict.fromkeys(("attach", "remove", "restore"), round(given.attachments * given.changed_percent / 100))
        )
        self._most_calls = 500
        self._kills = 0
        world.interrupts.note = self._note
        world.interrupts.change = self._change

    def show(self) -> None:
        given, world, truth = self._given, self._world, self._world.truth
        _fill(world, given.records, given.attachments)
        began_s, cpu_s, began = time.monotonic(), time.process_time(), world.clock()
        with redirect_stdout(StringIO()):  # the functions' metrics
            state, slices = self._sweep()
        days, changes = (world.clock() - began) / DAY_S, truth.changes
        print(f"records {given.records}, attachments {given.attachments}, way {given.way}, seed {given.seed}")
        print(f"clocks: Bigin's {given.bigin_ahead_s:+.0f} s, S3's {given.s3_ahead_s:+.0f} s; {changes} changes")
        print(f"slices {slices}, killed {self._kills} times, simulated days {days:.1f}")
        as_of = clock.parse(state.complete_as_of)
        assert as_of
        missed = self._missed(as_of.timestamp())
        twice = sum(count > 1 for count in self._downloads.values())
        print(f"audit {state.result}, {len(state.refused)} lists refused, missed {missed}")
        print(f"archived {len(self._downloads)}, downloaded twice {twice}")
        lists = -(-given.attachments // 200) if given.way == "all" else _pages(given.records) + given.records
        least = lists + len(self._downloads)
        print(f"credits {len(self._used_at)}, least {least}, ratio {len(self._used_at) / least:.4f}")
        share = given.daily_credits // 2
        hour, day = self._most_in(HOUR_S), self._most_in(DAY_S)
        print(f"most credits in an hour {hour} (an eighth of the share is {share // 8}), in a day {day} of {share}")
        before, self._left = self._downloads.total(), Counter()
        with redirect_stdout(StringIO()):
            second, _ = self._sweep()
        again, missed = self._downloads.total() - before, self._missed(world.clock())
        print(f"second sweep: {second.known} known, {again} downloads, audit {second.result}, missed {missed}")
        real_s, used_s = time.monotonic() - began_s, time.process_time() - cpu_s
        peak_mib = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
        print(f"real time {real_s:.0f} s, CPU {used_s:.0f} s, peak {peak_mib:.0f} MiB, account and bucket included")

    def _sweep(self) -> tuple[SweepState, int]:
        world, state, slices = self._world, None, 0
        while state is None or not state.is_done:
            begins_s, plan = world.clock(), self._plan()
            worked = world.slice(SweepRequest() if slices == 0 else None, plan)
            self._kills += worked is None and KILL in plan.values()
            state = worked or state
            self._most_calls = max(self._most_calls, world.interrupts.calls)
            while world.drain(1):
                pass
            world.clock.now_s = max(world.clock.now_s, begins_s + SLICE_S)
            slices += 1
            if state is not None and not state.is_done and slices % 100 == 0:
                print(f"  {slices} slices, {state.phase}, {state.listed} listed", file=sys.stderr, flush=True)
        return state, slices

    def _plan(self) -> Plan:
        """What happens at which call of the next slice: a share of the changes that are left, and a kill."""
        calls = self._randomness.sample(range(2, self._most_calls), min(self._most_calls - 2, 60))
        chosen = [what for what, left in self._left.items() for _ in range(min(left, 20))]
        plan: dict[str, object] = {str(at): [what] for at, what in zip(calls, chosen, strict=False)}
        if self._kills < self._given.kills:
            plan[str(self._randomness.randrange(20, self._most_calls))] = KILL
        return plan

    def _change(self, step: list[str], _: str) -> None:
        (what,), truth = step, self._world.truth
        number = self._randomness.randrange(10**9)
        self._left[what] -= 1
        if what == "attach":
            truth.attach(number, 20, edits=False)
        elif what == "remove":
            truth.remove(number)
        else:
            truth.restore(number)

    def _note(self, name: str, request: Request, reply: Reply | None, is_hit: bool) -> None:
        if name != "bigin" or reply is None or reply.status in (401, 429) or request.path.startswith("/oauth"):
            return
        self._used_at.append(self._world.clock())
        parts = request.path.removeprefix("/bigin/v2/").split("/")
        if len(parts) == 4 and reply.status == 200:
            self._downloads[parts[3]] += 1

    def _missed(self, as_of_s: float) -> int:
        """Attachments that Bigin held at that time and holds still, and that lie nowhere in the bucket."""
        truth, keys = self._world.truth, self._world.bucket.keys
        archived = {"/".join(key.split("/")[1:4]) for key in keys}
        steady = [place for place in truth.places() if truth.past[place][-1].from_s <= as_of_s]
        return sum(place not in archived for place in steady)

    def _most_in(self, seconds: float) -> int:
        at = self._used_at
        return max(number - bisect.bisect_right(at, end_s - seconds) + 1 for number, end_s in enumerate(at))


def _split(records: int) -> list[int]:
    return [records // len(MODULES) + (number < records % len(MODULES)) for number in range(len(MODULES))]


def _pages(records: int) -> int:
    return sum(-(-count // 200) for count in _split(records))


def _fill(world: World, records: int, attachments: int) -> None:
    account, made_at = world.bigin.account, "2026-01-05T10:00:00+00:00"
    numbers = iter(range(1_000_000, 1_000_000 + records))
    made = [
        account.add_record(module, f"{next(numbers)}", made_at)
        for module, count in zip(MODULES, _split(records), strict=True)
        for _ in range(count)
    ]
    for number in range(attachments):
        record, name = made[number % len(made)], f"{10**17 + number}"
        attached = Attachment(
            id=name,
            module=record.module,
            record_id=record.id,
            file_name=f"file {number}.txt",
            content=stored(b"file %d" % number),
            content_type="text/plain",
            disposition=disposition_of(f"file {number}.txt"),
            kind="file",
            link_url=None,
            created_time=made_at,
        )
        world.truth._put(attached, edits=False)
    world.truth.changes = 0


if __name__ == "__main__":
    main()
