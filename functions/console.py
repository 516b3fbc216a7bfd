"""Lambda function: the console, a page on which people search the archive and download from it (API Gateway)."""

from bigin_archive import cold_start  # must come first

# isort: split
import os
from contextlib import suppress
from functools import cache
from typing import Any

from bigin_archive.api import gateway
from bigin_archive.console import answers
from bigin_archive.console.routes import Console
from bigin_archive.errors import ArchiveError
from bigin_archive.settings import SettingsError
from bigin_archive.wiring.console import console


@cache
def _console() -> Console:
    return console(os.environ)


def handler(event: gateway.Event, context: Any) -> gateway.Answer:
    """Answer one request."""
    try:
        return _console().answer(event)
    except SettingsError as error:
        return answers.problem(error, event)


with suppress(ArchiveError):  # the answer will say so
    _console().files.index()  # at cold start, while Lambda gives the function a whole processor
cold_start.over()
