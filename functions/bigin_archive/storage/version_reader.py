"""Single versions of objects: their attributes, and an address that downloads one."""

from dataclasses import dataclass
from functools import partial
from typing import TYPE_CHECKING, Any

from bigin_archive.errors import StorageRefusedError
from bigin_archive.storage import archived_object
from bigin_archive.storage.archived_object import ArchivedObject, version_arguments
from bigin_archive.storage.s3_errors import NoObjectError, call, check_tier
from bigin_archive.storage.version_listing import first_written, listed_keys

if TYPE_CHECKING:
    from mypy_boto3_s3 import S3Client

# S3 API Reference, HeadObject: gone, or a delete marker. A HeadObject has no body that would say more.
_NOTHING = (404, 405)


@dataclass(frozen=True, slots=True)
class VersionReader:
    """The bucket of one stack, below its prefix. The client must sign with version 4, which works in every region.

    Every method that calls S3 raises StorageUnavailableError and StorageRefusedError.
    """

    client: "S3Client"
    bucket: str
    prefix: str

    def may_be_attachment(self, key: str) -> bool:
        """Whether the key is under the prefix of an attachment: not a report, an index or a foreign folder."""
        path = key.removeprefix(self.prefix)
        return key.startswith(self.prefix) and archived_object.place_of(path) != path

    def read(self, key: str, version_id: str | None) -> ArchivedObject | None:
        """A version of the object (None: its newest); None if there is none."""
        try:
            answer = call(
                self.client, "head_object", absent=_NOTHING, ChecksumMode="ENABLED", **self._named(key, version_id)
            )
        except NoObjectError:
            return None
        except StorageRefusedError:
            # With the right to list only below a prefix, S3 answers 403 for a missing version.
            if self._is_listed(key, version_id):
                raise
            return None
        return archived_object.describe(self.prefix, key, answer)

    def find(self, place: str) -> ArchivedObject | None:
        """The attachment's own object in this place, of several the one that was archived first; None without one.

        Raises StorageUnavailableError also where S3's list is out of order.
        """
        without_checksum = None
        keys = listed_keys(partial(call, self.client, Bucket=self.bucket), self.prefix, f"{place}/")
        for version in first_written(keys):
            found = self.read(version.key, version.version_id)
            if found and found.is_ours:
                if found.sha256:
                    return found
                without_checksum = without_checksum or found
        return without_checksum

    def check_readable(self, key: str, version_id: str | None) -> None:
        """Raise ColdStorageError if the version lies in an archive tier, where an address would download nothing."""
        check_tier(call(self.client, "head_object", **self._named(key, version_id)))

    def signed_url(self, key: str, version_id: str | None, seconds: int) -> str:
        """An address that downloads this version for so many seconds, and nothing else."""
        url: str = self.client.generate_presigned_url(
            "get_object", Params=self._named(key, version_id), ExpiresIn=seconds
        )
        return url

    def _named(self, key: str, version_id: str | None) -> dict[str, Any]:
        return {"Bucket": self.bucket, "Key": key, **version_arguments(version_id)}

    def _is_listed(self, key: str, version_id: str | None) -> bool:
        """Whether S3 lists the version, even if it may not be read."""
        return any(
            found["Key"] == key and (found["VersionId"] == version_id if version_id else found["IsLatest"])
            for found in call(self.client, "list_object_versions", Bucket=self.bucket, Prefix=key).get("Versions", [])
        )
