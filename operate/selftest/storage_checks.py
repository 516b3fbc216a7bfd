"""The requests that store files, sent as the functions send them."""

import base64
import hashlib
from collections.abc import Callable, Iterator
from io import BytesIO

from bigin_archive.archive_request import ArchiveRequest
from bigin_archive.aws.s3_http import CHECKSUM, S3Requests
from bigin_archive.bigin.response_body import BLOCK_BYTES
from bigin_archive.storage import aws_chunked, object_attributes
from bigin_archive.storage.object_attributes import ObjectAttributes
from bigin_archive.storage.object_store import AlreadyThereError, ObjectStore
from operate.selftest.check import Check, NotDecidedError

_REQUEST = ArchiveRequest("Contacts", "1", "2")
_SMALL, _LARGE = b"selftest", b"selftest" * (2 * BLOCK_BYTES // 8)
_NAMES = ("a+b%20c&d=e;f?g#h.pdf", "日本語\U0001f600.txt", " blanks  around ", "{}[]|^`<>$!*,:.bin", "dots...")
_STORED = "stored, with its SHA-256"
_LOST = "Files would be archived differently. Report it before you rely on this version."
_ALGORITHM = "x-amz-sdk-checksum-algorithm"


class StorageChecks:
    """Checks of one bucket; ``kind`` names it in the checks."""

    def __init__(self, requests: S3Requests, bucket: str, kind: str) -> None:
        self._requests = requests
        self._store = ObjectStore(requests, bucket)
        self._kind = kind

    def checks(self) -> Iterator[Check]:
        """Each check may need the objects of the one before."""
        yield self._check("a small file", lambda: self._put("small.bin", _SMALL), _STORED, _LOST)
        yield self._check(
            "a large file, streamed", lambda: self._streamed("large.bin", {_ALGORITHM: "SHA256"}), _STORED, _LOST
        )
        twice = "Two deliveries of one request could overwrite each other. Report it."
        yield self._check("a second write", lambda: self._put("small.bin", _SMALL), "refused: one is there", twice)
        proof = "The audit could not rely on S3's checksum of the whole file. Audit with --deep, and report it."
        yield self._check("the checksum of the streamed file", self._checksum_type, "FULL_OBJECT, SHA-256", proof)
        names = "Names would come back changed. Rely on the key, and report it."
        yield self._check("names in the metadata", self._metadata, "come back unchanged", names)
        yield self._check("odd keys", self._odd_keys, f"{len(_NAMES)} of {len(_NAMES)} found again", names)

    def without_the_header(self) -> tuple[str, str]:
        """What S3 does with a buffered and a streamed write that do not name the checksum's algorithm."""
        small = Check("", lambda: self._plain_put("small-without.bin"), "", "").run().detail
        large = Check("", lambda: self._streamed("large-without.bin", {}), "", "").run().detail
        return small, large

    def _check(self, name: str, look: Callable[[], str], expected: str, meaning: str) -> Check:
        return Check(f"{self._kind}: {name}", look, expected, meaning)

    def _attributes(self, name: str) -> ObjectAttributes:
        disposition = f'attachment; filename="{name}"' if name.isascii() else None
        return object_attributes.describe("selftest/", _REQUEST, disposition or _extended(name), "text/plain")

    def _put(self, name: str, content: bytes) -> str:
        try:
            stored = self._store.put(self._attributes(name), content)
        except AlreadyThereError:
            return "refused: one is there"
        return _STORED if stored.sha256 == hashlib.sha256(content).hexdigest() else "stored, with another SHA-256"

    def _plain_put(self, name: str) -> str:
        digest = hashlib.sha256(_SMALL)
        answer = self._requests.send(
            "PUT",
            f"selftest/{name}",
            headers={CHECKSUM: base64.b64encode(digest.digest()).decode()},
            body=_SMALL,
            body_bytes=len(_SMALL),
            payload=digest.hexdigest(),
        )
        return "taken" if answer.status == 200 else f"refused (HTTP {answer.status})"

    def _streamed(self, name: str, more: dict[str, str]) -> str:
        """Signed and sent as the storage sends a body that arrives from Bigin."""
        digest = base64.b64encode(hashlib.sha256(_LARGE).digest()).decode()
        headers = {
            "If-None-Match": "*",
            "Content-Encoding": "aws-chunked",
            "x-amz-decoded-content-length": str(len(_LARGE)),
            "x-amz-trailer": CHECKSUM,
            **more,
        }
        answer = self._requests.send(
            "PUT",
            f"selftest/{name}",
            headers=headers,
            body=aws_chunked.frames(_Source(_LARGE)),  # type: ignore[arg-type] # all that it reads of a Body
            body_bytes=aws_chunked.framed_bytes(len(_LARGE)),
            payload=aws_chunked.PAYLOAD,
            ask_first=True,
        )
        if answer.status != 200:
            return f"refused (HTTP {answer.status})"
        head = self._requests.send("HEAD", f"selftest/{name}", headers={"x-amz-checksum-mode": "ENABLED"})
        if not more:
            return "taken"
        return _STORED if head.headers.get(CHECKSUM) == digest else "stored, without that SHA-256"

    def _checksum_type(self) -> str:
        head = self._requests.send("HEAD", "selftest/large.bin", headers={"x-amz-checksum-mode": "ENABLED"}).headers
        kind = head.get("x-amz-checksum-type")
        if head.get(CHECKSUM) and not kind:
            raise NotDecidedError("SHA-256 without a type")
        return f"{kind}, {'SHA-256' if head.get(CHECKSUM) else 'no SHA-256'}"

    def _metadata(self) -> str:
        for name in ("two  blanks.txt", "漢字" * 120 + ".txt", "Größe.txt"):
            attributes = self._attributes(name)
            self._store.put(attributes, _SMALL)
            headers = self._requests.send("HEAD", attributes.key).headers
            kept = {key: headers.get(f"x-amz-meta-{key}") for key in attributes.metadata}
            if kept != attributes.metadata or headers.get("Content-Disposition") != attributes.content_disposition:
                return "come back changed"
        return "come back unchanged"

    def _odd_keys(self) -> str:
        keys = [self._attributes(name).key for name in _NAMES]
        for name in _NAMES:
            self._store.put(self._attributes(name), _SMALL)
        found = self._store.sizes("selftest/Contacts/1/2/")
        return f"{sum(key in found for key in keys)} of {len(keys)} found again"


class _Source(BytesIO):
    """A body as :func:`aws_chunked.frames` reads one."""

    def fill(self, view: memoryview) -> int:
        return self.readinto(view)


def _extended(name: str) -> str:
    return f"attachment; filename*=UTF-8''{name}".encode().decode("latin-1")
