"""How an audit grows with the account: ``python -m tests.audit_growth [ATTACHMENTS...]`` prints time, calls and cost.

The whole audit runs, on real clients of S3 and DynamoDB whose answers are made here, below the network, and parsed as
those of AWS are; what the network and AWS take comes on top. Seconds are the processor's, without those that it took
to make up the answers. Nothing has changed since the last audit but one attachment of a thousand, whose object was
swapped. Each slice runs in a process of its own, as the sweep's function does, and ends after ``--slices SECONDS``.
With ``--folder`` a run that was broken off goes on with the slice that it was at.
"""

import argparse
import base64
import gc
import io
import json
import os
import resource
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from dataclasses import asdict, dataclass, field, replace
from pathlib import Path
from threading import Lock
from typing import Any
from urllib.parse import parse_qs, quote, urlsplit
from xml.sax.saxutils import escape

from botocore.awsrequest import AWSResponse
from botocore.config import Config

import operate  # noqa: F401 - puts functions/ on the path

# isort: split
from bigin_archive.archive_request import MODULES
from bigin_archive.audit.auditor import Auditor
from bigin_archive.audit.bigin_side import Listing
from bigin_archive.audit.comparison import Audit
from bigin_archive.aws import clients
from bigin_archive.deadline import Deadline
from bigin_archive.ledger.ledger import Ledger
from bigin_archive.ledger.ledger_entry import LedgerEntry, item_of, verified_mark
from bigin_archive.storage.inventory import Inventory
from tests import pages

_MODULES = sorted(MODULES)
SIZES = (10_000, 100_000, 1_000_000)
SLICE_S = 13 * 60  # of the sweep function (template.yaml, Timeout: 840)
MOST_MIB = 512
FUNCTION_MIB = 1769  # of the sweep function (template.yaml)
MOST_S3_CALLS = 2_500  # of the largest, where nothing changed
NOW, BEFORE = "Wed, 25 Nov 2026 20:00:00 GMT", "2026-01-02T03:04:05.000+00:00"
PAGE = 1000  # versions in one answer (S3 API Reference, ListObjectVersions)
SCAN_BYTES = 1_000_000  # of rows in one answer (DynamoDB API Reference, Scan: 1 MB)
SWAPPED_EVERY = 1000
SIZE_BYTES = 1  # of a file, as on the emulator
# US dollars, us-east-1: S3 LIST and PUT for 1,000, GET and HEAD for 1,000; DynamoDB on demand for a million reads of
# 4 KB (consistent); Lambda on arm64 for a GB-second.
LIST_USD, GET_USD, READ_USD, LAMBDA_USD = 0.005, 0.0004, 0.125, 0.0000133334


def place(number: int, count: int) -> tuple[str, str, str, str]:
    """Module, record, id and file name of an attachment."""
    attachment_id = f"55702130009{number:08}"
    name = f"Angebot Nr. {attachment_id} vom Februar (unterschrieben).pdf"
    return _MODULES[number // -(-count // len(_MODULES))], f"55702130000{number // 3:08}", attachment_id, name


def version_id(number: int) -> str:
    return f"3/L4kqtJlcpXroDTDmJ{number:08}"


def row(number: int, count: int) -> LedgerEntry:
    """A row with everything in it, marked; in the order of S3's keys."""
    module, record_id, attachment_id, name = place(number, count)
    made = LedgerEntry(
        module,
        record_id,
        attachment_id,
        "archived",
        key=f"bigin/{module}/{record_id}/{attachment_id}/{name}",
        version_id=version_id(number),
        size_bytes=SIZE_BYTES,
        sha256=f"{number:064x}",
        archived_at=BEFORE,
        file_name=name,
        record_name=f"Müller & Söhne {record_id}",
        created_time=BEFORE,
        modified_time=BEFORE,
        owner="Runa Lindqvist",
        listed_size_bytes=SIZE_BYTES,
        first_seen=BEFORE,
        last_seen=BEFORE,
        state_at=BEFORE,
        archived_modified_time=BEFORE,
    )
    return replace(made, verified=verified_mark(made))


class Answers:
    """AWS for an account of ``count`` attachments."""

    def __init__(self, count: int, folder: Path) -> None:
        self.count, self.calls = count, {"list": 0, "head": 0, "get": 0, "put": 0, "scan": 0}
        self.read_bytes = 0
        self.made_s = 0.0
        self._kept = folder
        self._lock = Lock()

    def timed(self, answer: Callable[..., AWSResponse]) -> Callable[..., AWSResponse]:
        """``answer``, with the processor's time that it takes noted."""

        def made(request: Any, **_: Any) -> AWSResponse:
            began_s = time.thread_time()
            try:
                return answer(request)
            finally:
                with self._lock:
                    self.made_s += time.thread_time() - began_s

        return made

    def s3(self, request: Any, **_: Any) -> AWSResponse:
        url = urlsplit(request.url)
        query = parse_qs(url.query, keep_blank_values=True)
        if "versions" in query:
            self.calls["list"] += 1
            return answered(200, self._versions(query.get("key-marker", [""])[0]))
        if "list-type" in query:
            self.calls["list"] += 1
            return answered(200, "<ListBucketResult><IsTruncated>false</IsTruncated></ListBucketResult>")
        if "versioning" in query:
            self.calls["list"] += 1
            return answered(200, "<VersioningConfiguration><Status>Enabled</Status></VersioningConfiguration>")
        path = self._kept / url.path.rpartition("/")[2]
        if request.method == "PUT":
            self.calls["put"] += 1
            if "/_audit/work/" in url.path:
                path.write_bytes(_body(request))
            else:
                while request.body.read(1_000_000):  # as the network would take it
                    pass
            return answered(200, "")
        if request.method == "GET":
            self.calls["get"] += 1
            return answered(200, path.read_bytes())
        self.calls["head"] += 1
        if "/_audit/" in url.path:
            return answered(404, "")
        number = int(url.path.split("/")[-2][11:])
        checksum = base64.b64encode(bytes(32)).decode()
        made = row(number, self.count)
        return answered(
            200,
            "",
            {
                "Content-Length": str(SIZE_BYTES),
                "Last-Modified": NOW,
                "x-amz-version-id": "swapped",
                "x-amz-checksum-sha256": checksum,
                "x-amz-meta-bigin-module": made.module,
                "x-amz-meta-bigin-record-id": made.record_id,
                "x-amz-meta-bigin-attachment-id": made.attachment_id,
            },
        )

    def dynamodb(self, request: Any, **_: Any) -> AWSResponse:
        asked = json.loads(request.body)
        if request.headers["X-Amz-Target"].decode().endswith("BatchGetItem"):
            (table, wanted), *_rest = asked["RequestItems"].items()
            numbers = [int(key["attachment_id"]["S"][11:]) for key in wanted["Keys"]]
            found = [item_of(row(number, self.count)) for number in numbers]
            return answered(200, json.dumps({"Responses": {table: found}, "UnprocessedKeys": {}}))
        self.calls["scan"] += 1
        segment, segments = asked.get("Segment", 0), asked.get("TotalSegments", 1)
        part = range(segment * self.count // segments, (segment + 1) * self.count // segments)
        start = int(asked["ExclusiveStartKey"]["attachment_id"]["S"]) if "ExclusiveStartKey" in asked else part.start
        items: list[str] = []
        size, number = 0, start
        while number < part.stop and size < SCAN_BYTES:
            text = json.dumps(item_of(row(number, self.count)))
            items.append(text)
            size, number = size + len(text), number + 1
        self.read_bytes += size
        last = "" if number == part.stop else f', "LastEvaluatedKey": {{"attachment_id": {{"S": "{number}"}}}}'
        return answered(200, f'{{"Items": [{", ".join(items)}]{last}}}')

    def _versions(self, marker: str) -> str:
        start = int(marker.split("/")[3][11:]) + 1 if marker else 0
        numbers = range(start, min(start + PAGE, self.count))
        is_cut = numbers.stop < self.count
        entries = "".join(self._version(number) for number in numbers)
        following = ""
        if is_cut:
            last = row(numbers[-1], self.count)
            following = (
                f"<NextKeyMarker>{quote(str(last.key))}</NextKeyMarker>"
                f"<NextVersionIdMarker>{last.version_id}</NextVersionIdMarker>"
            )
        return (
            "<ListVersionsResult><EncodingType>url</EncodingType>"
            f"<IsTruncated>{str(is_cut).lower()}</IsTruncated>{following}{entries}</ListVersionsResult>"
        )

    def _version(self, number: int) -> str:
        version = "swapped" if number % SWAPPED_EVERY == 0 else version_id(number)
        key = "bigin/" + "/".join(place(number, self.count))
        return (
            f"<Version><Key>{escape(quote(key))}</Key><VersionId>{version}</VersionId>"
            "<IsLatest>true</IsLatest><LastModified>2026-01-02T03:04:05.000Z</LastModified>"
            f'<ETag>"d41d8cd98f00b204e9800998ecf8427e"</ETag><Size>{SIZE_BYTES}</Size>'
            "<StorageClass>STANDARD</StorageClass></Version>"
        )


def _body(request: Any) -> bytes:
    """What a PUT sends; over TLS in chunks, behind the length of each (AWS, "aws-chunked")."""
    body = request.body
    sent: bytes = body if isinstance(body, bytes) else body.read()
    if "aws-chunked" not in str(request.headers.get("Content-Encoding", "")):
        return sent
    content, rest = b"", sent
    parts = []
    while rest:
        size, _, rest = rest.partition(b"\r\n")
        length = int(size.split(b";")[0], 16)
        if not length:
            break
        parts.append(rest[:length])
        rest = rest[length + 2 :]
    return content.join(parts)


def answered(status: int, body: str | bytes, headers: dict[str, str] | None = None) -> AWSResponse:
    content = body.encode() if isinstance(body, str) else body
    raw: Any = io.BytesIO(content)
    raw.stream = lambda *_args, **_more: iter([content])
    return AWSResponse("http://localhost", status, {"Date": NOW, **(headers or {})}, raw)


def client(service: str, answer: Any) -> Any:
    os.environ["AWS_DEFAULT_REGION"] = "us-east-1"
    made = clients.session().client(
        service,
        aws_access_key_id="test",
        aws_secret_access_key="test",
        config=Config(max_pool_connections=16),
    )
    made.meta.events.register(f"before-send.{service}", answer)
    return made


@dataclass(slots=True)
class Figures:
    """Of all slices so far; ``stored`` is what the next one goes on from."""

    stored: dict[str, Any] | None = None
    slices: int = 0
    seconds: float = 0.0
    longest_s: float = 0.0
    peak_mib: float = 0.0
    read_bytes: int = 0
    calls: dict[str, int] = field(default_factory=dict)
    is_over: bool = False


def one_slice(count: int, slice_s: float, folder: Path) -> None:
    """Run one slice, and note its figures in the folder."""
    file = folder / "figures.json"
    figures = Figures(**json.loads(file.read_text())) if file.exists() else Figures()
    aws = Answers(count, folder)
    ledger = Ledger(client("dynamodb", aws.timed(aws.dynamodb)), "ledger")
    auditor = Auditor(ledger, Inventory(client("s3", aws.timed(aws.s3)), "bucket", "bigin/"))
    gc.freeze()  # as a function does behind its cold start
    start_s, began_s = time.process_time(), time.monotonic()
    made = auditor.go_on(figures.stored, Listing("2026-01-01T00:00:00.000+00:00"), MODULES, Deadline(slice_s))
    figures.slices += 1
    figures.seconds += time.process_time() - start_s - aws.made_s
    figures.longest_s = max(figures.longest_s, time.monotonic() - began_s)
    figures.peak_mib = max(figures.peak_mib, resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024)
    figures.read_bytes += aws.read_bytes
    figures.calls = {name: figures.calls.get(name, 0) + calls for name, calls in aws.calls.items()}
    figures.is_over = isinstance(made, Audit)
    if isinstance(made, Audit):
        swapped = -(-count // SWAPPED_EVERY)
        if (count, swapped, "partial") != (made.compared, len(made.differences), made.verdict):
            raise AssertionError(f"{made.compared} compared, {len(made.differences)} differences of {swapped}")
    else:
        figures.stored = made
    file.with_suffix(".new").write_text(json.dumps(asdict(figures)))
    file.with_suffix(".new").replace(file)


def measure(count: int, slice_s: float, folder: Path) -> Figures:
    """All slices, each in a process of its own."""
    while True:
        command = [sys.executable, "-m", "tests.audit_growth", "--one", "--folder", str(folder)]
        subprocess.run([*command, "--slices", str(slice_s), str(count)], check=True)
        figures = Figures(**json.loads((folder / "figures.json").read_text()))
        print(f"slice {figures.slices}: at most {figures.longest_s:.0f} s", file=sys.stderr, flush=True)
        if figures.is_over:
            return figures


HEAD = (
    "| attachments | slices | seconds | S3 calls | HeadObject of what differs | pages of the ledger | peak MiB "
    "| dollars |\n"
    "|---:|---:|---:|---:|---:|---:|---:|---:|"
)


def row_of(count: int, figures: Figures) -> str:
    """A row of the table."""
    calls = figures.calls
    cells = [f"{count:,}", figures.slices, f"{figures.seconds:.0f}", f"{s3_calls(figures):,}", f"{calls['head']:,}"]
    cells += [f"{calls['scan']:,}", f"{figures.peak_mib:.0f}", f"{usd(figures):.4f}"]
    return f"| {' | '.join(map(str, cells))} |"


def usd(figures: Figures) -> float:
    """What the audit costs."""
    calls = figures.calls
    return (
        (calls["list"] + calls["put"]) / 1000 * LIST_USD
        + (calls["head"] + calls["get"]) / 1000 * GET_USD
        + figures.read_bytes / 4096 / 1e6 * READ_USD
        + figures.seconds * FUNCTION_MIB / 1024 * LAMBDA_USD
    )


def s3_calls(figures: Figures) -> int:
    """All calls to S3, but for those that ask for single objects."""
    return sum(figures.calls[name] for name in ("list", "put", "get"))


def main() -> int:
    """Print the table; status 1 where the largest takes too much memory or too many calls."""
    parser = argparse.ArgumentParser(prog="python -m tests.audit_growth", description=__doc__)
    parser.add_argument("sizes", type=int, nargs="*", default=SIZES, metavar="ATTACHMENTS")
    parser.add_argument("--slices", type=float, default=SLICE_S, metavar="SECONDS")
    parser.add_argument("--folder", type=Path, help="where figures and files are kept between two slices")
    parser.add_argument("--docs", action="store_true", help="write the table into docs/performance.md")
    parser.add_argument("--one", action="store_true", help="one slice, in this process")
    given = parser.parse_args()
    if given.one:
        one_slice(given.sizes[0], given.slices, given.folder)
        return 0
    lines, is_good = [HEAD], True
    for count in given.sizes:
        with tempfile.TemporaryDirectory() as temporary:
            folder = (given.folder or Path(temporary)) / str(count)
            folder.mkdir(parents=True, exist_ok=True)
            figures = measure(count, given.slices, folder)
        lines.append(row_of(count, figures))
        print(lines[-1], file=sys.stderr, flush=True)
        is_good = is_good and figures.peak_mib < MOST_MIB and s3_calls(figures) <= MOST_S3_CALLS
    print("\n".join(lines))
    if given.docs:
        pages.write("performance.md", {"audit": "\n".join(lines)})
    return 0 if is_good else 1


if __name__ == "__main__":
    sys.exit(main())
