"""The report of an audit for machines, with its verdict and its limits in sentences. Pure."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import asdict
from typing import TYPE_CHECKING, Any

from bigin_archive import __version__
from bigin_archive.archive_request import MODULES
from bigin_archive.audit.comparison import COMPLETE, FAILED, Audit
from bigin_archive.audit.difference_kinds import Difference, Kind
from bigin_archive.storage.audit_report import DIFFERENCES

if TYPE_CHECKING:
    from bigin_archive.audit.bigin_side import Listing

MISSING = (Kind.MISSING_OBJECT, Kind.NOT_ARCHIVED, Kind.PARKED, Kind.GONE_BUT_LISTED)


def sentence(audit: Audit) -> str:
    """The verdict in one sentence."""
    listed = audit.total.listed
    if audit.verdict == FAILED:
        return f"This audit failed and proves nothing: {audit.failure}"
    if audit.verdict == COMPLETE:
        return f"Every attachment that Bigin lists ({listed:,}) is archived, with the right size and checksum."
    missing = sum(audit.differences.counts[kind] for kind in MISSING)
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
    yield f"{head[: head.rindex(chr(10) + '}')]},{DIFFERENCES}"
    for number, found in enumerate(audit.differences):
        yield (",\n  " if number else "\n  ") + json.dumps(difference(found), ensure_ascii=False)
    yield "\n ]\n}\n"


def summary(audit: Audit, about: str) -> dict[str, Any]:
    """Everything except the differences."""
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
        "kinds": {kind.code: count for kind, count in audit.by_kind()},
        "compared": audit.compared,
        "proved_by_version": audit.proved,
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


def note_uncovered(audit: Audit, listing: Listing) -> None:
    """Add to ``unlisted`` and ``uncovered`` of an audit what Bigin's list leaves open."""
    audit.unlisted.update(listing.unlisted)
    audit.uncovered += [f"{module}: {reason}" for module, reason in sorted(listing.unlisted.items())]
    audit.uncovered += [
        f"{module}: {count} attachments that Bigin's API lets nobody download"
        for module, count in sorted(listing.unsupported_modules.items())
    ]


def note_limits(audit: Audit, listing: Listing, deep: float, *, is_versioned: bool | None) -> None:
    """Add to ``uncovered`` and ``limits`` of an audit that has compared all that it could.

    ``deep`` is the share of bytes that was read again; ``is_versioned`` whether the bucket keeps versions (None:
    unknown).
    """
    others = [module for module in MODULES if module not in audit.modules]
    if others:
        audit.uncovered.append(f"Modules that were left out: {', '.join(others)}")
    if not audit.failure and audit.modules == MODULES and listing.counted and audit.total.listed < listing.counted:
        audit.uncovered.append(
            f"The sweep counted {listing.counted:,} attachments, the ledger knows {audit.total.listed:,} of them: rows "
            "were lost. bigin-archive rebuild-ledger restores those of files in S3; then sweep."
        )
    audit.limits += _of_the_list(audit, listing)
    audit.limits += _of_the_bytes(audit, deep)
    if is_versioned is False:
        audit.limits.append(
            "The bucket keeps no versions now, so an overwritten or deleted file is lost. Switch versioning on again."
        )
    if audit.fresh:
        audit.limits.append(f"{audit.fresh} were archived while the audit ran; the next one looks at their rows.")
    if audit.differences.counts[Kind.CHANGED_IN_BIGIN]:
        audit.limits.append(
            "Some attachments were changed in Bigin after they were archived (changed_in_bigin). The archive keeps "
            "them as they were."
        )
    audit.limits.append(
        "Bigin's API does not list attachments of e-mails, record photos and file-upload fields. No audit sees them."
    )


def parts_of(deep: float) -> int:
    """The number of audits after which all bytes were read."""
    return max(1, round(1 / deep))


def _of_the_list(audit: Audit, listing: Listing) -> list[str]:
    sentences = []
    if not audit.failure:
        source = "was read from Bigin itself" if listing.found is not None else "is what the last sweep found"
        sentences.append(f"Bigin's list {source}, beginning {listing.began_at[:16].replace('T', ' ')} UTC.")
    if not listing.compares_sizes:
        sentences.append(
            "Sizes were not compared: the last `bigin-archive probe` found that those in Bigin's lists are not those "
            "of the files."
        )
    if listing.is_of_changes:
        sentences.append(
            "Since then only records were listed whose times changed in Bigin. A file that was attached without such "
            "a change is found by the next sweep of everything, once a week."
        )
    if listing.is_of_all:
        sentences.append(
            "It is the list of all attachments, which Bigin does not document. To see whether it leaves something "
            "out, run `bigin-archive audit --by-record`, at one credit for each record."
        )
    return sentences


def _of_the_bytes(audit: Audit, deep: float) -> list[str]:
    sentences = []
    if deep and parts_of(deep) == 1:
        sentences.append(f"The bytes of all {audit.reread:,} objects were read again.")
    elif deep:
        sentences.append(
            f"The bytes of {audit.reread} objects were read again. The next audit like this one reads others, and "
            f"{parts_of(deep)} of them read all."
        )
    else:
        sentences.append("No file was read again. The SHA-256 that S3 verified when it stored each file was compared.")
    if audit.cold:
        sentences.append(
            f"The bytes of {audit.cold:,} objects could not be read again: they lie in an archive tier. Restore them "
            "there first."
        )
    return sentences
