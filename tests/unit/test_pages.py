"""The pages tell what the code does: tables, parameters, and a README that is read in three minutes."""

import os
import re
import subprocess
import sys
from pathlib import Path

import pytest
import yaml

from bigin_archive import errors, http_errors
from bigin_archive.audit.comparison import EXIT_STATUS
from bigin_archive.audit.difference_kinds import Kind
from bigin_archive.settings import DATA_CENTERS
from operate.connect.scopes import markdown_table

PROJECT = Path(__file__).parents[2]
README_LINES = 150
README_WORDS = 600  # three minutes at 200 words a minute
PAGES = {page.name: page.read_text(encoding="utf-8") for page in (PROJECT / "docs").glob("*.md")}
PARAMETERS = re.search(r"^## Parameters\n\n(\|.*?)\n\n", PAGES["deploy.md"], re.MULTILINE | re.DOTALL)[1]  # type: ignore[index]


def all_errors(base: type[errors.ArchiveError] = errors.ArchiveError) -> list[type[errors.ArchiveError]]:
    return [found for child in base.__subclasses__() for found in [child, *all_errors(child)]]


def test_the_scopes_are_those_of_authorize() -> None:
    """The table to copy into Zoho's console is the one that authorize prints from."""
    assert markdown_table().strip() in PAGES["connect.md"]


def test_the_data_centres_are_those_of_the_code() -> None:
    """Every data centre is listed with both hosts."""
    for name, hosts in DATA_CENTERS.items():
        api, accounts = (url.removeprefix("https://") for url in (hosts.api_url, hosts.accounts_url))

        assert f"| `{name}` | `{api}` | `{accounts}` |" in PAGES["connect.md"]


assert issubclass(http_errors.ForbiddenError, errors.ArchiveError)  # loaded, so that its codes are among them


@pytest.mark.parametrize("error", [found for found in all_errors() if "code" in vars(found)], ids=lambda e: e.code)
def test_every_error_is_explained(error: type[errors.ArchiveError]) -> None:
    """Each code stands in the table with its HTTP status."""
    assert f"| `{error.code}` | {error.status} |" in PAGES["api.md"]


@pytest.mark.parametrize("kind", Kind, ids=lambda kind: kind.code)
def test_every_difference_is_explained(kind: Kind) -> None:
    """Each kind of difference stands in the table, with what a repair does about it."""
    (row,) = [
        line
        for line in PAGES["audit.md"].splitlines()
        if line.startswith("|") and f"`{kind.code}`" in line.split("|")[1]
    ]

    assert (row.split("|")[3].strip() == "–") == (kind.repaired is None)


@pytest.mark.parametrize(("verdict", "status"), EXIT_STATUS.items())
def test_every_verdict_is_explained(verdict: str, status: int) -> None:
    """Each verdict is explained with its exit status."""
    assert f"| `{verdict}` | {status} |" in PAGES["audit.md"]


def test_every_parameter_is_explained() -> None:
    """Each parameter of the template is in the table, with its default."""

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
    """Each ``python -m tests…`` of the pages imports from the project's root alone, with nothing set beside it."""
    modules = sorted({found for page in PAGES.values() for found in re.findall(r"python -m (tests[a-z_.]+)", page)})

    for module in modules:
        command = [sys.executable, "-c", f"import {module}"]
        subprocess.run(command, cwd=PROJECT, env={"PATH": os.environ["PATH"]}, check=True)

    assert len(modules) >= 4


def test_the_readme_is_short() -> None:
    """It is read in three minutes: whatever needs more room has a page of its own."""
    readme = (PROJECT / "README.md").read_text(encoding="utf-8")
    read = re.sub(r"```mermaid.*?```|!\[[^\]]*\]|\]\([^)]*\)", " ", readme, flags=re.DOTALL)

    assert len(readme.splitlines()) <= README_LINES
    assert len(re.findall(r"\S*\w\S*", read)) <= README_WORDS


def test_the_readme_leads_to_every_page() -> None:
    """No page is only found by chance."""
    readme = (PROJECT / "README.md").read_text(encoding="utf-8")

    assert len(PAGES) >= 17
    assert {name for name in PAGES if f"](docs/{name})" not in readme} == set()


@pytest.mark.parametrize("page", sorted(PAGES))
def test_a_page_is_readable_alone(page: str) -> None:
    """It has one title, and no table that a program has to fill is empty."""
    prose = re.sub(r"^ *```.*?^ *```", "", PAGES[page], flags=re.MULTILINE | re.DOTALL)

    assert len(re.findall(r"^# ", prose, re.MULTILINE)) == 1
    assert not re.search(r"<!-- (\w+) -->\s*<!-- /\1 -->", PAGES[page])


def test_programs_find_their_place_in_the_pages() -> None:
    """What the benchmarks, the prices and the fault suite write has a place."""
    for page, name in (
        ("performance.md", "bench"),
        ("cost.md", "cost"),
        ("fault-testing.md", "faults"),
        ("fault-testing.md", "mutations"),
    ):
        assert f"<!-- {name} -->" in PAGES[page]
        assert f"<!-- /{name} -->" in PAGES[page]


def test_the_cost_is_the_same_everywhere() -> None:
    """README and page say what the computed table says, to ten cents."""
    computed = re.search(r"\*\*([\d.]+) dollars\*\*", PAGES["cost.md"])
    readme = (PROJECT / "README.md").read_text(encoding="utf-8")

    assert computed
    stated = f"about {round(float(computed[1]), 1):.2f} dollars a month"
    assert stated in readme
    assert stated in PAGES["cost.md"].partition("<!-- cost -->")[0]


@pytest.mark.parametrize("page", PAGES)
def test_no_page_holds_a_merge_conflict(page: str) -> None:
    """Both sides of a conflict would be shown to the reader."""
    assert not re.search(r"^(<{7}|={7}|>{7})( |$)", PAGES[page], re.MULTILINE)
