"""The command line `bigin-archive`: finds the command, runs it, and turns every failure into a sentence.

Exit statuses: 0 all fine, 1 something failed or is missing, 2 wrong usage, 130 interrupted.

A command is imported when it is called, because importing all of them takes longer than most calls.
"""

import difflib
import errno
import importlib
import io
import os
import sys
import traceback
from collections.abc import Sequence

import click

from bigin_archive import __version__
from operate.errors import INTERRUPTED, OperateError

PROGRAM = "bigin-archive"
# Each command is the function of that name in operate.commands. Its line here is the first line of its help.
COMMANDS = {
    "Set up": {
        "authorize": "Connect a stack to Bigin, or check the connection.",
        "watch": "Show or renew the channels by which Bigin announces changes.",
        "callers": "Make, list and end the keys of other programs.",
        "completion": "Print the script that completes commands with Tab.",
    },
    "Archive": {
        "sweep": "Archive the whole account: find and queue what is missing.",
        "request": "Archive single attachments, or all of a record.",
    },
    "Look": {
        "status": "Show how far the archive is: files, queue, credits.",
        "find": "Find archived files by the words of their names.",
        "console": "Search and download files in the browser, or invite others.",
        "get": "Download archived files, checked by their SHA-256.",
        "audit": "Prove that the archive is complete, or list what is not.",
        "fleet": "Show all stacks, one line each, and which need attention.",
        "version": "Print the version of this command.",
    },
    "Mend": {
        "doctor": "Check everything that commonly goes wrong.",
        "probe": "See how your Bigin account answers. Only reads.",
        "selftest": "Try this version's requests in your own AWS account.",
        "pause": "Stop a stack in an emergency; nothing is lost for 13 days.",
        "resume": "Resume a paused stack.",
        "redrive": "Show requests that failed and why, and send them back.",
        "announce": "Repeat events, for a new consumer or after an outage.",
        "restore": "Send archived files back to Bigin, and compare every byte.",
        "rebuild-ledger": "Rebuild the ledger from the files in S3.",
    },
}


class LazyGroup(click.Group):
    """Knows the names of the commands, and imports one when it is called."""

    def list_commands(self, ctx: click.Context) -> list[str]:
        return [name for group in COMMANDS.values() for name in group]

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        if cmd_name not in self.list_commands(ctx):
            close = difflib.get_close_matches(cmd_name, self.list_commands(ctx), n=1)
            if close and not ctx.resilient_parsing:
                ctx.fail(f"There is no command {cmd_name}. Did you mean {close[0]}?")
            return None
        module = cmd_name.replace("-", "_")
        command: click.Command = getattr(importlib.import_module(f"operate.commands.{module}"), module)
        return command

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        width = max(len(name) for name in self.list_commands(ctx))
        for title, group in COMMANDS.items():
            formatter.write(f"\n{title}:\n")
            for name, line in group.items():
                formatter.write(f"  {name:<{width}}  {line}\n")

    def format_options(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        """Print the commands alone: there are no options but --help and --version."""
        self.format_commands(ctx, formatter)


def main(arguments: Sequence[str]) -> int:
    """Run a command. Every failure becomes a sentence and an exit status, never a traceback."""
    # Python has none of a stream that was closed before it began (>&-).
    sys.stdin = sys.stdin or open(os.devnull, encoding="utf-8")  # noqa: SIM115 - until the process ends
    sys.stdout = sys.stdout or open(os.devnull, "w", encoding="utf-8")  # noqa: SIM115 - the same
    sys.stderr = sys.stderr or open(os.devnull, "w", encoding="utf-8")  # noqa: SIM115 - the same
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, io.TextIOWrapper):
            stream.reconfigure(errors="replace")  # the terminal may not be able to show a name
    for name in ("AWS_PROFILE", "AWS_DEFAULT_PROFILE"):
        if os.environ.get(name) == "":  # boto3 would look for a profile without a name
            del os.environ[name]
    try:
        status = cli.main(list(arguments), prog_name=PROGRAM, standalone_mode=False)
        return int(status or 0)
    except OperateError as error:
        _complain(error.problem, error.remedy)
        return error.status
    except click.Abort:
        _complain("Stopped.")
        return INTERRUPTED
    except click.ClickException as error:
        error.show()
        return 2
    except BrokenPipeError:  # the reader of the pipe has gone, for example head
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return 1
    except OSError as error:
        if error.errno not in (errno.ENOSPC, errno.EDQUOT, errno.EFBIG):
            return _bug(error)
        _complain("The output cannot be written: the disk is full.", "Make room, or send it elsewhere.")
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return 1
    except Exception as error:  # noqa: BLE001 - a traceback, or an error's text, might show a secret
        return _bug(error)


def _bug(error: Exception) -> int:
    place = traceback.extract_tb(error.__traceback__)[-1]
    _complain(
        f"A bug of Bigin Archive ({type(error).__name__} in {os.path.basename(place.filename)}, line {place.lineno}).",
        "Please report it with this sentence.",
    )
    return 1


def _complain(problem: str, remedy: str = "") -> None:
    """Print an error. Imported late, because rich takes longer to load than --help."""
    from operate.terminal import complain

    complain(problem, remedy)


@click.group(
    cls=LazyGroup,
    context_settings={"help_option_names": ["-h", "--help"]},
    epilog="""\b
The stack: --stack, else BIGIN_ARCHIVE_STACK, else the only one in the region.
Region and profile: as with the AWS CLI. More: bigin-archive COMMAND --help""",
)
@click.version_option(__version__, message="%(version)s")
def cli() -> None:
    """Run a stack of Bigin Archive, the archive of Bigin's attachments in S3."""
