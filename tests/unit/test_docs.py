"""README, docs and policies: every relative link leads somewhere, and every command is one that exists."""

import re
import shlex
from collections.abc import Iterator
from pathlib import Path

import botocore.session
import click
import jmespath
import pytest

from operate.cli import cli

PROJECT = Path(__file__).parents[2]
PAGES = sorted([*PROJECT.glob("*.md"), *PROJECT.glob("docs/*.md")])
SHELL = {"curl", "openssl", "sed", "sha256sum", "base64", "xxd", "git", "for", "do", "done", ".", "pip", "bash"}
SHELL |= {"pipx", "cd", "rclone", "export", "eval", "read"}
# The AWS CLI's commands for files, which are no operations of S3 (AWS CLI Command Reference, "s3").
FILE_COMMANDS = {"cp", "ls", "sync"}
SAM = {"build", "deploy", "delete", "validate"}
TARGETS = set(re.findall(r"^([a-z-]+):", (PROJECT / "Makefile").read_text(encoding="utf-8"), re.MULTILINE))
# The AWS CLI's own options, and what it adds to an operation of AWS.
AWS_OPTIONS = {"query", "output", "region", "profile", "max-items", "no-cli-pager", "endpoint-url"}
PYTHON = ".venv/project/bin/python"


def anchors(page: Path) -> set[str]:
    """The anchors of a page's headings, as GitHub makes them."""
    text = re.sub(r"^```.*?^```", "", page.read_text(encoding="utf-8"), flags=re.MULTILINE | re.DOTALL)
    headings = re.findall(r"^#+ +(.+)$", text, re.MULTILINE)
    return {re.sub(r"[^\w\- ]", "", heading.lower()).replace(" ", "-") for heading in headings}


def commands() -> Iterator[tuple[str, str]]:
    """Page and command: each line of a shell block, and each command that stands in a sentence."""
    for page in PAGES:
        text = page.read_text(encoding="utf-8")
        for block in re.findall(r"^ *```sh\n(.*?)^ *```", text, re.MULTILINE | re.DOTALL):
            for line in re.sub(r"\\\n\s*", " ", block).splitlines():
                yield page.name, line.strip()
        prose = re.sub(r"^ *```.*?^ *```", "", text, flags=re.MULTILINE | re.DOTALL)
        for code in re.findall(r"`([^`\n]+)`", prose):
            if re.match(r"(make|bigin-archive|\.venv/\S+|aws) \S", code):
                yield page.name, code


COMMANDS = sorted(set(commands()))


def test_pages_and_commands_are_found() -> None:
    """A pattern that matches nothing would check nothing."""
    assert len(PAGES) >= 20
    assert len(COMMANDS) >= 100
    assert sum(line.startswith("bigin-archive ") for _, line in COMMANDS) >= 40


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_relative_links_resolve(page: Path) -> None:
    """What a page points to is there: the file, and the heading in it."""
    for target in re.findall(r"\]\(([^)\s]+)\)", page.read_text(encoding="utf-8")):
        if re.match(r"[a-z]+:", target):
            assert target.startswith("https://"), target
            continue
        path, _, anchor = target.partition("#")
        found = page.parent / path if path else page

        assert found.exists(), target
        assert not anchor or anchor in anchors(found), target


@pytest.mark.parametrize(("page", "line"), COMMANDS, ids=[f"{page}: {line}" for page, line in COMMANDS])
def test_every_command_exists(page: str, line: str) -> None:
    """Targets of make, commands and options of operate and sam, operations, parameters and queries of AWS."""
    for part in re.split(r"\s\|\s|\s&&\s", line):
        words = shlex.split(part, comments=True)
        if words:
            check(words)
    for inner in re.findall(r"\$\((aws .*?)\)\"", line):
        check(shlex.split(inner))


def check(words: list[str]) -> None:
    match words:
        case ["make", *rest]:
            assert {word for word in rest if "=" not in word} <= TARGETS
        case ["bigin-archive" | ".venv/project/bin/bigin-archive", *rest]:
            check_operate(rest)
        case [python, "-m", module, *_] if python == PYTHON:
            path = PROJECT / module.replace(".", "/")
            assert module in ("pytest", "pip") or path.is_dir() or path.with_suffix(".py").is_file()
        case ["sam" | ".venv/sam/bin/sam", command, *_]:
            assert command in SAM
        case ["aws", "cloudformation", "deploy", *_]:  # the CLI's own command, no operation of AWS
            assert Path(PROJECT / words[words.index("--template-file") + 1]).is_file()
        case ["aws", "s3", command, *_]:
            assert command in FILE_COMMANDS
        case ["aws", service, operation, *rest]:
            check_aws(service, operation, rest)
        case ["-d" | "-H", *_]:
            raise AssertionError("a line of curl that is not continued")
        case _:
            assert words[0] in SHELL, words


def check_operate(arguments: list[str]) -> None:
    """The command is there, and takes these options."""
    if not arguments:
        return
    name, *rest = arguments
    command = cli.get_command(click.Context(cli), name)
    assert command, name
    context = click.Context(command, info_name=name, resilient_parsing=True)
    while isinstance(command, click.Group) and rest:
        name, *rest = rest
        command = command.commands[name]
        context = click.Context(command, info_name=name, resilient_parsing=True)
    command.parse_args(context, rest)
    unknown = {word for word in rest if word.startswith("--")} - {
        option for parameter in command.params for option in parameter.opts
    }
    assert not unknown - {"--help"}


def check_aws(service: str, operation: str, rest: list[str]) -> None:
    """The operation is one of the service, and takes these parameters."""
    model = botocore.session.get_session().get_service_model({"s3api": "s3"}.get(service, service))
    names = {re.sub(r"(?<!^)(?=[A-Z])", "-", name).lower(): name for name in model.operation_names}
    assert operation in names
    shape = model.operation_model(names[operation]).input_shape
    members = {re.sub(r"[-_]", "", name).lower() for name in shape.members} if shape else set()
    for position, word in enumerate(rest):
        if word.startswith("--"):
            option = word[2:]
            assert option in AWS_OPTIONS or option.replace("-", "") in members, word
            if option == "query":
                jmespath.compile(rest[position + 1])


def test_every_alarm_has_its_runbook() -> None:
    """Each alarm of the template is named in the section that its description links to."""
    template = (PROJECT / "template.yaml").read_text(encoding="utf-8")
    runbooks = (PROJECT / "docs" / "runbooks.md").read_text(encoding="utf-8")

    for name in re.findall(r"^  (\w+Alarm):$", template, re.MULTILINE):
        assert f"`{name}`" in runbooks, name
