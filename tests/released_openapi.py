"""The public HTTP API against the last release's. ``python -m tests.released_openapi`` takes today's as the new one."""

import json
import shutil
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

TESTS = Path(__file__).parent
DOCUMENT = TESTS.parent / "docs" / "openapi.json"
RELEASED = TESTS / "released_openapi.json"
METHODS = ("get", "put", "post", "delete", "patch")

Json = Mapping[str, Any]


def breaking(old: Json, new: Json) -> list[str]:
    """What would break a program that was written for ``old``, one line each."""
    return list(_operations(old, new))


def _operations(old: Json, new: Json) -> Iterator[str]:
    for path, item in old["paths"].items():
        for method in (name for name in METHODS if name in item):
            where = f"{method.upper()} {path}"
            now = new["paths"].get(path, {}).get(method)
            if now is None:
                yield f"{where} is gone"
                continue
            yield from _parameters(item[method], now, where, new)
            yield from _bodies(old, new, item[method], now, where)
            yield from _responses(old, new, item[method], now, where)


def _parameters(old: Json, now: Json, where: str, new: Json) -> Iterator[str]:
    before = {(one["in"], one["name"]): one for one in old.get("parameters", ())}
    after = {(one["in"], one["name"]): one for one in now.get("parameters", ())}
    for key in before.keys() - after.keys():
        yield f"{where}: parameter {key[1]} is gone"
    for key, one in after.items():
        if one["required"] and not before.get(key, {}).get("required"):
            yield f"{where}: parameter {key[1]} is required now"


def _bodies(old: Json, new: Json, before: Json, now: Json, where: str) -> Iterator[str]:
    contents = now.get("requestBody", {}).get("content", {})
    for media, content in before.get("requestBody", {}).get("content", {}).items():
        if media not in contents:
            yield f"{where}: a body as {media} is refused now"
            continue
        yield from _schema(old, new, content["schema"], contents[media]["schema"], f"{where} body", is_request=True)


def _responses(old: Json, new: Json, before: Json, now: Json, where: str) -> Iterator[str]:
    for status, response in before["responses"].items():
        if status not in now["responses"]:
            yield f"{where}: {status} is gone"
            continue
        contents = now["responses"][status].get("content", {})
        for media, content in response.get("content", {}).items():
            if media not in contents:
                yield f"{where} {status}: {media} is gone"
                continue
            place = f"{where} {status}"
            yield from _schema(old, new, content["schema"], contents[media]["schema"], place, is_request=False)


def _schema(old: Json, new: Json, before: Json, now: Json, where: str, *, is_request: bool) -> Iterator[str]:
    before, now = _resolved(old, before), _resolved(new, now)
    if before.get("type") != now.get("type"):
        yield f"{where}: was {before.get('type')}, is {now.get('type')}"
        return
    lost = set(map(str, before.get("enum", ()))) - set(map(str, now.get("enum", ())))
    if "enum" in before and is_request and lost:
        yield f"{where}: {', '.join(sorted(lost))} is refused now"
    required = (set(now.get("required", ())), set(before.get("required", ())))
    missing = required[0] - required[1] if is_request else required[1] - required[0]
    for name in sorted(missing):
        yield f"{where}: {name} is required now" if is_request else f"{where}: {name} may be missing now"
    properties = now.get("properties", {})
    for name, schema in before.get("properties", {}).items():
        if name not in properties:
            yield f"{where}: {name} is gone"
        else:
            yield from _schema(old, new, schema, properties[name], f"{where}.{name}", is_request=is_request)
    if "items" in before:
        yield from _schema(old, new, before["items"], now.get("items", {}), f"{where}[]", is_request=is_request)


def _resolved(document: Json, schema: Json) -> dict[str, Any]:
    """A schema without references; the parts of an ``allOf`` as one."""
    while "$ref" in schema:
        schema = document["components"]["schemas"][schema["$ref"].rpartition("/")[2]]
    merged: dict[str, Any] = dict(schema)
    for part in merged.pop("allOf", ()):
        whole = _resolved(document, part)
        merged["type"] = whole.get("type", merged.get("type"))
        merged["properties"] = {**whole.get("properties", {}), **merged.get("properties", {})}
        merged["required"] = [*whole.get("required", ()), *merged.get("required", ())]
    return merged


if __name__ == "__main__":
    json.loads(DOCUMENT.read_text(encoding="utf-8"))
    shutil.copyfile(DOCUMENT, RELEASED)
