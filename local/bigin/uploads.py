"""Uploads: what Bigin takes as an attachment, what it refuses, and what becomes of it.

"Upload an attachment" (Bigin v2); the answers are those of the platform's specification of attachments, the limits
those that public clients of Bigin keep to. Where nothing is published, a switch or a fault decides.
"""

import asyncio
import re
import time
from collections.abc import AsyncIterator
from dataclasses import dataclass, replace
from typing import Any

from aiohttp import BodyPartReader, web

from . import answers, events
from .account import OWNER, Attachment, Record, disposition_of
from .answers import Answer
from .content import stored
from .faults import Altered, Deferred, Hidden, RecordDeleted
from .state import State
from .timestamps import iso

LONGEST_NAME, LONGEST_URL = 250, 3000  # characters (platform specification, attachments)
LONGEST_TITLE = 255
# As browsers write it: the name as it is in UTF-8, its quotation marks and line breaks percent-encoded.
_NAME = re.compile(r'(?:^|;)\s*name="([^"]*)"')
_FILE_NAME = re.compile(r'(?:^|;)\s*filename="([^"]*)"')


@dataclass(frozen=True, slots=True)
class _Part:
    """One part of the form; `file_name` is None for a field."""

    name: str
    file_name: str | None
    content_type: str
    data: bytes


async def upload(state: State, request: web.Request, record: Record) -> Answer:
    """Attach the file or the link that the form holds, or say why not."""
    try:
        parts = {part.name: part async for part in _parts(request)}
    except (ValueError, AssertionError):  # what aiohttp raises for a body that is no such form
        return _no_form()
    file, url = parts.get("file"), parts.get("attachmentUrl")
    if file is not None and file.file_name:
        made = _file(state, record, file)
    elif url is not None or "attachmentUrl" in request.query:
        # One version of the specification has fields of the form, another parameters of the query.
        title = parts["title"].data.decode() if "title" in parts else request.query.get("title", "")
        address = url.data.decode() if url else request.query["attachmentUrl"]
        made = _link(state, record, address, title)
    else:
        return _no_form()
    return made if isinstance(made, Answer) else await _commit(state, request, record, made)


async def _parts(request: web.Request) -> AsyncIterator[_Part]:
    reader = await request.multipart()
    while (part := await reader.next()) is not None:
        if not isinstance(part, BodyPartReader):
            raise ValueError("a form inside the form")
        disposition = part.headers.get("Content-Disposition", "")
        name, file_name = _NAME.search(disposition), _FILE_NAME.search(disposition)
        yield _Part(
            name[1] if name else "",
            _unescaped(file_name[1]) if file_name else None,
            part.headers.get("Content-Type", "application/octet-stream"),
            bytes(await part.read()),
        )


def _unescaped(name: str) -> str:
    for escaped, character in (("%22", '"'), ("%0D", "\r"), ("%0A", "\n")):
        name = name.replace(escaped, character)
    return name


def _file(state: State, record: Record, part: _Part) -> Attachment | Answer:
    settings, name, size = state.settings, part.file_name or "", len(part.data)
    extension = name.rpartition(".")[2].lower()
    if size > settings.upload_limit_bytes:
        status, code = settings.upload_limit_status, settings.upload_limit_code
        return answers.error(status, code, "The size of the file is more than the allowed size")
    if extension in settings.refused_extensions.split(","):
        return answers.error(400, "INVALID_FILE_EXTENSION", "the given file extension is not allowed")
    if len(name) > LONGEST_NAME or any(ord(character) < 32 for character in name):
        return answers.error(400, "INVALID_FILE_NAME", "the given file name is not allowed")
    if not size and not settings.empty_uploads:
        return answers.error(400, "EMPTY_FILE_NOT_ALLOWED", "the given file is empty")
    used = sum(one.content.size_bytes for one in state.account.attachments.values())
    if settings.storage_bytes is not None and used + size > settings.storage_bytes:
        return answers.error(400, "STORAGE_LIMIT_EXCEEDED", "the file storage of the organisation is used up")
    return _attachment(state, record, name, content=stored(part.data), content_type=part.content_type)


def _link(state: State, record: Record, url: str, title: str) -> Attachment | Answer:
    if not re.match(r"[a-z][a-z0-9+.-]*://[^/\s]+", url, re.IGNORECASE) or len(url) > LONGEST_URL:
        return answers.error(400, "INVALID_URL_PATTERN", "the given attachment URL is incorrect")
    if len(title) > LONGEST_TITLE:
        return answers.error(400, "INVALID_DATA", "invalid data", {"api_name": "title", "maximum_length": 255})
    return _attachment(state, record, title or url, content_type="text/html", kind="link", link_url=url)


def _attachment(state: State, record: Record, name: str, **more: Any) -> Attachment:
    given: dict[str, Any] = {"content": stored(b"")} | more
    return Attachment(
        id=state.account.new_id(),
        module=record.module,
        record_id=record.id,
        file_name=name,
        disposition=disposition_of(name),
        created_time=iso(time.time()),
        **given,
    )


async def _commit(state: State, request: web.Request, record: Record, made: Attachment) -> Answer:
    fault = state.faults.strike("commit", request.path, record.id)
    match fault:
        case RecordDeleted():
            state.account.remove_record(record.module, record.id)
            return answers.unknown_record()
        case Deferred(seconds):
            asyncio.get_running_loop().call_later(seconds, _attach, state, made)
            if request.transport is not None:
                request.transport.abort()
            return answers.nothing()
        case Altered(file_name, content, size_listed):
            name = made.file_name if file_name is None else file_name
            data = made.content.read()
            data = bytes([data[0] ^ 1]) + data[1:] if content and data else data
            made = replace(
                made, file_name=name, disposition=disposition_of(name), content=stored(data), size_listed=size_listed
            )
        case Hidden(lists):
            state.account.hidden[made.id] = lists
    _attach(state, made)
    details = {
        "id": made.id,
        "Created_Time": made.created_time,
        "Modified_Time": made.created_time,
        "Created_By": {name: OWNER[name] for name in ("id", "name")},
        "Modified_By": {name: OWNER[name] for name in ("id", "name")},
    }
    message = "attachment uploaded successfully"
    item = {"code": "SUCCESS", "details": details, "message": message, "status": "success"}
    return answers.json_answer(state.settings.upload_status, {"data": [item]})


def _attach(state: State, made: Attachment) -> None:
    if made.record_id not in state.account.records[made.module]:
        return
    state.account.add(made)
    if state.settings.attaching_edits:
        events.tell(state, made.module, "edit", [made.record_id])


def _no_form() -> Answer:
    message = "unable to process your request. please verify whether you have entered proper method name, parameter"
    return answers.error(400, "INVALID_REQUEST", message, {"expected_type": "Multipart Form Request"})
