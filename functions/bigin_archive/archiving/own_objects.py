"""The objects of one attachment that are its own, and which version of each was archived.

Whose an object is, its metadata say. Of an object that was overwritten, the version counts that was written first and
that S3 keeps a checksum of: the worker, the audit, ``rebuild-ledger`` and ``get`` have this one rule.
"""

from collections.abc import Iterable

from bigin_archive.storage.archived_object import StoredObject
from bigin_archive.storage.object_store import ObjectStore


def own_objects(storage: ObjectStore, folder: str, place: str, *, is_link: bool) -> list[StoredObject]:
    """Those below ``folder`` that belong to ``place``, the oldest first; all files, or all shortcuts of links.

    Raises StorageUnavailableError, StorageRefusedError.
    """

    def heads(versions: Iterable[tuple[str, str | None]]) -> list[StoredObject]:
        found = [storage.head(key, place, version_id) for key, version_id in versions]
        return [each for each in found if each and each.is_own and each.is_link == is_link]

    own = heads((key, None) for key in storage.sizes(folder))
    if own:
        versions = storage.versions(folder)
        if len(versions) > len({each.key for each in versions}):
            own = _first_of_each_key(heads((each.key, each.version_id) for each in versions)) or own
    return sorted(own, key=lambda each: (each.modified_at or "", each.key))


def _first_of_each_key(found: Iterable[StoredObject]) -> list[StoredObject]:
    first: dict[str, StoredObject] = {}
    for each in found:
        if each.sha256:
            first.setdefault(each.key, each)
    return list(first.values())
