"""How a sweep grows with the account: ``python -m tests.sweep_growth`` prints time and memory of the sweep function.

Lists, ledger, messages and cursor are real, on simulator and emulator; the queue is emptied without
downloads. Each size runs in a process of its own, whose peak memory is its own.
"""

import os
import resource
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import operate  # noqa: F401 - puts functions/ on the path

# isort: split
from bigin_archive.archive_request import MODULES
from bigin_archive.sweep.sweep import SweepRequest
from local.emulator import Emulator
from tests.account import Account
from tests.aws import Aws
from tests.bigin import PROJECT, Simulator

SIZES = (1_000, 10_000, 100_000)
_ON_A_RECORD = 5


def main() -> None:
    if len(sys.argv) > 1:
        _measure(int(sys.argv[1]))
        return
    print("| attachments | messages | slices | seconds | CPU for each | peak |")
    print("|---:|---:|---:|---:|---:|---:|", flush=True)
    for size in SIZES:
        subprocess.run([sys.executable, "-m", "tests.sweep_growth", str(size)], cwd=PROJECT, check=True)


def _measure(size: int) -> None:
    simulator = Simulator.start()
    with tempfile.TemporaryDirectory() as directory:
        emulator = Emulator.start(Path(directory) / "aws", Path(directory) / "emulator.log")
        try:
            with emulator.process:
                emulator.wait()
                _sweep(size, Aws(emulator, simulator.url), simulator)
        finally:
            simulator.stop()


def _sweep(size: int, aws: Aws, bigin: Simulator) -> None:
    os.environ.update(aws.environment)
    for module in MODULES:
        if ids := bigin.record_ids(module):
            bigin.control("DELETE", "records", {"module": module, "record_ids": ids})
    for number in range(size // _ON_A_RECORD):
        body = {"module": MODULES[number % len(MODULES)], "record_id": str(5000 + number), "file_name": "a.pdf"}
        bigin.control("POST", "attachments", {**body, "size_bytes": 10, "seed": 1, "count": _ON_A_RECORD})
    bigin.control("PATCH", "settings", {"module_attachments": "on"})
    account = Account(aws, bigin, daily_credits=100_000_000)  # the budget is not what is measured
    began_s, cpu_s, slices, state = time.monotonic(), time.process_time(), 0, None
    while state is None or state.phase in ("listing", "attachments"):
        state = account.slice(SweepRequest() if state is None else None)
        aws.sqs.purge_queue(QueueUrl=aws.queue_url)
        slices += 1
    seconds, used_s = time.monotonic() - began_s, time.process_time() - cpu_s
    peak_mib = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    each_ms = 1000 * used_s / size
    print(
        f"| {size:,} | {state.queued:,} | {slices} | {seconds:.0f} | {each_ms:.2f} ms | {peak_mib:.0f} MiB |",
        flush=True,
    )


if __name__ == "__main__":
    main()
