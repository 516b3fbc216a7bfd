"""Printing: results to stdout, problems and progress to stderr."""

import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import datetime, timedelta

from rich.console import Console
from rich.padding import Padding
from rich.table import Table
from rich.text import Text

LOG_WIDTH = 110  # columns, if the output does not go to a terminal
MOST_CHARACTERS = 300  # of a text from outside
PROGRESS_STEP = 1000  # a log gets one line for this many


def _console(*, stderr: bool) -> Console:
    """Rich itself honours NO_COLOR, TERM=dumb and COLUMNS."""
    terminal = (sys.stderr if stderr else sys.stdout).isatty()
    return Console(stderr=stderr, highlight=False, width=None if terminal else LOG_WIDTH)


def out() -> Console:
    """For results."""
    return _console(stderr=False)


def progress() -> Console:
    """For progress."""
    return _console(stderr=True)


def say(text: str = "", style: str = "", *, whole: bool = False) -> None:
    """Print a line. Brackets in it are not markup; ``whole`` never wraps it, so that it can be copied."""
    _print(out(), text, style, whole=whole)


def remark(text: str, style: str = "") -> None:
    """Print a line about the conversation, which is no result."""
    _print(progress(), text, style)


def step(number: int, text: str) -> None:
    """Print a numbered step."""
    grid = Table.grid(padding=(0, 1))
    grid.add_row(f"{number}.", Text(text))
    out().print(grid)


def good(text: str) -> None:
    """Print that something is fine."""
    say(f"✓ {text}" if _can("✓") else f"OK: {text}", "green")


def uncertain(text: str) -> None:
    """Print that something is not known."""
    say(f"? {text}", "yellow")


def bad(text: str, remedy: str = "") -> None:
    """Print a problem that was found: a result, not a failure of the command."""
    say(f"✗ {text}" if _can("✗") else f"PROBLEM: {text}", "bold red")
    if remedy:
        say(f"  {remedy}")


def complain(problem: str, remedy: str = "") -> None:
    """Print an error and its remedy."""
    errors = _console(stderr=True)
    _print(errors, f"✗ {problem}" if _can("✗") else f"Error: {problem}", "bold red")
    if remedy:
        _print(errors, f"  {remedy}")


def _print(console: Console, text: str, style: str = "", *, whole: bool = False) -> None:
    """Wrap lines for a person at a terminal. A log gets each sentence in one line, so that it can be searched."""
    if whole or not text or not console.is_terminal:
        console.print(Text(text, style=style), soft_wrap=True)
        return
    indented = len(text) - len(text.lstrip())
    console.print(Padding(Text(text.lstrip(), style=style), (0, 0, 0, indented), expand=False))


@contextmanager
def working(what: str) -> Iterator[Callable[[int], None]]:
    """Show a spinner with a count on a terminal, else a line every PROGRESS_STEP.

    Yields a function that takes the count so far.
    """
    errors = _console(stderr=True)
    if errors.is_terminal and not errors.is_dumb_terminal:
        with errors.status(what) as status:
            yield lambda count: status.update(f"{what} ({count})")
        return
    printed = 0

    def tell(count: int) -> None:
        nonlocal printed
        if count >= printed + PROGRESS_STEP:
            printed = count
            errors.print(Text(f"{what} ({count})"))

    yield tell


def printable(text: str) -> str:
    """A text from outside, safe for the terminal: shortened, and without control characters."""
    return "".join(character if character.isprintable() else "?" for character in text[:MOST_CHARACTERS])


def duration(span: timedelta) -> str:
    """A span of time in its largest unit, rounded down."""
    seconds = max(0, int(span.total_seconds()))
    for size, unit in ((86400, "day"), (3600, "hour"), (60, "minute")):
        if seconds >= size:
            count = seconds // size
            return f"{count} {unit}{'' if count == 1 else 's'}"
    return f"{seconds} second{'' if seconds == 1 else 's'}"


def duration_of_hours(hours: float) -> str:
    """An estimated span, in words."""
    return "less than an hour" if hours < 1 else f"about {duration(timedelta(hours=hours))}"


def moment(time: datetime) -> str:
    """A time in the time zone of this machine."""
    return time.astimezone().strftime("%Y-%m-%d %H:%M %Z")


def _can(symbol: str) -> bool:
    try:
        symbol.encode(sys.stdout.encoding or "ascii")
    except (UnicodeEncodeError, LookupError):
        return False
    return True
