"""The event ``AttachmentArchived``: public interface, described by docs/events/attachment-archived-1.json. Pure."""

import json
import uuid
from dataclasses import dataclass
from typing import Any

from bigin_archive.storage.archived_object import ArchivedObject

SOURCE = "bigin-archive"
DETAIL_TYPE = "AttachmentArchived"
VERSION = "1"  # of the schema, which may only gain fields


@dataclass(frozen=True, slots=True)
class AttachmentEvent:
    """One event; ``event_id`` is the same whenever the same version is announced."""

    event_id: str
    detail: dict[str, Any]

    def entry(self, bus: str) -> dict[str, str]:
        """The event as EventBridge accepts it (EventBridge API Reference, PutEvents)."""
        detail = json.dumps(self.detail, ensure_ascii=False)
        return {"Source": SOURCE, "DetailType": DETAIL_TYPE, "Detail": detail, "EventBusName": bus}


def event_id(bucket: str, key: str, version_id: str) -> str:
    """The id of the event for this version: a name-based UUID (RFC 9562, version 5)."""
    return str(uuid.uuid5(uuid.NAMESPACE_URL, f"{bucket}/{key}/{version_id}"))


def of(found: ArchivedObject, bucket: str, stack: str, *, replay: bool) -> AttachmentEvent | None:
    """The event for an object in S3.

    None for an object that this application did not store, or that has no version or SHA-256.
    """
    request = found.request
    if not found.is_ours or request is None or found.version_id is None or found.sha256 is None:
        return None
    identity = event_id(bucket, found.key, found.version_id)
    metadata = {
        "id": identity,
        "version": VERSION,
        "time": found.modified_at,
        "stack": stack,
        "replay": replay,
    }
    data = {
        "kind": "link" if found.is_link else "file",
        **request.ids,
        "bucket": bucket,
        "key": found.key,
        "version_id": found.version_id,
        "size_bytes": found.size_bytes,
        "sha256": found.sha256,
        "content_type": found.content_type,
    }
    return AttachmentEvent(identity, {"metadata": metadata, "data": data})
