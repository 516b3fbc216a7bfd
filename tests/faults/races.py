"""Two writers of one file: there is one object with one version, and the loser finds out without doing harm."""

import base64
import hashlib
import itertools
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from typing import Any

from tests.faults.bench import Bench, Request
from tests.faults.event_source import EventSource
from tests.faults.lab import Lab
from tests.faults.relay import Reply, Wait
from tests.faults.runtime import WorkerProcess
from tests.faults.tally import Row

MIB = 1024 * 1024
_EMPTY = (
    b'<?xml version="1.0" encoding="UTF-8"?>\n<ListBucketResult xmlns="http://s3.amazonaws.com/doc/2006-03-01/">'
    b"<KeyCount>0</KeyCount><IsTruncated>false</IsTruncated></ListBucketResult>"
)
# The loser of a streamed body looks at the file again; this is what may happen to that second download.
SECOND_LOOKS = (
    None,
    {"kind": "framing", "framing": "chunked"},
    {"kind": "framing", "framing": "close"},
    {"kind": "framing", "framing": "gzip"},
    {"kind": "cut", "after": "half", "framing": "content-length"},
    {"kind": "cut", "after": "half", "framing": "chunked"},
    {"kind": "cut", "after": "half", "framing": "close"},
    {"kind": "cut", "after": "half", "framing": "gzip"},
    {"kind": "declared", "size": MIB},
    {"kind": "answer", "status": 503, "headers": {}, "body": "down"},
    {"kind": "answer", "status": 429, "headers": {"Retry-After": "1"}, "body": ""},
    {"kind": "reset-before-headers"},
)


def lost_races(lab: Lab) -> Iterator[Row]:
    """The object appears between the look and the write, and then the second look fails in each way."""
    with lab.bench() as bench:
        for size in (0, 1000, MIB, 2 * MIB):
            for second in SECOND_LOOKS if size > MIB else (None,):
                content = bytes([size % 251, 7, 9, 11]) * (size // 4)
                request = bench.file(content=content, file_name="twice.bin")
                bench.names[request["attachment_id"]] = f"{size} bytes, second look: {second}"
                _archive_by_hand(bench, request, content)
                bench.strike_aws(request, Reply(200, _EMPTY, (("Content-Type", "application/xml"),)), "s3.list")
                if second:
                    bench.strike(request, second, skip=1)
                bench.send(request)
        bench.drain()
        yield bench.row("race lost between look and write")


def conflicts(lab: Lab) -> Iterator[Row]:
    """Other bytes are there already: nobody touches them, and the request is parked with that reason."""
    with lab.bench() as bench:
        for size in (1000, MIB, 2 * MIB):
            for stands, is_race in itertools.product(("other bytes", "one byte more", "one byte less"), (False, True)):
                if stands == "other bytes" and not is_race:
                    continue  # sizes are all that is known before the download
                content, other = bytes([1]) * size, bytes([2]) * (size + _DIFFERENCE[stands])
                request = bench.file(content=content, file_name="twice.bin", outcome="content_conflict")
                bench.names[request["attachment_id"]] = f"{size} bytes, {stands}, {'race' if is_race else 'before'}"
                bench.expect(request, other)
                _archive_by_hand(bench, request, other)
                if is_race:
                    bench.strike_aws(request, Reply(200, _EMPTY, (("Content-Type", "application/xml"),)), "s3.list")
                else:
                    bench.injected(lambda: 1, request)
                bench.send_listed(request, size)
        bench.drain()
        yield bench.row("other bytes in the archive already")


_DIFFERENCE = {"other bytes": 0, "one byte more": 1, "one byte less": -1}


def _archive_by_hand(bench: Bench, request: Request, content: bytes) -> None:
    bench.aws.s3.put_object(
        Bucket=bench.aws.bucket,
        Key="bigin/{module}/{record_id}/{attachment_id}/twice.bin".format(**request),
        Body=content,
        ChecksumSHA256=base64.b64encode(hashlib.sha256(content).digest()).decode(),
    )


def real_races(lab: Lab) -> Iterator[Row]:
    """Delivers each file twice at the same time, to two workers in two processes."""
    rounds = lab.scaled(300, least=20)
    with lab.bench() as bench:
        bench.aws_relay.fault(Wait(0.02), "s3.put", times=None)  # so that both have looked before one writes
        requests = [bench.file(1000 if number % 10 else MIB + number) for number in range(rounds)]
        workers = [bench.worker(), bench.worker()]
        for start in range(0, rounds, 10):
            batch = requests[start : start + 10]
            bench.send(*batch, *batch)
            found = bench.source.receive() + bench.source.receive()
            firsts = {message["Body"]: message for message in found}
            seconds = [message for message in found if message not in firsts.values()]
            with ThreadPoolExecutor(2) as pool:
                list(pool.map(_deliver, (bench, bench), workers, (list(firsts.values()), seconds)))
        for request in requests:
            bench.injected(lambda: 1, request)
        bench.drain()
        yield bench.row("delivered to two workers at once")


def _deliver(bench: Bench, worker: WorkerProcess, messages: list[dict[str, Any]]) -> None:
    if messages:
        EventSource(bench.aws.sqs, bench.aws.queue_url).handle(messages, worker.invoke)
