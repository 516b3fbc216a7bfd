"""Little room: /tmp is full in the middle of a file, and memory must not grow with the file."""

import resource
from collections.abc import Iterator

from tests.faults.lab import Lab
from tests.faults.runtime import WorkerProcess
from tests.faults.tally import Row, of_checks

MIB = 1024 * 1024
ROOM_BYTES = 4 * MIB
TOO_MUCH = (ROOM_BYTES + 1, 5 * MIB, 9 * MIB)
LARGE_BYTES = 100 * MIB
GROWTH_MIB = 40
FRAMINGS = ("chunked", "close", "gzip")


def full(lab: Lab) -> Iterator[Row]:
    """A body of unknown length that /tmp cannot take goes back to the queue, and is stored once there is room."""
    with lab.bench() as bench:
        log = bench.log.with_name("little-room.log")  # the limit is one for each file that the process writes
        small = WorkerProcess(bench.env, bench.functions, log, limits={resource.RLIMIT_FSIZE: ROOM_BYTES})
        requests = []
        for framing in FRAMINGS:
            for size in TOO_MUCH:
                requests.append(bench.file(size, record_id=str(62_000 + len(requests))))
                bench.strike(requests[-1], {"kind": "framing", "framing": framing}, times=None)
        bench.send(*requests)
        bench.source.handle(bench.source.receive(), small.invoke)
        small.stop()
        if bench.aws.objects():
            bench.remark("something was stored that did not fit")
        bench.source.let_time_pass()
        bench.drain()
        row = bench.row("/tmp full")
        row.injected = row.survived = len(requests) if not row.complaints else 0
        yield row


def memory(lab: Lab) -> Iterator[Row]:
    """Measures the memory of a worker that archives 100 MB, for each way in which a body can end."""
    complaints, most = [], 0
    for framing in ("content-length", *FRAMINGS):
        with lab.bench() as bench:
            bench.send(bench.file(1000))
            bench.drain()
            request = bench.file(LARGE_BYTES)
            bench.strike(request, {"kind": "framing", "framing": framing}, times=None)
            bench.send(request)
            if bench.current is None:
                raise RuntimeError("no worker has worked")
            idle_mib = bench.current.memory_mib("VmRSS")
            bench.current.forget_peak()
            bench.drain()
            growth_mib = bench.current.memory_mib("VmHWM") - idle_mib
            most = max(most, growth_mib)
            row = bench.row(framing)
            complaints += [f"{framing}: {text}" for text in row.complaints]
            if growth_mib > GROWTH_MIB:
                complaints.append(f"{framing}: 100 MB took {growth_mib} MiB more than nothing")
    yield of_checks("file of 100 MB in little memory", complaints, 1 + len(FRAMINGS), f"grew by at most {most} MiB")
