"""The summary of a report, from its beginning: a lost ledger makes a difference of each attachment."""

import json

import pytest

from bigin_archive.audit.comparison import Audit
from bigin_archive.audit.difference_kinds import Difference, Kind
from bigin_archive.audit.report_json import pieces, summary
from bigin_archive.storage import audit_report

ABOUT = "s3://archive/bigin/"


def report(differences: int, **fields: object) -> tuple[Audit, str]:
    made = Audit("2026-01-01T00:00:00.000+00:00", "2026-01-01T00:00:00.000+00:00", ("Contacts",), **fields)  # type: ignore[arg-type]
    named = 'a name with \n "differences": [ in it'
    made.differences.add(
        Difference(Kind.NOT_ARCHIVED, f"Contacts/1/{number}", "d", None, named, named) for number in range(differences)
    )
    return made, "".join(pieces(made, ABOUT))


@pytest.mark.parametrize("differences", [0, 1, 3000])
def test_the_summary_is_all_but_the_differences(differences: int) -> None:
    """The summary comes from the whole report, and from any beginning that holds the figures."""
    made, text = report(differences)
    expected = json.loads(json.dumps(summary(made, ABOUT)))

    assert audit_report.summary(text.encode()) == expected
    assert audit_report.summary(text.encode()[:2000]) == expected
    assert len(json.loads(text)["differences"]) == differences


@pytest.mark.parametrize("content", [b"", b"{", b"[]", b"null", b"\xff", b"{" * 100_000, b'{"verdict": "complete"'])
def test_what_is_no_report_has_no_summary(content: bytes) -> None:
    """A report that is cut, damaged or somebody else's has an empty summary."""
    assert audit_report.summary(content) == {}


def test_a_report_of_another_form_is_read_whole() -> None:
    """A report of another form is read whole, as JSON."""
    assert audit_report.summary(b'{"verdict":"partial","differences":[]}') == {"verdict": "partial", "differences": []}
