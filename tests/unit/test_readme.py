"""The README tells what the code does: tables, links, parameters."""

import os
import re
import subprocess
import sys
from pathlib import Path

import pytest
import yaml

from bigin_archive import errors
from bigin_archive.audit.comparison import EXIT_STATUS
from bigin_archive.audit.difference_kinds import Kind
from bigin_archive.settings import DATA_CENTERS
from operate.connect.scopes import markdown_table

PROJECT = Path(__file__).parents[2]
README = (PROJECT / "README.md").read_text(encoding="utf-8")
PARAMETERS = re.search(r"^## Parameters\n\n(\|.*?)\n\n", README, re.MULTILINE | re.DOTALL)[1]  # type: ignore[index]


def all_errors(base: type[errors.ArchiveError] = errors.ArchiveError) -> list[type[errors.ArchiveError]]:
    return [found for child in base.__subclasses__() for found in [child, *all_errors(child)]]


def test_the_scopes_are_those_of_authorize() -> None:
    """The table to copy into Zoho's console is the one that authorize prints from."""
    assert markdown_table().strip() in README


def test_the_data_centres_are_those_of_the_code() -> None:
    """Every data centre stands in the README with both hosts."""
    for name, hosts in DATA_CENTERS.items():
        api, accounts = (url.removeprefix("https://") for url in (hosts.api_url, hosts.accounts_url))

        assert f"| `{name}` | `{api}` | `{accounts}` |" in README


@pytest.mark.parametrize("error", [found for found in all_errors() if "code" in vars(found)], ids=lambda e: e.code)
def test_every_error_is_explained(error: type[errors.ArchiveError]) -> None:
    """Each code stands in the table with its HTTP status."""
    assert f"| `{error.code}` | {error.status} |" in README


@pytest.mark.parametrize("kind", Kind, ids=lambda kind: kind.code)
def test_every_difference_is_explained(kind: Kind) -> None:
    """Each kind of difference stands in the table, with what a repair does about it."""
    (row,) = [line for line in README.splitlines() if line.startswith("|") and f"`{kind.code}`" in line.split("|")[1]]

    assert (row.split("|")[3].strip() == "–") == (kind.repaired is None)


@pytest.mark.parametrize(("verdict", "status"), EXIT_STATUS.items())
def test_every_verdict_is_explained(verdict: str, status: int) -> None:
    """With its exit status."""
    assert f"| `{verdict}` | {status} |" in README


def test_every_parameter_is_explained() -> None:
    """Each parameter of the template stands in the README's table, with its default."""

    class Loader(yaml.SafeLoader):
        """Reads the template without understanding CloudFormation's tags."""

    Loader.add_multi_constructor("!", lambda loader, suffix, node: None)
    template = yaml.load((PROJECT / "template.yaml").read_text(encoding="utf-8"), Loader)
    for name, parameter in template["Parameters"].items():
        default = parameter["Default"]
        rows = [line for line in PARAMETERS.splitlines() if f"`{name}`" in line.split("|")[1]]

        assert 1 == len(rows), name
        assert (f"`{default}`" if default != "" else "empty") in rows[0], name


def test_the_programs_that_print_figures_can_be_started() -> None:
    """Each ``python -m tests…`` of the README imports from the project's root alone, with nothing set beside it."""
    modules = sorted(set(re.findall(r"python -m (tests[a-z_.]+)", README)))

    for module in modules:
        command = [sys.executable, "-c", f"import {module}"]
        subprocess.run(command, cwd=PROJECT, env={"PATH": os.environ["PATH"]}, check=True)

    assert len(modules) >= 4
