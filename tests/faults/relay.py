"""A fault-injecting relay between a worker and one server that it calls: HTTP or HTTPS, on loopback.

It runs in a thread of the driver's process, so that faults are set by plain calls, and so that the worker's process
can be killed at the very moment when a request arrives or an answer has been passed on.
"""

import asyncio
import hashlib
import socket
import ssl
import struct
import threading
from collections import Counter
from collections.abc import Callable, Sequence
from contextlib import aclosing, suppress
from dataclasses import dataclass, field
from typing import Literal, Self
from urllib.parse import urlsplit

from tests.faults.http_messages import HEAD_BYTES, Head, body, read_head

HOST = "127.0.0.1"
CHUNK_HEAD_BYTES = 100
Phase = Literal["arrived", "midway", "committed", "answered"]
PHASES: tuple[Phase, ...] = ("arrived", "midway", "committed", "answered")


@dataclass(frozen=True, slots=True)
class Reply:
    """An answer of our own, which the server never sees; ``early`` sends it before the request's body was read."""

    status: int
    body: bytes = b""
    headers: tuple[tuple[str, str], ...] = ()
    early: bool = False


@dataclass(frozen=True, slots=True)
class Script:
    """Raw bytes and pauses in seconds as the answer, and then the end of the connection."""

    steps: Sequence[bytes | float]
    reset: bool = False


@dataclass(frozen=True, slots=True)
class BreakRequest:
    """Reset both connections after so many bytes of the request's body."""

    after_bytes: int


@dataclass(frozen=True, slots=True)
class CorruptRequest:
    """Flip one bit of the request's body on its way."""


@dataclass(frozen=True, slots=True)
class LoseAnswer:
    """Let the server do what it was asked, and lose its answer with the connection after so many bytes."""

    after_bytes: int = 0


@dataclass(frozen=True, slots=True)
class Wait:
    """Wait so many seconds before the request is passed on."""

    seconds: float


@dataclass(frozen=True, slots=True)
class Kill:
    """Kill the worker's process: when the request has arrived, in the middle of the larger body, when the server has
    answered, or when the answer was passed on.
    """

    phase: Phase


@dataclass(frozen=True, slots=True)
class Do:
    """Do something before the request is passed on."""

    action: Callable[[], None]


Fault = Reply | Script | BreakRequest | CorruptRequest | LoseAnswer | Wait | Kill | Do


@dataclass(slots=True)
class Rule:
    """One fault and the calls that it strikes. ``times`` None means all of them; ``needle`` is part of the target."""

    fault: Fault
    call: str
    times: int | None = 1
    skip: int = 0
    needle: str = ""
    fraction: float | None = None
    seed: int = 0
    fired: int = 0
    matched: int = 0
    seen: Counter[str] = field(default_factory=Counter)

    def strikes(self, call: str, target: str) -> bool:
        if not call.startswith(self.call) or self.needle not in target:
            return False
        self.matched += 1
        self.seen[target] += 1
        if self.matched <= self.skip or (self.times is not None and self.fired >= self.times):
            return False
        if self.fraction is not None:
            draw = hashlib.sha256(f"{self.seed}:{call}:{target}:{self.seen[target]}".encode()).digest()
            if int.from_bytes(draw[:8], "big") / 2**64 >= self.fraction:
                return False
        self.fired += 1
        return True


class Relay:
    """A listening relay. ``classify`` names each call, and rules name calls by the beginning of that name."""

    def __init__(
        self,
        upstream: str,
        classify: Callable[[Head], str],
        *,
        server_tls: ssl.SSLContext | None = None,
        client_tls: ssl.SSLContext | None = None,
    ) -> None:
        parts = urlsplit(upstream)
        self._upstream = (parts.hostname or HOST, parts.port or 80)
        self._classify = classify
        self._server_tls, self._client_tls = server_tls, client_tls
        self._lock = threading.Lock()
        self._rules: list[Rule] = []
        self._server: asyncio.Server | None = None
        self._tasks: set[asyncio.Task[None] | None] = set()
        self._loop = asyncio.new_event_loop()
        self._thread = threading.Thread(target=self._loop.run_forever, name="relay", daemon=True)
        self.counts: Counter[str] = Counter()
        self.bodies: list[tuple[str, bytes]] = []
        self.on_kill: Callable[[], None] = lambda: None
        self.url = ""

    @classmethod
    def start(
        cls,
        upstream: str,
        classify: Callable[[Head], str],
        *,
        server_tls: ssl.SSLContext | None = None,
        client_tls: ssl.SSLContext | None = None,
    ) -> Self:
        made = cls(upstream, classify, server_tls=server_tls, client_tls=client_tls)
        made._thread.start()
        port = asyncio.run_coroutine_threadsafe(made._listen(), made._loop).result(10)
        made.url = f"{'https' if server_tls else 'http'}://{HOST}:{port}"
        return made

    def stop(self) -> None:
        async def cancel() -> None:
            if self._server is not None:
                self._server.close()
            running = [task for task in asyncio.all_tasks() if task is not asyncio.current_task()]
            for task in running:
                task.cancel()
            await asyncio.gather(*running, return_exceptions=True)

        asyncio.run_coroutine_threadsafe(cancel(), self._loop).result(10)
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join(10)
        self._loop.close()

    def fault(
        self,
        fault: Fault,
        call: str,
        *,
        times: int | None = 1,
        skip: int = 0,
        needle: str = "",
        fraction: float | None = None,
        seed: int = 0,
    ) -> Rule:
        """Add a rule. The first rule that fits a call strikes."""
        rule = Rule(fault, call, times, skip, needle, fraction, seed)
        with self._lock:
            self._rules.append(rule)
        return rule

    def disarm(self) -> None:
        """End the rules that have not struck yet; keep how often each has struck."""
        with self._lock:
            for rule in self._rules:
                rule.times = rule.fired

    def clear(self) -> None:
        """Remove all faults and set the counts to zero."""
        with self._lock:
            self._rules.clear()
        self.counts.clear()
        self.bodies.clear()

    async def _listen(self) -> int:
        self._server = await asyncio.start_server(self._serve, HOST, 0, ssl=self._server_tls, limit=HEAD_BYTES)
        port: int = self._server.sockets[0].getsockname()[1]
        return port

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        exchange = _Connection(self, reader, writer)
        task = asyncio.current_task()
        self._tasks.add(task)  # asyncio itself keeps no task from being collected in the middle of its work
        # A worker that is killed or gives up leaves its connections in any state.
        with suppress(ConnectionError, asyncio.IncompleteReadError, ssl.SSLError, TimeoutError, asyncio.CancelledError):
            while await exchange.next():
                pass
        exchange.close()
        self._tasks.discard(task)

    def strike(self, call: str, target: str) -> Fault | None:
        self.counts[call] += 1
        with self._lock:
            for rule in self._rules:
                if rule.strikes(call, target):
                    return rule.fault
        return None

    def name(self, head: Head) -> str:
        return self._classify(head)

    async def connect(self) -> tuple[asyncio.StreamReader, asyncio.StreamWriter]:
        return await asyncio.open_connection(*self._upstream, ssl=self._client_tls, limit=HEAD_BYTES)


class _Connection:
    """One connection of the worker, and the connection to the server that belongs to it."""

    def __init__(self, relay: Relay, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self._relay = relay
        self._reader, self._writer = reader, writer
        self._server: tuple[asyncio.StreamReader, asyncio.StreamWriter] | None = None
        self._is_corrupt = False

    async def next(self) -> bool:
        """Serve one request; False where the connection is at its end."""
        head = await read_head(self._reader)
        if head is None:
            return False
        self._is_corrupt = False
        call = self._relay.name(head)
        fault = self._relay.strike(call, head.target)
        match fault:
            case Kill("arrived"):
                self._relay.on_kill()
                return self._abort()
            case Reply():
                return await self._reply(head, fault)
            case Script():
                await self._take(head)
                return await self._play(fault)
            case Wait(seconds):
                await asyncio.sleep(seconds)
            case Do(action):
                await asyncio.to_thread(action)
        return await self._pass_on(head, call, fault)

    async def _reply(self, head: Head, reply: Reply) -> bool:
        if not reply.early:
            await self._take(head)
        headers = [*reply.headers, ("Content-Length", str(len(reply.body))), ("Connection", "close")]
        lines = [f"HTTP/1.1 {reply.status} Injected", *(f"{name}: {value}" for name, value in headers)]
        content = b"" if head.start[0] == "HEAD" else reply.body
        self._writer.write("\r\n".join((*lines, "", "")).encode("latin-1") + content)
        await self._writer.drain()
        return False

    async def _play(self, script: Script) -> bool:
        for step in script.steps:
            if isinstance(step, bytes):
                self._writer.write(step)
                await self._writer.drain()
            else:
                await asyncio.sleep(step)
        return self._abort() if script.reset else False

    async def _take(self, head: Head) -> None:
        await self._go_ahead(head)
        async with aclosing(body(self._reader, head, is_answer=False)) as pieces:
            async for _ in pieces:
                pass

    async def _go_ahead(self, head: Head) -> None:
        if head.headers.get("expect", "").lower() == "100-continue":
            self._writer.write(b"HTTP/1.1 100 Continue\r\n\r\n")
            await self._writer.drain()

    async def _pass_on(self, head: Head, call: str, fault: Fault | None) -> bool:
        await self._go_ahead(head)
        # The server ends connections that nobody has used for a while; its client would have seen that.
        if self._server is None or self._server[0].at_eof():
            self._server = await self._relay.connect()
        server_reader, server_writer = self._server
        server_writer.write(head.without("expect"))
        if not await self._send(head, call, fault, server_writer):
            return False
        answer = await read_head(server_reader)
        if answer is None:
            return self._abort()
        return await self._answer(head, answer, server_reader, fault)

    async def _send(self, head: Head, call: str, fault: Fault | None, server: asyncio.StreamWriter) -> bool:
        kept, sent = bytearray(), 0
        async with aclosing(body(self._reader, head, is_answer=False)) as pieces:
            async for piece in pieces:
                passed_on, ends = self._damaged(piece, head, fault, sent)
                server.write(passed_on)
                await server.drain()
                if ends:
                    return self._abort()
                sent += len(piece)
                if call.startswith("sqs."):
                    kept += piece
        if kept:
            self._relay.bodies.append((call, bytes(kept)))
        return True

    def _damaged(self, piece: bytes, head: Head, fault: Fault | None, sent_bytes: int) -> tuple[bytes, bool]:
        """What a fault leaves of one piece of a request's body, and whether the connection ends after it."""
        match fault:
            case BreakRequest(after_bytes) if sent_bytes + len(piece) > after_bytes:
                return piece[: after_bytes - sent_bytes], True
            case Kill("midway") if _brings_a_file(head):
                self._relay.on_kill()
                return piece[: len(piece) // 2], True
            # Chunk sizes are pieces of their own, and short; the first block of data is turned over.
            case CorruptRequest() if len(piece) > CHUNK_HEAD_BYTES and not self._is_corrupt:
                self._is_corrupt = True
                middle = len(piece) // 2
                return piece[:middle] + bytes([piece[middle] ^ 1]) + piece[middle + 1 :], False
        return piece, False

    async def _answer(self, head: Head, answer: Head, server: asyncio.StreamReader, fault: Fault | None) -> bool:
        async with aclosing(body(server, answer, is_answer=True, to=head.start[0])) as pieces:
            if isinstance(fault, LoseAnswer) or fault in (Kill("committed"), Kill("midway")):
                whole = answer.raw + b"".join([piece async for piece in pieces])
                await self._lose(whole, answer, fault)
                return self._abort()
            self._writer.write(answer.raw)
            async for piece in pieces:
                self._writer.write(piece)
                await self._writer.drain()
        await self._writer.drain()
        if fault == Kill("answered"):
            self._relay.on_kill()
            return self._abort()
        closes = "close" in (answer.headers.get("connection", "") + head.headers.get("connection", "")).lower()
        is_bounded = answer.is_chunked or answer.length_bytes is not None or answer.target in ("204", "304")
        return is_bounded and not closes

    async def _lose(self, whole: bytes, answer: Head, fault: Fault | None) -> None:
        """The server has done what it was asked; pass on what the fault leaves of its answer."""
        match fault:
            case LoseAnswer(after_bytes):
                self._writer.write(whole[:after_bytes])
            case Kill("midway"):
                self._writer.write(whole[: (len(answer.raw) + len(whole)) // 2])
        await self._writer.drain()
        if isinstance(fault, Kill):
            self._relay.on_kill()

    def _abort(self) -> bool:
        """Reset both connections."""
        for writer in (self._writer, self._server[1] if self._server else None):
            if writer is not None:
                connection = writer.get_extra_info("socket")
                with suppress(OSError):
                    connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
                writer.transport.abort()
        return False

    def close(self) -> None:
        for writer in (self._writer, self._server[1] if self._server else None):
            if writer is not None:
                writer.close()


def _brings_a_file(head: Head) -> bool:
    """Whether the larger body is the request's, so that a kill in its middle is worth it."""
    return head.start[0] == "PUT" or (
        head.start[0] == "POST" and head.target.partition("?")[0].endswith("/Attachments")
    )
