"""S3, SQS and EventBridge as far as the announcer calls them, on one port of this machine; they fail when told to.

The emulator takes every event, so a server of our own answers what fails in part.
"""

import base64
import json
import threading
import time
import uuid
from collections import Counter
from email.utils import format_datetime
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from random import Random
from types import TracebackType
from typing import Any, Self
from urllib.parse import parse_qs, quote, unquote, urlsplit

from bigin_archive import clock

BUCKET, PREFIX = "archive", "bigin/"
LATE_S = 0.4  # later than the announcer waits in this suite
MOST_LATE = 20  # each takes its time
NOTHING_LISTED = b'<?xml version="1.0"?><ListVersionsResult><Name>archive</Name></ListVersionsResult>'
STORED_AT = "2026-01-31T09:30:00.000+00:00"
HASH = bytes(range(32))


class EventServers:
    """What S3 holds, what S3 has reported, and what the bus has taken."""

    def __init__(self, random: Random) -> None:
        self._random = random
        self._lock = threading.Lock()
        self._metadata: dict[str, tuple[str, dict[str, str]]] = {}  # version by key, and its metadata
        self.expected: set[str] = set()
        self.heard: list[dict[str, Any]] = []
        self.faults: Counter[str] = Counter()
        self.calls = 0
        self.url = ""

    def __enter__(self) -> Self:
        servers = self

        class Handler(_Handler):
            state = servers

        self._server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self._server.daemon_threads = True
        self.url = f"http://127.0.0.1:{self._server.server_address[1]}"
        threading.Thread(target=self._server.serve_forever, args=(0.05,), daemon=True).start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._server.shutdown()
        self._server.server_close()

    def store(self, count: int) -> list[str]:
        """Store so many files, and some that must not be announced; return S3's events, shuffled, some of them twice.

        One file in 50 is a stranger's, and one in 50 is deleted for good before anybody looks.
        """
        told: list[str] = []
        for number in range(count):
            key, version_id = f"{PREFIX}Contacts/{number // 5}/{number}/Müller {number}.pdf", f"v{number}"
            chance = self._random.random()
            metadata = {
                "bigin-module": "Contacts",
                "bigin-record-id": str(number // 5),
                "bigin-attachment-id": str(number),
            }
            if chance > 0.02:
                self._metadata[key] = (version_id, metadata if chance > 0.04 else {})
            if chance > 0.04:
                self.expected.add(f"{key}/{version_id}")
            for _ in range(2 if self._random.random() < 0.1 else 1):
                told.append(self._told(key, version_id if self._random.random() < 0.9 else None))
        return told

    def _told(self, key: str, version_id: str | None) -> str:
        stored = {"key": key, "size": 5} | ({"version-id": version_id} if version_id else {})
        detail = {"bucket": {"name": BUCKET}, "object": stored, "reason": "PutObject"}
        return json.dumps({"source": "aws.s3", "detail-type": "Object Created", "detail": detail})

    def version(self, key: str, version_id: str | None) -> tuple[str, dict[str, str]] | None:
        found = self._metadata.get(key)
        return found if found and version_id in (None, found[0]) else None

    def choose(self, *chances: tuple[str, float]) -> str:
        """Choose one of the faults by its chance, or none."""
        with self._lock:
            self.calls += 1
            number = self._random.random()
            for name, chance in chances:
                if number < chance and not (name.endswith("late") and self.faults[name] >= MOST_LATE):
                    self.faults[name] += 1
                    return name
                number -= chance
        return ""

    def take(self, entries: list[dict[str, str]], mode: str) -> dict[str, Any]:
        """Put entries on the bus, all, some or none, as ``mode`` says. Returns EventBridge's answer."""
        told: list[dict[str, str]] = []
        with self._lock:
            for entry in entries:
                if mode == "bus: all fail" or (mode == "bus: some fail" and self._random.random() < 0.5):
                    told.append({"ErrorCode": "ThrottlingException", "ErrorMessage": "Slow down"})
                    continue
                told.append({"EventId": str(uuid.uuid4())})
                event = {"source": entry["Source"], "detail-type": entry["DetailType"]}
                self.heard.append({**event, "detail": json.loads(entry["Detail"])})
        return {"FailedEntryCount": sum("ErrorCode" in one for one in told), "Entries": told}


class _Handler(BaseHTTPRequestHandler):
    state: EventServers
    protocol_version = "HTTP/1.1"
    disable_nagle_algorithm = True  # headers and body are two writes: each answer would wait for an acknowledgement

    def do_HEAD(self) -> None:
        url = urlsplit(self.path)
        key = unquote(url.path).removeprefix(f"/{BUCKET}/")
        fault = self.state.choose(("s3: 503", 0.02), ("s3: cut", 0.01), ("s3: 400", 0.005))
        if fault == "s3: cut":
            self.close_connection = True
            return
        if fault == "s3: 503":
            self._answer(503)
            return
        found = self.state.version(key, (parse_qs(url.query).get("versionId") or [None])[0])
        if found is None:
            self._answer(self.state._random.choice((403, 404)))
            return
        version_id, metadata = found
        if fault == "s3: 400" and metadata:  # KMS throttles; a HeadObject says no more
            self._answer(400)
            return
        self._answer(
            200,
            headers={
                "Content-Length": "5",
                "Content-Type": "application/pdf",
                "Last-Modified": format_datetime(clock.parse(STORED_AT), usegmt=True),  # type: ignore[arg-type]
                "x-amz-version-id": version_id,
                "x-amz-checksum-sha256": base64.b64encode(HASH).decode(),
                **{f"x-amz-meta-{name}": text for name, text in metadata.items()},
            },
        )

    def do_GET(self) -> None:
        """Answer ListObjectVersions, which is asked when a HeadObject was refused."""
        key = (parse_qs(urlsplit(self.path).query).get("prefix") or [""])[0]
        found = self.state.version(key, None)
        if found is None:
            self._answer(200, NOTHING_LISTED)
            return
        version = (
            f"<Version><Key>{quote(key)}</Key><VersionId>{found[0]}</VersionId><IsLatest>true</IsLatest></Version>"
        )
        head = "<ListVersionsResult><Name>archive</Name><EncodingType>url</EncodingType>"
        self._answer(200, f'<?xml version="1.0"?>{head}{version}</ListVersionsResult>'.encode())

    def do_POST(self) -> None:
        body = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
        if self.headers["X-Amz-Target"].endswith("ChangeMessageVisibility"):
            fault = self.state.choose(("sqs: 500", 0.02))
            self._answer(500 if fault else 200, b"{}")
            return
        fault = self.state.choose(
            ("bus: some fail", 0.15),
            ("bus: all fail", 0.1),
            ("bus: 500", 0.05),
            ("bus: 400", 0.02),
            ("bus: cut before", 0.03),
            ("bus: answer lost", 0.05),
            ("bus: answer late", 0.02),
        )
        if fault == "bus: cut before":
            self.close_connection = True
            return
        if fault in ("bus: 500", "bus: 400"):
            self._answer(int(fault[-3:]), b'{"__type": "ThrottlingException"}')
            return
        answer = json.dumps(self.state.take(body["Entries"], fault)).encode()
        if fault == "bus: answer lost":
            self.close_connection = True
            return
        if fault == "bus: answer late":
            time.sleep(LATE_S)
        self._answer(200, answer)

    def _answer(self, status: int, body: bytes = b"", headers: dict[str, str] | None = None) -> None:
        try:
            self.send_response(status)
            for name, value in {"Content-Length": str(len(body)), **(headers or {})}.items():
                self.send_header(name, value)
            self.end_headers()
            if self.command != "HEAD":
                self.wfile.write(body)
        except OSError:  # who asked does not wait any longer
            self.close_connection = True

    def log_message(self, *arguments: object) -> None:
        """Print nothing."""
