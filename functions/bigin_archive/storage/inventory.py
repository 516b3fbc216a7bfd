"""S3 for an audit: every object below the prefix with its checksum, and the files written beside them.

It reads and adds. Nothing here deletes, and it writes only into our own folders.
"""

import hashlib
from collections import deque
from collections.abc import Callable, Iterable, Iterator, Mapping
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass, replace
from typing import IO, TYPE_CHECKING, Any, TypeVar

from botocore.exceptions import BotoCoreError, FlexibleChecksumError

from bigin_archive import clock
from bigin_archive.bigin.response_body import BLOCK_BYTES
from bigin_archive.errors import StorageRefusedError, StorageUnavailableError
from bigin_archive.storage import archived_object
from bigin_archive.storage.archived_object import OWN_FOLDERS, ArchivedObject, version_arguments
from bigin_archive.storage.s3_errors import (
    ColdStorageError,
    NoObjectError,
    call,
    unreachable,
)
from bigin_archive.storage.version_listing import ListedKey, first_written, listed_keys

if TYPE_CHECKING:
    from mypy_boto3_s3 import S3Client

_Item = TypeVar("_Item")
_Key = TypeVar("_Key")
_Found = TypeVar("_Found")
_WAITING = 1000  # items that are held back behind one that is asked for, so that memory stays flat
_AHEAD = 4  # HeadObject calls that wait for each thread: enough to keep all busy, and few in memory


@dataclass(frozen=True, slots=True)
class Inventory:
    """The objects of one stack. The client should repeat failed calls: one final failure ends the audit."""

    client: "S3Client"
    bucket: str
    prefix: str
    threads: int = 16

    def keys(self, folders: Iterable[str] = ("",), after: str = "") -> Iterator[ListedKey]:
        """Every key below the prefix, or below ``folders`` of it, with its versions, in the order of their UTF-8 bytes.

        Only those behind ``after``, without the keys of our own reports. Raises StorageUnavailableError,
        StorageRefusedError.
        """
        for folder in sorted(folders):
            for listed in listed_keys(self._call, self.prefix, folder, after):
                if not listed.path.startswith(OWN_FOLDERS):
                    yield listed

    def objects(self, folders: Iterable[str] = ("",)) -> Iterator[ArchivedObject]:
        """Every object below the prefix, or below ``folders`` of it, in the order of the keys. Raises as above."""
        found = self.looked_at(
            (listed.key for listed in self.keys(folders) if listed.may_exist), lambda key: key, self.head
        )
        return (each for _, each in found if each)

    def looked_at(
        self, items: Iterable[_Item], what: Callable[[_Item], _Key | None], look: Callable[[_Key], _Found]
    ) -> Iterator[tuple[_Item, _Found | None]]:
        """Each item with what ``look`` finds for ``what`` it asks for, several at one time, in the same order.

        Where an item asks for nothing (None), nothing is found. Raises what ``look`` raises.
        """
        waiting: deque[tuple[_Item, Future[_Found] | None]] = deque()
        asked, ahead = 0, self.threads * _AHEAD
        with ThreadPoolExecutor(self.threads) as pool:
            try:
                for item in items:
                    wanted = what(item)
                    waiting.append((item, None if wanted is None else pool.submit(look, wanted)))
                    asked += wanted is not None
                    while waiting and (asked > ahead or len(waiting) > _WAITING or waiting[0][1] is None):
                        first, future = waiting.popleft()
                        asked -= future is not None
                        yield first, future.result() if future else None
                while waiting:
                    first, future = waiting.popleft()
                    yield first, future.result() if future else None
            finally:
                for _, future in waiting:
                    if future:
                        future.cancel()

    def first_version(self, place: str, *, is_link: bool | None = None) -> ArchivedObject | None:
        """What was archived first for the attachment of this place: of all versions of the objects there, since their
        last deletion, that its own metadata name. ``is_link`` prefers a shortcut, or a file.

        Raises as :meth:`keys` does.
        """
        first = None
        for version in first_written(self.keys((f"{place}/",))):
            found = self.head(version.key, version.version_id)
            if found and found.is_ours and found.sha256:
                if is_link in (None, found.is_link):
                    return found
                first = first or found
        return first

    def reread(self, found: ArchivedObject) -> ArchivedObject:
        """With the word whether its bytes, read now, have its checksum. Raises as :meth:`keys` does."""
        if not found.sha256:
            return found
        try:
            return replace(found, bytes_right=self.sha256(found.key) == found.sha256)
        except ColdStorageError:
            return replace(found, is_cold=True)

    def now(self) -> str | None:
        """S3's own time, for comparing its times of objects; None if it is not known."""
        answer = self._call("list_objects_v2", Prefix=f"{self.prefix}_audit/", MaxKeys=1)
        return clock.iso_or_none(clock.parse_http(answer["ResponseMetadata"]["HTTPHeaders"].get("date")))

    def is_versioned(self) -> bool | None:
        """Whether the bucket keeps versions now; None without the right to ask."""
        try:
            return bool(self._call("get_bucket_versioning").get("Status") == "Enabled")
        except (StorageRefusedError, StorageUnavailableError):
            return None

    def head(self, key: str, version_id: str | None = None) -> ArchivedObject | None:
        """The object under ``key``, or one version of it; None if there is none. Raises as :meth:`keys` does."""
        try:
            answer = self._call("head_object", Key=key, ChecksumMode="ENABLED", **version_arguments(version_id))
        except NoObjectError:
            return None
        found = archived_object.describe(self.prefix, key, answer)
        return replace(found, version_id=archived_object.identity(found.version_id))

    def sha256(self, key: str) -> str | None:
        """The SHA-256 (hex) of the bytes, read now; None if they do not match S3's checksum.

        Raises as :meth:`keys` does.
        """
        # The client repeats calls, but not a body that breaks off.
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

        Raises as :meth:`keys` does, BytesDifferError where they are not those of S3's checksum, NoObjectError.
        """
        try:
            yield from self._call("get_object", Key=key, **version_arguments(version_id))["Body"].iter_chunks(
                BLOCK_BYTES
            )
        except FlexibleChecksumError:
            raise BytesDifferError from None
        except BotoCoreError as error:
            raise unreachable(error) from error

    def tags(self, path: str) -> Mapping[str, str]:
        """The metadata of the file under ``path``; empty without one. Raises as :meth:`keys` does."""
        try:
            found: Mapping[str, str] = self._call("head_object", Key=self.prefix + path)["Metadata"]
        except NoObjectError:
            return {}
        return found

    def write(self, path: str, content: IO[bytes], content_type: str, tags: Mapping[str, str] | None = None) -> str:
        """Write a file of ours, over an earlier one; return its key. Raises as :meth:`keys` does."""
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
        """The files below one of our own folders, each whole. Raises as :meth:`keys` does."""
        for listed in listed_keys(self._call, self.prefix, folder):
            if listed.may_exist and (content := self.own_file(listed.path)) is not None:
                yield content

    def own_file(self, path: str) -> bytes | None:
        """The content of one of our own files; None if there is none, or it is damaged. Raises as above."""
        try:
            return b"".join(self.blocks(self.prefix + path))
        except (NoObjectError, BytesDifferError):
            return None

    def _call(self, operation: str, **arguments: Any) -> Any:
        absent = (404,) if "Key" in arguments and operation != "put_object" else ()
        return call(self.client, operation, absent=absent, Bucket=self.bucket, **arguments)


class BytesDifferError(Exception):
    """The bytes do not match the checksum."""
