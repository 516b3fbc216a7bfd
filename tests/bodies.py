"""Bodies of answers, without a server that sends them."""

import http.client
import io
from typing import Any, cast

from bigin_archive.bigin.response_body import Body
from bigin_archive.deadline import Deadline


def body(content: bytes) -> Body:
    """An answer of Bigin with this content, and its length declared."""

    class Connection:
        def makefile(self, _: str) -> io.BufferedReader:
            head = b"HTTP/1.1 200 OK\r\nContent-Length: %d\r\n\r\n" % len(content)
            return io.BufferedReader(io.BytesIO(head + content))

    answer = http.client.HTTPResponse(cast("Any", Connection()))
    answer.begin()
    return Body(answer, Deadline(60))
