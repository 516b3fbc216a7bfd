"""The bytes of documents, stored or made on demand.

Nothing here knows about HTTP; a 100 MB document costs no memory beyond one block.
"""

import hashlib
import itertools
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import lru_cache, partial

KIB = 1024
MIB = 1024 * KIB
BLOCK_BYTES = 256 * KIB
LINE_BYTES = 64


@dataclass(frozen=True, slots=True)
class Content:
    """A document of `size_bytes`: `head` first, then `block(0)`, `block(1)`, ... up to the size."""

    size_bytes: int
    head: bytes = b""
    block: Callable[[int], bytes] | None = None

    def blocks(self) -> Iterator[bytes]:
        """Yield the document in pieces of at most `BLOCK_BYTES`; no piece is empty."""
        left = self.size_bytes
        for piece in self._endless():
            if not left:
                return
            yield piece[:left]
            left -= min(left, len(piece))

    def read(self) -> bytes:
        """Return the whole document."""
        return b"".join(self.blocks())

    def _endless(self) -> Iterator[bytes]:
        for start in range(0, len(self.head), BLOCK_BYTES):
            yield self.head[start : start + BLOCK_BYTES]
        if self.block is not None:
            yield from map(self.block, itertools.count())


@lru_cache(maxsize=4096)
def sha256_of(content: Content) -> str:
    """Return the hexadecimal SHA-256 of a document; the digest of 100 MB is taken once."""
    digest = hashlib.sha256()
    for block in content.blocks():
        digest.update(block)
    return digest.hexdigest()


def stored(data: bytes) -> Content:
    """Return a document that consists of the given bytes."""
    return Content(size_bytes=len(data), head=data)


def numbered_lines(size_bytes: int) -> Content:
    """Return a plain-text document; every block starts with its own number.

    Blocks differ from one another, so a swapped or repeated part changes the digest.
    """
    return Content(size_bytes=size_bytes, block=_lines_block)


def sound(size_bytes: int) -> Content:
    """Return a playable WAV file: one channel, 16 bits, 8,000 samples a second, a 500 Hz tone."""
    return Content(size_bytes=size_bytes, head=_wav_header(size_bytes - 44), block=_tone_block)


def pseudo_random(size_bytes: int, seed: str) -> Content:
    """Return bytes that look random; the same size and seed give the same bytes on every run."""
    return Content(size_bytes=size_bytes, block=partial(_random_block, seed))


def _lines_block(index: int) -> bytes:
    first = f"Block {index:>10} of 256 KiB ".ljust(LINE_BYTES - 1, ".").encode() + b"\n"
    return first + _lines_tile()[LINE_BYTES:]


@lru_cache(maxsize=1)
def _lines_tile() -> bytes:
    lines = (f"Line {n:>5}: water level {n % 97:>3} cm, flow {n % 41:>3} l/s, no remarks" for n in
             range(BLOCK_BYTES // LINE_BYTES))  # fmt: skip
    return b"".join(line.ljust(LINE_BYTES - 1)[: LINE_BYTES - 1].encode() + b"\n" for line in lines)


def _wav_header(data_bytes: int) -> bytes:
    fields = ((b"RIFF", None), (data_bytes + 36, 4), (b"WAVEfmt ", None), (16, 4), (1, 2), (1, 2))
    rates = ((8_000, 4), (16_000, 4), (2, 2), (16, 2), (b"data", None), (data_bytes, 4))
    return b"".join(
        value if isinstance(value, bytes) else value.to_bytes(width or 0, "little") for value, width in fields + rates
    )


def _tone_block(index: int) -> bytes:
    return _random_block("tone", index)[:32] + _tone_tile()[32:]


@lru_cache(maxsize=1)
def _tone_tile() -> bytes:
    wave = (0, 38, 71, 92, 100, 92, 71, 38, 0, -38, -71, -92, -100, -92, -71, -38)
    period = b"".join((level * 80).to_bytes(2, "little", signed=True) for level in wave)
    return period * (BLOCK_BYTES // len(period))


def _random_block(seed: str, index: int) -> bytes:
    mark = hashlib.sha256(f"{seed}:{index}".encode()).digest()
    return mark + _random_tile()[len(mark) :]


@lru_cache(maxsize=1)
def _random_tile() -> bytes:
    # A hash in counter mode: the same on every Python version, unlike the random module's streams.
    return hashlib.shake_256(b"Bigin simulator").digest(BLOCK_BYTES)
