"""What each function loads when it starts: every module and every data file costs each cold start.

``python -m tests.unit.test_cold_start`` writes the lists anew, for a change that was made on purpose.
"""

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from tests.bench.environment import FUNCTION_ENVIRONMENT

FUNCTIONS = Path(__file__).parents[2] / "functions"
HANDLERS = sorted(path.stem for path in FUNCTIONS.glob("*.py"))
LISTS = Path(__file__).parents[1] / "vectors" / "cold_start.json"
# Not ours, and too heavy for a start: 309 ms for X-Ray, 195 ms for pydantic, 30 ms for CRT.
NEVER = {"pydantic", "aws_xray_sdk", "awscrt", "pytest", "asyncio"}
START = """
import importlib, sys
sys.path.insert(0, sys.argv[1])
opened = []
sys.addaudithook(lambda event, arguments: opened.append(str(arguments[0])) if event == "open" else None)
importlib.import_module(sys.argv[2])
print("packages", *sorted({name.partition(".")[0] for name in sys.modules} - set(sys.stdlib_module_names)))
ours = {name.partition("bigin_archive.")[2] for name in sys.modules if name.startswith("bigin_archive.")}
print("modules", *sorted(ours))
print("models", *sorted({path.split("/")[-3] for path in opened if "service-2" in path}))
"""


def start(handler: str) -> dict[str, list[str]]:
    """What a start loads: third-party packages, our modules, and the services whose model botocore reads."""
    run = subprocess.run(
        [sys.executable, "-c", START, str(FUNCTIONS), handler],
        env={**FUNCTION_ENVIRONMENT, "PATH": "", "AWS_LAMBDA_RUNTIME_API": "127.0.0.1:9"},
        capture_output=True,
        text=True,
        check=False,
    )
    assert run.returncode == 0, run.stderr
    loaded = {line.split()[0]: line.split()[1:] for line in run.stdout.splitlines()}
    # How an interpreter or a package is built shows in names such as these.
    unsteady = ("_", "pyexpat", "cython_runtime")
    packages = [name for name in loaded["packages"] if not name.startswith(unsteady) and not name.endswith("__mypyc")]
    return {**loaded, "packages": packages}


def known() -> dict[str, dict[str, list[str]]]:
    found: dict[str, dict[str, list[str]]] = json.loads(LISTS.read_text(encoding="utf-8"))
    return found


def test_every_handler_has_its_list() -> None:
    """A new function needs an entry in the list."""
    assert HANDLERS == sorted(known())


@pytest.mark.parametrize("handler", HANDLERS)
def test_a_start_loads_what_the_function_runs_and_nothing_else(handler: str) -> None:
    """Packages, modules of ours and service models are those of the list; nothing heavy is among them."""
    loaded = start(handler)

    assert loaded["modules"] == known()[handler]["modules"]
    # A version of Python may do without one of them.
    assert set(loaded["packages"]) <= set(known()[handler]["packages"])
    assert loaded["models"] == known()[handler]["models"]
    assert not set(loaded["packages"]) & NEVER


def test_a_function_that_only_queues_loads_no_http_client_and_no_metrics() -> None:
    """A function that only sends an SQS message loads neither requests nor Powertools, and nothing of Bigin or S3."""
    loaded = known()["queue_records"]

    assert not {"requests", "aws_lambda_powertools"} & set(loaded["packages"])
    assert not [name for name in loaded["modules"] if name.startswith(("bigin", "storage", "telemetry"))]


@pytest.mark.parametrize(
    "handler",
    ["archive_queued", "archive_now", "answer_caller", "authorize_caller", "receive_webhook", "queue_records"],
)
def test_where_somebody_waits_no_client_of_boto3_is_made(handler: str) -> None:
    """Its modules and models would be more than half of the start."""
    assert not known()[handler]["models"]
    assert not {"boto3", "s3transfer"} & set(known()[handler]["packages"])


def test_what_archives_knows_nothing_of_events_and_callers() -> None:
    """The worker loads nothing for events or callers: S3 itself announces what was stored."""
    for handler in ("archive_queued", "archive_now", "sweep_account"):
        assert not [name for name in known()[handler]["modules"] if name.startswith(("events", "callers"))]
        assert "events" not in known()[handler]["models"]


def test_no_command_imports_boto3_to_show_its_help() -> None:
    """It would be half of the time that a command takes to start. The first account imports it."""
    commands = [f"operate.commands.{path.stem}" for path in (FUNCTIONS.parent / "operate" / "commands").glob("*.py")]
    code = (
        "import importlib, sys; [importlib.import_module(each) for each in sys.argv[1:]]; print('boto3' in sys.modules)"
    )
    path = f"{FUNCTIONS.parent}{os.pathsep}{FUNCTIONS}"

    assert len(commands) > 20
    run = [sys.executable, "-c", code, *commands]
    assert b"False\n" == subprocess.run(run, env={"PYTHONPATH": path}, capture_output=True, check=True).stdout


if __name__ == "__main__":
    text = json.dumps({handler: start(handler) for handler in HANDLERS}, indent=1)
    LISTS.write_text(text + "\n", encoding="utf-8")
