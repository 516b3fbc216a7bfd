"""The words of the weekly mail, in English and in German. ``needs`` says for each thing what to do about it."""

from collections.abc import Mapping
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Words:
    """One language. Numbers are written with ``thousands`` and ``decimal``."""

    thousands: str
    decimal: str
    date: str
    well_subject: str
    needs_subject: str
    head: str
    well: str
    needed: str
    files: tuple[str, str]  # one, and any other number
    figures: str
    first_week: str
    verdicts: Mapping[str | None, str]
    needs: Mapping[str, str]
    report: str
    end: str


ENGLISH = Words(
    thousands=",",
    decimal=".",
    date="%Y-%m-%d %H:%M UTC",
    well_subject="{stack}: all is well, {week} archived this week",
    needs_subject="{stack}: somebody has to do something about the archive ({count})",
    head=(
        "Weekly report of {stack}, the archive that keeps copies of the files attached in Bigin.\nWritten on {now}.\n"
    ),
    well="All is well. Nobody has to do anything.\n",
    needed=(
        "This has to be done. If that is not your work, forward this mail to whoever looks after your AWS account.\n"
        "The indented lines are commands for a terminal that is signed in to that account; `pipx install .` in the\n"
        "folder of Bigin Archive installs them.\n"
    ),
    files=("1 file", "{count} files"),
    figures=(
        "Archived this week: {week}\n"
        "Archived in all:    {archived}\n"
        "Last full check:    {verdict}\n"
        "Used this week:     {credits} of the {credits_share} calls that it may make to Bigin (API credits),\n"
        "                    and about {dollars} US dollars at AWS, estimated from list prices\n"
    ),
    first_week="not known yet, since this is the first mail",
    verdicts={
        None: "none yet: the first search through the whole account ends with one",
        "complete": (
            "complete as of {as_of}, checked {at}.\n"
            "                    Everything that Bigin listed then is archived, with the right size and checksum."
        ),
        "partial": ("not complete, {at}.\n                    Something is missing, differs or could not be compared."),
        "failed": "failed, {at}. It says nothing about the archive.",
    },
    needs={
        "dead_letters": (
            "Not archived: {count} file(s) or record(s). See the reason of each, and what to do about it:\n"
            "   bigin-archive redrive --stack {stack}\n"
            "   When that is done, this archives them. They wait for 14 days:\n"
            "   bigin-archive redrive --all --stack {stack}"
        ),
        "sweep_stuck": (
            "The nightly search for new files (sweep) has failed at the same place for hours. New files may be\n"
            "   missing. See where it fails, and then what to do:\n"
            "   bigin-archive status --stack {stack}\n   bigin-archive doctor --stack {stack}"
        ),
        "audit_not_complete": (
            "The last full check (audit) found {count} difference(s). The report, whose address is below, says\n"
            "   for each what to do. Files that are only missing are fetched from Bigin by:\n"
            "   bigin-archive audit --repair --stack {stack}"
        ),
        "audit_overdue": (
            "The last check that proved the archive complete is more than eight days old. See what holds the\n"
            "   next one up, and then what to do:\n"
            "   bigin-archive status --stack {stack}\n   bigin-archive doctor --stack {stack}"
        ),
        "never_audited": (
            "The archive was never checked, since no search through the whole account has ended yet. See whether\n"
            "   Bigin is connected:\n   bigin-archive doctor --stack {stack}\n"
            "   If it is, archive the whole account now:\n   bigin-archive sweep --watch --stack {stack}"
        ),
        "many_links": (
            "{count} person(s) opened more than 200 files in the console last week. See who, and ask whether it\n"
            "   was them:\n   bigin-archive console list --stack {stack}\n"
            "   If somebody else has the password, end it:\n   bigin-archive console remove EMAIL --stack {stack}"
        ),
    },
    report="The report of the last full check (you may have to sign in first):\n{url}\n",
    end=(
        "This mail comes each week, also when all is well. If it does not come, something is wrong. See what:\n"
        "   bigin-archive doctor --stack {stack}\n"
    ),
)
GERMAN = Words(
    thousands=".",
    decimal=",",
    date="%d.%m.%Y %H:%M UTC",
    well_subject="{stack}: alles in Ordnung, {week} in dieser Woche archiviert",
    needs_subject="{stack}: am Archiv ist etwas zu tun ({count})",
    head=(
        "Wochenbericht von {stack}, dem Archiv mit Kopien aller Dateien, die in Bigin angehängt sind.\n"
        "Geschrieben am {now}.\n"
    ),
    well="Alles ist in Ordnung. Niemand muss etwas tun.\n",
    needed=(
        "Das ist zu tun. Wenn es nicht Ihre Aufgabe ist, leiten Sie diese Mail an die Person weiter, die Ihr\n"
        "AWS-Konto betreut. Die eingerückten Zeilen sind Befehle für ein Terminal, das an diesem Konto angemeldet\n"
        "ist; `pipx install .` im Ordner von Bigin Archive installiert sie.\n"
    ),
    files=("1 Datei", "{count} Dateien"),
    figures=(
        "Diese Woche archiviert: {week}\n"
        "Insgesamt archiviert:   {archived}\n"
        "Letzte volle Prüfung:   {verdict}\n"
        "Diese Woche verbraucht: {credits} von {credits_share} Aufrufen, die es bei Bigin machen darf (API-Credits),\n"
        "                        und etwa {dollars} US-Dollar bei AWS, geschätzt nach Listenpreisen\n"
    ),
    first_week="noch nicht bekannt, denn dies ist die erste Mail",
    verdicts={
        None: "noch keine: Die erste Suche durch das ganze Konto endet mit einer",
        "complete": (
            "vollständig mit Stand vom {as_of}, geprüft am {at}.\n"
            "                        Alles, was Bigin da nannte, ist archiviert, mit richtiger Größe und Prüfsumme."
        ),
        "partial": (
            "nicht vollständig, {at}.\n"
            "                        Etwas fehlt, weicht ab oder konnte nicht verglichen werden."
        ),
        "failed": "fehlgeschlagen, {at}. Sie sagt nichts über das Archiv.",
    },
    needs={
        "dead_letters": (
            "Nicht archiviert: {count} Datei(en) oder Datensätze. Den Grund, und was jeweils zu tun ist, zeigt:\n"
            "   bigin-archive redrive --stack {stack}\n"
            "   Wenn das getan ist, archiviert sie der folgende Befehl. Sie warten 14 Tage:\n"
            "   bigin-archive redrive --all --stack {stack}"
        ),
        "sweep_stuck": (
            "Die nächtliche Suche nach neuen Dateien scheitert seit Stunden an derselben Stelle. Neue Dateien\n"
            "   können fehlen. Wo sie scheitert, und was dann zu tun ist, zeigen:\n"
            "   bigin-archive status --stack {stack}\n   bigin-archive doctor --stack {stack}"
        ),
        "audit_not_complete": (
            "Die letzte volle Prüfung fand {count} Abweichung(en). Der Bericht (Adresse unten) sagt bei jeder,\n"
            "   was zu tun ist. Dateien, die nur fehlen, holt aus Bigin:\n"
            "   bigin-archive audit --repair --stack {stack}"
        ),
        "audit_overdue": (
            "Die letzte Prüfung, nach der das Archiv vollständig war, ist mehr als acht Tage alt. Was die nächste\n"
            "   aufhält, und was dann zu tun ist, zeigen:\n"
            "   bigin-archive status --stack {stack}\n   bigin-archive doctor --stack {stack}"
        ),
        "never_audited": (
            "Das Archiv wurde noch nie geprüft, denn noch keine Suche durch das ganze Konto ist beendet. Ob Bigin\n"
            "   verbunden ist, zeigt:\n   bigin-archive doctor --stack {stack}\n"
            "   Wenn ja, archivieren Sie jetzt das ganze Konto:\n   bigin-archive sweep --watch --stack {stack}"
        ),
        "many_links": (
            "{count} Person(en) haben letzte Woche in der Konsole mehr als 200 Dateien geöffnet. Wer das war, zeigt\n"
            "   der folgende Befehl; fragen Sie nach, ob es stimmt:\n   bigin-archive console list --stack {stack}\n"
            "   Hat jemand anderes das Passwort, sperren Sie es:\n"
            "   bigin-archive console remove E-MAIL --stack {stack}"
        ),
    },
    report="Der Bericht der letzten vollen Prüfung (vielleicht müssen Sie sich vorher anmelden):\n{url}\n",
    end=(
        "Diese Mail kommt jede Woche, auch wenn alles in Ordnung ist. Wenn sie ausbleibt, stimmt etwas nicht. Was,\n"
        "zeigt:\n   bigin-archive doctor --stack {stack}\n"
    ),
)
LANGUAGES = {"EN": ENGLISH, "DE": GERMAN}
NEEDS = tuple(ENGLISH.needs)
