"""The real template, built and deployed by SAM on the AWS emulator with IAM enforced; one stack for most tests."""

import fcntl
import os
from collections.abc import Iterator
from pathlib import Path

import pytest

from local.deployment import Deployment
from local.stack import LocalStack
from tests.bigin import Simulator
from tests.deployed import Deployed

WATCHED = ("Contacts", "Pipelines")


@pytest.fixture(scope="session")
def package(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The functions, built once for the stacks of all workers."""
    base = tmp_path_factory.getbasetemp()
    directory = (base.parent if "PYTEST_XDIST_WORKER" in os.environ else base) / "package"
    directory.mkdir(exist_ok=True)
    deployment = Deployment(directory, directory)
    with (directory / "lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        if build := deployment.start_build():
            with build:
                deployment.finish_build(build)
    return directory


@pytest.fixture(scope="session")
def running(tmp_path_factory: pytest.TempPathFactory, package: Path) -> Iterator[LocalStack]:
    with LocalStack(tmp_path_factory.mktemp("stack"), package=package) as stack:
        yield stack


@pytest.fixture(scope="session")
def watching(tmp_path_factory: pytest.TempPathFactory, package: Path) -> Iterator[LocalStack]:
    """A second stack, which watches modules; nothing is archived there but by its own tests."""
    parameters = {"WatchModules": ",".join(WATCHED)}
    with LocalStack(tmp_path_factory.mktemp("watching"), parameters=parameters, package=package) as stack:
        yield stack


@pytest.fixture
def deployed(running: LocalStack) -> Deployed:
    """The deployed application; its Bigin simulator in the seeded state, its queues empty."""
    made = Deployed(running, Simulator(running.description["bigin_api_url"]))
    made.bigin.reset()
    made.connect()
    return made
