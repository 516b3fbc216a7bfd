"""Two small TLS servers that are faster than any client measured here: Bigin's download, and an S3 that keeps nothing.

One thread for each connection; OpenSSL works without Python's lock. The sink parses what clients send as far as it must
in order to count the bytes (HTTP chunks, aws-chunked frames, the checksum behind them), and verifies nothing.
As a program: ``python -m tests.bench.servers upstream|sink|plain PORT CERTIFICATE KEY``; ``plain`` is the upstream
without TLS, for functions, which know no other certificate authorities for Bigin than the system's.
"""

import contextlib
import hashlib
import io
import json
import re
import socket
import ssl
import sys
import threading
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any
from urllib.parse import parse_qs, urlsplit

from tests.bench.content import MIB, File

if TYPE_CHECKING:
    Reader = io.BufferedReader[Any]

PIECE_BYTES = 64 * 1024  # of a paced body
TOKEN = "bench-access-token"
WEBHOOK_SECRET = "bench-webhook-secret"
ETAG = '"00000000000000000000000000000000-1"'  # of the form that no client takes for the MD5 of the bytes


@dataclass(frozen=True, slots=True)
class Head:
    """The first line and the headers (names in lower case) of a request."""

    method: str
    target: str
    headers: Mapping[str, str]


class Connection:
    """One client, request after request."""

    def __init__(
        self, plain: socket.socket, context: ssl.SSLContext | None, serve: "Callable[[Connection, Head], None]"
    ) -> None:
        self._plain, self._context, self._serve = plain, context, serve

    def run(self) -> None:
        with contextlib.suppress(OSError), self._plain as plain:
            plain.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            with self._context.wrap_socket(plain, server_side=True) if self._context else plain as self.socket:
                self.reader: Reader = io.BufferedReader(_Receiver(self.socket), 256 * 1024)
                while head := self._head():
                    self._serve(self, head)

    def _head(self) -> Head | None:
        first = self.reader.readline().decode("latin-1").split()
        if len(first) < 2:
            return None
        headers = {}
        while (line := self.reader.readline()) not in (b"\r\n", b""):
            name, _, value = line.decode("latin-1").partition(":")
            headers[name.lower()] = value.strip()
        return Head(first[0], first[1], headers)

    def answer(self, status: int, body: bytes = b"", headers: Mapping[str, str] | None = None) -> None:
        lines = [f"HTTP/1.1 {status} .", f"Content-Length: {len(body)}"]
        lines += [f"{name}: {value}" for name, value in (headers or {}).items()]
        self.socket.sendall("\r\n".join([*lines, "", ""]).encode() + body)


class _Receiver(io.RawIOBase):
    def __init__(self, tls: socket.socket) -> None:
        self._tls = tls

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: Any) -> int:
        return self._tls.recv_into(buffer)


def upstream(connection: Connection, head: Head) -> None:
    """Bigin's download, and Zoho's token."""
    if head.target == "/oauth/v2/token":
        connection.reader.read(int(head.headers["content-length"]))
        answer = {"access_token": TOKEN, "expires_in": 3600, "api_domain": f"https://{head.headers['host']}"}
        connection.answer(200, json.dumps(answer).encode(), headers={"Content-Type": "application/json"})
        return
    file = File.from_path(head.target)
    started = time.monotonic()
    if file.delay_ms:
        time.sleep(file.delay_ms / 1000)
    header = (
        f"HTTP/1.1 200 OK\r\nContent-Type: application/octet-stream;charset=UTF-8\r\n"
        f"Content-Length: {file.size_bytes}\r\nContent-Disposition: attachment;filename={file.name}\r\n\r\n"
    ).encode()
    if head.method == "HEAD":
        connection.socket.sendall(header)
    elif file.size_bytes <= MIB and not file.rate_kb_s:
        connection.socket.sendall(b"".join([header, *file.pieces()]))
    else:
        connection.socket.sendall(header)
        _send(connection.socket, file, started + file.delay_ms / 1000)


def _send(tls: socket.socket, file: File, started: float) -> None:
    sent = 0
    for piece in file.pieces(PIECE_BYTES if file.rate_kb_s else MIB):
        sent += len(piece)
        if file.rate_kb_s:
            # A piece is sent when a link of this speed would have delivered it.
            ahead_s = started + sent / (file.rate_kb_s * 1000) - time.monotonic()
            if ahead_s > 0:
                time.sleep(ahead_s)
        tls.sendall(piece)


class Sink:
    """S3's answers to what the clients ask, and those of Secrets Manager and SQS to our handlers."""

    def __init__(self) -> None:
        self._stored: dict[str, tuple[int, str | None]] = {}
        self._parts: dict[str, int] = {}
        self._lock = threading.Lock()
        self._scratch = threading.local()

    def serve(self, connection: Connection, head: Head) -> None:
        url = urlsplit(head.target)
        query = parse_qs(url.query, keep_blank_values=True)
        if "x-amz-target" in head.headers:
            self._service(connection, head)
        elif head.method == "PUT":
            self._put(connection, head, url.path, query)
        elif head.method == "POST":
            self._post(connection, head, url.path, query)
        elif head.method == "GET" and "list-type" in query:
            connection.answer(200, b"<ListBucketResult><KeyCount>0</KeyCount></ListBucketResult>")
        elif head.method == "HEAD" and url.path in self._stored:
            self._head(connection, url.path)
        else:
            connection.answer(404)

    def _put(self, connection: Connection, head: Head, path: str, query: Mapping[str, list[str]]) -> None:
        if "expect" in head.headers:
            connection.socket.sendall(b"HTTP/1.1 100 Continue\r\n\r\n")
        size, trailer = self._drain(connection.reader, head.headers)
        declared = head.headers.get("x-amz-decoded-content-length") or head.headers.get("content-length")
        if declared is not None and size != int(declared):
            connection.answer(400, b"<Error><Code>IncompleteBody</Code></Error>")
            return
        sums = {**head.headers, **trailer}
        known = {name: value for name, value in sums.items() if re.fullmatch("x-amz-checksum-(sha256|crc32)", name)}
        with self._lock:
            if "partNumber" in query:
                self._parts[path] = self._parts.get(path, 0) + size
            else:
                self._stored[path] = (size, known.get("x-amz-checksum-sha256"))
        connection.answer(200, headers={"ETag": ETAG, **known})

    def _drain(self, reader: "Reader", headers: Mapping[str, str]) -> tuple[int, dict[str, str]]:
        if headers.get("transfer-encoding", "").lower() == "chunked":
            reader = io.BufferedReader(_Chunks(reader), 256 * 1024)
        elif "content-length" in headers:
            reader = io.BufferedReader(_Limited(reader, int(headers["content-length"])), 256 * 1024)
        else:
            return 0, {}
        if "aws-chunked" not in headers.get("content-encoding", ""):
            return self._skip(reader, sys.maxsize), {}
        size = 0
        while length := int(reader.readline().partition(b";")[0].strip() or b"0", 16):
            size += self._skip(reader, length)
            reader.readline()
        trailer = {}
        for line in reader.read().decode().splitlines():
            name, _, value = line.partition(":")
            trailer[name.lower()] = value.strip()
        return size, trailer

    def _skip(self, reader: "Reader", limit: int) -> int:
        if not hasattr(self._scratch, "view"):
            self._scratch.view = memoryview(bytearray(MIB))
        done = 0
        while done < limit and (count := reader.readinto(self._scratch.view[: limit - done])):
            done += count
        return done

    def _post(self, connection: Connection, head: Head, path: str, query: Mapping[str, list[str]]) -> None:
        self._drain(connection.reader, head.headers)
        if "uploads" in query:
            connection.answer(
                200,
                b"<InitiateMultipartUploadResult><UploadId>1</UploadId></InitiateMultipartUploadResult>",
            )
        else:
            with self._lock:
                self._stored[path] = (self._parts.pop(path, 0), None)
            connection.answer(200, b"<CompleteMultipartUploadResult><ETag>e</ETag></CompleteMultipartUploadResult>")

    def _head(self, connection: Connection, path: str) -> None:
        size, sha256 = self._stored[path]
        more = f"x-amz-checksum-sha256: {sha256}\r\n" if sha256 else ""
        connection.socket.sendall(
            f"HTTP/1.1 200 OK\r\nContent-Length: {size}\r\nETag: {ETAG}\r\n"
            f"Last-Modified: Thu, 01 Jan 2026 00:00:00 GMT\r\n{more}\r\n".encode()
        )

    def _service(self, connection: Connection, head: Head) -> None:
        asked = json.loads(connection.reader.read(int(head.headers["content-length"])))
        operation = head.headers["x-amz-target"].partition(".")[2]
        if operation == "GetSecretValue":
            secret = {
                "access_token": TOKEN, "webhook_secret": WEBHOOK_SECRET,
                "client_id": "id", "client_secret": "secret", "refresh_token": "refresh",
            }  # fmt: skip
            said: dict[str, object] = {"ARN": "arn", "Name": "name", "SecretString": json.dumps(secret)}
        elif operation == "SendMessageBatch":
            entries = asked["Entries"]
            md5 = [hashlib.md5(entry["MessageBody"].encode()).hexdigest() for entry in entries]
            said = {
                "Successful": [
                    {"Id": entry["Id"], "MessageId": entry["Id"], "MD5OfMessageBody": digest}
                    for entry, digest in zip(entries, md5, strict=True)
                ],
                "Failed": [],
            }
        else:
            said = {}
        connection.answer(200, json.dumps(said).encode(), headers={"Content-Type": "application/x-amz-json-1.1"})


class _Chunks(io.RawIOBase):
    """The payload of HTTP chunks (RFC 9112, 7.1)."""

    def __init__(self, reader: "Reader") -> None:
        self._reader = reader
        self._left: int | None = None

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: object) -> int:
        if self._left is None:
            self._left = self._next()
        if self._left == 0:
            return 0
        view = memoryview(buffer)[: self._left]  # type: ignore[arg-type]
        count = self._reader.readinto(view)
        self._left -= count
        if self._left == 0:
            self._reader.readline()
            self._left = self._next()
        return count

    def _next(self) -> int:
        length = int(self._reader.readline().partition(b";")[0].strip() or b"0", 16)
        if length == 0:
            while self._reader.readline() not in (b"\r\n", b""):
                pass
        return length


class _Limited(io.RawIOBase):
    def __init__(self, reader: "Reader", limit: int) -> None:
        self._reader, self._left = reader, limit

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: object) -> int:
        if not self._left:
            return 0
        count = self._reader.readinto(memoryview(buffer)[: self._left])  # type: ignore[arg-type]
        self._left -= count
        return count


def main(role: str, port: str, certificate: str, key: str) -> None:
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(certificate, key)
    serve = Sink().serve if role == "sink" else upstream
    with socket.create_server(("127.0.0.1", int(port)), backlog=128) as listener:
        while True:
            client, _ = listener.accept()
            connection = Connection(client, None if role == "plain" else context, serve)
            threading.Thread(target=connection.run, daemon=True).start()


if __name__ == "__main__":
    main(*sys.argv[1:])
