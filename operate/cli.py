"""The commands: options in, exit status out.

Exit statuses: 0 done and all fine, 1 it did not work or something is missing, 2 used wrongly, 130 interrupted.
"""

import io
import os
import sys
import traceback
from collections.abc import Sequence

import click

from operate.commands.audit import audit
from operate.commands.authorize import authorize
from operate.commands.doctor import doctor
from operate.commands.find import find
from operate.commands.get import get
from operate.commands.options import STATUSES
from operate.commands.rebuild_ledger import rebuild_ledger
from operate.commands.redrive import redrive
from operate.commands.request import request
from operate.commands.status import status
from operate.commands.sweep import sweep
from operate.commands.watch import watch
from operate.errors import INTERRUPTED, OperateError
from operate.terminal import complain

WITH_HELP = {"help_option_names": ["-h", "--help"]}


def main(arguments: Sequence[str]) -> int:
    """Run a command; every failure becomes a sentence and an exit status, none a traceback."""
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, io.TextIOWrapper):
            stream.reconfigure(errors="replace")  # a name that the terminal cannot show is no bug
    try:
        status = cli.main(list(arguments), prog_name="python -m operate", standalone_mode=False)
        return int(status or 0)
    except OperateError as error:
        complain(error.problem, error.remedy)
        return error.status
    except click.Abort:
        complain("Stopped.")
        return INTERRUPTED
    except click.ClickException as error:
        error.show()
        return 2
    except BrokenPipeError:  # a reader such as head has gone; nothing more can be told
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return 1
    except Exception as error:  # noqa: BLE001 - a traceback, or an error's text, might show a secret
        place = traceback.extract_tb(error.__traceback__)[-1]
        complain(
            f"A bug of Bigin Archive ({type(error).__name__} in {os.path.basename(place.filename)}, "
            f"line {place.lineno}).",
            "Please report it with this sentence.",
        )
        return 1


@click.group(context_settings=WITH_HELP, epilog=STATUSES)
def cli() -> None:
    """Operate a deployed stack of Bigin Archive.

    Run it from the project's root, with AWS credentials that may read the stack (aws configure, AWS_PROFILE).
    """


for _command in (authorize, doctor, watch, sweep, status, audit, find, get, request, redrive, rebuild_ledger):
    cli.add_command(_command)
