"""The command `completion`: the script that lets a shell complete commands and options."""

import click
from click.shell_completion import get_completion_class

SHELLS = ("bash", "zsh", "fish")


@click.command(
    epilog="""\b
Examples:
  eval "$(bigin-archive completion bash)"           (in ~/.bashrc)
  eval "$(bigin-archive completion zsh)"            (in ~/.zshrc)
  bigin-archive completion fish | source       (in ~/.config/fish/config.fish)

Exit status: 0 printed, 2 wrong usage."""
)
@click.argument("shell", type=click.Choice(SHELLS))
@click.pass_context
def completion(context: click.Context, shell: str) -> None:
    """Print the script that completes commands with Tab."""
    program = context.find_root().info_name or ""
    variable = f"_{program.upper().replace('-', '_')}_COMPLETE"  # what click looks for
    completer = get_completion_class(shell)
    if completer is None:
        raise click.UsageError(f"{shell} is not supported.")
    click.echo(completer(context.find_root().command, {}, program, variable).source())
