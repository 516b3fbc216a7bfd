"""All tests on every Python that the template offers and this machine has, and on the oldest boto3 that is claimed.

Each gets a virtual environment of its own in ``.venv/matrix-*``. Versions that are missing here run in the workflow.
"""

import os
import shutil
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

VERSIONS = ("3.11", "3.12", "3.13", "3.14")
REQUIREMENTS, LOWEST = "requirements-dev.txt", "tests/requirements-lowest.txt"
TESTS = ("-m", "pytest", "-q", "-n", "4", "--dist", "loadfile")


def interpreters() -> Iterator[tuple[str, str | None]]:
    """Each version, and its interpreter, on the path or among pyenv's; None where there is none that starts."""
    pyenv = Path(os.environ.get("PYENV_ROOT", Path.home() / ".pyenv")) / "versions"
    for version in VERSIONS:
        name = f"python{version}"
        candidates = [shutil.which(name), *(str(found) for found in sorted(pyenv.glob(f"{version}.*/bin/{name}")))]
        yield version, next((found for found in candidates if found and _starts(found)), None)


def _starts(python: str) -> bool:
    # Version managers install a command for each version, which fails if the version is not selected.
    return subprocess.run([python, "-c", ""], capture_output=True, check=False).returncode == 0


def _prepared(name: str, python: str, more: tuple[str, ...] = ()) -> bool:
    made = subprocess.run([python, "-m", "local.virtual_environments", name, REQUIREMENTS], check=False).returncode == 0
    pip = [f".venv/{name}/bin/python", "-m", "pip", "install", "-q", "--disable-pip-version-check"]
    return made and all(subprocess.run([*pip, "-r", file], check=False).returncode == 0 for file in more)


def main(arguments: list[str]) -> int:
    """Run; ``arguments`` go to pytest. The status is 1 if anything failed."""
    results = []
    newest = sys.executable
    for version, python in interpreters():
        if python is None:
            results.append((f"Python {version}", "not on this machine"))
            continue
        newest = python
        name = f"matrix-{version}"
        passed = _prepared(name, python) and _passes(name, arguments)
        results.append((f"Python {version}", "passed" if passed else "FAILED"))
    passed = _prepared("matrix-lowest", newest, (LOWEST,)) and _passes("matrix-lowest", arguments)
    results.append(("the oldest boto3", "passed" if passed else "FAILED"))
    for what, outcome in results:
        print(f"{what}: {outcome}")
    return int(any(outcome == "FAILED" for _, outcome in results))


def _passes(name: str, arguments: list[str]) -> bool:
    return subprocess.run([f".venv/{name}/bin/python", *TESTS, *arguments], check=False).returncode == 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
