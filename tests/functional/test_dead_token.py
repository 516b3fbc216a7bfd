"""A token that dies, and the refresher that renews it: figures, printed."""

import json
import os
import subprocess
import sys
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest

from bigin_archive.archiving.message import Message
from bigin_archive.archiving.queue_worker import Worker
from bigin_archive.deadline import Deadline
from bigin_archive.token import access_token
from tests.aws import Aws
from tests.bigin import PROJECT, TOKEN, Simulator
from tests.lambdas import Context, load

pytestmark = pytest.mark.in_memory

CREDENTIALS = {"client_id": "test", "client_secret": "test", "refresh_token": "test"}
REFUSED = {"code": "INVALID_TOKEN", "status": "error", "message": "invalid oauth token", "details": {}}


def messages(requests: list[dict[str, Any]]) -> list[Message]:
    return [Message(str(number), json.dumps(request), "handle", 1) for number, request in enumerate(requests)]


def work(worker: Worker, requests: list[dict[str, Any]]) -> int:
    """Work in batches of ten, as SQS delivers; return how many messages stay."""
    waiting = messages(requests)
    return sum(len(worker.work(waiting[start : start + 10], Deadline(60))) for start in range(0, len(waiting), 10))


@pytest.mark.parametrize(("workers", "proven"), [(10, False), (2, True)])
def test_a_dead_token_costs_few_calls(
    aws: Aws, bigin: Simulator, workers: int, proven: bool, figure: Callable[[str], None]
) -> None:
    """200 messages in flight: ten cold containers, or the two that the template allows at full speed."""
    containers = [aws.worker(RETRY_DELAY_S="30", RETRY_DELAY_MAX_S="3600") for _ in range(workers)]
    if proven:
        for container in containers:
            assert work(container, [bigin.add(b"before")]) == 0
    requests = [bigin.add(b"%d" % number) for number in range(200)]
    bigin.control("DELETE", "tokens")
    bigin.control("DELETE", "calls")
    share = 200 // workers

    with ThreadPoolExecutor(workers) as threads:
        shares = [requests[start : start + share] for start in range(0, 200, share)]
        staying = sum(threads.map(work, containers, shares))

    calls = bigin.calls()["by_call"]
    figure(
        f"dead token, {workers} workers, {'proven' if proven else 'cold'}: 200 messages, "
        f"{calls.get('download', 0)} calls with the dead token, {calls.get('token', 0)} refreshes, "
        f"{200 - staying} lost, 0 parked"
    )
    assert 200 == staying
    assert calls.get("download", 0) <= 20
    assert 0 == calls.get("token", 0)
    assert [] == aws.messages(aws.dead_letter_queue_url)


@pytest.mark.parametrize("j", range(10))
def test_a_token_that_dies_at_the_jth_call_is_replaced(aws: Aws, bigin: Simulator, j: int) -> None:
    """The stored token is newer: one call is repeated, and nothing is downloaded twice."""
    worker = aws.worker()
    assert work(worker, [bigin.add(b"first")]) == 0
    bigin.control("POST", "tokens", {"token": "newer"})
    aws.store_token("newer")
    bigin.control("DELETE", "calls")
    requests = [bigin.add(b"%d" % number) for number in range(10)]
    bigin.answer(401, REFUSED, skip=j, times=1)

    assert work(worker, requests) == 0

    assert 11 == bigin.calls()["by_call"]["download"]
    assert 11 == len(aws.objects())


# Ends the process at the k-th request that it sends: a crash before that step.
CRASH = """
import os, sys
sys.path[:0] = ["functions", "."]
from tests.lambdas import Context, load
left = int(sys.argv[1])
def count(event, arguments):
    global left
    if event == "http.client.send":
        left -= 1
        if left == 0:
            os._exit(9)
sys.addaudithook(count)
print(load("refresh_token").handler({}, Context(60))["status"])
"""


@pytest.mark.processes
def test_a_refresher_that_crashes_leaves_a_whole_token(
    aws: Aws, bigin: Simulator, figure: Callable[[str], None]
) -> None:
    """Killed before each of its requests, the refresher leaves a token that works, and the next run renews it."""
    aws.put_secret(aws.credentials_secret_id, CREDENTIALS)
    environment = {**os.environ, **aws.environment, "PYTHONPATH": str(PROJECT / "functions")}
    for step in range(1, 30):
        run = subprocess.run(
            [sys.executable, "-c", CRASH, str(step)],
            cwd=PROJECT,
            env=environment,
            capture_output=True,
            text=True,
            timeout=60,
            check=False,
        )
        stored = aws.secrets.get_secret_value(SecretId=aws.token_secret_id)["SecretString"]
        assert access_token.parse(stored, bigin.url).value
        assert work(aws.worker(), [bigin.add(b"%d" % step)]) == 0
        if run.returncode == 0:
            break

        assert 9 == run.returncode, run.stderr
    figure(f"refresher killed before each of its {step - 1} requests: the stored token was whole and valid each time")

    assert step > 3


def test_two_refreshers_at_once_store_one_whole_token(aws: Aws, bigin: Simulator) -> None:
    """Whichever writes last, what is stored is whole and valid."""
    aws.put_secret(aws.credentials_secret_id, CREDENTIALS)
    handler = load("refresh_token").handler
    with ThreadPoolExecutor(2) as threads:
        answers = list(threads.map(lambda _: handler({}, Context(60)), range(2)))

    assert ["refreshed", "refreshed"] == [answer["status"] for answer in answers]
    assert work(aws.worker(), [bigin.add(b"x")]) == 0


def test_an_expired_bare_token_says_so(aws: Aws, bigin: Simulator, capsys: pytest.CaptureFixture[str]) -> None:
    """Without a refresh token a bare access token works until it expires; then both functions say what to do."""
    aws.put_secret(aws.token_secret_id, TOKEN)
    assert work(aws.worker(), [bigin.add(b"x")]) == 0
    bigin.control("DELETE", "tokens")

    assert work(aws.worker(), [bigin.add(b"y")]) == 1
    answer = load("refresh_token").handler({}, Context(60))

    lines = [json.loads(line) for line in capsys.readouterr().out.splitlines() if '"_aws"' not in line]
    details = [line["error_detail"] for line in lines if line.get("error_code") == "bigin_token_rejected"]
    assert "bigin-archive authorize" in details[0]
    assert "not_connected" == answer["status"]
    assert "bigin-archive authorize" in answer["detail"]
