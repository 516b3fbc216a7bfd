"""A large file on its way back takes no memory: it is spooled to disk, streamed, and hashed in pieces."""

import json
import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

from operate.restore.grant import scope_line
from tests.archived import Archive
from tests.aws import Aws
from tests.bigin import PROJECT, Simulator
from tests.functional.test_operate_stack import deploy

MIB = 1024 * 1024
LIMIT_MIB = 40  # above what the restore of a small file takes

# Runs in a process of its own: restores a small file, notes its size in memory, then the large one.
PROBE = """
import os, sys
sys.path[:0] = ["functions", "."]
from operate.cli import main

def field(name):
    return int(next(line.split()[1] for line in open("/proc/self/status") if line.startswith(name))) // 1024

stack, small, large = sys.argv[1:]
for code, attachment_id in (("small", small), ("large", large)):
    os.environ["BIGIN_GRANT_CODE"] = code
    status = main(["restore", "--stack", stack, attachment_id, "--yes", "--json", "--upload-limit", "200"])
    assert status == 0, status
    if code == "small":
        open("/proc/self/clear_refs", "w").write("5")  # the peak starts again from here
        idle = field("VmRSS")
print("RSS", idle, field("VmHWM"), file=sys.stderr)
"""


def test_100_mb_go_back_in_little_memory(aws: Aws, bigin: Simulator, figure: Callable[[str], None]) -> None:
    """100 MB are read from S3, sent, downloaded and compared in at most 40 MB above the restore of a small file."""
    archive = Archive(aws, bigin)
    archive.empty_bigin()
    made = [bigin.add(b"small"), bigin.add(size_bytes=100 * MIB, seed=1)]
    aws.sqs.send_message(QueueUrl=aws.queue_url, MessageBody=json.dumps({"module": "Contacts", "record_id": "77001"}))
    archive.work_off_queue()
    archive.empty_bigin()
    bigin.control("PATCH", "settings", {"upload_limit_bytes": 200 * MIB})
    for code in ("small", "large"):
        bigin.control("POST", "codes", {"code": code, "scope": scope_line(("Contacts",))})
    environment = {
        **os.environ,
        **aws.environment,
        "PYTHONPATH": str(Path(PROJECT, "functions")),
        "BIGIN_CLIENT_ID": "test",
        "BIGIN_CLIENT_SECRET": "test",
    }

    probe = subprocess.run(
        [sys.executable, "-c", PROBE, deploy(aws), *(one["attachment_id"] for one in made)],
        cwd=PROJECT,
        env=environment,
        capture_output=True,
        text=True,
        timeout=180,
        check=False,
    )

    assert probe.returncode == 0, probe.stderr + probe.stdout
    assert [5, 100 * MIB] == sorted(one["size_bytes"] for one in bigin.attachments())
    idle_mib, peak_mib = (int(number) for number in probe.stderr.split("RSS")[1].split())
    growth_mib = peak_mib - idle_mib
    figure(f"memory, 100 MB restored: idle {idle_mib} MiB, peak {peak_mib} MiB, growth {growth_mib} MiB")
    assert growth_mib <= LIMIT_MIB
