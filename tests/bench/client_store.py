"""The store of the archive path on boto3's client: what requests of our own save is measured against it."""

import base64
import hashlib
from typing import Any

from bigin_archive.bigin.response_body import Body
from bigin_archive.storage.archived_object import StoredObject
from bigin_archive.storage.object_attributes import ObjectAttributes


class ClientStore:
    """The two calls that a file costs, as :class:`ObjectStore` makes them, for bodies that fit into memory."""

    def __init__(self, client: Any, bucket: str) -> None:
        self._client = client
        self.bucket = bucket

    def sizes(self, prefix: str) -> dict[str, int]:
        """Key and size of the objects below ``prefix``."""
        listing = self._client.list_objects_v2(Bucket=self.bucket, Prefix=prefix)
        return {found["Key"]: found["Size"] for found in listing.get("Contents", [])}

    def put(self, attributes: ObjectAttributes, source: Body) -> StoredObject:
        """The conditional write, with the SHA-256 that S3 verifies."""
        block = memoryview(bytearray(max(1, source.declared_bytes or 0)))
        content = bytes(block[: source.fill(block)])
        sha256 = hashlib.sha256(content).digest()
        answer = self._client.put_object(
            Bucket=self.bucket,
            Key=attributes.key,
            Body=content,
            ContentType=attributes.content_type,
            ContentDisposition=attributes.content_disposition,
            Metadata=attributes.metadata,
            ChecksumSHA256=base64.b64encode(sha256).decode(),
            IfNoneMatch="*",
        )
        return StoredObject(
            attributes.key, len(content), sha256.hex(), answer.get("VersionId"), attributes.content_type
        )
