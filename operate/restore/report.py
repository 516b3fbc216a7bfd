"""What a run has done, or would do, for people and for machines."""

import json
from collections.abc import Iterable, Mapping
from typing import Any

from rich.table import Table
from rich.text import Text

from bigin_archive.audit.report_html import size
from operate.restore.limits import file_refusal
from operate.restore.outcome import ALREADY_THERE, RESTORED, WOULD_RESTORE, Outcome, Run, Wanted
from operate.terminal import complain, good, out, printable, say

MOST_SHOWN = 200
_WORDS = {
    "restored": "back in Bigin, byte for byte",
    "would_restore": "would be sent",
    "already_there": "there already, with the same bytes",
    "refused": "refused by Bigin",
    "record_gone": "the record is gone",
    "damaged": "not as archived; not sent",
    "unconfirmed": "sent, and not proved to be there",
    "not_tried": "not tried",
}
_GOOD = (RESTORED, WOULD_RESTORE, ALREADY_THERE)


def show(run: Run, bucket: str) -> None:
    """Print a table of the files, the totals, and what to do."""
    outcomes = run.all_outcomes()
    # The table may be cut after files that are fine, but never before a problem.
    shown = sorted(outcomes, key=lambda one: one.outcome in _GOOD)[:MOST_SHOWN]
    rest = len(outcomes) - len(shown)
    table = Table(header_style="bold", caption=f"{rest:,} more that are fine: --json has all." if rest else None)
    table.add_column("File", overflow="fold", min_width=19)
    table.add_column("Record", overflow="fold", min_width=19)
    table.add_column("Outcome", overflow="fold")
    for one in shown:
        entry = one.wanted.entry
        file = Text(printable(_name(one)))
        file.append(f"\n{entry.attachment_id}, {size(one.wanted.size_bytes)}", style="dim")
        table.add_row(file, f"{one.wanted.to.module}/{one.wanted.to.record_id}", _outcome(one, bucket))
    if shown:
        out().print(table)
    for name, count in run.counts().items():
        text = f"{count:,} {_WORDS[name]}"
        if name in _GOOD:
            good(text)
        else:
            say(text, "yellow")
    for one_id in run.missing:
        complain(f"{printable(one_id)}: nothing is archived under this id.", "bigin-archive find shows what there is.")
    if run.failure:
        complain(f"It ended early ({run.failure}).", run.remedy)
    if not run.wanted and not run.missing:
        complain("Nothing is archived there.", "bigin-archive find shows what there is.")
    say(f"Credits used: {run.credits_used}.")
    if run.dry and run.counts().get(WOULD_RESTORE):
        say(f"Sending them takes {needed_credits(run)} more. Nothing was changed. Add --yes to do it.")


def tell_refusals(wanted: Iterable[Wanted], bucket: str, limit_mib: int) -> None:
    """Print what Bigin will refuse, before anything is sent: by the name and size in the ledger."""
    for one in wanted:
        entry = one.entry
        name = entry.file_name or (entry.key or "").rpartition("/")[2]
        refusal = None if entry.state == "link" else file_refusal(name, one.size_bytes, limit_mib)
        if refusal:
            complain(
                f"Bigin will not take {printable(name)}, {size(one.size_bytes)} ({refusal.code}). "
                f"It lies in s3://{bucket}/{printable(entry.key or '')}.",
                refusal.remedy,
            )


def as_json(run: Run, bucket: str, extra: Mapping[str, Any]) -> str:
    """Everything as JSON."""
    return json.dumps(
        {
            "dry_run": run.dry,
            "files": [_as_json(one, bucket) for one in run.all_outcomes()],
            "missing": list(run.missing),
            "counts": run.counts(),
            "credits": run.credits_used,
            "credits_needed": needed_credits(run),
            "failure": run.failure,
            "remedy": run.remedy or None,
            **extra,
        },
        indent=2,
    )


def needed_credits(run: Run) -> int:
    """The least that sending takes: an upload and a download for each file, two lists for each record."""
    to_send = [one for one in run.all_outcomes() if one.outcome == WOULD_RESTORE]
    return 2 * len(to_send) + 2 * len({one.wanted.to for one in to_send})


def _name(one: Outcome) -> str:
    entry = one.wanted.entry
    return entry.file_name or (entry.key or "").rpartition("/")[2]


def _outcome(one: Outcome, bucket: str) -> Text:
    is_good = one.outcome in _GOOD
    text = Text(one.outcome, style="green" if is_good else "yellow")
    if one.attachment_id:
        text.append(f"\nin Bigin: {one.attachment_id}", style="dim")
    for sentence in (one.detail, one.remedy):
        if sentence:
            text.append(f"\n{printable(sentence)}")
    if not is_good and one.wanted.entry.key:
        text.append(f"\ns3://{bucket}/{printable(one.wanted.entry.key)}", style="dim")
    return text


def _as_json(one: Outcome, bucket: str) -> dict[str, Any]:
    entry, to = one.wanted.entry, one.wanted.to
    return {
        "module": entry.module,
        "record_id": entry.record_id,
        "attachment_id": entry.attachment_id,
        "file_name": _name(one),
        "size_bytes": entry.size_bytes,
        "sha256": entry.sha256,
        "location": f"s3://{bucket}/{entry.key}",
        "to": {"module": to.module, "record_id": to.record_id},
        "outcome": one.outcome,
        "restored_as": one.attachment_id,
        "file_name_in_bigin": one.name_in_bigin,
        "code": one.code,
        "detail": one.detail or None,
        "remedy": one.remedy or None,
    }
