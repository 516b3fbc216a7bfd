"""A Chromium for the tests of the pages, and the console over an archive on the emulator."""

import threading
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from typing import Any

import pytest
from playwright.sync_api import Browser, BrowserContext, Page, sync_playwright

from bigin_archive.console.archive_files import ArchiveFiles
from operate.console.server import ConsoleServer
from tests.archived import PREFIX, Archive
from tests.aws import Aws
from tests.bigin import Simulator
from tests.browser.chromium import OPTIONS, executable

# Whatever the policies of the pages forbid is told to the page itself.
WATCH = """addEventListener('securitypolicyviolation', (event) => {
  (window.violations ??= []).push(event.violatedDirective);
});"""


@dataclass(slots=True)
class Tab:
    """A page in the browser, and what went wrong in it."""

    page: Page
    dialogs: list[str] = field(default_factory=list)
    errors: list[str] = field(default_factory=list)
    asked: list[str] = field(default_factory=list)

    @property
    def violations(self) -> list[str]:
        found: list[str] = self.page.evaluate("window.violations ?? []")
        return found

    def foreign(self, *own: str) -> list[str]:
        """Requested addresses that begin with none of ``own``."""
        return [url for url in self.asked if not url.startswith((*own, "data:"))]


@pytest.fixture(scope="module")  # while it runs, nothing else in this process can have an event loop
def browser() -> Iterator[Browser]:
    """A Chromium for this test file."""
    path = executable()
    with sync_playwright() as playwright:
        started = playwright.chromium.launch(executable_path=path, args=OPTIONS)
        yield started
        started.close()


@pytest.fixture
def tab(browser: Browser) -> Iterator[Callable[..., Tab]]:
    """Opens pages; each in a browser session of its own. Scripts' errors and dialogs fail the test at its end."""
    opened: list[tuple[BrowserContext, Tab]] = []

    def new(**options: Any) -> Tab:
        context = browser.new_context(**{"locale": "en-GB", "ignore_https_errors": True, **options})
        context.set_default_timeout(20_000)
        context.add_init_script(WATCH)
        made = Tab(context.new_page())
        made.page.on("dialog", lambda dialog: (made.dialogs.append(dialog.message), dialog.dismiss()))
        made.page.on("pageerror", lambda error: made.errors.append(str(error)))
        made.page.on("request", lambda request: made.asked.append(request.url))
        opened.append((context, made))
        return made

    yield new
    seen = [(made.dialogs, made.errors) for _, made in opened]
    for context, _ in opened:
        context.close()
    assert seen == [([], [])] * len(seen)


@pytest.fixture
def archive(aws: Aws, bigin: Simulator) -> Archive:
    """An empty archive."""
    return Archive(aws, bigin)


@pytest.fixture
def console(archive: Archive) -> Iterator[ConsoleServer]:
    """The console of that archive, on this machine."""
    files = ArchiveFiles(archive.aws.client("s3", signature="s3v4"), archive.aws.bucket, PREFIX)
    with ConsoleServer(files, archive.ledger, 0, lambda *line: None) as server:
        serving = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02})
        serving.start()
        yield server
        server.shutdown()
        serving.join()
