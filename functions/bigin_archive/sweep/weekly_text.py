"""The weekly mail: figures in, subject and text out, in English and in German. Pure.

The reader has no other page at hand, so the mail says what to do about each thing.
"""

import math
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime

from bigin_archive.sweep.weekly_words import LANGUAGES, NEEDS, Words

_MOST_SUBJECT = 100  # characters, ASCII (Amazon SNS API Reference, Publish)


@dataclass(frozen=True, slots=True)
class Figures:
    """The figures of a week. ``needs`` counts the things to do by kind: the keys of the sentences.

    ``archived_week`` and ``bytes_week`` are None in the first mail; ``verdict`` and ``audited_at`` before the first
    audit, ``complete_as_of`` also where Bigin's lists were not read whole. ``credits`` of ``credits_share`` were used
    in the week; ``dollars`` are estimated from list prices.
    """

    stack: str
    now: datetime
    archived: int
    size_bytes: int
    archived_week: int | None
    bytes_week: int | None
    verdict: str | None
    audited_at: datetime | None
    complete_as_of: datetime | None
    needs: Mapping[str, int]
    credits: int
    credits_share: int
    dollars: float
    report_url: str | None


def mail(figures: Figures, language: str) -> tuple[str, str]:
    """Subject (ASCII, at most 100 characters) and text. Raises KeyError for a language that is none of LANGUAGES."""
    words = LANGUAGES[language]
    needs = [kind for kind in NEEDS if figures.needs.get(kind)]
    week = _files(figures.archived_week, words)
    template = words.needs_subject if needs else words.well_subject
    subject = template.format(stack=figures.stack, week=week, count=len(needs))
    parts = [words.head.format(stack=figures.stack, now=figures.now.strftime(words.date))]
    if needs:
        parts.append(words.needed)
        parts += [
            f"{place}. {words.needs[kind].format(count=_number(figures.needs[kind], words), stack=figures.stack)}\n"
            for place, kind in enumerate(needs, 1)
        ]
    else:
        parts.append(words.well)
    parts.append(_figures(figures, words))
    if figures.report_url:
        parts.append(words.report.format(url=figures.report_url))
    parts.append(words.end.format(stack=figures.stack))
    return subject.encode("ascii", "replace").decode()[:_MOST_SUBJECT], "\n".join(parts)


def _figures(figures: Figures, words: Words) -> str:
    if figures.archived_week is None:
        week = words.first_week
    else:
        week = f"{_files(figures.archived_week, words)}, {_size(figures.bytes_week or 0, words)}"
    at, as_of = (
        time.strftime(words.date) if time else ""
        for time in (figures.audited_at, figures.complete_as_of or figures.audited_at)
    )
    return words.figures.format(
        week=week,
        archived=f"{_files(figures.archived, words)}, {_size(figures.size_bytes, words)}",
        verdict=words.verdicts.get(figures.verdict, words.verdicts["failed"]).format(at=at, as_of=as_of),
        credits=_number(figures.credits, words),
        credits_share=_number(figures.credits_share, words),
        dollars=f"{figures.dollars:.2f}".replace(".", words.decimal),
    )


def _files(count: int | None, words: Words) -> str:
    one, others = words.files
    return one if count == 1 else others.format(count="?" if count is None else _number(count, words))


def _number(value: int, words: Words) -> str:
    return f"{value:,}".replace(",", words.thousands)


def _size(size_bytes: int, words: Words) -> str:
    for unit, factor in (("TB", 1e12), ("GB", 1e9), ("MB", 1e6)):
        if size_bytes >= factor:
            return f"{size_bytes / factor:.1f}".replace(".", words.decimal) + f" {unit}"
    return f"{_number(math.ceil(size_bytes / 1e3), words)} KB"
