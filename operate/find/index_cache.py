"""The search index on this machine's disk: downloaded once for each audit, and recognised by its ETag.

It holds the names of all records and files, so only its owner may read it.
"""

import hashlib
import io
import os
import shutil
import tempfile
from contextlib import suppress
from pathlib import Path

from bigin_archive.console.archive_files import ArchiveFiles
from bigin_archive.http_errors import IndexUnavailableError
from bigin_archive.search import kept_index, search_index
from bigin_archive.search.search_index import SearchIndex
from bigin_archive.search.search_row import IndexUnreadableError

_ENDING = ".columns"


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
        with suppress(OSError, IndexUnreadableError):
            return kept_index.load(kept)
        changed = files.changed_index(None)
    if not changed:
        raise IndexUnavailableError("The search index changed while it was read. Try again.")
    etag, content = changed
    try:
        index = search_index.unpack(io.BytesIO(content))
    except IndexUnreadableError as error:
        raise IndexUnavailableError(f"The search index cannot be read ({error}): run bigin-archive audit.") from None
    with suppress(OSError):
        _keep(folder, etag.strip('"'), index)
    return index


def _keep(folder: Path, etag: str, index: SearchIndex) -> None:
    folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    folder.chmod(0o700)
    written = Path(tempfile.mkdtemp(prefix=".", dir=folder))
    try:
        kept_index.save(index, written)
        for former in [*folder.glob(f"*{_ENDING}"), *folder.glob("*.tsv")]:  # .tsv: of version 0.1.0
            shutil.rmtree(former) if former.is_dir() else former.unlink(missing_ok=True)
        written.replace(folder / f"{etag}{_ENDING}")
    finally:
        shutil.rmtree(written, ignore_errors=True)
