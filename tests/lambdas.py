"""Handlers as Lambda runs them: loaded by file, in the environment of the moment."""

import importlib.util
import json
import uuid
from pathlib import Path
from types import ModuleType
from typing import Any

FUNCTIONS = Path(__file__).resolve().parent.parent / "functions"


class Context:
    """Lambda's context, as far as the handlers use it."""

    def __init__(self, seconds: float = 29) -> None:
        self._seconds = seconds
        self.aws_request_id = str(uuid.uuid4())

    def get_remaining_time_in_millis(self) -> int:
        return round(self._seconds * 1000)


def load(name: str) -> ModuleType:
    """A fresh copy of a handler module: its cold start."""
    spec = importlib.util.spec_from_file_location(f"cold_{name}", FUNCTIONS / f"{name}.py")
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def api_event(body: object = None, headers: dict[str, str] | None = None, **more: Any) -> dict[str, Any]:
    """A request as a REST API hands it on (payload version 1.0)."""
    return {
        "headers": {"Content-Type": "application/json", **(headers or {})},
        "queryStringParameters": None,
        "body": body if body is None or isinstance(body, str) else json.dumps(body),
        "isBase64Encoded": False,
        "requestContext": {"requestId": str(uuid.uuid4())},
        **more,
    }


def sqs_event(bodies: list[str]) -> dict[str, Any]:
    """A batch as the event source of a queue hands it on."""
    return {
        "Records": [
            {
                "messageId": str(uuid.uuid4()),
                "receiptHandle": "handle",
                "body": body,
                "attributes": {"ApproximateReceiveCount": "1"},
                "eventSource": "aws:sqs",
            }
            for body in bodies
        ]
    }
