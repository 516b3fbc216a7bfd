"""How a body streams into S3: in frames that tell their size, with the SHA-256 of all behind the last.

S3 API Reference, "Signature calculations: transferring a payload in multiple chunks"; TLS protects what is not signed.
"""

import base64
import hashlib
from collections.abc import Iterator

from bigin_archive.aws.s3_http import CHECKSUM
from bigin_archive.bigin.response_body import Body

PAYLOAD = "STREAMING-UNSIGNED-PAYLOAD-TRAILER"  # in place of the payload's hash, which is not known yet
# S3 asks for frames of 8 KiB at least, but for the last; larger ones than these save a fortieth of the processor time.
FRAME_BYTES = 256 * 1024
_LONGEST_SIZE_LINE = len(b"%x\r\n" % FRAME_BYTES)
_LAST_FRAME = b"0\r\n" + CHECKSUM.encode() + b":%b\r\n\r\n"


def frames(body: Body) -> Iterator[memoryview | bytes]:
    """The body in frames; the memory is used again for each. Raises what reading the body raises."""
    digest = hashlib.sha256()
    frame = memoryview(bytearray(_LONGEST_SIZE_LINE + FRAME_BYTES + 2))
    content = frame[_LONGEST_SIZE_LINE:-2]
    while count := body.fill(content):
        digest.update(content[:count])
        size_line = b"%x\r\n" % count
        start, end = _LONGEST_SIZE_LINE - len(size_line), _LONGEST_SIZE_LINE + count
        frame[start:_LONGEST_SIZE_LINE] = size_line
        frame[end : end + 2] = b"\r\n"
        yield frame[start : end + 2]
    yield _LAST_FRAME % base64.b64encode(digest.digest())


def framed_bytes(size_bytes: int) -> int:
    """How many bytes the frames of a body of ``size_bytes`` have together."""
    whole, rest = divmod(size_bytes, FRAME_BYTES)
    around = whole * (_LONGEST_SIZE_LINE + 2) + (len(b"%x\r\n" % rest) + 2 if rest else 0)
    return size_bytes + around + len(_LAST_FRAME % base64.b64encode(bytes(hashlib.sha256().digest_size)))
