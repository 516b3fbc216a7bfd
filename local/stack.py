"""The whole local stack as a context manager: emulator, Bigin simulator, deployment, secrets, `stack.json`.

Used by `make up`, by `make demo` and by the integration tests.
"""

from __future__ import annotations

import contextlib
import fcntl
import json
import os
import shutil
import sys
from collections.abc import Callable, Mapping
from pathlib import Path
from types import TracebackType
from typing import Any, Self

import boto3
import botocore.session
import requests
from botocore.auth import SigV4Auth
from botocore.awsrequest import AWSRequest
from botocore.config import Config
from botocore.exceptions import BotoCoreError, ClientError

from local.connection import connect
from local.deployment import REGION, STACK_NAME, Deployment
from local.emulator import Emulator
from local.environment import environment, write
from local.event_listener import listen
from local.function_logs import FunctionLogs
from local.gateway_responses import put_gateway_responses
from local.package import PROJECT, tool_environment
from local.process import LocalStackError, Process
from local.settings import Bigin

SIMULATOR_TIMEOUT_S = 30
API_TIMEOUT_S = 35  # API Gateway's own is 29
DELAYS = {
    "RetryDelaySeconds": "1",
    "RetryDelayMaxSeconds": "20",
    "WebhookDelaySeconds": "2",
}  # shorter than on AWS, so that nobody has to wait
# What is off by default is on here, to be tried. The demo shows only the core.
EVERYTHING = {"Console": "ON", "Callers": "ON", "Events": "ON"}
CORE = dict.fromkeys(EVERYTHING, "OFF")
# The user's own AWS profile is not used.
NO_PROFILE = {
    "profile": (None, None, None, None),
    "config_file": (None, None, os.devnull, None),
    "credentials_file": (None, None, os.devnull, None),
}


class LocalStack:
    """A running stack between `__enter__` and `__exit__`.

    outputs:     the template's Outputs.
    build:       the folder with what was deployed.
    description: what `stack.json` holds.
    notice:      "" or one line for the user: started, but not connected to Bigin.
    """

    outputs: dict[str, str]
    build: Path
    description: dict[str, str]
    notice: str = ""

    def __init__(
        self,
        directory: Path,
        bigin: Bigin | None = None,
        parameters: Mapping[str, str] | None = None,
        tell: Callable[[str], None] = lambda step: None,
        package: Path | None = None,
    ) -> None:
        """`bigin` None starts the simulator; `parameters` override those of the template; `tell` gets each long step.

        `package` is the directory of a `Deployment` that has built the functions already.
        """
        self._tell = tell
        self.directory = directory.resolve()
        self.logs = self.directory / "logs"
        self._description_file = self.directory / "stack.json"
        self._environment_file = self.directory / "env"
        self._bigin = bigin
        self._package = package
        self._parameters = {**DELAYS, **EVERYTHING, **(parameters or {})}
        self._processes: list[Process] = []
        self._clients: dict[str, Any] = {}
        self._closing = contextlib.ExitStack()

    def __enter__(self) -> Self:
        try:
            self.directory.mkdir(parents=True, exist_ok=True)
        except OSError as error:
            raise LocalStackError(
                f"{self.directory} cannot be made ({error.strerror}). Set LOCAL_STACK_DIR to a directory of yours."
            ) from None
        with contextlib.ExitStack() as closing:
            closing.enter_context(_only_one(self.directory))
            shutil.rmtree(self.logs, ignore_errors=True)
            self.logs.mkdir()
            self._clients.clear()
            for file in (self._description_file, self._environment_file):
                file.unlink(missing_ok=True)
                closing.callback(file.unlink, missing_ok=True)
            self._start(closing)
            self._closing = closing.pop_all()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._closing.close()

    def check(self) -> None:
        """Raises ProcessError if the emulator or the simulator has ended."""
        for process in self._processes:
            process.check()

    def copy_function_logs(self) -> None:
        """Write the new lines to `functions.log`, which otherwise happens at the end."""
        self._function_logs.copy()

    def client(self, service: str) -> Any:
        """A boto3 client for the emulator, with the rights of the account's root."""
        if service in self._clients:
            return self._clients[service]
        session = boto3.session.Session(
            aws_access_key_id="test",
            aws_secret_access_key="test",  # noqa: S106 - the emulator's root
            region_name=REGION,
            botocore_session=botocore.session.Session(session_vars=NO_PROFILE),
        )
        config = Config(proxies={}, s3={"addressing_style": "path"})
        self._clients[service] = session.client(
            service, endpoint_url=self._emulator.url, verify=str(self._emulator.ca_bundle), config=config
        )
        return self._clients[service]

    def post(
        self,
        path: str,
        body: object,
        headers: Mapping[str, str] | None = None,
        *,
        sign: bool = True,
        timeout_s: float = API_TIMEOUT_S,
    ) -> requests.Response:
        """POST to the API as JSON (bytes and str as they are), signed with SigV4 unless told otherwise."""
        data = body if isinstance(body, bytes | str) else json.dumps(body)
        request = AWSRequest(
            "POST",
            self.description["api_url"] + path,
            data=data,
            headers={"Content-Type": "application/json", **(headers or {})},
        )
        if sign:
            credentials = botocore.session.Session(session_vars=NO_PROFILE)
            credentials.set_credentials("test", "test")
            SigV4Auth(credentials.get_credentials(), "execute-api", REGION).add_auth(request)
        with requests.Session() as session:
            session.trust_env = False  # no proxy for loopback
            return session.post(
                request.url,
                data=data,
                headers=dict(request.headers),
                verify=self.description["ca_bundle"],
                timeout=timeout_s,
            )

    def access_token(self) -> str:
        """The access token that the functions use now."""
        secret = self.client("secretsmanager").get_secret_value(SecretId=self.outputs["TokenSecretId"])["SecretString"]
        return str(json.loads(secret)["access_token"]) if secret else ""

    def _start(self, closing: contextlib.ExitStack) -> None:
        # Emulator and simulator start while the package is built: the machine has more than one processor.
        self._emulator = Emulator.start(self.directory / "emulator", self.logs / "emulator.log")
        closing.callback(shutil.rmtree, self.directory / "emulator", ignore_errors=True)  # unpacked functions
        self._processes = [closing.enter_context(self._emulator.process)]
        if self._bigin is None:
            self._processes.append(closing.enter_context(self._start_simulator()))
        deployment = Deployment(self.directory, self.logs, self._package)
        self.build = deployment.build
        build = deployment.start_build()
        if build:
            self._tell("Building the functions (sam build)")
            closing.enter_context(build)
        self._emulator.wait()
        bigin = self._bigin or Bigin.simulator(self._simulator_url(self._processes[-1]))
        if build:
            deployment.finish_build(build)
        self._tell("Deploying the template to the AWS emulator (sam deploy)")
        self._function_logs = FunctionLogs(self.client("logs"), self.logs / "functions.log")
        closing.callback(self._last_function_logs)
        addresses = {
            "DataCenter": bigin.data_center,
            "BiginApiUrl": bigin.api_url,
            "BiginAccountsUrl": bigin.accounts_url,
            "ApiGatewayUrl": self._emulator.url,
        }
        deployment.deploy(self._emulator, {**addresses, **self._parameters})
        put_gateway_responses(self.client("cloudformation"), self.client("apigateway"), STACK_NAME)
        self.outputs = self._read_outputs()
        self.notice = connect(
            bigin, self.outputs, secrets=self.client("secretsmanager"), functions=self.client("lambda")
        )
        self.description = self._describe(bigin)
        self._write_description()

    def _last_function_logs(self) -> None:
        with contextlib.suppress(BotoCoreError, ClientError):  # the emulator itself may have failed
            self._function_logs.copy()

    def _start_simulator(self) -> Process:
        # The emulator's certificate may not be there yet: the simulator reads it when it sends something.
        callbacks = ["--callback-ca", str(self._emulator.ca_bundle)]
        command = [sys.executable, "-m", "local.bigin", "--port", "0", *callbacks]
        return Process(
            "The Bigin simulator", command, log=self.logs / "simulator.log", env=tool_environment({}), cwd=PROJECT
        )

    def _simulator_url(self, process: Process) -> str:
        def announced() -> str:
            for line in process.log.read_text(errors="replace").splitlines(keepends=True):
                if line.startswith('{"url"') and line.endswith("\n"):
                    return str(json.loads(line)["url"])
            return ""

        process.wait_until(lambda: bool(announced()), SIMULATOR_TIMEOUT_S)
        return announced()

    def _read_outputs(self) -> dict[str, str]:
        stacks = self.client("cloudformation").describe_stacks(StackName=STACK_NAME)["Stacks"]
        return {output["OutputKey"]: output["OutputValue"] for output in stacks[0]["Outputs"]}

    def _describe(self, bigin: Bigin) -> dict[str, str]:
        described = {
            "aws_endpoint_url": self._emulator.url,
            "api_url": f"{self._emulator.url}/_aws/execute-api/{self.outputs['ApiId']}/v1",
            "ca_bundle": str(self._emulator.ca_bundle),
            "region": REGION,
            "queue_url": self.outputs["QueueUrl"],
            "dead_letter_queue_url": self.outputs["DeadLetterQueueUrl"],
            "bucket": self.outputs["BucketName"],
            "prefix": self.outputs["KeyPrefix"],
            "token_secret_id": self.outputs["TokenSecretId"],
            "credentials_secret_id": self.outputs["CredentialsSecretId"],
            "webhook_secret_id": self.outputs["WebhookSecretId"],
            "refresh_token_function": self.outputs["RefreshTokenFunctionName"],
            "bigin_api_url": bigin.api_url,
            "bigin_accounts_url": bigin.accounts_url,
            "ledger_table": self.outputs["LedgerTable"],
        }
        # What is switched off has no address.
        if url := self.outputs.get("ConsoleUrl"):
            described["console_url"] = url
        if url := self.outputs.get("CallersUrl"):
            described["callers_url"] = url
        if bus := self.outputs.get("EventBusName"):
            described["event_queue_url"] = listen(bus, events=self.client("events"), sqs=self.client("sqs"))
        return described

    def _write_description(self) -> None:
        write(self._environment_file, environment(self.description))
        write(self._description_file, json.dumps(self.description, indent=2) + "\n")


@contextlib.contextmanager
def _only_one(directory: Path) -> Any:
    """Two stacks in one directory would overwrite each other's files."""
    with (directory / "lock").open("w") as lock:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            raise LocalStackError(
                f"A local stack runs from {directory} already. Stop it, or set LOCAL_STACK_DIR to another directory."
            ) from None
        yield
