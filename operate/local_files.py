"""Files on the user's own disk: names that every system accepts, and no file overwritten."""

import hashlib
import os
import re
import secrets
from collections.abc import Iterable
from pathlib import Path

from bigin_archive.storage.file_names import safe, shortened

MAX_NAME_BYTES = 200  # file systems allow 255; the rest is for a mark and an extension
# What Windows forbids in names besides what file_names.safe replaces, and the names that it keeps for devices, whatever
# their extension and with any blanks before it ("Naming files, paths, and namespaces"; CONIN$, CONOUT$ and CLOCK$ as
# Python's ntpath.isreserved).
_FORBIDDEN = re.compile(r'[<>:"|?*]')
_DEVICES = re.compile(
    r"(con|prn|aux|nul|conin\$|conout\$|clock\$|com[0-9¹²³]|lpt[0-9¹²³]) *(\..*)?", re.IGNORECASE | re.DOTALL
)


class DifferentBytesError(Exception):
    """The bytes that arrived are not the archived ones. Nothing was kept."""


def local_name(name: str) -> str:
    """``name``, changed as little as possible so that every file system accepts it."""
    clean = _FORBIDDEN.sub("_", safe(name, MAX_NAME_BYTES)).rstrip(". ") or "attachment"
    # A leading dot would hide the file.
    return f"_{clean}" if _DEVICES.fullmatch(clean) or clean.startswith(".") else clean


def beside(path: Path, mark: str) -> Path:
    """Another name for the same file: ``mark`` before its extension."""
    suffix = path.suffix if len(path.suffix) < 32 else ""
    stem = path.name.removesuffix(suffix)
    return path.with_name(f"{shortened(stem, MAX_NAME_BYTES - len(mark) - len(suffix.encode()))} ({mark}){suffix}")


def holds(path: Path, sha256: str) -> bool:
    """Whether the file has these bytes."""
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest() == sha256


def write(path: Path, blocks: Iterable[bytes], sha256: str) -> None:
    """Write a new file, which appears under its name only once its SHA-256 (hex) is right.

    Raises DifferentBytesError, FileExistsError, OSError; then nothing is left behind.
    """
    path.parent.mkdir(parents=True, exist_ok=True)
    partial = path.with_name(f".{secrets.token_hex(8)}.part")
    digest = hashlib.sha256()
    try:
        with partial.open("xb") as file:
            for block in blocks:
                digest.update(block)
                file.write(block)
        if digest.hexdigest() != sha256:
            raise DifferentBytesError
        _name(partial, path)
    finally:
        partial.unlink(missing_ok=True)


def _name(partial: Path, path: Path) -> None:
    try:
        os.link(partial, path)  # unlike a renaming it never replaces a file
    except FileExistsError:
        raise
    except OSError:  # a file system without links
        if path.exists():
            raise FileExistsError(path) from None
        partial.rename(path)
