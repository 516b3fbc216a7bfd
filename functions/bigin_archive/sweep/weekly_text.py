"""The weekly mail in words: figures in, subject and text out, in English and in German. Pure.

Whoever reads it has no other page at hand: each thing that needs somebody says what to do.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime

_MOST_SUBJECT = 100  # characters, ASCII (Amazon SNS API Reference, Publish)


@dataclass(frozen=True, slots=True)
class Figures:
    """What a week was. ``needs`` counts by kind what needs somebody: the keys of the sentences below.

    ``archived_week`` and ``bytes_week`` are None in the first mail; ``verdict`` and ``audited_at`` before the first
    audit. ``credits`` were used of ``credits_share``, both of the week; ``dollars`` are estimated from list prices.
    """

    stack: str
    now: datetime
    archived: int
    size_bytes: int
    archived_week: int | None
    bytes_week: int | None
    verdict: str | None
    audited_at: datetime | None
    needs: Mapping[str, int]
    credits: int
    credits_share: int
    dollars: float
    report_url: str | None


@dataclass(frozen=True, slots=True)
class _Words:
    """One language. Numbers are written with ``thousands`` and ``decimal``."""

    thousands: str
    decimal: str
    date: str
    well_subject: str
    needs_subject: str
    head: str
    well: str
    needed: str
    files: str
    figures: str
    first_week: str
    verdicts: Mapping[str | None, str]
    needs: Mapping[str, str]
    report: str
    end: str


_ENGLISH = _Words(
    thousands=",",
    decimal=".",
    date="%Y-%m-%d %H:%M UTC",
    well_subject="{stack}: all is well, {week} files archived this week",
    needs_subject="{stack}: {count} thing(s) in the archive need somebody",
    head="The week of the archive {stack}, {now}\n",
    well="All is well. Nobody has to do anything.\n",
    needed="What needs somebody. If that is not you, forward this mail to whoever looks after your AWS account:\n",
    files="{count} files, {size}",
    figures=(
        "Archived this week: {week}\n"
        "Archived in all:    {archived}\n"
        "Last audit:         {verdict}\n"
        "Used this week:     {credits} of {credits_share} API credits that Bigin gives this archive,\n"
        "                    and about {dollars} US dollars of AWS (estimated from list prices)\n"
    ),
    first_week="this is the first mail; the next one tells",
    verdicts={
        None: "none yet. The first sweep of the account ends with one.",
        "complete": "complete, {at}. All that Bigin listed is archived, with the right size and checksum.",
        "partial": "not complete, {at}. Something is missing, differs or could not be compared.",
        "failed": "failed, {at}. It proves nothing.",
    },
    needs={
        "dead_letters": (
            "{count} request(s) could not be archived. See why, and what to do about each reason:\n"
            "   bigin-archive redrive --stack {stack}\n"
            "   The same command sends them back when the cause is mended. They are kept for 14 days."
        ),
        "sweep_stuck": (
            "The nightly sweep has failed for hours at the same place. See why:\n"
            "   bigin-archive status --stack {stack}\n   then what to do:\n   bigin-archive doctor --stack {stack}"
        ),
        "audit_not_complete": (
            "The last audit found {count} difference(s) that somebody has to look at. Each line of the report\n"
            "   below says what to do. What is merely missing is archived by:\n"
            "   bigin-archive audit --repair --stack {stack}"
        ),
        "audit_overdue": (
            "The last audit that proved the archive is older than eight days. See what the sweep waits for:\n"
            "   bigin-archive status --stack {stack}"
        ),
        "never_audited": (
            "The archive was never audited: no sweep of the whole account has ended. Is Bigin connected?\n"
            "   bigin-archive doctor --stack {stack}\n   Then archive the whole account:\n"
            "   bigin-archive sweep --watch --stack {stack}"
        ),
    },
    report="The report of the last audit (sign in first):\n{url}\n",
    end=(
        "This mail comes each week, also when all is well. If it does not come, something is wrong:\n"
        "bigin-archive doctor --stack {stack}\n"
    ),
)
_GERMAN = _Words(
    thousands=".",
    decimal=",",
    date="%d.%m.%Y %H:%M UTC",
    well_subject="{stack}: alles in Ordnung, {week} Dateien in dieser Woche archiviert",
    needs_subject="{stack}: im Archiv ist {count} mal etwas zu tun",
    head="Die Woche des Archivs {stack}, {now}\n",
    well="Alles ist in Ordnung. Niemand muss etwas tun.\n",
    needed="Was zu tun ist. Wenn Sie das nicht selbst tun, leiten Sie diese Mail an die Person weiter, die Ihr\n"
    "AWS-Konto betreut:\n",
    files="{count} Dateien, {size}",
    figures=(
        "Diese Woche archiviert: {week}\n"
        "Insgesamt archiviert:   {archived}\n"
        "Letzte Prüfung:         {verdict}\n"
        "Diese Woche verbraucht: {credits} von {credits_share} API-Credits, die Bigin diesem Archiv gibt,\n"
        "                        und etwa {dollars} US-Dollar bei AWS (geschätzt nach Listenpreisen)\n"
    ),
    first_week="dies ist die erste Mail; die nächste sagt es",
    verdicts={
        None: "noch keine. Der erste Durchgang durch das Konto endet mit einer.",
        "complete": "vollständig, {at}. Alles, was Bigin nennt, ist archiviert, mit richtiger Größe und Prüfsumme.",
        "partial": "nicht vollständig, {at}. Etwas fehlt, weicht ab oder konnte nicht verglichen werden.",
        "failed": "fehlgeschlagen, {at}. Sie beweist nichts.",
    },
    needs={
        "dead_letters": (
            "{count} Anfrage(n) konnten nicht archiviert werden. Warum, und was bei jedem Grund zu tun ist, sagt:\n"
            "   bigin-archive redrive --stack {stack}\n"
            "   Derselbe Befehl schickt sie zurück, wenn die Ursache behoben ist. Sie bleiben 14 Tage erhalten."
        ),
        "sweep_stuck": (
            "Der nächtliche Durchgang scheitert seit Stunden an derselben Stelle. Warum, sagt:\n"
            "   bigin-archive status --stack {stack}\n   und was zu tun ist:\n   bigin-archive doctor --stack {stack}"
        ),
        "audit_not_complete": (
            "Die letzte Prüfung fand {count} Abweichung(en), die jemand ansehen muss. Jede Zeile des Berichts\n"
            "   (unten) sagt, was zu tun ist. Was nur fehlt, archiviert:\n"
            "   bigin-archive audit --repair --stack {stack}"
        ),
        "audit_overdue": (
            "Die letzte Prüfung, die das Archiv bewiesen hat, ist älter als acht Tage. Worauf der Durchgang wartet,\n"
            "   sagt:\n   bigin-archive status --stack {stack}"
        ),
        "never_audited": (
            "Das Archiv wurde noch nie geprüft: Kein Durchgang durch das ganze Konto ist beendet. Ist Bigin\n"
            "   verbunden?\n   bigin-archive doctor --stack {stack}\n   Dann das ganze Konto archivieren:\n"
            "   bigin-archive sweep --watch --stack {stack}"
        ),
    },
    report="Der Bericht der letzten Prüfung (vorher anmelden):\n{url}\n",
    end=(
        "Diese Mail kommt jede Woche, auch wenn alles in Ordnung ist. Wenn sie ausbleibt, stimmt etwas nicht:\n"
        "bigin-archive doctor --stack {stack}\n"
    ),
)
LANGUAGES = {"EN": _ENGLISH, "DE": _GERMAN}
NEEDS = tuple(_ENGLISH.needs)


def mail(figures: Figures, language: str) -> tuple[str, str]:
    """Subject (ASCII, at most 100 characters) and text. Raises KeyError for a language that is none of LANGUAGES."""
    words = LANGUAGES[language]
    needs = [kind for kind in NEEDS if figures.needs.get(kind)]
    week = "?" if figures.archived_week is None else _number(figures.archived_week, words)
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


def _figures(figures: Figures, words: _Words) -> str:
    if figures.archived_week is None:
        week = words.first_week
    else:
        week = _files(figures.archived_week, figures.bytes_week or 0, words)
    at = figures.audited_at.strftime(words.date) if figures.audited_at else ""
    return words.figures.format(
        week=week,
        archived=_files(figures.archived, figures.size_bytes, words),
        verdict=words.verdicts.get(figures.verdict, words.verdicts["failed"]).format(at=at),
        credits=_number(figures.credits, words),
        credits_share=_number(figures.credits_share, words),
        dollars=f"{figures.dollars:.2f}".replace(".", words.decimal),
    )


def _files(count: int, size_bytes: int, words: _Words) -> str:
    return words.files.format(count=_number(count, words), size=_size(size_bytes, words))


def _number(value: int, words: _Words) -> str:
    return f"{value:,}".replace(",", words.thousands)


def _size(size_bytes: int, words: _Words) -> str:
    for unit, factor in (("TB", 1e12), ("GB", 1e9), ("MB", 1e6)):
        if size_bytes >= factor:
            return f"{size_bytes / factor:.1f}".replace(".", words.decimal) + f" {unit}"
    return f"{_number(round(size_bytes / 1e3), words)} KB"
