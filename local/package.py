"""Builds the deployable package with `sam build` and adds byte code to it.

`sam build` leaves byte code out, and the functions' file system is read-only in Lambda, so that without this step every
cold start compiles each module again, which about doubles it.

As a program (`make build`) it builds for AWS; the local stack uses the same steps for this machine's processor.
"""

from __future__ import annotations

import argparse
import hashlib
import json
import os
import platform
import re
import shutil
import subprocess
import sys
import tempfile
import zipfile
from collections.abc import Iterable, Mapping
from pathlib import Path

from local.bill_of_materials import bill
from local.process import LocalStackError, Process

PROJECT = Path(__file__).resolve().parent.parent
SAM = PROJECT / ".venv" / "sam" / "bin" / "sam"
OWN_RUNTIME = f"python{sys.version_info.major}.{sys.version_info.minor}"
PREFERRED_RUNTIME = "python3.13"  # the template's default
SUPPORTED_RUNTIMES = ("python3.11", "python3.12", "python3.13", "python3.14")  # as in the template
DEFAULT_ARCHITECTURE = "arm64"  # the template's default
LAMBDA_TASK_ROOT = "/var/task"
REQUIREMENTS = PROJECT / "functions" / "requirements.txt"
# The platform tags of wheels that run on Lambda's Amazon Linux 2023 (glibc 2.34).
PLATFORMS = {
    "arm64": ("manylinux_2_28_aarch64", "manylinux2014_aarch64"),
    "x86_64": ("manylinux_2_28_x86_64", "manylinux2014_x86_64"),
}
BUILD_TIMEOUT_S = 600
USED_UTILITIES = ("jmespath_utils", "__pycache__")  # the utilities that Powertools' logging imports
WHEELS = PROJECT / ".aws-sam" / "wheels"
BILL = PROJECT / ".aws-sam" / "bom.cdx.json"
MIB = 1024 * 1024


def own_architecture() -> str:
    """This machine's processor in Lambda's words."""
    return "arm64" if platform.machine().lower() in ("arm64", "aarch64") else "x86_64"


def tool_environment(extra: Mapping[str, str]) -> dict[str, str]:
    """For SAM and the simulator: this environment without AWS accounts and secrets of Bigin, and with `extra`."""
    inherited = {key: value for key, value in os.environ.items() if not key.startswith(("AWS_", "BIGIN_", "SAM_CLI_"))}
    inherited.pop("VIRTUAL_ENV", None)
    return {
        **inherited,
        "PATH": f"{Path(sys.executable).parent}{os.pathsep}{inherited.get('PATH', os.defpath)}",
        "AWS_CONFIG_FILE": os.devnull,
        "AWS_SHARED_CREDENTIALS_FILE": os.devnull,
        "SAM_CLI_TELEMETRY": "0",
        "PIP_DISABLE_PIP_VERSION_CHECK": "1",
        **extra,
    }


def build_command(runtime: str, architecture: str, *options: str) -> list[str]:
    if not SAM.exists():
        raise LocalStackError(f"{SAM} is missing: start with make, which installs it.")
    parameters = [f"PythonRuntime={runtime}", f"Architecture={architecture}"]
    return [str(SAM), "build", *options, "--parameter-overrides", *parameters]


def fetch_wheels(wheels: Path, runtime: str, architecture: str, env: Mapping[str, str]) -> dict[str, str]:
    """Downloads what is packaged, for this machine and for Lambda's, each file checked by its pinned hash.

    Returns the variables that let `sam build` take from these alone: for a foreign processor it downloads by name, and
    would check no hash.
    """
    shutil.rmtree(wheels, ignore_errors=True)
    target = [option for name in PLATFORMS[architecture] for option in ("--platform", name)]
    version = ["--python-version", runtime.removeprefix("python"), "--implementation", "cp"]
    for options in ([], [*target, *version]):
        checked = ["--require-hashes", "--no-deps", "--only-binary=:all:", "-r", str(REQUIREMENTS), "-d", str(wheels)]
        run = subprocess.run(
            [runtime, "-m", "pip", "download", "-q", *checked, *options],
            env=dict(env), capture_output=True, text=True, check=False,
        )  # fmt: skip
        if run.returncode != 0:
            raise LocalStackError(f"The pinned packages cannot be downloaded:\n{run.stderr}")
    return {"PIP_NO_INDEX": "1", "PIP_FIND_LINKS": str(wheels)}


def remove_unused(build: Path) -> None:
    """Removes the parts of Powertools that no function imports: two thirds of the package."""
    for powertools in build.glob("*/aws_lambda_powertools"):
        shutil.rmtree(powertools / "event_handler", ignore_errors=True)
        for utility in (powertools / "utilities").iterdir():
            if utility.is_dir() and utility.name not in USED_UTILITIES:
                shutil.rmtree(utility)


def add_byte_code(build: Path, python: str, env: Mapping[str, str]) -> None:
    """Compiles each function's folder in `build` with `python`, which must be of the runtime's version.

    unchecked-hash: Lambda unpacks with its own time stamps, which must not make the byte code stale.
    The paths inside are Lambda's, so that a traceback there names the file that is there.
    """
    options = ["-q", "-j", "0", "--invalidation-mode", "unchecked-hash", "-p", LAMBDA_TASK_ROOT]
    compiled: dict[str, Path] = {}
    for folder in sorted(path for path in build.iterdir() if path.is_dir()):
        sources = _digest_of_sources(folder)
        if sources in compiled:  # the functions share their code, and so their byte code
            _copy_byte_code(compiled[sources], folder)
            continue
        run = subprocess.run(
            [python, "-m", "compileall", *options, "-s", str(folder), str(folder)],
            stdout=subprocess.PIPE, stderr=subprocess.STDOUT, env=dict(env), text=True, check=False,
        )  # fmt: skip
        if run.returncode != 0:
            raise LocalStackError(f"{python} cannot compile {folder}:\n{run.stdout}")
        compiled[sources] = folder


def share_code(build: Path) -> None:
    """Packs functions of the same code once: `sam deploy` takes a zip as it is, and would else make one for each."""
    template = build / "template.yaml"
    text = template.read_text(encoding="utf-8")
    packed: dict[str, str] = {}
    for folder in sorted(path for path in build.iterdir() if path.is_dir()):
        code = digest_of((path for path in folder.rglob("*") if path.is_file()), folder)
        if code not in packed:
            packed[code] = Path(shutil.make_archive(str(folder), "zip", folder)).name
        text = re.sub(rf"(?m)^(\s+CodeUri: ){re.escape(folder.name)}$", rf"\g<1>{packed[code]}", text)
    template.write_text(text, encoding="utf-8")


def digest_of(files: Iterable[Path], base: Path) -> str:
    """SHA-256 over the paths below ``base`` and the bytes of the files."""
    digest = hashlib.sha256()
    for file in sorted(files):
        content = file.read_bytes()
        digest.update(f"{file.relative_to(base)} {len(content)}\n".encode() + content)
    return digest.hexdigest()


def _digest_of_sources(folder: Path) -> str:
    return digest_of(folder.rglob("*.py"), folder)


def _copy_byte_code(source: Path, target: Path) -> None:
    for cache in source.rglob("__pycache__"):
        shutil.copytree(cache, target / cache.relative_to(source), dirs_exist_ok=True)


def find_python(runtime: str) -> dict[str, str] | None:
    """Finds what environment variables make the command `runtime` run with pip; None if nothing does.

    pyenv puts a command for every installed version on the PATH that refuses to run unless its version is selected.
    """
    wanted = runtime.removeprefix("python")
    selections = [
        f"{version}:{platform.python_version()}" for version in _pyenv_versions() if version.startswith(f"{wanted}.")
    ]
    candidates: list[dict[str, str]] = [{}, *({"PYENV_VERSION": selection} for selection in selections)]
    for extra in candidates:
        try:
            answer = subprocess.run(
                [runtime, "-m", "pip", "--version"], capture_output=True, check=False, env=tool_environment(extra)
            )
        except FileNotFoundError:
            return None
        if answer.returncode == 0:
            return extra
    return None


def _pyenv_versions() -> list[str]:
    pyenv = shutil.which("pyenv")
    if not pyenv:
        return []
    return subprocess.run([pyenv, "versions", "--bare"], capture_output=True, text=True, check=False).stdout.split()


def zipped_size(folder: Path) -> int:
    """The size in bytes that the folder has as the deployment package."""
    with tempfile.TemporaryFile() as file:
        with zipfile.ZipFile(file, "w", zipfile.ZIP_DEFLATED) as archive:
            for path in sorted(folder.rglob("*")):
                archive.write(path, path.relative_to(folder))
        return file.tell()


def main() -> int:
    parser = argparse.ArgumentParser(prog="python -m local.package", description="Builds the package for AWS.")
    parser.add_argument("--runtime", default="", help=f"default: {PREFERRED_RUNTIME} where it runs, else {OWN_RUNTIME}")
    parser.add_argument("--architecture", default=DEFAULT_ARCHITECTURE, choices=["arm64", "x86_64"])
    arguments = parser.parse_args()
    runtime = arguments.runtime or (PREFERRED_RUNTIME if find_python(PREFERRED_RUNTIME) is not None else OWN_RUNTIME)
    selection = find_python(runtime)
    if runtime not in SUPPORTED_RUNTIMES or selection is None:
        known = ", ".join(SUPPORTED_RUNTIMES)
        print(
            f"{runtime} does not run here (with pip). Install it, or say RUNTIME=... (one of {known}).", file=sys.stderr
        )
        return 2
    env = tool_environment(selection)
    print(f"Building for {runtime} on {arguments.architecture} ...", flush=True)
    build = PROJECT / ".aws-sam" / "build"
    logs = PROJECT / ".aws-sam" / "build.log"
    logs.parent.mkdir(exist_ok=True)
    try:
        command = build_command(runtime, arguments.architecture, "--region", "us-east-1")
        from_wheels = fetch_wheels(WHEELS, runtime, arguments.architecture, env)
        with Process("sam build", command, log=logs, env={**env, **from_wheels}, cwd=PROJECT) as process:
            process.finish(BUILD_TIMEOUT_S)
        remove_unused(build)
        add_byte_code(build, runtime, env)
        _write_bill(build, arguments.architecture)
    except (LocalStackError, ValueError) as error:
        print(error, file=sys.stderr)
        return 1
    _say_what_next(build, runtime, arguments.architecture)
    return 0


def _write_bill(build: Path, architecture: str) -> None:
    source = (PROJECT / "functions" / "bigin_archive" / "__init__.py").read_text(encoding="utf-8")
    version = source.partition('__version__ = "')[2].partition('"')[0]
    function = next(path for path in sorted(build.iterdir()) if path.is_dir())
    # Of a package with compiled parts there may be two wheels: this machine's, and Lambda's.
    wheels = [wheel for end in ("none-any.whl", *PLATFORMS[architecture]) for wheel in WHEELS.glob(f"*{end}*")]
    made_of = bill(function, version, REQUIREMENTS.read_text(encoding="utf-8"), wheels)
    BILL.write_text(json.dumps(made_of, indent=2) + "\n", encoding="utf-8")
    print(f"Made of {len(made_of['components'])} packages: {BILL.relative_to(PROJECT)} (CycloneDX).")


def _say_what_next(build: Path, runtime: str, architecture: str) -> None:
    function = next(path for path in sorted(build.iterdir()) if path.is_dir())
    print(f"Built {build.relative_to(PROJECT)}: {zipped_size(function) / MIB:.1f} MiB zipped, byte code included.")
    chosen = {"PythonRuntime": (runtime, PREFERRED_RUNTIME), "Architecture": (architecture, DEFAULT_ARCHITECTURE)}
    parameters = " ".join(f"{name}={value}" for name, (value, default) in chosen.items() if value != default)
    options = f" --parameter-overrides {parameters}" if parameters else ""
    print(f"Next: {SAM.relative_to(PROJECT)} deploy --guided{options}")


if __name__ == "__main__":
    sys.exit(main())
