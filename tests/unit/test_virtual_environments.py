"""The virtual environments are made from where the user's pip would take packages."""

import subprocess
import sys
from pathlib import Path

import pytest

from local.virtual_environments import UV_VARIABLES, pip_settings, uv_environment, write_launcher

PIP = """:env:.index-url='https://env.example/simple'
global.cert='/etc/ssl/own.pem'
global.extra-index-url='https://one.example/simple\\nhttps://two.example/simple'
global.find-links='/a /b'
global.index-url='https://global.example/simple'
install.index-url='https://install.example/simple'
install.no-compile='true'
"""


def test_the_environment_goes_before_the_files() -> None:
    """As in pip: PIP_INDEX_URL, then [install], then [global]."""
    assert "https://env.example/simple" == pip_settings(PIP)["index-url"]
    without_environment = "".join(PIP.splitlines(keepends=True)[1:])
    assert "https://install.example/simple" == pip_settings(without_environment)["index-url"]


def test_uv_takes_packages_from_where_pip_does() -> None:
    """Each setting of pip becomes uv's variable, a list with uv's own separator."""
    assert {
        "UV_PYTHON_DOWNLOADS": "never",
        "UV_DEFAULT_INDEX": "https://env.example/simple",
        "UV_INDEX": "https://one.example/simple https://two.example/simple",
        "UV_INDEX_STRATEGY": "unsafe-best-match",
        "UV_FIND_LINKS": "/a,/b",
        "SSL_CERT_FILE": "/etc/ssl/own.pem",
    } == uv_environment(pip_settings(PIP), {})


@pytest.mark.parametrize("variable", sorted(set(UV_VARIABLES.values())))
def test_what_is_said_to_uv_itself_stays(variable: str) -> None:
    """uv's own variables win over those from pip."""
    everything = dict.fromkeys(UV_VARIABLES, "x")

    assert variable in uv_environment(everything, {})
    assert variable not in uv_environment(everything, {variable: "own"})


def test_pips_own_listing_is_understood(tmp_path: Path) -> None:
    """What the installed pip prints for a pip.conf and for a variable."""
    config = tmp_path / "pip.conf"
    config.write_text("[global]\nindex-url = https://file.example/simple\ntimeout = 60\n")
    listing = subprocess.run(
        [sys.executable, "-m", "pip", "config", "list"],
        env={"PIP_CONFIG_FILE": str(config), "PIP_FIND_LINKS": "/wheels", "HOME": str(tmp_path)},
        capture_output=True, text=True, check=True,
    ).stdout  # fmt: skip

    found = pip_settings(listing)

    assert ("https://file.example/simple", "60", "/wheels") == (
        found["index-url"],
        found["timeout"],
        found["find-links"],
    )


@pytest.mark.parametrize("name", ["first", "second"])
def test_the_command_is_that_of_its_checkout(tmp_path: Path, name: str) -> None:
    """A ``.venv`` that two checkouts share by a link runs the commands of the one in which it was called."""
    environment = tmp_path / "first" / ".venv" / "project" / "bin"
    environment.mkdir(parents=True)
    (environment / "python").symlink_to(sys.executable)
    write_launcher(environment)
    (tmp_path / "second").mkdir()
    (tmp_path / "second" / ".venv").symlink_to(tmp_path / "first" / ".venv")
    for checkout in ("first", "second"):
        (tmp_path / checkout / "operate").mkdir()
        (tmp_path / checkout / "operate" / "__main__.py").write_text(
            f"def run():\n    print({checkout!r})\n    return 7\n"
        )

    run = subprocess.run(
        [tmp_path / name / ".venv" / "project" / "bin" / "bigin-archive"], capture_output=True, text=True, check=False
    )

    assert (7, f"{name}\n", "") == (run.returncode, run.stdout, run.stderr)
