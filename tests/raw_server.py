"""A server that sends given bytes and ends connections as a script says."""

import socket
import struct
import threading
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field

# What a server does with one request: bytes to send; then, with RESET or CLOSE, the end of the connection.
RESET, CLOSE = object(), object()
Step = bytes | object


@dataclass
class Server:
    """Plays one script for each connection, one step for each request; keeps the heads that arrived."""

    port: int = 0
    heads: list[bytes] = field(default_factory=list)
    connections: int = 0

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}"


@contextmanager
def serving(*scripts: Sequence[Step]) -> Iterator[Server]:
    """Connections beyond the scripts play the last one."""
    server = Server()
    with socket.create_server(("127.0.0.1", 0)) as listening:
        server.port = listening.getsockname()[1]

        def serve() -> None:
            while True:
                try:
                    connection, _ = listening.accept()
                except OSError:
                    return
                script = scripts[min(server.connections, len(scripts) - 1)]
                server.connections += 1
                threading.Thread(target=play, args=(server, connection, script), daemon=True).start()

        threading.Thread(target=serve, daemon=True).start()
        yield server


def play(server: Server, connection: socket.socket, script: Sequence[Step]) -> None:
    with connection, suppress(OSError):
        received = b""
        for step in script:
            if step is CLOSE:
                return
            while b"\r\n\r\n" not in received:
                block = connection.recv(65536)
                if not block:
                    return
                received += block
            head, _, received = received.partition(b"\r\n\r\n")
            server.heads.append(head)
            if step is RESET:
                connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
                return
            assert isinstance(step, bytes)
            connection.sendall(step)
        connection.recv(1)
