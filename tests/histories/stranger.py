"""Somebody else who can reach the bucket and the table, and does what nobody should."""

import base64
import hashlib

from tests.histories import clients
from tests.histories.journal import claimed
from tests.histories.world import World


class Stranger:
    """Notes what he did, so that the oracle knows what an audit must say."""

    def __init__(self, world: World) -> None:
        self._world, self._bucket = world, world.bucket
        self.written: set[tuple[str, str]] = set()  # key and version id
        self.undeleted: set[str] = set()  # places; meanwhile the file may have been archived again, by another name

    def delete(self, number: int) -> None:
        """Put a delete marker on an object."""
        if key := self._key(number):
            self._bucket.write(key, None)
            self._touched(key)

    def overwrite(self, number: int, how: str) -> None:
        """Write another version of an object: longer, shorter or of the same length, with its metadata or without."""
        if not (key := self._key(number)) or not (there := self._bucket.current(key)):
            return
        body = there.body or b""
        bodies = {"longer": body + b"!", "shorter": body[:-1], "same length": body[::-1], "copied": body}
        headers = {name: text for name, text in there.headers.items() if not name.startswith("x-amz-checksum-")}
        self._write(key, bodies[how], headers)

    def add_beside(self, number: int, *, as_copy: bool) -> None:
        """Add a second object in an attachment's place: a copy with all metadata, or one of his own."""
        if not (key := self._key(number)) or not (there := self._bucket.current(key)):
            return
        folder = key.rpartition("/")[0]
        if as_copy:
            self._write(f"{folder}/copy of it.txt", there.body or b"", there.headers)
        else:
            self._write(f"{folder}/note.txt", b"a note", {})

    def add_before(self, number: int, *, of_its_size: bool) -> None:
        """Add an object in the place of an attachment that may not be archived yet."""
        places = sorted(self._world.truth.places().items())
        if places:
            place, attachment = places[number % len(places)]
            body = b"x" * (attachment.content.size_bytes if of_its_size else 3)
            self._write(f"{clients.PREFIX}{place}/stray {number % 3}.txt", body, {})

    def add_elsewhere(self, number: int) -> None:
        self._write(f"{clients.PREFIX}old files/{number % 5}.txt", b"old", {})

    def to_glacier(self, number: int) -> None:
        """A lifecycle rule moves an object into an archive tier: its bytes cannot be read."""
        if (key := self._key(number)) and (there := self._bucket.current(key)):
            there.headers["x-amz-storage-class"] = "GLACIER"

    def lose_page(self, number: int) -> None:
        """A stored page of the sweep's lists is gone."""
        items = self._world.tables.items[clients.LEDGER]
        keys = sorted(key for key in items if key[0] == "#sweep" and key[1].startswith(("page-", "seen-")))
        if keys:
            del items[keys[number % len(keys)]]

    def lose_work(self) -> None:
        """What an audit keeps between two slices is gone from the bucket."""
        for key in [key for key in self._bucket.keys if key.startswith(f"{clients.PREFIX}_audit/work/")]:
            del self._bucket.keys[key]

    def lose_row(self, number: int) -> None:
        """Delete a row of the ledger."""
        items = self._world.tables.items[clients.LEDGER]
        keys = sorted(key for key in items if not key[0].startswith("#"))
        if keys:
            key = keys[number % len(keys)]
            del items[key]

    def lose_table(self) -> None:
        """Delete all rows of attachments. Those of the sweep stay."""
        items = self._world.tables.items[clients.LEDGER]
        for key in [key for key in items if not key[0].startswith("#")]:
            del items[key]

    def restore_version(self, number: int) -> bool:
        """Mend as the operator would: put the version of ours on top again. Returns False if nothing was done."""
        touched = sorted({key for key, _ in self.written} | self._marked())
        if not touched:
            return False
        key = touched[number % len(touched)]
        if key in self._marked():
            self.undeleted.add(place_of(key))
        left = [each for each in self._bucket.keys[key] if (key, each.version_id) not in self.written]
        while left and left[-1].body is None:  # a deletion that our own version lies above stays
            left.pop()
        self._bucket.keys[key] = left
        if not left:
            del self._bucket.keys[key]
        self.written = {each for each in self.written if each[0] != key}
        self._touched(key)
        return True

    def _marked(self) -> set[str]:
        return {key for key, versions in self._bucket.keys.items() if versions and versions[-1].body is None}

    def _write(self, key: str, body: bytes, headers: dict[str, str]) -> None:
        checksum = base64.b64encode(hashlib.sha256(body).digest()).decode()
        made = self._bucket.write(key, body, {**headers, "x-amz-checksum-sha256": checksum})
        self.written.add((key, made.version_id))
        self._touched(key)

    def _touched(self, key: str) -> None:
        self._world.journal.may_be_fetched_again(place_of(key))

    def _key(self, number: int) -> str | None:
        keys = sorted(key for key in self._bucket.keys if self._is_archived(key))
        return keys[number % len(keys)] if keys else None

    def _is_archived(self, key: str) -> bool:
        found = self._bucket.current(key)
        return found is not None and claimed(found.headers) == place_of(key)


def place_of(key: str) -> str:
    """The attachment in whose place a key is."""
    return "/".join(key.removeprefix(clients.PREFIX).split("/")[:3])
