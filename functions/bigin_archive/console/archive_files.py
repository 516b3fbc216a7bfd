"""The console's files in the bucket: the search index, the audit's report, and single versions of objects.

A file is kept while its ETag holds: then S3 answers 304 and sends nothing.
"""

import io
import threading
from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, Any, Generic, TypeVar
from urllib.parse import quote

from botocore.exceptions import BotoCoreError

from bigin_archive.http_errors import IndexUnavailableError, NotArchivedError
from bigin_archive.search import search_index
from bigin_archive.search.search_index import SearchIndex
from bigin_archive.search.search_row import IndexUnreadableError
from bigin_archive.storage import archived_object, audit_report
from bigin_archive.storage.archived_object import ArchivedObject, version_arguments
from bigin_archive.storage.s3_errors import (
    NoObjectError,
    NotModifiedError,
    RangeNotSatisfiableError,
    call,
    check_tier,
    unreachable,
)

if TYPE_CHECKING:
    from mypy_boto3_s3 import S3Client

_NOTHING_THERE = (403, 404, 405)  # without the right to list, S3 answers 403 for a missing object
_T = TypeVar("_T")


class _Kept(Generic[_T]):
    """A file of the bucket as ``read`` makes it, read again once it changed."""

    def __init__(self, read: Callable[[bytes], _T]) -> None:
        self._read = read
        self._etag: str | None = None
        self._value: _T | None = None
        self._lock = threading.Lock()

    def get(self, fetch: Callable[[str | None], tuple[str, bytes] | None]) -> _T | None:
        """``fetch`` gets the current ETag, and returns None while it still holds."""
        with self._lock:
            if changed := fetch(self._etag):
                etag, content = changed
                self._value = None  # two of them do not fit into memory
                self._value, self._etag = self._read(content), etag
            return self._value


class ArchiveFiles:
    """The bucket below one prefix. The client must sign with version 4, which works in every region."""

    def __init__(self, client: "S3Client", bucket: str, prefix: str) -> None:
        self._client = client
        self._bucket = bucket
        self._prefix = prefix
        self._index = _Kept(lambda content: search_index.unpack(io.BytesIO(content)))
        self._report: _Kept[Mapping[str, Any]] = _Kept(audit_report.summary)

    def index(self) -> SearchIndex:
        """The search index. Raises IndexUnavailableError, StorageUnavailableError, StorageRefusedError."""
        try:
            index = self._index.get(self.changed_index)
        except IndexUnreadableError as error:
            raise IndexUnavailableError(
                f"The search index cannot be read ({error}). The next audit writes it anew: run bigin-archive audit."
            ) from None
        if index is None:
            raise IndexUnavailableError("The search index changed while it was read. Try again.")
        return index

    def changed_index(self, etag: str | None) -> tuple[str, bytes] | None:
        """ETag and content of the stored search index; None if its ETag is ``etag``. Raises the same."""
        try:
            return self._changed(search_index.PATH, etag)
        except NoObjectError:
            raise IndexUnavailableError(
                "There is no search index yet. Each audit of the whole account writes one: run bigin-archive audit."
            ) from None

    def report(self) -> Mapping[str, Any]:
        """The summary of the last audit of the whole account; empty if there is none. Raises as :meth:`index` does."""
        beginning = f"bytes=0-{audit_report.BEGINNING_BYTES - 1}"
        try:
            return self._report.get(lambda etag: self._changed(audit_report.PATH, etag, Range=beginning)) or {}
        except (NoObjectError, RangeNotSatisfiableError):  # there is none, or an empty file
            return {}

    def version(self, key: str, version_id: str | None, sha256: str | None) -> ArchivedObject:
        """One version of an object, which can be read now; without ``version_id``, the current one with this checksum.

        Raises NotArchivedError if there is none, ColdStorageError, and as :meth:`index` does.
        """
        if not key.startswith(self._prefix):
            raise NotArchivedError("The ledger names an object outside the archive. Run bigin-archive audit.")
        try:
            answer = self._call("head_object", Key=key, ChecksumMode="ENABLED", **version_arguments(version_id))
        except NoObjectError:
            raise NotArchivedError("The ledger has this file, and S3 does not. Run bigin-archive audit.") from None
        check_tier(answer)
        found = archived_object.describe(self._prefix, key, answer)
        if version_id is None and sha256 not in (None, found.sha256):  # one that lost its checksum was written again
            raise NotArchivedError("Other bytes took the place of this file. Run bigin-archive audit.")
        return found

    def signed_url(self, file: ArchivedObject, seconds: int) -> str:
        """An address that downloads this version under its own name, for so many seconds."""
        url: str = self._client.generate_presigned_url(
            "get_object",
            Params={
                "Bucket": self._bucket,
                "Key": file.key,
                **version_arguments(file.version_id),
                "ResponseContentType": "application/octet-stream",
                "ResponseContentDisposition": f"attachment; filename*=UTF-8''{quote(file.name, safe='')}",
            },
            ExpiresIn=seconds,
        )
        return url

    def _changed(self, path: str, etag: str | None, **given: str) -> tuple[str, bytes] | None:
        if etag:
            given["IfNoneMatch"] = etag
        try:
            answer = self._call("get_object", Key=self._prefix + path, **given)
            return answer["ETag"], answer["Body"].read()
        except NotModifiedError:
            return None
        except BotoCoreError as error:
            raise unreachable(error) from error

    def _call(self, operation: str, **arguments: Any) -> Any:
        return call(self._client, operation, absent=_NOTHING_THERE, Bucket=self._bucket, **arguments)
