"""The control interface: JSON over HTTP under `/_simulator`, without authorisation.

    GET    /_simulator/attachments            every attachment with size_bytes and sha256
    POST   /_simulator/attachments            {module, record_id, file_name, content_base64 or
                                              size_bytes (+ seed), attachment_id?, content_type?,
                                              disposition?, kind?, link_url?, size_listed?,
                                              created_time?, listed?, count?} -> 201
                                              with its ids
    PATCH  /_simulator/attachments/{id}       {kind}: "gone" takes the bytes away and leaves it in the
                                              lists, "file" brings them back
    DELETE /_simulator/attachments/{id}       really delete it
    POST   /_simulator/records                {module, count?, record_id?, modified_time?}
                                              -> 201 with the ids
    PATCH  /_simulator/records                {module, record_ids, modified_time?} edits them
    DELETE /_simulator/records                {module, record_ids} deletes them
    POST   /_simulator/webhooks               {url, module, record_id, as?, fields?, headers?} sends
                                              a workflow rule's webhook -> 201 {"id"}
    GET    /_simulator/deliveries             notifications and webhooks: counts, log
    POST   /_simulator/faults                 {call?, attachment_id?, record_id?, times?, skip?,
                                              fraction?, seed?, fault: {kind, ...}} -> 201 {"id"}
    GET    /_simulator/faults                 the rules, with how often each matched and fired
    DELETE /_simulator/faults                 no more faults
    GET    /_simulator/calls                  log, counters and high-water marks
    DELETE /_simulator/calls                  count from zero, used credits included
    GET    /_simulator/settings               every switch
    PATCH  /_simulator/settings               {name: value, ...}
    GET    /_simulator/tokens                 how many access and refresh tokens live
    POST   /_simulator/tokens                 {token, lifetime_s?, scope?} adds an access token
    DELETE /_simulator/tokens                 ends every access token
    POST   /_simulator/codes                  {code, lifetime_s?, scope?} adds a grant code
    POST   /_simulator/reset                  back to the seeded state

Added attachments and changed records are told to the notification channels that watch for them.
`as` is json, form, query or multipart; only addresses of this machine are called.
`disposition` null leaves the header out, a string is sent verbatim, absent means the usual form.
`times` null means every matching call; the default is once. `call` is any or one of `fault_rules.CALLS`;
commit is what becomes of an upload. `listed` replaces fields of the attachment as lists show it. The kinds
of faults and their parameters are the classes of `faults.py`. A wrong request is answered with 400 and
{"error": text}.
"""

import asyncio
import base64
import mimetypes
import time
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import asdict
from typing import Any

from aiohttp import web

from . import events
from .account import Attachment, disposition_of, is_id
from .content import BLOCK_BYTES, Content, pseudo_random, sha256_of, stored
from .fault_rules import CALLS, Rule
from .faults import parse_fault
from .state import STATE, State
from .timestamps import iso
from .tokens import GRANT_LIFETIME_S, READING

Reply = Callable[[State, Mapping[str, Any]], Any]


def add_routes(app: web.Application) -> None:
    """Give the application the control addresses."""
    router, root = app.router, "/_simulator"
    router.add_get(root + "/attachments", show_attachments)
    router.add_post(root + "/attachments", _reply(add_attachments, status=201))
    router.add_delete(root + "/attachments/{attachment_id}", delete_attachment)
    router.add_patch(root + "/attachments/{attachment_id}", change_attachment)
    router.add_post(root + "/records", _reply(add_records, status=201))
    router.add_patch(root + "/records", _reply(edit_records))
    router.add_delete(root + "/records", _reply(delete_records))
    router.add_post(root + "/webhooks", _reply(events.send_webhook, status=201))
    router.add_get(root + "/deliveries", _reply(lambda state, _: state.deliveries.as_json()))
    router.add_get(root + "/faults", _reply(show_faults))
    router.add_post(root + "/faults", _reply(add_fault, status=201))
    router.add_delete(root + "/faults", _reply(lambda state, _: state.faults.rules.clear()))
    router.add_get(root + "/calls", _reply(lambda state, _: state.journal.as_json()))
    router.add_delete(root + "/calls", _reply(lambda state, _: state.journal.clear()))
    router.add_get(root + "/settings", _reply(lambda state, _: state.settings.as_json()))
    router.add_patch(root + "/settings", _reply(change_settings))
    router.add_get(root + "/tokens", _reply(lambda state, _: state.tokens.as_json()))
    router.add_post(root + "/tokens", _reply(add_token, status=201))
    router.add_delete(root + "/tokens", _reply(lambda state, _: state.tokens.expiries_s.clear()))
    router.add_post(root + "/codes", _reply(add_code, status=201))
    router.add_post(root + "/reset", _reply(lambda state, _: state.reset()))
    router.add_route("*", root + "/{path:.*}", unknown)


async def show_attachments(request: web.Request) -> web.Response:
    """Show every attachment with its digest; the first time takes as long as hashing does."""
    found = [
        {
            "module": item.module,
            "record_id": item.record_id,
            "attachment_id": item.id,
            "file_name": item.file_name,
            "size_bytes": item.content.size_bytes,
            "sha256": await _digest_of(item.content),
            "kind": item.kind,
            "content_type": item.content_type,
        }
        for item in list(request.app[STATE].account.attachments.values())
    ]
    return web.json_response(found)


async def _digest_of(content: Content) -> str:
    """A large file is hashed beside the answers to other calls; for a small one that takes longer than to hash it."""
    return sha256_of(content) if content.size_bytes <= BLOCK_BYTES else await asyncio.to_thread(sha256_of, content)


async def unknown(request: web.Request) -> web.Response:
    """Refuse an address or a verb that the interface does not have."""
    wrong = f"{request.method} {request.path} is not part of the control interface"
    return web.json_response({"error": wrong}, status=404)


async def delete_attachment(request: web.Request) -> web.Response:
    """Delete one attachment."""
    if request.app[STATE].account.remove(request.match_info["attachment_id"]):
        return web.json_response({})
    return web.json_response({"error": "no such attachment"}, status=404)


async def change_attachment(request: web.Request) -> web.Response:
    """Take the bytes of an attachment away, or bring them back."""
    kind = (await request.json()).get("kind")
    if kind not in ("file", "gone"):
        return web.json_response({"error": "kind must be file or gone"}, status=400)
    if request.app[STATE].account.set_kind(request.match_info["attachment_id"], kind):
        return web.json_response({})
    return web.json_response({"error": "no such attachment"}, status=404)


def add_attachments(state: State, data: Mapping[str, Any]) -> dict[str, str]:
    """Attach as many as are asked for, each to the record named; return the ids of the last."""
    for _ in range(int(data.get("count", 1)) - 1):
        add_attachment(state, data)
    return add_attachment(state, data)


def add_attachment(state: State, data: Mapping[str, Any]) -> dict[str, str]:
    """Attach a file or a link to a record."""
    file_name = str(data["file_name"])
    attachment = Attachment(
        id=str(data.get("attachment_id") or state.account.new_id()),
        module=str(data["module"]),
        record_id=str(data["record_id"]),
        file_name=file_name,
        content=_content(data),
        content_type=str(data.get("content_type", _content_type(file_name))),
        disposition=data.get("disposition", disposition_of(file_name)),
        kind=data.get("kind", "file"),
        link_url=data.get("link_url"),
        size_listed=data.get("size_listed"),
        created_time=data.get("created_time") or iso(time.time()),
        listed=data.get("listed", {}),
    )
    if not is_id(attachment.id):
        raise ValueError(f"attachment_id {attachment.id!r} is not a digit string")
    if attachment.kind not in ("file", "link", "gone"):
        raise ValueError(f"kind {attachment.kind!r} is not file, link or gone")
    record_is_new = attachment.record_id not in state.account.records.get(attachment.module, {})
    state.account.add(attachment)
    if record_is_new or state.settings.attaching_edits:
        events.tell(state, attachment.module, "create" if record_is_new else "edit", [attachment.record_id])
    return {
        "module": attachment.module,
        "record_id": attachment.record_id,
        "attachment_id": attachment.id,
    }


def add_records(state: State, data: Mapping[str, Any]) -> dict[str, Any]:
    """Make records without attachments."""
    given = [str(data["record_id"])] if "record_id" in data else None
    ids = given or [state.account.new_id() for _ in range(int(data.get("count", 1)))]
    for record_id in ids:
        state.account.add_record(str(data["module"]), record_id, data.get("modified_time"))
    events.tell(state, str(data["module"]), "create", ids)
    return {"module": data["module"], "record_ids": ids}


def edit_records(state: State, data: Mapping[str, Any]) -> dict[str, Any]:
    """Edit records."""
    module, edited = str(data["module"]), data.get("modified_time")
    ids = [one for one in data["record_ids"] if state.account.edit_record(module, one, edited)]
    events.tell(state, module, "edit", ids)
    return {"module": module, "record_ids": ids}


def delete_records(state: State, data: Mapping[str, Any]) -> dict[str, Any]:
    """Delete records with their attachments."""
    module = str(data["module"])
    ids = [one for one in data["record_ids"] if state.account.remove_record(module, one)]
    events.tell(state, module, "delete", ids)
    return {"module": module, "record_ids": ids}


def add_fault(state: State, data: Mapping[str, Any]) -> dict[str, int]:
    """Put a fault in force."""
    conditions = {name: value for name, value in data.items() if name != "fault"}
    if unknown := set(conditions) - _CONDITIONS:
        raise ValueError(f"unknown: {', '.join(sorted(unknown))}")
    if conditions.get("call", "any") not in (*CALLS, "any"):
        raise ValueError(f"call {conditions['call']!r} is not any or one of {', '.join(CALLS)}")
    for name in ("times", "skip"):
        value = conditions.get(name)
        if value is not None and (not isinstance(value, int) or value < 0):
            raise ValueError(f"{name} cannot be {value!r}")
    return {"id": state.faults.add(parse_fault(data["fault"]), **conditions).id}


def show_faults(state: State, data: Mapping[str, Any]) -> list[dict[str, Any]]:
    """Show the faults in force."""
    return [_shown(rule) for rule in state.faults.rules]


def change_settings(state: State, data: Mapping[str, Any]) -> dict[str, Any]:
    """Change switches and show them all."""
    state.settings.patch(data)
    return state.settings.as_json()


def add_token(state: State, data: Mapping[str, Any]) -> None:
    """Add an access token."""
    lifetime_s = data.get("lifetime_s", state.settings.token_lifetime_s)
    state.tokens.add(str(data["token"]), lifetime_s, str(data.get("scope", READING)))


def add_code(state: State, data: Mapping[str, Any]) -> None:
    """Add a grant code."""
    lifetime_s = float(data.get("lifetime_s", GRANT_LIFETIME_S))
    state.tokens.add_code(str(data["code"]), lifetime_s, str(data.get("scope", READING)))


_CONDITIONS = {"call", "attachment_id", "record_id", "times", "skip", "fraction", "seed"}


def _reply(reply: Reply, status: int = 200) -> Callable[[web.Request], Awaitable[web.Response]]:
    async def handle(request: web.Request) -> web.Response:
        try:
            data = await request.json() if request.can_read_body else {}
            if not isinstance(data, dict):
                raise ValueError("the body is not a JSON object")
            shown = reply(request.app[STATE], data)
        except KeyError as exc:
            return web.json_response({"error": f"missing: {exc.args[0]}"}, status=400)
        except (TypeError, ValueError) as exc:
            return web.json_response({"error": str(exc)}, status=400)
        return web.json_response({} if shown is None else shown, status=status)

    return handle


def _content(data: Mapping[str, Any]) -> Content:
    if "content_base64" in data:
        return stored(base64.b64decode(data["content_base64"], validate=True))
    if data.get("kind") == "link" and "size_bytes" not in data:
        return stored(b"")
    size_bytes = data["size_bytes"]
    if not isinstance(size_bytes, int) or size_bytes < 0:
        raise ValueError(f"size_bytes cannot be {size_bytes!r}")
    return pseudo_random(size_bytes, str(data.get("seed", 0)))


def _content_type(file_name: str) -> str:
    guessed = mimetypes.guess_type(file_name)[0] or "application/octet-stream"
    return f"{guessed};charset=UTF-8"


def _shown(rule: Rule) -> dict[str, Any]:
    shown = asdict(rule)
    del shown["seen"]
    return shown | {"fault": {"kind": rule.fault.kind, **asdict(rule.fault)}}
