"""HTTP/1.1 messages as they lie on a connection: heads, and where bodies end. No interpretation beyond that."""

import asyncio
from collections.abc import AsyncIterator
from dataclasses import dataclass

PIECE_BYTES = 64 * 1024
HEAD_BYTES = 256 * 1024  # asyncio's limit of a line or head; file names make heads long


@dataclass(frozen=True, slots=True)
class Head:
    """A start line and its headers, raw and by lower-case name."""

    raw: bytes
    start: tuple[str, str, str]
    headers: dict[str, str]

    @property
    def target(self) -> str:
        """The request's target (path and query); of an answer, its status."""
        return self.start[1]

    @property
    def is_chunked(self) -> bool:
        return self.headers.get("transfer-encoding", "").lower() == "chunked"

    @property
    def length_bytes(self) -> int | None:
        text = self.headers.get("content-length", "")
        return int(text) if text.isdigit() else None

    def without(self, name: str) -> bytes:
        """The head's bytes without one header."""
        lines = self.raw.split(b"\r\n")
        return b"\r\n".join(line for line in lines if not line.lower().startswith(name.encode() + b":"))


async def read_head(reader: asyncio.StreamReader) -> Head | None:
    """The next head; None where the connection ends instead."""
    try:
        raw = await reader.readuntil(b"\r\n\r\n")
    except (asyncio.IncompleteReadError, ConnectionError):
        return None
    lines = raw.decode("latin-1").split("\r\n")
    first, second, third = [*lines[0].split(" ", 2), "", ""][:3]
    pairs = [line.partition(":") for line in lines[1:] if line]
    return Head(raw, (first, second, third), {name.lower(): value.strip() for name, _, value in pairs})


async def body(reader: asyncio.StreamReader, head: Head, *, is_answer: bool, to: str = "") -> AsyncIterator[bytes]:
    """The body that follows ``head``, framing included; ``to`` is the method that an answer belongs to."""
    if is_answer and (to == "HEAD" or head.target in ("204", "304") or head.target.startswith("1")):
        return
    if head.is_chunked:
        async for piece in _chunks(reader):
            yield piece
    elif head.length_bytes is not None:
        left = head.length_bytes
        while left > 0:
            piece = await reader.read(min(PIECE_BYTES, left))
            if not piece:
                raise ConnectionResetError("the body ended early")
            left -= len(piece)
            yield piece
    elif is_answer:
        while piece := await reader.read(PIECE_BYTES):
            yield piece


async def _chunks(reader: asyncio.StreamReader) -> AsyncIterator[bytes]:
    while True:
        line = await reader.readuntil(b"\r\n")
        yield line
        size = int(line.split(b";")[0], 16)
        if size == 0:
            while (trailer := await reader.readuntil(b"\r\n")) != b"\r\n":
                yield trailer
            yield b"\r\n"
            return
        left = size + 2
        while left:
            piece = await reader.readexactly(min(PIECE_BYTES, left))
            left -= len(piece)
            yield piece
