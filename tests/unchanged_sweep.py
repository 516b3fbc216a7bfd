"""What a sweep of an account takes in which nothing has changed: ``python -m tests.unchanged_sweep [ATTACHMENTS...]``.

Bigin's list of all attachments is stored and compared with the ledger, by the real code on a real client of DynamoDB
whose answers are made here, below the network; the calls to Bigin, the network and AWS come on top. Seconds are the
processor's, without those that it took to make up the answers.
"""

import argparse
import base64
import json
import resource
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

from botocore.awsrequest import AWSResponse

import operate  # noqa: F401 - puts functions/ on the path

# isort: split
from bigin_archive.archive_request import MODULES
from bigin_archive.bigin.credit_meter import CreditMeter
from bigin_archive.bigin.found_attachment import Found
from bigin_archive.bigin.listing import ListedAttachment
from bigin_archive.deadline import Deadline
from bigin_archive.ledger.ledger import Ledger
from bigin_archive.sweep.cursor import Cursor, SweepState
from bigin_archive.sweep.discovery import Discovery
from tests.audit_growth import LAMBDA_USD, READ_USD, SIZES, Answers, answered, client, row

PAGE = 200  # entries of Bigin's lists
WRITE_USD = 0.625  # for a million writes of 1 KB (DynamoDB on demand, us-east-1)
FUNCTION_MIB = 1769  # of the sweep function (template.yaml)


class Table(Answers):
    """The ledger's table, where what is written is kept; each row is as Bigin lists it."""

    def __init__(self, count: int) -> None:
        super().__init__(count, Path())
        self.items: dict[str, dict[str, Any]] = {}
        self.reads = self.writes = self.rows_written = 0

    def dynamodb(self, request: Any, **more: Any) -> AWSResponse:
        asked = json.loads(request.body)
        operation = request.headers["X-Amz-Target"].decode().rpartition(".")[2]
        if operation == "BatchGetItem":
            ((_, wanted),) = asked["RequestItems"].items()
            self.reads += len(wanted["Keys"])  # of up to 4 KB each
            return super().dynamodb(request, **more)
        key = (asked.get("Key") or asked["Item"])["attachment_id"]["S"]
        if operation == "GetItem":
            item = self.items.get(key)
            self.reads += -(-len(json.dumps(item)) // 4096)
            return answered(200, json.dumps({"Item": item} if item else {}))
        self.rows_written += not (asked.get("Key") or asked["Item"])["record"]["S"].startswith("#")
        written = asked.get("Item") or asked["ExpressionAttributeValues"]
        packed = written.get("rows", {}).get("B")
        self.writes += -(-(len(base64.b64decode(packed)) if packed else len(json.dumps(written))) // 1024)
        if operation == "PutItem":
            self.items[key] = asked["Item"]
        return answered(200, "{}")


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


def measure(count: int) -> str:
    """Run once; the row of the table."""
    table = Table(count)
    dynamodb = client("dynamodb", table.timed(table.dynamodb))
    ledger, cursor = Ledger(dynamodb, "ledger"), Cursor(dynamodb, "ledger", "x", time.time)
    unused: Any = None  # nothing is queued, and no link archived
    discovery = Discovery(unused, unused, unused, ledger, CreditMeter(), time.time)
    state = SweepState("2026-11-25T00:00:00.000+00:00", list(MODULES), strategy="all", phase="attachments", shelf="a-")
    seconds = 0.0
    for first in range(0, count, PAGE):
        found = [listed(number, count) for number in range(first, min(first + PAGE, count))]
        began_s, made_s = time.process_time(), table.made_s
        state.pages += cursor.store_rows(state, state.pages, [each.to_row() for each in found])
        cursor.save(state)
        seconds += time.process_time() - began_s - (table.made_s - made_s)
    began_s, made_s = time.process_time(), table.made_s
    while state.phase == "attachments":
        discovery.compare(cursor, state, Deadline(3600))
        cursor.save(state)
    seconds += time.process_time() - began_s - (table.made_s - made_s)
    if (state.known, table.rows_written) != (count, 0):
        raise AssertionError(f"{state.known} known, {table.rows_written} rows written")
    usd = table.reads / 1e6 * READ_USD + table.writes / 1e6 * WRITE_USD + seconds * FUNCTION_MIB / 1024 * LAMBDA_USD
    peak_mib = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    return f"| {count:,} | {seconds:.0f} | {table.reads:,} | {table.writes:,} | 0 | {peak_mib:.0f} | {usd:.4f} |"


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m tests.unchanged_sweep", description=__doc__)
    parser.add_argument("sizes", type=int, nargs="*", default=SIZES, metavar="ATTACHMENTS")
    parser.add_argument("--one", action="store_true", help="in this process")
    given = parser.parse_args()
    if given.one:
        print(measure(given.sizes[0]))
        return
    print("| attachments | seconds | units read | units written | rows written | peak MiB | USD |")
    print("|---:|---:|---:|---:|---:|---:|---:|", flush=True)
    for count in given.sizes:
        subprocess.run([sys.executable, "-m", "tests.unchanged_sweep", "--one", str(count)], check=True)


if __name__ == "__main__":
    main()
