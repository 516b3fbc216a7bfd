"""The browser of the tests: Debian's Chromium or any other that is there; none is downloaded."""

import os
import shutil

import pytest

NAMES = ("chromium", "chromium-browser", "google-chrome", "google-chrome-stable")
OPTIONS = ["--no-proxy-server"]
MISSING = "No Chromium is on the PATH, so the pages were not tried in a browser. Debian: apt-get install chromium"


def executable() -> str:
    """Its path. Skips the test without one; where CHROMIUM_REQUIRED is set, that is a failure."""
    found = next((path for path in map(shutil.which, NAMES) if path), None)
    if not found:
        (pytest.fail if os.environ.get("CHROMIUM_REQUIRED") else pytest.skip)(MISSING)
    return str(found)
