"""What is deployed: small, with byte code of its own runtime, and nothing that is not needed."""

import importlib.util
import os
import subprocess
import sys
import zipfile
from collections.abc import Callable
from pathlib import Path

import yaml

from local import release
from local.package import MIB, PROJECT, zipped_size
from local.stack import LocalStack
from tests.template.parsed import RESOURCES, load

UNWANTED = ("boto3", "botocore", "pydantic", "aws_xray_sdk", "awscrt", "tests", "local", "operate")
FUNCTIONS = ("archive_now", "archive_queued", "queue_records", "receive_webhook", "refresh_token")


def packages(running: LocalStack) -> list[Path]:
    return [folder for folder in running.build.iterdir() if folder.is_dir()]


def test_the_package_is_small_and_holds_only_what_is_needed(running: LocalStack, figure: Callable[[str], None]) -> None:
    """At most 3 MB zipped, byte code included; no boto3 (the runtime has it), no tests."""
    for folder in packages(running):
        size_bytes = zipped_size(folder)
        figure(f"package: {size_bytes / MIB:.1f} MiB zipped, byte code included")

        assert size_bytes <= 3_000_000
        assert [] == [name for name in UNWANTED if (folder / name).exists() or (folder / f"{name}.py").exists()]
        assert all((folder / f"{name}.py").exists() for name in FUNCTIONS)


def test_a_release_holds_a_template_that_needs_no_tool(running: LocalStack, tmp_path: Path) -> None:
    """CloudFormation's console can read the template (no anchors). Code and command line lie beside it."""
    build, bill, dist = tmp_path / "build", tmp_path / "bill.json", tmp_path / "dist"
    build.mkdir()
    bill.write_text("{}")
    for folder in packages(running):
        (build / folder.name).symlink_to(folder)
    built = (running.build / "template.yaml").read_text()
    # As SAM left it: the local stack has the code of all functions uploaded as one zip.
    (build / "template.yaml").write_text(built.replace("Function.zip", "Function"))

    version = release.version()
    made = release.release(f"v{version}", build, bill, dist, f"## {version}\n\n- new\n")

    with zipfile.ZipFile(next(path for path in made if path.suffix == ".zip")) as archive:
        template, files = Path(archive.extract("template.yaml", tmp_path)), set(archive.namelist())
    events = yaml.parse(template.read_text(), Loader=yaml.SafeLoader)
    assert [] == [event for event in events if getattr(event, "anchor", None)]
    resources = load(template)["Resources"]
    assert set(RESOURCES) == set(resources)
    functions = [each["Properties"] for each in resources.values() if each["Type"] == "AWS::Serverless::Function"]
    entries = [f"{each['CodeUri']}/{each['Handler'].partition('.')[0]}.py" for each in functions]
    assert entries
    assert [] == [entry for entry in entries if entry not in files]
    # What "pipx install ." needs, too.
    command_line = {str(path.relative_to(PROJECT)) for path in (PROJECT / "operate").rglob("*.py")}
    assert {"pyproject.toml", "functions/bigin_archive/__init__.py"} | command_line <= files
    assert [] == [name for name in files if name.startswith("operate/") and "__pycache__" in name]


def test_every_module_has_byte_code_of_the_runtime(running: LocalStack) -> None:
    """Each module comes with byte code whose magic number is that of the interpreter that runs it, never stale."""
    for folder in packages(running):
        modules = list(folder.rglob("*.py"))
        assert modules
        for module in modules:
            compiled = Path(importlib.util.cache_from_source(str(module)))
            header = compiled.read_bytes()[:8]

            assert importlib.util.MAGIC_NUMBER == header[:4]
            assert 1 == int.from_bytes(header[4:8], "little")  # unchecked hash: time stamps do not count


def test_the_cold_start_imports_nothing_heavy(running: LocalStack) -> None:
    """No pydantic, no X-Ray, no CRT, no transfer manager is imported when a function starts."""
    script = "import sys, bigin_archive.wiring.sweep_account; print(*sorted(sys.modules))"
    folder = packages(running)[0]
    # boto3 comes from this interpreter's own packages, as it comes from the runtime in Lambda.
    environment = {**os.environ, "PYTHONPATH": str(folder)}
    loaded = subprocess.run(
        [sys.executable, "-c", script], env=environment, capture_output=True, text=True, check=True
    ).stdout.split()

    assert [] == [name for name in ("pydantic", "aws_xray_sdk", "awscrt", "asyncio", "pytest") if name in loaded]
