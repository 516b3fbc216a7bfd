"""Recipes for callers and consumers: each is what its tool reads, and sends what the API takes."""

import ast
import json
import re
from typing import Any

import pytest

from bigin_archive import archive_request
from bigin_archive.callers.caller_key import presented
from tests.event_schema import check
from tests.recipes import DOCS, PAGE, Sent, blocks, deluge, filled, form, n8n

KEY = "bak_0123456789ab_" + "A" * 43
VALUES = {"CALLERS_URL": "https://example.com/callers", "KEY": KEY, "RECORD_ID": "11", "ATTACHMENT_ID": "22"}
RECORD = {"recordId": "11", "attachmentId": "22"}
TEMPLATES = sorted((DOCS / "recipes").glob("*.yaml"))


def sent() -> list[Sent]:
    connection = {"Authorization": f"Bearer {KEY}"}
    workflow = json.loads(filled((DOCS / "recipes" / "n8n.json").read_text(encoding="utf-8"), VALUES))
    scripts = [deluge(filled(script, VALUES), RECORD, connection) for script in blocks("deluge")]
    return [*scripts, n8n(workflow, KEY), form(VALUES)]


@pytest.mark.parametrize("request_", sent(), ids=["Deluge", "Deluge with a connection", "n8n", "Flow, Make, Zapier"])
def test_a_recipe_sends_what_the_api_takes(request_: Sent) -> None:
    """The request of the contract with ids as strings, JSON, and the key in its header and nowhere else."""
    request = archive_request.parse(json.dumps(request_.body))

    assert (request.module, request.record_id, request.attachment_id) == ("Contacts", "11", "22")
    assert (request_.method, request_.url) == ("POST", VALUES["CALLERS_URL"])
    assert request_.headers["Content-Type"] == "application/json"
    assert presented(request_.headers["Authorization"])
    assert KEY not in request_.url


def test_a_script_with_a_connection_holds_no_key() -> None:
    """A script with a connection does not contain the key."""
    with_key, with_connection = blocks("deluge")

    assert re.search(r"\bKEY\b", with_key)
    assert not re.search(r"\bKEY\b", with_connection)


def test_the_workflow_is_one_that_n8n_reads() -> None:
    """The workflow has the nodes, names, types, versions and connections that n8n reads, and nobody's credentials."""
    text = (DOCS / "recipes" / "n8n.json").read_text(encoding="utf-8")
    workflow: dict[str, Any] = json.loads(text)
    names = [node["name"] for node in workflow["nodes"]]

    assert len(names) == len(set(names)) == len({node["id"] for node in workflow["nodes"]})
    for node in workflow["nodes"]:
        assert {"parameters", "type", "typeVersion", "position"} <= set(node)
        assert node["type"].startswith("n8n-nodes-base.")
        assert "credentials" not in node
    targets = [step["node"] for way in workflow["connections"].values() for steps in way["main"] for step in steps]
    assert {*targets, *workflow["connections"]} <= set(names)


def test_the_python_is_python() -> None:
    """The Python recipe can be read by this Python, and imports what everybody has."""
    (program,) = blocks("python")

    imported = {
        alias.name for node in ast.walk(ast.parse(program)) if isinstance(node, ast.Import) for alias in node.names
    }
    assert imported <= {"os", "time", "requests"}


@pytest.mark.parametrize("template", TEMPLATES, ids=lambda path: path.name)
def test_a_consumers_template_is_one(template: Any) -> None:
    """A consumer's template keeps CloudFormation's rules and has a dead-letter queue of its own."""
    from cfnlint.api import lint_file  # type: ignore[import-untyped]  # takes long

    found = lint_file(template, config=None)

    assert found == []
    assert "DeadLetterQueue:" in template.read_text(encoding="utf-8")
    assert f"recipes/{template.name}" in (DOCS / "outgoing-events.md").read_text(encoding="utf-8")


def test_the_event_of_the_page_is_as_published() -> None:
    """The event on the page fits the schema, and the pattern beside it names existing fields."""
    page = (DOCS / "outgoing-events.md").read_text(encoding="utf-8")
    event, pattern = map(json.loads, re.findall(r"^```json\n(.*?)^```", page, re.MULTILINE | re.DOTALL))

    detail = check(event)
    for part, fields in pattern["detail"].items():
        assert set(fields) <= set(detail[part])
    assert "docs/events" not in PAGE
