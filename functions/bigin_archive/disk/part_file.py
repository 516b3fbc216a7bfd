"""A file that is written in parts, by one function after the other."""

import gzip
import shutil
import tempfile
from pathlib import Path
from typing import IO

from bigin_archive.disk import row_file

_PART_BYTES = 8 * 1024 * 1024


class PartFile:
    """Bytes that are appended, gzipped on disk. Parts that lie in ``folder`` already come first."""

    def __init__(self, name: str, folder: Path) -> None:
        self._folder = folder
        self._name = name
        self._waiting = bytearray()

    @property
    def is_empty(self) -> bool:
        """Whether nothing was written yet, by whichever function."""
        return not self._waiting and not row_file.paths(self._folder, self._name)

    def write(self, content: bytes) -> None:
        """Append."""
        self._waiting += content
        if len(self._waiting) >= _PART_BYTES:
            self.flush()

    def flush(self) -> None:
        """Write what is still in memory."""
        if self._waiting:
            row_file.write(row_file.following(self._folder, self._name), (bytes(self._waiting),))
            self._waiting.clear()

    def whole(self) -> IO[bytes]:
        """All that was written, unpacked, as an open temporary file at its beginning."""
        self.flush()
        file: IO[bytes] = tempfile.TemporaryFile()  # noqa: SIM115 - closed by whoever stores it
        for path in row_file.paths(self._folder, self._name):
            with gzip.open(path, "rb") as part:
                shutil.copyfileobj(part, file, _PART_BYTES)
        file.seek(0)
        return file
