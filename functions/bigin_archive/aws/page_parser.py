"""Answers that come a thousand entries at a time, read without botocore's model of them.

botocore looks up each value of each entry in its model: of an audit of a million attachments that is most of the
processor's time. JSON and XML hold all that is needed. What does not look as it should is left to botocore.
"""

import json
from datetime import datetime
from typing import Any
from xml.etree import ElementTree as ET  # as botocore itself reads S3's answers

_TABLE_OPERATIONS = ("Scan", "Query", "BatchGetItem")
_LIST = "ListVersionsResult"
_ENTRIES = {"Version": "Versions", "DeleteMarker": "DeleteMarkers"}
_TOLD = ("EncodingType", "NextKeyMarker", "NextVersionIdMarker")
_TOLD_OF_EACH = ("Key", "VersionId", "IsLatest", "LastModified", "Size")
_TRUTH = {"true": True, "false": False}


def use(events: Any) -> None:
    """Have the clients of a session (its ``events``) read pages this way.

    Binary values of a table come as Base64: no row of an attachment has any.
    """
    for operation in _TABLE_OPERATIONS:
        events.register(f"before-parse.dynamodb.{operation}", _read_items)
    events.register("before-parse.s3.ListObjectVersions", _read_versions)


def _read_items(response_dict: dict[str, Any], customized_response_dict: dict[str, Any], **_: object) -> None:
    if response_dict["status_code"] != 200:
        return
    try:
        parsed = json.loads(response_dict["body"])
        customized_response_dict.update(parsed)
    except (ValueError, TypeError):
        return
    response_dict["body"] = b"{}"


def _read_versions(response_dict: dict[str, Any], customized_response_dict: dict[str, Any], **_: object) -> None:
    if response_dict["status_code"] != 200:
        return
    try:
        parsed = versions(response_dict["body"])
    except (ET.ParseError, ValueError, KeyError):
        return
    customized_response_dict.update(parsed)
    response_dict["body"] = b""


def versions(body: bytes) -> dict[str, Any]:
    """What an audit needs of a ListObjectVersions, as botocore names it.

    Raises ParseError, ValueError, KeyError where it is no such answer.
    """
    root = ET.fromstring(body)  # noqa: S314 - S3's own answer, over TLS
    space = root.tag.removesuffix(_LIST)
    if root.tag != space + _LIST:
        raise ValueError("no list of versions")
    parsed: dict[str, Any] = {}
    entries = {space + name: parsed.setdefault(listed, []) for name, listed in _ENTRIES.items()}
    texts = {space + name: name for name in _TOLD}
    names = {space + name: name for name in _TOLD_OF_EACH}
    for child in root:
        if child.tag in entries:
            entries[child.tag].append(_entry({names[leaf.tag]: leaf.text or "" for leaf in child if leaf.tag in names}))
        elif child.tag in texts:
            parsed[texts[child.tag]] = child.text or ""
        elif child.tag == f"{space}IsTruncated":
            parsed["IsTruncated"] = _TRUTH[child.text or ""]
    return {name: value for name, value in parsed.items() if value != []}


def _entry(texts: dict[str, Any]) -> dict[str, Any]:
    if "IsLatest" in texts:
        texts["IsLatest"] = _TRUTH[texts["IsLatest"]]
    if "LastModified" in texts:
        texts["LastModified"] = datetime.fromisoformat(texts["LastModified"])
    if "Size" in texts:
        texts["Size"] = int(texts["Size"])
    return texts
