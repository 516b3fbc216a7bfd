"""File names: from a Content-Disposition header, and made safe for an S3 key.

Pure. Rules: RFC 6266 and RFC 8187, and what Zoho really sends (raw spaces inside ``filename*``).
"""

import re
import unicodedata
from urllib.parse import unquote_to_bytes

UNNAMED = "attachment"

# What may not stand in a key: path separators, C0, DEL and C1 controls, bidirectional controls (they let a name
# end in "fdp.exe" and look like "exe.pdf"), lone surrogates, and what XML 1.0 cannot carry (S3 lists keys as XML).
_UNSAFE = re.compile("[/\\\\\x00-\x1f\x7f-\x9f\u061c\u200e\u200f\u202a-\u202e\u2066-\u2069\ud800-\udfff\ufffe\uffff]")
# A parameter of the header: its name, and where its value starts.
_PARAMETER = re.compile(r";\s*([A-Za-z0-9!#$&+.^_`|~-]+\*?)\s*=\s*")
_QUOTED = re.compile(r'"((?:[^"\\]|\\.)*)(?:"|$)', re.DOTALL)
_MAX_EXTENSION_BYTES = 32  # the longest in common use, ".appinstaller", has 13


def from_content_disposition(header: str | None) -> str | None:
    """The file name that the header gives, unchanged; None where it gives none.

    ``header`` is text as HTTP libraries give it: each byte one Latin-1 character. ``filename*`` goes before
    ``filename``. Bytes are UTF-8 where they are valid, else Latin-1.
    """
    plain = extended = None
    for name, value, quoted in _parameters(header or ""):
        if name == "filename" and plain is None:
            plain = _decode(value.encode("latin-1", "replace"))
        elif name == "filename*" and extended is None:
            extended = _extended(value if not quoted else value.strip())
    return extended or plain or None


def safe(name: str | None, max_bytes: int) -> str:
    """``name`` as it stands in a key: NFC, harmless, at most ``max_bytes`` of UTF-8, extension kept."""
    clean = unicodedata.normalize("NFC", _UNSAFE.sub("_", name or ""))
    if clean in ("", ".", ".."):
        clean = UNNAMED
    return shortened(clean, max_bytes)


def shortened(name: str, max_bytes: int) -> str:
    """``name`` with its middle left out where it is longer than ``max_bytes`` of UTF-8; the extension stays."""
    if len(name.encode()) <= max_bytes:
        return name
    stem, dot, extension = name.rpartition(".")
    suffix = dot + extension
    if not stem or len(suffix.encode()) > _MAX_EXTENSION_BYTES:
        stem, suffix = name, ""
    room = max_bytes - len(suffix.encode())
    return stem.encode()[:room].decode(errors="ignore") + suffix


def _parameters(header: str) -> list[tuple[str, str, bool]]:
    """(lower-case name, raw value, was quoted) of each parameter, in order.

    An unquoted value ends where the next parameter begins, not at the first blank or semicolon: Zoho leaves
    raw spaces in.
    """
    found = []
    position = 0
    # Some servers leave the disposition type out and begin with the parameter.
    text = ";" + header if _PARAMETER.match(";" + header) else header
    while match := _PARAMETER.search(text, position):
        if quoted := _QUOTED.match(text, match.end()):
            value = re.sub(r'\\(["\\])', r"\1", quoted.group(1))
            position = quoted.end()
        else:
            following = _PARAMETER.search(text, match.end())
            position = following.start() if following else len(text)
            value = text[match.end() : position].strip(" \t;")
        found.append((match.group(1).lower(), value, quoted is not None))
    return found


def _extended(value: str) -> str:
    charset, first, rest = value.partition("'")
    language, second, encoded = rest.partition("'")
    # Without the two apostrophes of RFC 8187 the whole value is the name.
    declared = re.fullmatch(r"[A-Za-z0-9_-]*'[A-Za-z0-9-]*'", charset + first + language + second)
    text = encoded if declared else value
    return _decode(unquote_to_bytes(text.encode("latin-1", "replace")))


def _decode(raw: bytes) -> str:
    try:
        return raw.decode()
    except UnicodeDecodeError:
        return raw.decode("latin-1")
