"""The archive request: what to archive, in the form of HTTP bodies and queue messages.

A request never names a host, a URL, a bucket or a key.
"""

import json
import re
from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Self

from bigin_archive.errors import InvalidRequestError

# Bigin API v2, page "Download an attachment", table of modules and their API names.
MODULES = ("Contacts", "Pipelines", "Accounts", "Products", "Tasks", "Events", "Notes")
# Bigin's own screens call the module Accounts like this (same table).
ALIASES = {"Companies": "Accounts"}

MAX_BODY_BYTES = 64 * 1024  # a request takes 200 bytes; the rest is for keys that are ignored
_UNSENDABLE = re.compile("[\ufffe\uffff\ud800-\udfff]")  # SQS API Reference, SendMessage: XML 1.0 characters
_ID = re.compile(r"[0-9]{1,50}")  # Zoho CRM OpenAPI v8, attachments: id, at most 50 characters


@dataclass(frozen=True, slots=True)
class Hints:
    """An attachment as Bigin lists it: its size in bytes, its name, and when it was last changed (ISO 8601).

    Hints are not part of the public request. They are sent beside the body of a message.
    """

    size_bytes: int | None = None
    name: str | None = None
    modified_time: str | None = None


NO_HINTS = Hints()


@dataclass(frozen=True, slots=True)
class ArchiveRequest:
    """One attachment, or with ``attachment_id`` None every attachment of the record.

    ``hints`` are for requests that come from a listing.
    """

    module: str
    record_id: str
    attachment_id: str | None = None
    hints: Hints = NO_HINTS

    @property
    def place(self) -> str:
        """``{module}/{record_id}/{attachment_id}``, unique for each attachment."""
        return f"{self.module}/{self.record_id}/{self.attachment_id}"

    @property
    def ids(self) -> dict[str, str | None]:
        """As logs, answers and events name it."""
        return {"module": self.module, "record_id": self.record_id, "attachment_id": self.attachment_id}

    @classmethod
    def of_place(cls, place: str) -> Self:
        """The inverse of :attr:`place`. Raises ValueError."""
        module, record_id, attachment_id = place.split("/")
        return cls(module, record_id, attachment_id)

    @property
    def without_size(self) -> Self:
        """The same, where Bigin's sizes are not those of the files."""
        return replace(self, hints=replace(self.hints, size_bytes=None))

    def to_json(self) -> str:
        """The body of a queue message. :func:`parse` reads it back, without the hints."""
        body: dict[str, object] = {"module": self.module, "record_id": self.record_id}
        if self.attachment_id is not None:
            body["attachment_id"] = self.attachment_id
        return json.dumps(body)


def parse(body: str | bytes | None) -> ArchiveRequest:
    """Read a request from the JSON text of a body.

    Raises InvalidRequestError. Its detail says what is wrong and how to correct it.
    """
    fields = json_object(body)
    return ArchiveRequest(
        module=module_name(fields.get("module")),
        record_id=identifier("record_id", fields.get("record_id")),
        attachment_id=(identifier("attachment_id", fields["attachment_id"]) if "attachment_id" in fields else None),
    )


def attachment(given: Mapping[str, object]) -> ArchiveRequest:
    """The attachment that ``module``, ``record_id`` and ``attachment_id`` name. Raises InvalidRequestError."""
    return ArchiveRequest(
        module_name(given.get("module")),
        identifier("record_id", given.get("record_id")),
        identifier("attachment_id", given.get("attachment_id")),
    )


def json_object(body: str | bytes | None) -> dict[str, object]:
    """The JSON object that the body holds. Raises InvalidRequestError."""
    if not body:
        raise InvalidRequestError("The body is empty: send a JSON object with module and record_id.")
    if len(body) > MAX_BODY_BYTES:
        raise InvalidRequestError(
            f"The body is longer than {MAX_BODY_BYTES} bytes: send module, record_id and attachment_id only."
        )
    try:
        text = body.decode() if isinstance(body, bytes) else body
        value = json.loads(text)
    except (ValueError, RecursionError):
        # ValueError: malformed JSON, malformed UTF-8 or an endless number. RecursionError: endless nesting.
        raise InvalidRequestError(
            'The body is not valid JSON: send for example {"module": "Contacts", "record_id": "123"}.'
        ) from None
    if _UNSENDABLE.search(text):
        raise InvalidRequestError("The body holds characters that no message can carry (U+FFFE, U+FFFF, surrogates).")
    if not isinstance(value, dict):
        raise InvalidRequestError("The body must be a JSON object with module and record_id.")
    return value


def module_name(value: object) -> str:
    """The API name of a module. Raises InvalidRequestError."""
    if isinstance(value, str):
        name = ALIASES.get(value, value)
        if name in MODULES:
            return name
    raise InvalidRequestError(
        f"module must be one of {', '.join(MODULES)} (or Companies, which Bigin's API calls Accounts)."
    )


def identifier(name: str, value: object) -> str:
    """A record's or attachment's id. Raises InvalidRequestError."""
    if isinstance(value, int | float) and not isinstance(value, bool):
        raise InvalidRequestError(
            f"{name} is a JSON number, which loses digits in many clients: send it as a string in quotes."
        )
    if not isinstance(value, str) or not _ID.fullmatch(value):
        raise InvalidRequestError(f"{name} must be a string of 1 to 50 digits.")
    return value
