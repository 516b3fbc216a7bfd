"""The Bigin simulator as tests use it: a process of its own, driven over HTTP."""

import base64
import hashlib
import json
import os
import subprocess
import sys
import uuid
from pathlib import Path
from typing import Any, Self

import requests

PROJECT = Path(__file__).resolve().parent.parent
TOKEN = "simulator-access-token"


class Simulator:
    """A running simulator. ``url`` serves API, accounts server and control."""

    def __init__(self, url: str, process: "subprocess.Popen[str] | None" = None) -> None:
        self.url = url
        self._process = process
        self._http = requests.Session()
        self._http.trust_env = False

    @classmethod
    def start(cls, *options: str) -> Self:
        process = subprocess.Popen(
            [sys.executable, "-m", "local.bigin", "--port", "0", *options],
            cwd=PROJECT,
            env=os.environ,
            stdout=subprocess.PIPE,
            text=True,
        )
        assert process.stdout is not None
        return cls(json.loads(process.stdout.readline())["url"], process)

    def stop(self) -> None:
        self._http.close()
        if self._process:
            self._process.kill()
            self._process.wait()
            if self._process.stdout:
                self._process.stdout.close()

    def control(self, method: str, path: str, body: object = None) -> Any:
        answer = self._http.request(method, f"{self.url}/_simulator/{path}", json=body, timeout=30)
        assert answer.ok, answer.text
        return answer.json() if answer.content else None

    def reset(self) -> None:
        self.control("POST", "reset")

    def attachments(self) -> list[dict[str, Any]]:
        found: list[dict[str, Any]] = self.control("GET", "attachments")
        return found

    def record_ids(self, module: str) -> list[str]:
        """The ids of a module's first 200 records, as Bigin lists them."""
        answer = self._http.get(
            f"{self.url}/bigin/v2/{module}",
            params={"fields": "id"},
            headers={"Authorization": f"Zoho-oauthtoken {TOKEN}"},
            timeout=30,
        )
        return [found["id"] for found in answer.json()["data"]] if answer.content else []

    def add(self, content: bytes | None = None, **fields: Any) -> dict[str, Any]:
        """Add an attachment; return its request: module, record_id, attachment_id."""
        # An id of its own: the bucket of a deployed stack remembers those of earlier tests.
        own = {"record_id": "77001", "attachment_id": str(uuid.uuid4().int)[:18]}
        body = {"module": "Contacts", "file_name": "file.bin", **own, **fields}
        if content is not None:
            body["content_base64"] = base64.b64encode(content).decode()
        made = self.control("POST", "attachments", body)
        return {name: made[name] for name in ("module", "record_id", "attachment_id")}

    def fault(self, fault: dict[str, Any], **rule: Any) -> None:
        self.control("POST", "faults", {"call": "download", **rule, "fault": fault})

    def answer(self, status: int, body: object = "", headers: dict[str, str] | None = None, **rule: Any) -> None:
        self.fault({"kind": "answer", "status": status, "headers": headers or {}, "body": body}, **rule)

    def no_faults(self) -> None:
        self.control("DELETE", "faults")

    def calls(self) -> dict[str, Any]:
        counted: dict[str, Any] = self.control("GET", "calls")
        return counted

    def downloads(self, request: dict[str, Any]) -> int:
        return int(self.calls()["downloads"].get(request["attachment_id"], 0))


def sha256(content: bytes) -> str:
    return hashlib.sha256(content).hexdigest()
