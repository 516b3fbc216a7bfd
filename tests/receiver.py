"""A server that receives webhooks and keeps them."""

import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

PATIENCE_S = 180


@dataclass(frozen=True)
class Received:
    """One call: path with query, headers, body."""

    path: str
    headers: dict[str, str]
    body: bytes


@dataclass
class Receiver:
    """The receiver's address, its answer, and the calls that it got."""

    url: str
    status: int = 202
    delay_s: float = 0
    calls: list[Received] = field(default_factory=list)

    def wait_for(self, count: int) -> list[Received]:
        """The calls, once there are so many."""
        until(lambda: len(self.calls) >= count)
        return self.calls


def until(condition: Callable[[], Any]) -> Any:
    """Poll the outside world."""
    end = time.monotonic() + PATIENCE_S
    while time.monotonic() < end:
        if found := condition():
            return found
        time.sleep(0.02)
    raise AssertionError("not within the time that anything may take")


@contextmanager
def receiving(status: int = 202, answer: bytes = b"") -> Iterator[Receiver]:
    """A receiver on a free port of this machine."""

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            body = self.rfile.read(int(self.headers.get("Content-Length") or 0))
            time.sleep(receiver.delay_s)
            receiver.calls.append(Received(self.path, dict(self.headers.items()), body))
            self.send_response(receiver.status)
            self.send_header("Content-Length", str(len(answer)))
            self.end_headers()
            self.wfile.write(answer)

        def log_message(self, *arguments: object) -> None:
            """Nothing is printed."""

    with ThreadingHTTPServer(("127.0.0.1", 0), Handler) as server:
        server.daemon_threads = True
        receiver = Receiver(f"http://127.0.0.1:{server.server_address[1]}/webhooks/bigin", status)
        threading.Thread(target=server.serve_forever, args=(0.05,), daemon=True).start()
        yield receiver
        server.shutdown()
