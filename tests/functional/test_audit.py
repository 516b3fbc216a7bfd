"""The audit on the emulator: every planted difference is found, and none is invented."""

import json

import pytest

from bigin_archive.auditor import Listing
from tests.archived import Archive
from tests.aws import Aws
from tests.bigin import Simulator


@pytest.fixture
def archive(aws: Aws, bigin: Simulator) -> Archive:
    """An empty archive."""
    return Archive(aws, bigin)


def since_long_ago() -> Listing:
    """Bigin's list as a sweep in January left it in the ledger."""
    return Listing("2026-01-01T00:00:00+00:00")


def test_an_archive_without_differences_is_complete(archive: Archive) -> None:
    """Nothing planted, nothing found; report and index lie in the bucket."""
    made = archive.new(30)

    audit = archive.auditor.audit(since_long_ago())

    assert ("complete", [], []) == (audit.verdict, audit.differences, audit.uncovered)
    assert (30, sum(entry.size_bytes or 0 for entry in made)) == (audit.total.archived, audit.total.size_bytes)
    report = json.loads(archive.read("_audit/latest.json"))
    assert ("complete", []) == (report["verdict"], report["differences"])
