"""Cold starts: a built package under Lambda's own runtime client, against a Runtime API that only waits for it.

The start is over when the client asks for its first invocation: interpreter, imports and clients are done then. With a
first event it is over when the client sends that invocation's answer.
"""

import json
import os
import select
import shutil
import socket
import subprocess
import time
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from local.package import (
    BUILD_TIMEOUT_S,
    OWN_RUNTIME,
    PROJECT,
    add_byte_code,
    build_command,
    own_architecture,
    tool_environment,
)
from local.process import Process
from tests.bench.content import MODULE, File
from tests.bench.environment import FUNCTION_ENVIRONMENT, Servers

FUNCTION = "ArchiveQueuedFunction"
HANDLERS = [file.stem for file in (PROJECT / "functions").glob("*.py")]
TIMEOUT_S = 60

# What most handlers of this kind begin with; Powertools and requests are in the package, boto3 in the runtime.
USUAL_HANDLER = """\
import json
import os

import boto3
import requests
from aws_lambda_powertools import Logger

logger = Logger()
s3 = boto3.client("s3")
secrets = boto3.client("secretsmanager")
session = requests.Session()


def handler(event, context):
    token = json.loads(secrets.get_secret_value(SecretId=os.environ["TOKEN_SECRET_ID"])["SecretString"])["access_token"]
    for record in event["Records"]:
        request = json.loads(record["body"])
        path = "{module}/{record_id}/Attachments/{attachment_id}".format(**request)
        answer = session.get(
            os.environ["BIGIN_API_URL"] + "/bigin/v2/" + path,
            headers={"Authorization": "Zoho-oauthtoken " + token},
            timeout=30,
        )
        answer.raise_for_status()
        s3.put_object(Bucket=os.environ["BUCKET"], Key=path, Body=answer.content)
        logger.info("archived", extra={"key": path})
    return {"batchItemFailures": []}
"""
# Our own start, as it would be with boto3's clients in place of our own requests.
ON_CLIENT = """\
from archive_queued import handler
from bigin_archive.aws.clients import session

aws = session()
made = [aws.connect(service, 30) for service in ("s3", "dynamodb", "secretsmanager", "sqs")]
"""
NO_HANDLER = """\
def handler(event, context):
    return None
"""


@dataclass(frozen=True, slots=True)
class Start:
    """One cold start: until the first question for work, from the start of the process on."""

    wall_s: float
    cpu_s: float
    rss_mb: float


def build(directory: Path, python: Path) -> dict[str, tuple[Path, str]]:
    """Build our package as it is deployed, and the usual handler's beside it; return folders and handlers by name.

    The usual handler gets a copy of what our package holds besides our own code, so that both have the same
    dependencies and byte code.
    """
    folder = directory / "package"
    shutil.rmtree(folder, ignore_errors=True)
    env = tool_environment({"__SAM_CLI_APP_DIR": str(directory / "sam")})
    options = ["--template-file", str(PROJECT / "template.yaml"), "--build-dir", str(folder), "--region", "us-east-1"]
    command = build_command(OWN_RUNTIME, own_architecture(), *options)
    with Process("sam build", command, log=directory / "build.log", env=env, cwd=directory) as process:
        process.finish(BUILD_TIMEOUT_S)
    for name, code in (("usual", USUAL_HANDLER), ("none", NO_HANDLER)):
        ours = shutil.ignore_patterns("bigin_archive", "__pycache__", *(f"{name}.py" for name in HANDLERS))
        shutil.copytree(folder / FUNCTION, folder / name, ignore=ours)
        (folder / name / "usual.py").write_text(code)
    (folder / FUNCTION / "on_client.py").write_text(ON_CLIENT)
    add_byte_code(folder, str(python), env)
    return {
        "ours": (folder / FUNCTION, "archive_queued.handler"),
        "ours on boto3's client": (folder / FUNCTION, "on_client.handler"),
        "usual handler": (folder / "usual", "usual.handler"),
        "no handler": (folder / "none", "usual.handler"),
    }


def environment(task_root: Path, extra: Mapping[str, str]) -> dict[str, str]:
    return {
        **FUNCTION_ENVIRONMENT,
        "PATH": os.defpath,
        "LANG": "C.UTF-8",
        "LAMBDA_TASK_ROOT": str(task_root),
        "PYTHONPATH": str(task_root),
        "PYTHONDONTWRITEBYTECODE": "1",  # as on Lambda's read-only file system
        **extra,
    }


def first_message(file: File, servers: Servers) -> tuple[str, dict[str, str]]:
    """The event that brings one attachment, and what a function needs beside its settings to reach the servers."""
    body = {"module": MODULE, "record_id": file.record_id, "attachment_id": str(file.number)}
    record = {
        "messageId": "1", "receiptHandle": "handle", "body": json.dumps(body), "messageAttributes": {},
        "attributes": {"ApproximateReceiveCount": "1", "SentTimestamp": "1767225600000"}, "eventSource": "aws:sqs",
    }  # fmt: skip
    return json.dumps({"Records": [record]}), {
        "AWS_ENDPOINT_URL": servers.sink_url,
        "BIGIN_API_URL": servers.plain_url,
        "BIGIN_ACCOUNTS_URL": servers.plain_url,
        "AWS_CA_BUNDLE": str(servers.ca_bundle),
    }


def start(
    python: Path, task_root: Path, handler: str, event: str = "", extra: Mapping[str, str] | None = None
) -> Start:
    """Start once, and handle ``event`` where there is one.

    Raises RuntimeError with the client's own report when the handler cannot be imported or fails.
    """
    with socket.create_server(("127.0.0.1", 0)) as listener:
        listener.settimeout(TIMEOUT_S)
        api = {"AWS_LAMBDA_RUNTIME_API": f"127.0.0.1:{listener.getsockname()[1]}"}
        began = time.perf_counter()
        process = subprocess.Popen(
            [str(python), "-m", "awslambdaric", handler],
            cwd=task_root, env=environment(task_root, {**api, **(extra or {})}),
            stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL,
        )  # fmt: skip
        try:
            with _Asked(listener, "/invocation/next") as asked:
                if event:
                    asked.answer(event)
                    asked.wait_for("/response")
                wall_s = time.perf_counter() - began
                rss_mb = _peak_rss_mb(process.pid)  # while it waits: without its connection it ends
        finally:
            process.kill()
            _, _, usage = os.wait4(process.pid, 0)
            process.returncode = -9
    return Start(wall_s, usage.ru_utime + usage.ru_stime, rss_mb)


class _Asked:
    """The runtime client's question, on a connection that stays open or not, as the client likes it."""

    def __init__(self, listener: socket.socket, path: str) -> None:
        self._listener = listener
        self._client, _ = listener.accept()
        self._expect(self._client.recv(65536), path)

    def __enter__(self) -> "_Asked":
        return self

    def __exit__(self, *_: object) -> None:
        self._client.close()

    def answer(self, event: str) -> None:
        deadline_ms = round(time.time() * 1000) + 300_000
        head = [
            "HTTP/1.1 200 OK", "Content-Type: application/json", f"Content-Length: {len(event.encode())}",
            "Lambda-Runtime-Aws-Request-Id: 1", f"Lambda-Runtime-Deadline-Ms: {deadline_ms}",
            "Lambda-Runtime-Invoked-Function-Arn: arn:aws:lambda:us-east-1:123456789012:function:bench",
        ]  # fmt: skip
        self._client.sendall("\r\n".join([*head, "", event]).encode())

    def wait_for(self, path: str) -> None:
        """Wait for the next request, whichever connection it takes."""
        ready, _, _ = select.select([self._client, self._listener], [], [], TIMEOUT_S)
        said = self._client.recv(65536) if self._client in ready else b""
        if not said:
            self._client.close()
            self._client, _ = self._listener.accept()
            said = self._client.recv(65536)
        self._expect(said, path)

    @staticmethod
    def _expect(said: bytes, path: str) -> None:
        if path.encode() not in said.split(b"\r\n", 1)[0]:
            raise RuntimeError(said.decode(errors="replace"))


def import_times(python: Path, task_root: Path, handler: str) -> list[tuple[float, float, str]]:
    """Own and cumulative milliseconds of each import of the handler (``-X importtime``)."""
    module = handler.partition(".")[0]
    done = subprocess.run(
        [str(python), "-X", "importtime", "-c", f"import {module}"],
        cwd=task_root, env=environment(task_root, {}), capture_output=True, text=True, check=True,
    )  # fmt: skip
    rows = []
    for line in done.stderr.splitlines():
        parts = line.removeprefix("import time:").split("|")
        if line.startswith("import time:") and parts[0].strip().isdigit():
            rows.append((int(parts[0]) / 1000, int(parts[1]) / 1000, parts[2].strip()))
    return rows


def _peak_rss_mb(pid: int) -> float:
    status = Path(f"/proc/{pid}/status").read_text()
    return next(int(line.split()[1]) for line in status.splitlines() if line.startswith("VmHWM")) / 1024
