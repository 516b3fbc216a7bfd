"""Callers with keys, on the deployed application: from the command that makes a key to the bytes behind a link."""

import json
import os
import secrets
import subprocess
import sys
import time
from typing import Any

import pytest
import requests

from bigin_archive.callers import caller_key
from bigin_archive.callers.caller import Caller
from bigin_archive.callers.caller_key import CallerKey
from bigin_archive.callers.caller_table import CallerTable
from bigin_archive.clock import iso
from local.deployment import STACK_NAME
from tests.bigin import PROJECT, sha256
from tests.deployed import Deployed
from tests.recipes import DOCS, Sent, blocks, deluge, filled, form, n8n

A_MOMENT_S = 1.1  # more than the second that a key's calls are counted in


class Callers:
    """The callers' API of a running stack."""

    def __init__(self, deployed: Deployed) -> None:
        self.deployed, self.url = deployed, deployed.description["callers_url"]
        self.http = requests.Session()
        self.http.trust_env = False
        self.http.verify = deployed.description["ca_bundle"]
        self.table = CallerTable(deployed.stack.client("dynamodb"), deployed.stack.outputs["CallersTable"])

    def operate(self, *arguments: str) -> Any:
        """``bigin-archive callers``; what it prints."""
        description = self.deployed.description
        environment = {
            "AWS_ENDPOINT_URL": description["aws_endpoint_url"],
            "AWS_CA_BUNDLE": description["ca_bundle"],
            "AWS_ACCESS_KEY_ID": "test",
            "AWS_SECRET_ACCESS_KEY": "test",
            "AWS_REGION": description["region"],
        }
        command = [sys.executable, "-m", "operate", "callers", *arguments, "--stack", STACK_NAME]
        run = subprocess.run(
            command, cwd=PROJECT, env=environment, capture_output=True, text=True, timeout=60, check=False
        )
        assert run.returncode == 0, run.stderr
        return json.loads(run.stdout) if "--json" in arguments else run.stdout

    def add(self, right: str = "archive") -> CallerKey:
        """A key, made as the command makes it, and faster."""
        key, now = caller_key.new(secrets.token_bytes), time.time()
        self.table.add(Caller(key.key_id, key.key_id, right, key.sha256, iso(now), iso(now + 3600)))
        return key

    def post(self, key: str | None, body: object, **headers: str) -> requests.Response:
        given = {"Authorization": f"Bearer {key}"} if key else {}
        return self.http.post(self.url, json=body, headers={**given, **headers}, timeout=60)

    def get(self, key: str, request: dict[str, str], query: str = "") -> requests.Response:
        headers = {"Authorization": f"Bearer {key}"}
        return self.http.get(f"{self.url}/{'/'.join(request.values())}{query}", headers=headers, timeout=60)


@pytest.fixture
def callers(deployed: Deployed) -> Callers:
    return Callers(deployed)


def test_a_key_archives_links_and_ends(callers: Callers) -> None:
    """A key is made, archives (201, then 200), gets a link and is ended; the list shows its last use."""
    request = callers.deployed.bigin.add(b"by a caller", file_name="Überblick.txt")
    made = callers.operate("add", "n8n", "--right", "link", "--json")
    key = made["key"]

    archived = callers.post(key, {**request, "download_link_seconds": 60})
    again, asked = callers.post(key, request), callers.get(key, request, "?download_link_seconds=900")

    assert (archived.status_code, again.status_code, asked.status_code) == (201, 200, 200)
    assert {answer.json()["sha256"] for answer in (archived, again, asked)} == {sha256(b"by a caller")}
    for answer in (archived, asked):
        assert callers.http.get(answer.json()["download"]["url"], timeout=60).content == b"by a caller"
    assert "download" not in again.json()
    assert made["url"] == callers.url
    (listed,) = [one for one in callers.operate("list", "--json") if one["name"] == "n8n"]
    assert (listed["state"], listed["right"]) == ("active", "link")
    assert listed["last_used_at"] >= listed["created_at"][:19]
    assert key not in callers.operate("list")

    callers.operate("end", "n8n")

    assert {one.key_id: one.ended_at is not None for one in callers.table.all()}[made["key_id"]]


def test_an_ended_key_is_refused(callers: Callers) -> None:
    """An ended key that API Gateway has not cached is refused at once."""
    key = callers.add()
    callers.table.end(key.key_id, iso(time.time()))

    assert callers.post(key.text, {"module": "Contacts", "record_id": "1"}).status_code == 401


def test_without_a_valid_key_the_answer_is_401(callers: Callers) -> None:
    """Without a valid key the answer is 401 with a problem document, and no function is called."""
    request = callers.deployed.bigin.add(b"x")
    unknown = "bak_0123456789ab_" + "A" * 43

    answers = [
        callers.post(None, request),
        callers.post(None, request, Authorization="Basic dGVzdDp0ZXN0"),
        callers.post("nonsense", request),
        callers.post(unknown, request),
        callers.get(unknown, request),
        callers.http.post(f"{callers.url}?Authorization=Bearer%20{unknown}", json=request, timeout=60),
    ]

    for answer in answers:
        assert (answer.status_code, answer.json()["code"]) == (401, "unauthorized")
        assert answer.headers["Content-Type"] == "application/problem+json"
        assert {"type", "title", "status", "detail", "code", "request_id"} == set(answer.json())
    assert callers.deployed.bigin.calls()["total"] == 0


def test_rights_limits_and_states(callers: Callers) -> None:
    """403 without the right, 400 out of range, 429 after five calls in a second, 202 while it waits, 404 before."""
    key = callers.add().text
    request = callers.deployed.bigin.add(b"x")

    unknown = callers.get(key, request)
    forbidden = callers.post(key, {**request, "download_link_seconds": 60})
    queued = callers.post(key, request, Prefer="respond-async")
    assert (unknown.status_code, unknown.json()["code"]) == (404, "unknown_attachment")
    assert (forbidden.status_code, forbidden.json()["code"]) == (403, "forbidden")
    assert (queued.status_code, queued.json()) == (202, {"status": "queued", "queued": 1})

    def done() -> bool:
        time.sleep(A_MOMENT_S)
        answer = callers.get(key, request)
        assert answer.status_code in (200, 202)
        return answer.status_code == 200

    callers.deployed.until(done)
    limited = []
    while not limited:  # until five fit into one second of the clock
        limited = [answer for answer in (callers.post(key, "x") for _ in range(12)) if answer.status_code == 429]
    assert limited[0].json()["code"] == "too_many_requests"
    assert int(limited[0].headers["Retry-After"]) == 1


def recipes(values: dict[str, str]) -> dict[str, Sent]:
    record = {"recordId": values["RECORD_ID"], "attachmentId": values["ATTACHMENT_ID"]}
    connection = {"Authorization": f"Bearer {values['KEY']}"}
    scripts = [deluge(filled(script, values), record, connection) for script in blocks("deluge")]
    workflow = json.loads(filled((DOCS / "recipes" / "n8n.json").read_text(encoding="utf-8"), values))
    return {
        "Deluge": scripts[0],
        "Deluge with a connection": scripts[1],
        "n8n": n8n(workflow, values["KEY"]),
        "Zoho Flow, Make, Zapier": form(values),
    }


def test_recipes_work_by_copying(callers: Callers) -> None:
    """What each tool sends is answered 201; curl and Python are run as they stand on the page."""
    key = callers.add().text
    values = {"CALLERS_URL": callers.url, "KEY": key}

    def fresh() -> dict[str, str]:
        request = callers.deployed.bigin.add(b"by a recipe")
        time.sleep(A_MOMENT_S / 4)
        return {**values, "RECORD_ID": request["record_id"], "ATTACHMENT_ID": request["attachment_id"]}

    for name in recipes({**values, "RECORD_ID": "1", "ATTACHMENT_ID": "1"}):
        sent = recipes(fresh())[name]
        answer = callers.http.request(
            sent.method, sent.url, headers=sent.headers, data=json.dumps(sent.body), timeout=60
        )
        assert answer.status_code == 201, (name, answer.text)
    bundle = callers.deployed.description["ca_bundle"]
    environment = {"PATH": os.environ["PATH"], "NO_PROXY": "127.0.0.1"}
    trust = {"CURL_CA_BUNDLE": bundle, "REQUESTS_CA_BUNDLE": bundle}
    (curl,) = [block for block in blocks("sh") if block.startswith("curl")]
    (python,) = blocks("python")
    for command in (["bash", "-c", curl], [sys.executable, "-c", python]):
        run = subprocess.run(
            command, env={**environment, **trust, **fresh()}, capture_output=True, text=True, timeout=60, check=False
        )
        assert run.returncode == 0, run.stderr
        assert sha256(b"by a recipe") in run.stdout
