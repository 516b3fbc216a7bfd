"""Where the code under test lies; a planted bug is tested by putting a changed copy in its place."""

import ast
import os
import sys
from pathlib import Path

PROJECT = Path(__file__).resolve().parents[2]
VARIABLE = "FAULTS_UNDER_TEST"
UNDER_TEST = Path(os.environ.get(VARIABLE) or PROJECT)
FUNCTIONS = UNDER_TEST / "functions"
TEMPLATE = UNDER_TEST / "template.yaml"


def put_functions_first() -> None:
    """Make ``bigin_archive`` come from FUNCTIONS."""
    sys.path.insert(0, str(FUNCTIONS))


def constant(file: str, name: str) -> float:
    """A number that a module of the package names; handlers cannot be imported without their environment."""
    for node in ast.parse((FUNCTIONS / file).read_text()).body:
        if isinstance(node, ast.Assign) and [ast.unparse(target) for target in node.targets] == [name]:
            return float(ast.literal_eval(node.value))
    raise LookupError(f"{file} has no {name}")


# What a worker keeps for what follows the last byte, and the least that it begins with.
RESERVE_S = constant("archive_queued.py", "RESERVE_S")
LEAST_TIME_S = constant("bigin_archive/archiving/queue_worker.py", "LEAST_TIME_S")
