"""What the queue's worker loads when it starts: every module and every data file costs each cold start."""

import subprocess
import sys
from pathlib import Path

from tests.bench.environment import FUNCTION_ENVIRONMENT

FUNCTIONS = Path(__file__).parents[2] / "functions"
PACKAGES = {
    "bigin_archive",
    "archive_queued",
    "aws_lambda_powertools",
    "boto3",
    "botocore",
    "s3transfer",
    "jmespath",
    "dateutil",
    "six",
    "urllib3",
    "requests",
    "certifi",
    "charset_normalizer",
    "idna",
    "typing_extensions",
    "cython_runtime",  # of charset_normalizer
}
START = """
import sys
sys.path.insert(0, sys.argv[1])
opened = []
sys.addaudithook(lambda event, arguments: opened.append(str(arguments[0])) if event == "open" else None)
import archive_queued
print("modules", *sorted({name.partition(".")[0] for name in sys.modules}))
print("models", *(path for path in opened if "service-2" in path))
"""


def start() -> dict[str, list[str]]:
    run = subprocess.run(
        [sys.executable, "-c", START, str(FUNCTIONS)],
        env={**FUNCTION_ENVIRONMENT, "PATH": "", "AWS_LAMBDA_RUNTIME_API": "127.0.0.1:9"},
        capture_output=True,
        text=True,
        check=False,
    )
    assert run.returncode == 0, run.stderr
    return {line.split()[0]: line.split()[1:] for line in run.stdout.splitlines()}


def test_the_start_loads_only_what_it_is_known_to_need() -> None:
    """A package that is new to the start is put into the list on purpose; pydantic, X-Ray and CRT are not in it."""
    loaded = {name for name in start()["modules"] if not name.startswith(("_", "pyexpat")) and name != "__main__"}
    mypyc = {name for name in loaded if name.endswith("__mypyc")}  # how charset_normalizer is compiled

    assert loaded - set(sys.stdlib_module_names) - mypyc <= PACKAGES


def test_the_start_builds_no_client_that_it_can_do_without() -> None:
    """No client of S3, whose model is the largest: it would be a fifth of the start."""
    models = start()["models"]

    assert models
    assert [] == [path for path in models if "/s3/" in path]
