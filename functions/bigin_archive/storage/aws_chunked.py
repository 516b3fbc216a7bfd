"""Streams a body into S3: in frames that state their size, with the SHA-256 of all behind the last.

S3 API Reference, "Signature calculations: transferring a payload in multiple chunks". TLS protects the unsigned body.
"""

import base64
import hashlib
from collections.abc import Iterator

from bigin_archive.aws.s3_http import CHECKSUM
from bigin_archive.bigin.response_body import Body

PAYLOAD = "STREAMING-UNSIGNED-PAYLOAD-TRAILER"  # in place of the payload's hash, which is not yet known
# S3 requires at least 8 KiB in every frame but the last. Larger frames than these would save a fortieth of the
# processor time.
FRAME_BYTES = 256 * 1024
_LONGEST_SIZE_LINE = len(b"%x\r\n" % FRAME_BYTES)
_LAST_FRAME = b"0\r\n" + CHECKSUM.encode() + b":%b\r\n\r\n"


def frames(body: Body) -> Iterator[memoryview | bytes]:
    """The body in frames, which reuse their memory. Raises the errors of reading the body."""
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
    """The size of all frames of a body of ``size_bytes``."""
    whole, rest = divmod(size_bytes, FRAME_BYTES)
    around = whole * (_LONGEST_SIZE_LINE + 2) + (len(b"%x\r\n" % rest) + 2 if rest else 0)
    return size_bytes + around + len(_LAST_FRAME % base64.b64encode(bytes(hashlib.sha256().digest_size)))
