"""Memory does not grow with the file."""

import json
import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

from tests.aws import Aws
from tests.bigin import PROJECT, Simulator

MIB = 1024 * 1024
LIMIT_MIB = 40  # above the idle function, for a file of 100 MB

# Runs in a process of its own: archives a small file, notes its size in memory, then the large one.
PROBE = """
import json, os, sys
sys.path[:0] = ["functions", "."]
from tests.lambdas import Context, load, sqs_event

def field(name):
    return int(next(line.split()[1] for line in open("/proc/self/status") if line.startswith(name))) // 1024

small, large = json.loads(sys.argv[1])
handler = load("archive_queued").handler
assert handler(sqs_event([json.dumps(small)]), Context(300)) == {"batchItemFailures": []}
open("/proc/self/clear_refs", "w").write("5")  # the peak starts again from here
idle = field("VmRSS")
assert handler(sqs_event([json.dumps(large)] ), Context(300)) == {"batchItemFailures": []}
print("RSS", idle, field("VmHWM"), file=sys.stderr)
"""


def test_100_mb_take_little_more_memory_than_nothing(aws: Aws, bigin: Simulator, figure: Callable[[str], None]) -> None:
    """Archiving 100 MB takes at most 40 MB above the idle function, however the end of the body is told."""
    for framing in ("content-length", "chunked"):
        requests = [bigin.add(b"small"), bigin.add(size_bytes=100 * MIB, seed=1)]
        bigin.fault({"kind": "framing", "framing": framing}, times=2)
        environment = {**os.environ, **aws.environment, "PYTHONPATH": str(Path(PROJECT, "functions"))}
        probe = subprocess.run(
            [sys.executable, "-c", PROBE, json.dumps(requests)],
            cwd=PROJECT,
            env=environment,
            capture_output=True,
            text=True,
            timeout=120,
            check=False,
        )
        assert probe.returncode == 0, probe.stderr
        idle_mib, peak_mib = (int(number) for number in probe.stderr.split("RSS")[1].split())
        growth_mib = peak_mib - idle_mib
        figure(f"memory, 100 MB, {framing}: idle {idle_mib} MiB, peak {peak_mib} MiB, growth {growth_mib} MiB")

        assert growth_mib <= LIMIT_MIB
