"""What a sweep of an account takes in which nothing has changed: ``python -m tests.unchanged_sweep [ATTACHMENTS...]``.

Bigin's list is stored and compared with the ledger, by the real code on a real client of DynamoDB whose answers are
made here, below the network; the calls to Bigin, the network and AWS come on top. Seconds are the processor's, without
those that it took to make up the answers. With ``--by-record`` Bigin's lists are those of each record, three to a
record, in place of the list of all attachments.
"""

import argparse
import base64
import json
import resource
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from itertools import groupby, islice
from pathlib import Path
from typing import Any

from botocore.awsrequest import AWSResponse

import operate  # noqa: F401 - puts functions/ on the path

# isort: split
from bigin_archive.archive_request import MODULES, ArchiveRequest
from bigin_archive.bigin.credit_meter import CreditMeter
from bigin_archive.bigin.found_attachment import Found
from bigin_archive.bigin.list_reader import Reading
from bigin_archive.bigin.listing import ListedAttachment
from bigin_archive.deadline import Deadline
from bigin_archive.ledger.ledger import CONTROL, Ledger
from bigin_archive.sweep.cursor import Cursor, SweepState
from bigin_archive.sweep.discovery import Discovery
from tests import pages
from tests.audit_growth import LAMBDA_USD, READ_USD, SIZES, Answers, answered, client, row

HEAD = (
    "| attachments | seconds | units read | units written | rows written | peak MiB | dollars |\n"
    "|---:|---:|---:|---:|---:|---:|---:|"
)
PAGE = 200  # entries of Bigin's lists
WRITE_USD = 0.625  # for a million writes of 1 KB (DynamoDB on demand, us-east-1)
FUNCTION_MIB = 1769  # of the sweep function (template.yaml)


class Units:
    """What the calls to DynamoDB cost: units of 4 KB read and of 1 KB written. And the rows of attachments written."""

    def __init__(self) -> None:
        self.reads = self.writes = self.rows_written = 0
        self._bytes: dict[str, int] = {}

    def note(self, request: Any, **_: Any) -> None:
        """Count the units of a request."""
        asked, operation = json.loads(request.body), operation_of(request)
        if operation == "BatchGetItem":
            ((_, wanted),) = asked["RequestItems"].items()
            self.reads += len(wanted["Keys"])  # of up to 4 KB each
            return
        key = asked.get("Key") or asked["Item"]
        if operation == "GetItem":
            self.reads += max(1, -(-self._bytes.get(key["attachment_id"]["S"], 0) // 4096))
            return
        written = asked.get("Item") or asked["ExpressionAttributeValues"]
        packed = written.get("rows", {}).get("B")
        size = len(base64.b64decode(packed)) if packed else len(json.dumps(written))
        self._bytes[key["attachment_id"]["S"]] = size
        self.writes += -(-size // 1024)
        self.rows_written += not key["record"]["S"].startswith(CONTROL)


class Table(Answers):
    """The ledger's table, where what is written is kept; each row is as Bigin lists it."""

    def __init__(self, count: int, units: Units) -> None:
        super().__init__(count, Path())
        self.units = units
        self.items: dict[str, dict[str, Any]] = {}

    def dynamodb(self, request: Any, **more: Any) -> AWSResponse:
        asked, operation = json.loads(request.body), operation_of(request)
        self.units.note(request)
        if operation == "BatchGetItem":
            return super().dynamodb(request, **more)
        key = (asked.get("Key") or asked["Item"])["attachment_id"]["S"]
        if operation == "GetItem":
            item = self.items.get(key)
            return answered(200, json.dumps({"Item": item} if item else {}))
        if operation == "PutItem":
            self.items[key] = asked["Item"]
        return answered(200, "{}")


def operation_of(request: Any) -> str:
    """The name of the operation of DynamoDB."""
    target = request.headers["X-Amz-Target"]
    return str(target.decode() if isinstance(target, bytes) else target).rpartition(".")[2]


class Records:
    """Bigin's lists of single records, each of one page."""

    doubt = None

    def __init__(self, count: int) -> None:
        self.made_s = 0.0
        self._count = count
        self._next = 0

    def attachment_list(self, request: ArchiveRequest, _: object, reading: Reading) -> "Records":
        """The list of the next record: they are asked for in their order."""
        self._place, self._reading = (request.module, request.record_id), reading
        return self

    def next_rows(self) -> list[ListedAttachment]:
        began_s = time.thread_time()
        self._reading.position = None
        found = []
        while self._next < self._count:
            one = listed(self._next, self._count)
            if (one.request.module, one.request.record_id) != self._place:
                break
            found.append(one.listed)
            self._next += 1
        self.made_s += time.thread_time() - began_s
        return found


def listed(number: int, count: int) -> Found:
    """The attachment as Bigin lists it."""
    of_row = row(number, count)
    entry = ListedAttachment(
        of_row.attachment_id,
        of_row.listed_size_bytes,
        None,
        of_row.file_name,
        of_row.created_time,
        of_row.modified_time,
        of_row.owner,
    )
    return Found.of_record(of_row.module, of_row.record_id, of_row.record_name, entry)


@dataclass(frozen=True, slots=True)
class Taken:
    """What one sweep took: processor seconds, units, MiB at the peak."""

    seconds: float
    reads: int
    writes: int
    rows_written: int
    peak_mib: float

    def row(self, count: int) -> str:
        """A row of the table."""
        cells = f"{self.seconds:.0f} | {self.reads:,} | {self.writes:,} | {self.rows_written:,}"
        return f"| {count:,} | {cells} | {self.peak_mib:.0f} | {self.usd:.4f} |"

    @property
    def usd(self) -> float:
        """What it costs, without the calls to Bigin."""
        of_function = self.seconds * FUNCTION_MIB / 1024 * LAMBDA_USD
        return self.reads / 1e6 * READ_USD + self.writes / 1e6 * WRITE_USD + of_function


def measure(count: int, dynamodb: Any, table: str, units: Units, made_s: Callable[[], float], way: str) -> Taken:
    """Run once; ``made_s`` is what it took to make up the answers until now."""
    ledger, cursor = Ledger(dynamodb, table), Cursor(dynamodb, table, "x", time.time)
    records = Records(count)
    unused: Any = None  # nothing is queued, and no link archived
    without_limit: Any = CreditMeter()
    bigin: Any = records
    discovery = Discovery(bigin, unused, unused, ledger, without_limit, time.time)
    state = SweepState("2026-11-25T00:00:00.000+00:00", list(MODULES), strategy=way, phase="attachments", shelf="a-")
    cursor.take()
    seconds = 0.0
    for rows in _pages(count, way):
        began_s, before_s = time.process_time(), made_s()
        state.pages += cursor.store_rows(state, state.pages, rows)
        cursor.save(state)
        seconds += time.process_time() - began_s - (made_s() - before_s)
    began_s, before_s = time.process_time(), made_s() + records.made_s
    while state.phase == "attachments":
        discovery.compare(cursor, state, Deadline(3600))
        cursor.save(state)
    cursor.give_back()
    seconds += time.process_time() - began_s - (made_s() + records.made_s - before_s)
    if (state.known, units.rows_written) != (count, 0):
        raise AssertionError(f"{state.known} known, {units.rows_written} rows written")
    peak_mib = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    return Taken(seconds, units.reads, units.writes, units.rows_written, peak_mib)


def _pages(count: int, way: str) -> Iterator[list[Any]]:
    """Bigin's pages, as a sweep stores them: of attachments, or of the records that have some."""
    found = (listed(number, count) for number in range(count))
    if way == "all":
        rows: Iterator[Any] = (one.to_row() for one in found)
    else:
        rows = (
            [*place, next(of_record).record_name]
            for place, of_record in groupby(found, lambda one: (one.request.module, one.request.record_id))
        )
    while page := list(islice(rows, PAGE)):
        yield page


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m tests.unchanged_sweep", description=__doc__)
    parser.add_argument("sizes", type=int, nargs="*", default=SIZES, metavar="ATTACHMENTS")
    parser.add_argument("--by-record", action="store_true")
    parser.add_argument("--docs", action="store_true", help="write the table into docs/performance.md")
    parser.add_argument("--one", action="store_true", help="in this process")
    given = parser.parse_args()
    if given.one:
        (count,) = given.sizes
        table = Table(count, Units())
        dynamodb = client("dynamodb", table.timed(table.dynamodb))
        way = "records" if given.by_record else "all"
        print(measure(count, dynamodb, "ledger", table.units, lambda: table.made_s, way).row(count))
        return
    lines = [HEAD]
    for count in given.sizes:
        command = [sys.executable, "-m", "tests.unchanged_sweep", "--one", str(count)]
        command += ["--by-record"] if given.by_record else []
        made = subprocess.run(command, check=True, stdout=subprocess.PIPE, text=True)
        lines.append(made.stdout.strip())
        print(lines[-1], file=sys.stderr, flush=True)
    print("\n".join(lines))
    if given.docs:
        pages.write("performance.md", {"sweep-by-record" if given.by_record else "sweep": "\n".join(lines)})


if __name__ == "__main__":
    main()
