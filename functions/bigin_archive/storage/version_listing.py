"""S3's list of versions, 1,000 a call, as keys with their versions. Pure, except for the given calls.

A version never changes (S3 User Guide, "How S3 Versioning works"), so key, version id and size prove again what was
verified once. Pages are cut anywhere, also between two versions of one key (S3 API Reference, ListObjectVersions).
"""

from collections.abc import Callable, Iterable, Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from itertools import groupby
from operator import attrgetter
from typing import Any

from bigin_archive.clock import iso
from bigin_archive.errors import StorageUnavailableError
from bigin_archive.storage.archived_object import identity


@dataclass(frozen=True, slots=True)
class ListedVersion:
    """One version of an object, or a delete marker. ``modified_at`` is ISO 8601 in UTC, ``is_latest`` S3's word."""

    key: str
    version_id: str | None
    size_bytes: int
    modified_at: str
    is_latest: bool | None
    is_marker: bool = False


@dataclass(frozen=True, slots=True)
class ListedKey:
    """A key with all its versions, in S3's order; ``path`` is the key without the archive's prefix."""

    key: str
    path: str
    versions: tuple[ListedVersion, ...]

    @property
    def current(self) -> ListedVersion | None:
        """The current version of the key; None if the list leaves a doubt."""
        latest = [each for each in self.versions if each.is_latest]
        return latest[0] if len(latest) == 1 else None

    @property
    def versions_since_deletion(self) -> tuple[ListedVersion, ...]:
        """Versions, none of them a marker, that were written since the object was last deleted."""
        deleted_at = max((each.modified_at for each in self.versions if each.is_marker), default="")
        return tuple(each for each in self.versions if not each.is_marker and each.modified_at >= deleted_at)

    @property
    def may_exist(self) -> bool:
        """Whether there is an object under the key, or only a request can tell."""
        current = self.current
        return not current.is_marker if current else any(not each.is_marker for each in self.versions)


def first_written(keys: Iterable[ListedKey]) -> list[ListedVersion]:
    """The versions of what exists under ``keys``, since its last deletion, in the order in which they were written.

    The first one with a right checksum that is the attachment's own is the archived one: see ``docs/audit.md``.
    """
    # S3 lists the newest first: of two of one second the older one counts.
    found = [version for key in keys if key.may_exist for version in reversed(key.versions_since_deletion)]
    return sorted(found, key=lambda each: (each.modified_at, each.key))


def listed_keys(call: Callable[..., Any], prefix: str, folder: str = "", after: str = "") -> Iterator[ListedKey]:
    """Every key below ``folder`` of the archive's ``prefix`` that has a version or a delete marker, in S3's order.

    With ``after``, a key without the prefix that need not be there: those behind it.

    ``call`` sends a ListObjectVersions. Raises what it raises, and StorageUnavailableError where the list is out of
    order or does not tell how it goes on: half a list proves nothing.
    """
    for key, versions in groupby(
        _versions(call, prefix + folder, prefix + after if after else ""), key=lambda each: each.key
    ):
        yield ListedKey(key, key.removeprefix(prefix), tuple(versions))


def _versions(call: Callable[..., Any], prefix: str, after: str) -> Iterator[ListedVersion]:
    previous = ""
    # Whoever works on a page need not wait for the next one.
    with ThreadPoolExecutor(1) as ahead:
        start: dict[str, Any] | None = {"KeyMarker": after} if after else {}
        page = ahead.submit(call, "list_object_versions", Prefix=prefix, **(start or {}))
        while start is not None:
            found, start = _read(page.result(), start)
            if start is not None:
                page = ahead.submit(call, "list_object_versions", Prefix=prefix, **start)
            for version in found:
                if version.key < previous:
                    raise StorageUnavailableError("S3's list of versions is not in the order of its keys.")
                previous = version.key
                yield version


def _read(answer: Mapping[str, Any], start: Mapping[str, Any]) -> tuple[list[ListedVersion], dict[str, Any] | None]:
    """A page that began at ``start``, in order, and where the next one begins; None behind the last one."""
    found = [
        *(_version(each, is_marker=False) for each in answer.get("Versions", [])),
        *(_version(each, is_marker=True) for each in answer.get("DeleteMarkers", [])),
    ]
    # The client parts versions and markers, which S3 sends as one list by key. The order of one key's versions
    # is not needed: which is the latest is told. Python sorts by code points, as UTF-8 does.
    found.sort(key=attrgetter("key"))
    if not answer.get("IsTruncated"):
        return found, None
    markers = {"KeyMarker": answer.get("NextKeyMarker"), "VersionIdMarker": answer.get("NextVersionIdMarker")}
    following: dict[str, Any] = {name: marker for name, marker in markers.items() if marker}
    if "KeyMarker" not in following or following == start:
        raise StorageUnavailableError("S3's list of versions breaks off: it does not tell how it goes on.")
    if found and following["KeyMarker"] > found[-1].key:
        # A marker may be the next key (API Reference) or the last one (S3 itself); a skipped key is listed, too.
        following = {"KeyMarker": found[-1].key}
    return found, following


def _version(found: Mapping[str, Any], *, is_marker: bool) -> ListedVersion:
    try:
        return ListedVersion(
            key=found["Key"],
            version_id=identity(found.get("VersionId")),
            size_bytes=0 if is_marker else int(found["Size"]),
            modified_at=iso(found["LastModified"]),
            is_latest=found.get("IsLatest"),
            is_marker=is_marker,
        )
    except (KeyError, TypeError, ValueError):
        raise StorageUnavailableError("S3's list of versions has an entry that cannot be read.") from None
