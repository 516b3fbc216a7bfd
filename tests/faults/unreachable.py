"""Bigin's host cannot be found, refuses, or is somebody else: nothing is sent to it, and the file comes later."""

import errno
import os
import socket
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any
from unittest import mock
from urllib.parse import urlsplit

from bigin_archive.archive_request import ArchiveRequest
from bigin_archive.archiving.archiver import Archiver
from bigin_archive.bigin.client import Bigin
from bigin_archive.deadline import Deadline
from bigin_archive.errors import ArchiveError, TransientError
from bigin_archive.network.transport import session
from bigin_archive.settings import DATA_CENTERS
from bigin_archive.token.access_token import AccessTokens
from tests.bigin import TOKEN
from tests.faults.bench import Bench
from tests.faults.lab import Lab
from tests.faults.tally import Row

API_URL = DATA_CENTERS["US"].api_url
Resolve = Callable[[], list[Any]]


def nobody_there(lab: Lab) -> Iterator[Row]:
    """Uses the real host name over TLS with a name service that leads to trouble; after that, the simulator again."""
    # One server listens, and nobody ever accepts.
    with lab.bench() as bench, socket.create_server(("127.0.0.1", 0)) as silent:
        for name, (resolve, seconds) in _troubles(lab, silent.getsockname()[1]).items():
            for _ in range(lab.scaled(2)):
                request = bench.file(300)
                bench.names[request["attachment_id"]] = name
                bench.injected(lambda: 1, request)
                _try(bench, request, name, resolve, seconds)
                bench.send(request)
        if bench.aws_relay.counts or bench.bigin_relay.counts:
            bench.remark("a request, and with it the token, went to a host that is not Bigin")
        bench.drain()
        yield bench.row("Bigin's host not found, or another one")


def _troubles(lab: Lab, silent_port: int) -> dict[str, tuple[Resolve, float]]:
    """By name: what the name service says, and how much time the call has."""
    return {
        "no such name": (_fails(socket.gaierror(socket.EAI_NONAME, "not known")), 30),
        "name service silent": (_fails(socket.gaierror(socket.EAI_AGAIN, "try again")), 30),
        "network unreachable": (_fails(OSError(errno.ENETUNREACH, os.strerror(errno.ENETUNREACH))), 30),
        "refused": (_leads_to(_closed_port()), 30),
        "certificate that nobody trusts": (_leads_to(_port(lab.aws_relay.url)), 30),
        "no TLS": (_leads_to(_port(lab.bigin_relay.url)), 30),
        "says nothing": (_leads_to(silent_port), 1),
    }


def _closed_port() -> int:
    with socket.create_server(("127.0.0.1", 0)) as server:
        port: int = server.getsockname()[1]
        return port


def _port(url: str) -> int:
    return urlsplit(url).port or 0


def _leads_to(port: int) -> Resolve:
    return lambda: [(socket.AF_INET, socket.SOCK_STREAM, socket.IPPROTO_TCP, "", ("127.0.0.1", port))]


def _fails(error: OSError) -> Resolve:
    def resolve() -> list[Any]:
        raise error

    return resolve


@contextmanager
def _names(resolve: Resolve) -> Iterator[None]:
    genuine, host = socket.getaddrinfo, urlsplit(API_URL).hostname

    def lookup(name: Any, *arguments: Any, **more: Any) -> Any:
        return resolve() if name == host else genuine(name, *arguments, **more)

    with mock.patch.object(socket, "getaddrinfo", lookup):
        yield


def _try(bench: Bench, request: dict[str, Any], name: str, resolve: Resolve, seconds: float) -> None:
    bench.aws.put_secret(bench.aws.token_secret_id, {"access_token": TOKEN, "api_domain": API_URL})
    tokens = AccessTokens(bench.aws.secrets, bench.aws.token_secret_id, API_URL)
    archiver = Archiver(
        Bigin(session(1), API_URL, tokens),
        bench.aws.storage(),
        key_prefix="bigin/",
        max_size_bytes=10**6,
    )
    with _names(resolve):
        try:
            archiver.archive(ArchiveRequest(**request), Deadline(seconds))
        except TransientError:
            pass
        except ArchiveError as error:
            bench.remark(f"{name}: somebody answered, and was believed ({error.code})")
        else:
            bench.remark(f"{name}: archived from nowhere")
    bench.aws.store_token(TOKEN)
