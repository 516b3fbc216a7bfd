"""Deploys the real template to the emulator with the real `sam build` and `sam deploy`, and reads its outputs.

Builds in a folder of its own, so that it never disturbs a package built for AWS.
"""

from __future__ import annotations

import sys
from collections.abc import Mapping
from pathlib import Path

from local.emulator import Emulator
from local.package import (
    BUILD_TIMEOUT_S,
    OWN_RUNTIME,
    PROJECT,
    SAM,
    SUPPORTED_RUNTIMES,
    add_byte_code,
    build_command,
    digest_of,
    own_architecture,
    remove_unused,
    share_code,
    tool_environment,
)
from local.process import LocalStackError, Process

STACK_NAME = "bigin-archive-local"  # as in samconfig.toml
REGION = "us-east-1"  # as in samconfig.toml
DEPLOY_TIMEOUT_S = 300


# What a build is made of. If none of it has changed, the last build is deployed again.
INPUTS = ("template.yaml", "local/package.py", "local/requirements-sam.txt", "requirements.txt")


class Deployment:
    """`start_build` returns at once, so that the emulator starts meanwhile; `finish_build` waits for it."""

    def __init__(self, directory: Path, logs: Path, package: Path | None = None) -> None:
        """`package` is the directory of a deployment whose build is taken, where it is the right one."""
        if OWN_RUNTIME not in SUPPORTED_RUNTIMES:
            raise LocalStackError(
                f"This is {OWN_RUNTIME}; use one of {', '.join(SUPPORTED_RUNTIMES)}: make PYTHON=python3.13 ..."
            )
        self._directory = directory
        self.build = (package or directory) / "build"
        self._built_from = (package or directory) / "build.sha256"  # written last: if it is there, the build is whole
        self._logs = logs
        self._env = tool_environment({"__SAM_CLI_APP_DIR": str(directory / "sam")})  # not ~/.aws-sam

    def start_build(self) -> Process | None:
        """Start a build; None if the last one is still right."""
        is_there = self._built_from.exists() and (self.build / "template.yaml").exists()
        if is_there and self._built_from.read_text() == self._inputs():
            return None
        self._built_from.unlink(missing_ok=True)
        folders = ["--build-dir", str(self.build), "--cached", "--cache-dir", str(self._directory / "cache")]
        options = ["--template-file", str(PROJECT / "template.yaml"), *folders, "--region", REGION]
        command = build_command(OWN_RUNTIME, own_architecture(), *options)
        # SAM keeps the dependencies for the next build in .aws-sam/deps of the working directory, whatever the options.
        return Process("sam build", command, log=self._logs / "build.log", env=self._env, cwd=self._directory)

    def finish_build(self, build: Process) -> None:
        build.finish(BUILD_TIMEOUT_S)
        remove_unused(self.build)
        add_byte_code(self.build, sys.executable, self._env)
        share_code(self.build)
        self._built_from.write_text(self._inputs())

    def deploy(self, emulator: Emulator, parameters: Mapping[str, str]) -> None:
        everything = {"PythonRuntime": OWN_RUNTIME, "Architecture": own_architecture(), **parameters}
        overrides = [f"{name}={value}" for name, value in everything.items()]
        profile = ["--config-file", str(PROJECT / "samconfig.toml"), "--config-env", "local"]
        template = ["--template-file", str(self.build / "template.yaml")]
        command = [str(SAM), "deploy", *profile, *template, "--parameter-overrides", *overrides]
        env = {
            **self._env,
            "AWS_ENDPOINT_URL": emulator.url,
            "AWS_CA_BUNDLE": str(emulator.ca_bundle),
            "AWS_ACCESS_KEY_ID": "test",
            "AWS_SECRET_ACCESS_KEY": "test",
            "AWS_DEFAULT_REGION": REGION,
            "SAM_CLI_POLL_DELAY": "0.2",  # seconds; the default suits AWS
            "NO_PROXY": "127.0.0.1",
        }
        with Process("sam deploy", command, log=self._logs / "deploy.log", env=env, cwd=PROJECT) as process:
            process.finish(DEPLOY_TIMEOUT_S)

    def _inputs(self) -> str:
        files = (path for path in (PROJECT / "functions").rglob("*") if path.parent.name != "__pycache__")
        functions = [path for path in files if path.is_file()]
        return f"{OWN_RUNTIME} {digest_of([*functions, *(PROJECT / name for name in INPUTS)], PROJECT)}\n"
