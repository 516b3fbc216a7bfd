"""Runs one command, and ends its whole process group as soon as the process that started it is gone.

Started by `local.process` as the first process of a new session, with a pipe as its standard input. The kernel closes
that pipe when the starter ends, however it ends (even by SIGKILL), so that nothing of the local stack is left behind.
SIGKILL is right for the group: emulator, simulator and builds keep nothing that a clean shutdown would save.
May not import anything outside the standard library: it runs isolated, before any virtual environment counts.
"""

import os
import signal
import subprocess
import sys
import threading


def _end_group_with_starter() -> None:
    while os.read(0, 1):
        pass
    os.killpg(os.getpgrp(), signal.SIGKILL)


def main(command: list[str]) -> int:
    """Returns the command's exit status. Does not return if the starter ends first."""
    child = subprocess.Popen(command, stdin=subprocess.DEVNULL)
    threading.Thread(target=_end_group_with_starter, daemon=True).start()
    return child.wait()


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
