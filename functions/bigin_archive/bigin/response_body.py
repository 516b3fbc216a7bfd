"""The body of an HTTP answer: its bytes are counted against the declared length, and decoded if compressed."""

import hashlib
import http.client
import io
import re
import socket
import tempfile
import zlib
from dataclasses import dataclass
from enum import Enum

from bigin_archive.deadline import Deadline
from bigin_archive.errors import (
    AttachmentTooLargeError,
    BiginUnavailableError,
    DownloadIncompleteError,
    StorageUnavailableError,
)
from bigin_archive.network.http_response import socket_of
from bigin_archive.settings import MIB

BLOCK_BYTES = MIB  # larger blocks are not faster (measured from 64 KiB to 4 MiB)

_GZIP_BEGINS = b"\x1f\x8b"  # RFC 1952, 2.3.1
_PEEK_BYTES = 64 * 1024
# Seconds to wait for bytes behind an empty body: they may come a moment after the headers.
_EMPTY_BODY_WAIT_S = 0.3


class Framing(Enum):
    """How the end of a body is marked (RFC 9112, 6.3)."""

    LENGTH = "Content-Length"
    CHUNKED = "chunked, with a terminator"
    CLOSE = "the connection ends: indistinguishable from a loss"


class Body:
    """Reads an ``http.client`` answer once, from beginning to end.

    ``readinto`` raises DownloadIncompleteError if fewer or more bytes come than were declared, and OutOfTimeError past
    the deadline. 0 means that the body is whole, as far as its framing shows.
    """

    def __init__(self, raw: http.client.HTTPResponse, deadline: Deadline) -> None:
        self._raw = raw
        self._deadline = deadline
        self._ahead = b""
        self.declared_bytes: int | None = None
        if raw.chunked:
            self.framing = Framing.CHUNKED
        elif raw.length is not None:
            self.framing = Framing.LENGTH
            self.declared_bytes = raw.length
        else:
            self.framing = Framing.CLOSE
        self._missing = self.declared_bytes

    def readinto(self, view: memoryview) -> int:
        """Fill ``view`` as far as possible without waiting for the last byte; return the number of bytes."""
        if self._ahead:
            taken = min(len(view), len(self._ahead))
            view[:taken] = self._ahead[:taken]
            self._ahead = self._ahead[taken:]
            return taken
        try:
            count = self._receive(view)
        except (OSError, http.client.HTTPException) as error:
            self._deadline.check()
            raise DownloadIncompleteError(
                f"The connection to Bigin was lost in the middle of the file ({type(error).__name__}); "
                "nothing was stored. Try again later."
            ) from error
        if count == 0 and self._missing:
            self._deadline.check()
            raise DownloadIncompleteError(
                f"{self._missing} of {self.declared_bytes} bytes are missing; nothing was stored. Try again later."
            )
        return count

    def _receive(self, view: memoryview) -> int:
        if self._missing is None:
            count = self._raw.readinto(view)
            if count == 0:
                # After a shutdown at the deadline the connection looks as if it had ended.
                self._deadline.check()
            return count
        if self._missing == 0:
            if self.declared_bytes == 0 and self._something_follows():
                raise DownloadIncompleteError(
                    "Bytes arrived where none were declared; nothing was stored. Try again later."
                )
            return 0
        if self._missing == 1 and (len(self._raw.peek(2)) > 1 or self._something_follows()):
            # The last byte is held back until it is known that nothing follows it.
            raise DownloadIncompleteError(
                f"More than the declared {self.declared_bytes} bytes arrived; nothing was stored. Try again later."
            )
        count = self._raw.readinto(view[: max(1, self._missing - 1)])
        self._missing -= count
        return count

    def _something_follows(self) -> bool:
        """Whether more bytes have arrived, behind those in the reader's buffer."""
        connection = socket_of(self._raw)
        if connection is None:
            return False
        timeout_s = connection.gettimeout()
        connection.settimeout(_EMPTY_BODY_WAIT_S if self.declared_bytes == 0 else 0)
        try:
            if self.declared_bytes == 0 and self._raw.fp.peek(1):
                return True
            pending = getattr(connection, "pending", None)  # TLS: bytes of a record that was received
            return pending() > 0 if pending else bool(connection.recv(1, socket.MSG_PEEK))
        except OSError:
            return False
        finally:
            connection.settimeout(timeout_s)

    def peek(self, limit: int) -> bytes:
        """Up to ``limit`` bytes from the beginning; they are read again by ``readinto``."""
        pieces, total = [], 0
        while total < limit:
            block = memoryview(bytearray(min(_PEEK_BYTES, limit - total)))
            count = self.fill(block)
            pieces.append(block[:count])
            total += count
            if count < len(block):
                break
        self._ahead = b"".join(pieces)
        return self._ahead

    @property
    def at_end(self) -> bool:
        """Whether the whole answer has been read, so that the connection may serve the next call."""
        return self._raw.isclosed()

    def fill(self, view: memoryview) -> int:
        """``readinto`` until ``view`` is full or the body is at its end."""
        filled = 0
        while filled < len(view):
            count = self.readinto(view[filled:])
            if count == 0:
                break
            filled += count
        return filled


@dataclass(frozen=True, slots=True)
class Spooled:
    """A whole body in a file without a name, which vanishes with the process and stands at its beginning."""

    file: io.BufferedRandom
    size_bytes: int
    sha256: bytes


def is_gzip(content_encoding: str | None) -> bool:
    """Whether the header names gzip (RFC 9110, 8.4). Raises BiginUnavailableError for any other encoding."""
    codings = [name for name in re.split(r"[\s,]+", (content_encoding or "").lower()) if name not in ("", "identity")]
    if codings and codings not in (["gzip"], ["x-gzip"]):
        raise BiginUnavailableError(
            f"Bigin sent the file in an encoding that was not asked for ({', '.join(codings)[:20]!a}). Try again later."
        )
    return bool(codings)


def decoded(raw: Spooled, *, compressed: bool, listed_bytes: int | None, max_bytes: int) -> Spooled:
    """The file itself, of a body that was spooled as it came; ``raw`` is closed where it is not the file.

    Encoded bytes of the listed size are the file: servers label a ``.tar.gz`` by its name. Raises as :func:`spool`.
    """
    beginning = raw.file.read(len(_GZIP_BEGINS))
    raw.file.seek(0)
    if not compressed or (raw.size_bytes == listed_bytes and beginning == _GZIP_BEGINS):
        return raw
    with raw.file:
        return spool(raw.file, compressed=True, max_bytes=max_bytes)


def spool(body: Body | io.BufferedRandom, *, compressed: bool, max_bytes: int) -> Spooled:
    """Read a body of unknown length, decoded, to a file under /tmp.

    Raises DownloadIncompleteError where the compressed data do not end as gzip must (RFC 1952: CRC and length),
    AttachmentTooLargeError beyond ``max_bytes``.
    """
    digest, size = hashlib.sha256(), 0
    decoder = _Gunzip() if compressed else None
    block = memoryview(bytearray(BLOCK_BYTES))
    file = tempfile.TemporaryFile()  # noqa: SIM115 - it is handed on open
    try:
        while count := body.readinto(block):
            for piece in decoder.decode(block[:count]) if decoder else (block[:count],):
                size += len(piece)
                if size > max_bytes:
                    raise too_large(max_bytes)
                digest.update(piece)
                file.write(piece)
        if decoder:
            decoder.finish()
        file.seek(0)
    except zlib.error as error:
        file.close()
        raise DownloadIncompleteError("The compressed body is damaged. Try again later.") from error
    except OSError as error:
        file.close()
        raise StorageUnavailableError(
            f"/tmp cannot take the file ({type(error).__name__}): raise EphemeralStorage in the template."
        ) from error
    except BaseException:  # any exception: the file must not stay open
        file.close()
        raise
    return Spooled(file, size, digest.digest())


def too_large(max_bytes: int) -> AttachmentTooLargeError:
    """The error for a file beyond the limit."""
    return AttachmentTooLargeError(
        f"The attachment is larger than {max_bytes // MIB} MiB. {AttachmentTooLargeError.remedy}"
    )


class _Gunzip:
    """Decodes gzip in pieces of bounded size, several members included."""

    def __init__(self) -> None:
        self._member = zlib.decompressobj(wbits=31)
        self._is_empty = True

    def decode(self, data: memoryview) -> list[bytes]:
        pieces = []
        rest = bytes(data)
        self._is_empty &= not rest
        while rest:
            if self._member.eof:
                # Zeros behind a member are padding (GNU gzip manual, "Tapes").
                rest = rest.lstrip(b"\0")
                if not rest:
                    break
                self._member = zlib.decompressobj(wbits=31)
            pieces.append(self._member.decompress(rest, BLOCK_BYTES))
            rest = self._member.unused_data if self._member.eof else self._member.unconsumed_tail
        return pieces

    def finish(self) -> None:
        # Some servers also label an empty file as gzip.
        if not self._member.eof and not self._is_empty:
            raise DownloadIncompleteError("The compressed body ends too early. Try again later.")
