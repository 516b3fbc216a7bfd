"""The search index on this machine's disk: downloaded once for each audit, and recognised by its ETag.

It holds the names of all records and files, so only its owner may read it.
"""

import gzip
import hashlib
import io
import os
import shutil
import zlib
from contextlib import suppress
from pathlib import Path
from typing import IO

from bigin_archive.console.archive_files import ArchiveFiles
from bigin_archive.http_errors import IndexUnavailableError
from bigin_archive.search import search_index
from bigin_archive.search.search_index import SearchIndex
from bigin_archive.search.search_row import IndexUnreadableError

_ENDING = ".tsv"


def folder_of(archive: str, home: Path | None = None) -> Path:
    """The folder for the index of one archive, named by its address: in XDG_CACHE_HOME, else ``~/.cache``."""
    caches = home or Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache")
    return caches / "bigin-archive" / hashlib.sha256(archive.encode()).hexdigest()[:16]


def load(files: ArchiveFiles, folder: Path) -> SearchIndex:
    """The current index, downloaded only if it changed. A disk that cannot be written to is no obstacle.

    Raises IndexUnavailableError, StorageUnavailableError, StorageRefusedError.
    """
    kept = next(iter(sorted(folder.glob(f"*{_ENDING}"))), None)
    changed = files.changed_index(f'"{kept.name.removesuffix(_ENDING)}"' if kept else None)
    if kept and not changed:
        with suppress(OSError, IndexUnreadableError), kept.open("rb") as lines:
            return search_index.read(lines)
        changed = files.changed_index(None)
    if not changed:
        raise IndexUnavailableError("The search index changed while it was read. Try again.")
    etag, content = changed
    try:
        with gzip.GzipFile(fileobj=io.BytesIO(content)) as packed:
            unpacked = io.BytesIO(packed.read())
        index = search_index.read(unpacked)
    except (IndexUnreadableError, OSError, EOFError, zlib.error) as error:
        raise IndexUnavailableError(f"The search index cannot be read ({error}): run bigin-archive audit.") from None
    with suppress(OSError):
        _keep(folder, etag.strip('"'), unpacked)
    return index


def _keep(folder: Path, etag: str, content: IO[bytes]) -> None:
    folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    written = folder / f".{os.getpid()}"
    try:
        content.seek(0)
        with open(os.open(written, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600), "wb") as file:
            shutil.copyfileobj(content, file)
        for former in folder.glob(f"*{_ENDING}"):
            former.unlink(missing_ok=True)
        written.replace(folder / f"{etag}{_ENDING}")
    finally:
        written.unlink(missing_ok=True)
