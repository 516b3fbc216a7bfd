"""Answers of Bigin that are no file: errors, throttling, redirects, web pages, and lists that make no sense."""

import json
from collections.abc import Iterator

from tests.faults.bench import Bench
from tests.faults.lab import Lab
from tests.faults.tally import Row

ERROR = {"status": "error", "message": "m", "details": {}}
HTML = "<!DOCTYPE html><html><body>Service unavailable</body></html>"
AS_HTML = {"Content-Type": "text/html;charset=UTF-8"}
AS_JSON = {"Content-Type": "application/json;charset=UTF-8"}

SETTLED = (
    (204, ""),
    (404, ""),
    (400, {"code": "INVALID_DATA", **ERROR}),
    (404, {"code": "INVALID_DATA", **ERROR}),
    (400, {"code": "DOWNLOAD_NOT_ALLOWED", **ERROR}),
)
REFUSED = ("NO_PERMISSION", "AUTHORIZATION_FAILED", "INVALID_MODULE", "INVALID_URL_PATTERN", "INVALID_REQUEST_METHOD")


def final(lab: Lab) -> Iterator[Row]:
    """Answers that never become a file: the message is done if there is nothing, else it is parked with its reason."""
    with lab.bench() as bench:
        good = [bench.file(500) for _ in range(10)]
        for status, body in SETTLED:
            request = bench.file(10, outcome="settled")
            bench.strike_answer(request, status, body, AS_JSON if body else {}, times=None)
            bench.send(request)
        for code in REFUSED:
            for status in (400, 403, 404):
                request = bench.file(10, outcome="bigin_refused")
                bench.strike_answer(request, status, {"code": code, **ERROR}, AS_JSON, times=None)
                bench.send(request)
        bench.send(*good)
        bench.drain()
        row = bench.row("gone, link, refused")
        again = [request for request in good if bench.bigin.downloads(request) != 1]
        row.complaints += [f"{len(again)} good neighbours were downloaded again"] if again else []
        yield row


def transient(lab: Lab) -> Iterator[Row]:
    """Everything that passes, once and twice: server errors, redirects, and web pages that pose as files."""
    kinds: dict[str, list[tuple[int, object, dict[str, str]]]] = {
        "5xx and unknown answers": [
            *((status, "", {}) for status in (500, 501, 502, 503, 504, 520, 599)),
            *((status, HTML, AS_HTML) for status in (500, 502, 503, 403, 418)),
            (500, {"code": "INTERNAL_ERROR", **ERROR}, AS_JSON),
            (503, "", {"Retry-After": "1"}),
            (400, {"code": "SOMETHING_NEW", **ERROR}, AS_JSON),
            (500, "x" * 200_000, {"Content-Disposition": 'attachment; filename="a.pdf"'}),
            (206, "part", {"Content-Disposition": 'attachment; filename="a.pdf"'}),
            (202, {}, AS_JSON),
        ],
        "redirect": [
            (status, "", {"Location": where})
            for status in (301, 302, 303, 307, 308)
            for where in ("https://example.com/", "http://127.0.0.1:9/", "/bigin/v2/Contacts", "//example.com/x")
        ],
        "page or error in place of the file": [
            (200, HTML, AS_HTML),
            (200, HTML, {"Content-Type": ""}),
            (200, {"code": "INTERNAL_ERROR", **ERROR}, AS_JSON),
            (
                200,
                {"code": "NEW_CODE", **ERROR},
                AS_JSON | {"Content-Disposition": "attachment; filename=response.json"},
            ),
            (200, json.dumps({"code": "X", "status": "error", "message": "m" * 30_000}), AS_JSON),
        ],
    }
    for kind, found in kinds.items():
        with lab.bench() as bench:
            for status, body, headers in found:
                for times in (1, 2):
                    request = bench.file(2000)
                    bench.strike_answer(request, status, body, headers, times=times)
                    bench.send(request, bench.file(100))  # a good one for each: Bigin as a whole is well
            bench.drain()
            row = bench.row(kind)
            if kind == "redirect":
                row.complaints += _elsewhere(bench)
            yield row
    yield _genuine(lab)


def _elsewhere(bench: Bench) -> list[str]:
    paths = {call["path"] for call in bench.bigin.calls()["log"]}
    return [f"a redirect was followed to {path}" for path in paths if "/Attachments/" not in path]


def _genuine(lab: Lab) -> Row:
    """Files that look like errors or web pages are archived as files, and so are empty ones."""
    with lab.bench() as bench:
        contents = {
            "page.html": HTML.encode(),
            "error.json": json.dumps({"code": "INVALID_TOKEN", **ERROR}).encode(),
            "list.json": b'{"data": []}',
            "empty.txt": b"",
            "one.bin": b"\0",
            "gzip.gz": b"\x1f\x8b\x08\0\0\0\0\0\0\x03\x03\0\0\0\0\0\0\0\0\0",
        }
        for name, content in contents.items():
            for framing in ("content-length", "chunked", "close", "gzip"):
                request = bench.file(
                    content=content, file_name=name, record_id=str(66000 + len(bench.expected_outcomes))
                )
                bench.strike(request, {"kind": "framing", "framing": framing}, times=None)
                bench.send(request)
        bench.drain()
        return bench.row("file that looks like an error, or empty")


RETRY_AFTER = (None, "0", "1", "120", "1000000000", "-5", "soon", "1.5", "", "Wed, 21 Oct 2099 07:28:00 GMT", "30, 60")


def throttled(lab: Lab) -> Iterator[Row]:
    """All forms of 429, and 503: the message waits as long as Bigin asks, but no longer than an hour."""
    with lab.bench() as bench:
        for value in RETRY_AFTER:
            for body, status in (("", 429), ({"code": "TOO_MANY_REQUESTS", **ERROR}, 400), ("", 503)):
                bench.next_is_cold()  # the breaker of the last one would wait as long as it was asked to
                request = bench.file(100)
                headers = {} if value is None else {"Retry-After": value}
                bench.strike_answer(request, status, body, headers)
                bench.send(request)
                bench.aws_relay.bodies.clear()
                bench.source.handle(bench.source.receive(), bench.invoke)
                delays = [json.loads(sent)["VisibilityTimeout"] for _, sent in bench.aws_relay.bodies]
                least = {"120": 120, "1000000000": 3600, "Wed, 21 Oct 2099 07:28:00 GMT": 3600}.get(str(value), 1)
                if len(delays) != 1 or not least <= delays[0] <= 3600:
                    bench.remark(f"Retry-After {value!r}: the message was delayed by {delays} s")
                bench.next_is_cold()
                bench.source.let_time_pass()
                bench.drain()
        yield bench.row("429 in all forms, 503 with Retry-After")


def concurrency(lab: Lab) -> Iterator[Row]:
    """Bigin allows two calls at once and refuses the rest. In the end everything is archived."""
    with lab.bench() as bench:
        bench.bigin.control("PATCH", "settings", {"concurrency_limit": 2, "latency_s": 0.02})
        for _ in range(lab.scaled(40, least=20)):
            bench.send(bench.file(300))
        bench.injected(lambda: sum(1 for call in bench.bigin.calls()["log"] if call["status"] == 429))
        bench.drain()
        most = bench.bigin.calls()["max_concurrent"]
        row = bench.row("more calls at once than allowed", f"at most {most} at one time")
        if most > int(bench.env["DOWNLOAD_THREADS"]):
            row.complaints.append(f"{most} calls at one time by a worker of {bench.env['DOWNLOAD_THREADS']} threads")
        yield row


LISTINGS: tuple[object, ...] = (
    "",
    "{}",
    "null",
    "[]",
    '"text"',
    '{"data": null}',
    '{"data": {}}',
    '{"data": "x"}',
    '{"data": [null]}',
    '{"data": [{}]}',
    '{"data": [{"id": 123}]}',
    '{"data": [{"id": null}]}',
    '{"info": {"more_records": false}}',
    '{"message": "try later"}',
    '{"data": [{"id": "1"',
    HTML,
)


def listings(lab: Lab) -> Iterator[Row]:
    """A record's list that makes no sense, or is cut off, does not count as empty."""
    with lab.bench() as bench:
        for body in lab.some(LISTINGS):
            _list_under(bench, {"kind": "answer", "status": 200, "headers": AS_JSON, "body": body}, repr(body))
        ways = [
            (after, way)
            for after in (0, 1, "half", "last-byte")
            for way in ("content-length", "chunked", "close", "gzip")
        ]
        for after, framing in lab.some(ways):
            _list_under(bench, {"kind": "cut", "after": after, "framing": framing}, framing)
        for status in (500, 503, 429, 301, 403):
            _list_under(bench, {"kind": "answer", "status": status, "headers": {}, "body": ""}, str(status))
        yield bench.row("listing of a record damaged")


def _list_under(bench: Bench, fault: dict[str, object], name: str) -> None:
    record_id = str(81000 + len(bench.expected_outcomes))
    requests = [bench.file(20, record_id=record_id) for _ in range(3)]
    bench.strike(requests[0], fault, call="list")
    bench.send({"module": requests[0]["module"], "record_id": record_id})
    bench.drain()
    bench.next_is_cold()
    bench.names.update({request["attachment_id"]: f"listing {name}" for request in requests})
