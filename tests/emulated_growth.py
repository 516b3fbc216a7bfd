"""An account of so many attachments on the emulator: ``python -m tests.emulated_growth [ATTACHMENTS]`` prints figures.

An audit with its index, a sweep that finds nothing changed, both ways, and a search; each in a process of its own, with
the real code on real clients. Bucket and table are filled over the emulator's own interface, with an object of one byte
for each row. The calls to Bigin are left out. ``--docs`` writes the table into docs/performance.md.
"""

import argparse
import base64
import hashlib
import json
import os
import resource
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import operate  # noqa: F401 - puts functions/ on the path

# isort: split

from bigin_archive.archive_request import MODULES
from bigin_archive.audit.auditor import Auditor
from bigin_archive.audit.bigin_side import Listing
from bigin_archive.audit.comparison import Audit
from bigin_archive.aws import clients
from bigin_archive.aws.function_aws import FunctionAws
from bigin_archive.aws.s3_http import S3Requests, bucket_requests
from bigin_archive.console.archive_files import ArchiveFiles
from bigin_archive.deadline import Deadline
from bigin_archive.ledger.ledger import Ledger
from bigin_archive.ledger.ledger_entry import LedgerEntry, item_of, verified_mark
from bigin_archive.search.folding import words
from bigin_archive.search.query import Query
from bigin_archive.storage.inventory import Inventory
from local.emulator import Emulator
from operate.find.lookup import look
from tests import pages
from tests.audit_growth import SIZE_BYTES, SLICE_S, Figures, row, s3_calls, usd
from tests.aws import Aws
from tests.unchanged_sweep import Units, measure

SIZE = 100_000
PREFIX = "bigin/"
WORDS = "angebot 4242"
INDEX = f"{PREFIX}_index/search.tsv.gz"
_AT_ONCE = 8
_IN_ONE_CALL = 25  # rows (DynamoDB API Reference, BatchWriteItem)


def fill(aws: Aws, emulator: Emulator, count: int) -> None:
    """An object and a row for each attachment."""
    bucket = bucket_requests(
        FunctionAws(aws.environment), aws.bucket, endpoint_url=emulator.url, read_timeout_s=60, connections=_AT_ONCE
    )

    def batch(first: int) -> None:
        entries = [_stored(bucket, row(number, count)) for number in range(first, min(first + _IN_ONE_CALL, count))]
        rows = [{"PutRequest": {"Item": item_of(entry)}} for entry in entries]
        answer = aws.dynamodb.batch_write_item(RequestItems={aws.ledger_table: rows})
        if answer["UnprocessedItems"]:
            raise AssertionError("The emulator took only some of the rows.")

    with ThreadPoolExecutor(_AT_ONCE) as pool:
        for _ in pool.map(batch, range(0, count, _IN_ONE_CALL)):
            pass


def _stored(bucket: S3Requests, entry: LedgerEntry) -> LedgerEntry:
    digest = hashlib.sha256(b"x")
    ids = {"module": entry.module, "record-id": entry.record_id, "attachment-id": entry.attachment_id}
    headers = {
        "x-amz-checksum-sha256": base64.b64encode(digest.digest()).decode(),
        **{f"x-amz-meta-bigin-{name}": value for name, value in ids.items()},
    }
    answer = bucket.send(
        "PUT", str(entry.key), headers=headers, body=b"x", body_bytes=SIZE_BYTES, payload=digest.hexdigest()
    )
    if answer.status != 200:
        raise AssertionError(f"The emulator answers {answer.status}.")
    facts: dict[str, Any] = {
        "version_id": answer.headers["x-amz-version-id"],
        "size_bytes": 1,
        "sha256": digest.hexdigest(),
    }
    made = replace(entry, **facts)
    return replace(made, verified=verified_mark(made))


def client(service: str) -> Any:
    """A client of a function, with Lambda's environment."""
    return clients.session().client(service, config=clients.config(60, 16))


def audit(count: int) -> list[str]:
    """One audit, in one slice."""
    figures = Figures(slices=1, calls=dict.fromkeys(("list", "head", "get", "put", "scan"), 0))
    s3, dynamodb = client("s3"), client("dynamodb")

    def note_s3(request: Any, **_: Any) -> None:
        query = urlsplit(request.url).query
        is_list = request.method == "GET" and any(name in query for name in ("versions", "list-type", "versioning"))
        figures.calls["list" if is_list else request.method.lower()] += 1

    def note_page(response_dict: dict[str, Any], **_: Any) -> None:
        figures.calls["scan"] += 1
        figures.read_bytes += len(response_dict["body"])

    s3.meta.events.register("before-send.s3", note_s3)
    dynamodb.meta.events.register_first("before-parse.dynamodb.Scan", note_page)
    inventory = Inventory(s3, os.environ["BUCKET"], PREFIX)
    auditor = Auditor(Ledger(dynamodb, os.environ["LEDGER_TABLE"]), inventory)
    began_s, wall_s = time.process_time(), time.monotonic()
    made = auditor.go_on(None, Listing("2026-01-01T00:00:00.000+00:00"), MODULES, Deadline(SLICE_S))
    figures.seconds, wall_s = time.process_time() - began_s, time.monotonic() - wall_s
    if not isinstance(made, Audit) or (made.verdict, made.compared, made.proved) != ("complete", count, count):
        raise AssertionError(f"Not complete: {made if isinstance(made, dict) else (made.verdict, made.by_kind())}")
    figures.peak_mib = _peak_mib()
    index = s3.head_object(Bucket=os.environ["BUCKET"], Key=INDEX)["ContentLength"]
    work_done = (
        f"{s3_calls(figures):,} calls to S3, {figures.calls['scan']:,} pages of the ledger; index {index / 1e6:.1f} MB"
    )
    return _cells("audit, and its index", figures.seconds, wall_s, work_done, usd(figures))


def sweep(count: int, way: str) -> list[str]:
    """One sweep that finds nothing changed."""
    dynamodb, units = client("dynamodb"), Units()
    dynamodb.meta.events.register("before-send.dynamodb", units.note)
    wall_s = time.monotonic()
    taken = measure(count, dynamodb, os.environ["LEDGER_TABLE"], units, lambda: 0.0, way)
    work_done = f"{taken.reads:,} units read, {taken.writes:,} written, {taken.rows_written} rows written"
    name = "sweep, Bigin's list of all" if way == "all" else "sweep, record by record"
    return _cells(name, taken.seconds, time.monotonic() - wall_s, work_done, taken.usd)


def find(first: bool, cache: Path) -> list[str]:
    """A search for two words."""
    files = ArchiveFiles(client("s3"), os.environ["BUCKET"], PREFIX)
    ledger = Ledger(client("dynamodb"), os.environ["LEDGER_TABLE"])
    began_s, wall_s = time.process_time(), time.monotonic()
    found = look(WORDS, Query(words(WORDS)), files, ledger, cache)
    seconds, wall_s = time.process_time() - began_s, time.monotonic() - wall_s
    name = f"find, two words, {'the first time' if first else 'then'}"
    return _cells(name, seconds, wall_s, f"{len(found.rows):,} found", None)


def _cells(name: str, seconds: float, wall_s: float, work_done: str, dollars: float | None) -> list[str]:
    cost = "" if dollars is None else f"{dollars:.4f}"
    return [name, f"{seconds:.1f}", f"{wall_s:.1f}", work_done, f"{_peak_mib():.0f} MiB", cost]


def _peak_mib() -> float:
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024


def table(count: int, stages: Iterable[str], say: Callable[[str], None]) -> str:
    """Fill the emulator, and run each stage in a process of its own."""
    lines = [f"| {count:,} attachments | processor, s | seconds | | peak | dollars |", "|---|---:|---:|---|---:|---:|"]
    with tempfile.TemporaryDirectory() as folder:
        emulator = Emulator.start(Path(folder) / "aws", Path(folder) / "emulator.log")
        with emulator.process:
            emulator.wait()
            aws = Aws(emulator, "http://127.0.0.1:1")
            began_s = time.monotonic()
            fill(aws, emulator, count)
            say(f"filled in {time.monotonic() - began_s:.0f} s")
            for stage in stages:
                command = [
                    sys.executable,
                    "-m",
                    "tests.emulated_growth",
                    "--stage",
                    stage,
                    "--cache",
                    folder,
                    str(count),
                ]
                environment = {**os.environ, **aws.environment, "LANG": "C.UTF-8"}
                made = subprocess.run(command, env=environment, check=True, stdout=subprocess.PIPE, text=True)
                cells = json.loads(made.stdout)
                lines.append(f"| {' | '.join(cells)} |")
                say(lines[-1])
    return "\n".join(lines)


STAGES: dict[str, Callable[[int, Path], list[str]]] = {
    "audit": lambda count, _: audit(count),
    "first": lambda _, cache: find(True, cache),
    "then": lambda _, cache: find(False, cache),
    "all": lambda count, _: sweep(count, "all"),
    "records": lambda count, _: sweep(count, "records"),
}


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m tests.emulated_growth", description=__doc__)
    parser.add_argument("size", type=int, nargs="?", default=SIZE, metavar="ATTACHMENTS")
    parser.add_argument("--docs", action="store_true")
    parser.add_argument("--only", action="append", choices=STAGES, help="repeatable; a search needs an audit")
    parser.add_argument("--stage", choices=STAGES, help=argparse.SUPPRESS)
    parser.add_argument("--cache", type=Path, help=argparse.SUPPRESS)
    given = parser.parse_args()
    if given.stage:
        print(json.dumps(STAGES[given.stage](given.size, given.cache / "find")))
        return
    made = table(given.size, given.only or STAGES, partial(print, file=sys.stderr, flush=True))
    print(made)
    if given.docs:
        pages.write("performance.md", {"emulator": made})


if __name__ == "__main__":
    main()
