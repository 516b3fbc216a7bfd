"""What the commands have in common on the command line."""

from collections.abc import Callable
from typing import Any

import click

STATUSES = "\b\nExit status: 0 all fine, 1 it did not work or something is missing, 2 used wrongly, 130 interrupted."


def of_a_stack(command: Callable[..., Any]) -> Callable[..., Any]:
    """The options that every command has."""
    for option in (
        click.option("--profile", metavar="NAME", help="AWS profile; else AWS_PROFILE and the usual places."),
        # AWS_REGION as the AWS CLI has it; boto3 knows AWS_DEFAULT_REGION alone.
        click.option(
            "--region", envvar="AWS_REGION", metavar="NAME", help="Its region; else AWS_REGION, the profile's."
        ),
        click.option("--stack", default="bigin-archive", show_default=True, metavar="NAME", help="Name of the stack."),
    ):
        command = option(command)
    return command
