"""The layout of functions/: which module may import which, and what an import may not do."""

import ast
import os
import subprocess
import sys
from collections.abc import Iterator
from importlib.metadata import packages_distributions
from pathlib import Path

import pytest

FUNCTIONS = Path(__file__).parents[2] / "functions"
PACKAGE = FUNCTIONS / "bigin_archive"
HANDLERS = sorted(FUNCTIONS.glob("*.py"))
MODULES = sorted(PACKAGE.glob("*.py"))
SOURCES = [*HANDLERS, *MODULES]
MAX_LINES = 250

# Each module may import those before it, and no other.
ORDER = [
    "cold_start",
    "s3_requests",
    "aws_clients",
    "errors",
    "settings",
    "deadline",
    "archive_request",
    "file_names",
    "objects",
    "links",
    "listing",
    "classify",
    "brake",
    "transport",
    "body",
    "chunked_upload",
    "leases",
    "storage",
    "ledger",
    "credits",
    "access_token",
    "bigin",
    "account",
    "channels",
    "archive",
    "found_object",
    "differences",
    "known",
    "audit",
    "report",
    "report_page",
    "index",
    "inventory",
    "census",
    "auditor",
    "api",
    "webhook",
    "webhook_secret",
    "queue",
    "record_queue",
    "oauth",
    "token_refresher",
    "outcome",
    "books",
    "records",
    "budget",
    "sweep_state",
    "discovery",
    "sweep",
    "closing",
    "archive_or_queue",
    "webhook_receiver",
    "worker",
    "wiring",
]
PURE = [
    "errors",
    "settings",
    "deadline",
    "archive_request",
    "file_names",
    "objects",
    "links",
    "listing",
    "classify",
    "brake",
    "webhook",
    "api",
    "budget",
    "found_object",
    "differences",
    "known",
    "audit",
    "report",
    "report_page",
    "index",
]
# Third-party packages, and the only modules that may import them at run time.
USERS = {
    "boto3": {"aws_clients", "wiring"},
    "botocore": {
        "s3_requests",
        "aws_clients",
        "leases",
        "ledger",
        "inventory",
        "access_token",
        "storage",
        "queue",
        "token_refresher",
        "webhook_secret",
        "wiring",
    },
    "requests": {"transport", "bigin", "oauth", "token_refresher"},
    "urllib3": {"s3_requests", "transport", "storage", "oauth"},
    "aws_lambda_powertools": {"outcome", "wiring"},
}
WATCH = """
import os, sys
package, modules = sys.argv[1], sys.argv[2:]
sys.path.insert(0, os.path.dirname(package))

def watch_sockets(event, arguments):
    if event.startswith("socket."):
        raise RuntimeError("opens a socket: " + event)

class Environment(type(os.environ)):
    def __getitem__(self, name):
        frame = sys._getframe(1)
        while frame and frame.f_code.co_filename.startswith("<frozen"):
            frame = frame.f_back
        if frame and frame.f_code.co_filename.startswith(package):
            raise RuntimeError("reads the environment: " + name)
        return super().__getitem__(name)

sys.addaudithook(watch_sockets)
os.environ.__class__ = Environment
for module in modules:
    __import__(module)
"""


def imports(source: Path) -> Iterator[str]:
    """Full names of what a module imports at run time: ``bigin_archive.errors``, ``os``."""
    tree = ast.parse(source.read_text(encoding="utf-8"))
    typing_only = {
        id(inner)
        for node in ast.walk(tree)
        if isinstance(node, ast.If) and ast.unparse(node.test) == "TYPE_CHECKING"
        for statement in node.body
        for inner in ast.walk(statement)
    }
    for node in ast.walk(tree):
        if id(node) in typing_only:
            continue
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            assert node.level == 0, f"{source.name} has a relative import"
            assert node.module is not None
            if node.module == "bigin_archive":
                yield from (f"bigin_archive.{alias.name}" for alias in node.names)
            else:
                yield node.module


def siblings(source: Path) -> set[str]:
    """Modules of the package that a module imports."""
    names = {name.split(".")[1] for name in imports(source) if name.startswith("bigin_archive.")}
    return names - {"__version__"}


def names(paths: list[Path]) -> list[str]:
    return [path.stem for path in paths]


def test_every_module_has_its_place() -> None:
    """A new module is put into the order of imports on purpose."""
    assert sorted(["__init__", *ORDER]) == names(MODULES)


@pytest.mark.parametrize("source", MODULES, ids=names(MODULES))
def test_imports_go_one_way(source: Path) -> None:
    """A module imports only modules that stand before it."""
    allowed = ORDER[: ORDER.index(source.stem)] if source.stem in ORDER else []

    assert siblings(source) <= set(allowed)


@pytest.mark.parametrize("name", PURE)
def test_pure_module_loads_no_library(name: str) -> None:
    """What takes and returns values can be imported where no library is installed."""
    code = "import sys; sys.path.insert(0, sys.argv[1]); __import__(sys.argv[2])"
    run = subprocess.run(
        [sys.executable, "-I", "-S", "-c", code, str(FUNCTIONS), f"bigin_archive.{name}"],
        capture_output=True,
        text=True,
        check=False,
    )

    assert run.returncode == 0, run.stderr.splitlines()[-1]


@pytest.mark.parametrize("source", MODULES, ids=names(MODULES))
def test_libraries_stay_in_their_places(source: Path) -> None:
    """Each library is used by the few modules that are named for it."""
    roots = {name.split(".")[0] for name in imports(source)} - set(sys.stdlib_module_names) - {"bigin_archive"}
    allowed = {library for library, users in USERS.items() if source.stem in users}

    assert roots <= allowed


@pytest.mark.parametrize("source", HANDLERS, ids=names(HANDLERS))
def test_handler_imports_only_the_package(source: Path) -> None:
    """A handler translates between Lambda and the package, and knows nothing else."""
    others = {name for name in imports(source) if not name.startswith("bigin_archive.")}

    assert others <= {"os", "typing", "functools", "contextlib", "dataclasses"}


@pytest.mark.parametrize("source", SOURCES, ids=names(SOURCES))
def test_package_stands_alone(source: Path) -> None:
    """Nothing that is deployed imports what is only for this machine."""
    roots = {name.split(".")[0] for name in imports(source)}

    assert not roots & {"local", "operate", "tests"}


def test_root_names_hide_no_other_module() -> None:
    """Lambda puts functions/ first in the path: no name there may hide a module of Python or of a package."""
    roots = {path.stem if path.suffix == ".py" else path.name for path in FUNCTIONS.iterdir()} - {"__pycache__"}

    assert not roots & (set(sys.stdlib_module_names) | set(packages_distributions()))


@pytest.mark.parametrize("name", ORDER)
def test_import_has_no_effect(name: str) -> None:
    """Importing a module of the package reads no environment and opens no socket."""
    environment = {"PATH": os.environ["PATH"]}
    run = subprocess.run(
        [sys.executable, "-P", "-c", WATCH, str(PACKAGE), f"bigin_archive.{name}"],
        env=environment,
        capture_output=True,
        text=True,
        check=False,
    )

    assert run.returncode == 0, run.stderr.splitlines()[-1]


@pytest.mark.parametrize("source", MODULES, ids=names(MODULES))
def test_environment_is_read_by_handlers_alone(source: Path) -> None:
    """The package gets the environment passed in."""
    assert not {"os", "dotenv"} & set(imports(source))


NEVER_SLEEPING = [source for source in SOURCES if source.stem != "leases"]


@pytest.mark.parametrize("source", NEVER_SLEEPING, ids=names(NEVER_SLEEPING))
def test_nothing_sleeps(source: Path) -> None:
    """Waiting is the queue's task; only a caller of the API, who waits anyway, waits for a lease."""
    tree = ast.parse(source.read_text(encoding="utf-8"))
    called = {node.attr for node in ast.walk(tree) if isinstance(node, ast.Attribute)}
    imported = {alias.name for node in ast.walk(tree) if isinstance(node, ast.ImportFrom) for alias in node.names}

    assert "sleep" not in called | imported


@pytest.mark.parametrize("source", SOURCES, ids=names(SOURCES))
def test_module_is_short_and_says_what_it_is(source: Path) -> None:
    """Every module begins with its purpose and can be read in one sitting."""
    text = source.read_text(encoding="utf-8")

    assert ast.get_docstring(ast.parse(text))
    assert len(text.splitlines()) <= MAX_LINES
