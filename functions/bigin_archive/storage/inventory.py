"""S3 as an audit sees it: every object below the prefix, with its checksum; and what is written beside them.

Reads and adds; nothing here deletes, and only the folders of our own are ever written.
"""

import hashlib
from collections import deque
from collections.abc import Callable, Iterable, Iterator, Mapping
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass, replace
from typing import IO, TYPE_CHECKING, Any

from botocore.exceptions import BotoCoreError, ClientError, FlexibleChecksumError

from bigin_archive.aws.error_codes import code_of
from bigin_archive.bigin.response_body import BLOCK_BYTES
from bigin_archive.clock import iso
from bigin_archive.errors import ArchiveError, StorageUnavailableError
from bigin_archive.storage import archived_object
from bigin_archive.storage.archived_object import OWN_FOLDERS, ArchivedObject
from bigin_archive.storage.s3_errors import (
    RETRY_AFTER_S,
    ColdStorageError,
    NoObjectError,
    classify_s3_error,
    is_no_object,
)

if TYPE_CHECKING:
    from mypy_boto3_s3 import S3Client

_AHEAD = 4  # HeadObject calls that wait for each thread: enough to keep all busy, little to keep in memory


@dataclass(frozen=True, slots=True)
class Inventory:
    """The objects of one stack. The client should repeat calls that fail: one that does not ends the audit."""

    client: "S3Client"
    bucket: str
    prefix: str
    threads: int = 16

    def objects(
        self, folders: Iterable[str] = ("",), reread: Callable[[str], bool] = lambda place: False
    ) -> Iterator[ArchivedObject]:
        """Every object below the prefix, or below ``folders`` of it, in the order of the keys' UTF-8 bytes.

        The bytes of those whose place ``reread`` chooses are read again. Raises StorageUnavailableError,
        StorageRefusedError.
        """

        def look(key: str) -> ArchivedObject | None:
            found = self.head(key)
            if found and found.sha256 and reread(archived_object.place_of(found.path)):
                try:
                    return replace(found, bytes_right=self.sha256(key) == found.sha256)
                except ColdStorageError:
                    return replace(found, is_cold=True)
            return found

        waiting: deque[Future[ArchivedObject | None]] = deque()
        with ThreadPoolExecutor(self.threads) as pool:
            try:
                for key in self._keys(sorted(folders)):
                    waiting.append(pool.submit(look, key))
                    if len(waiting) > self.threads * _AHEAD and (found := waiting.popleft().result()):
                        yield found
                while waiting:
                    if found := waiting.popleft().result():
                        yield found
            finally:
                for future in waiting:
                    future.cancel()

    def head(self, key: str, version_id: str | None = None) -> ArchivedObject | None:
        """The object under ``key``, or one version of it; None if there is none. Raises as :meth:`objects` does."""
        try:
            answer = self._call("head_object", Key=key, ChecksumMode="ENABLED", **_version(version_id))
        except NoObjectError:
            return None
        return archived_object.describe(
            self.prefix,
            key,
            answer["ContentLength"],
            archived_object.full_sha256(answer.get("ChecksumSHA256")),
            archived_object.identity(answer.get("VersionId")),
            iso(answer["LastModified"]),
            answer.get("ContentType", ""),
            answer.get("Metadata", {}),
        )

    def sha256(self, key: str) -> str | None:
        """The SHA-256 (hex) of the bytes, read now; None where they are not those that S3's checksum tells of.

        Raises as :meth:`objects` does.
        """
        # Calls are repeated by the client itself, a body that breaks off is not.
        for last_try in (False, True):
            digest = hashlib.sha256()
            try:
                for block in self.blocks(key):
                    digest.update(block)
            except StorageUnavailableError:
                if last_try:
                    raise
                continue
            except (BytesDifferError, NoObjectError):
                return None
            break
        return digest.hexdigest()

    def blocks(self, key: str, version_id: str | None = None) -> Iterator[bytes]:
        """The bytes of an object, or of one version of it, a block at a time.

        Raises as :meth:`objects` does, BytesDifferError where they are not those of S3's checksum, NoObjectError.
        """
        try:
            yield from self._call("get_object", Key=key, **_version(version_id))["Body"].iter_chunks(BLOCK_BYTES)
        except FlexibleChecksumError:
            raise BytesDifferError from None
        except BotoCoreError as error:
            raise _unreachable(error) from error

    def tags(self, path: str) -> Mapping[str, str]:
        """The metadata of what was written under ``path``; empty if nothing was. Raises as :meth:`objects` does."""
        try:
            found: Mapping[str, str] = self._call("head_object", Key=self.prefix + path)["Metadata"]
        except NoObjectError:
            return {}
        return found

    def write(self, path: str, content: IO[bytes], content_type: str, tags: Mapping[str, str] | None = None) -> str:
        """Write a file of ours, over an earlier one; return its key. Raises as :meth:`objects` does."""
        if not path.startswith(OWN_FOLDERS):
            raise ValueError(f"{path} is not ours to write")
        content.seek(0)
        key = self.prefix + path
        self._call(
            "put_object",
            Key=key,
            Body=content,
            ContentType=content_type,
            Metadata=dict(tags or {}),
            ChecksumAlgorithm="SHA256",
        )
        return key

    def own_files(self, folder: str) -> Iterator[bytes]:
        """What was written below a folder of ours, each file whole. Raises as :meth:`objects` does."""
        for key in self._keys((folder,), own=True):
            if (content := self.own_file(key.removeprefix(self.prefix))) is not None:
                yield content

    def own_file(self, path: str) -> bytes | None:
        """What was written under a path of ours; None where nothing is, or it is damaged. Raises as above."""
        try:
            return b"".join(self.blocks(self.prefix + path))
        except (NoObjectError, BytesDifferError):
            return None

    def _keys(self, folders: Iterable[str], *, own: bool = False) -> Iterator[str]:
        previous = ""
        for folder in folders:
            start: dict[str, str] = {}
            while True:
                answer = self._call("list_objects_v2", Prefix=self.prefix + folder, **start)
                for found in answer.get("Contents", []):
                    key = found["Key"]
                    # The three sides are merged by their order (S3 API Reference, ListObjectsV2).
                    if key < previous:
                        raise StorageUnavailableError("S3's listing is not in the order of its keys.")
                    previous = key
                    if own or not key.removeprefix(self.prefix).startswith(OWN_FOLDERS):
                        yield key
                if not answer.get("IsTruncated"):
                    break
                start = {"ContinuationToken": answer["NextContinuationToken"]}

    def _call(self, operation: str, **arguments: Any) -> Any:
        try:
            return getattr(self.client, operation)(Bucket=self.bucket, **arguments)
        except ClientError as error:
            code = code_of(error)
            status = int(error.response["ResponseMetadata"].get("HTTPStatusCode", 500))
            if "Key" in arguments and operation != "put_object" and is_no_object(status, code):
                raise NoObjectError from None
            raise classify_s3_error(status, code) from error
        except BotoCoreError as error:
            raise _unreachable(error) from error


class BytesDifferError(Exception):
    """The bytes that came are not those that the checksum tells of."""


def _version(version_id: str | None) -> dict[str, str]:
    return {"VersionId": version_id} if version_id else {}


def _unreachable(error: Exception) -> ArchiveError:
    return StorageUnavailableError(
        f"S3 cannot be reached ({type(error).__name__}). Try again later.", retry_after_s=RETRY_AFTER_S
    )
