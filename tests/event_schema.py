"""The published schema of our events: checked against each event that a test sees, and against the last release.

Run as a program at a release, it writes the copy that the next changes are compared with (CONTRIBUTING.md).
"""

import json
import uuid
from collections.abc import Iterator, Mapping
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

from jsonschema import Draft202012Validator

SCHEMA_FILE = Path(__file__).parents[1] / "docs" / "events" / "attachment-archived-1.json"
RELEASED_FILE = Path(__file__).parent / "vectors" / "released_event.json"


def schema() -> dict[str, Any]:
    found: dict[str, Any] = json.loads(SCHEMA_FILE.read_text(encoding="utf-8"))
    return found


def released() -> dict[str, Any]:
    found: dict[str, Any] = json.loads(RELEASED_FILE.read_text(encoding="utf-8"))
    return found


def check(event: Mapping[str, Any]) -> dict[str, Any]:
    """Check an event of the bus (schema, source, time, id) and return its detail."""
    assert (event["source"], event["detail-type"]) == ("bigin-archive", "AttachmentArchived")
    detail: dict[str, Any] = event["detail"]
    Draft202012Validator(schema()).validate(detail)
    assert datetime.fromisoformat(detail["metadata"]["time"]).utcoffset() == timedelta(0)
    data = detail["data"]
    name = "{bucket}/{key}/{version_id}".format(**data)
    assert detail["metadata"]["id"] == str(uuid.uuid5(uuid.NAMESPACE_URL, name))
    return detail


def breaks(old: Mapping[str, Any], new: Mapping[str, Any], path: str = "") -> Iterator[str]:
    """What in ``new`` would break a consumer that relies on ``old``: a version may only gain fields."""
    for word in ("type", "const", "enum", "format", "pattern", "minimum", "minLength"):
        if old.get(word) != new.get(word):
            yield f"{path or 'detail'}: {word} was {old.get(word)!r}"
    for name in old.get("required", []):
        if name not in new.get("required", []):
            yield f"{path}.{name} may be missing"
    if new.get("additionalProperties") is False:
        yield f"{path or 'detail'} refuses fields that are added later"
    for name, inner in old.get("properties", {}).items():
        if name in new.get("properties", {}):
            yield from breaks(inner, new["properties"][name], f"{path}.{name}")
        else:
            yield f"{path}.{name} is gone"


if __name__ == "__main__":
    RELEASED_FILE.write_text(json.dumps(schema(), indent=2) + "\n", encoding="utf-8")
