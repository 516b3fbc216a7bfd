"""HTTP to Bigin: interim answers, kept connections that were closed, proxies."""

import http.client
import socket
import threading
from collections.abc import Callable
from contextlib import nullcontext
from typing import Any

import pytest
import requests

from bigin_archive.archive_request import ArchiveRequest
from bigin_archive.bigin.client import Bigin
from bigin_archive.bigin.credit_meter import CreditMeter
from bigin_archive.bigin.response_body import Body
from bigin_archive.deadline import Deadline
from bigin_archive.errors import CreditsSpentError
from bigin_archive.network import http_response, transport
from tests.account import Tokens
from tests.raw_server import CLOSE, RESET, Step, serving

OK = b"HTTP/1.1 200 OK\r\nContent-Length: 4\r\n\r\nbody"
HINTS = b"HTTP/1.1 103 Early Hints\r\nLink: </a>; rel=preload\r\nContent-Length: 9\r\n\r\n"


def ask(session: transport.Session, url: str, method: str = "GET", seconds: float = 5, **more: Any) -> bytes:
    """The body of the answer, read as the client reads it."""
    deadline = Deadline(seconds)
    with transport.until(deadline):
        response = transport.send(session, method, url, {}, (2, 2), **more)
        body = Body(http_response.received(response), deadline)
        content = body.peek(1000)
        response.raw.release_conn()
    assert response.status_code == 200
    return content


@pytest.mark.parametrize(
    "interim",
    [
        HINTS,
        HINTS * 3,
        b"HTTP/1.1 102 Processing\r\n\r\n",
        b"HTTP/1.1 100 Continue\r\n\r\n" + HINTS,
        HINTS + b"HTTP/1.1 100 Continue\r\n\r\n",
        b"HTTP/1.1 199 Whatever\r\nTransfer-Encoding: chunked\r\n\r\n",
    ],
)
def test_interim_answers_are_skipped(interim: bytes) -> None:
    """RFC 9110, 15.2: any number of them may come before the answer, and the connection serves the next call."""
    session = transport.session(1)
    with serving([interim + OK, interim + OK]) as server:
        assert b"body" == ask(session, server.url)
        assert b"body" == ask(session, server.url)

    assert 1 == server.connections


def test_switched_protocols_are_no_interim_answer() -> None:
    """A 101 is the final answer, and one that Bigin never gives: what follows is not HTTP."""
    session = transport.session(1)
    with serving([b"HTTP/1.1 101 Switching Protocols\r\n\r\n" + OK]) as server, transport.until(Deadline(5)):
        assert 101 == transport.send(session, "GET", server.url, {}, (2, 2)).status_code


@pytest.mark.parametrize("method", ["GET", "POST"])
@pytest.mark.parametrize("end", [RESET, CLOSE], ids=["reset", "closed"])
def test_a_kept_connection_that_ended_costs_nothing(end: object, method: str) -> None:
    """The other side closed it while it waited, or at its second request: the request goes out again, on a new one."""
    session = transport.session(1)
    with serving([OK, end]) as server:
        answers = [ask(session, server.url, method) for _ in range(5)]

    assert [b"body"] * 5 == answers
    assert 5 == server.connections


@pytest.mark.parametrize(("left", "requests", "used"), [(None, 3, 3), (3, 3, 3), (2, 2, 2)])
def test_a_call_that_goes_out_twice_counts_twice(left: int | None, requests: int, used: int) -> None:
    """A call that is sent again costs two credits, since nobody knows whether Bigin had taken the first."""
    listing = b'{"data": [{"id": "1"}], "info": {"more_records": false}}'
    answer = b"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: %d\r\n\r\n" % len(listing) + listing
    meter = CreditMeter()
    meter.limit(left)
    record = ArchiveRequest("Contacts", "5001")
    with serving([answer, RESET], [answer]) as server:
        client = Bigin(transport.session(1), server.url, Tokens(), meter=meter)
        list(client.attachments(record, Deadline(60)))
        with nullcontext() if left != 2 else pytest.raises(CreditsSpentError):
            list(client.attachments(record, Deadline(60)))

    assert (requests, used) == (len(server.heads), meter.total)


def test_none_of_the_kept_connections_is_tried_again() -> None:
    """Four idle connections that are all dead cost one failed try, not four."""
    session = transport.session(4)
    with serving([OK, RESET], [OK, RESET], [OK, RESET], [OK, RESET], [OK, OK, OK]) as server:
        together = threading.Barrier(4)

        def first() -> None:
            with transport.until(Deadline(5)):
                response = transport.send(session, "GET", server.url, {}, (2, 2))
                together.wait()
                response.content  # noqa: B018 - which gives the connection back

        threads = [threading.Thread(target=first) for _ in range(4)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()

        assert b"body" == ask(session, server.url)

    assert 5 == server.connections


def refused(step: Step, *, first: Step = OK, **more: Any) -> int:
    """How many requests a second call costs that fails; its first call was answered."""
    session = transport.session(1)
    with serving([first, step]) as server:
        ask(session, server.url)
        with pytest.raises(requests.RequestException):
            ask(session, server.url, **more)
    return len(server.heads) - 1


@pytest.mark.parametrize("beginning", [b"HTT", b"nonsense\r\n\r\n", HINTS], ids=["part", "other", "interim"])
def test_what_was_answered_is_not_sent_again(beginning: bytes) -> None:
    """Once a byte of an answer has come, the other side has the request."""
    session = transport.session(1)
    with serving([OK, beginning, CLOSE]) as server:
        ask(session, server.url)
        with pytest.raises(requests.RequestException):
            ask(session, server.url)

    assert 2 == len(server.heads)


def test_what_must_not_happen_twice_is_sent_once() -> None:
    """An upload may have been done although its answer was lost (RFC 9110, 9.2.2)."""
    assert 1 == refused(RESET, method="POST", only_once=True)


def test_a_new_connection_that_is_reset_is_told() -> None:
    """A new connection that is reset is an error, and is not tried again."""
    with serving([RESET]) as server, pytest.raises(requests.ConnectionError):
        ask(transport.session(1), server.url)

    assert 1 == server.connections


def test_a_second_reset_ends_it() -> None:
    """A call is repeated once, not more."""
    session = transport.session(1)
    with serving([OK, RESET], [RESET]) as server:
        ask(session, server.url)
        with pytest.raises(requests.ConnectionError):
            ask(session, server.url)

    assert 2 == server.connections


@pytest.fixture
def environment(monkeypatch: pytest.MonkeyPatch) -> Callable[..., None]:
    """Sets what a shell would set, without what this machine has set."""
    for name in ("HTTP_PROXY", "HTTPS_PROXY", "ALL_PROXY", "NO_PROXY", "REQUESTS_CA_BUNDLE", "CURL_CA_BUNDLE"):
        monkeypatch.delenv(name, raising=False)
        monkeypatch.delenv(name.lower(), raising=False)

    def set_all(**values: str) -> None:
        for name, value in values.items():
            monkeypatch.setenv(name, value)

    return set_all


def test_a_proxy_of_the_environment_is_used(environment: Callable[..., None]) -> None:
    """Plain HTTP goes to the proxy with the whole address, as with any program."""
    with serving([OK]) as proxy:
        environment(HTTP_PROXY=proxy.url)
        assert b"body" == ask(transport.session(1), "http://bigin.example/bigin/v2/Contacts")

    assert proxy.heads[0].startswith(b"GET http://bigin.example/bigin/v2/Contacts HTTP/1.1")


def test_https_goes_through_a_tunnel(environment: Callable[..., None]) -> None:
    """The proxy sees the host's name, and nothing of the request."""
    with serving([b"HTTP/1.1 403 Forbidden\r\nContent-Length: 0\r\n\r\n"]) as proxy:
        environment(HTTPS_PROXY=proxy.url)
        with pytest.raises(requests.exceptions.ProxyError):
            ask(transport.session(1), "https://www.zohoapis.com/bigin/v2/Contacts")

    assert proxy.heads[0].startswith(b"CONNECT www.zohoapis.com:443 HTTP/1.")


@pytest.mark.parametrize("listed", ["127.0.0.1", "*", "127.0.0.0/8"])
def test_no_proxy_leaves_it_aside(environment: Callable[..., None], listed: str) -> None:
    """NO_PROXY names what is reached without it."""
    with serving([OK]) as proxy, serving([OK]) as server:
        environment(HTTP_PROXY=proxy.url, NO_PROXY=listed)
        assert b"body" == ask(transport.session(1), server.url)

    assert ([], 1) == (proxy.heads, len(server.heads))


def test_the_certificates_of_the_environment_are_used(environment: Callable[..., None]) -> None:
    """A proxy that opens TLS has certificates of its own, which REQUESTS_CA_BUNDLE names."""
    environment(REQUESTS_CA_BUNDLE="/nowhere/ca.pem")

    with pytest.raises(OSError, match="nowhere"):
        ask(transport.session(1), "https://www.zohoapis.com/")


def test_what_urllib3_keeps_to_itself_is_where_we_look_for_it() -> None:
    """The answer of http.client, its socket and its chunk sizes: a version that moves one of them fails here."""
    session = transport.session(1)
    chunked = b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n4\r\nbody\r\n0"
    with serving([chunked, CLOSE]) as server, transport.until(Deadline(5)):
        response = transport.send(session, "GET", server.url, {}, (2, 2))
        answer = http_response.received(response)

        assert isinstance(http_response.socket_of(answer), socket.socket), (
            "http_response.socket_of no longer finds the socket"
        )
        assert answer.chunked is True, "http.client no longer tells of chunks: see response_body.Body"
        assert b"body" == answer.read(4)
        with pytest.raises(http.client.IncompleteRead):  # "the chunk-size line that breaks off is the end", else
            answer.read()

    with pytest.raises(TypeError, match=r"see http_response\.received"):
        http_response.received(requests.Response())
