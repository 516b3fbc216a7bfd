"""A folder of files that is kept in S3 between functions that work on the same task.

Its files are written once and never changed. The next function brings their SHA-256 along, and gets exactly these
files, or an error that they are lost.
"""

import hashlib
import secrets
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from bigin_archive.storage.inventory import BytesDifferError, Inventory
from bigin_archive.storage.s3_errors import NoObjectError

_TYPE = "application/octet-stream"


class FolderLostError(Exception):
    """A file is gone, or has other bytes."""


@dataclass(frozen=True, slots=True)
class SavedFolder:
    """The files of ``path``, kept below ``prefix`` of a stack's own folders.

    Methods raise StorageUnavailableError, StorageRefusedError.
    """

    inventory: Inventory
    prefix: str
    path: Path

    def save(self, saved: Mapping[str, list[str]]) -> dict[str, list[str]]:
        """Keep the files that are there and are not ``saved`` as they are; return where all are.

        No file that another function may still read is overwritten.
        """
        token, kept = secrets.token_hex(6), dict[str, list[str]]()
        for file in sorted(self.path.iterdir()):
            with file.open("rb") as content:
                sha256 = hashlib.file_digest(content, "sha256").hexdigest()
                known = saved.get(file.name)
                if known and known[1] == sha256:
                    kept[file.name] = known
                    continue
                where = f"{self.prefix}{token}-{file.name}"
                self.inventory.write(where, content, _TYPE)
                kept[file.name] = [where, sha256]
        return kept

    def restore(self, saved: Mapping[str, list[str]]) -> None:
        """Bring the files back into the empty folder. Raises FolderLostError where one is not what was saved."""
        for name, (where, sha256) in saved.items():
            digest = hashlib.sha256()
            try:
                with (self.path / name).open("wb") as file:
                    for block in self.inventory.blocks(self.inventory.prefix + where):
                        digest.update(block)
                        file.write(block)
            except (NoObjectError, BytesDifferError):
                raise FolderLostError from None
            if digest.hexdigest() != sha256:
                raise FolderLostError

    def clear(self) -> None:
        """Empty the folder on disk."""
        for file in self.path.iterdir():
            file.unlink()
