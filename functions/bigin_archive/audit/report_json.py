"""The report of an audit for machines, and its verdict in one sentence. Pure."""

import json
from collections.abc import Iterator
from dataclasses import asdict
from typing import Any

from bigin_archive import __version__
from bigin_archive.audit.comparison import COMPLETE, FAILED, Audit
from bigin_archive.audit.difference_kinds import Difference, Kind

MISSING = (Kind.MISSING_OBJECT, Kind.NOT_ARCHIVED, Kind.PARKED, Kind.GONE_BUT_LISTED)


def sentence(audit: Audit) -> str:
    """The verdict as one would say it."""
    listed = audit.total.listed
    if audit.verdict == FAILED:
        return f"This audit failed and proves nothing: {audit.failure}"
    if audit.verdict == COMPLETE:
        return f"Every attachment that Bigin lists ({listed:,}) is archived, with the right size and checksum."
    missing = sum(found.kind in MISSING for found in audit.differences)
    parts = [f"Bigin lists {_count(listed, 'attachment')}"]
    if missing:
        parts.append(f"{missing:,} {_be(missing)} not in the archive")
    if others := audit.grave - missing:
        parts.append(f"{_count(others, 'other difference' if missing else 'difference')} {_be(others)} to be looked at")
    if audit.uncovered:
        parts.append("not everything could be compared")
    return f"{parts[0]}: {' and '.join([', '.join(parts[1:-1]), parts[-1]] if parts[2:] else parts[1:])}."


def _count(number: int, what: str) -> str:
    return f"{number:,} {what}{'' if number == 1 else 's'}"


def _be(number: int) -> str:
    return "is" if number == 1 else "are"


def pieces(audit: Audit, about: str) -> Iterator[str]:
    """The report as one JSON object, in pieces; ``about`` is the archive's address."""
    head = json.dumps(summary(audit, about), indent=1, ensure_ascii=False)
    yield head[: head.rindex("\n}")] + ',\n "differences": ['
    for number, found in enumerate(audit.differences):
        yield (",\n  " if number else "\n  ") + json.dumps(difference(found), ensure_ascii=False)
    yield "\n ]\n}\n"


def summary(audit: Audit, about: str) -> dict[str, Any]:
    """Everything but the differences."""
    return {
        "verdict": audit.verdict,
        "sentence": sentence(audit),
        "archive": about,
        "version": __version__,
        "started_at": audit.started_at,
        "finished_at": audit.finished_at,
        "listed_at": audit.listed_at,
        "complete_as_of": audit.complete_as_of,
        "failure": audit.failure,
        "total": asdict(audit.total),
        "modules": {module: asdict(totals) for module, totals in audit.totals.items()},
        "kinds": {kind.code: len(found) for kind, found in audit.by_kind()},
        "compared": audit.compared,
        "reread": audit.reread,
        "archived_meanwhile": audit.fresh,
        "not_covered": audit.uncovered,
        "limits": audit.limits,
    }


def difference(found: Difference) -> dict[str, Any]:
    """One difference, with its remedy."""
    request = found.request
    return {
        "kind": found.kind.code,
        "prevents_complete": not found.kind.only_told,
        "module": request and request.module,
        "record_id": request and request.record_id,
        "attachment_id": request and request.attachment_id,
        "record_name": found.record_name,
        "file_name": found.file_name,
        "key": found.key,
        "detail": found.detail,
        "remedy": found.kind.remedy,
    }
