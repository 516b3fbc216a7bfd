"""The real template, built and deployed by SAM on the AWS emulator with IAM enforced; once for the whole run."""

from collections.abc import Iterator

import pytest

from local.stack import LocalStack
from tests.bigin import Simulator
from tests.deployed import Deployed


@pytest.fixture(scope="session")
def running(tmp_path_factory: pytest.TempPathFactory) -> Iterator[LocalStack]:
    with LocalStack(tmp_path_factory.mktemp("stack")) as stack:
        yield stack


@pytest.fixture
def deployed(running: LocalStack) -> Deployed:
    """The deployed application; its Bigin simulator in the seeded state, its queues empty."""
    made = Deployed(running, Simulator(running.description["bigin_api_url"]))
    made.bigin.reset()
    made.connect()
    return made
