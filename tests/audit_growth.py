"""How an audit grows with the account: ``python -m tests.audit_growth`` prints time and memory of its parts.

Everything but the calls to AWS and Bigin: merging, comparing, index, both reports. Each size runs in a process of its
own, whose peak memory is its own. One attachment of a hundred differs.
"""

import resource
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from dataclasses import replace

import operate  # noqa: F401 - puts functions/ on the path

# isort: split
from bigin_archive.archive_request import MODULES, ArchiveRequest
from bigin_archive.audit import report_html, report_json
from bigin_archive.audit.comparison import Audit
from bigin_archive.audit.manifest import Index
from bigin_archive.audit.merge_join import MergeJoin
from bigin_archive.bigin.account_listing import Found
from bigin_archive.bigin.listing import ListedAttachment
from bigin_archive.ledger.ledger_entry import LedgerEntry
from bigin_archive.storage.archived_object import ArchivedObject

SIZES = (1_000, 10_000, 100_000)
MOST_MIB = 300  # for the largest
NOW = "2026-11-23T20:00:00+00:00"
BEFORE = "2026-01-02T03:04:05+00:00"


def requests(count: int) -> Iterator[ArchiveRequest]:
    """Attachments in S3's order, three to a record, with ids as long as Bigin's."""
    each = -(-count // len(MODULES))
    numbers = range(count)
    for place, module in enumerate(sorted(MODULES)):
        for number in numbers[place * each : (place + 1) * each]:
            yield ArchiveRequest(module, f"55702130000{number // 3:08}", f"55702130009{number:08}")


def entry(request: ArchiveRequest) -> LedgerEntry:
    """A row with everything in it."""
    name = f"Angebot Nr. {request.attachment_id} vom Februar (unterschrieben).pdf"
    return LedgerEntry(
        request.module,
        request.record_id,
        str(request.attachment_id),
        "archived",
        key=f"bigin/{request.module}/{request.record_id}/{request.attachment_id}/{name}",
        version_id="3/L4kqtJlcpXroDTDmJ+rmSpXd3dIbrHY+MTRCxf3vjVBH40Nr8X8gdRQBpUMLUo",
        size_bytes=123_456,
        sha256=f"{int(str(request.attachment_id)):064x}",
        archived_at=BEFORE,
        file_name=name,
        record_name=f"Müller & Söhne {request.record_id}",
        created_time=BEFORE,
        modified_time=BEFORE,
        owner="Runa Lindqvist",
        listed_size_bytes=123_456,
        first_seen=BEFORE,
        last_seen=BEFORE,
    )


def found(request: ArchiveRequest) -> ArchivedObject:
    """The object of that row; every hundredth was swapped."""
    row = entry(request)
    place = f"{request.module}/{request.record_id}/{request.attachment_id}"
    right = ArchivedObject(
        str(row.key), str(row.key)[6:], 123_456, row.sha256, row.version_id, BEFORE, place, row.file_name
    )
    is_swapped = int(str(request.attachment_id)) % 100 == 0
    return replace(right, version_id="other", sha256="0" * 64) if is_swapped else right


def listed(request: ArchiveRequest) -> Found:
    """As Bigin lists it."""
    row = entry(request)
    times = (row.created_time, row.modified_time, row.owner)
    return Found(
        request, row.record_name, ListedAttachment(str(request.attachment_id), 123_456, None, row.file_name, *times)
    )


def measure(count: int) -> str:
    """Run once; the row of the table."""
    seconds: list[float] = []

    def timed(work: Callable[[], object]) -> None:
        start = time.perf_counter()
        work()
        seconds.append(time.perf_counter() - start)

    audit = Audit(NOW, NOW, MODULES)
    base_mib = _peak_mib()
    with MergeJoin() as census, Index() as files, tempfile.TemporaryFile() as page:
        timed(lambda: census.add_listed(map(listed, requests(count))))
        timed(lambda: census.add_entries(map(entry, requests(count))))

        def compare() -> None:
            for known in census.merged(map(found, requests(count))):
                audit.add(known)
                files.add(known)

        def write() -> None:
            for pieces in (report_json.pieces, report_html.pieces):
                page.writelines(piece.encode() for piece in pieces(audit, "s3://bucket/bigin/"))

        timed(compare)
        timed(write)
    if (count, count // 100) != (audit.compared, len(audit.differences)):
        raise AssertionError(f"{len(audit.differences)} differences of {count // 100}")
    each = sum(seconds) / count * 1e6
    cells = " ".join(f"{value:9.2f}" for value in (*seconds, sum(seconds)))
    return f"{count:>11,} {cells} {each:8.0f} {_peak_mib():7.0f} {_peak_mib() - base_mib:8.0f}"


def _peak_mib() -> float:
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024


def main() -> int:
    """Print the table; status 1 where the largest takes too much memory."""
    print("attachments    list s  ledger s compare s reports s   total s  µs each  peak MiB  of it data")
    row = ""
    for count in SIZES:
        command = [sys.executable, "-m", "tests.audit_growth", str(count)]
        row = subprocess.run(command, stdout=subprocess.PIPE, text=True, check=True).stdout.rstrip()
        print(row, flush=True)
    return 0 if float(row.split()[-2]) < MOST_MIB else 1


if __name__ == "__main__":
    if len(sys.argv) > 1:
        print(measure(int(sys.argv[1])))
    else:
        sys.exit(main())
