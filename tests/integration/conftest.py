"""The real template, built and deployed by SAM on the AWS emulator with IAM enforced; one stack for most tests."""

from collections.abc import Iterator

import pytest

from local.stack import LocalStack
from tests.bigin import Simulator
from tests.deployed import Deployed

WATCHED = ("Contacts", "Pipelines")


@pytest.fixture(scope="session")
def running(tmp_path_factory: pytest.TempPathFactory) -> Iterator[LocalStack]:
    with LocalStack(tmp_path_factory.mktemp("stack")) as stack:
        yield stack


@pytest.fixture(scope="session")
def watching(tmp_path_factory: pytest.TempPathFactory) -> Iterator[LocalStack]:
    """A second stack, which watches modules; nothing is archived there but by its own tests."""
    parameters = {"WatchModules": ",".join(WATCHED)}
    with LocalStack(tmp_path_factory.mktemp("watching"), parameters=parameters) as stack:
        yield stack


@pytest.fixture
def deployed(running: LocalStack) -> Deployed:
    """The deployed application; its Bigin simulator in the seeded state, its queues empty."""
    made = Deployed(running, Simulator(running.description["bigin_api_url"]))
    made.bigin.reset()
    made.connect()
    return made
