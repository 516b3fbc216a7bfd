"""Hostile file names: S3 takes their keys, the names come back unchanged, and no two collide."""

import base64
import itertools
import random
import re
import unicodedata
from collections.abc import Iterator
from urllib.parse import quote, unquote

from bigin_archive.archive_request import ArchiveRequest
from bigin_archive.storage import object_attributes
from tests.faults import reading
from tests.faults.lab import Lab
from tests.faults.tally import Row, of_checks

GENERATED = 10_000
THROUGH_S3 = 200
PREFIX = "bigin/"

_STEMS = (
    "", " ", ".", "..", "...", "/", "\\", "../../etc/passwd", "..\\..\\boot.ini", "/absolute", "C:\\x", "C:x",
    "a/b/c", "nul\0byte", "line\nbreak", "carriage\rreturn", "crlf\r\nX-Injected: 1", "tab\tstop", "\x7f", "\x85",
    "\x9f", "bell\a", "trailing newline\n", "trailing dot.", "trailing space ", " leading", "\u00a0", "\u200b",
    "\ufeffbom", "\u2028", "\u2029", "exe.\u202efdp", "\u2066isolate\u2069", "\u061c", "\u200e\u200f", "e\u0301",
    "\u00e9", "\u1e9b\u0323", "\ufb2c", "\u2126", "\u212b", "\uac00", "\u1100\u1161", "\U0001f468\u200d\U0001f467",
    "日本語",
    "Ελληνικά", "עברית", "العربية", "हिन्दी", "ไทย",
    "\U0010ffff", "\ufffe", "\uffff", "\ufffd", "\U0001fffe",
    "\ue000", "CON", "nul", "COM1", "aux.h", "LPT9", "~", "~root", "-rf", "--help", "$HOME", "`id`", "$(id)", ";ls",
    "|cat", "&&", "a&b", "a<b>c", "'quote'", '"double"', "a\"b", "back\\slash", "a;b", "a,b", "a=b", "a;filename=b",
    "a*b?c", "[x]", "{y}", "%2e%2e", "%2f", "%00", "%", "%%", "%zz", "%E9", "a+b", "a b", "a#b", "a?b=c", "a:b",
    "a|b", "a^b", "=cmd()", "@x", "+1", "response.json", "attachment", "filename", "UTF-8''x", "=?UTF-8?B?eA==?=",
    "null", "undefined", "None", "0", "-1", "1e400", "\U0001d400", "z" * 300, "ü" * 600, "日" * 400, "😀" * 300,
    "a." * 600, "." * 1200, "x" * 5000, "\u0301" * 900, "a" + "\u0301" * 700, "soft\u00adhyphen",
)  # fmt: skip
_EXTENSIONS = (
    "", ".pdf", ".PDF", ".tar.gz", ".d" + "o" * 40 + "c", ".\u202efdp", ". ", "..",
)  # fmt: skip


def fixed() -> list[str]:
    """At least 500 names, and those that a header of Latin-1 bytes carries as UTF-8."""
    return list(dict.fromkeys(stem + extension for stem, extension in itertools.product(_STEMS, _EXTENSIONS)))


def generated(randomness: random.Random, count: int) -> list[str]:
    """Names of all planes and all lengths, with the dangerous characters mixed in."""
    nasty = "/\\.%\0\r\n\t\"';=*?<>|:&#+~ \x7f\x85\u202e\u2066\ufeff\u0301\ufffe"
    ranges = (
        (0x20, 0x7E),
        (0xA0, 0x24F),
        (0x300, 0x36F),
        (0x4E00, 0x4FFF),
        (0x1F600, 0x1F64F),
        (0x590, 0x6FF),
        (1, 0x10FFFF),
    )
    found = []
    for _ in range(count):
        length = randomness.choice((1, 2, 5, 20, 60, 250, 700, 1500))
        low, high = randomness.choice(ranges)
        characters = [
            randomness.choice(nasty) if randomness.random() < 0.2 else chr(randomness.randint(low, high))
            for _ in range(randomness.randint(1, length))
        ]
        found.append("".join(c for c in characters if not 0xD800 <= ord(c) <= 0xDFFF) or "x")
    return found


def extended(name: str) -> str:
    """A Content-Disposition as RFC 8187 writes it."""
    return f"attachment; filename*=UTF-8''{quote(name, safe='')}"


def raw(name: str) -> str | None:
    """A Content-Disposition as Bigin writes it, UTF-8 in quotes; None if a header cannot carry it."""
    if re.search(r'[\x00-\x08\x0a-\x1f\x7f"\\]', name) or name != name.strip() or not name:
        return None
    return f'attachment; filename="{name.encode().decode("latin-1")}"'


def pure(lab: Lab) -> Iterator[Row]:
    """Checks every name by the rules of keys and the limits of headers, and reads it back."""
    names = fixed()
    found = generated(lab.random("names"), lab.scaled(GENERATED, least=1000))
    for kind, some in ((f"hostile file name, fixed ({len(names)})", names), ("hostile file name, generated", found)):
        complaints, keys = [], {}
        for number, name in enumerate(some):
            request = ArchiveRequest("Contacts", str(10**17 + number // 7), str(10**17 + number))
            for disposition in (extended(name), raw(name)):
                if disposition is None:
                    continue
                made = object_attributes.describe(PREFIX, request, disposition, "application/octet-stream")
                if text := complaint(name, made, request):
                    complaints.append(f"{name[:60]!a}: {text}")
                if keys.setdefault(made.key, number) != number:
                    complaints.append(f"{name[:60]!a}: the key of another attachment")
        yield of_checks(kind, complaints, len(some))


_FORBIDDEN = set("/\\") | {chr(c) for c in (*range(0x20), *range(0x7F, 0xA0), 0x61C, 0x200E, 0x200F)}
_FORBIDDEN |= {chr(c) for c in (*range(0x202A, 0x202F), *range(0x2066, 0x206A), *range(0xD800, 0xE000), 0xFFFE, 0xFFFF)}


def complaint(name: str, made: object_attributes.ObjectAttributes, request: ArchiveRequest) -> str | None:
    """What is wrong with the object of a name; None if nothing is."""
    folder = f"{PREFIX}{request.module}/{request.record_id}/{request.attachment_id}/"
    last = made.key.removeprefix(folder)
    headers = {**made.metadata, "Content-Disposition": made.content_disposition, "Content-Type": made.content_type}
    rules = {
        "the key leaves its folder": made.key.startswith(folder) and "/" not in last and last not in ("", ".", ".."),
        "the key is too long": len(made.key.encode()) <= 1024,
        "the key holds a forbidden character": not _FORBIDDEN & set(last),
        "the key is not in NFC": unicodedata.is_normalized("NFC", last),
        "the extension is lost": _extension(name) is None or last.endswith(str(_extension(name))),
        "a header is no visible ASCII": all(re.fullmatch(r"[ -~]*", f"{k}{v}") for k, v in headers.items()),
        "a header has blanks at its ends": all(v == v.strip() for v in headers.values()),
        "the metadata is too long": sum(len(k) + len(v) for k, v in made.metadata.items()) <= 2048,
        "the headers are too long": sum(len(k) + len(v) + 4 for k, v in headers.items()) + 3 * 1024 <= 8192,
        "the name does not come back": name_back(made.metadata) == name or len(name.encode()) > 1400,
    }
    return next((text for text, holds in rules.items() if not holds), None)


def _extension(name: str) -> str | None:
    """The extension that must be kept, if it is short and harmless."""
    stem, _, extension = name.rpartition(".")
    return f".{extension}" if stem.strip(".") and re.fullmatch(r"[A-Za-z0-9]{1,30}", extension) else None


def name_back(metadata: reading.Mapping[str, str]) -> str:
    """The original name from an object's metadata, as a reader of the contract would decode it."""
    stored = metadata.get("file-name", "")
    if match := re.fullmatch(r"=\?UTF-8\?B\?(.*)\?=", stored):
        return base64.b64decode(match.group(1)).decode()
    return unquote(stored, errors="strict")


def through_s3(lab: Lab) -> Iterator[Row]:
    """Archives some of the names: each object lies under its key, and its metadata give the name back."""
    randomness = lab.random("names-through-s3")
    with lab.bench() as bench:
        some = randomness.sample(fixed(), lab.scaled(THROUGH_S3, least=40))
        names: dict[str, str] = {}
        for number, name in enumerate(some):
            # The simulator writes text as UTF-8, as Bigin does.
            plain = f'attachment; filename="{name}"' if raw(name) else extended(name)
            disposition = extended(name) if number % 2 else plain
            request = bench.file(number, file_name="listed.bin", disposition=disposition)
            names[request["attachment_id"]] = name
            bench.injected(lambda: 1, request)
            bench.send(request)
        bench.drain()
        row = bench.row("hostile file name, through S3")
        for version in reading.versions(bench.aws):
            name = names[version.key.split("/")[3]]
            if name_back(version.metadata) != name and len(name.encode()) <= 1400:
                row.complaints.append(f"{name[:60]!a} came back as {name_back(version.metadata)[:60]!a}")
        yield row
