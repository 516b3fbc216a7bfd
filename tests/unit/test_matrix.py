"""The matrix: every Python that the template offers is looked for."""

import re
from pathlib import Path

import pytest

from local import matrix

TEMPLATE = (Path(__file__).parents[2] / "template.yaml").read_text(encoding="utf-8")


def test_every_python_of_the_template_is_looked_for() -> None:
    """Each Python of the template is tested if this machine has it."""
    offered = re.search(r"AllowedValues: \[(python3[^\]]+)\]", TEMPLATE)

    assert offered
    assert [f"python{version}" for version in matrix.VERSIONS] == offered[1].split(", ")


def test_an_interpreter_that_does_not_start_is_none(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Version managers install commands that fail unless their version is selected."""
    for name, script in (("python3.11", "exit 0"), ("python3.12", "exit 1")):
        (tmp_path / name).write_text(f"#!/bin/sh\n{script}\n")
        (tmp_path / name).chmod(0o755)
    monkeypatch.setenv("PATH", str(tmp_path))
    monkeypatch.setenv("PYENV_ROOT", str(tmp_path))

    found = dict(matrix.interpreters())

    assert {"3.11"} == {version for version, python in found.items() if python}
