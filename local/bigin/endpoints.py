"""The addresses of the Bigin v2 API that the simulator answers, and what each answers.

Attachments can be read and added; deletions are left to the control interface.
"""

import json
from collections.abc import Iterable, Mapping
from typing import Any

from aiohttp import web

from . import answers, listing, uploads
from .account import MODULES, Record
from .answers import Answer
from .calls import api_call
from .journal import Call
from .state import STATE, State
from .watches import RESOURCE_IDS

UNSUPPORTED_MODULES = ("Documents", "Projects", "Social")
EMPTY_MODULES = ("Calls", "Associated_Products")  # known to v2, without attachments there


def add_routes(app: web.Application) -> None:
    """Give the application the API's addresses; every other one below it is unknown."""
    v2 = "/bigin/v2"
    module_records = v2 + "/{module}"
    attachments = module_records + "/{record_id}/Attachments"
    router = app.router
    router.add_route("*", v2 + "/settings/modules", api_call("other", modules))
    router.add_route("*", v2 + "/org", api_call("other", organisation))
    watch = api_call("other", watches, methods=("GET", "POST", "DELETE"))
    router.add_route("*", v2 + "/actions/watch", watch)
    router.add_route("*", v2 + "/Attachments", api_call("records", all_attachments))
    router.add_route("*", attachments + "/{attachment_id}", api_call("download", download))
    router.add_route("POST", attachments, api_call("upload", upload, methods=("POST",)))
    router.add_route("*", attachments, api_call("list", attachments_of_record))
    router.add_route("*", module_records + "/{record_id}", api_call("other", record_by_id))
    router.add_route("*", module_records, api_call("records", records))
    router.add_route("*", "/{path:.*}", unknown_path)


def download(state: State, request: web.Request) -> Answer:
    """Answer "Download an attachment"."""
    record = _record(state, request)
    if isinstance(record, Answer):
        return record
    attachment = record.attachments.get(request.match_info["attachment_id"])
    if attachment is None or attachment.kind == "gone":
        return answers.nothing()
    return answers.linked() if attachment.kind == "link" else answers.file(attachment)


def attachments_of_record(state: State, request: web.Request) -> Answer:
    """Answer "Get attachments" of one record."""
    record = _record(state, request)
    if isinstance(record, Answer):
        return record
    return _listing(state, request, (item.fields(record.name) for item in state.account.shown(record)))


async def upload(state: State, request: web.Request) -> Answer:
    """Answer "Upload an attachment" to a record."""
    record = _record(state, request)
    if isinstance(record, Answer):
        return record
    return await uploads.upload(state, request, record)


def all_attachments(state: State, request: web.Request) -> Answer:
    """Answer "Get records" of the module Attachments, which is documented nowhere: a switch."""
    if state.settings.module_attachments == "off":
        return answers.unknown_module()
    if state.settings.module_attachments == "204":
        return answers.nothing()
    return _listing(
        state, request, (item.fields(state.account.record_of(item).name) for item in state.account.attachments.values())
    )


def records(state: State, request: web.Request) -> Answer:
    """Answer "Get records" of a module."""
    module = request.match_info["module"]
    if module in EMPTY_MODULES:
        return _listing(state, request, ())
    if module not in MODULES:
        return _not_a_module(module)
    rows = [record.fields() for record in state.account.records[module].values()]
    if listing.unchanged_since(rows, request.headers.get("If-Modified-Since")):
        return Answer(304, answers.SERVER_HEADERS, answers.nothing().content)
    return _listing(state, request, rows)


def record_by_id(state: State, request: web.Request) -> Answer:
    """Answer "Get a record": an id that is missing or deleted is 204, never 404, as recorded."""
    record = _record(state, request)
    if isinstance(record, Answer):
        known = request.match_info["module"] in (*MODULES, *EMPTY_MODULES)
        return answers.nothing() if known else record
    return answers.json_answer(200, {"data": [record.fields()]})


def modules(state: State, request: web.Request) -> Answer:
    """Answer "Get modules" with the flags recorded in October 2026."""
    return answers.json_answer(200, {"modules": [_module(*row) for row in _MODULES]})


def organisation(state: State, request: web.Request) -> Answer:
    """Answer "Get organisation"."""
    organisation = {
        "id": "5570213000000000001",
        "company_name": "Harbour Lane Trading",
        "primary_email": "office@example.com",
        "time_zone": "Europe/Istanbul",
        "iso_code": "EUR",
        "country_code": "IS",
    }
    return answers.json_answer(200, {"org": [organisation]})


async def watches(state: State, request: web.Request) -> Answer:
    """Answer "Enable", "Get details of" and "Disable notifications"."""
    if request.method == "GET":
        return state.watches.listing()
    if request.method == "DELETE":
        channel_ids = request.query.get("channel_ids")
        missing = answers.missing_parameter("channel_ids")
        return state.watches.end(channel_ids) if channel_ids else missing
    try:
        return state.watches.subscribe(json.loads(await request.read()))
    except ValueError:
        return answers.error(400, "INVALID_DATA", "body must be valid JSON")


async def unknown_path(request: web.Request) -> web.StreamResponse:
    """Answer an address that is none of Bigin's; it is logged and costs nothing."""
    answer = answers.unknown_path()
    entry: Call = request.app[STATE].journal.enter(request.method, request.path, "other")
    entry.status = answer.status
    request.app[STATE].journal.leave(entry)
    headers, body = answer.headers, answer.content.read()
    return web.Response(status=answer.status, headers=headers, body=body)


def _record(state: State, request: web.Request) -> Record | Answer:
    module = request.match_info["module"]
    if module not in MODULES and module not in EMPTY_MODULES:
        return _not_a_module(module)
    record = state.account.records.get(module, {}).get(request.match_info["record_id"])
    return answers.unknown_record() if record is None else record


def _not_a_module(module: str) -> Answer:
    unsupported = module in UNSUPPORTED_MODULES
    return answers.unsupported_module() if unsupported else answers.unknown_module()


def _listing(state: State, request: web.Request, rows: Iterable[Mapping[str, Any]]) -> Answer:
    accepts_gzip = "gzip" in request.headers.get("Accept-Encoding", "")
    return listing.listing(list(rows), request.query, state.settings, accepts_gzip=accepts_gzip)


_MODULES = (
    # api_name, module_name, plural_label, id, api_supported, visible, triggers and filter
    ("Contacts", "Contacts", "Contacts", RESOURCE_IDS["Contacts"], True, True, True),
    ("Accounts", "Accounts", "Companies", RESOURCE_IDS["Accounts"], True, True, True),
    ("Pipelines", "Pipelines", "Pipelines", RESOURCE_IDS["Pipelines"], True, True, True),
    ("Tasks", "Tasks", "Tasks", RESOURCE_IDS["Tasks"], True, True, True),
    ("Events", "Events", "Events", RESOURCE_IDS["Events"], True, True, True),
    ("Calls", "Calls", "Calls", RESOURCE_IDS["Calls"], True, True, True),
    ("Products", "Products", "Products", RESOURCE_IDS["Products"], True, True, True),
    ("Social", "Social", "Social", "7618134000000065001", False, True, False),
    ("Associated_Products", "LinkingModule1", "Associated Products", "7618134000000628012", True,
     True, False),
    ("Notes", "Notes", "Notes", "7618134000000002197", True, False, False),
    ("Attachments", "Attachments", "Attachments", "7618134000000002227", True, False, False),
)  # fmt: skip


def _module(
    api_name: str, name: str, label: str, module_id: str, api: bool, visible: bool, events: bool
) -> dict[str, Any]:
    return {
        "id": module_id,
        "api_name": api_name,
        "module_name": name,
        "plural_label": label,
        "api_supported": api,
        "visible": visible,
        "viewable": True,
        "creatable": True,
        "editable": api_name != "Attachments",
        "deletable": True,
        "triggers_supported": events,
        "filter_supported": events,
        "global_search_supported": api_name != "Attachments",
    }
