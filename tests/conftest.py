"""Servers for the tests: the Bigin simulator and the AWS emulator, each one process for the whole run."""

import functools
import gc
import logging
from collections.abc import Callable, Iterator
from pathlib import Path

import botocore.hooks
import botocore.loaders
import pytest
from xdist.remote import Producer
from xdist.scheduler import LoadScopeScheduling

from local.emulator import Emulator
from tests.aws import Aws
from tests.bigin import Simulator
from tests.in_memory import AwsInMemory, bigin_in_memory

# A function makes its session once for each start, a run of the tests some thousand times in one process. What botocore
# reads and works out for each is the same each time: its data files (megabytes of JSON), the names of all services (400
# folders are searched) and those of events.
_load_file = functools.cache(botocore.loaders.JSONFileLoader().load_file)
botocore.loaders.JSONFileLoader.load_file = lambda _, path: _load_file(path)
_services = functools.cache(botocore.loaders.create_loader().list_available_services)
botocore.loaders.Loader.list_available_services = lambda _, type_name: _services(type_name)
_event = functools.cache(botocore.hooks.EventAliaser(botocore.hooks.HierarchicalEmitter())._alias_event_name)
botocore.hooks.EventAliaser._alias_event_name = lambda _, name: _event(name)


def pytest_addoption(parser: pytest.Parser) -> None:
    parser.addoption("--emulator", action="store_true", help="the tests marked in_memory run on the emulator instead")


def pytest_collection_finish() -> None:
    """What is loaded by now stays: the garbage collector need not look through it again and again."""
    gc.collect()
    gc.freeze()


@pytest.fixture(scope="session")
def simulator() -> Iterator[Simulator]:
    running = Simulator.start()
    yield running
    running.stop()


@pytest.fixture
def in_memory(request: pytest.FixtureRequest) -> bool:
    """Whether this test has its servers in this process."""
    marks = {mark.name for mark in request.node.iter_markers()}
    return "in_memory" in marks and "processes" not in marks and not request.config.getoption("--emulator")


@pytest.fixture
def bigin(request: pytest.FixtureRequest, in_memory: bool) -> Iterator[Simulator]:
    """The simulator in its seeded state."""
    if in_memory:
        with bigin_in_memory() as made:
            yield made
        return
    running: Simulator = request.getfixturevalue("simulator")
    running.reset()
    yield running


@pytest.fixture(scope="session")
def emulator(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Emulator]:
    directory: Path = tmp_path_factory.mktemp("emulator")
    running = Emulator.start(directory / "aws", directory / "emulator.log")
    with running.process:
        running.wait()
        yield running


@pytest.fixture
def aws(request: pytest.FixtureRequest, in_memory: bool, bigin: Simulator, monkeypatch: pytest.MonkeyPatch) -> Aws:
    """A bucket, queues, tables and secrets of this test's own; the environment of a function that uses them."""
    # Powertools keeps a logger's handler, and with it the output of the test that made it.
    logging.root.manager.loggerDict.pop("bigin-archive", None)
    made = AwsInMemory(bigin) if in_memory else Aws(request.getfixturevalue("emulator"), bigin.url)
    for name in ("AWS_PROFILE", "AWS_CONFIG_FILE", "AWS_SESSION_TOKEN"):
        monkeypatch.delenv(name, raising=False)
    for name, value in made.environment.items():
        monkeypatch.setenv(name, value)
    return made


@pytest.fixture
def figure(record_property: Callable[[str, object], None]) -> Callable[[str], None]:
    """Notes a measured figure, which the summary of the run prints."""
    return lambda text: record_property("figure", text)


# The longest first: what begins late and takes long would leave the other workers without work at the end.
HISTORIES = "tests/unit/test_histories.py"
LONGEST = (
    "running",
    "tests/functional/test_faults.py",
    "watching",
    "tests/functional/test_archive_path.py",
    "tests/browser/test_console_page.py",
    "tests/functional/test_event_figures.py",
    "tests/functional/test_sweep.py",
)


def _scope(nodeid: str) -> str:
    """Its file; or the deployed stack that several files share, and which takes long to make; a history is alone."""
    file = nodeid.partition("::")[0]
    if file == HISTORIES:
        return nodeid
    if not file.startswith("tests/integration/"):
        return file
    return "watching" if Path(file).stem in ("test_account", "test_events") else "running"


@pytest.hookimpl(trylast=True)
def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Stable, so that within a stack and a file everything stays as it is written."""
    place = {scope: number for number, scope in enumerate(LONGEST)}
    # Histories come last: each is short, so that the workers end at the same time.
    items.sort(key=lambda item: (item.nodeid.startswith(HISTORIES), place.get(_scope(item.nodeid), len(place))))


class _ByStack(LoadScopeScheduling):
    """Each scope goes to one worker, in the order of collection."""

    def __init__(self, config: pytest.Config, log: Producer) -> None:
        config.option.loadscopereorder = False  # would begin with the most tests, which are the shortest
        super().__init__(config, log)

    def _split_scope(self, nodeid: str) -> str:
        return _scope(nodeid)


@pytest.hookimpl(optionalhook=True)
def pytest_xdist_make_scheduler(config: pytest.Config, log: Producer) -> _ByStack:
    return _ByStack(config, log)


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> None:
    """Print the figures that tests have measured."""
    reports = [report for found in terminalreporter.stats.values() for report in found]
    figures = {
        str(text): None
        for report in reports
        for name, text in getattr(report, "user_properties", ())
        if name == "figure"
    }
    if figures:
        terminalreporter.section("figures")
        for text in figures:
            terminalreporter.write_line(text)
