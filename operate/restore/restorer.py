"""The way of a file from S3 back to Bigin: verified, sent once, found again, compared, noted.

The process may die at any line, and an answer may be lost. So a repetition lists first, and accepts a listed file with
the same bytes. The file is there once, however often the command was run.
"""

import re
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass

from bigin_archive.archive_request import ArchiveRequest
from bigin_archive.bigin.client import Bigin
from bigin_archive.errors import ArchiveError, AttachmentGoneError, BiginRefusedError
from operate.restore import archived_copy, limits
from operate.restore.archived_copy import ArchivedCopy, DamagedError
from operate.restore.limits import Refusal
from operate.restore.notes import RestoreNotes, is_proved
from operate.restore.outcome import (
    ALREADY_THERE,
    DAMAGED,
    RECORD_GONE,
    REFUSED,
    RESTORED,
    UNCONFIRMED,
    WOULD_RESTORE,
    Outcome,
    Wanted,
    records,
)
from operate.restore.record import BiginRecord
from operate.restore.sender import SENDS, WAITS_S, NeverSeenError, Sender, Sent
from operate.restore.uploader import RecordGoneError, RefusedError
from operate.stack.archive import Archive

BATCH = 25  # files sent between two lists of a record; a killed run leaves this many to compare
_CODE = re.compile(r"\(([A-Z_]+)\)")
_AGAIN = "Look at the record in Bigin, then run the command again. A file that is there is not sent again."
_GONE = (
    "The record was deleted in Bigin. Restore it from the recycle bin there, or name another record with --to-record."
)

Tell = Callable[[Outcome], None]


@dataclass(frozen=True, slots=True)
class _OnItsWay:
    """A file that was sent and is not confirmed yet."""

    wanted: Wanted
    copy: ArchivedCopy
    sent: Sent


class Restorer:
    """Sends files back. Without a sender it only says what it would do."""

    def __init__(
        self,
        archive: Archive,
        bigin: Bigin,
        sender: Sender | None,
        notes: RestoreNotes,
        *,
        limit_mib: int = limits.UPLOAD_LIMIT_MIB,
        drill: bool = False,
        sleep: Callable[[float], None] = time.sleep,
    ) -> None:
        """With ``drill``, it also sends a file that is there already."""
        self._archive = archive
        self._bigin = bigin
        self._sender = sender
        self._notes = notes
        self._limit_mib = limit_mib
        self._drill = drill
        self._sleep = sleep

    def restore(self, wanted: Sequence[Wanted], tell: Tell) -> None:
        """Yield the outcome of each file. Raises the ArchiveError that ends the run."""
        for to, files in records(wanted):
            record = BiginRecord(self._bigin, to, self._sleep)
            try:
                record.refresh()
            except AttachmentGoneError:
                record.is_gone = True
            except BiginRefusedError as error:
                for one in files:
                    tell(_refused(one, _refusal_in(error)))
                continue
            if record.listed:
                requests = [ArchiveRequest(to.module, to.record_id, one) for one in record.listed]
                record.rows = {row.attachment_id: row for row in self._archive.ledger.find(requests).values()}
            for start in range(0, len(files), BATCH):
                self._batch(record, files[start : start + BATCH], tell)

    def _batch(self, record: BiginRecord, files: Sequence[Wanted], tell: Tell) -> None:
        under_way: list[_OnItsWay] = []
        try:
            for one in files:
                result = self._one(record, one)
                if isinstance(result, _OnItsWay):
                    under_way.append(result)
                else:
                    tell(result)
        except ArchiveError:
            # The run ends here. What was sent is compared and noted all the same, if Bigin still answers.
            self._confirm(record, under_way, tell)
            raise
        except KeyboardInterrupt:
            for each in under_way:
                tell(_unconfirmed(each, "sent, not compared: the run was stopped"))
            raise
        self._confirm(record, under_way, tell)

    def _one(self, record: BiginRecord, one: Wanted) -> Outcome | _OnItsWay:
        if record.is_gone:
            return _gone(one)
        try:
            if not self._drill and (found := self._proved(record, one)):
                return Outcome(one, ALREADY_THERE, found, record.listed[found].name)
            copy = archived_copy.look(self._archive.inventory, one.entry)
            if not self._drill and (found := record.find(copy, record.listed, _own_ids(one))):
                self._note(record, one, copy, found)
                return Outcome(one, ALREADY_THERE, found, record.listed[found].name)
            if refusal := self._refusal(copy):
                return _refused(one, refusal)
            if self._sender is None:
                return Outcome(one, WOULD_RESTORE)
            with archived_copy.spooled(self._archive.inventory, copy) as file:
                return _OnItsWay(one, copy, self._sender.send(record, copy, file))
        except DamagedError as damage:
            return Outcome(one, DAMAGED, detail=damage.detail, remedy=damage.remedy)
        except RefusedError as error:
            return _refused(one, error.refusal)
        except BiginRefusedError as error:
            return _refused(one, _refusal_in(error))
        except NeverSeenError as error:
            detail = f"sent {SENDS} times, and the record never listed it ({error})"
            return Outcome(one, UNCONFIRMED, detail=detail, remedy=_AGAIN)
        except RecordGoneError:
            record.is_gone = True
            return _gone(one)

    def _proved(self, record: BiginRecord, one: Wanted) -> str | None:
        """The id under which an earlier run sent and compared the file, which saves a second download."""
        for attachment_id, row in record.rows.items():
            listed = record.listed.get(attachment_id)
            if listed is None or attachment_id in record.claimed:
                continue
            if is_proved(one, listed, row):
                if self._sender is not None:
                    self._notes.complete(one, row.request.place)
                record.claimed.add(attachment_id)
                return attachment_id
        return None

    def _refusal(self, copy: ArchivedCopy) -> Refusal | None:
        if copy.link:
            return limits.link_refusal(copy.link.title, copy.link.url)
        return limits.file_refusal(copy.name, copy.size_bytes, self._limit_mib)

    def _confirm(self, record: BiginRecord, under_way: Sequence[_OnItsWay], tell: Tell) -> None:
        """List the record again, then download and compare each file."""
        left = list(under_way)
        try:
            for wait_s in WAITS_S if left else ():
                self._sleep(wait_s)
                record.refresh()
                if all(each.sent.attachment_id in record.listed for each in left):
                    break
            while left:
                tell(self._judged(record, left[0]))
                left.pop(0)
        except AttachmentGoneError:
            record.is_gone = True
            for each in left:
                tell(_gone(each.wanted))
        except (ArchiveError, KeyboardInterrupt):
            for each in left:
                tell(_unconfirmed(each, "sent, not compared: the run ended"))
            raise

    def _judged(self, record: BiginRecord, each: _OnItsWay) -> Outcome:
        found = each.sent.attachment_id
        if found not in record.listed:
            return _unconfirmed(each, "Bigin accepted it, and the record's list does not show it")
        name = record.listed[found].name
        if not each.sent.is_compared and not record.holds(found, each.copy):
            remedy = f"Delete the attachment {found} in Bigin by hand, then run the command again."
            return Outcome(
                each.wanted, UNCONFIRMED, found, name, detail="Bigin has other bytes than were sent", remedy=remedy
            )
        self._note(record, each.wanted, each.copy, found)
        detail = remedy = ""
        if name != each.copy.name:
            detail = f"Bigin calls it {name}"
        if each.sent.times > 1 and (twin := record.find(each.copy, record.listed.keys() - record.rows.keys())):
            detail = "it is there twice: an answer was lost, and what had been sent appeared later"
            remedy = f"Delete the attachment {twin} in Bigin by hand."
        return Outcome(each.wanted, RESTORED, found, name, detail=detail, remedy=remedy)

    def _note(self, record: BiginRecord, one: Wanted, copy: ArchivedCopy, found: str) -> None:
        if self._sender is not None:
            self._notes.note_copy(one, copy, record.listed[found], record.rows.get(found), drill=self._drill)


def _own_ids(one: Wanted) -> list[str]:
    """Ids that the file may have in the record: its own, and that of an earlier restore."""
    places = (one.entry.request.place, one.entry.restored_as or "")
    return [place.rpartition("/")[2] for place in places if place.startswith(f"{one.to.module}/{one.to.record_id}/")]


def _refusal_in(error: BiginRefusedError) -> Refusal:
    """Bigin's own code, which the client writes in brackets."""
    code = _CODE.search(error.detail)
    return Refusal(code[1] if code else error.code)


def _unconfirmed(each: _OnItsWay, detail: str) -> Outcome:
    return Outcome(each.wanted, UNCONFIRMED, each.sent.attachment_id, detail=detail, remedy=_AGAIN)


def _gone(one: Wanted) -> Outcome:
    return Outcome(
        one, RECORD_GONE, detail=f"the record {one.to.module}/{one.to.record_id} is not in Bigin", remedy=_GONE
    )


def _refused(one: Wanted, refusal: Refusal) -> Outcome:
    detail = f"Bigin does not take it ({refusal.code})"
    return Outcome(one, REFUSED, code=refusal.code, detail=detail, remedy=refusal.remedy)
