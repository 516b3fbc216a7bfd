"""Tries the running API with generated requests: what ``docs/openapi.json`` allows, and what it forbids.

``.venv/openapi/bin/python -m tests.fuzz_openapi STACK_JSON``, after ``make test`` has made that environment. Secrets
come from WEBHOOK_SECRET and CALLER_KEY. Prints each answer that the document does not allow; the exit status is 1 then.
"""

import json
import os
import sys
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import jsonschema_rs
import requests
import schemathesis
from botocore.auth import SigV4Auth
from botocore.awsrequest import AWSRequest
from botocore.credentials import Credentials
from hypothesis import HealthCheck, Phase, given, seed, settings
from schemathesis.checks import not_a_server_error
from schemathesis.generation import GenerationMode
from schemathesis.specs.openapi.checks import (
    content_type_conformance,
    response_schema_conformance,
    status_code_conformance,
)

DOCUMENT = Path(__file__).parent.parent / "docs" / "openapi.json"
EXAMPLES = 20  # for each route and mode
CHECKS = [not_a_server_error, status_code_conformance, content_type_conformance, response_schema_conformance]


class Signed(requests.auth.AuthBase):
    """AWS Signature Version 4, with the emulator's keys."""

    def __init__(self, region: str) -> None:
        self._region = region

    def __call__(self, request: requests.PreparedRequest) -> requests.PreparedRequest:
        kept = {name: value for name, value in request.headers.items() if name.lower() in ("content-type", "prefer")}
        signed = AWSRequest(request.method, request.url, data=request.body, headers=kept)
        SigV4Auth(Credentials("test", "test"), "execute-api", self._region).add_auth(signed)
        request.headers.update(dict(signed.headers.items()))
        return request


def routes(stack: dict[str, str]) -> Iterator[tuple[str, str, dict[str, Any], tuple[GenerationMode, ...]]]:
    """Path, base address, authorization and modes of each route. No schema can describe what the webhook refuses."""
    both = (GenerationMode.POSITIVE, GenerationMode.NEGATIVE)
    yield "/attachments", stack["api_url"], {"auth": Signed(stack["region"])}, both
    secret = {"headers": {"X-Webhook-Secret": os.environ["WEBHOOK_SECRET"]}}
    yield "/webhooks/bigin", stack["api_url"], secret, (GenerationMode.POSITIVE,)
    callers = stack["callers_url"].removesuffix("/callers/attachments")
    key = {"headers": {"Authorization": f"Bearer {os.environ['CALLER_KEY']}"}}
    yield "/callers/attachments", callers, key, both
    yield "/callers/attachments/{module}/{record_id}/{attachment_id}", callers, key, (GenerationMode.POSITIVE,)


def _fits(document: dict[str, Any], case: Any) -> bool:
    """Whether the body is one that the document allows; a negative case may differ in its media type alone."""
    content = document["paths"][case.operation.path][case.operation.method].get("requestBody", {}).get("content", {})
    if "application/json" not in content or len(content) > 1:
        return True
    schema = {**content["application/json"]["schema"], "components": document["components"]}
    return bool(jsonschema_rs.is_valid(schema, case.body))


@dataclass(slots=True)
class Tally:
    """How many requests were sent, and how many answers the document does not allow."""

    tried: int = 0
    wrong: int = 0

    def judge(self, document: dict[str, Any], case: Any, answer: Any) -> None:
        self.tried += 1
        label = f"{case.method} {case.path}"
        if answer.status_code < 400 and not _fits(document, case):
            self.wrong += 1
            print(f"{label}: {answer.status_code} to a request that the document forbids: {case.body!r}")
        try:
            case.validate_response(answer, checks=CHECKS)
        except BaseExceptionGroup as failures:
            self.wrong += 1
            print(f"{label}: {answer.status_code} {answer.text[:300]}")
            print("   ", "; ".join(str(failure) for failure in failures.exceptions)[:600])


def attempt(operation: Any, mode: GenerationMode, judge: Callable[[Any], None]) -> None:
    """Hand generated requests of one route to ``judge``: the same ones in each run."""

    @seed(1)
    @settings(
        max_examples=EXAMPLES,
        deadline=None,
        database=None,
        phases=[Phase.generate],
        suppress_health_check=list(HealthCheck),
    )
    @given(case=operation.as_strategy(generation_mode=mode))
    def generated(case: Any) -> None:
        judge(case)

    generated()


def main(stack: dict[str, str]) -> int:
    document = json.loads(DOCUMENT.read_text(encoding="utf-8"))
    for item in document["paths"].values():
        item.pop("servers", None)
        for operation in item.values():  # any value of a header is allowed: there is nothing to forbid
            described = operation.get("parameters", ())
            operation["parameters"] = [one for one in described if one["in"] != "header"]
    schema = schemathesis.openapi.from_dict(document)
    session = requests.Session()
    session.trust_env = False
    tally = Tally()
    for path, base_url, authorization, modes in routes(stack):
        options = {"base_url": base_url, "session": session, "verify": stack["ca_bundle"], **authorization}

        def judge(case: Any, options: dict[str, Any] = options) -> None:
            tally.judge(document, case, case.call(**options))

        for operation in schema[path].values():
            for mode in modes:
                attempt(operation, mode, judge)
    print(f"{tally.tried} requests, {tally.wrong} answers that the document does not allow")
    return 1 if tally.wrong or not tally.tried else 0


if __name__ == "__main__":
    sys.exit(main(json.loads(Path(sys.argv[1]).read_text(encoding="utf-8"))))
