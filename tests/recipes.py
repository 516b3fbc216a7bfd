"""The recipes of docs/callers.md, read as the tools read them: which request each of them sends."""

import json
import re
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

DOCS = Path(__file__).parents[1] / "docs"
PAGE = (DOCS / "callers.md").read_text(encoding="utf-8")


@dataclass(frozen=True)
class Sent:
    """One HTTP request."""

    method: str
    url: str
    headers: dict[str, str]
    body: dict[str, str]


def blocks(language: str) -> list[str]:
    """The page's code blocks of one language."""
    return re.findall(rf"^```{language}\n(.*?)^```", PAGE, re.MULTILINE | re.DOTALL)


def filled(text: str, values: Mapping[str, str]) -> str:
    """With the placeholders of the page filled in."""
    for name, value in values.items():
        text = re.sub(rf"\b{name}\b", lambda _, value=value: value, text)  # type: ignore[misc]
    return text


def deluge(script: str, record: Mapping[str, str], connection: Mapping[str, str]) -> Sent:
    """What ``invokeurl`` of a script sends; variables come from ``record``, headers of a connection from there."""
    body: dict[str, str] = {}
    for name, value in re.findall(r'^wanted\.put\("(\w+)", (.+)\);$', script, re.MULTILINE):
        body[name] = json.loads(value) if value.startswith('"') else record[value.removesuffix(".toString()")]
    task = re.search(r"invokeurl\n\[\n(.*?)\n\];", script, re.DOTALL)
    assert task, script
    given = dict(re.findall(r"^\t([a-z-]+): (.+)$", task[1], re.MULTILINE))
    assert given["body"] == "wanted.toString()"  # a map's text is its JSON
    headers = {**json.loads(given["headers"]), **(connection if "connection" in given else {})}
    return Sent(given["type"], json.loads(given["url"]), headers, body)


def n8n(workflow: Mapping[str, Any], token: str) -> Sent:
    """What the workflow sends: from its trigger along its connections; each value that the node before it set."""
    nodes = {node["name"]: node for node in workflow["nodes"]}
    (name,) = [name for name, node in nodes.items() if node["type"] == "n8n-nodes-base.manualTrigger"]
    item: dict[str, str] = {}
    while True:
        node = nodes[name]
        if node["type"] == "n8n-nodes-base.set":
            item = {given["name"]: given["value"] for given in node["parameters"]["assignments"]["assignments"]}
        if node["type"] == "n8n-nodes-base.httpRequest":
            break
        ((step,),) = workflow["connections"][name]["main"]
        name = step["node"]
    given = node["parameters"]
    assert (given["authentication"], given["genericAuthType"]) == ("genericCredentialType", "httpBearerAuth")
    body = {
        one["name"]: re.sub(r"^=\{\{ \$json\.(\w+) \}\}$", lambda match: item[match[1]], one["value"])
        for one in given["bodyParameters"]["parameters"]
    }
    headers = {"Authorization": f"Bearer {token}", "Content-Type": "application/json"}
    return Sent(given["method"], given["url"], headers, body)


def form(values: Mapping[str, str]) -> Sent:
    """What Zoho Flow, Make and Zapier send from the page's table of fields."""
    table = filled(PAGE[PAGE.index("| field | value |") :], values)
    rows = re.findall(r"^\| (Method|URL|Header|Body) \| (.+) \|$", table, re.MULTILINE)
    plain = {name: value.strip("`") for name, value in rows if name != "Header"}
    headers = dict(re.fullmatch(r"`(.+?)`: `(.+?)`", value).groups() for name, value in rows if name == "Header")  # type: ignore[union-attr, misc]
    return Sent(plain["Method"], plain["URL"], headers, json.loads(plain["Body"]))
