"""Reads which version of which object a message of the event queue is about. Pure.

A message is an event of S3, as EventBridge passes it on (S3 User Guide, "EventBridge event message structure"), or an
order of ``bigin-archive announce`` to repeat one.
"""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

REPLAY = "bigin-archive.replay"  # the source of an order to repeat


@dataclass(frozen=True, slots=True)
class StoredVersion:
    """A version of an object; ``version_id`` None means the newest one, if S3 named none."""

    key: str
    version_id: str | None
    replay: bool = False

    def order(self) -> str:
        """The message that repeats the announcement; :func:`read` reads it back, with ``replay``."""
        return json.dumps({"source": REPLAY, "key": self.key, "version_id": self.version_id})


class UnreadableError(Exception):
    """The message is neither; the text says what is missing, and quotes nothing."""


def read(body: str, bucket: str) -> StoredVersion | None:
    """The version that the message is about; None for another bucket or another event. Raises UnreadableError."""
    try:
        event = json.loads(body)
    except (ValueError, RecursionError):
        raise UnreadableError("The message is not JSON.") from None
    if not isinstance(event, dict):
        raise UnreadableError("The message is not a JSON object.")
    if event.get("source") == REPLAY:
        return StoredVersion(_text(event, "key"), _optional(event, "version_id"), replay=True)
    if event.get("source") != "aws.s3" or event.get("detail-type") != "Object Created":
        return None
    detail = _object(event, "detail")
    if _text(_object(detail, "bucket"), "name") != bucket:
        return None
    stored = _object(detail, "object")
    return StoredVersion(_text(stored, "key"), _optional(stored, "version-id"))


def _object(parent: Mapping[str, Any], name: str) -> Mapping[str, Any]:
    value = parent.get(name)
    if not isinstance(value, dict):
        raise UnreadableError(f"The message has no {name}.")
    return value


def _text(parent: Mapping[str, Any], name: str) -> str:
    value = parent.get(name)
    if not isinstance(value, str) or not value:
        raise UnreadableError(f"The message has no {name}.")
    return value


def _optional(parent: Mapping[str, Any], name: str) -> str | None:
    return _text(parent, name) if parent.get(name) else None
