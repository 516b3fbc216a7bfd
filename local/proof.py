"""The proof of the demo: sweeps the whole account of the local stack, and copies the page of the audit."""

from __future__ import annotations

import json
import time
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from local.process import LocalStackError
from local.stack import LocalStack

TIMEOUT_S = 120
PAUSE_S = 1.0


@dataclass(frozen=True, slots=True)
class Proof:
    """What the audit says, and where the copy of its page is."""

    verdict: str
    sentence: str
    page: Path

    @property
    def good(self) -> bool:
        return self.verdict == "complete"


def prove(stack: LocalStack, page: Path) -> Proof:
    """Sweep, and write the page of its audit to ``page``. Raises LocalStackError if the sweep does not end."""
    state = _invoke(stack, {"start": {}})
    deadline = time.monotonic() + TIMEOUT_S
    while state.get("phase") != "done":
        if time.monotonic() > deadline:
            raise LocalStackError(
                f"The sweep has not ended after {TIMEOUT_S} s. It waits for: {state.get('waits_for')}"
            )
        time.sleep(PAUSE_S)
        state = _invoke(stack, {})
    report = json.loads(_read(stack, "latest.json"))
    page.write_bytes(_read(stack, "latest.html"))
    return Proof(report["verdict"], report["sentence"], page)


def _invoke(stack: LocalStack, event: dict[str, Any]) -> dict[str, Any]:
    answer = stack.client("lambda").invoke(
        FunctionName=stack.outputs["SweepFunctionName"], Payload=json.dumps(event).encode()
    )
    result = json.loads(answer["Payload"].read())
    if "FunctionError" in answer:
        raise LocalStackError(f"The sweep failed: {result.get('errorMessage')}")
    return dict(result)


def _read(stack: LocalStack, name: str) -> bytes:
    key = f"{stack.description['prefix']}_audit/{name}"
    body: bytes = stack.client("s3").get_object(Bucket=stack.description["bucket"], Key=key)["Body"].read()
    return body
