"""All commands of operate share one look."""

import importlib.abc
import runpy
import sys

import click
import pytest

from operate.cli import cli, main

COMMANDS = sorted(cli.commands.items())


@pytest.mark.parametrize(("name", "command"), COMMANDS, ids=[name for name, _ in COMMANDS])
def test_a_command_explains_itself(name: str, command: click.Command, capsys: pytest.CaptureFixture[str]) -> None:
    """``--help`` tells what it does, how it is called and what its exit status means."""
    assert main([name, "--help"]) == 0

    told = capsys.readouterr().out
    assert command.help
    assert f"python -m operate {name}" in told.partition("Examples:")[2]
    assert "Exit status: 0 " in told


@pytest.mark.parametrize(("name", "command"), COMMANDS, ids=[name for name, _ in COMMANDS])
def test_a_command_takes_the_common_options(name: str, command: click.Command) -> None:
    """Stack, profile and region as the AWS CLI has them, and JSON for programs; each option has its words."""
    options = {option for parameter in command.params for option in parameter.opts}

    assert {"--stack", "--profile", "--region", "--json"} <= options
    assert all(parameter.help for parameter in command.params if isinstance(parameter, click.Option))


class _Interrupted(importlib.abc.MetaPathFinder):
    """Ctrl-C while the commands are still being imported."""

    def find_spec(self, name: str, *_: object) -> None:
        if name == "operate.cli":
            raise KeyboardInterrupt


def test_ctrl_c_at_once_shows_no_traceback(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    """The first half second of a command is spent importing."""
    monkeypatch.delitem(sys.modules, "operate.cli")
    monkeypatch.setattr(sys, "meta_path", [_Interrupted(), *sys.meta_path])

    with pytest.raises(SystemExit) as ended:
        runpy.run_module("operate", run_name="__main__")

    assert 130 == ended.value.code
    assert "Stopped." in capsys.readouterr().err
