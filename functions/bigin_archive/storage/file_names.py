"""File names: read from a Content-Disposition header, and made safe for an S3 key.

Pure. Rules: RFC 6266, RFC 8187 and RFC 2231, and what Zoho really sends (raw characters inside ``filename*``).
"""

import re
import unicodedata
from collections.abc import Iterator
from dataclasses import dataclass
from urllib.parse import unquote_to_bytes

UNNAMED = "attachment"

# Not allowed in a key: path separators, C0, DEL and C1 controls, bidirectional controls (they let a name
# end in "fdp.exe" and look like "exe.pdf"), lone surrogates, and what XML 1.0 cannot carry (S3 lists keys as XML).
_UNSAFE = re.compile("[/\\\\\x00-\x1f\x7f-\x9f\u061c\u200e\u200f\u202a-\u202e\u2066-\u2069\ud800-\udfff\ufffe\uffff]")
# A parameter of the header: its name, its section (RFC 2231, 3), whether it is extended, and the start of its value.
_PARAMETER = re.compile(r";\s*([A-Za-z0-9!#$&+.^_`|~-]+)(?:\*([0-9]{1,4}))?(\*)?\s*=\s*")
# A file name without quotes, in which Bigin leaves any character raw, ends at a known parameter (RFC 2183), or at the
# next of several header lines, which HTTP libraries join by commas.
_END = re.compile(
    r"\s*;\s*(?:filename|name|size|creation-date|modification-date|read-date|handling)(?:\*[0-9]{1,4})?\*?\s*="
    r"|\s*,\s*(?:attachment|inline|form-data)\s*(?:;|$)",
    re.IGNORECASE,
)
_QUOTED = re.compile(r'"((?:[^"\\]|\\.)*)"(?=\s*(?:[;,]|$))', re.DOTALL)
_CHARSET = re.compile(
    r"(?:utf-?8|(?:us-)?ascii|iso-?8859-?[0-9]{1,2}|latin-?1|windows-?[0-9]{3,4}|cp-?[0-9]{3,5}|shift[_-]?jis|big5|"
    r"gb[0-9a-z]{1,6}|euc-[a-z]{2}|koi8-[a-z])?'[A-Za-z0-9 -]*'",
    re.IGNORECASE,
)
_MAX_EXTENSION_BYTES = 32  # the longest in common use, ".appinstaller", has 13


def from_content_disposition(header: str | None) -> str | None:
    """The file name in the header, unchanged; None if it has none.

    ``header`` is text as HTTP libraries give it: each byte one Latin-1 character. ``filename*`` counts before the
    sections ``filename*0``, ``filename*1``, and these before ``filename``. Of several with one name the first counts.
    Bytes are UTF-8 if they are valid, else Latin-1.
    """
    found: dict[tuple[str, bool], bytes] = {}
    for parameter in _parameters(header or ""):
        if parameter.name == "filename":
            found.setdefault((parameter.section, parameter.extended), parameter.content)
    sections: list[bytes] = []
    while (number := str(len(sections))) and ((number, True) in found or (number, False) in found):
        sections.append(found.get((number, True)) or found.get((number, False)) or b"")
    return next(
        (_decode(name) for name in (found.get(("", True)), b"".join(sections), found.get(("", False))) if name), None
    )


def safe(name: str | None, max_bytes: int) -> str:
    """``name`` for a key: NFC, harmless, at most ``max_bytes`` of UTF-8, extension kept."""
    clean = unicodedata.normalize("NFC", _UNSAFE.sub("_", name or ""))
    if clean in ("", ".", ".."):
        clean = UNNAMED
    return shortened(clean, max_bytes)


def shortened(name: str, max_bytes: int) -> str:
    """``name`` without its middle if it is longer than ``max_bytes`` of UTF-8; the extension stays."""
    if len(name.encode()) <= max_bytes:
        return name
    stem, dot, extension = name.rpartition(".")
    suffix = dot + extension
    if not stem or len(suffix.encode()) > _MAX_EXTENSION_BYTES:
        stem, suffix = name, ""
    room = max_bytes - len(suffix.encode())
    return stem.encode()[:room].decode(errors="ignore") + suffix


@dataclass(frozen=True, slots=True)
class _Parameter:
    """``section`` is its number, empty for a value in one piece; ``content`` holds its bytes, decoded."""

    name: str
    section: str
    extended: bool
    content: bytes


def _parameters(header: str) -> Iterator[_Parameter]:
    """The header's parameters in order."""
    # Some servers leave the disposition type out and begin with the parameter.
    text = ";" + header if _PARAMETER.match(";" + header) else header
    position = 0
    while match := _PARAMETER.search(text, position):
        name, section, extended = match[1].lower(), match[2] or "", bool(match[3])
        value, position = _value(text, match.end(), is_name=name == "filename")
        raw = value.encode("latin-1", "replace")
        # Only the first section names the charset.
        yield _Parameter(name, section, extended, _extended(value, section) if extended else raw)


def _value(text: str, start: int, *, is_name: bool) -> tuple[str, int]:
    """A parameter's value, and where it ends."""
    if quoted := _QUOTED.match(text, start):
        return re.sub(r'\\(["\\])', r"\1", quoted[1]), quoted.end()
    following = (_END if is_name else _PARAMETER).search(text, start)
    end = following.start() if following else len(text)
    value = text[start:end]
    if not value.startswith('"'):
        return value.strip(" \t;"), end
    # An inner quote is not escaped, or the last one is missing.
    return re.sub(r'\\(["\\])', r"\1", re.sub(r'"[ \t;]*$', "", value[1:])), end


def _extended(value: str, section: str) -> bytes:
    """RFC 8187: percent-encoded, the charset before it. Without the two apostrophes the whole value is the name."""
    declared = _CHARSET.match(value) if section in ("", "0") else None
    encoded = value[declared.end() :] if declared else value
    if len(encoded) > 1 and encoded[0] == encoded[-1] == '"':
        encoded = encoded[1:-1]
    return unquote_to_bytes(encoded.encode("latin-1", "replace"))


def _decode(raw: bytes) -> str:
    try:
        return raw.decode()
    except UnicodeDecodeError:
        return raw.decode("latin-1")
