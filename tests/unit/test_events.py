"""Events: what a message tells of, what is announced, and the published schema."""

import copy
import json
from dataclasses import replace
from typing import Any

import pytest

from bigin_archive.events import attachment_event, stored_version
from bigin_archive.events.stored_version import StoredVersion, UnreadableError
from bigin_archive.storage.archived_object import ArchivedObject
from tests.event_schema import breaks, check, released, schema
from tests.vectors import load

FOUND = ArchivedObject(
    key="bigin/Contacts/1/2/Müller & Söhne.pdf",
    path="Contacts/1/2/Müller & Söhne.pdf",
    size_bytes=5,
    sha256="ab" * 32,
    version_id="v1",
    modified_at="2026-01-31T09:30:00.000+00:00",
    content_type="application/pdf",
    claimed="Contacts/1/2",
)


def on_the_bus(found: ArchivedObject = FOUND, *, replay: bool = False) -> dict[str, Any]:
    """The event as a consumer gets it."""
    event = attachment_event.of(found, "archive", "the-stack", replay=replay)
    assert event
    entry = event.entry("bus")
    return {"source": entry["Source"], "detail-type": entry["DetailType"], "detail": json.loads(entry["Detail"])}


@pytest.mark.parametrize("vector", load("stored_versions"))
def test_what_a_message_tells_of(vector: dict[str, Any]) -> None:
    """A message is S3's event or an order to repeat. Any other raises an error that does not quote it."""
    message = vector["message"]
    body = message if isinstance(message, str) else json.dumps(message)

    if vector.get("error"):
        with pytest.raises(UnreadableError):
            stored_version.read(body, "archive")
    else:
        expected = vector["expected"]
        assert (StoredVersion(**expected) if expected else None) == stored_version.read(body, "archive")


def test_an_order_reads_back() -> None:
    """What the command line queues is what the function reads."""
    version = StoredVersion("bigin/Notes/1/2/a b.pdf", "v1", replay=True)

    assert stored_version.read(version.order(), "archive") == version


def test_an_event_is_as_published() -> None:
    """Schema, id, and what stands for the attachment, with names as they are."""
    detail = check(on_the_bus())

    assert detail["metadata"] == {
        "id": "694ead38-15dd-527c-8a6d-753fde6e4b2a",
        "version": "1",
        "time": FOUND.modified_at,
        "stack": "the-stack",
        "replay": False,
    }
    assert detail["data"] == {
        "kind": "file",
        "module": "Contacts",
        "record_id": "1",
        "attachment_id": "2",
        "bucket": "archive",
        "key": FOUND.key,
        "version_id": "v1",
        "size_bytes": 5,
        "sha256": "ab" * 32,
        "content_type": "application/pdf",
    }


def test_a_repeated_event_differs_in_one_field() -> None:
    """A repeated event has the same id and data, and says ``replay``."""
    first, again = on_the_bus(), on_the_bus(replay=True)

    again["detail"]["metadata"]["replay"] = False
    assert first == again


def test_a_links_shortcut_is_told_as_one() -> None:
    """A consumer can leave shortcuts out by ``kind``."""
    assert check(on_the_bus(replace(FOUND, is_link=True)))["data"]["kind"] == "link"


@pytest.mark.parametrize(
    "changed",
    [
        {"claimed": None},
        {"claimed": "Contacts/1/3"},
        {"path": "Contacts/1/a.pdf"},
        {"path": "_index/manifest.csv"},
        {"sha256": None},
        {"version_id": None},
    ],
    ids=["a stranger's", "another attachment's", "elsewhere", "a report", "without a checksum", "without a version"],
)
def test_what_the_archive_path_did_not_store_is_not_announced(changed: dict[str, Any]) -> None:
    """An object that the archive path did not store makes no event."""
    assert attachment_event.of(replace(FOUND, **changed), "archive", "the-stack", replay=False) is None


def test_the_schema_only_gains_fields() -> None:
    """The schema of the last release still accepts the events."""
    assert list(breaks(released(), schema())) == []


@pytest.mark.parametrize(
    "change",
    [
        lambda data: data["properties"].pop("sha256"),
        lambda data: data["required"].remove("sha256"),
        lambda data: data["properties"]["size_bytes"].update(type="string"),
        lambda data: data["properties"]["kind"]["enum"].append("folder"),
        lambda data: data["properties"]["record_id"].pop("pattern"),
        lambda data: data.update(additionalProperties=False),
    ],
    ids=["field gone", "field optional", "other type", "new value", "looser pattern", "closed"],
)
def test_a_breaking_change_is_noticed(change: Any) -> None:
    """Every change that could break a consumer is noticed; a new field is none."""
    changed = copy.deepcopy(schema())
    changed["properties"]["data"]["properties"]["pages"] = {"type": "integer"}
    assert list(breaks(schema(), changed)) == []

    change(changed["properties"]["data"])

    assert list(breaks(schema(), changed))
