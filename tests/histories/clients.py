"""One session and one client for each service, shared by all histories. Making them takes longer than a history."""

import os
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from functools import partial
from typing import Any

import botocore.session
from botocore import UNSIGNED
from botocore.config import Config

from bigin_archive.aws import clients
from tests.histories.network import Network, Server

BIGIN_URL = "http://127.0.0.1:59001"
PORTS = {"bigin": 59001, "s3": 59002, "dynamodb": 59003, "sqs": 59004, "secretsmanager": 59005}
BUCKET, LEDGER, LEASES = "archive", "ledger", "leases"
QUEUE, DEAD_LETTERS, RECORDS = "queue", "dead-letters", "records.fifo"
TOKEN_SECRET, CREDENTIALS_SECRET, WEBHOOK_SECRET = "token", "credentials", "webhook"
PREFIX = "bigin/"

ENVIRONMENT = {
    "AWS_ACCESS_KEY_ID": "test",
    "AWS_SECRET_ACCESS_KEY": "test",
    "AWS_DEFAULT_REGION": "us-east-1",
    "AWS_ENDPOINT_URL_S3": f"http://127.0.0.1:{PORTS['s3']}",
    "POWERTOOLS_SERVICE_NAME": "bigin-archive",
    "POWERTOOLS_METRICS_NAMESPACE": "BiginArchive",
    "POWERTOOLS_METRICS_DISABLED": "true",
    "POWERTOOLS_LOG_LEVEL": "CRITICAL",
    "DATA_CENTER": "US",
    "BIGIN_API_URL": BIGIN_URL,
    "BIGIN_ACCOUNTS_URL": BIGIN_URL,
    "BUCKET": BUCKET,
    "KEY_PREFIX": PREFIX,
    "MAX_FILE_SIZE_MIB": "1",
    "LEDGER_TABLE": LEDGER,
    "LEASES_TABLE": LEASES,
    "TOKEN_SECRET_ID": TOKEN_SECRET,
    "CREDENTIALS_SECRET_ID": CREDENTIALS_SECRET,
    "WEBHOOK_SECRET_ID": WEBHOOK_SECRET,
    "QUEUE_URL": f"http://127.0.0.1:{PORTS['sqs']}/1/{QUEUE}",
    "RECORD_QUEUE_URL": f"http://127.0.0.1:{PORTS['sqs']}/1/{RECORDS}",
    "RECORD_QUEUE_DELAY_S": "90",
    "DEAD_LETTER_QUEUE_URL": f"http://127.0.0.1:{PORTS['sqs']}/1/{DEAD_LETTERS}",
    "DEAD_LETTER_QUEUE_URLS": f"http://127.0.0.1:{PORTS['sqs']}/1/{DEAD_LETTERS}",
    "DOWNLOAD_THREADS": "1",
    "SWEEP_SCHEDULE": "cron(0 1 * * ? *)",
    "CREDITS_SHARE_PERCENT": "50",
    "RETRY_DELAY_S": "30",
    "RETRY_DELAY_MAX_S": "3600",
}
"""As the template gives it to the functions; the account's credits are each history's own."""


class Clients(clients.Session):
    """A session whose clients send into a network in memory."""

    def __init__(self) -> None:
        super().__init__(botocore.session.Session())
        self.network = Network()
        self.events.register("before-send.s3", self.network.before_send)
        self._made: dict[str, Any] = {}
        self._config = Config(
            parameter_validation=False,
            signature_version=UNSIGNED,
            retries={"total_max_attempts": 1},
            s3={"addressing_style": "path"},
        )

    def client(self, service_name: str, *_: Any, **__: Any) -> Any:
        """The one client of a service, whatever its configuration."""
        if service_name not in self._made:
            url = f"http://127.0.0.1:{PORTS[service_name]}"
            made = super().client(service_name, endpoint_url=url, config=self._config)
            if service_name != "s3":
                # All that botocore does between a call and its request takes ten times as long as both.
                made._make_api_call = partial(self.network.api_call, made, PORTS[service_name])
            self._made[service_name] = made
        return self._made[service_name]

    def serve(self, servers: Mapping[str, Server]) -> None:
        """Put these servers behind the network from now on."""
        self.network.servers = {PORTS[name]: (name, server) for name, server in servers.items()}


@contextmanager
def clients_in_memory() -> Iterator[Clients]:
    """Clients, and an environment in which everything finds the servers in memory."""
    before = {name: os.environ.get(name) for name in ENVIRONMENT}
    os.environ.update(ENVIRONMENT)
    try:
        made = Clients()
        made.serve(dict.fromkeys(PORTS, _nobody))
        with made.network.at_the_socket():
            yield made
    finally:
        for name, text in before.items():
            os.environ.pop(name) if text is None else os.environ.__setitem__(name, text)


def _nobody(request: Any) -> Any:
    raise RuntimeError(f"nobody is there for {request.method} {request.path}")
