"""The course of one API call: method, token, limits, fault, answer, sending.

The endpoints decide what is answered; this module passes them authorised calls only.
"""

import asyncio
import contextlib
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, replace

from aiohttp import web

from . import answers
from .account import MODULES
from .answers import Answer
from .content import BLOCK_BYTES
from .faults import Canned, Delay, Drip, Fault, Late, ResetBeforeHeaders, Stall
from .journal import Call
from .state import STATE, State
from .timestamps import iso
from .wire import play, script_of

SCHEME = "Zoho-oauthtoken "
TICKS_PER_SECOND = 20  # pieces of a slowed body
CREDITS_SHOWN_FROM = 0.5  # of the daily credits ("API limits" of the CRM documentation)

Endpoint = Callable[[State, web.Request], Answer | Awaitable[Answer]]
Handler = Callable[[web.Request], Awaitable[web.StreamResponse]]


@dataclass(slots=True)
class _Course:
    """One call on its way to an answer."""

    state: State
    request: web.Request
    entry: Call
    expiry_s: float | None = None


def api_call(call: str, endpoint: Endpoint, methods: tuple[str, ...] = ("GET",)) -> Handler:
    """Return the handler of one API address; `call` is the name faults and the journal use."""

    async def handle(request: web.Request) -> web.StreamResponse:
        state = request.app[STATE]
        journal = state.journal
        attachment_id = request.match_info.get("attachment_id")
        entry = journal.enter(request.method, request.path, call, attachment_id)
        course = _Course(state, request, entry)
        try:
            refusal = _refusal(course, methods)
            if refusal is not None:
                return await send(request, refusal, None, entry)
            fault = await _fault(course)
            answer = await answer_under(fault, lambda: endpoint(state, request))
            if not isinstance(fault, Canned):
                answer = _with_state_headers(answer, course)
            if fault is None and state.settings.bytes_per_second:
                fault = Drip(state.settings.bytes_per_second)
            return await send(request, answer, fault, entry)
        finally:
            journal.leave(entry)

    return handle


async def answer_under(fault: Fault | None, endpoint: Callable[[], Answer | Awaitable[Answer]]) -> Answer:
    """Return the endpoint's answer, or the one a fault puts in its place, after its delay."""
    if isinstance(fault, Canned):
        return answers.canned(fault.status, fault.headers, fault.body)
    if isinstance(fault, Delay) or (isinstance(fault, Stall) and fault.phase == "before-headers"):
        await asyncio.sleep(fault.seconds)
    answer = endpoint()
    answer = answer if isinstance(answer, Answer) else await answer
    if isinstance(fault, Late):
        await asyncio.sleep(fault.seconds)
    return answer


async def send(request: web.Request, answer: Answer, fault: Fault | None, entry: Call) -> web.StreamResponse:
    """Send an answer, under a fault if there is one.

    Nothing waits after the last byte: a client that has read an answer no longer counts as calling.
    """
    entry.fault = None if fault is None else fault.kind
    entry.status = None if isinstance(fault, ResetBeforeHeaders) else answer.status
    script = None if fault is None else script_of(fault, answer.content)
    if script is not None:
        return await play(request, answer, script)
    bytes_per_second = fault.bytes_per_second if isinstance(fault, Drip) else None
    if answer.content.size_bytes > BLOCK_BYTES or bytes_per_second:
        return await _stream(request, answer, bytes_per_second)
    response = web.Response(status=answer.status, headers=answer.headers, body=answer.content.read())
    if answer.chunked:
        response.enable_chunked_encoding()
    if answer.gzip:
        response.enable_compression(web.ContentCoding.gzip)
    return response


def _refusal(course: _Course, methods: tuple[str, ...]) -> Answer | None:
    settings, journal = course.state.settings, course.state.journal
    if course.request.method not in methods:
        return answers.wrong_method()
    authorization = course.request.headers.get("Authorization", "")
    if not authorization.startswith(SCHEME):
        return answers.wrong_scheme()
    token = authorization.removeprefix(SCHEME).strip()
    journal.count_token(token)
    course.expiry_s = course.state.tokens.expiry_s(token)
    if course.expiry_s is None:
        return answers.invalid_token()
    if settings.no_bigin:
        return answers.log_in_page() if settings.no_bigin == "html" else answers.scope_mismatch(401)
    if journal.concurrent() > settings.concurrency_limit:
        return answers.too_many_calls(settings.rate_limit_code, at_once=True)
    if settings.daily_credits is not None and journal.credits_used >= settings.daily_credits:
        return answers.too_many_calls(settings.rate_limit_code)
    journal.credits_used += 1
    if settings.scope_mismatch_status and course.entry.call in ("list", "download"):
        return answers.scope_mismatch(settings.scope_mismatch_status)
    operation = {"list": "READ", "download": "READ", "upload": "CREATE"}.get(course.entry.call)
    module = course.request.match_info.get("module")
    if operation and not course.state.tokens.may(token, operation, module if module in MODULES else None):
        return answers.scope_mismatch(settings.scope_mismatch_status or 401)
    if course.entry.attachment_id is not None:
        journal.downloads[course.entry.attachment_id] += 1
    return None


async def _fault(course: _Course) -> Fault | None:
    if course.state.settings.latency_s:
        await asyncio.sleep(course.state.settings.latency_s)
    ids = course.request.match_info
    return course.state.faults.strike(
        course.entry.call, course.request.path, ids.get("record_id"), ids.get("attachment_id")
    )


def _with_state_headers(answer: Answer, course: _Course) -> Answer:
    headers = answer.headers
    if course.expiry_s is not None:
        headers += (("x-accesstoken-reset", iso(course.expiry_s)),)
    budget, used = course.state.settings.daily_credits, course.state.journal.credits_used
    if budget is not None and used >= budget * CREDITS_SHOWN_FROM:
        headers += (("X-API-CREDITS-REMAINING", str(budget - used)),)
    return replace(answer, headers=headers)


async def _stream(request: web.Request, answer: Answer, bytes_per_second: int | None) -> web.StreamResponse:
    response = web.StreamResponse(status=answer.status, headers=answer.headers)
    response.content_length = answer.content.size_bytes
    with contextlib.suppress(ConnectionError):  # a client may hang up at any time
        await response.prepare(request)
        for block in answer.content.blocks():
            step = len(block) if bytes_per_second is None else max(1, bytes_per_second // TICKS_PER_SECOND)
            for start in range(0, len(block), step):
                piece = block[start : start + step]
                if bytes_per_second is not None:
                    await asyncio.sleep(len(piece) / bytes_per_second)
                await response.write(piece)
    return response
