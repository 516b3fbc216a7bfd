"""The search over a made-up index, as the console and `find` do it: ``python -m tests.search_figures --rows 150000``.

Names are in six scripts. Seconds are of one processor of this machine; a function of 512 MB has 0.29 of one (512 of the
1,769 MB that make a whole one), so the measured times are also printed divided by 0.29.
"""

import argparse
import random
import resource
import statistics
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path

import operate  # noqa: F401 - puts functions/ on the path

# isort: split
from bigin_archive.page import find_page
from bigin_archive.search import kept_index
from bigin_archive.search.folding import words
from bigin_archive.search.query import Query
from bigin_archive.search.search_index import SearchIndexWriter, unpack
from bigin_archive.search.search_row import SearchRow

SHARE = 512 / 1769
PAGE = 50
WORDS = (
    ("Müller", "Schmidt", "Łódź", "Meier", "GmbH", "Offer", "Vertrag", "Rechnung", "Contract", "Angebot", "Bauer"),
    ("Иванов", "Договор", "Счёт", "Компания", "Москва", "Петров"),
    ("株式会社", "契約書", "東京", "見積書", "大阪"),
    ("شركة", "عقد", "النور", "فاتورة"),
    ("Παπαδόπουλος", "Σύμβαση", "Αθήνα", "Τιμολόγιο"),
    ("कंपनी", "अनुबंध", "दिल्ली", "चालान"),
)


def rows(count: int, chance: random.Random) -> Iterator[SearchRow]:
    """Attachments of ten years, three to a record."""
    for number in range(count):
        words = chance.choice(WORDS)
        name = f"{'_'.join(chance.choices(words, k=2))} {chance.randrange(9999)}.pdf"
        day = f"20{chance.randrange(17, 27)}-{chance.randrange(1, 13):02}-{chance.randrange(1, 29):02}"
        yield SearchRow(
            chance.choice(("Contacts", "Accounts", "Pipelines")),
            str(2034020000000000000 + number // 3),
            f"{' '.join(chance.choices(words, k=2))} {number // 3}",
            str(2034020000000700000 + number),
            name,
            chance.randrange(10**7),
            day,
            "archived",
            None,
            name,
        )


def queries(count: int, chance: random.Random) -> Iterator[str]:
    """As people type: one or two words, the beginning of one, a number, an id."""
    for _ in range(count):
        words = chance.choice(WORDS)
        first, second = chance.choice(words), chance.choice(words)
        yield chance.choice(
            (
                first,
                f"{first} {second}",
                first[:3],
                f"{first} {chance.randrange(999)}",
                str(2034020000000700000 + chance.randrange(9999)),
            )
        )


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m tests.search_figures", description=__doc__)
    parser.add_argument("--rows", type=int, default=150_000)
    parser.add_argument("--queries", type=int, default=300)
    given = parser.parse_args()
    chance = random.Random(1)
    with tempfile.TemporaryDirectory() as folder:
        writer, began = SearchIndexWriter(Path(folder)), time.process_time()
        for row in rows(given.rows, chance):
            writer.add(row)
        file = Path(folder) / "search.tsv.gz"
        with writer.write("2026-11-25T02:14:00.000+00:00", None) as index:
            index.seek(0)
            file.write_bytes(index.read())
        written_s = time.process_time() - began
        script_bytes = sum(len(piece.encode()) for piece in find_page.script(writer.lines(), "2026-11-25"))
        size_mb = file.stat().st_size / 1e6
        print(f"{given.rows:,} attachments: written in {written_s:.1f} s CPU, {size_mb:.1f} MB gzipped")
        print(f"find.js: {script_bytes / 1e6:.0f} MB")
        before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
        began = time.process_time()
        with file.open("rb") as packed:
            loaded = unpack(packed)
        loaded_s = time.process_time() - began
        peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
        kept = Path(folder) / "kept"
        kept.mkdir()
        began = time.process_time()
        kept_index.save(loaded, kept)
        saved_s = time.process_time() - began
        began = time.process_time()
        opened = kept_index.load(kept)
        for number in opened.search(Query(words("müller angebot")))[:PAGE]:
            opened.row(number)
        print(
            f"`find` of two words: the first time {loaded_s + saved_s:.2f} s CPU and the download, then "
            f"{time.process_time() - began:.2f} s"
        )
    print(f"loaded in {loaded_s:.2f} s CPU ({loaded_s / SHARE:.2f} s at 512 MB); {(peak - before) / 1024:.0f} MiB more")
    taken: list[float] = []
    for text in queries(given.queries, chance):
        began = time.process_time()
        found = loaded.search(Query(words(text)))
        _ = [loaded.row(number) for number in found[:PAGE]]
        taken.append((time.process_time() - began) * 1000)
    p95 = statistics.quantiles(taken, n=20)[-1]
    print(f"{len(taken)} searches: median {statistics.median(taken):.1f} ms CPU, p95 {p95:.1f} ms "
          f"({p95 / SHARE:.0f} ms at 512 MB), slowest {max(taken):.0f} ms")  # fmt: skip


if __name__ == "__main__":
    main()
