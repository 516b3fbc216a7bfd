"""All commands share one look."""

import importlib.abc
import io
import runpy
import subprocess
import sys
from pathlib import Path

import click
import pytest

from operate.cli import COMMANDS as GROUPS
from operate.cli import cli, main
from operate.connect.prompts import Prompts

ROOT = Path(__file__).parents[2]
LINES = {name: line for group in GROUPS.values() for name, line in group.items()}


def command_of(name: str) -> click.Command:
    command = cli.get_command(click.Context(cli), name)
    assert command
    return command


COMMANDS = [(name, command_of(name)) for name in LINES]
OF_A_STACK = [
    (f"{name} {part}".strip(), one)
    for name, command in COMMANDS
    if name not in ("completion", "fleet", "version")
    for part, one in (command.commands.items() if isinstance(command, click.Group) else [("", command)])
]


def test_every_command_is_listed() -> None:
    """Each file of ``operate/commands`` is a command of the list, and of no other."""
    files = {path.stem.replace("_", "-") for path in (ROOT / "operate" / "commands").glob("[a-z]*.py")}

    assert files - {"options"} == set(LINES)


@pytest.mark.parametrize(("name", "command"), COMMANDS, ids=list(LINES))
def test_the_list_says_what_the_command_says(name: str, command: click.Command) -> None:
    """A command's line in the list is the first line of its help."""
    assert LINES[name] == (command.help or "").partition("\n")[0]


def test_the_list_fits_a_screen(capsys: pytest.CaptureFixture[str]) -> None:
    """The list shows all commands in four groups on a terminal of 80 columns and 40 lines."""
    assert main(["--help"]) == 0

    lines = capsys.readouterr().out.splitlines()
    assert len(lines) <= 40
    assert max(map(len, lines)) <= 80
    assert [title for title in GROUPS if f"{title}:" in lines] == ["Set up", "Archive", "Look", "Mend"]


@pytest.mark.parametrize(
    "arguments", [["--help"], ["--version"], ["version"], ["completion", "fish"]], ids=lambda words: words[0]
)
def test_what_needs_no_aws_starts_at_once(arguments: list[str]) -> None:
    """The slow packages are imported by the commands that use them."""
    program = (
        "import sys, operate.cli\n"
        f"assert operate.cli.main({arguments}) == 0\n"
        "assert not {'boto3', 'botocore', 'requests', 'rich'} & set(sys.modules)"
    )
    run = subprocess.run([sys.executable, "-c", program], cwd=ROOT, capture_output=True, text=True, check=False)

    assert (0, "") == (run.returncode, run.stderr)


def test_the_version_may_be_asked_for_as_an_option(capsys: pytest.CaptureFixture[str]) -> None:
    """``--version`` prints the version."""
    assert [main(["--version"]), main(["version"])] == [0, 0]

    first, second = capsys.readouterr().out.splitlines()
    assert first == second


def test_a_mistyped_command_is_recognized(capsys: pytest.CaptureFixture[str]) -> None:
    """The answer names the command that was meant."""
    assert main(["sttus"]) == 2
    assert "Did you mean status?" in capsys.readouterr().err


@pytest.mark.parametrize(("name", "command"), COMMANDS, ids=list(LINES))
def test_a_command_explains_itself(name: str, command: click.Command, capsys: pytest.CaptureFixture[str]) -> None:
    """``--help`` says what it does, how it is called and what its exit status means, on one screen."""
    assert main([name, "--help"]) == 0

    printed = capsys.readouterr().out
    assert command.help
    assert f"bigin-archive {name}" in printed.partition("Examples:")[2]
    assert "Exit status: 0 " in printed
    assert len(printed.splitlines()) <= 40
    assert max(map(len, printed.splitlines())) <= 80


@pytest.mark.parametrize(("name", "command"), OF_A_STACK, ids=[name for name, _ in OF_A_STACK])
def test_a_command_takes_the_common_options(name: str, command: click.Command) -> None:
    """Stack, profile and region as the AWS CLI has them, and JSON for programs; each option has its words."""
    options = {option for parameter in command.params for option in parameter.opts}

    assert {"--stack", "--profile", "--region"} <= options
    assert "--json" in options or " " in name  # a part of a command may answer with one sentence
    assert all(parameter.help for parameter in command.params if isinstance(parameter, click.Option))


class _Interrupted(importlib.abc.MetaPathFinder):
    """Ctrl-C while the commands are still being imported."""

    def find_spec(self, name: str, *_: object) -> None:
        if name == "operate.cli":
            raise KeyboardInterrupt


def test_ctrl_c_at_once_shows_no_traceback(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    """Ctrl-C while the commands are imported shows no traceback."""
    monkeypatch.delitem(sys.modules, "operate.cli")
    monkeypatch.setattr(sys, "meta_path", [_Interrupted(), *sys.meta_path])

    with pytest.raises(SystemExit) as ended:
        runpy.run_module("operate", run_name="__main__")

    assert 130 == ended.value.code
    assert "Stopped." in capsys.readouterr().err


@pytest.mark.parametrize("closed", ["out", "err", "out and err"])
def test_a_closed_stream_changes_no_exit_status(closed: str) -> None:
    """If stdout or stderr is closed (>&-), a failure is still a sentence with the same exit status."""
    redirected = {"out": ">&-", "err": "2>&-", "out and err": ">&- 2>&-"}[closed]
    # Without a region, which is found before anything is asked.
    unset = "env -u AWS_REGION -u AWS_DEFAULT_REGION -u AWS_PROFILE AWS_CONFIG_FILE=/dev/null"
    done = subprocess.run(
        ["sh", "-c", f"{unset} '{sys.executable}' -m operate audit --json {redirected}"],
        capture_output=True,
        text=True,
        check=False,
        timeout=60,
    )

    assert (2, "") == (done.returncode, done.stdout)
    assert ("No AWS region" in done.stderr) == (closed == "out")
    assert "Traceback" not in done.stderr


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="only Linux has a device that is always full")
def test_a_full_disk_is_no_bug() -> None:
    """A full disk is reported in a sentence, and not as a bug."""
    done = subprocess.run(
        ["sh", "-c", f"'{sys.executable}' -m operate version >/dev/full"],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=False,
        timeout=60,
    )

    assert done.returncode == 1
    assert "disk is full" in done.stderr
    assert "bug" not in done.stderr


def test_a_closed_stdin_is_nobody_to_ask() -> None:
    """With a closed stdin, as cron starts programs, a command asks nobody."""
    command = f"'{sys.executable}' -m operate redrive --all <&-"
    done = subprocess.run(["sh", "-c", command], cwd=ROOT, capture_output=True, text=True, check=False, timeout=60)

    assert (done.returncode, done.stdout) == (2, "")
    assert "no terminal to ask at" in done.stderr


def test_a_region_that_is_none_is_named(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    """The error names the region, not an endpoint that the user never gave."""
    monkeypatch.setenv("AWS_REGION", "eu west 1")

    assert main(["status", "--stack", "x"]) == 2
    assert "region" in capsys.readouterr().err


@pytest.mark.parametrize("name", ["AWS_PROFILE", "AWS_DEFAULT_PROFILE", "--profile"])
def test_a_profile_without_a_name_is_none(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], tmp_path: Path, name: str
) -> None:
    """An empty variable counts as one that is not set, as for the region."""
    for each in ("AWS_PROFILE", "AWS_DEFAULT_PROFILE", "AWS_REGION", "AWS_DEFAULT_REGION"):
        monkeypatch.delenv(each, raising=False)
    monkeypatch.setenv("AWS_CONFIG_FILE", str(tmp_path / "config"))
    if name != "--profile":
        monkeypatch.setenv(name, "")

    assert main(["status", *(["--profile", ""] if name == "--profile" else [])]) == 2
    assert "No AWS region is given" in capsys.readouterr().err


def test_questions_leave_stdout_to_the_result(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """Questions go to stderr, so that JSON on stdout can be redirected to a file."""
    terminal = io.StringIO("two words\ntest\n")
    monkeypatch.setattr(terminal, "isatty", lambda: True)
    monkeypatch.setattr("sys.stdin", terminal)

    assert Prompts({}).value("client id", hidden=False, how="") == "test"

    printed = capsys.readouterr()
    assert printed.out.strip() == ""
    assert "Client id" in printed.err
    assert "not a client id" in printed.err
