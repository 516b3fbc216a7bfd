"""Processes of the local stack. Each has its own session and its own log, and ends with the stack."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from types import TracebackType
from typing import Self

GUARD = Path(__file__).with_name("guard.py")
POLL_INTERVAL_S = 0.05
LOG_TAIL_LINES = 25


class LocalStackError(Exception):
    """The local stack cannot start or go on. The message is for the person at the terminal."""


class ProcessError(LocalStackError):
    """A process of the stack ended or did not get ready; the message ends with the tail of its log."""

    def __init__(self, summary: str, log: Path) -> None:
        lines = log.read_text(errors="replace").splitlines() if log.exists() else []
        tail = "\n".join(f"    {line}" for line in lines[-LOG_TAIL_LINES:]) or "    (empty)"
        super().__init__(f"{summary}\n{tail}\n  The whole log: {log}")


class Process:
    """One command under `local.guard`, which ends it when the pipe to the guard is closed."""

    def __init__(self, name: str, command: Sequence[str], *, log: Path, env: Mapping[str, str], cwd: Path) -> None:
        self.name = name
        self.log = log
        with log.open("wb") as output:
            self._guard = subprocess.Popen(
                [sys.executable, "-I", "-S", str(GUARD), *command],
                stdin=subprocess.PIPE,
                stdout=output,
                stderr=subprocess.STDOUT,
                env=dict(env),
                cwd=cwd,
                start_new_session=True,  # Ctrl-C reaches only the starter, which then ends all of them in order
            )

    def wait_until(self, ready: Callable[[], bool], timeout_s: float) -> None:
        """Wait until `ready` returns true. Raises ProcessError if the process ends or the time runs out before."""
        deadline = time.monotonic() + timeout_s
        while not ready():
            self.check()
            if time.monotonic() > deadline:
                raise ProcessError(f"{self.name} was not ready after {timeout_s:.0f} s.", self.log)
            time.sleep(POLL_INTERVAL_S)

    def ended(self) -> bool:
        return self._guard.poll() is not None

    def check(self) -> None:
        """Raises ProcessError if the process has ended."""
        if self.ended():
            raise ProcessError(f"{self.name} has ended with status {self._guard.returncode}.", self.log)

    def finish(self, timeout_s: float) -> None:
        """Wait until the command has ended. Raises ProcessError if its status is not 0, or the time runs out."""
        self.wait_until(self.ended, timeout_s)
        if self._guard.returncode != 0:
            raise ProcessError(f"{self.name} failed with status {self._guard.returncode}.", self.log)

    def stop(self) -> None:
        """Ends the process and everything that it started. Does nothing the second time."""
        if self._guard.stdin and not self._guard.stdin.closed:
            self._guard.stdin.close()
        try:
            self._guard.wait(timeout=5)
        except subprocess.TimeoutExpired:  # the guard itself is stuck; its group has its process id
            os.killpg(self._guard.pid, signal.SIGKILL)
            self._guard.wait()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.stop()
