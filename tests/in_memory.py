"""The same bucket, queues, secrets, tables and Bigin without a process or a socket: for tests of our logic.

Clients, requests and answers are those of the emulator and the simulator; only what lies below the network differs.
"""

import functools
import time
from collections.abc import Container, Iterator
from contextlib import contextmanager
from typing import Any
from urllib.parse import urlsplit

import boto3
from botocore import handlers
from botocore.awsrequest import AWSPreparedRequest, AWSResponse
from botocore.config import Config
from botocore.model import OperationModel

from local.bigin.content import BLOCK_BYTES
from tests.aws import REGION, Aws, Names
from tests.bigin import Simulator
from tests.histories.bigin import Bigin
from tests.histories.clients import BIGIN_URL, PORTS
from tests.histories.dynamodb import Tables
from tests.histories.network import Network, Server
from tests.histories.s3 import Bucket
from tests.histories.secrets_manager import Secrets
from tests.histories.sqs import Queue, Queues
from tests.stacks_in_memory import Stacks

_PORTS = {**PORTS, "cloudformation": 59006}
_URLS = {name: f"http://127.0.0.1:{port}" for name, port in _PORTS.items()}
_NETWORK = Network()


def _answer_json(model: OperationModel, params: dict[str, Any], **_: Any) -> tuple[Any, dict[str, Any]] | None:
    """The answer of a service that speaks JSON, after botocore has checked and written the request."""
    if not _serves(params["url"], ("dynamodb", "sqs", "secretsmanager")):
        return None
    return _NETWORK.json_call(urlsplit(params["url"]).port or 0, params, model)


def _answer_s3(request: AWSPreparedRequest, **more: Any) -> AWSResponse | None:
    return _NETWORK.before_send(request, **more) if _serves(request.url, ("s3",)) else None


def _serves(url: str, services: Container[str]) -> bool:
    name, _ = _NETWORK.servers.get(urlsplit(url).port or 0, ("", None))
    return name in services


# A function makes sessions of its own: botocore registers these with each.
handlers.BUILTIN_HANDLERS += [("before-call", _answer_json), ("before-send", _answer_s3)]


@contextmanager
def bigin_in_memory() -> Iterator[Simulator]:
    """The simulator in its seeded state, called at its address."""
    with _NETWORK.at_the_socket():
        server = Bigin(BIGIN_URL, with_control=True)
        for attachment in list(server.account.attachments.values()):
            if attachment.content.size_bytes > BLOCK_BYTES:  # is sent in pieces, which needs a connection
                server.account.remove(attachment.id)
        _NETWORK.servers[PORTS["bigin"]] = "bigin", server
        simulator = Simulator(BIGIN_URL)
        try:
            yield simulator
        finally:
            simulator.stop()
            _NETWORK.servers.clear()


class AwsInMemory(Aws):
    """The servers of one test. An operation that they lack raises NotImplementedError. Needs ``bigin_in_memory``."""

    def __init__(self, bigin: Simulator) -> None:
        self._begin(bigin.url)

    def _made(self, name: str) -> Names:
        tables: dict[str, tuple[str, ...]] = {name: ("lease",), f"{name}-ledger": ("record", "attachment_id")}
        queues = {name: Queue(visibility_s=1800), f"{name}-records.fifo": Queue(is_fifo=True), f"{name}-dead": Queue()}
        secrets = [f"{name}-{each}" for each in ("token", "credentials", "webhook")]
        servers: dict[str, Server] = {
            "s3": Bucket(name, time.time),
            "dynamodb": Tables(tables),
            "sqs": Queues(queues, time.time),
            "secretsmanager": Secrets({}, time.time),
            "cloudformation": Stacks(),
        }
        for service, server in servers.items():
            _NETWORK.servers[_PORTS[service]] = service, server
        return Names(name, *tables, *(f"{_URLS['sqs']}/1/{queue}" for queue in queues), *secrets)

    def _endpoints(self) -> dict[str, str]:
        return {
            "AWS_ENDPOINT_URL": "http://127.0.0.1:1",  # nobody: what is not in memory
            "AWS_ENDPOINT_URL_CLOUDFORMATION": _URLS["cloudformation"],
            "AWS_ENDPOINT_URL_STS": _URLS["cloudformation"],
            "AWS_ENDPOINT_URL_S3": _URLS["s3"],
            "AWS_ENDPOINT_URL_DYNAMODB": _URLS["dynamodb"],
            "AWS_ENDPOINT_URL_SQS": _URLS["sqs"],
            "AWS_ENDPOINT_URL_SECRETS_MANAGER": _URLS["secretsmanager"],
        }

    def client(self, service: str, signature: str | None = None) -> Any:
        return _client(service)

    def _shared(self, service: str) -> Any:
        return _shared_client(service)


def _client(service: str) -> Any:
    return boto3.client(
        service,
        endpoint_url=_URLS[service],
        aws_access_key_id="test",
        aws_secret_access_key="test",
        region_name=REGION,
        config=Config(s3={"addressing_style": "path"}),
    )


_shared_client = functools.cache(_client)
