"""What Bigin really holds now, and what it held at any time before."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass, field, replace

from local.bigin.account import Account, Attachment, Record, disposition_of
from local.bigin.content import stored
from local.bigin.timestamps import epoch_s, iso

# Of attachments: the same twice, one that looks like a shortcut's, one that no key can hold as it is, none at all.
NAMES = ("file {}.txt", "same.txt", "same.txt", "a link.url", "ü/n\\ï\u202e.pdf", "x" * 300 + ".txt", "")
MODULES = ("Contacts", "Pipelines", "Notes")  # of the seven: enough for lists of several modules


@dataclass(slots=True)
class Held:
    """One attachment, as Bigin held it for some time; ``body`` is None for a link. Times are by the machine's clock."""

    from_s: float
    body: bytes | None
    modified_s: float
    until_s: float | None = None

    def was_there(self, at_s: float) -> bool:
        return self.from_s <= at_s and (self.until_s is None or self.until_s > at_s)


@dataclass(slots=True)
class Truth:
    """An account that changes, with the past of each place. Bigin's clock is ``bigin_ahead_s`` ahead."""

    account: Account
    now: Callable[[], float]
    bigin_ahead_s: float = 0
    past: dict[str, list[Held]] = field(default_factory=dict)
    removed: list[tuple[Record, Attachment]] = field(default_factory=list)
    waiting: list[Record] = field(default_factory=list)  # for an approval: no list shows them
    changes: int = 0
    _number: int = 0

    def empty(self) -> None:
        """Remove what the simulator starts with."""
        for records in self.account.records.values():
            records.clear()
        self.account.attachments.clear()

    # ---- What can happen; a number chooses among what there is ----

    def new_record(self, number: int) -> None:
        self._number += 1
        module = MODULES[number % len(MODULES)]
        self.account.add_record(module, f"{1000 + self._number}", self._bigin_time())
        self.changes += 1

    def attach(self, number: int, size: int, edits: bool, link: bool = False, called: int = 0) -> None:
        if (record := self._record(number)) is None:
            return
        self._number += 1
        name = f"{7000 + self._number}"
        content = stored((f"{name}|".encode() * 40)[:size])
        file_name = NAMES[called % len(NAMES)].format(name)
        made = Attachment(
            id=name,
            module=record.module,
            record_id=record.id,
            file_name=file_name,
            content=content,
            content_type="text/plain",
            disposition=disposition_of(file_name) if file_name else None,
            kind="link" if link else "file",
            link_url=f"https://example.com/{name}" if link else None,
            created_time=self._bigin_time(),
        )
        self._put(made, edits)

    def replace(self, number: int, same_size: bool, edits: bool) -> None:
        """Give the attachment other bytes and a newer time. Its id stays."""
        if (old := self._attachment(number)) is None or old.kind == "link":
            return
        body = bytes((each + 1) % 256 for each in old.content.read()) + (b"" if same_size else b"!")
        self._close(place_of(old))
        listed = {"Modified_Time": self._bigin_time()}
        self._put(replace(old, content=stored(body), listed={**old.listed, **listed}), edits)

    def turn(self, number: int, edits: bool) -> None:
        """A link under the id of a file, or a file under that of a link."""
        if old := self._attachment(number):
            self._close(place_of(old))
            is_link = old.kind == "link"
            address = None if is_link else f"https://example.com/{old.id}"
            listed = {**old.listed, "Modified_Time": self._bigin_time()}
            self._put(replace(old, kind="file" if is_link else "link", link_url=address, listed=listed), edits)

    def rename(self, number: int) -> None:
        if old := self._attachment(number):
            self._swap(replace(old, listed={**old.listed, "File_Name": f"renamed {old.file_name}"}))

    def remove(self, number: int, edits: bool = False) -> None:
        if old := self._attachment(number):
            record = self.account.record_of(old)
            self.removed.append((record, old))
            self._close(place_of(old))
            self.account.remove(old.id)
            self._edited(record, edits)

    def restore(self, number: int) -> None:
        """Take it out of Bigin's recycle bin. Its id and its times stay."""
        if not self.removed:
            return
        record, old = self.removed.pop(number % len(self.removed))
        is_hidden = any((each.module, each.id) == (record.module, record.id) for each in self.waiting)
        if old.id in self.account.attachments or is_hidden:
            return
        self.account.add_record(record.module, record.id, record.modified_time)
        self._put(old, edits=False)

    def restore_record(self, number: int) -> None:
        """A deleted record comes back out of the bin with all that was on it, under the old ids and times."""
        if self.removed:
            record, _ = self.removed[number % len(self.removed)]
            places = [
                index for index, (of, _) in enumerate(self.removed) if (of.module, of.id) == (record.module, record.id)
            ]
            for index in reversed(places):
                self.restore(index)

    def move(self, number: int, to: int, edits: bool) -> None:
        """Move it to another record, as a merge of two records does. Its id stays."""
        old, record = self._attachment(number), self._record(to)
        if old and record and record.id != old.record_id:
            self._close(place_of(old))
            self.account.remove(old.id)
            self._put(replace(old, module=record.module, record_id=record.id), edits)

    def merge(self, number: int, to: int) -> None:
        """Move all attachments of one record to another one, and remove the record."""
        lost, kept = self._record(number), self._record(to)
        if lost and kept and lost is not kept:
            for old in list(lost.attachments.values()):
                self._close(place_of(old))
                self.account.remove(old.id)
                self._put(replace(old, module=kept.module, record_id=kept.id), edits=False)
            self.account.remove_record(lost.module, lost.id)
            self._edited(kept, True)

    def remove_record(self, number: int) -> None:
        if record := self._record(number):
            for old in list(record.attachments.values()):
                self._close(place_of(old))
                self.account.remove(old.id)
                self.removed.append((record, old))
            self.account.remove_record(record.module, record.id)
            self.changes += 1

    def remove_from_list(self, path: str, number: int) -> None:
        """Remove an entry of the list that is being read: a record of a module, or an attachment of a record."""
        module, record_id = _list_of(path)
        records = list(self.account.records.get(module, {}))
        attachments = [*self.account.attachments]
        if record_id in records:
            mine = list(self.account.records[module][record_id].attachments)
            if mine:
                self.remove(attachments.index(mine[number % len(mine)]))
        elif records:
            self.remove_record(self._records().index(self.account.records[module][records[number % len(records)]]))

    def add_to_list(self, path: str, number: int, edits: bool) -> None:
        """Add an entry to the list that is being read. A new record has a file."""
        module, record_id = _list_of(path)
        if module not in MODULES:
            return
        if record_id not in self.account.records[module]:
            self.new_record(MODULES.index(module))
            record_id = list(self.account.records[module])[-1]
        self.attach(self._records().index(self.account.records[module][record_id]), number % 40, edits)

    def keep_back(self, number: int) -> None:
        """Let a record wait for an approval: Bigin shows neither it nor its attachments."""
        if record := self._record(number):
            for old in record.attachments.values():
                self._close(place_of(old))
                del self.account.attachments[old.id]
            del self.account.records[record.module][record.id]
            self.waiting.append(record)
            self.changes += 1

    def approve(self, number: int) -> None:
        """Approve the record: Bigin shows it again, with its old times."""
        if not self.waiting:
            return
        record = self.waiting.pop(number % len(self.waiting))
        there = self.account.records[record.module].setdefault(record.id, record)
        for old in list(record.attachments.values()):
            if old.id in self.account.attachments:
                del record.attachments[old.id]
                continue
            there.attachments[old.id] = self.account.attachments[old.id] = old
            self._open(old)
        self.changes += 1

    # ---- What is, and what was ----

    def places(self) -> dict[str, Attachment]:
        """What Bigin lists now, by place."""
        return {place_of(each): each for each in self.account.attachments.values()}

    def bodies(self, place: str) -> list[bytes]:
        """All bytes that the attachment ever had."""
        return [held.body for held in self.past.get(place, []) if held.body is not None]

    def held(self, place: str, since_s: float, until_s: float) -> Iterator[Held]:
        """Every form in which Bigin held it at some time between the two."""
        for each in self.past.get(place, []):
            if each.from_s <= until_s and (each.until_s is None or each.until_s > since_s):
                yield each

    def is_steady(self, place: str, since_s: float) -> bool:
        """Whether nothing happened to it in Bigin since then."""
        return all(
            each.from_s < since_s and (each.until_s is None or each.until_s < since_s)
            for each in self.past.get(place, [])
        )

    def _records(self) -> list[Record]:
        return [record for module in MODULES for record in self.account.records[module].values()]

    def _record(self, number: int) -> Record | None:
        records = self._records()
        return records[number % len(records)] if records else None

    def _attachment(self, number: int) -> Attachment | None:
        found = list(self.account.attachments.values())
        return found[number % len(found)] if found else None

    def _put(self, made: Attachment, edits: bool) -> None:
        self.account.add(made)
        self._open(made)
        self._edited(self.account.record_of(made), edits)

    def _swap(self, made: Attachment) -> None:
        self.account.record_of(made).attachments[made.id] = self.account.attachments[made.id] = made
        self.changes += 1

    def _edited(self, record: Record, edits: bool) -> None:
        if edits:
            record.modified_time = self._bigin_time()
        self.changes += 1

    def _open(self, made: Attachment) -> None:
        body = None if made.kind == "link" else made.content.read()
        modified = made.listed.get("Modified_Time", made.created_time)
        self.past.setdefault(place_of(made), []).append(Held(self.now(), body, epoch_s(modified)))

    def _close(self, place: str) -> None:
        self.past[place][-1].until_s = self.now()

    def _bigin_time(self) -> str:
        return iso(self.now() + self.bigin_ahead_s)


def _list_of(path: str) -> tuple[str, str]:
    """The module and the record that a list's address names; empty texts if it names none."""
    module, _, rest = path.removeprefix("/bigin/v2/").partition("/")
    return module, rest.partition("/")[0]


def place_of(attachment: Attachment) -> str:
    return f"{attachment.module}/{attachment.record_id}/{attachment.id}"
