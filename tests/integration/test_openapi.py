"""The API answers any request as its OpenAPI document says."""

import json
import os
import subprocess
import uuid
from pathlib import Path

import pytest

from local.deployment import STACK_NAME
from operate.cli import main
from tests.deployed import Deployed

ROOT = Path(__file__).parents[2]
PYTHON = ROOT / ".venv" / "openapi" / "bin" / "python"
TIMEOUT_S = 120


def test_generated_requests_get_documented_answers(
    deployed: Deployed, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """120 requests that the document allows or forbids: each answer is one of the document."""
    description = deployed.description
    for name, value in {
        "AWS_ENDPOINT_URL": description["aws_endpoint_url"],
        "AWS_CA_BUNDLE": description["ca_bundle"],
        "AWS_DEFAULT_REGION": description["region"],
        "AWS_ACCESS_KEY_ID": "test",
        "AWS_SECRET_ACCESS_KEY": "test",
    }.items():
        monkeypatch.setenv(name, value)
    for name in ("AWS_PROFILE", "AWS_SESSION_TOKEN"):
        monkeypatch.delenv(name, raising=False)
    caller = f"fuzz-{uuid.uuid4().hex[:8]}"
    assert main(["callers", "add", caller, "--right", "link", "--stack", STACK_NAME, "--json"]) == 0
    key = json.loads(capsys.readouterr().out)["key"]
    stored = deployed.secrets.get_secret_value(SecretId=description["webhook_secret_id"])["SecretString"]

    run = subprocess.run(
        [PYTHON, "-m", "tests.fuzz_openapi", deployed.stack.directory / "stack.json"],
        cwd=ROOT,
        env={**os.environ, "CALLER_KEY": key, "WEBHOOK_SECRET": json.loads(stored)["webhook_secret"]},
        capture_output=True, text=True, check=False, timeout=TIMEOUT_S,
    )  # fmt: skip

    assert run.returncode == 0, run.stdout + run.stderr
    assert "120 requests, 0 answers" in run.stdout
