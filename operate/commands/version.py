"""The command `version`: print the installed version."""

import click

from bigin_archive import __version__


@click.command(
    epilog="""\b
Examples:
  bigin-archive version

Exit status: 0 printed, 2 wrong usage."""
)
def version() -> None:
    """Print the version of this command."""
    click.echo(__version__)
