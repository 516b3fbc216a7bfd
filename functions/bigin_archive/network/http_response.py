"""Answers of http.client, corrected where it would mistake something for the answer or for its end.

Only this module touches private parts of libraries. A test fails with a sentence when a new version moves one of them.
"""

import http.client
import socket
from collections.abc import Callable
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    import requests

_MAX_CHUNK_LINE_BYTES = 4096


class StrictResponse(http.client.HTTPResponse):
    """Python's response, corrected where it would mistake something for the answer or for its end."""

    def begin_answer(self) -> None:
        """A byte of an answer has come."""

    def _read_status(self) -> tuple[str, int, str]:
        """Skip interim answers (RFC 9110, 15.2). Python skips only 100."""
        while True:
            try:
                version, status, reason = super()._read_status()  # type: ignore[misc]  # private
            except http.client.RemoteDisconnected:
                raise
            except http.client.HTTPException:
                self.begin_answer()
                raise
            self.begin_answer()
            # 101 is final: after it there is no more HTTP.
            if not 100 <= status < 200 or status == http.HTTPStatus.SWITCHING_PROTOCOLS:
                return version, status, reason
            http.client.parse_headers(self.fp)

    def _read_next_chunk_size(self) -> int:
        """Refuse a chunk-size line that breaks off: after its first zeros it would look like the end of the body."""
        line = self.fp.readline(_MAX_CHUNK_LINE_BYTES)
        if not line.endswith(b"\n"):
            raise ValueError("a chunk-size line that has no end")  # http.client makes it an IncompleteRead
        return int(line.partition(b";")[0], 16)


class AskedResponse(http.client.HTTPResponse):
    """An answer to ``Expect: 100-continue``: where the server wants the body, it is sent."""

    def __init__(self, send_body: Callable[[], None], *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self._send_body = send_body

    def _read_status(self) -> tuple[str, int, str]:
        told: tuple[str, int, str] = super()._read_status()  # type: ignore[misc]  # private
        if told[1] != http.HTTPStatus.CONTINUE:
            return told
        http.client.parse_headers(self.fp)
        self._send_body()
        return super()._read_status()  # type: ignore[misc,no-any-return]  # private


def received(response: "requests.Response") -> http.client.HTTPResponse:
    """The answer of http.client, which knows how its body ends and how many bytes are left."""
    original: http.client.HTTPResponse | None = getattr(response.raw, "_original_response", None)
    if original is None:
        raise TypeError("urllib3 keeps the answer of http.client elsewhere: see http_response.received")
    return original


def socket_of(answer: http.client.HTTPResponse) -> socket.socket | None:
    """The connection of an answer; None once the answer is read to its end."""
    return getattr(getattr(answer.fp, "raw", None), "_sock", None)
