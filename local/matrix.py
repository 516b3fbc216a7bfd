"""All tests on every Python that the template offers and this machine has, and on the oldest boto3 that is claimed.

Each gets a virtual environment of its own in ``.venv/matrix-*``; what is missing here is left to the workflow.
"""

import shutil
import subprocess
import sys
from collections.abc import Iterator

VERSIONS = ("3.11", "3.12", "3.13", "3.14")
REQUIREMENTS, LOWEST = "requirements-dev.txt", "tests/requirements-lowest.txt"
TESTS = ("-m", "pytest", "-q", "-n", "2", "--dist", "loadfile")


def interpreters() -> Iterator[tuple[str, str | None]]:
    """Each version, and its interpreter; None where there is none that starts."""
    for version in VERSIONS:
        found = shutil.which(f"python{version}")
        starts = found and subprocess.run([found, "-c", ""], capture_output=True, check=False).returncode == 0
        yield version, found if starts else None


def _prepared(name: str, python: str, more: tuple[str, ...] = ()) -> bool:
    made = subprocess.run([python, "-m", "local.virtual_environments", name, REQUIREMENTS], check=False).returncode == 0
    pip = [f".venv/{name}/bin/python", "-m", "pip", "install", "-q", "--disable-pip-version-check"]
    return made and all(subprocess.run([*pip, "-r", file], check=False).returncode == 0 for file in more)


def main(arguments: list[str]) -> int:
    """Run; ``arguments`` go to pytest. The status is 1 if anything failed."""
    told = []
    newest = sys.executable
    for version, python in interpreters():
        if python is None:
            told.append((f"Python {version}", "not on this machine"))
            continue
        newest = python
        name = f"matrix-{version}"
        passed = _prepared(name, python) and _passes(name, arguments)
        told.append((f"Python {version}", "passed" if passed else "FAILED"))
    passed = _prepared("matrix-lowest", newest, (LOWEST,)) and _passes("matrix-lowest", arguments)
    told.append(("the oldest boto3", "passed" if passed else "FAILED"))
    for what, outcome in told:
        print(f"{what}: {outcome}")
    return int(any(outcome == "FAILED" for _, outcome in told))


def _passes(name: str, arguments: list[str]) -> bool:
    return subprocess.run([f".venv/{name}/bin/python", *TESTS, *arguments], check=False).returncode == 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
