"""A server between a client and an emulator that changes one thing on the way."""

import http.client
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from urllib.parse import urlsplit

Headers = dict[str, str]


@contextmanager
def meddling(
    upstream: str,
    request: Callable[[str, str, Headers], None] = lambda method, path, headers: None,
    answer: Callable[[str, str, Headers], None] = lambda method, path, headers: None,
) -> Iterator[str]:
    """The address of the server. Both functions change headers in place; their names are in lower case."""

    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def forward(self) -> None:
            sent = {name.lower(): text for name, text in self.headers.items() if name.lower() != "expect"}
            body = self.rfile.read(int(sent.get("content-length", 0)))
            request(self.command, self.path, sent)
            connection = http.client.HTTPConnection(urlsplit(upstream).netloc, timeout=10)
            connection.request(self.command, self.path, body, sent)
            received = connection.getresponse()
            content = received.read()
            headers = {name.lower(): text for name, text in received.getheaders()}
            connection.close()
            answer(self.command, self.path, headers)
            left_out = ("connection", "transfer-encoding", "date", "server")
            if self.command != "HEAD":
                headers["content-length"] = str(len(content))
            self.send_response(received.status)
            for name, text in headers.items():
                if name not in left_out:
                    self.send_header(name, text)
            self.end_headers()
            if self.command != "HEAD":
                self.wfile.write(content)

        do_GET = do_PUT = do_HEAD = do_POST = do_DELETE = forward  # noqa: N815 - the library's names

        def log_message(self, *_: object) -> None:
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    server.daemon_threads = True
    threading.Thread(target=server.serve_forever, daemon=True).start()
    yield f"http://127.0.0.1:{server.server_port}"
    server.shutdown()
    server.server_close()
