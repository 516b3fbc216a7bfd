"""Makes one virtual environment below `.venv`: `python3 -m local.virtual_environments NAME REQUIREMENTS`.

uv does it; pip installs uv into `.venv/uv`. If uv cannot be installed or fails, pip does it and takes longer. This runs
before anything is installed, so it imports only the standard library.
"""

from __future__ import annotations

import ast
import os
import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path

PROJECT = Path(__file__).resolve().parent.parent
ENVIRONMENTS = PROJECT / ".venv"
UV_ENVIRONMENT = "uv"
UV = ENVIRONMENTS / UV_ENVIRONMENT / "bin" / "uv"
OLDEST_PYTHON = (3, 11)
# pip's settings (pip.conf, PIP_...) that say where packages come from, and uv's variables: uv reads no pip.conf.
UV_VARIABLES = {
    "index-url": "UV_DEFAULT_INDEX",
    "extra-index-url": "UV_INDEX",
    "find-links": "UV_FIND_LINKS",
    "no-index": "UV_NO_INDEX",
    "trusted-host": "UV_INSECURE_HOST",
    "constraint": "UV_CONSTRAINT",
    "cert": "SSL_CERT_FILE",
    "client-cert": "SSL_CLIENT_CERT",
    "proxy": "ALL_PROXY",
    "default-timeout": "UV_HTTP_TIMEOUT",
    "timeout": "UV_HTTP_TIMEOUT",
}
SEPARATORS = {"UV_FIND_LINKS": ","}  # the other lists are separated by spaces, as pip's are
# As the entry point that pip installs, but it runs the checkout through whose .venv it was called. So several checkouts
# can share one .venv by a link, and each runs its own commands.
LAUNCHER = """\
#!/bin/sh
\'\'\'exec\' "{python}" "$0" "$@"
\' \'\'\'
import sys
from pathlib import Path

called = Path(sys.argv[0])
checkout = next(path for path in (called.absolute(), called.resolve()) if (path.parents[3] / "operate").is_dir())
sys.path.insert(0, str(checkout.parents[3]))

from operate.__main__ import run

sys.exit(run())
"""


def main(name: str, requirements: Path) -> int:
    """Exit status: 0 made, else that of the installer that failed."""
    if sys.version_info < OLDEST_PYTHON:
        print("Python 3.11 or newer is needed. To name another interpreter: make PYTHON=python3.13 ...")
        return 2
    if name == UV_ENVIRONMENT:
        _bootstrap_uv(requirements)
        return 0
    print(f"Installing {requirements} into .venv/{name} ...", flush=True)
    folder = ENVIRONMENTS / name
    status = _with_uv(folder, requirements) if UV.exists() else 1
    if status != 0:
        status = _with_pip(folder, requirements)
    if status == 0 and name == "project":
        write_launcher(folder / "bin")
    return status


def uv_environment(pip_settings: Mapping[str, str], environment: Mapping[str, str]) -> dict[str, str]:
    """uv's variables for the places where pip looks for packages. Variables that are set for uv itself win."""
    variables = {"UV_PYTHON_DOWNLOADS": "never"}
    for setting, variable in UV_VARIABLES.items():
        value = pip_settings.get(setting)
        if value and variable not in environment:
            variables[variable] = SEPARATORS.get(variable, " ").join(value.split())
    if "UV_INDEX" in variables:  # pip takes the best version of all indexes, uv by default that of the first
        variables.setdefault("UV_INDEX_STRATEGY", "unsafe-best-match")
    return variables


def pip_settings(listing: str) -> dict[str, str]:
    """The settings that `pip config list` prints. Its own order counts: global, install, then the environment."""
    found: dict[str, str] = {}
    for section in ("global", "install", ":env:"):
        for line in listing.splitlines():
            name, _, value = line.partition("=")
            if name.startswith(f"{section}."):
                found[name.removeprefix(f"{section}.")] = str(ast.literal_eval(value))
    return found


def _bootstrap_uv(requirements: Path) -> None:
    """Install uv. If that fails, pip makes the environments."""
    command = [sys.executable, "-m", "pip", "install", "-q", "--disable-pip-version-check", "--upgrade"]
    run = subprocess.run(
        [*command, "--target", str(ENVIRONMENTS / UV_ENVIRONMENT), "-r", str(requirements)],
        capture_output=True, text=True, check=False,
    )  # fmt: skip
    if run.returncode != 0 or not UV.exists():
        print("uv cannot be installed here, so pip installs the packages. That takes a minute longer.", flush=True)


def _with_uv(folder: Path, requirements: Path) -> int:
    listing = subprocess.run(
        [sys.executable, "-m", "pip", "config", "list"], capture_output=True, text=True, check=False
    ).stdout
    environment = {**os.environ, **uv_environment(pip_settings(listing), os.environ)}
    python = folder / "bin" / "python"
    commands: tuple[list[str | Path], ...] = (
        [UV, "venv", "-q", "--allow-existing", "--seed", "--no-project", "--python", sys.executable, folder],
        [UV, "pip", "install", "-q", "--python", python, "-r", requirements],
    )
    for command in commands:
        run = subprocess.run(command, env=environment, capture_output=True, text=True, check=False)
        if run.returncode != 0:
            print(f"uv failed, so pip installs {requirements}. uv said:\n{run.stderr.strip()}", flush=True)
            return run.returncode
    return 0


def _with_pip(folder: Path, requirements: Path) -> int:
    """Make it with pip, which prints errors only (-qq)."""
    pip: list[str | Path] = [folder / "bin" / "python", "-m", "pip", "install", "-qq", "--disable-pip-version-check"]
    made = subprocess.run([sys.executable, "-m", "venv", folder], check=False).returncode
    return made or subprocess.run([*pip, "-r", requirements], check=False).returncode


def write_launcher(folder: Path) -> None:
    """The command `bigin-archive` of an environment, whose `bin` is ``folder``."""
    launcher = folder / "bigin-archive"
    launcher.write_text(LAUNCHER.format(python=folder / "python"), encoding="utf-8")
    launcher.chmod(0o755)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1], Path(sys.argv[2])))
