"""The audit on the emulator: every planted difference is found, and none is invented."""

import json
from collections.abc import Callable

import pytest

from bigin_archive.auditor import Listing
from tests import planted
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


def test_every_planted_difference_is_found_and_none_invented(archive: Archive, figure: Callable[[str], None]) -> None:
    """Fifteen kinds among attachments that are right, with Bigin's own list: each is called what it is."""
    untouched, touched = archive.new(100), archive.new(15 * 10)
    archive.empty_bigin()
    archive.in_bigin([*untouched, *touched])
    expected = planted.plant(archive, touched, planted.ALL)

    audit = archive.auditor.audit(archive.listing())

    assert expected == {found.place: found.kind.code for found in audit.differences}
    assert len(expected) == len(audit.differences)
    assert "partial" == audit.verdict
    figure(f"audit: {len(expected)} differences of {len(planted.ALL)} kinds planted and found, 0 invented")
