"""What happens while a function runs: at its n-th call it is killed, the call fails, or Bigin changes."""

import json
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from typing import Any

from tests.histories.network import LostError, Reply, Request, Server

CALL_S = 0.25  # of simulated time that a call takes
KILL, KILL_AFTER, FAIL, LOSE, CUT, PART = "kill", "kill after", "fail", "lose", "cut", "part"
# Answers of Bigin in place of the right one.
DENIALS = {"429": (429, "TOO_MANY_REQUESTS"), "500": (500, "INTERNAL_ERROR"), "404": (404, ""), "204": (204, "")}
# What happens at the n-th call, or before the n-th page of a list ("page 2"): one of the above, or a change of the
# account.
Plan = Mapping[str, Any]


class Killed(BaseException):
    """The process is gone. Nothing that it would still have done happens."""


@dataclass(slots=True)
class Clock:
    """Simulated time, in seconds since 1970; it goes on with each call."""

    now_s: float

    def __call__(self) -> float:
        return self.now_s

    def sleep(self, seconds: float) -> None:
        self.now_s += seconds


@dataclass(slots=True)
class Interrupts:
    """Carries every call of the run that is under way. ``change(step, path)`` changes the account
    before the call of that path."""

    clock: Clock
    change: Callable[[Any, str], None]
    note: Callable[[str, Request, Reply | None, bool], None]
    plan: Plan = field(default_factory=dict)
    calls: int = 0
    pages: int = 0
    is_dead: bool = False
    hits: int = 0
    s3_call_s: float = CALL_S

    def begin(self, plan: Plan) -> None:
        self.plan, self.calls, self.pages, self.is_dead, self.hits = plan, 0, 0, False, 0

    @contextmanager
    def beside(self) -> Iterator[None]:
        """Keep the plan of the run under way while another one comes and goes."""
        kept = self.plan, self.calls, self.pages, self.is_dead, self.hits
        yield
        self.plan, self.calls, self.pages, self.is_dead, self.hits = kept

    def exchange(self, name: str, request: Request, server: Server) -> Reply:
        """Send the request to its server, unless the plan says otherwise. Raises Killed, LostError."""
        if self.is_dead:
            raise Killed
        self.clock.now_s += self.s3_call_s if name == "s3" else CALL_S
        self.calls += 1
        what = self.plan.get(str(self.calls))
        if name == "bigin" and "per_page" in request.query:
            self.pages += 1
            if change := self.plan.get(f"page {self.pages}"):
                self.change(change, request.path)
        if what is None:
            reply = server(request)
            self.note(name, request, reply, False)
            return reply
        if isinstance(what, list):
            self.change(what, request.path)
            reply = server(request)
            self.note(name, request, reply, False)
            return reply
        self.hits += 1
        if what == KILL:
            self.is_dead = True
            raise Killed
        if what == PART and (reply := _in_part(request, server)):
            self.note(name, request, reply, True)
            return reply
        if what in (FAIL, PART) or (what in DENIALS and name == "bigin"):
            reply = _failed(name, what)
            self.note(name, request, reply, True)
            return reply
        reply = server(request)
        self.note(name, request, reply, True)
        if what == KILL_AFTER:
            self.is_dead = True
            raise Killed
        if what == CUT and name == "bigin" and reply.body:
            reply.cut_bytes = 1
            reply.headers["content-length"] = str(len(reply.body))
            return reply
        raise LostError


def _in_part(request: Request, server: Server) -> Reply | None:
    """Of a batch only the first half is done; None for any other call."""
    operation = request.headers.get("x-amz-target", "").rpartition(".")[2]
    if operation == "BatchGetItem":
        asked = json.loads(request.body)
        ((table, wanted),) = asked["RequestItems"].items()
        keys, left = _halves(wanted["Keys"])
        if keys:
            reply = server(replace(request, body=json.dumps({"RequestItems": {table: {"Keys": keys}}}).encode()))
            answer = {**json.loads(reply.body), "UnprocessedKeys": {table: {**wanted, "Keys": left}}}
            return replace(reply, body=json.dumps(answer).encode())
        answer = {"Responses": {}, "UnprocessedKeys": asked["RequestItems"]}
        return Reply(200, {"content-type": "application/x-amz-json-1.0"}, json.dumps(answer).encode())
    if operation == "SendMessageBatch":
        asked = json.loads(request.body)
        entries, left = _halves(asked["Entries"])
        failed = [{"Id": each["Id"], "Code": "InternalError", "SenderFault": False} for each in left]
        if not entries:
            return Reply(200, {"content-type": "application/x-amz-json-1.0"}, json.dumps({"Failed": failed}).encode())
        reply = server(replace(request, body=json.dumps({**asked, "Entries": entries}).encode()))
        return replace(reply, body=json.dumps({**json.loads(reply.body), "Failed": failed}).encode())
    return None


def _halves(found: list[Any]) -> tuple[list[Any], list[Any]]:
    return found[: len(found) // 2], found[len(found) // 2 :]


def _failed(name: str, what: str) -> Reply:
    if name == "s3":
        return Reply(503, {"content-type": "application/xml"}, b"<Error><Code>SlowDown</Code></Error>")
    if name != "bigin":
        return Reply(500, {"content-type": "application/x-amz-json-1.0"}, b'{"__type": "InternalServerError"}')
    status, code = DENIALS.get(what, (503, "SERVICE_UNAVAILABLE"))
    if not code:
        return Reply(status, {"content-type": "text/html"}, b"" if status == 204 else b"<html>Not found</html>")
    body = f'{{"code": "{code}", "details": {{}}, "message": "", "status": "error"}}'
    return Reply(status, {"content-type": "application/json;charset=UTF-8"}, body.encode())
