"""``docs/openapi.json`` says what the code does, and never breaks what a release promised."""

import copy
import json
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import jsonschema
import pytest

from bigin_archive.archive_request import ALIASES, MODULES
from tests.released_openapi import RELEASED, breaking
from tests.template.parsed import RESOURCES, of_type

ROOT = Path(__file__).parents[2]
DOCUMENT = json.loads((ROOT / "docs" / "openapi.json").read_text(encoding="utf-8"))
VECTORS = ROOT / "tests" / "vectors"
SCHEMAS = DOCUMENT["components"]["schemas"]
REQUESTS = json.loads((VECTORS / "requests.json").read_text(encoding="utf-8"))["vectors"]
ERRORS = json.loads((VECTORS / "errors.json").read_text(encoding="utf-8"))["vectors"]
# What API Gateway answers in the template's words, and no function.
GATEWAY_CODES = {"throttled", "unauthorized", "storage_unavailable", "too_many_requests", "unknown_route"}


def validator(name: str) -> jsonschema.Draft202012Validator:
    """For a schema of the document, with what it refers to."""
    return jsonschema.Draft202012Validator({"$ref": f"#/components/schemas/{name}", "components": {"schemas": SCHEMAS}})


def operations() -> Iterator[tuple[str, str, dict[str, Any]]]:
    for path, item in DOCUMENT["paths"].items():
        for method in ("get", "post"):
            if method in item:
                yield method.upper(), path, item[method]


def test_every_schema_is_one() -> None:
    """Every schema is valid JSON Schema, as OpenAPI 3.1 uses it."""
    for schema in SCHEMAS.values():
        jsonschema.Draft202012Validator.check_schema(schema)


def test_the_routes_are_those_of_the_template() -> None:
    """Each route of each API is described, and nothing else."""
    deployed = {
        (event["Properties"]["Method"].upper(), event["Properties"]["Path"])
        for name in of_type("AWS::Serverless::Function")
        for event in RESOURCES[name]["Properties"].get("Events", {}).values()
        if event["Type"] == "Api"
    }

    assert len(deployed) >= 11
    assert deployed == {(method, path) for method, path, _ in operations()}


def test_the_codes_are_those_of_the_code() -> None:
    """Each code of the vectors is one of the document, and a response with its status is documented."""
    codes = set(SCHEMAS["Problem"]["properties"]["code"]["enum"])
    documented = {
        int(status)
        for _, _, operation in operations()
        for status, response in operation["responses"].items()
        if "application/problem+json" in response.get("content", {})
    }

    assert codes == {vector["name"] for vector in ERRORS} | GATEWAY_CODES
    assert {vector["status"] for vector in ERRORS if vector["name"] != "method_not_allowed"} <= documented


def test_the_modules_are_those_of_the_code() -> None:
    """The document lists each module under every name that a request may use."""
    assert {*MODULES, *ALIASES} == set(SCHEMAS["Module"]["enum"])


@pytest.mark.parametrize("vector", REQUESTS, ids=lambda vector: vector["name"])
def test_the_schema_takes_what_the_code_takes(vector: dict[str, Any]) -> None:
    """A body that the code accepts fits the schema; one that is JSON and does not fit is refused by the code."""
    try:
        body = json.loads(vector["body"])
    except (TypeError, ValueError, RecursionError):
        return
    fits = validator("ArchiveRequest").is_valid(body)

    if vector["expected"] != "invalid_request":
        assert fits
    elif not fits:
        assert vector["expected"] == "invalid_request"


def test_the_schema_refuses_most_of_what_the_code_refuses() -> None:
    """The schema refuses numbers as ids, unknown modules and missing fields."""
    for body in (
        {"module": "Contacts", "record_id": 1},
        {"module": "Leads", "record_id": "1"},
        {"module": "Contacts"},
        {"module": "Contacts", "record_id": "1", "attachment_id": None},
        [],
    ):
        assert not validator("ArchiveRequest").is_valid(body)


def test_nothing_that_was_released_breaks() -> None:
    """Nothing breaks what the document of the last release promised."""
    assert breaking(json.loads(RELEASED.read_text(encoding="utf-8")), DOCUMENT) == []


def _route_gone(document: dict[str, Any]) -> None:
    del document["paths"]["/status"]


def _field_gone(document: dict[str, Any]) -> None:
    del document["components"]["schemas"]["Archived"]["properties"]["sha256"]


def _field_required(document: dict[str, Any]) -> None:
    document["components"]["schemas"]["ArchiveRequest"]["required"].append("attachment_id")


def _module_refused(document: dict[str, Any]) -> None:
    document["components"]["schemas"]["Module"]["enum"].remove("Companies")


def _answer_gone(document: dict[str, Any]) -> None:
    del document["paths"]["/attachments"]["post"]["responses"]["202"]


def _type_changed(document: dict[str, Any]) -> None:
    document["components"]["schemas"]["Queued"]["properties"]["queued"]["type"] = "string"


def _parameter_required(document: dict[str, Any]) -> None:
    document["paths"]["/search"]["get"]["parameters"][0]["required"] = True


def _field_optional(document: dict[str, Any]) -> None:
    document["components"]["schemas"]["Link"]["required"].remove("url")


@pytest.mark.parametrize(
    "change",
    [
        _route_gone, _field_gone, _field_required, _module_refused, _answer_gone, _type_changed, _parameter_required,
        _field_optional,
    ],
    ids=lambda change: change.__name__,
)  # fmt: skip
def test_a_breaking_change_is_found(change: Callable[[dict[str, Any]], None]) -> None:
    """Each kind of breaking change is found."""
    changed = copy.deepcopy(DOCUMENT)
    change(changed)

    assert breaking(DOCUMENT, changed)


def test_what_only_adds_breaks_nothing() -> None:
    """A new route, field of an answer or optional field of a request breaks nothing."""
    grown = copy.deepcopy(DOCUMENT)
    grown["paths"]["/more"] = {"get": {"responses": {}}}
    grown["components"]["schemas"]["Archived"]["properties"]["more"] = {"type": "string"}
    grown["components"]["schemas"]["ArchiveRequest"]["properties"]["more"] = {"type": "string"}

    assert breaking(DOCUMENT, grown) == []
