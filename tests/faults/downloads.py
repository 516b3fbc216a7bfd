"""Bodies that end early, late or never, and framings that only a broken server sends."""

import gzip
from collections.abc import Callable, Iterator

from tests.faults import paths, reading
from tests.faults.lab import Lab
from tests.faults.relay import Script
from tests.faults.tally import Row

KIB, MIB = 1024, 1024 * 1024
FRAMINGS = ("content-length", "chunked", "close", "gzip")
SIZES = (1, 2, 999, 64 * KIB, MIB, MIB + 1, 3 * MIB)


def cut(lab: Lab) -> Iterator[Row]:
    """Cuts the body in each framing, at each size and position, once and twice."""
    for framing in FRAMINGS:
        with lab.bench() as bench:
            for size in SIZES:
                for after in (0, 1, "half", "last-byte"):
                    for times in (1, 2):
                        request = bench.file(size, record_id=str(60000 + len(bench.expected_outcomes)))
                        bench.strike(request, {"kind": "cut", "after": after, "framing": framing}, times=times)
                        bench.send(request)
            bench.drain()
            yield bench.row(f"body cut, {framing}")


def reset(lab: Lab) -> Iterator[Row]:
    """Resets the connection before the headers, and at each position of the body."""
    with lab.bench() as bench:
        for size in SIZES:
            for after in (0, 1, "half", "last-byte"):
                request = bench.file(size)
                bench.strike(request, {"kind": "reset", "after": after})
                bench.send(request)
            request = bench.file(size)
            bench.strike(request, {"kind": "reset-before-headers"}, times=2)
            bench.send(request)
        bench.drain()
        yield bench.row("connection reset")


def wrong_length(lab: Lab) -> Iterator[Row]:
    """Sends more bytes than declared, fewer, and lists another size."""
    with lab.bench() as bench:
        for size in SIZES:
            for extra in (1, 100, 100_000):
                request = bench.file(size)
                bench.strike(request, {"kind": "longer", "extra": extra})
                bench.send(request)
            for declared in {size // 2, size - 1, size + 1, 2 * size}:
                request = bench.file(size)
                bench.strike(request, {"kind": "declared", "size": declared})
                bench.send(request)
            request = bench.file(size)
            other = bench.file(size + 1)
            bench.expected_outcomes.pop(other["attachment_id"])
            # The listing tells the truth, the first download brings another file's bytes.
            bench.strike(request, {"kind": "declared", "size": size + 1})
            bench.send_listed(request, size)
        bench.drain()
        yield bench.row("body of another length than declared")


def framings(lab: Lab) -> Iterator[Row]:
    """Sends raw answers that break one rule of HTTP, once; the next answer is a good one."""
    with lab.bench() as bench:
        bench.through_bigin_relay()
        sizes = (2, 1000, 200 * KIB)
        # A short run has one size of each way, in turn.
        cases = [(sizes[(first + more) % 3], way) for first, way in enumerate(RAW.items()) for more in range(3)]
        for size, (name, answer) in lab.some(cases):
            content = bytes(index * 31 % 251 for index in range(size))
            request = bench.file(
                content=content, record_id=str(61000 + len(bench.expected_outcomes)), file_name=f"{name}.bin"
            )
            bench.strike_wire(request, Script(answer(content)), name=name)
            bench.send(request)
        bench.drain()
        row = bench.row("framing broken", f"{len(RAW)} ways")
        # The broken answer gives another name than the good one: what is stored must come from the good one.
        keys = [version.key for version in reading.versions(bench.aws)]
        row.complaints += [f"the broken answer was stored: {key}" for key in keys if key.endswith(UNTRUSTED)]
        yield row


UNTRUSTED = ("/raw.bin", "/attachment")  # the name in a broken answer, or what is called so for want of a name


def _head(*lines: str, status: str = "HTTP/1.1 200 OK") -> bytes:
    fixed = ("Content-Type: application/octet-stream", 'Content-Disposition: attachment; filename="raw.bin"')
    return "\r\n".join((status, *fixed, *lines, "", "")).encode("latin-1")


READ_BUFFER_BYTES = 8192  # io.DEFAULT_BUFFER_SIZE: how much Python reads ahead from a connection


def _head_and_body_of(size_bytes: int, content: bytes) -> bytes:
    """Head and declared body fill ``size_bytes`` exactly (those of a small file: half of it); the file goes on."""
    declared = size_bytes - len(_head("Content-Length: 1000"))
    return _head(f"Content-Length: {declared if declared < len(content) else len(content) // 2}") + content


_CHUNKED = _head("Transfer-Encoding: chunked")


def _chunk(content: bytes, size: str = "") -> bytes:
    return (size or f"{len(content):x}").encode() + b"\r\n" + content + b"\r\n"


# name -> what is sent instead of the good answer; each must leave nothing in the bucket but the whole file.
RAW: dict[str, Callable[[bytes], list[bytes | float]]] = {
    "chunk size cut after its first zeros": lambda c: [
        _CHUNKED + _chunk(c[: len(c) // 2], "000" + f"{len(c) // 2:x}"),
        b"000",
    ],
    "chunk size cut before its first digit": lambda c: [_CHUNKED + _chunk(c[: len(c) // 2])],
    "chunk size cut after one digit": lambda c: [_CHUNKED + _chunk(c[: len(c) // 2]), b"1"],
    "chunk cut before its line end": lambda c: [_CHUNKED + f"{len(c):x}\r\n".encode() + c],
    "chunk cut inside": lambda c: [_CHUNKED + f"{len(c):x}\r\n".encode() + c[:-1]],
    "chunk size that is no number": lambda c: [_CHUNKED + _chunk(c[:1]) + b"zz\r\n" + c[1:]],
    "chunk size that is negative": lambda c: [_CHUNKED + _chunk(c, f"-{len(c):x}") + b"0\r\n\r\n"],
    "chunk longer than its size": lambda c: [_CHUNKED + _chunk(c, f"{len(c) - 1:x}") + b"0\r\n\r\n"],
    "length 0 before a body": lambda c: [_head("Content-Length: 0") + c],
    "length 1 before a body": lambda c: [_head("Content-Length: 1") + c],
    "length of half the body": lambda c: [_head(f"Content-Length: {len(c) // 2}") + c],
    "length that ends where a reader's buffer does": lambda c: [_head_and_body_of(READ_BUFFER_BYTES, c)],
    "two lengths, the shorter first": lambda c: [_head("Content-Length: 1", f"Content-Length: {len(c)}") + c],
    "length and chunks, cut": lambda c: [
        _head("Transfer-Encoding: chunked", f"Content-Length: {len(c)}") + _chunk(c[:1])
    ],
    "length that is no number, cut": lambda c: [_head("Content-Length: 12x") + c[:-1]],
    "length that is negative, cut": lambda c: [_head("Content-Length: -5") + c[:-1]],
    "length that is empty, cut": lambda c: [_head("Content-Length:") + c[: len(c) // 2]],
    "no length, cut": lambda c: [_head() + c[:-1]],
    "old protocol, cut": lambda c: [_head(status="HTTP/1.0 200 OK") + c[:-1]],
    "transfer coding that is unknown": lambda c: [_head("Transfer-Encoding: gzip, chunked") + _chunk(c) + b"0\r\n\r\n"],
    "status line that is none": lambda c: [b"HELLO\r\n\r\n" + c],
    "status that is no number": lambda c: [_head(status="HTTP/1.1 OK 200") + c],
    "head cut": lambda c: [b"HTTP/1.1 200 OK\r\nContent-Le"],
    "head cut after a whole line": lambda c: [b"HTTP/1.1 200 OK\r\nContent-Type: text/plain\r\n"],
    "header line that is none": lambda c: [
        b"HTTP/1.1 200 OK\r\nno colon\r\n" + _head(f"Content-Length: {len(c)}").partition(b"\r\n")[2] + c
    ],
    "head of a thousand headers": lambda c: [_head(*(f"X-{n}: 1" for n in range(1000))) + c],
    "header of a megabyte": lambda c: [_head("X-Long: " + "x" * MIB) + c],
    "nothing at all": lambda c: [b""],
    "partial content": lambda c: [
        _head(f"Content-Length: {len(c) - 1}", status="HTTP/1.1 206 Partial Content") + c[:-1]
    ],
    "gzip whose end is missing": lambda c: _gzip(c, lambda packed: packed[:-8]),
    "gzip whose checksum is wrong": lambda c: _gzip(c, lambda packed: packed[:-8] + bytes(4) + packed[-4:]),
    "gzip whose length is wrong": lambda c: _gzip(c, lambda packed: packed[:-4] + b"\xff\xff\xff\xff"),
    "gzip with rubbish behind": lambda c: _gzip(c, lambda packed: packed + b"rubbish"),
    "gzip that is none": lambda c: _gzip(c, lambda packed: c),
    "gzip of nothing": lambda c: _gzip(c, lambda packed: b""),
    "encoding that was not asked for": lambda c: [_head("Content-Encoding: br", f"Content-Length: {len(c)}") + c],
}


def _gzip(content: bytes, change: Callable[[bytes], bytes]) -> list[bytes | float]:
    packed = change(gzip.compress(content, mtime=0))
    return [_head("Content-Encoding: gzip", f"Content-Length: {len(packed)}") + packed]


# ---- Slow ------------------------------------------------------------------------------------------------------------

BEGUN_S = paths.RESERVE_S + paths.LEAST_TIME_S  # with less time left nothing is begun
INVOCATION_S = BEGUN_S + 3


def slow(lab: Lab) -> Iterator[Row]:
    """Sends nothing, or drips, in every phase: each invocation ends in time, and the next delivery brings the file."""
    with lab.bench() as bench:
        bench.through_bigin_relay()
        content = bytes(range(256)) * 40
        drips: dict[str, list[bytes | float]] = {
            "head byte by byte": _drip(_head(f"Content-Length: {len(content)}")),
            "headers without end": [b"HTTP/1.1 200 OK\r\n", *_drip(b"X: y\r\n" * 100)],
            "chunk sizes byte by byte": [_CHUNKED, *_drip(b"0" * 500)],
            "trailers without end": [_CHUNKED + _chunk(content) + b"0\r\n", *_drip(b"X: y\r\n" * 100)],
        }
        requests = [bench.file(1000)]  # a good one first: the worker has to know that Bigin is well
        for steps in drips.values():
            request = bench.file(content=content)
            bench.strike_wire(request, Script(steps))
            requests.append(request)
        for phase in ("before-headers", "after-headers", "mid-body"):
            request = bench.file(MIB + 1)
            bench.strike(request, {"kind": "stall", "seconds": 60, "phase": phase})
            requests.append(request)
        request = bench.file(10_000)
        bench.strike(request, {"kind": "drip", "bytes_per_second": 20})
        requests.append(request)
        bench.send(*requests)
        bench.drain(seconds=INVOCATION_S, patience_s=150)
        row = bench.row("stall or drip")
        if bench.source.crashes:
            row.complaints.append(f"{bench.source.crashes} invocations outlived their time")
        yield row


def _drip(data: bytes) -> list[bytes | float]:
    steps: list[bytes | float] = []
    for index in range(len(data)):
        steps += [data[index : index + 1], 0.4]
    return steps


# ---- Near the end of the function's time -----------------------------------------------------------------------------


def remaining_time(lab: Lab) -> Iterator[Row]:
    """Leaves the function any time from nothing to its limit, for small files and for files that need longer."""
    with lab.bench() as bench:
        around = [bound + more for bound in (paths.RESERVE_S, BEGUN_S) for more in (-1, -0.1, 0, 0.1, 1)]
        asked = (0, 0.05, 0.5, 1, 2, 5, 10, 20, 30, *around, 100, 200, 299, 300)
        for seconds in asked:
            request = bench.file(5000)
            bench.injected(lambda: 1, request)
            bench.send(request)
            before = bench.bigin.calls()["total"]
            bench.source.handle(bench.source.receive(), lambda event, s=seconds: bench.invoke(event, s))  # type: ignore[misc]
            if seconds < BEGUN_S and bench.bigin.calls()["total"] != before:
                bench.remark(f"Bigin was called with {seconds} s left")
        too_slow = [bench.file(2 * MIB) for _ in range(3)]
        for request, bytes_per_second in zip(too_slow, (100 * KIB, 190 * KIB, 199 * KIB), strict=True):
            bench.strike(request, {"kind": "drip", "bytes_per_second": bytes_per_second})
        bench.send(*too_slow)
        bench.source.handle(bench.source.receive(), lambda event: bench.invoke(event, BEGUN_S + 0.5))
        bench.drain()
        row = bench.row("function's time nearly over", f"{len(asked)} times from 0 to 300 s")
        if bench.source.crashes:
            row.complaints.append(f"{bench.source.crashes} invocations outlived their time")
        yield row
