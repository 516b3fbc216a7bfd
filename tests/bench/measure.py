"""Measuring: one run of one peer in a process of its own, and runs of all peers in turn."""

import json
import os
import statistics
import subprocess
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

from local.package import PROJECT
from tests.bench.environment import PYTHON, client_environment

TIMEOUT_S = 900


@dataclass(frozen=True, slots=True)
class Sample:
    """One run: wall time, CPU (user and system) and peak of resident memory."""

    wall_s: float
    cpu_s: float
    rss_mb: float = 0.0


@dataclass(frozen=True, slots=True)
class Runs:
    """What the runs of one peer gave."""

    samples: Sequence[Sample]

    @property
    def wall_s(self) -> float:
        return statistics.median(sample.wall_s for sample in self.samples)

    @property
    def cpu_s(self) -> float:
        return statistics.median(sample.cpu_s for sample in self.samples)

    @property
    def rss_mb(self) -> float:
        return max(sample.rss_mb for sample in self.samples)

    def spread(self, field: str, scale: float = 1.0) -> tuple[float, float]:
        """Least and most of a field."""
        values = [getattr(sample, field) * scale for sample in self.samples]
        return min(values), max(values)


def in_turn(peers: Mapping[str, Callable[[], Sample]], rounds: int) -> dict[str, Runs]:
    """Run every peer once in each round, so that other work on the machine affects all of them alike.

    One more round goes before, which fills caches and does not count.
    """
    found: dict[str, list[Sample]] = {name: [] for name in peers}
    for number in range(rounds + 1):
        for name, run in peers.items():
            sample = run()
            if number or rounds == 1:
                found[name].append(sample)
    return {name: Runs(samples) for name, samples in found.items()}


def python(module: str, peer: str, job: str) -> str:
    """Run one of our client programs; return what it printed. Raises RuntimeError with its own words.

    The job goes to its standard input: that of 10,000 files is longer than an argument may be.
    """
    done = subprocess.run(
        [str(PYTHON), "-m", f"tests.bench.{module}", peer],
        input=job,
        cwd=PROJECT,
        env=client_environment(),
        capture_output=True,
        text=True,
        check=False,
        timeout=TIMEOUT_S,
    )
    if done.returncode or not done.stdout:
        raise RuntimeError(f"{module} {peer} failed:\n{done.stderr[-2000:]}")
    return done.stdout


def client(peer: str, job: str) -> Sample:
    """One run of a peer that is Python, warm."""
    return Sample(**json.loads(python("clients", peer, job)))


def commands(*pipeline: Sequence[str]) -> Sample:
    """One run of programs that are connected by pipes, from their start to the end of the last."""
    processes: list[subprocess.Popen[bytes]] = []
    began = time.perf_counter()
    for command in pipeline:
        processes.append(
            subprocess.Popen(
                command,
                stdin=processes[-1].stdout if processes else subprocess.DEVNULL,
                stdout=subprocess.PIPE if len(processes) < len(pipeline) - 1 else subprocess.DEVNULL,
                stderr=subprocess.PIPE,
                env=client_environment(),
            )
        )
    cpu_s, rss_mb = 0.0, 0.0
    for process in processes:
        if process.stdout:
            process.stdout.close()
        _, status, usage = os.wait4(process.pid, 0)
        process.returncode = os.waitstatus_to_exitcode(status)
        cpu_s += usage.ru_utime + usage.ru_stime
        rss_mb = max(rss_mb, usage.ru_maxrss / 1024)
    wall_s = time.perf_counter() - began
    for process in processes:
        said = process.stderr.read() if process.stderr else b""
        if process.returncode:
            raise RuntimeError(f"{process.args!r} failed:\n{said.decode(errors='replace')[-2000:]}")
    return Sample(wall_s, cpu_s, rss_mb)
