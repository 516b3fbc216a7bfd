"""Asks for values: options and the environment come first, then the terminal or stdin.

Secrets are typed hidden and kept only in memory. Questions go to stderr, because a program may read stdout.
"""

import re
import sys
from collections.abc import Mapping

import click

from operate.errors import OperateError
from operate.terminal import remark

# Zoho's values have no blanks. A longer text is something else that was pasted.
_VALUE = re.compile(r"[\x21-\x7e]{1,1024}")
_TRIES = 5


class Prompts:
    """Values by name. Each of the ``given`` values is used once, because a wrong one has to be asked for."""

    def __init__(self, given: Mapping[str, str | None]) -> None:
        self._given = {name: value.strip() for name, value in given.items() if value and value.strip()}
        self.interactive = sys.stdin.isatty()

    def value(self, name: str, *, hidden: bool, how: str) -> str:
        """The value called ``name``; ``how`` says how to pass it without a terminal. Raises OperateError."""
        if name in self._given:
            return self._checked(name, self._given.pop(name))
        if not self.interactive:
            return self._checked(name, sys.stdin.readline().strip(), how)
        for _ in range(_TRIES):
            label = f"{name[0].upper()}{name[1:]}{' (hidden as you paste)' if hidden else ''}"
            typed = str(click.prompt(label, hide_input=hidden, default="", show_default=False, err=True)).strip()
            if _VALUE.fullmatch(typed):
                if hidden:
                    remark(f"  Taken: {len(typed)} characters.", "dim")
                return typed
            remark(f"  That is not a {name}: it must be one piece without blanks. Ctrl-C stops.", "yellow")
        raise OperateError(f"No usable {name} was given.", "Start again when you have it.")

    def agrees(self, question: str, *, default: bool = False) -> bool:
        """Ask a yes-or-no question; no without a terminal."""
        return self.interactive and bool(click.confirm(question, default=default, err=True))

    def _checked(self, name: str, value: str, how: str = "") -> str:
        if not value:
            raise OperateError(f"The {name} is missing.", f"Give it {how}.", status=2)
        if not _VALUE.fullmatch(value):
            raise OperateError(
                f"That is not a {name}: it must be one piece without blanks.", "Copy it again.", status=2
            )
        return value
