"""Faults of S3, KMS, Secrets Manager and SQS: calls are refused, throttled, slow, cut off, or not answered."""

import json
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor

import boto3
from botocore.config import Config

from tests.faults import paths
from tests.faults.aws_proxy import json_error, s3_error
from tests.faults.bench import Bench, Request
from tests.faults.event_source import EventSource
from tests.faults.lab import Lab
from tests.faults.relay import BreakRequest, CorruptRequest, Fault, LoseAnswer, Reply, Script, Wait
from tests.faults.tally import Row

MIB = 1024 * 1024
ERROR = {"status": "error", "message": "m", "details": {}}
_RESET = Script((), reset=True)

# What any call to S3 may meet.
_ANY: dict[str, Fault] = {
    "SlowDown": s3_error(503, "SlowDown"),
    "InternalError": s3_error(500, "InternalError"),
    "ServiceUnavailable without a body": Reply(503),
    "AccessDenied": s3_error(403, "AccessDenied"),
    "NoSuchBucket": s3_error(404, "NoSuchBucket"),
    "ExpiredToken": s3_error(400, "ExpiredToken"),
    "RequestTimeTooSkewed": s3_error(403, "RequestTimeTooSkewed"),
    "KMS throttled": s3_error(400, "KMS.ThrottlingException"),
    "KMS key disabled": s3_error(400, "KMS.DisabledException"),
    "KMS key to be deleted": s3_error(400, "KMS.KMSInvalidStateException"),
    "redirect": s3_error(301, "PermanentRedirect"),
    "reset": _RESET,
    "answer lost": LoseAnswer(),
    "answer cut in its head": LoseAnswer(20),
    "rubbish": Reply(200, b"<html>not S3</html>", (("Content-Type", "text/html"),)),
    "slow": Wait(1.0),
}
_PUT: dict[str, Fault] = {
    "SlowDown before the body": s3_error(503, "SlowDown", early=True),
    "AccessDenied before the body": s3_error(403, "AccessDenied", early=True),
    "ConditionalRequestConflict": s3_error(409, "ConditionalRequestConflict"),
    "OperationAborted": s3_error(409, "OperationAborted"),
    "PreconditionFailed though nothing is there": s3_error(412, "PreconditionFailed"),
    "RequestTimeout": s3_error(400, "RequestTimeout"),
    "BadDigest": s3_error(400, "BadDigest"),
    "reset before the body": BreakRequest(0),
    "reset within the body": BreakRequest(400),
    "one bit turned over": CorruptRequest(),
}


def s3(lab: Lab) -> Iterator[Row]:
    """Strikes each call with each fault, once and three times, for small and for streamed files."""
    for call, faults in (("s3.list", _ANY), ("s3.put", {**_ANY, **_PUT}), ("s3.head", _ANY)):
        with lab.bench() as bench:
            for name, fault in faults.items():
                if name == "rubbish" and call != "s3.list":
                    continue  # an answer 200 to a write is the write's own business
                for size in (1000, 2 * MIB) if call != "s3.head" else (2 * MIB,):
                    for times in (1, 3):
                        request = bench.file(size)
                        bench.strike_aws(request, fault, call, times=times)
                        bench.send(request)
            bench.drain()
            yield bench.row(f"S3 fails: {call.partition('.')[2]}")


_JSON: dict[str, Fault] = {
    "InternalFailure": json_error(500, "InternalFailure"),
    "ServiceUnavailable": json_error(503, "ServiceUnavailable"),
    "ThrottlingException": json_error(400, "ThrottlingException"),
    "AccessDenied": json_error(400, "AccessDeniedException"),
    "ExpiredToken": json_error(403, "ExpiredTokenException"),
    "reset": _RESET,
    "answer lost": LoseAnswer(),
    "rubbish": Reply(200, b"<html>", (("Content-Type", "text/html"),)),
    "slow": Wait(1.0),
}
_SECRETS: dict[str, Fault] = {
    **_JSON,
    "DecryptionFailure": json_error(400, "DecryptionFailure"),
    "InternalServiceError": json_error(500, "InternalServiceError"),
    "ResourceNotFound": json_error(400, "ResourceNotFoundException"),
    "hangs": Wait(6.0),
    "empty": Reply(200, b"{}", (("Content-Type", "application/x-amz-json-1.1"),)),
}


def secrets(lab: Lab) -> Iterator[Row]:
    """The access token cannot be read, once and twice; after that it can."""
    with lab.bench() as bench:
        for fault in _SECRETS.values():
            for times in (1, 2):
                bench.next_is_cold()
                bench.strike_aws(None, fault, "secrets.get", times=times)
                bench.send(*[bench.file(100) for _ in range(3)])
                bench.drain()
                bench.disarm()
        yield bench.row("Secrets Manager fails")


def sqs(lab: Lab) -> Iterator[Row]:
    """Delays, dead letters and sends fail, and so do deletions after the work was done."""
    with lab.bench() as bench:
        for fault in _JSON.values():
            request = bench.file(1000)
            bench.bigin.fault({"kind": "cut", "after": "half"}, attachment_id=request["attachment_id"])
            bench.strike_aws(request, fault, "sqs.delay")
            bench.send(request)
            bench.drain()
            bench.disarm()
        yield bench.row("SQS fails: delay")
    with lab.bench() as bench:
        for fault in _JSON.values():
            request = bench.file(10, outcome="bigin_refused")
            bench.bigin.answer(
                403, {"code": "NO_PERMISSION", **ERROR}, attachment_id=request["attachment_id"], times=None
            )
            bench.strike_aws(request, fault, "sqs.send-one", times=2)
            bench.send(request)
            bench.drain()
            bench.disarm()
        yield bench.row("SQS fails: dead letter")
    with lab.bench() as bench:
        partly = {
            "Successful": [],
            "Failed": [{"Id": str(n), "Code": "InternalError", "SenderFault": False} for n in range(10)],
        }
        some = Reply(200, json.dumps(partly).encode(), (("Content-Type", "application/x-amz-json-1.0"),))
        for number, fault in enumerate([*_JSON.values(), some]):
            record_id = str(71000 + number)
            requests = [bench.file(50, record_id=record_id) for _ in range(12)]
            bench.strike_aws(requests[0], fault, "sqs.send-batch", skip=number % 2, times=2)
            bench.send({"module": requests[0]["module"], "record_id": record_id})
            bench.drain()
            bench.disarm()
        yield bench.row("SQS fails: attachments of a record")
    yield _deletions(lab)


def _deletions(lab: Lab) -> Row:
    with lab.bench() as bench:
        through_relay = boto3.client(
            "sqs",
            endpoint_url=bench.aws_relay.url,
            verify=bench.env["AWS_CA_BUNDLE"],
            aws_access_key_id="test",
            aws_secret_access_key="test",
            region_name="us-east-1",
            config=Config(retries={"total_max_attempts": 1}, read_timeout=5),
        )
        bench.source = EventSource(through_relay, bench.aws.queue_url)
        for fault in (
            json_error(500, "InternalFailure"),
            _RESET,
            LoseAnswer(),
            json_error(403, "ExpiredTokenException"),
        ):
            bench.strike_aws(None, fault, "sqs.delete", times=2)
            bench.send(*[bench.file(200) for _ in range(10)])
            bench.drain()
            bench.disarm()
        return bench.row("SQS fails: deletion")


# ---- Near the end ----------------------------------------------------------------------------------------------------

INVOCATION_S = paths.RESERVE_S + paths.LEAST_TIME_S + 1
STALL_S = 100.0


def stalls_near_the_end(lab: Lab) -> Iterator[Row]:
    """An AWS service does not answer while the function's time runs out. The function still answers in time."""
    with lab.bench() as bench:
        looked, written, last = bench.file(1000), bench.file(1000), [bench.file(1000) for _ in range(10)]
        bench.strike_aws(looked, Wait(STALL_S), "s3.list")
        bench.strike_aws(written, Wait(STALL_S), "s3.put")
        _together(bench, {"s3.list": [looked], "s3.put": [written]})
        bench.disarm()
        # Nothing can be given back with a delay, and ten messages have to be.
        for request in last:
            bench.bigin.fault({"kind": "cut", "after": "half"}, attachment_id=request["attachment_id"])
        bench.strike_aws(None, Wait(STALL_S), "sqs.delay", times=None)
        _together(bench, {"sqs.delay": last})
        bench.disarm()
        bench.strike_aws(None, Wait(STALL_S), "secrets.get")
        _together(bench, {"secrets.get": [bench.file(1000)]})
        bench.disarm()
        bench.drain()
        yield bench.row("AWS stalls near the end of the time")


def _together(bench: Bench, batches: dict[str, list[Request]]) -> None:
    """Gives each batch to a cold worker of its own, all at once, because waits are long and cost nothing."""

    def deliver(call: str, requests: list[Request]) -> None:
        worker = bench.worker()
        source.handle(found[call], lambda event: worker.invoke(event, INVOCATION_S))
        if worker.timed_out:
            bench.remark(f"{call} stalled: the function ran into Lambda's time-out, and with it its whole batch")

    source, found = bench.source, {}
    for call, requests in batches.items():
        bench.send(*requests)
        found[call] = source.receive()
    with ThreadPoolExecutor(len(batches)) as pool:
        list(pool.map(deliver, batches.keys(), batches.values()))
