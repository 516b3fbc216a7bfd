"""The AWS emulator: ministack on a free loopback port, with TLS and with IAM enforced.

It runs in a virtual environment of its own and with an environment of its own, because its functions see both: what
leaked in from here would hide a dependency that is missing from the package.
"""

from __future__ import annotations

import os
import shutil
import socket
from pathlib import Path

import requests

from local.process import LocalStackError, Process

READY_TIMEOUT_S = 30
PROJECT = Path(__file__).resolve().parent.parent
PYTHON = PROJECT / ".venv" / "emulator" / "bin" / "python"

# With TLS the emulator also takes port 443 where it may, which a stack on free ports has no business to do. And its
# authorizer asks for Cognito's keys by plain http at its own TLS port, so that each token would be refused. It unpacks
# a package anew for each start of a function, and Python compiles every module again: here once for all starts. It
# holds hundreds of thousands of objects, through which the collector need not go for each few requests.
START = """
import gc, hashlib, json, os, shutil, tempfile, types, zipfile
import ministack.app as app
import ministack.core.lambda_runtime as functions
import ministack.services.apigateway as http_apis, ministack.services.apigateway_v1 as rest_apis
import ministack.services.cognito as cognito
async def keys(url):
    return json.loads(cognito.well_known_jwks(url.split("/")[3])[2])
http_apis._fetch_jwks = rest_apis._fetch_jwks = keys
app._port_is_bindable = lambda *_: False
class UnpackedOnce(zipfile.ZipFile):
    def extractall(self, path):
        with open(self.filename, "rb") as package:
            kept = os.path.join(tempfile.gettempdir(), "code-" + hashlib.file_digest(package, "sha256").hexdigest())
        if not os.path.isdir(kept):
            fresh = tempfile.mkdtemp()
            super().extractall(fresh)
            try:
                os.rename(fresh, kept)
            except OSError:  # another start was quicker
                shutil.rmtree(fresh)
        os.rmdir(path)
        os.symlink(kept, path)
functions.zipfile = types.SimpleNamespace(**{**vars(zipfile), "ZipFile": UnpackedOnce})
gc.freeze()
gc.set_threshold(100_000, 20, 100)
app.main()
"""


class Emulator:
    """The address of a running emulator and what is needed to trust it."""

    def __init__(self, process: Process, port: int, ca_bundle: Path) -> None:
        self.process = process
        self.url = f"https://127.0.0.1:{port}"
        self.ca_bundle = ca_bundle

    @classmethod
    def start(cls, directory: Path, log: Path) -> Emulator:
        """Start it and return at once; `wait` returns when it answers. `directory` is emptied first."""
        if not PYTHON.exists():
            raise LocalStackError(f"{PYTHON} is missing: start with make, which installs it.")
        shutil.rmtree(directory, ignore_errors=True)
        directory.mkdir(parents=True)
        port = _free_port()
        process = Process(
            "The AWS emulator", [str(PYTHON), "-c", START], log=log, env=_environment(directory, port), cwd=directory
        )
        return cls(process, port, directory / "ministack-tls" / "server.crt")

    def wait(self) -> None:
        self.process.wait_until(self._answers, READY_TIMEOUT_S)

    def _answers(self) -> bool:
        if not self.ca_bundle.exists():
            return False
        with requests.Session() as session:
            session.trust_env = False  # no proxy for loopback
            try:
                return session.get(f"{self.url}/_ministack/health", verify=str(self.ca_bundle), timeout=2).ok
            except (requests.RequestException, OSError):  # OSError: the certificate is half written
                return False


def _environment(directory: Path, port: int) -> dict[str, str]:
    return {
        "PATH": os.defpath,
        "HOME": str(directory),
        "TMPDIR": str(directory),  # certificate, functions' code and their temporary files: all below the stack
        "LANG": "C.UTF-8",
        "GATEWAY_PORT": str(port),
        "BIND_HOST": "127.0.0.1",  # the default is every address
        "MINISTACK_HOST": "127.0.0.1",
        "USE_SSL": "1",
        "AUTH": "true",  # roles and policies of the template are enforced
        "SFTP_ENABLED": "0",
        "IOT_MTLS_ENABLED": "0",
    }


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port
