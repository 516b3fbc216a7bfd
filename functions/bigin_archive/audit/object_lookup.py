"""The objects of each place: proved by their version if the ledger knows it, else requested one by one."""

from collections.abc import Callable, Iterable, Iterator, Sequence

from bigin_archive.audit.attachment_view import AttachmentView
from bigin_archive.audit.bigin_side import Listing
from bigin_archive.audit.findings import Finding, Lists, findings
from bigin_archive.audit.merge_join import Joined
from bigin_archive.errors import StorageUnavailableError
from bigin_archive.ledger.attachment_state import State
from bigin_archive.ledger.ledger import Ledger
from bigin_archive.ledger.ledger_entry import LedgerEntry, verified_mark
from bigin_archive.storage.archived_object import ArchivedObject
from bigin_archive.storage.inventory import Inventory
from bigin_archive.storage.version_listing import ListedKey

_Looked = tuple[tuple[ArchivedObject, ...], ArchivedObject | None]


class ObjectLookup:
    """Of one audit. ``chosen`` tells the places whose bytes are read again; ``by_head`` asks for every object."""

    def __init__(
        self, inventory: Inventory, ledger: Ledger, chosen: Callable[[str], bool], *, by_head: bool = False
    ) -> None:
        self._inventory = inventory
        self._ledger = ledger
        self._chosen = chosen
        self._by_head = by_head
        self._marks = True  # until the ledger refuses one: an operator may only have the right to read
        self.proved = 0

    def views(self, joins: Iterable[Joined], listing: Listing) -> Iterator[AttachmentView]:
        """What is known of each place, in the same order. Raises StorageUnavailableError, StorageRefusedError."""
        pairs = ((joined, self._proved(joined)) for joined in joins)
        for (joined, proved), looked in self._inventory.looked_at(pairs, _asked_for, self._look):
            entry = joined.entry
            listed = listing.listed(entry) or joined.listed
            seen_at = listing.seen_at(entry) if listed else None
            if looked is None:
                self.proved += proved is not None
                looked = ((proved,) if proved else (), None)
            objects, first = looked
            yield AttachmentView(joined.place, listed, entry, objects, seen_at, first, joined.position)

    def looked_at_again(
        self, batch: Sequence[AttachmentView], listing: Listing, lists: Lists
    ) -> Iterator[tuple[AttachmentView, list[Finding]]]:
        """The batch with its findings, rows and objects read anew where a row has changed since the ledger was read.

        Raises as above.
        """
        found = [findings(known, lists) for known in batch]
        suspicious = {
            known.place: request
            for known, of_known in zip(batch, found, strict=True)
            if of_known and (request := known.request)
        }
        rows = self._ledger.find(list(suspicious.values()))
        for known, of_known in zip(batch, found, strict=True):
            if known.place not in suspicious or rows.get(known.place) == known.entry:
                yield known, of_known
                continue
            keys = tuple(self._inventory.keys((f"{known.place}/",)))
            listed = None if listing.found is None and listing.stored is None else known.listed
            joined = Joined(known.place, listed, rows.get(known.place), keys, known.position)
            for anew in self.views(iter([joined]), listing):
                yield anew, findings(anew, lists)

    def _proved(self, joined: Joined) -> ArchivedObject | None:
        """The object, if its version proves it and nobody wants more."""
        return None if self._by_head or self._chosen(joined.place) else _proved_object(joined)

    def _look(self, joined: Joined) -> _Looked:
        keys = [key.key for key in _existing(joined)] or [key for key in (_origin(joined),) if key]
        found = [each for each in map(self._inventory.head, keys) if each]
        if self._chosen(joined.place):
            found = [self._inventory.reread(each) if each.is_ours else each for each in found]
        entry, own, first = joined.entry, [each for each in found if each.is_ours], None
        if own and _is_overwritten(joined):
            first = self._inventory.first_version(joined.place, is_link=_is_link(joined))
        if entry and len(own) == len(found) == 1:
            self._mark(entry, own[0])
        return tuple(found), first

    def _mark(self, entry: LedgerEntry, found: ArchivedObject) -> None:
        """Note in the row that S3 confirms it, so that the next audit need not ask again."""
        recorded = (entry.key, entry.version_id, entry.size_bytes, entry.sha256)
        if not self._marks or not entry.is_stored or entry.is_verified or verified_mark(found) is None:
            return
        if recorded == (found.key, found.version_id, found.size_bytes, found.sha256):
            try:
                self._ledger.record_verified(entry)
            except StorageUnavailableError:
                self._marks = False


def _is_link(joined: Joined) -> bool | None:
    """Whether it is a link, as far as Bigin's list and the row tell: file and shortcut are never compared."""
    listed, entry = joined.listed, joined.entry
    if listed:
        return listed.listed.link is not None
    return entry.state == State.LINK if entry and entry.is_stored else None


def _asked_for(pair: tuple[Joined, ArchivedObject | None]) -> Joined | None:
    """The place, if S3 has to be asked for its objects."""
    joined, proved = pair
    return joined if proved is None and (_existing(joined) or _origin(joined)) else None


def _is_overwritten(joined: Joined) -> bool:
    """Whether the place has more versions than the one that we write: the row may have been written after another."""
    return sum(len(key.versions_since_deletion) for key in _existing(joined)) > 1


def _existing(joined: Joined) -> list[ListedKey]:
    return [key for key in joined.keys if key.may_exist]


def _origin(joined: Joined) -> str | None:
    """The object of a file that was sent back to Bigin, which lies in the place that it came from."""
    entry = joined.entry
    return entry.key if entry and entry.restored_from and not joined.keys else None


def _proved_object(joined: Joined) -> ArchivedObject | None:
    """The object, if the list of versions proves it: the only one there, in the version that S3 confirmed before."""
    entry, existing = joined.entry, _existing(joined)
    if not entry or not entry.is_stored or not entry.is_verified or len(existing) != 1:
        return None
    key, current = existing[0], existing[0].current
    if current is None or current.version_id is None or key.key != entry.key or _is_overwritten(joined):
        return None
    if (current.version_id, current.size_bytes) != (entry.version_id, entry.size_bytes):
        return None
    return ArchivedObject(
        key=key.key,
        path=key.path,
        size_bytes=current.size_bytes,
        sha256=entry.sha256,
        version_id=current.version_id,
        modified_at=current.modified_at,
        claimed=joined.place,
        is_link=entry.state == State.LINK,
    )
