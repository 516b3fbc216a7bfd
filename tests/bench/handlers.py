"""The webhook receiver and the token refresher, each against servers on loopback with TLS.

As a program: ``python -m tests.bench.handlers webhook|refresh JOB`` prints the milliseconds of each call (JSON).
"""

import json
import os
import sys
import time
from collections.abc import Callable

from bigin_archive.network import transport
from bigin_archive.settings import DataCenter, RefreshSettings
from bigin_archive.token.token_refresher import TokenRefresher
from tests.bench.clients import Job
from tests.bench.environment import FUNCTION_ENVIRONMENT
from tests.bench.servers import WEBHOOK_SECRET
from tests.lambdas import Context, api_event, load

CALLS = {"webhook": 2000, "refresh": 200}


def webhook(job: Job) -> Callable[[], object]:
    """The whole handler, as Lambda loads it."""
    addresses = {"AWS_ENDPOINT_URL": job.aws_url, "AWS_CA_BUNDLE": job.ca_bundle}
    os.environ.update({**FUNCTION_ENVIRONMENT, **addresses})
    function = load("receive_webhook")
    event = api_event({"module": "Contacts", "record_id": "1234567"}, {"X-Webhook-Secret": WEBHOOK_SECRET})

    def call() -> None:
        answer = function.handler(event, Context())
        if answer["statusCode"] >= 300:
            raise RuntimeError(answer["body"])

    return call


def refresh(job: Job) -> Callable[[], object]:
    session = transport.session(1)
    session.verify = job.ca_bundle
    settings = RefreshSettings(DataCenter(job.upstream_url, job.upstream_url), "credentials", "token")
    refresher = TokenRefresher(session, job.client("secretsmanager"), settings)

    def call() -> None:
        answer = refresher.refresh()
        if answer.status != "refreshed":
            raise RuntimeError(answer.detail)

    return call


def main(name: str, text: str) -> None:
    said = os.fdopen(os.dup(1), "w")
    os.dup2(os.open(os.devnull, os.O_WRONLY), 1)
    call = {"webhook": webhook, "refresh": refresh}[name](Job.from_json(text))
    took_ms = []
    for _ in range(CALLS[name]):
        began = time.perf_counter()
        call()
        took_ms.append((time.perf_counter() - began) * 1000)
    print(json.dumps(took_ms), file=said)


if __name__ == "__main__":
    main(sys.argv[1], sys.stdin.read())
