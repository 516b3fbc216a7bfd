"""What the upstream serves: bytes that anyone can compute from an attachment's number and size."""

import hashlib
import random
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache

MIB = 1024 * 1024
MODULE = "Contacts"


@dataclass(frozen=True, slots=True)
class File:
    """One attachment, and how the upstream is to send it: ``rate_kb_s`` is 0 for as fast as it can.

    Size, delay and rate travel in the record's id, so that the server needs no state.
    """

    number: int
    size_bytes: int
    delay_ms: int = 0
    rate_kb_s: int = 0

    @property
    def record_id(self) -> str:
        return f"1{self.size_bytes:012d}{self.delay_ms:05d}{self.rate_kb_s:08d}"

    @property
    def path(self) -> str:
        """The path of Bigin's download."""
        return f"/bigin/v2/{MODULE}/{self.record_id}/Attachments/{self.number}"

    @classmethod
    def from_path(cls, path: str) -> "File":
        record, number = path.split("/")[4:7:2]
        return cls(int(number), int(record[1:13]), int(record[13:18]), int(record[18:26]))

    @property
    def name(self) -> str:
        return f"file-{self.number}.bin"

    def pieces(self, piece_bytes: int = MIB) -> Iterator[memoryview]:
        """The content, in pieces of at most ``piece_bytes``."""
        head = f"{self.number}:{self.size_bytes}\n".encode()[: self.size_bytes]
        yield memoryview(head)
        left = self.size_bytes - len(head)
        block = _block()
        while left:
            for start in range(0, min(left, MIB), piece_bytes):
                piece = block[start : start + min(piece_bytes, left, MIB - start)]
                left -= len(piece)
                yield piece
                if not left:
                    return

    def sha256(self) -> str:
        digest = hashlib.sha256()
        for piece in self.pieces():
            digest.update(piece)
        return digest.hexdigest()


@cache
def _block() -> memoryview:
    # Random, so that nothing on the way can compress it; seeded, so that every process has the same.
    return memoryview(random.Random(20260101).randbytes(MIB))
