"""The command line can be installed on its own, with the versions that the tests run with."""

import re
import tomllib
from pathlib import Path

ROOT = Path(__file__).parents[2]
PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))


def pins(*files: str) -> set[str]:
    text = "\n".join((ROOT / file).read_text(encoding="utf-8") for file in files)
    return set(re.findall(r"^([\w-]+==[\w.]+)", text, re.MULTILINE))


def test_what_is_installed_is_what_is_tested() -> None:
    """Each dependency has the version of the requirement files, and click and rich are among them."""
    dependencies = set(PROJECT["project"]["dependencies"])

    assert dependencies <= pins("requirements.txt", "operate/requirements.txt")
    assert pins("operate/requirements.txt") <= dependencies


def test_every_package_is_installed() -> None:
    """Every package has an ``__init__.py``; without one it would not be installed."""
    folders = {path.parent for base in ("functions/bigin_archive", "operate") for path in (ROOT / base).rglob("*.py")}

    assert [] == [str(folder) for folder in folders if not (folder / "__init__.py").is_file()]


def test_every_file_of_the_packages_is_installed() -> None:
    """Besides Python: the kinds of files that the packages read.

    Python writes its byte code under a passing name first, in the same folder: other tests may be doing that now.
    """
    patterns = PROJECT["tool"]["setuptools"]["package-data"]["*"]
    others = [
        path
        for base in ("functions/bigin_archive", "operate")
        for path in (ROOT / base).rglob("*.*")
        if path.suffix != ".py" and path.parent.name != "__pycache__" and path.name != "requirements.txt"
    ]

    assert others
    assert [path.name for path in others if not any(path.match(pattern) for pattern in patterns)] == []
