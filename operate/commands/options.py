"""Options that the commands share."""

import functools
from collections.abc import Callable
from typing import Any

import click

from bigin_archive.archive_request import ALIASES, MODULES
from operate.stack.target import Target

STATUSES = "Exit status: 0 fine, 1 something is wrong, 2 wrong usage, 130 interrupted."


def on_a_stack(command: Callable[..., Any]) -> Callable[..., Any]:
    """Add the options that choose the stack, and pass the command its :class:`Target` in their place."""

    @functools.wraps(command)
    def with_target(*args: Any, stack: str | None, region: str | None, profile: str | None, **options: Any) -> Any:
        return command(*args, target=Target(stack, region, profile), **options)

    decorated: Callable[..., Any] = with_target
    for option in (
        click.option("--profile", metavar="NAME", help="AWS profile; else AWS_PROFILE and the usual places."),
        # AWS_REGION works in the AWS CLI; boto3 itself reads only AWS_DEFAULT_REGION.
        click.option(
            "--region", envvar="AWS_REGION", metavar="NAME", help="Its region; else AWS_REGION, else the profile's."
        ),
        click.option(
            "--stack",
            envvar="BIGIN_ARCHIVE_STACK",
            metavar="NAME",
            help="The stack; else BIGIN_ARCHIVE_STACK, else the only one.",
        ),
    ):
        decorated = option(decorated)
    return decorated


class _Module(click.Choice[str]):
    """A module, under any name that a request may give it."""

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> str:
        return super().convert(ALIASES.get(value, value), param, ctx)


class _Day(click.DateTime):
    """A day, or a day with a time."""

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> Any:
        try:
            return super().convert(value, param, ctx)
        except click.BadParameter:
            self.fail(f"{value!r} is not a day. Write for example 2026-01-31.", param, ctx)


MODULE = _Module(MODULES)
DAY = _Day(["%Y-%m-%d"])
DAY_OR_TIME = _Day(["%Y-%m-%d", "%Y-%m-%dT%H:%M:%S"])


def modules_option(words: str) -> Callable[[Callable[..., Any]], Callable[..., Any]]:
    """The option ``--module``, which can be repeated; all modules without it."""
    return click.option(
        "--module",
        "modules",
        multiple=True,
        type=MODULE,
        default=MODULES,
        metavar="NAME",
        help=f"{words}; can be repeated. Default: all ({', '.join(MODULES)}).",
    )
