"""Bigin's webhooks: who may send them, and which records they name. Pure.

A webhook is only a hint: its ids are validated, and everything else is read from Bigin's API. No body and no query
string is ever logged.
"""

import hmac
import json
import re
from collections.abc import Iterable, Mapping
from contextlib import suppress
from typing import Any
from urllib.parse import parse_qsl, unquote_plus

from bigin_archive import archive_request
from bigin_archive.api import gateway
from bigin_archive.archive_request import MAX_BODY_BYTES, ArchiveRequest
from bigin_archive.errors import InvalidRequestError, UnauthorizedError

MAX_CHANNEL_ID = 20  # digits; a 64-bit number has at most 20
MAX_FIELDS = 100  # of a form
_FORM = "application/x-www-form-urlencoded"
_IDS = ("record_id", "id")
# Frameworks name the entries of a list in a form like this: ids[], ids[0], ids[0][id].
_LIST_ENTRY = re.compile(r"ids(?:\[[0-9]*\])?(?:\[id\])?")
_BOUNDARY = re.compile(r';\s*boundary\s*=\s*(?:"([^"]{1,70})"|([^\s";]{1,70}))', re.IGNORECASE)
_PART_NAME = re.compile(
    rb'^content-disposition\s*:\s*form-data\b(?:"[^"\r\n]*"|[^"\r\n])*?;\s*name\s*=\s*(?:"([^"\r\n]*)"|([^\s";]+))',
    re.IGNORECASE | re.MULTILINE,
)
_FORM_BEGINS = re.compile(r"[A-Za-z0-9_.%\[\]-]{1,50}=")  # no JSON begins like this
MAX_RECORDS = 1000  # ids in one notification; Bigin publishes no number

_HOW_TO_SEND = (
    "Send the stack's webhook secret in the header X-Webhook-Secret, in the query parameter secret, "
    "or in the body field token."
)


def presented_secret(event: gateway.Event) -> str:
    """The secret that the caller sent: the first place with a value decides. Empty if there is none."""
    if value := gateway.header(event, "X-Webhook-Secret"):
        return value
    if value := _query(event).get("secret"):
        return str(value)
    try:
        token: object = _fields(event).get("token")
    except InvalidRequestError:
        return ""
    return token if isinstance(token, str) else ""


def authenticate(presented: str, accepted: Iterable[str]) -> None:
    """Raise UnauthorizedError unless ``presented`` is one of the ``accepted`` secrets (constant time)."""
    matches = [
        hmac.compare_digest(presented.encode(errors="surrogatepass"), secret.encode()) for secret in accepted if secret
    ]
    if not presented or not any(matches):
        raise UnauthorizedError(f"The webhook secret is missing or wrong. {_HOW_TO_SEND}")


def secret_in(text: str | None) -> str:
    """The ``webhook_secret`` in the JSON text of a secret; empty if there is none."""
    try:
        stored = json.loads(text or "")
    except (ValueError, RecursionError):
        return ""
    value = stored.get("webhook_secret") if isinstance(stored, dict) else None
    return value if isinstance(value, str) else ""


def is_deletion(event: gateway.Event) -> bool:
    """Whether the webhook announces a deletion in Bigin. The archive deletes nothing for it."""
    return str(_fields_and_query(event).get("operation")).lower() == "delete"


def channel_id(event: gateway.Event) -> str | None:
    """The id of the notification channel that sent the webhook; None for a workflow rule."""
    value = str(_fields_and_query(event).get("channel_id", ""))
    return value if value.isascii() and value.isdigit() and len(value) <= MAX_CHANNEL_ID else None


def requests_in(event: gateway.Event) -> list[ArchiveRequest]:
    """The records (or the attachment) in the webhook, each once.

    JSON, form fields or query parameters: ``module``, one of ``ids`` (list), ``record_id``, ``id``, and
    ``attachment_id`` if it has one. Raises InvalidRequestError.
    """
    fields = _fields_and_query(event)
    module = archive_request.module_name(fields.get("module"))
    attachment_id = fields.get("attachment_id")
    if attachment_id is not None:
        attachment_id = archive_request.identifier("attachment_id", attachment_id)
    record_ids = _listed(fields.get("ids")) or _each(fields.get("record_id", fields.get("id")))
    if not 1 <= len(record_ids) <= MAX_RECORDS:
        raise InvalidRequestError(f"ids must name 1 to {MAX_RECORDS} records.")
    unique = dict.fromkeys(archive_request.identifier("record_id", value) for value in record_ids)
    return [ArchiveRequest(module, record_id, attachment_id) for record_id in unique]


def _listed(ids: object) -> list[object]:
    """The entries of ``ids``: a list, or its text with commas or as JSON. Empty merge fields are left out."""
    if isinstance(ids, str) and ids.startswith("["):
        with suppress(ValueError, RecursionError):
            ids = json.loads(ids)
    if isinstance(ids, str):
        ids = [part.strip() for part in ids.split(",")]
    entries = ids if isinstance(ids, list) else [ids]
    return [entry for entry in entries if entry not in (None, "", "null")]


def _fields_and_query(event: gateway.Event) -> dict[str, Any]:
    """All fields; those of the body win over those of the query. Empty and null merge fields are left out."""
    merged = {**_query(event), **_filled(_fields(event))}
    return _filled(merged)


def _filled(fields: Mapping[str, Any]) -> dict[str, Any]:
    return {name: value for name, value in fields.items() if value not in (None, "", "null")}


def _query(event: gateway.Event) -> dict[str, Any]:
    if repeated := event.get("multiValueQueryStringParameters"):
        return _merged((name, value) for name, values in repeated.items() for value in values)
    return _merged((event.get("queryStringParameters") or {}).items())


def _fields(event: gateway.Event) -> dict[str, Any]:
    content = gateway.body(event)
    if not content:
        return {}
    if len(content) > MAX_BODY_BYTES:
        raise InvalidRequestError(f"The body is longer than {MAX_BODY_BYTES} bytes.")
    content_type = gateway.header(event, "Content-Type") or ""
    media = content_type.partition(";")[0].strip().lower()
    if media == "multipart/form-data":
        return _merged(
            _parts(content_type, content if isinstance(content, bytes) else content.encode(errors="replace"))
        )
    text = (content if isinstance(content, str) else content.decode(errors="replace")).lstrip("\ufeff\t\r\n ")
    # Some programs give a form no type, or that of plain text.
    if media != _FORM and (media not in ("", "text/plain") or not _FORM_BEGINS.match(text)):
        return archive_request.json_object(text)
    # curl -d and others send JSON with the content type of forms, plain or encoded. The brace shows it. Some make it
    # the name of a field without a value, which ends in an equals sign.
    plain = text if text.startswith("{") else unquote_plus(text) if text[:3].upper() == "%7B" else None
    if plain is not None:
        return archive_request.json_object(re.sub(r"\}\s*=\s*$", "}", plain))
    try:
        return _merged(parse_qsl(text.strip(), keep_blank_values=True, max_num_fields=MAX_FIELDS))
    except ValueError:
        raise InvalidRequestError(f"The form has more than {MAX_FIELDS} fields.") from None


def _parts(content_type: str, raw: bytes) -> list[tuple[str, str]]:
    """Names and values of a multipart form (RFC 7578); malformed parts are left out.

    Read by hand, because Python's email package may raise anything for a malformed header.
    """
    boundary = _BOUNDARY.search(content_type)
    if not boundary:
        return []
    found = []
    for part in raw.split(b"--" + (boundary[1] or boundary[2]).encode(errors="replace"))[1 : MAX_FIELDS + 1]:
        head, *body = re.split(rb"\r?\n\r?\n", part, maxsplit=1)
        if body and (name := _PART_NAME.search(head)):
            key = name[1] if name[1] is not None else name[2]
            found.append((key.decode(errors="replace"), body[0].decode(errors="replace").strip()))
    return found


def _merged(pairs: Iterable[tuple[str, Any]]) -> dict[str, Any]:
    """One value for each name, the last one. For ``ids`` all values, also from a list with commas.

    A ``record_id`` or ``id`` that comes several times is a tuple: each names a record.
    """
    merged: dict[str, Any] = {}
    ids: list[str] = []
    for name, value in pairs:
        before = merged.get(name) if name in _IDS else None
        merged[name] = (*_each(before), *filter(None, [value])) if before else value
        if _LIST_ENTRY.fullmatch(name):
            ids += [str(entry) for entry in _listed(value)]
    if ids:
        merged["ids"] = ids
    return merged


def _each(value: object) -> tuple[object, ...]:
    return value if isinstance(value, tuple) else (value,)
