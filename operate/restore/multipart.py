"""A multipart/form-data form with one file or a few fields, which streams: a large file needs little memory.

RFC 7578. Names are written as browsers write them (WHATWG HTML, "Multipart form data"): UTF-8, with quotation marks and
line breaks percent-encoded.
"""

import secrets
from collections.abc import Iterator, Mapping
from typing import IO, Self

BLOCK_BYTES = 256 * 1024


class MultipartForm:
    """The body of a request, which can be sent again from its beginning."""

    def __init__(self, head: bytes, file: IO[bytes] | None, size_bytes: int, tail: bytes, boundary: str) -> None:
        self._head = head
        self._file = file
        self._size_bytes = size_bytes
        self._tail = tail
        self.content_type = f"multipart/form-data; boundary={boundary}"

    @classmethod
    def of_file(cls, name: str, content_type: str, file: IO[bytes], size_bytes: int) -> Self:
        """The part ``file`` ("Upload an attachment")."""
        boundary = _boundary()
        head = (
            f'--{boundary}\r\nContent-Disposition: form-data; name="file"; filename="{_escaped(name)}"\r\n'
            f"Content-Type: {content_type}\r\n\r\n"
        )
        return cls(head.encode(), file, size_bytes, f"\r\n--{boundary}--\r\n".encode(), boundary)

    @classmethod
    def of_fields(cls, fields: Mapping[str, str]) -> Self:
        """Fields alone."""
        boundary = _boundary()
        parts = (
            f'--{boundary}\r\nContent-Disposition: form-data; name="{name}"\r\n\r\n{value}\r\n'
            for name, value in fields.items()
        )
        return cls("".join(parts).encode(), None, 0, f"--{boundary}--\r\n".encode(), boundary)

    def __len__(self) -> int:
        return len(self._head) + self._size_bytes + len(self._tail)

    def __iter__(self) -> Iterator[bytes]:
        yield self._head
        if self._file:
            self._file.seek(0)
            while block := self._file.read(BLOCK_BYTES):
                yield block
        yield self._tail


def _boundary() -> str:
    return f"bigin-archive-{secrets.token_hex(16)}"


def _escaped(name: str) -> str:
    return name.replace('"', "%22").replace("\r", "%0D").replace("\n", "%0A")
