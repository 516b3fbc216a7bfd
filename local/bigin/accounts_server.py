"""The Zoho accounts server: handing out and revoking tokens.

The rules are those of "Self client: get access token" and "refresh token usage"; parameters are
taken from the query, a form or multipart alike, as Zoho does.
"""

import math
from collections.abc import Callable, Mapping

from aiohttp import web

from . import answers
from .answers import Answer
from .calls import Handler, answer_under, send
from .state import STATE, State


def add_routes(app: web.Application, own_url: str) -> None:
    """Give the application the accounts server's addresses."""

    def call(name: str, reply: Callable[[State, Mapping[str, str]], Answer]) -> Handler:
        async def handle(request: web.Request) -> web.StreamResponse:
            state = request.app[STATE]
            entry = state.journal.enter(request.method, request.path, name)
            try:
                parameters = await _parameters(request)
                fault = state.faults.strike(name, request.path)
                answer = await answer_under(fault, lambda: reply(state, parameters))
                return await send(request, answer, fault, entry)
            finally:
                state.journal.leave(entry)

        return handle

    token = call("token", lambda state, parameters: hand_out(state, parameters, own_url))
    app.router.add_post("/oauth/v2/token", token)
    app.router.add_post("/oauth/v2/token/revoke", call("revoke", revoke))


def hand_out(state: State, parameters: Mapping[str, str], own_url: str) -> Answer:
    """Answer a token request; a wrong credential is status 200 with an `error`, as recorded."""
    tokens = state.tokens
    known = (tokens.client_id, tokens.client_secret)
    if (parameters.get("client_id"), parameters.get("client_secret")) != known:
        return _accounts_answer(200, {"error": "invalid_client"})
    exchange = parameters.get("grant_type") == "authorization_code"
    if not exchange and parameters.get("grant_type") != "refresh_token":
        return _accounts_answer(200, {"error": "unsupported_grant_type"})
    code = parameters.get("code", "")
    refresh_token = tokens.redeem(code) if exchange else parameters.get("refresh_token")
    if refresh_token not in tokens.refreshes:
        return _accounts_answer(200, {"error": "invalid_code"})
    if tokens.throttled(refresh_token):
        return _throttled()
    body = {
        "access_token": tokens.mint(refresh_token),
        "scope": tokens.refreshes[refresh_token].scope,
        "api_domain": state.settings.api_domain or own_url,
        "token_type": "Bearer",
        "expires_in": math.ceil(state.settings.token_lifetime_s),
    }
    return _accounts_answer(200, body | ({"refresh_token": refresh_token} if exchange else {}))


def revoke(state: State, parameters: Mapping[str, str]) -> Answer:
    """Revoke a refresh token or an access token ("Revoke tokens")."""
    if state.tokens.revoke(parameters.get("token", "")):
        return _accounts_answer(200, {"status": "success"})
    return _accounts_answer(400, {"error": "invalid_code"})


async def _parameters(request: web.Request) -> dict[str, str]:
    form = await request.post()
    fields = {name: value for name, value in form.items() if isinstance(value, str)}
    return dict(request.query) | fields


def _throttled() -> Answer:
    # Recorded in public clients: 400 and these three keys.
    message = "You have made too many requests continuously. Please try again after some time."
    body = {"error": "Access Denied", "error_description": message, "status": "failure"}
    return _accounts_answer(400, body)


def _accounts_answer(status: int, body: object) -> Answer:
    content = answers.json_answer(status, body).content
    headers = (("Content-Type", "application/json;charset=UTF-8"), ("Server", "ZGS"))
    return Answer(status, headers, content)
