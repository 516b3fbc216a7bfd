"""Where the processor time of a small file in the worker goes: by steps, and for what in each of them.

As a program: ``python -m tests.bench.parts worker`` copies the files of a job (JSON, on stdin) one at a time, and
prints the milliseconds of each. Reading the clock takes time itself, which is measured and left out.
"""

import functools
import hashlib
import io
import json
import os
import ssl
import sys
import time
from collections.abc import Callable
from typing import Any

from bigin_archive.archiving.queue_worker import Worker
from bigin_archive.aws.signed_http import SignedHttp
from bigin_archive.bigin.client import Bigin
from bigin_archive.ledger.ledger import Ledger
from bigin_archive.storage.object_store import ObjectStore
from bigin_archive.telemetry import Reporter
from tests.bench.clients import Job, worker

REST = "the rest"
STEPS = ("look", "download", "write", "row of the ledger", "log line and metrics", REST)
KINDS = ("TLS and kernel", "SHA-256", "signature", "other")
_OTHER = KINDS[-1]
_WARM_UP = 100  # files


class Clock:
    """Processor time of one thread by step and kind; each moment counts once."""

    def __init__(self) -> None:
        self.spent_ns = {(step, kind): 0.0 for step in STEPS for kind in KINDS}
        self._where: list[tuple[str, str]] = []
        self._since_ns = 0
        self._reading_ns = 0.0

    def calibrate(self) -> None:
        """Measure what one reading takes, and begin anew."""
        empty = self.timed(lambda: None, REST)
        for _ in range(5000):
            empty()
        self._reading_ns = self.spent_ns[REST, _OTHER] / 5000
        self.spent_ns = dict.fromkeys(self.spent_ns, 0.0)

    def timed(self, call: Callable[..., Any], step: str | None, kind: str = _OTHER) -> Callable[..., Any]:
        """``call``, counted for ``step``; without one, as ``kind`` in the step that it is in."""

        @functools.wraps(call)
        def counted(*args: Any, **options: Any) -> Any:
            if not step and not self._where:
                return call(*args, **options)
            self._change()
            self._where.append((step or self._where[-1][0], kind))
            try:
                return call(*args, **options)
            finally:
                self._change()
                self._where.pop()

        return counted

    def _change(self) -> None:
        now_ns = time.thread_time_ns()
        if self._where:
            self.spent_ns[self._where[-1]] += now_ns - self._since_ns - self._reading_ns
        self._since_ns = now_ns


def main(text: str) -> None:
    said = os.fdopen(os.dup(1), "w")  # as in tests.bench.clients
    os.dup2(os.open(os.devnull, os.O_WRONLY), 1)
    sys.stdout = io.TextIOWrapper(io.FileIO(1, "w", closefd=False), line_buffering=True)
    job, clock = Job.from_json(text), Clock()
    places: tuple[tuple[Any, str, str | None, str], ...] = (
        (Worker, "_work_on", REST, _OTHER),
        (ObjectStore, "sizes", "look", _OTHER),
        (Bigin, "_ask", "download", _OTHER),
        (ObjectStore, "put", "write", _OTHER),
        (Ledger, "record_event", "row of the ledger", _OTHER),
        (Reporter, "report", "log line and metrics", _OTHER),
        (SignedHttp, "_signed", None, "signature"),
        (hashlib, "sha256", None, "SHA-256"),
        (ssl.SSLSocket, "send", None, "TLS and kernel"),
        (ssl.SSLSocket, "read", None, "TLS and kernel"),
    )
    for owner, name, step, kind in places:
        setattr(owner, name, clock.timed(getattr(owner, name), step, kind))
    work = worker(job)
    work(job.files[:_WARM_UP])
    clock.calibrate()
    files = job.files[_WARM_UP:]
    work(files)
    per_file = {step: {kind: clock.spent_ns[step, kind] / len(files) / 1e6 for kind in KINDS} for step in STEPS}
    print(json.dumps(per_file), file=said)
    said.flush()
    os._exit(0)  # threads and pools would take their time


if __name__ == "__main__":
    main(sys.stdin.read())
