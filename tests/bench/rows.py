"""What is measured. Each function gives one or more rows; ``ROWS`` names them for ``--only``."""

import hashlib
import json
import statistics
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace
from functools import partial
from pathlib import Path
from typing import Any

import boto3

from tests.bench import backlog, cold_start, command_line, programs
from tests.bench.clients import Job
from tests.bench.content import MIB, File
from tests.bench.environment import DIRECTORY, PYTHON, Servers
from tests.bench.measure import Runs, Sample, client, commands, in_turn, python
from tests.bench.report import Row

GIB = 1024 * MIB
KB = 1000
OURS, NO_CHECK, USUAL, FILEOBJ, RCLONE = "ours", "ours, no check", "usual handler", "upload_fileobj", "rclone"
OBSTORE = "obstore"
ON_CLIENT = "ours on boto3's client"  # the same path without our own requests to S3


@dataclass
class Bench:
    """The servers, and how much to measure."""

    servers: Servers
    quick: bool
    _numbers: int = field(default=1_000_000, init=False)

    def rounds(self, thorough: int) -> int:
        return 2 if self.quick else thorough

    def files(self, count: int, size_bytes: int, delay_ms: int = 0, rate_kb_s: int = 0) -> list[File]:
        """Files that no run before had, so that no key is written twice."""
        first = self._numbers
        self._numbers += count
        return [File(number, size_bytes, delay_ms, rate_kb_s) for number in range(first, first + count)]

    def job(self, files: list[File], at_once: int = 1) -> Job:
        servers = self.servers
        return Job(servers.upstream_url, servers.sink_url, servers.sink_url, str(servers.ca_bundle), files, at_once)

    def run(self, peer: str, make: Callable[[], list[File]], at_once: int = 1) -> Callable[[], Sample]:
        """A run of a peer, with new files each time."""
        return lambda: _run(peer, self.job(make(), at_once), self.servers.directory)


def _run(peer: str, job: Job, directory: Path) -> Sample:
    if peer == RCLONE:
        return commands(programs.rclone(job, directory))
    return client(peer, job.to_json())


def correct(bench: Bench) -> list[Row]:
    """Every peer's objects, read back from a server that verifies checksums, and compared."""
    servers = bench.servers
    s3 = boto3.client(
        "s3", endpoint_url=servers.weed_url, verify=str(servers.ca_bundle), region_name="us-east-1",
        aws_access_key_id="bench", aws_secret_access_key="bench-secret",
    )  # fmt: skip
    s3.create_bucket(Bucket="bench")
    wrong: dict[str, float] = {}
    total = 0
    for peer in (OURS, NO_CHECK, USUAL, FILEOBJ, RCLONE, "worker"):
        files = [file for size in (0, 1, 50 * KB, MIB, MIB + 1, 20 * MIB) for file in bench.files(1, size)]
        job = replace(bench.job(files, 2), s3_url=servers.weed_url)
        _run(peer, job, servers.directory)
        wrong[peer] = sum(
            _sha256(s3.get_object(Bucket="bench", Key=job.key(file))["Body"]) != file.sha256() for file in files
        )
        total += len(files)
    ours = wrong[OURS] + wrong[NO_CHECK] + wrong["worker"]
    note = f"{total} objects of 0 bytes to 20 MiB, SeaweedFS with TLS"
    return [
        Row(
            "objects that differ when read back",
            ours,
            "",
            0,
            peers={p: wrong[p] for p in (USUAL, FILEOBJ, RCLONE)},
            note=note,
        )
    ]


def _sha256(body: Any) -> str:
    digest = hashlib.sha256()
    while block := body.read(MIB):
        digest.update(block)
    return digest.hexdigest()


def cold(bench: Bench) -> list[Row]:
    """Cold starts of the built packages."""
    packages = cold_start.build(DIRECTORY, PYTHON)

    def once(name: str) -> Sample:
        began = cold_start.start(PYTHON, *packages[name])
        return Sample(began.wall_s, began.cpu_s, began.rss_mb)

    runs = in_turn({name: partial(once, name) for name in packages}, 3 if bench.quick else 21)
    ours, usual = runs[OURS], runs[USUAL]
    firsts = in_turn(
        {name: partial(_with_first_message, bench, packages[name]) for name in (OURS, USUAL)}, 3 if bench.quick else 21
    )
    milliseconds = {name: run.wall_s * 1000 for name, run in runs.items()}
    return [
        Row(
            "cold start of the queue function, against the usual handler's", ours.wall_s / usual.wall_s, " x", 0.90,
            note=", ".join(f"{name} {value:.0f} ms" for name, value in milliseconds.items()),
        ),
        Row(
            "the same in CPU seconds", ours.cpu_s / usual.cpu_s, " x", 0.90,
            note=", ".join(f"{name} {run.cpu_s * 1000:.0f} ms" for name, run in runs.items()),
        ),
        Row(
            "cold start with the first message (one file of 50 KB), against the usual handler's",
            firsts[OURS].wall_s / firsts[USUAL].wall_s, " x", 0.75,
            note=", ".join(
                f"{name} {run.wall_s * 1000:.0f} ms, CPU {run.cpu_s * 1000:.0f} ms" for name, run in firsts.items()
            ),
        ),
        Row(
            "cold start of the queue function, against the same with boto3's clients",
            ours.wall_s / runs[ON_CLIENT].wall_s, " x", 0.90,
            note=f"CPU {ours.cpu_s / runs[ON_CLIENT].cpu_s:.2f} x",
        ),
        Row("memory after the cold start", ours.rss_mb, " MB", peers={USUAL: usual.rss_mb}),
        _every_function(packages[OURS][0], 1 if bench.quick else 5),
        _further_steps(packages[OURS]),
    ]  # fmt: skip


def _with_first_message(bench: Bench, package: tuple[Path, str]) -> Sample:
    (file,) = bench.files(1, 50 * KB)
    began = cold_start.start(PYTHON, *package, *cold_start.first_message(file, bench.servers))
    return Sample(began.wall_s, began.cpu_s, began.rss_mb)


def _every_function(package: Path, rounds: int) -> Row:
    """The start of each function of the package, in milliseconds; the slowest is the figure."""
    starts = {
        name: statistics.median(cold_start.start(PYTHON, package, f"{name}.handler").wall_s for _ in range(rounds))
        for name in sorted(cold_start.HANDLERS)
    }
    peers = {name: seconds * 1000 for name, seconds in starts.items()}
    return Row("cold start of every function, the slowest", max(peers.values()), " ms", peers=peers)


def _further_steps(package: tuple[Path, str]) -> Row:
    """What else takes time in a cold start, by the interpreter's own account; each step is measured alone."""
    times = {name: (own, all_of_it) for own, all_of_it, name in cold_start.import_times(PYTHON, *package)}
    handler = package[1].partition(".")[0]
    gains = {
        "no Powertools (log lines and metrics of our own)": times["aws_lambda_powertools"][1],
        "urllib3 without requests (adapters of our own)": times["requests"][1] - times["urllib3"][1],
    }
    note = ", ".join(f"{step} -{gain:.0f} ms" for step, gain in gains.items())
    return Row("import of the handler, and what further steps would gain and cost", times[handler][1], " ms", note=note)


def large(bench: Bench) -> list[Row]:
    """One large file."""
    size = 128 * MIB if bench.quick else GIB
    one = partial(bench.files, 1, size)
    source = bench.servers.directory / "large"
    with source.open("wb") as file:
        for piece in File(1, size).pieces():
            file.write(piece)
    peers: dict[str, Callable[[], Sample]] = {
        peer: bench.run(peer, one) for peer in (OURS, USUAL, FILEOBJ, RCLONE, "download alone")
    }
    peers["curl | curl"] = lambda: commands(*programs.curl_pipe(bench.job(one())))
    peers["curl down"] = lambda: commands(programs.curl_download(bench.job(one())))
    peers["curl up"] = lambda: commands(programs.curl_upload(bench.job(one()), source))
    runs = in_turn(peers, bench.rounds(5))
    source.unlink()
    ours, scale = runs[OURS], GIB / size
    others = (RCLONE, FILEOBJ, USUAL)
    floor = runs["curl | curl"].wall_s
    speeds = ", ".join(f"{name} {size / MIB / runs[name].wall_s:.0f} MiB/s" for name in ("curl down", "curl up", OURS))
    return [
        Row(
            "1 GiB: CPU, warm", ours.cpu_s * scale, " s", 2.2, ours.spread("cpu_s", scale),
            {name: runs[name].cpu_s * scale for name in (*others, "curl | curl", "download alone")},
            note="rclone and curl as whole processes",
        ),
        Row("1 GiB: CPU against rclone copyurl", ours.cpu_s / runs[RCLONE].cpu_s, " x", 1.0),
        Row(
            "1 GiB: peak of resident memory", ours.rss_mb, " MB", 80,
            peers={name: runs[name].rss_mb for name in others},
        ),
        Row(
            "1 GiB: wall against curl | curl", ours.wall_s / floor, " x", 1.3, ours.spread("wall_s", 1 / floor),
            {name: runs[name].wall_s / floor for name in others}, note=f"the servers alone: {speeds}",
        ),
    ]  # fmt: skip


def paced(bench: Bench) -> list[Row]:
    """A file of 20 MB from a server that sends 10 MB/s."""
    one = partial(bench.files, 1, 20 * KB * KB, 50, 10 * KB)
    names = (OURS, "download alone", USUAL, FILEOBJ, RCLONE)
    runs = in_turn({peer: bench.run(peer, one) for peer in names}, bench.rounds(5))
    floor = runs["download alone"].wall_s
    return [
        Row(
            "20 MB at 10 MB/s, 50 ms to the first byte: wall against the download alone",
            runs[OURS].wall_s / floor, " x", 1.03, runs[OURS].spread("wall_s", 1 / floor),
            {name: runs[name].wall_s / floor for name in (USUAL, FILEOBJ, RCLONE)},
            note=f"the download alone {floor:.2f} s; rclone as a whole process",
        )
    ]  # fmt: skip


def small(bench: Bench) -> list[Row]:
    """Many small files, ten at once; and what one costs in CPU."""
    many = partial(bench.files, 200, 50 * KB, 50)
    names = (OURS, NO_CHECK, "worker", USUAL, FILEOBJ, OBSTORE, RCLONE)
    runs = in_turn({peer: bench.run(peer, many, 10) for peer in names}, bench.rounds(9))
    others = (USUAL, FILEOBJ, OBSTORE, RCLONE)
    walls = {name: runs[name].wall_s for name in others}
    note = "peers without the check; rclone as a whole process"
    rows = [
        Row(
            "200 x 50 KB, 50 ms to the first byte, 10 at once, check included: wall against the ideal 1.00 s",
            runs[OURS].wall_s, " x", 1.15, runs[OURS].spread("wall_s"),
            {**walls, "worker, batch after batch": runs["worker"].wall_s}, note,
        ),
        Row(
            "the same without the check", runs[NO_CHECK].wall_s, " x", 1.12, runs[NO_CHECK].spread("wall_s"), walls,
        ),
    ]  # fmt: skip
    each = partial(bench.files, 300, 50 * KB)
    ones = in_turn(
        {peer: bench.run(peer, each) for peer in (OURS, ON_CLIENT, NO_CHECK, "worker", USUAL, FILEOBJ, OBSTORE)},
        bench.rounds(9),
    )
    per_file = {name: run.cpu_s / 300 * 1000 for name, run in ones.items()}
    ten = {name: run.cpu_s / 200 * 1000 for name, run in runs.items()}
    return [
        *rows,
        _per_file("CPU per 50 KB file, check included", OURS, 2.5, ones, per_file, ten),
        Row(
            "CPU per 50 KB file: our requests to S3 against boto3's client on the same path",
            per_file[OURS] / per_file[ON_CLIENT],
            " x",
            0.90,
            note=f"{per_file[OURS]:.2f} ms, boto3's client {per_file[ON_CLIENT]:.2f} ms",
        ),
        _per_file("CPU per 50 KB file, download and upload alone", NO_CHECK, 1.6, ones, per_file, ten),
        Row("CPU per 50 KB file in the worker, row, log line and metrics included", per_file["worker"], " ms"),
        _parts(bench),
    ]


def _parts(bench: Bench) -> Row:
    """The run with the least time: whatever else works on the machine only adds to it."""
    runs = [
        json.loads(python("parts", "worker", bench.job(bench.files(500, 50 * KB)).to_json()))
        for _ in range(bench.rounds(5))
    ]
    totals = [sum(sum(kinds.values()) for kinds in run.values()) for run in runs]
    least = runs[totals.index(min(totals))]
    kinds = {kind: sum(step[kind] for step in least.values()) for kind in next(iter(least.values()))}
    return Row(
        "the same by its steps", min(totals), " ms", 2.0, (min(totals), max(totals)),
        {step: sum(of_step.values()) for step, of_step in least.items()},
        "for " + ", ".join(f"{kind} {ms:.2f} ms" for kind, ms in kinds.items()),
    )  # fmt: skip


def _per_file(
    measure: str, name: str, target: float, runs: dict[str, Runs], ms: dict[str, float], ten: dict[str, float]
) -> Row:
    note = f"10 at once with 50 ms of waiting: {ten[name]:.2f} ms, usual handler {ten[USUAL]:.2f} ms"
    spread = runs[name].spread("cpu_s", 1000 / 300)
    return Row(measure, ms[name], " ms", target, spread, {peer: ms[peer] for peer in (USUAL, FILEOBJ, OBSTORE)}, note)


def medium(bench: Bench) -> list[Row]:
    """Forty files of 5 MB, ten at once."""
    size = 5 * KB * KB
    many = partial(bench.files, 40, size, 50)
    source = bench.servers.directory / "medium"
    with source.open("wb") as file:
        for piece in File(1, size).pieces():
            file.write(piece)
    names = (OURS, USUAL, FILEOBJ, RCLONE)
    peers: dict[str, Callable[[], Sample]] = {peer: bench.run(peer, many, 10) for peer in names}
    peers["curl down"] = lambda: commands(programs.curl_download(bench.job(many(), 10)))
    peers["curl up"] = lambda: commands(programs.curl_upload(bench.job(many(), 10), source))
    runs = in_turn(peers, bench.rounds(7))
    source.unlink()
    floor = runs["curl down"].wall_s + runs["curl up"].wall_s
    return [
        Row(
            "40 x 5 MB, 50 ms, 10 at once: wall against curl --parallel, down and then up",
            runs[OURS].wall_s / floor, " x", 1.15, runs[OURS].spread("wall_s", 1 / floor),
            {name: runs[name].wall_s / floor for name in (USUAL, FILEOBJ, RCLONE)},
            note=f"curl down {runs['curl down'].wall_s:.2f} s, up {runs['curl up'].wall_s:.2f} s; "
            f"peak {runs[OURS].rss_mb:.0f} MB, usual handler {runs[USUAL].rss_mb:.0f} MB",
        )
    ]  # fmt: skip


def handlers(bench: Bench) -> list[Row]:
    """The webhook receiver and the token refresher, warm, AWS and Zoho on loopback."""
    job = bench.job([]).to_json()
    webhook = sorted(json.loads(python("handlers", "webhook", job))[20:])
    refresh = json.loads(python("handlers", "refresh", job))
    return [
        Row(
            "webhook to queue, warm: p99", webhook[int(len(webhook) * 0.99)], " ms",
            note=f"median {statistics.median(webhook):.2f} ms of {len(webhook)} calls, AWS on loopback",
        ),
        Row(
            "token refresh: first call of a process", refresh[0], " ms",
            note=f"warm median {statistics.median(refresh[1:]):.2f} ms; AWS and Zoho on loopback",
        ),
    ]  # fmt: skip


def growth(bench: Bench) -> list[Row]:
    """The worker in one process, batch after batch: time and memory must not grow with what went before."""
    counts: Sequence[int] = (100, 1000) if bench.quick else (100, 1000, 10_000)
    # Back to back, and the short runs more often, since they are the noisier ones.
    found = {
        count: in_turn(
            {"worker": bench.run("worker", partial(bench.files, count, 50 * KB), 4)}, 5 if count < 2000 else 1
        )["worker"]
        for count in counts
    }
    first = found[counts[0]]
    return [
        Row(
            f"{count:,} files of 50 KB through the worker: CPU per file", run.cpu_s / count * 1000, " ms",
            note=f"wall {run.wall_s / count * 1000:.2f} ms per file, peak {run.rss_mb:.1f} MB "
            f"({run.rss_mb - first.rss_mb:+.1f} MB against {counts[0]})",
        )
        for count, run in found.items()
    ]  # fmt: skip


ROWS: dict[str, Callable[[Bench], list[Row]]] = {
    "correct": correct,
    "cold": cold,
    "large": large,
    "paced": paced,
    "small": small,
    "medium": medium,
    "handlers": handlers,
    "growth": growth,
    "backlog": lambda _: backlog.rows(),
    "commands": lambda bench: command_line.starts(bench.rounds(5)),
}
