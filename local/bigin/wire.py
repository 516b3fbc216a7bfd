"""Answers written to the connection byte by byte, for what an HTTP library refuses to send.

`script_of` decides what is written, without side effects; `play` writes it. Each such answer is
the last on its connection.
"""

import asyncio
import contextlib
import fcntl
import gzip
import itertools
import socket
import struct
import termios
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from http import HTTPStatus

from aiohttp import web

from .answers import Answer, Headers
from .content import Content, stored
from .faults import Cut, Declared, Fault, Framing, Longer, Reset, ResetBeforeHeaders, Stall

RESET_WAIT_S = 2.0
CLOSE = ("Connection", "close")  # where the message is whole: a client must not use it again


@dataclass(frozen=True, slots=True)
class Pause:
    """Silence on the connection."""

    seconds: float


@dataclass(frozen=True, slots=True)
class Script:
    """What is written: framing headers, then pieces and pauses, then an end or a reset."""

    headers: Headers
    steps: Iterable[bytes | Pause]
    reset: bool = False
    head: bool = True


def script_of(fault: Fault, content: Content) -> Script | None:
    """Return how a body is sent under a fault, or None if the fault leaves the sending alone."""
    match fault:
        case Cut(after, framing):
            return _framed(framing, content, _offset(after, content))
        case Framing(framing):
            return _framed(framing, content, None, CLOSE)
        case Longer(extra):
            body = itertools.chain(content.blocks(), (b"+" * extra,))
            return Script(_length(content.size_bytes), body)
        case Declared(size):
            return Script(_length(size), _across(size, content.blocks()))
        case Reset(after):
            cut = _first(content, _offset(after, content))
            return Script(_length(content.size_bytes), cut, reset=True)
        case ResetBeforeHeaders():
            return Script((), (), reset=True, head=False)
        case Stall(seconds, "after-headers"):
            late: Iterator[bytes | Pause] = itertools.chain((Pause(seconds),), content.blocks())
            return Script((*_length(content.size_bytes), CLOSE), late)
        case Stall(seconds, "mid-body"):
            return Script((*_length(content.size_bytes), CLOSE), _halves(content, Pause(seconds)))
        case _:
            return None


def _framed(framing: str, content: Content, cut_at: int | None, *extra_headers: tuple[str, str]) -> Script:
    if framing == "gzip":
        packed = gzip.compress(content.read(), compresslevel=1, mtime=0)
        kept = packed if cut_at is None else packed[: cut_at * len(packed) // max(content.size_bytes, 1)]
        headers = (("Content-Encoding", "gzip"), *_length(len(kept)), CLOSE)
        return Script(headers, stored(kept).blocks())
    if framing == "chunked":
        headers = (("Transfer-Encoding", "chunked"), *extra_headers)
        return Script(headers, _chunks(content, cut_at))
    body = content.blocks() if cut_at is None else _first(content, cut_at)
    if framing == "close":
        return Script((CLOSE,), body)
    return Script((*_length(content.size_bytes), *extra_headers), body)


def _length(size_bytes: int) -> Headers:
    return (("Content-Length", str(size_bytes)),)


def _offset(after: int | str, content: Content) -> int:
    named = {"half": content.size_bytes // 2, "last-byte": max(content.size_bytes - 1, 0)}
    return named[after] if isinstance(after, str) else min(after, content.size_bytes)


def _first(content: Content, size_bytes: int) -> Iterator[bytes]:
    return Content(size_bytes, content.head, content.block).blocks()


def _across(offset: int, blocks: Iterable[bytes]) -> Iterator[bytes]:
    """The blocks, none of which ends at ``offset``: what lies on both sides of it is sent together."""
    sent, held = 0, b""
    for block in blocks:
        held += block
        if sent + len(held) != offset:
            yield held
            sent, held = sent + len(held), b""
    if held:
        yield held


def _chunks(content: Content, cut_at: int | None) -> Iterator[bytes]:
    sent = 0
    for block in content.blocks():
        start = b"%x\r\n" % len(block)
        if cut_at is not None and sent + len(block) > cut_at:
            yield start + block[: cut_at - sent]
            return
        yield start + block + b"\r\n"
        sent += len(block)
    if cut_at is None:
        yield b"0\r\n\r\n"


def _halves(content: Content, pause: Pause) -> Iterator[bytes | Pause]:
    left = content.size_bytes // 2
    paused = False
    for block in content.blocks():
        if paused or len(block) <= left:
            yield block
        else:
            yield block[:left]
            yield pause
            yield block[left:]
            paused = True
        left -= len(block)


async def play(request: web.Request, answer: Answer, script: Script) -> web.StreamResponse:
    """Write the answer by its script and end the connection.

    The returned response is for aiohttp, which finds the connection closed and drops it.
    """
    with contextlib.suppress(ConnectionError):
        transport = request.transport
        if transport is None:
            raise ConnectionResetError
        writer = asyncio.StreamWriter(transport, request.protocol, None, asyncio.get_running_loop())
        steps = iter(script.steps)
        if script.head:
            steps = _behind(_head(answer, script), steps)
        await _write(writer, steps)
        if script.reset:
            await _reset(writer, transport)
        else:
            transport.close()
    return web.Response()


def _behind(head: bytes, steps: Iterator[bytes | Pause]) -> Iterator[bytes | Pause]:
    """Head and first piece in one: a client that has one has the other."""
    first = next(steps, b"")
    yield from (head + first,) if isinstance(first, bytes) else (head, first)
    yield from steps


async def _write(writer: asyncio.StreamWriter, steps: Iterable[bytes | Pause]) -> None:
    for step in steps:
        if isinstance(step, Pause):
            await asyncio.sleep(step.seconds)
        else:
            writer.write(step)
            await writer.drain()


def _head(answer: Answer, script: Script) -> bytes:
    framing = {"content-length", "transfer-encoding", "connection"}
    kept = tuple(pair for pair in answer.headers if pair[0].lower() not in framing)
    reason = HTTPStatus(answer.status).phrase
    lines = [f"HTTP/1.1 {answer.status} {reason}"]
    lines += [f"{name}: {value}" for name, value in kept + script.headers]
    return "\r\n".join((*lines, "", "")).encode()


async def _reset(writer: asyncio.StreamWriter, transport: asyncio.Transport) -> None:
    """Send RST instead of FIN, after everything written has reached the peer's socket."""
    connection = transport.get_extra_info("socket")
    transport.set_write_buffer_limits(high=0)
    await writer.drain()
    for _ in range(int(RESET_WAIT_S * 1000)):
        if not transport.get_write_buffer_size() and not _unsent_bytes(connection):
            break
        await asyncio.sleep(0.001)
    connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
    transport.abort()


def _unsent_bytes(connection: socket.socket) -> int:
    packed = fcntl.ioctl(connection.fileno(), termios.TIOCOUTQ, b"\0\0\0\0")
    return int.from_bytes(packed, "little")
