"""`python -m local up` and `python -m local demo`: what `make up` and `make demo` run."""

from __future__ import annotations

import argparse
import contextlib
import os
import signal
import sys
import time
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path

from rich.console import Console

from local.demo import Demo
from local.package import PROJECT
from local.process import LocalStackError
from local.proof import prove
from local.report import show_files, show_how_to_use, show_probes, show_summary
from local.settings import Bigin, SettingsError
from local.stack import CORE, LocalStack

CHECK_INTERVAL_S = 1.0
LOG_WIDTH = 170  # columns, if the output does not go to a terminal: room for whole checksums
TERMINAL = Console(highlight=False, width=None if sys.stdout.isatty() else LOG_WIDTH)
ERRORS = Console(stderr=True, highlight=False)


def main() -> int:
    """Exit status: 0 fine, 1 it did not work, 2 wrong usage."""
    parser = argparse.ArgumentParser(prog="python -m local", description="The local stack.")
    parser.add_argument("command", choices=["up", "demo"])
    command = parser.parse_args().command
    signal.signal(signal.SIGTERM, signal.default_int_handler)  # SIGTERM ends it as cleanly as Ctrl-C
    try:
        directory = Path(os.environ.get("LOCAL_STACK_DIR") or PROJECT / ".local")
        bigin = Bigin.from_env(os.environ)
        return _up(directory, bigin) if command == "up" else _demo(directory, bigin)
    except SettingsError as error:
        ERRORS.print(str(error), style="red", markup=False, soft_wrap=True)
        return 2
    except LocalStackError as error:
        ERRORS.print(str(error), style="red", markup=False, soft_wrap=True)
        return 1
    except KeyboardInterrupt:
        TERMINAL.print("Stopped.")
        return 0 if command == "up" else 130


def _up(directory: Path, bigin: Bigin | None) -> int:
    starter = os.getppid()
    with _start(directory, bigin) as stack:
        show_how_to_use(TERMINAL, stack)
        while os.getppid() == starter:  # if make itself was killed, nobody can press Ctrl-C
            stack.check()
            stack.copy_function_logs()
            time.sleep(CHECK_INTERVAL_S)
    return 0


def _demo(directory: Path, bigin: Bigin | None) -> int:
    with _start(directory, bigin, CORE) as stack:
        demo = Demo(stack)
        with _doing("Looking for attachments in Bigin"):
            demo.discover()
        TERMINAL.print(f"Found {len(demo.files)} attachments in Bigin ({stack.description['bigin_api_url']}).")
        with _doing("Archiving by the API and by the queue"):
            demo.archive()
        with _doing("Comparing every byte in S3 with Bigin's"):
            demo.compare()
        proof = None
        if bigin is None:  # a demo does not archive the whole account of another Bigin
            with _doing("Sweeping the whole account, and auditing the archive"):
                proof = prove(stack, directory / "audit.html")
        show_files(TERMINAL, demo.files)
        show_probes(TERMINAL, demo.probes)
        show_summary(TERMINAL, demo.files, proof, stack)
        return 0 if demo.good and (proof is None or proof.good) else 1


@contextlib.contextmanager
def _doing(what: str) -> Iterator[Callable[[str], None]]:
    """Show a spinner on a terminal, else print a line. The yielded function takes the next step of the same work."""
    if not TERMINAL.is_terminal:
        print(f"{what} ...", flush=True)
        yield lambda step: print(f"{step} ...", flush=True)
        return
    with TERMINAL.status(what) as status:
        yield status.update


@contextlib.contextmanager
def _start(directory: Path, bigin: Bigin | None, parameters: Mapping[str, str] | None = None) -> Iterator[LocalStack]:
    """Start the stack; print how long that took, and whether it is connected."""
    begin = time.monotonic()
    with contextlib.ExitStack() as closing:
        with _doing("Starting the AWS emulator and Bigin") as tell:
            stack = closing.enter_context(LocalStack(directory, bigin, parameters, tell))
        TERMINAL.print(f"The local stack runs after {time.monotonic() - begin:.0f} s.")
        if stack.notice:
            TERMINAL.print(stack.notice, style="yellow", markup=False, soft_wrap=True)
        yield stack


if __name__ == "__main__":
    sys.exit(main())
