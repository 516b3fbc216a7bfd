"""The report of an audit as a page for people, to be read on a screen, printed, and kept. Pure.

It needs no other file, and its policy lets a browser fetch nothing. Names come from outside and are escaped.
"""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from datetime import datetime
from html import escape

from bigin_archive import __version__
from bigin_archive.archive_request import ALIASES
from bigin_archive.audit.comparison import COMPLETE, FAILED, PARTIAL, Audit, Totals
from bigin_archive.audit.difference_kinds import Difference, Kind
from bigin_archive.audit.report_json import sentence

MOST_ROWS = 10_000  # of one kind; the JSON file has all
_TITLES = {
    COMPLETE: "The archive is complete",
    PARTIAL: "The archive is not proved complete",
    FAILED: "The audit failed",
}
_MARKS = {COMPLETE: "✓", PARTIAL: "!", FAILED: "✗"}
_STYLE = """
:root { color-scheme: light; --ink: #1d2433; --soft: #5d6778; --line: #e3e7ee; --wash: #f6f8fb;
  --complete: #1c7a4b; --partial: #a15c00; --failed: #b3261e; }
* { box-sizing: border-box; }
body { margin: 0; background: #fff; color: var(--ink);
  font: 16px/1.55 system-ui, -apple-system, "Segoe UI", Roboto, "Noto Sans", Arial, sans-serif; }
main { max-width: 68rem; margin: 0 auto; padding: 2.5rem 1.5rem 4rem; }
header { border: 1px solid var(--line); border-left: .4rem solid var(--tone); border-radius: .5rem;
  padding: 1.5rem 1.75rem; margin-bottom: 2.5rem; }
h1 { margin: 0; font-size: 1.7rem; line-height: 1.25; color: var(--tone); text-wrap: balance; }
header p { margin: .5rem 0 0; font-size: 1.1rem; }
dl { display: grid; grid-template-columns: max-content 1fr; gap: .15rem 1.25rem; margin: 1.1rem 0 0; font-size: .9rem; }
dt { color: var(--soft); } dd { margin: 0; overflow-wrap: anywhere; }
h2 { margin: 2.75rem 0 .75rem; font-size: 1.2rem; }
h3 { margin: 2rem 0 .25rem; font-size: 1.02rem; }
h3 .count, .only { color: var(--soft); font-weight: 400; }
h2 + h3 { margin-top: .75rem; }
.remedy { margin: 0 0 .75rem; max-width: 52rem; }
table { width: 100%; border-collapse: collapse; font-size: .92rem; }
th, td { padding: .45rem .75rem; text-align: left; vertical-align: top; border-bottom: 1px solid var(--line); }
th { color: var(--soft); font-weight: 600; font-size: .8rem; background: var(--wash); }
.files td { overflow-wrap: anywhere; }
.modules td:first-child { white-space: nowrap; }
tfoot td { font-weight: 600; border-bottom: 0; }
.number { text-align: right; font-variant-numeric: tabular-nums; white-space: nowrap; }
.zero { color: #aab2c0; }
.id { color: var(--soft); font-size: .82rem; font-variant-numeric: tabular-nums; }
.files td:nth-child(1) { width: 34%; } .files td:nth-child(2) { width: 28%; }
.files td:nth-child(3) { font-size: .88rem; }
.notes { margin: 0; padding-left: 1.2rem; } .notes li { margin: .3rem 0; }
footer { margin-top: 3rem; padding-top: 1rem; border-top: 1px solid var(--line); color: var(--soft);
  font-size: .85rem; }
a { color: inherit; text-decoration-color: #aab2c0; text-underline-offset: .2em; }
.complete { --tone: var(--complete); } .partial { --tone: var(--partial); } .failed { --tone: var(--failed); }
@media print {
  @page { margin: 14mm 14mm 16mm; @bottom-right { content: counter(page) " / " counter(pages); color: #5d6778;
    font: 8pt system-ui, Arial, sans-serif; } }
  body { font-size: 10pt; line-height: 1.4; } main { max-width: none; padding: 0; }
  th, td { padding: .25rem .45rem; } header { padding: .9rem 1.25rem; margin-bottom: 1.4rem; }
  h2 { margin: 1.4rem 0 .5rem; } h3 { margin: 1.1rem 0 .2rem; } footer { margin-top: 1.4rem; padding-top: .6rem; }
  tr, li, header { break-inside: avoid; } h2, h3, .remedy { break-after: avoid; } thead { display: table-header-group; }
  tfoot { display: table-row-group; } th { background: none; border-bottom: 1.5px solid #8791a3; } }
@media (max-width: 40rem) { main { padding: 1rem; } th, td { padding: .4rem; } .wide { overflow-x: auto; } }
"""
_SHOWN_AS = {name: f"{name} ({alias})" for alias, name in ALIASES.items()}  # the name on Bigin's own screens
_COLUMNS = (
    ("In Bigin", "listed"),
    ("Files archived", "archived"),
    ("Links archived", "links"),
    ("Not yet", "pending"),
    ("Refused", "parked"),
    ("Gone", "gone"),
    ("Differences", "differences"),
)


def pieces(audit: Audit, about: str) -> Iterator[str]:
    """The page, in pieces; ``about`` is the archive's address."""
    verdict = audit.verdict
    yield (
        '<!DOCTYPE html>\n<html lang="en">\n<head>\n<meta charset="utf-8">\n'
        "<meta http-equiv=\"Content-Security-Policy\" content=\"default-src 'none'; style-src 'unsafe-inline'\">\n"
        '<meta name="viewport" content="width=device-width, initial-scale=1">\n'
        f"<title>{_TITLES[verdict]} – {_day(audit.started_at)}</title>\n<style>{_STYLE}</style>\n</head>\n"
        f'<body class="{verdict}">\n<main>\n<header>\n<h1>{_MARKS[verdict]}&ensp;{_TITLES[verdict]}</h1>\n'
        f"<p>{escape(sentence(audit))}</p>\n<dl>\n"
    )
    yield from _facts(audit, about)
    yield "</dl>\n</header>\n"
    if audit.uncovered:
        yield '<section>\n<h2>What was not compared</h2>\n<ul class="notes">\n'
        yield from _items(audit.uncovered)
        yield "</ul>\n</section>\n"
    yield from _totals(audit)
    yield from _differences(audit)
    yield '<section>\n<h2>What this audit cannot know</h2>\n<ul class="notes">\n'
    yield from _items(audit.limits)
    yield (
        "</ul>\n</section>\n<footer>Bigin Archive "
        f"{__version__}. The same as JSON, with the whole list of differences, lies beside this page. "
        "The archive can be checked without this program: _index/SHA256SUMS.</footer>\n</main>\n</body>\n</html>\n"
    )


def _facts(audit: Audit, about: str) -> Iterator[str]:
    total = audit.total
    finished = audit.finished_at or audit.started_at
    facts = (
        ("Archive", about),
        ("Compared", f"{total.archived + total.links:,} archived, {size(total.size_bytes)}"),
        ("When", f"{_moment(audit.started_at)}, in {_span(audit.started_at, finished)}"),
        ("Bigin's list", f"read since {_moment(audit.listed_at)}"),
        ("Complete as of", _moment(audit.complete_as_of) if audit.complete_as_of else "not known"),
        ("Version", f"Bigin Archive {__version__}"),
    )
    for name, value in facts:
        yield f"<dt>{name}</dt><dd>{escape(value)}</dd>\n"


def _totals(audit: Audit) -> Iterator[str]:
    heads = "".join(f'<th scope="col" class="number">{title}</th>' for title, _ in _COLUMNS)
    yield (
        '<section>\n<h2>Attachments by module</h2>\n<div class="wide"><table class="modules">\n'
        f'<thead><tr><th scope="col">Module</th>{heads}<th scope="col" class="number">Size</th></tr></thead>\n<tbody>\n'
    )
    for module, totals in audit.totals.items():
        yield _totals_row(module, totals, is_listed=module not in audit.unlisted)
    last = _totals_row("All", audit.total, is_listed=not audit.unlisted.issuperset(audit.modules))
    yield f"</tbody>\n<tfoot>\n{last}</tfoot>\n</table></div>\n</section>\n"


def _totals_row(name: str, totals: Totals, *, is_listed: bool) -> str:
    name = _SHOWN_AS.get(name, name)
    cells = ""
    for _, field in _COLUMNS:
        count = getattr(totals, field)
        is_known = count or is_listed or field != "listed"
        cells += f'<td class="number{"" if count else " zero"}">{f"{count:,}" if is_known else "–"}</td>'
    return f'<tr><td>{escape(name)}</td>{cells}<td class="number">{size(totals.size_bytes)}</td></tr>\n'


def _differences(audit: Audit) -> Iterator[str]:
    groups = audit.by_kind()
    if not groups:
        return
    yield f"<section>\n<h2>{'Differences' if audit.grave else 'Good to know'}</h2>\n"
    if len(groups) > 1:
        yield '<ul class="notes">\n'
        for kind, count in groups:
            only = ' <span class="only">– for information</span>' if kind.only_told else ""
            yield f'<li><a href="#{kind.code}">{kind.title}</a>: {count:,}{only}</li>\n'
        yield "</ul>\n"
    shown = _first_of_each_kind(audit.differences)
    for kind, count in groups:
        yield from _group(kind, shown[kind], count)
    yield "</section>\n"


def _first_of_each_kind(differences: Iterable[Difference]) -> Mapping[Kind, Sequence[Difference]]:
    shown: dict[Kind, list[Difference]] = {}
    for one in differences:
        of_kind = shown.setdefault(one.kind, [])
        if len(of_kind) < MOST_ROWS:
            of_kind.append(one)
    return shown


def _group(kind: Kind, shown: Sequence[Difference], count: int) -> Iterator[str]:
    yield (
        f'<h3 id="{kind.code}">{kind.title} <span class="count">({count:,})</span></h3>\n'
        f'<p class="remedy">{escape(kind.remedy)}</p>\n<div class="wide"><table class="files">\n'
        '<thead><tr><th scope="col">File</th><th scope="col">Record</th><th scope="col">Finding</th></tr></thead>'
        "\n<tbody>\n"
    )
    for one in shown:
        yield _row(one)
    yield "</tbody>\n</table></div>\n"
    if count > len(shown):
        yield f"<p>{count - len(shown):,} more stand in the JSON file.</p>\n"


def _row(one: Difference) -> str:
    request = one.request
    if request:
        file = f'<bdi>{escape(one.file_name or "unnamed")}</bdi><br><span class="id">{request.attachment_id}</span>'
        name = f"<bdi>{escape(one.record_name)}</bdi><br>" if one.record_name else ""
        record = f'{name}<span class="id">{escape(request.module)} {request.record_id}</span>'
    else:
        file, record = f"<bdi>{escape(one.place)}</bdi>", "–"
    return f"<tr><td>{file}</td><td>{record}</td><td><bdi>{escape(one.detail)}</bdi></td></tr>\n"


def _items(texts: Sequence[str]) -> Iterator[str]:
    for text in texts:
        yield f"<li>{escape(text)}</li>\n"


def size(count: int) -> str:
    """Bytes for people, with binary units."""
    value, unit = float(count), "bytes"
    for larger in ("KiB", "MiB", "GiB", "TiB"):
        if value < 1024:
            break
        value, unit = value / 1024, larger
    return f"{count:,} bytes" if unit == "bytes" else f"{value:,.1f} {unit}"


def _day(iso: str) -> str:
    return datetime.fromisoformat(iso).strftime("%-d %B %Y")


def _moment(iso: str) -> str:
    return datetime.fromisoformat(iso).strftime("%-d %B %Y, %H:%M UTC")


def _span(first: str, last: str) -> str:
    seconds = int((datetime.fromisoformat(last) - datetime.fromisoformat(first)).total_seconds())
    minutes, rest = divmod(seconds, 60)
    if not seconds:
        return "less than a second"
    return f"{minutes} min {rest} s" if minutes else f"{rest} s"
