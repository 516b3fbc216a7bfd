"""A large account swept over days of simulated time: ``python -m tests.sweep_figures --records 20000``.

Real are the code, the simulator of Bigin, the emulator of AWS and every byte; simulated is the clock of the sweep and
of the budget, a quarter of an hour for each slice. The sweep is killed at ten random moments.
"""

import argparse
import os
import random
import resource
import tempfile
import time
from pathlib import Path

import operate  # noqa: F401 - puts functions/ on the path

# isort: split
from bigin_archive.archive_request import MODULES
from bigin_archive.sweep.sweep import SweepRequest
from local.emulator import Emulator
from tests.account import SLICE_S, Account, Killed
from tests.aws import Aws
from tests.bigin import Simulator


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m tests.sweep_figures", description=__doc__)
    parser.add_argument("--records", type=int, default=20_000)
    parser.add_argument("--attachments", type=int, default=30_000)
    parser.add_argument("--daily-credits", type=int, default=50_000)
    parser.add_argument("--kills", type=int, default=10)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--way", choices=["records", "all"], default="records")
    given = parser.parse_args()
    simulator = Simulator.start()
    with tempfile.TemporaryDirectory() as directory:
        emulator = Emulator.start(Path(directory) / "aws", Path(directory) / "emulator.log")
        try:
            with emulator.process:
                emulator.wait()
                _figures(given, Aws(emulator, simulator.url), simulator)
        finally:
            simulator.stop()


def _figures(given: argparse.Namespace, aws: Aws, bigin: Simulator) -> None:
    os.environ.update(aws.environment)
    randomness = random.Random(given.seed)
    _fill(bigin, given.records, given.attachments)
    bigin.control("PATCH", "settings", {"module_attachments": "on" if given.way == "all" else "off"})
    account = Account(aws, bigin, given.daily_credits)
    began_s, began = time.monotonic(), account.clock.now_s
    cpu_s = time.process_time()
    slices, kills, most_calls, state = 0, 0, 500, None
    while state is None or not state.is_done:
        # Somewhere in the calls of a slice, where it makes as many; until all kills are done.
        kill_at = randomness.randrange(20, most_calls) if kills < given.kills else None
        calls_before = account.executioner.calls
        try:
            state = account.slice(SweepRequest() if state is None else None, kill_at) or state
        except Killed:
            kills += 1
        most_calls = max(most_calls, account.executioner.calls - calls_before)
        account.drain()
        account.clock.now_s += SLICE_S
        slices += 1
    calls = bigin.calls()
    downloads = calls["downloads"].values()
    if given.way == "all":
        least = -(-given.attachments // 200) + given.attachments
    else:
        least = sum(-(-count // 200) for count in _split(given.records)) + given.records + given.attachments
    share = given.daily_credits // 2
    print(f"records {given.records}, attachments {given.attachments}, way {given.way}, seed {given.seed}")
    print(f"slices {slices}, killed {kills} times, simulated days {(account.clock.now_s - began) / 86400:.1f}")
    twice = sum(count > 1 for count in downloads)
    print(f"archived {len(downloads)}, downloaded twice {twice}, audit {state.result}")
    print(f"credits {calls['credits_used']}, least {least}, ratio {calls['credits_used'] / least:.4f}")
    print(f"most credits in 24 h {account.most_in_a_day()} of a share of {share}")
    before = sum(downloads)
    second = account.sweep()
    again = sum(bigin.calls()["downloads"].values()) - before
    print(f"second sweep: {second.known} known, {second.queued} queued, {again} downloads, audit {second.result}")
    peak_mib = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    real_s, used_s = time.monotonic() - began_s, time.process_time() - cpu_s
    print(f"real time {real_s:.0f} s, CPU {used_s:.0f} s, peak {peak_mib:.0f} MiB")


def _split(records: int) -> list[int]:
    return [records // len(MODULES) + (number < records % len(MODULES)) for number in range(len(MODULES))]


def _fill(bigin: Simulator, records: int, attachments: int) -> None:
    for module in MODULES:
        if ids := bigin.record_ids(module):
            bigin.control("DELETE", "records", {"module": module, "record_ids": ids})
    made: list[tuple[str, str]] = []
    for module, count in zip(MODULES, _split(records), strict=True):
        if count:
            answer = bigin.control("POST", "records", {"module": module, "count": count})
            made += [(module, record_id) for record_id in answer["record_ids"]]
    for number in range(attachments):
        module, record_id = made[number % len(made)]
        bigin.add(b"file %d" % number, module=module, record_id=record_id, attachment_id=str(10**17 + number))
    bigin.control("DELETE", "calls")


if __name__ == "__main__":
    main()
