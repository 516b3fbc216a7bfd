"""Start the simulator: `python -m local.bigin --port 0`.

It prints one line of JSON with its address once it listens, and ends at once on SIGTERM.
"""

import argparse
import asyncio
import json
import os
import signal
import sys
from pathlib import Path

from aiohttp import web

from .server import HOST, application, listen
from .settings import DEFAULT_TOKEN_LIFETIME_S
from .state import State


def main() -> None:
    """Read the command line and serve until told to stop."""
    parser = argparse.ArgumentParser(prog="python -m local.bigin", description=__doc__)
    parser.add_argument("--port", type=int, default=0, help="0 takes any free port")
    parser.add_argument("--token-lifetime-s", type=float, default=DEFAULT_TOKEN_LIFETIME_S)
    parser.add_argument("--access-token", default="simulator-access-token")
    parser.add_argument("--ready-file", type=Path, help="also written with the address")
    parser.add_argument("--callback-ca", type=Path, help="PEM that verifies who is notified; default: the system's")
    options = parser.parse_args()
    state = State(options.access_token, options.token_lifetime_s, options.callback_ca)
    asyncio.run(serve(state, options.port, options.ready_file))


async def serve(state: State, port: int, ready_file: Path | None) -> None:
    """Serve until SIGTERM or SIGINT, then end the process without waiting for open calls."""
    listener = listen(port)
    url = f"http://{HOST}:{listener.getsockname()[1]}"
    # Cancelling frees a call's slot when its client has gone.
    runner = web.AppRunner(application(state, url), access_log=None, handler_cancellation=True)
    await runner.setup()
    await web.SockSite(runner, listener).start()
    for number in (signal.SIGTERM, signal.SIGINT):
        asyncio.get_running_loop().add_signal_handler(number, os._exit, 0)
    _announce(url, ready_file)
    await asyncio.Event().wait()


def _announce(url: str, ready_file: Path | None) -> None:
    line = json.dumps({"url": url})
    sys.stdout.write(line + "\n")
    sys.stdout.flush()
    if ready_file is not None:
        partial = ready_file.with_name(ready_file.name + ".partial")
        partial.write_text(line + "\n")
        partial.replace(ready_file)  # so that a reader never sees half a line


if __name__ == "__main__":
    main()
