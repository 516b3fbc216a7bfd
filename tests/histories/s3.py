"""S3 in memory: one bucket with versions, and only the calls that the project and boto3 make."""

import base64
import hashlib
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from email.utils import format_datetime
from urllib.parse import quote
from xml.sax.saxutils import escape

from tests.histories.network import Reply, Request

MOST_LISTED = 1000  # keys or versions in one answer


@dataclass(slots=True)
class Version:
    """One version of an object. A delete marker has no body. Header names are in lower case."""

    version_id: str
    body: bytes | None
    at_s: float
    headers: dict[str, str] = field(default_factory=dict)

    @property
    def etag(self) -> str:
        return f'"{hashlib.md5(self.body or b"").hexdigest()}"'


class Bucket:
    """Versions by key, the oldest first. ``now`` is S3's clock."""

    def __init__(self, name: str, now: Callable[[], float], most_listed: int = MOST_LISTED) -> None:
        self.name, self._now, self._most = name, now, most_listed
        self.keys: dict[str, list[Version]] = {}
        self._count = 0

    def current(self, key: str) -> Version | None:
        """The current version of the key; None if there is none."""
        latest = self.keys[key][-1] if self.keys.get(key) else None
        return latest if latest and latest.body is not None else None

    def write(self, key: str, body: bytes | None, headers: Mapping[str, str] | None = None) -> Version:
        """Put a version on top; None is a delete marker."""
        self._count += 1
        name = f"{self._count:08d}{hashlib.sha256(key.encode()).hexdigest()[:16]}"
        made = Version(name, body, self._now(), dict(headers or {}))
        self.keys.setdefault(key, []).append(made)
        return made

    def __call__(self, request: Request) -> Reply:
        key = request.path.removeprefix(f"/{self.name}").removeprefix("/")
        answer = self._keyed(request, key) if key else self._listed(request)
        answer.headers["date"] = _http_date(self._now())
        return answer

    def _keyed(self, request: Request, key: str) -> Reply:
        if request.method == "PUT":
            return self._put(request, key)
        if request.method == "DELETE" and "versionId" not in request.query:
            return Reply(204, {"x-amz-version-id": self.write(key, None).version_id, "x-amz-delete-marker": "true"})
        if request.method not in ("GET", "HEAD"):
            raise NotImplementedError(f"{request.method} of an object")
        wanted = request.query.get("versionId")
        found = next((each for each in self.keys.get(key, []) if each.version_id == wanted), None)
        found = found if wanted else self.current(key)
        if found is None:
            return _error(404, "NoSuchVersion" if wanted else "NoSuchKey", request)
        if found.body is None:
            return _error(405, "MethodNotAllowed", request)
        if request.method == "GET" and found.headers.get("x-amz-storage-class") == "GLACIER":
            return _error(403, "InvalidObjectState", request)
        return _object(request, found, found.body)

    def _put(self, request: Request, key: str) -> Reply:
        if request.headers.get("if-none-match") == "*" and self.current(key):
            return _error(412, "PreconditionFailed", request)
        if "aws-chunked" in request.headers.get("content-encoding", ""):
            raise NotImplementedError("a body in signed chunks")
        told = request.headers.get("x-amz-checksum-sha256")
        checksum = base64.b64encode(hashlib.sha256(request.body).digest()).decode()
        if told and told != checksum:
            return _error(400, "XAmzContentChecksumMismatch", request)
        kept = (
            "content-type",
            "content-disposition",
            "x-amz-storage-class",
            "x-amz-checksum-sha256",
            "x-amz-checksum-crc32",
        )
        headers = {
            name: text for name, text in request.headers.items() if name in kept or name.startswith("x-amz-meta-")
        }
        made = self.write(key, request.body, headers)
        answer = {"etag": made.etag, "x-amz-version-id": made.version_id}
        return Reply(200, answer | ({"x-amz-checksum-sha256": checksum} if told else {}))

    def _listed(self, request: Request) -> Reply:
        if request.method != "GET":
            raise NotImplementedError(f"{request.method} of a bucket")
        query = request.query
        if "versioning" in query:
            return _xml("VersioningConfiguration", "<Status>Enabled</Status>")
        if "versions" in query:
            return self._versions(query)
        if query.get("list-type") == "2" and "continuation-token" not in query:
            return self._objects(query)
        raise NotImplementedError(f"a list with {sorted(query)}")

    def _objects(self, query: Mapping[str, str]) -> Reply:
        prefix, most = query.get("prefix", ""), min(self._most, int(query.get("max-keys", self._most)))
        found = [(key, each) for key in self._sorted(prefix) if (each := self.current(key))]
        encoded = query.get("encoding-type") == "url"
        entries = "".join(
            f"<Contents><Key>{quote(key, safe='/') if encoded else escape(key)}</Key><Size>{len(each.body or b'')}"
            f"</Size><LastModified>{_iso(each.at_s)}</LastModified><ETag>{escape(each.etag)}</ETag></Contents>"
            for key, each in found[:most]
        )
        head = f"<IsTruncated>{'true' if len(found) > most else 'false'}</IsTruncated>"
        head += f"<KeyCount>{min(len(found), most)}</KeyCount>"
        return _xml("ListBucketResult", head + ("<EncodingType>url</EncodingType>" if encoded else "") + entries)

    def _versions(self, query: Mapping[str, str]) -> Reply:
        encoded = query.get("encoding-type") == "url"
        rows = list(self._rows(query.get("prefix", ""), encoded))
        marks = [(key, each.version_id) for key, each, _ in rows]
        after = (query.get("key-marker"), query.get("version-id-marker"))
        start = marks.index(after) + 1 if after in marks else 0  # type: ignore[arg-type]
        page = rows[start : start + self._most]
        is_cut = start + self._most < len(rows)
        text = f"<IsTruncated>{'true' if is_cut else 'false'}</IsTruncated>"
        if is_cut:
            key, mark = marks[start + len(page) - 1]
            shown = quote(key, safe="/") if encoded else escape(key)
            text += f"<NextKeyMarker>{shown}</NextKeyMarker><NextVersionIdMarker>{mark}</NextVersionIdMarker>"
        text += "<EncodingType>url</EncodingType>" if encoded else ""
        return _xml("ListVersionsResult", text + "".join(shown for _, _, shown in page))

    def _rows(self, prefix: str, encoded: bool) -> Iterator[tuple[str, Version, str]]:
        for key in self._sorted(prefix):
            for each in reversed(self.keys[key]):
                is_latest = "true" if each is self.keys[key][-1] else "false"
                shown = f"<Key>{quote(key, safe='/') if encoded else escape(key)}</Key>"
                shown += f"<VersionId>{each.version_id}</VersionId><IsLatest>{is_latest}</IsLatest>"
                shown += f"<LastModified>{_iso(each.at_s)}</LastModified>"
                if each.body is None:
                    yield key, each, f"<DeleteMarker>{shown}</DeleteMarker>"
                else:
                    yield key, each, f"<Version>{shown}<Size>{len(each.body)}</Size></Version>"

    def _sorted(self, prefix: str) -> list[str]:
        return sorted(key for key in self.keys if key.startswith(prefix))


def _object(request: Request, found: Version, body: bytes) -> Reply:
    headers = {name: text for name, text in found.headers.items() if not name.startswith("x-amz-checksum-")}
    headers |= {"etag": found.etag, "x-amz-version-id": found.version_id, "last-modified": _http_date(found.at_s)}
    part = request.headers.get("range")
    if request.headers.get("x-amz-checksum-mode", "").upper() == "ENABLED" and not part:
        headers |= {name: text for name, text in found.headers.items() if name.startswith("x-amz-checksum-")}
    if request.method == "HEAD":
        return Reply(200, headers | {"content-length": str(len(body))})
    if not part:
        return Reply(200, headers | {"content-length": str(len(body))}, body)
    first, last = (int(each) for each in part.removeprefix("bytes=").split("-"))
    if first >= len(body):
        return _error(416, "InvalidRange", request)
    return Reply(206, headers, body[first : last + 1])


def _error(status: int, code: str, request: Request) -> Reply:
    if request.method == "HEAD":
        return Reply(status)
    text = f"<Error><Code>{code}</Code><Message>{code}</Message></Error>"
    return Reply(status, {"content-type": "application/xml"}, text.encode())


def _xml(root: str, content: str) -> Reply:
    text = f'<{root} xmlns="http://s3.amazonaws.com/doc/2006-03-01/">{content}</{root}>'
    return Reply(200, {"content-type": "application/xml"}, text.encode())


def _iso(at_s: float) -> str:
    return datetime.fromtimestamp(int(at_s), UTC).strftime("%Y-%m-%dT%H:%M:%S.000Z")


def _http_date(at_s: float) -> str:
    return format_datetime(datetime.fromtimestamp(int(at_s), UTC), usegmt=True)
