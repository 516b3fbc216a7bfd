"""Faults of DynamoDB, and callers at the same time: the API limits its calls for Bigin, and loses no file over it."""

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor

from tests.faults.aws_proxy import json_error
from tests.faults.bench import Bench, Request
from tests.faults.lab import Lab
from tests.faults.relay import Fault, LoseAnswer, Reply, Script, Wait
from tests.faults.runtime import WorkerProcess
from tests.faults.tally import Row
from tests.lambdas import api_event

ANSWER_S = 29  # API Gateway waits no longer
CALLS_AT_ONCE = 2  # of the API's functions, as the README says: 10 in all, 8 by the queue
CALLERS = 6
FAULTS: dict[str, Fault] = {
    "throttled": json_error(400, "ProvisionedThroughputExceededException"),
    "limit": json_error(400, "RequestLimitExceeded"),
    "error": json_error(500, "InternalServerError"),
    "denied": json_error(400, "AccessDeniedException"),
    "no table": json_error(400, "ResourceNotFoundException"),
    "condition": json_error(400, "ConditionalCheckFailedException"),
    "conflict": json_error(400, "TransactionConflictException"),
    "expired credentials": json_error(400, "ExpiredTokenException"),
    "reset": Script((), reset=True),
    "lost answer": LoseAnswer(),
    "rubbish": Reply(200, b"<html>", (("Content-Type", "text/html"),)),
    "slow": Wait(1.0),
    "hangs": Wait(6.0),
}


def table_fails(lab: Lab) -> Iterator[Row]:
    """A lease cannot be taken, or not be given back: the request is archived at once, or queued and then archived."""
    with lab.bench() as bench:
        for name, fault in FAULTS.items():
            for skip in (0, 1):  # the call that takes, the call that gives back
                request = bench.file(500)
                bench.names[request["attachment_id"]] = f"{name}, {'giving back' if skip else 'taking'}"
                bench.strike_aws(request, fault, "dynamodb.", skip=skip)
                function = WorkerProcess(bench.env, bench.functions, bench.log, "archive_now")
                _post(bench, function, request)
                function.stop()
                bench.disarm()
                bench.end_leases()
        bench.drain()
        yield bench.row("DynamoDB fails")
    yield _at_once(lab)


def _at_once(lab: Lab) -> Row:
    """Several callers at once, each in a function of its own: at most two calls reach Bigin at one time."""
    with lab.bench() as bench:
        bench.bigin.control("PATCH", "settings", {"latency_s": 0.2})
        requests = [bench.file(500) for _ in range(lab.scaled(60, least=4 * CALLERS))]
        functions = [WorkerProcess(bench.env, bench.functions, bench.log, "archive_now") for _ in range(CALLERS)]

        def call(number: int) -> None:
            for request in requests[number::CALLERS]:
                _post(bench, functions[number], request)

        with ThreadPoolExecutor(CALLERS) as pool:
            list(pool.map(call, range(CALLERS)))
        for function in functions:
            function.stop()
        most = bench.bigin.calls()["max_concurrent"]
        bench.drain()
        bench.injected(lambda: len(requests))
        row = bench.row("API asked by many at once", f"at most {most} calls at one time")
        if most > CALLS_AT_ONCE:
            row.complaints.append(f"{most} calls reached Bigin at one time")
        return row


def _post(bench: Bench, function: WorkerProcess, request: Request) -> None:
    status = function.invoke(api_event(request), ANSWER_S)["statusCode"]
    if status not in (200, 201, 202):
        bench.remark(f"{bench.names.get(request['attachment_id'], request['attachment_id'])}: answered with {status}")
