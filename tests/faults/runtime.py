"""Takes the place of Lambda's runtime: a process loads one handler and answers invocations until it is killed.

Processes are forked from a server that has imported the third-party packages, so a cold start costs a third of a
second. The fork loads the package under test, in the environment of the function.
"""

import importlib
import importlib.util
import json
import multiprocessing
import os
import resource
import signal
import sys
import time
from collections.abc import Mapping, Sequence
from contextlib import suppress
from multiprocessing.connection import Connection
from pathlib import Path
from typing import Any

START_TIMEOUT_S = 60
LONGEST_PAUSE_S = 0.02  # of a command: what it would wait for in earnest is not what is tried
_PRELOADED = [
    "boto3.session",
    "botocore.session",
    "requests",
    "urllib3",
    "aws_lambda_powertools",
    "tests.faults.runtime",
]
_FORKS = multiprocessing.get_context("forkserver")
_FORKS.set_forkserver_preload(_PRELOADED)


class CrashedError(Exception):
    """The process ended in the middle of an invocation."""


class Context:
    """Lambda's context with the time that is left, in real time."""

    aws_request_id = "8f3d1a52-0000-4000-8000-000000000000"

    def __init__(self, seconds: float) -> None:
        self._end_s = time.monotonic() + seconds

    def get_remaining_time_in_millis(self) -> int:
        return max(0, round((self._end_s - time.monotonic()) * 1000))


def serve(
    calls: Connection, env: Mapping[str, str], functions: Path, handler: str, log: Path, limits: Mapping[int, int]
) -> None:
    """The process's main function; ``limits`` are those of :mod:`resource`."""
    for kind, limit in limits.items():
        resource.setrlimit(kind, (limit, limit))
    os.environ.clear()
    os.environ.update(env)
    output = os.open(log, os.O_WRONLY | os.O_APPEND | os.O_CREAT, 0o600)
    for stream in (1, 2):
        os.dup2(output, stream)
    sys.path.insert(0, str(functions))
    spec = importlib.util.spec_from_file_location(handler, functions / f"{handler}.py")
    if spec is None or spec.loader is None:
        raise ImportError(handler)
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    calls.send("ready")
    with suppress(EOFError):
        while True:
            event, seconds = calls.recv()
            try:
                # Through JSON, as Lambda hands results on.
                answer = json.loads(json.dumps(module.handler(event, Context(seconds))))
            except Exception as error:  # noqa: BLE001 - a function's error is an answer of the runtime
                calls.send(("error", f"{type(error).__name__}: {error}"))
            else:
                calls.send(("answer", answer))


def serve_command(arguments: Sequence[str], env: Mapping[str, str], functions: Path, log: Path) -> None:
    """The main function of a process that runs one command of the operator, in which nothing waits for long."""
    os.environ.clear()
    os.environ.update(env)
    output = os.open(log, os.O_WRONLY | os.O_APPEND | os.O_CREAT, 0o600)
    for stream in (1, 2):
        os.dup2(output, stream)
    sys.path.insert(0, str(functions))
    pause = time.sleep
    time.sleep = lambda seconds: pause(min(seconds, LONGEST_PAUSE_S))
    sys.exit(importlib.import_module("operate.cli").main(arguments))


class CommandProcess:
    """One command of the operator, in a process of its own."""

    def __init__(self, arguments: Sequence[str], env: Mapping[str, str], functions: Path, log: Path) -> None:
        self._process = _FORKS.Process(
            target=serve_command, args=(arguments, {**_base(), **env}, functions, log), daemon=True
        )
        self._process.start()

    def wait(self, timeout_s: float) -> int:
        """Its exit status; negative if it was killed."""
        self._process.join(timeout_s)
        if self._process.exitcode is None:
            self.kill()
            self._process.join(10)
        return self._process.exitcode or 0

    def kill(self) -> None:
        """SIGKILL: nothing of the process's own runs any more."""
        if self._process.pid is not None:
            with suppress(ProcessLookupError):
                os.kill(self._process.pid, signal.SIGKILL)


class WorkerProcess:
    """One execution environment of a function."""

    def __init__(
        self,
        env: Mapping[str, str],
        functions: Path,
        log: Path,
        handler: str = "archive_queued",
        limits: Mapping[int, int] | None = None,
    ) -> None:
        self._calls, theirs = _FORKS.Pipe()
        self._process = _FORKS.Process(
            target=serve, args=(theirs, {**_base(), **env}, functions, handler, log, limits or {}), daemon=True
        )
        self._process.start()
        theirs.close()
        self._is_ready = False
        self.timed_out = False

    def invoke(self, event: object, seconds: float = 300) -> Any:
        """Call the handler. Raises CrashedError if the process ends, or is killed because its time is used up."""
        if not self._is_ready:
            if self._receive(START_TIMEOUT_S) != "ready":
                raise CrashedError("did not start")
            self._is_ready = True
        try:
            self._calls.send((event, seconds))
        except ConnectionError as error:
            raise CrashedError("the process ended before") from error
        kind, answer = self._receive(seconds + 0.5)
        if kind == "error":
            raise RuntimeError(answer)
        return answer

    def _receive(self, timeout_s: float) -> Any:
        try:
            if not self._calls.poll(timeout_s):
                self.timed_out = True
                self.kill()
                raise CrashedError(f"no answer in {timeout_s:.1f} s")
            return self._calls.recv()
        except (EOFError, ConnectionError) as error:
            self.kill()
            raise CrashedError("the process ended") from error

    @property
    def is_alive(self) -> bool:
        return self._process.is_alive()

    def memory_mib(self, field: str) -> int:
        """A figure of Linux: ``VmRSS`` is the memory now, ``VmHWM`` the most so far."""
        lines = Path(f"/proc/{self._process.pid}/status").read_text().splitlines()
        return int(next(line.split()[1] for line in lines if line.startswith(f"{field}:"))) // 1024

    def forget_peak(self) -> None:
        """Count the peak of memory from now on."""
        Path(f"/proc/{self._process.pid}/clear_refs").write_text("5")

    def kill(self) -> None:
        """SIGKILL: nothing of the process's own runs any more."""
        if self._process.pid is not None:
            with suppress(ProcessLookupError):
                os.kill(self._process.pid, signal.SIGKILL)

    def stop(self) -> None:
        self.kill()
        self._process.join(10)
        self._calls.close()


def _base() -> dict[str, str]:
    return {name: os.environ[name] for name in ("PATH", "HOME", "LANG", "TMPDIR") if name in os.environ}
