"""Bigin: the simulator's own code, called without sockets."""

import json
import re
import time
from collections.abc import Callable, Coroutine, Mapping
from dataclasses import dataclass
from email.utils import formatdate
from functools import partial
from typing import Any
from urllib.parse import parse_qsl

from local.bigin import accounts_server, control, endpoints
from local.bigin.calls import Handler
from local.bigin.settings import DEFAULT_TOKEN_LIFETIME_S
from local.bigin.state import STATE, State
from tests.histories.network import Reply, Request

TOKEN = "simulator-access-token"


@dataclass(frozen=True, slots=True)
class _Asked:
    """A request as the simulator's endpoints see it."""

    app: Mapping[Any, State]
    method: str
    path: str
    query: Mapping[str, str]
    headers: Mapping[str, str]
    match_info: Mapping[str, str]
    content: bytes

    async def read(self) -> bytes:
        return self.content

    @property
    def can_read_body(self) -> bool:
        return bool(self.content)

    async def json(self) -> Any:
        return json.loads(self.content)

    async def post(self) -> Mapping[str, str]:
        return dict(parse_qsl(self.content.decode()))


class _Routes:
    """Collects the routes that the simulator registers."""

    def __init__(self) -> None:
        self.router = self
        self._routes: list[tuple[str, re.Pattern[str], Handler]] = []

    def add_route(self, method: str, path: str, handler: Handler) -> None:
        pattern = re.sub(r"\{(\w+):[^}]*\}", r"(?P<\1>.*)", path)
        self._routes.append((method, re.compile(re.sub(r"\{(\w+)\}", r"(?P<\1>[^/]+)", pattern)), handler))

    def __getattr__(self, name: str) -> Callable[[str, Handler], None]:
        """``add_get`` and its siblings."""
        return partial(self.add_route, name.removeprefix("add_").upper())

    def find(self, method: str, path: str) -> tuple[Handler, dict[str, str]]:
        for known, pattern, handler in self._routes:
            if known in ("*", method) and (match := pattern.fullmatch(path)):
                return handler, match.groupdict()
        raise LookupError(path)


class Bigin:
    """One account behind its API. ``page_size`` is the most entries that a page has, whatever is asked for.

    ``now`` is Bigin's clock, which dates its answers.
    """

    def __init__(
        self, url: str, page_size: int = 200, now: Callable[[], float] = time.time, with_control: bool = False
    ) -> None:
        self.page_size = page_size
        self._now = now
        self.state = State(TOKEN, DEFAULT_TOKEN_LIFETIME_S)
        self.account = self.state.account
        self._routes = _Routes()
        if with_control:
            control.add_routes(self._routes)  # type: ignore[arg-type]
        accounts_server.add_routes(self._routes, url)  # type: ignore[arg-type]
        endpoints.add_routes(self._routes)  # type: ignore[arg-type]

    def __call__(self, request: Request) -> Reply:
        handler, ids = self._routes.find(request.method, request.path)
        query = dict(request.query)
        if "per_page" in query:
            query["per_page"] = str(min(self.page_size, int(query["per_page"])))
        headers = {name.title(): text for name, text in request.headers.items()}
        asked = _Asked({STATE: self.state}, request.method, request.path, query, headers, ids, request.body)
        answer: Any = _run(handler(asked))  # type: ignore[arg-type]
        dated = {"date": formatdate(self._now(), usegmt=True)}
        told = dated | {name: text for name, text in answer.headers.items() if name.lower() != "set-cookie"}
        # aiohttp sends UTF-8.
        written = {name.lower(): text.encode().decode("latin-1") for name, text in told.items()}
        return Reply(answer.status, written, bytes(answer.body or b""))


def _run(coroutine: Coroutine[Any, Any, Any]) -> Any:
    """The result of a coroutine that waits for nothing."""
    try:
        coroutine.send(None)
    except StopIteration as end:
        return end.value
    raise RuntimeError("the simulator waits: it was told to be slow")
