"""The layout of the code: which package may import which, and what an import may not do."""

import ast
import os
import re
import subprocess
import sys
from collections.abc import Iterator
from importlib.metadata import packages_distributions
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
FUNCTIONS = ROOT / "functions"
PACKAGE = FUNCTIONS / "bigin_archive"
OPERATE = ROOT / "operate"
HANDLERS = sorted(FUNCTIONS.glob("*.py"))
MODULES = sorted(PACKAGE.rglob("*.py"))
SOURCES = [*HANDLERS, *MODULES]
OPERATE_SOURCES = sorted(OPERATE.rglob("*.py"))
MAX_LINES = 250
MAX_MODULES = 12  # of a package; commands have one file each

# A package, or a module of the root, may import those of the levels before its own, and itself.
LEVELS = (
    {
        "errors",
        "http_errors",
        "settings",
        "deadline",
        "archive_request",
        "clock",
        "request_outcome",
        "cold_start",
        "disk",
        "network",
    },
    {"aws", "search", "page"},
    {"token"},
    {"bigin", "queueing"},
    {"storage"},
    {"ledger", "telemetry"},
    {"archiving", "audit", "events"},
    {"api", "sweep"},
    {"callers", "console"},
    {"wiring"},
)
OPERATE_LEVELS = (
    {"errors", "terminal", "local_files"},
    {"stack", "findings"},
    {"announce", "audit", "callers", "connect", "console", "find", "pause", "redrive", "sweep", "watch"},
    {"restore", "selftest"},
    {"doctor", "probe"},
    {"fleet"},
    {"commands"},
    {"cli"},
    {"__main__"},
)
# Third-party packages, and who may import them at run time.
USERS = {
    "boto3": {"aws", "wiring"},
    "botocore": {"aws", "token", "storage", "api", "console", "wiring"},
    "certifi": {"aws"},
    "requests": {"network", "token", "bigin"},
    "urllib3": {"network", "token"},
    "aws_lambda_powertools": {"telemetry"},
}
# Modules that take and return values: they load where no library is installed.
PURE = (
    "errors",
    "http_errors",
    "settings",
    "deadline",
    "archive_request",
    "clock",
    "request_outcome",
    "bigin.listing",
    "bigin.found_attachment",
    "bigin.classify",
    "bigin.credit_meter",
    "storage.file_names",
    "storage.object_attributes",
    "storage.link_shortcut",
    "storage.archived_object",
    "archiving.circuit_breaker",
    "api.gateway",
    "api.webhook_request",
    "sweep.credit_budget",
    "audit.difference_kinds",
    "audit.attachment_view",
    "audit.comparison",
    "audit.report_json",
    "audit.report_html",
    "audit.manifest",
    "audit.search_files",
    "disk.row_file",
    "disk.sorted_rows",
    "disk.part_file",
    "search.folding",
    "search.query",
    "search.search_index",
    "search.kept_index",
    "search.search_row",
    "page.files",
    "page.find_page",
    "callers.caller",
    "callers.caller_key",
    "callers.download_link",
    "events.attachment_event",
    "events.stored_version",
    "console.answers",
    "console.search_request",
)
# Each module named, imported one after the other; what one does that it may not is told with its name.
WATCH = """
import os, sys
package, modules = sys.argv[1], sys.argv[2:]
sys.path.insert(0, os.path.dirname(package))
importing = ""

def watch_sockets(event, arguments):
    if event.startswith("socket."):
        raise RuntimeError(importing + " opens a socket: " + event)

class Environment(type(os.environ)):
    def __getitem__(self, name):
        frame = sys._getframe(1)
        while frame and frame.f_code.co_filename.startswith("<frozen"):
            frame = frame.f_back
        if frame and frame.f_code.co_filename.startswith(package):
            raise RuntimeError(importing + " reads the environment: " + name)
        return super().__getitem__(name)

sys.addaudithook(watch_sockets)
os.environ.__class__ = Environment
for importing in modules:
    __import__(importing)
print(len(modules))
"""


def imports(source: Path) -> Iterator[str]:
    """Full names of what a module imports at run time: ``bigin_archive.errors.ArchiveError``, ``os``."""
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
            within = ".".join(source.relative_to(ROOT).parts[: -node.level]) if node.level else ""
            module = ".".join(part for part in (within, node.module) if part)
            yield from (f"{module}.{alias.name}" for alias in node.names)


def rooms(source: Path, package: str) -> set[str]:
    """The packages, and modules of the root, that a module imports of ``package``."""
    names = {name.split(".")[1] for name in imports(source) if name.startswith(f"{package}.")}
    return names - {"__version__"}


def room(source: Path, root: Path) -> str:
    """The package of a module, or itself where it lies in the root."""
    return source.relative_to(root).with_suffix("").parts[0]


def name(source: Path) -> str:
    """The dotted name below functions/ or the project's root."""
    base = FUNCTIONS if source.is_relative_to(FUNCTIONS) else ROOT
    return ".".join(source.relative_to(base).with_suffix("").parts)


def upwards(sources: list[Path], root: Path, levels: tuple[set[str], ...]) -> Iterator[str]:
    """What is imported from the same level or from above."""
    level = {each: number for number, names in enumerate(levels) for each in names}
    for source in sources:
        own = room(source, root)
        if own == "__init__":
            continue
        for other in rooms(source, root.name) - {own}:
            # Modules of the root's lowest level are values that may be made of each other.
            if level[other] >= level[own] > 0:
                yield f"{name(source)} imports {other}"


def test_every_package_has_its_place() -> None:
    """A new package needs a level in the order of imports."""
    assert {room(source, PACKAGE) for source in MODULES} - {"__init__"} == set().union(*LEVELS)
    assert {room(source, OPERATE) for source in OPERATE_SOURCES} - {"__init__"} == set().union(*OPERATE_LEVELS)
    assert len(LEVELS) <= 10


def test_imports_between_packages_go_one_way() -> None:
    """A package imports only packages of lower levels."""
    assert not [
        *upwards(MODULES, PACKAGE, LEVELS),
        *upwards(OPERATE_SOURCES, OPERATE, OPERATE_LEVELS),
    ]


@pytest.mark.parametrize(
    ("sources", "base"), [(MODULES, FUNCTIONS), (OPERATE_SOURCES, ROOT)], ids=["package", "operate"]
)
def test_no_import_leads_back(sources: list[Path], base: Path) -> None:
    """Modules form no circle, inside a package either."""
    known = {name(source): source for source in sources}
    needs = {
        each: {part for full in imports(source) for part in (full, full.rpartition(".")[0]) if part in known} - {each}
        for each, source in known.items()
    }
    while free := [each for each, others in needs.items() if not others]:
        needs = {each: others - set(free) for each, others in needs.items() if others}

    assert not needs


def test_pure_modules_load_no_library() -> None:
    """What takes and returns values can be imported where no library is installed."""
    run = subprocess.run(
        [sys.executable, "-I", "-S", "-c", WATCH, str(PACKAGE), *(f"bigin_archive.{each}" for each in PURE)],
        capture_output=True,
        text=True,
        check=False,
    )

    assert (run.stdout, run.stderr) == (f"{len(PURE)}\n", "")


def test_import_has_no_effect() -> None:
    """Importing a module of the package reads no environment and opens no socket."""
    named = [name(source) for source in MODULES if source.stem not in ("__init__", "cold_start")]
    run = subprocess.run(
        [sys.executable, "-P", "-c", WATCH, str(PACKAGE), *named],
        env={"PATH": os.environ["PATH"]},
        capture_output=True,
        text=True,
        check=False,
    )

    assert (run.stdout, run.stderr) == (f"{len(named)}\n", "")


def test_libraries_stay_in_their_places() -> None:
    """Each library is used by the few packages that are named for it."""
    ours = set(sys.stdlib_module_names) | {"bigin_archive"}
    used = {
        (room(source, PACKAGE), full.split(".")[0])
        for source in MODULES
        for full in imports(source)
        if full.split(".")[0] not in ours
    }

    assert used
    assert not {(where, library) for where, library in used if where not in USERS.get(library, set())}


@pytest.mark.parametrize("source", HANDLERS, ids=name)
def test_handler_imports_only_the_package(source: Path) -> None:
    """A handler translates between Lambda and the package, and knows nothing else."""
    others = {each.split(".")[0] for each in imports(source) if not each.startswith("bigin_archive.")}

    assert others <= {"os", "typing", "functools", "contextlib", "dataclasses"}


def test_what_is_deployed_stands_alone() -> None:
    """Nothing that is deployed imports what is only for this machine; the local stack knows nothing of the others."""
    assert not [
        name(source)
        for source in SOURCES
        if any(
            isinstance(node, ast.ImportFrom) and node.level
            for node in ast.walk(ast.parse(source.read_text(encoding="utf-8")))
        )
    ]
    deployed = {each.split(".")[0] for source in SOURCES for each in imports(source)}
    local = {each.split(".")[0] for source in (ROOT / "local").rglob("*.py") for each in imports(source)}

    assert not deployed & {"local", "operate", "tests"}
    assert not local & {"bigin_archive", "operate", "tests"}


def test_root_names_hide_no_other_module() -> None:
    """Lambda puts functions/ first in the path: no name there may hide a module of Python or of a package."""
    roots = {path.stem if path.suffix == ".py" else path.name for path in FUNCTIONS.iterdir()} - {"__pycache__"}

    assert not roots & (set(sys.stdlib_module_names) | set(packages_distributions()))


def test_environment_is_read_by_handlers_alone() -> None:
    """The package gets the environment passed in."""
    assert not [
        name(source) for source in MODULES if {"os", "dotenv"} & {each.split(".")[0] for each in imports(source)}
    ]


def test_nothing_sleeps() -> None:
    """Waiting happens in the queue. Only three places sleep: the API for the semaphore, the sweep for a busy table, and
    a second call to a service where nobody else would make it.
    """
    sleeping = {
        name(source)
        for source in SOURCES
        for node in ast.walk(ast.parse(source.read_text(encoding="utf-8")))
        if (isinstance(node, ast.Attribute) and node.attr == "sleep")
        or (isinstance(node, ast.ImportFrom) and "sleep" in {alias.name for alias in node.names})
    }

    assert sleeping == {
        "bigin_archive.aws.semaphore",
        "bigin_archive.aws.json_client",
        "bigin_archive.ledger.ledger",
    }


def test_every_package_says_what_it_is_for() -> None:
    """The ``__init__`` of a package tells its purpose, what it may import and where to start; it holds no code."""
    folders = [source for source in [*MODULES, *OPERATE_SOURCES] if source.stem == "__init__"]
    inner = [source for source in folders if source.parent not in (PACKAGE, OPERATE)]

    assert inner
    for source in inner:
        tree = ast.parse(source.read_text(encoding="utf-8"))
        text = ast.get_docstring(tree) or ""
        assert "may import" in text, name(source)
        assert "Start with" in text, name(source)
        assert len(tree.body) == 1, name(source)


def test_the_map_of_contributing_is_true() -> None:
    """It names every package once; each file of its walk from the queue to S3 exists, in seven packages at most."""
    text = (ROOT / "CONTRIBUTING.md").read_text(encoding="utf-8")
    named = re.findall(
        r"(?<![\w/.])([a-z_]+)/", text.partition("functions/bigin_archive/\n")[2].partition("operate/")[0]
    )
    walk = re.findall(
        r"`([a-z_]+(?:/[a-z_]+)?\.py)`", text.partition("One request, from the queue")[2].partition("## ")[0]
    )
    packages = {path.name for path in PACKAGE.iterdir() if (path / "__init__.py").is_file()}

    assert sorted(packages) == sorted(named)
    assert len(walk) >= 10
    assert all((PACKAGE / path).is_file() or (ROOT / path).is_file() for path in walk)
    assert len({path.partition("/")[0] for path in walk if "/" in path}) <= 7


def test_packages_and_modules_are_small() -> None:
    """A package has few modules, and a module has a docstring and at most 250 lines."""
    counts: dict[Path, int] = {}
    for source in [*MODULES, *OPERATE_SOURCES]:
        counts[source.parent] = counts.get(source.parent, 0) + (source.stem != "__init__")
    texts = {source: source.read_text(encoding="utf-8") for source in [*SOURCES, *OPERATE_SOURCES]}

    assert not {folder.name for folder, count in counts.items() if count > MAX_MODULES and folder.name != "commands"}
    assert not [name(source) for source, text in texts.items() if len(text.splitlines()) > MAX_LINES]
    assert not [name(source) for source, text in texts.items() if not ast.get_docstring(ast.parse(text))]
