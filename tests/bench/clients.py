"""The peers that are Python, each in a warm process of its own: our data path, the usual handler, upload_fileobj.

As a program: ``python -m tests.bench.clients PEER`` copies the files of a job (JSON, on stdin) after a warm-up and
prints what it took: seconds of wall time and CPU (user and system, all threads), the process's peak of resident memory.
"""

import io
import json
import os
import sys
import time
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import asdict, dataclass
from typing import Any, cast

import boto3
import requests

from bigin_archive import telemetry
from bigin_archive.archive_request import ArchiveRequest
from bigin_archive.archiving.archiver import Archiver
from bigin_archive.archiving.circuit_breaker import CircuitBreaker
from bigin_archive.archiving.link_archiver import LinkArchiver
from bigin_archive.archiving.message import Delays, Message
from bigin_archive.archiving.queue_worker import Worker
from bigin_archive.archiving.record_expander import RecordExpander
from bigin_archive.archiving.restored_files import RestoredFiles
from bigin_archive.aws import clients
from bigin_archive.aws.function_aws import FunctionAws
from bigin_archive.aws.s3_http import bucket_requests
from bigin_archive.bigin.client import Bigin
from bigin_archive.bigin.credit_meter import CreditMeter
from bigin_archive.bigin.response_body import BLOCK_BYTES
from bigin_archive.deadline import Deadline
from bigin_archive.ledger.credit_usage import CreditUsage
from bigin_archive.ledger.ledger import Ledger
from bigin_archive.ledger.ledger_writer import LedgerWriter
from bigin_archive.network import transport
from bigin_archive.queueing.archive_queue import ArchiveQueue
from bigin_archive.storage import object_attributes
from bigin_archive.storage.object_store import ObjectStore
from bigin_archive.token.access_token import AccessTokens
from tests.bench.client_store import ClientStore
from tests.bench.content import MIB, MODULE, File
from tests.bench.servers import TOKEN

REGION = "us-east-1"
BUCKET = "bench"
SECONDS = 900  # no call of the benchmark takes so long


@dataclass(frozen=True, slots=True)
class Job:
    """What to copy, from where to where. ``batch`` is what the worker gets at once."""

    upstream_url: str
    s3_url: str
    aws_url: str
    ca_bundle: str
    files: list[File]
    at_once: int = 1
    prefix: str = ""
    batch: int = 120

    def to_json(self) -> str:
        return json.dumps(asdict(self))

    @classmethod
    def from_json(cls, text: str) -> "Job":
        fields = json.loads(text)
        return cls(**{**fields, "files": [File(**file) for file in fields["files"]]})

    def key(self, file: File) -> str:
        """The same key for every peer, so that all send headers of the same length."""
        return f"{self.prefix}{MODULE}/{file.record_id}/{file.number}/{file.name}"

    def client(self, service: str) -> Any:
        """As the handlers make it, but for addresses and certificate."""
        return boto3.client(
            service,
            endpoint_url=self.s3_url if service == "s3" else self.aws_url,
            verify=self.ca_bundle,
            region_name=REGION,
            config=clients.config(30, self.at_once),
        )

    def connect(self, service: str) -> Any:
        """As the queue's worker makes it."""
        return self._aws().connect(service, 30, self.at_once)

    def storage(self) -> ObjectStore:
        requests = bucket_requests(
            self._aws(), BUCKET, endpoint_url=self.s3_url, read_timeout_s=30, connections=self.at_once
        )
        return ObjectStore(requests, BUCKET)

    def _aws(self) -> FunctionAws:
        told = {
            "AWS_DEFAULT_REGION": REGION,
            "AWS_ACCESS_KEY_ID": os.environ["AWS_ACCESS_KEY_ID"],
            "AWS_SECRET_ACCESS_KEY": os.environ["AWS_SECRET_ACCESS_KEY"],
            "AWS_CA_BUNDLE": self.ca_bundle,
            "AWS_ENDPOINT_URL": self.aws_url,
        }
        return FunctionAws(told)

    def bigin(self, meter: CreditMeter | None = None) -> Bigin:
        session = transport.session(self.at_once)
        session.verify = self.ca_bundle
        tokens = AccessTokens(self.connect("secretsmanager"), "token", self.upstream_url)
        return Bigin(session, self.upstream_url, tokens, meter=meter or CreditMeter())


Copy = Callable[[File], None]


def _request(file: File) -> ArchiveRequest:
    return ArchiveRequest(MODULE, file.record_id, str(file.number))


def ours(job: Job) -> Copy:
    """The use case: look whether it is archived, download, hash, store with SHA-256."""
    archiver = Archiver(job.bigin(), job.storage(), key_prefix=job.prefix, max_size_bytes=5120 * MIB)

    def copy(file: File) -> None:
        archiver.archive(_request(file), Deadline(SECONDS))

    return copy


def ours_on_client(job: Job) -> Copy:
    """The same use case, with boto3's client in place of our own requests to S3."""
    store = cast(ObjectStore, ClientStore(job.client("s3"), BUCKET))
    archiver = Archiver(job.bigin(), store, key_prefix=job.prefix, max_size_bytes=5120 * MIB)

    def copy(file: File) -> None:
        archiver.archive(_request(file), Deadline(SECONDS))

    return copy


def ours_without_check(job: Job) -> Copy:
    """Download and upload alone."""
    bigin, storage = job.bigin(), job.storage()

    def copy(file: File) -> None:
        request = _request(file)
        with bigin.download(request, Deadline(SECONDS)) as download:
            attributes = object_attributes.describe(job.prefix, request, download.disposition, download.content_type)
            storage.put(attributes, download.body)

    return copy


def download_alone(job: Job) -> Copy:
    """Our download, into a buffer that is used again."""
    bigin = job.bigin()

    def copy(file: File) -> None:
        block = memoryview(bytearray(BLOCK_BYTES))
        with bigin.download(_request(file), Deadline(SECONDS)) as download:
            while download.body.readinto(block):
                pass

    return copy


def usual(job: Job) -> Copy:
    """The usual handler: the whole file in memory, then put_object; session and client are kept."""
    session, s3 = _session(job), job.client("s3")

    def copy(file: File) -> None:
        answer = session.get(job.upstream_url + file.path, timeout=30)
        answer.raise_for_status()
        s3.put_object(Bucket=BUCKET, Key=job.key(file), Body=answer.content)

    return copy


def upload_fileobj(job: Job) -> Copy:
    """Streaming as boto3's guide does it: requests' raw stream into upload_fileobj (parts of 8 MiB, 10 threads)."""
    session, s3 = _session(job), job.client("s3")

    def copy(file: File) -> None:
        with session.get(job.upstream_url + file.path, timeout=30, stream=True) as answer:
            answer.raise_for_status()
            s3.upload_fileobj(answer.raw, BUCKET, job.key(file))

    return copy


def with_obstore(job: Job) -> Copy:
    """Bindings of a store written in Rust, for both ways; the whole file in memory, SHA-256 sent along."""
    import obstore  # type: ignore[import-not-found]
    from obstore.store import HTTPStore, S3Store  # type: ignore[import-not-found]

    # It takes no certificate authority of ours. Without verifying it does less than its peers.
    options: dict[str, Any] = {"allow_invalid_certificates": True}
    headers = {"Authorization": f"Zoho-oauthtoken {TOKEN}"}
    source = HTTPStore(job.upstream_url, client_options={**options, "default_headers": headers})
    target = S3Store(
        BUCKET, endpoint=job.s3_url, region=REGION, virtual_hosted_style_request=False, checksum_algorithm="sha256",
        access_key_id=os.environ["AWS_ACCESS_KEY_ID"], secret_access_key=os.environ["AWS_SECRET_ACCESS_KEY"],
        client_options=options,
    )  # fmt: skip

    def copy(file: File) -> None:
        content = obstore.get(source, file.path.removeprefix("/")).bytes()
        obstore.put(target, job.key(file), content, use_multipart=False)

    return copy


def _session(job: Job) -> requests.Session:
    session = requests.Session()
    session.verify = job.ca_bundle
    session.trust_env = False  # the usual handler would look for proxies; without that it is faster
    session.headers["Authorization"] = f"Zoho-oauthtoken {TOKEN}"
    return session


def worker(job: Job) -> Callable[[Sequence[File]], None]:
    """The queue's worker: batches, log lines, metrics and the ledger included."""
    meter, reporter, dynamodb = CreditMeter(), telemetry.reporter(), job.connect("dynamodb")
    bigin, queue = job.bigin(meter), ArchiveQueue(job.connect("sqs"), f"{job.aws_url}/queue")
    ledger = Ledger(dynamodb, "ledger")
    ledger_writer = LedgerWriter(ledger, CreditUsage(dynamodb, "ledger"), meter, reporter.report)
    archiver = Archiver(bigin, job.storage(), key_prefix=job.prefix, max_size_bytes=5120 * MIB)
    restored = RestoredFiles(ledger)
    links = LinkArchiver(archiver, restored, ledger_writer)
    made = Worker(
        archiver,
        links,
        RecordExpander(bigin, links, restored, queue, ledger_writer),
        queue,
        CircuitBreaker(60, 900),
        Delays(30, 3600),
        ledger_writer,
        reporter,
        job.at_once,
    )

    def work(files: Sequence[File]) -> None:
        for start in range(0, len(files), job.batch):
            messages = [
                Message(str(file.number), _request(file).to_json(), "handle", 1)
                for file in files[start : start + job.batch]
            ]
            if staying := made.work(messages, Deadline(SECONDS)):
                raise RuntimeError(f"{len(staying)} messages were not archived")

    return work


def _in_threads(make: Callable[[Job], Copy]) -> Callable[[Job], Callable[[Sequence[File]], None]]:
    def made(job: Job) -> Callable[[Sequence[File]], None]:
        copy, pool = make(job), ThreadPoolExecutor(job.at_once)

        def work(files: Sequence[File]) -> None:
            for _ in pool.map(copy, files):
                pass

        return work

    return made


PEERS = {
    "ours": _in_threads(ours),
    "ours on boto3's client": _in_threads(ours_on_client),
    "ours, no check": _in_threads(ours_without_check),
    "download alone": _in_threads(download_alone),
    "usual handler": _in_threads(usual),
    "upload_fileobj": _in_threads(upload_fileobj),
    "obstore": _in_threads(with_obstore),
    "worker": worker,
}


def peak_rss_mb() -> float:
    """This process's own peak (ru_maxrss would begin with that of the process that forked it)."""
    with open("/proc/self/status") as status:
        return next(int(line.split()[1]) for line in status if line.startswith("VmHWM")) / 1024


def measured(work: Callable[[Sequence[File]], None], files: Sequence[File]) -> dict[str, float]:
    cpu, wall = time.process_time(), time.perf_counter()
    work(files)
    return {"wall_s": time.perf_counter() - wall, "cpu_s": time.process_time() - cpu, "rss_mb": peak_rss_mb()}


def main(peer: str, text: str) -> None:
    # What handlers log belongs to what they do, but not to what this program says.
    said = os.fdopen(os.dup(1), "w")
    os.dup2(os.open(os.devnull, os.O_WRONLY), 1)
    sys.stdout = io.TextIOWrapper(io.FileIO(1, "w", closefd=False), line_buffering=True)
    job = Job.from_json(text)
    work = PEERS[peer](job)
    # Slow enough that each thread opens its connections; of this process alone, since a key is written once.
    first = 10_000_000_000 + os.getpid() * 1000
    work([File(first + number, 1000, delay_ms=50) for number in range(4 * job.at_once)])
    print(json.dumps(measured(work, job.files)), file=said)
    said.flush()
    os._exit(0)  # threads and pools would take their time


if __name__ == "__main__":
    main(sys.argv[1], sys.stdin.read())
