"""A plot of the rows that have a target: the share of the target that this project and its peers take."""

from collections.abc import Sequence
from html import escape

from local.package import PROJECT
from tests.bench.report import Row

FILE = PROJECT / "tests" / "bench" / "targets.svg"
WIDTH, LABEL, ROW, MOST = 900, 420, 26, 2.0  # pixels; what is above twice the target ends at the edge
COLOURS = {"usual handler": "#d1242f", "upload_fileobj": "#bf8700", "rclone": "#8250df"}


def write(rows: Sequence[Row]) -> None:
    """Write the SVG beside the benchmark."""
    judged = [row for row in rows if row.target]
    scale = (WIDTH - LABEL - 20) / MOST
    height = ROW * (len(judged) + 2)
    lines = [
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {WIDTH} {height}" ',
        'font-family="sans-serif" font-size="11">',
        f'<rect width="{WIDTH}" height="{height}" fill="#fff"/>',
    ]
    for number, row in enumerate(judged):
        y = ROW * number + 8
        length = min(MOST, row.figure / (row.target or 1)) * scale
        lines += [
            f'<text x="{LABEL - 8}" y="{y + 12}" text-anchor="end">{escape(_short(row.measure))}</text>',
            f'<rect x="{LABEL}" y="{y}" width="{length:.0f}" height="16" fill="#0969da"/>',
        ]
        for name, value in row.peers.items():
            if name in COLOURS:
                x = LABEL + min(MOST, value / (row.target or 1)) * scale
                lines.append(f'<circle cx="{x:.0f}" cy="{y + 8}" r="4" fill="{COLOURS[name]}"/>')
    x, bottom = LABEL + scale, ROW * len(judged)
    lines.append(f'<path d="M{x:.0f} 2V{bottom + 6}" stroke="#1a7f37" stroke-width="2"/>')
    lines.append(f'<text x="{x:.0f}" y="{bottom + 20}" text-anchor="middle" fill="#1a7f37">target</text>')
    legend = [("this project", "#0969da"), *COLOURS.items()]
    for number, (name, colour) in enumerate(legend):
        lines.append(f'<circle cx="{20 + 130 * number}" cy="{bottom + 38}" r="4" fill="{colour}"/>')
        lines.append(f'<text x="{30 + 130 * number}" y="{bottom + 42}">{name}</text>')
    FILE.write_text("\n".join([*lines, "</svg>", ""]), encoding="utf-8")


def _short(measure: str) -> str:
    return measure if len(measure) <= 72 else f"{measure[:70]} …"
