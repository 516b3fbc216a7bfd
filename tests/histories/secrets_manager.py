"""Secrets Manager in memory: the current value of each secret."""

import json
from collections.abc import Callable, Mapping
from typing import Any

from tests.histories.network import Reply, Request


class Secrets:
    """Secrets by name."""

    def __init__(self, values: Mapping[str, str], now: Callable[[], float]) -> None:
        self._now = now
        self.values = {name: (value, now()) for name, value in values.items()}

    def __call__(self, request: Request) -> Reply:
        asked = json.loads(request.body)
        operation = request.headers["x-amz-target"].removeprefix("secretsmanager.")
        answer: dict[str, Any] = {"Name": asked["SecretId"]}
        if operation == "PutSecretValue":
            self.values[asked["SecretId"]] = asked["SecretString"], self._now()
        elif operation != "GetSecretValue":
            raise NotImplementedError(operation)
        elif asked.get("VersionStage", "AWSCURRENT") != "AWSCURRENT" or asked["SecretId"] not in self.values:
            return _reply(400, {"__type": "ResourceNotFoundException", "Message": "no such value"})
        else:
            value, at_s = self.values[asked["SecretId"]]
            answer |= {"SecretString": value, "CreatedDate": at_s}
        return _reply(200, answer)


def _reply(status: int, answer: Mapping[str, Any]) -> Reply:
    return Reply(status, {"content-type": "application/x-amz-json-1.1"}, json.dumps(answer).encode())
