"""Sends one file once: after a lost answer it looks into the record's list before it sends again."""

import mimetypes
import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import IO

from bigin_archive.errors import AttachmentGoneError
from operate.restore.archived_copy import ArchivedCopy
from operate.restore.multipart import MultipartForm
from operate.restore.record import BiginRecord, patiently
from operate.restore.uploader import AnswerLostError, RecordGoneError, RefusedError, Uploader

SENDS = 3  # for one file, if no list shows it after a lost answer
WAITS_S = (0, 2, 10)  # waits before the lists that may show a sent file
_FORM_IS_WRONG = ("INVALID_REQUEST", "REQUIRED_PARAM_MISSING", "MANDATORY_NOT_FOUND")
# Python's own table: with /etc/mime.types the result would depend on the machine.
_TYPES = mimetypes.MimeTypes(filenames=())


@dataclass(frozen=True, slots=True)
class Sent:
    """The id of the file in Bigin, whether its bytes were compared already, and how often it was sent."""

    attachment_id: str
    is_compared: bool
    times: int


class NeverSeenError(Exception):
    """The file was sent and no list shows it; ``str()`` says what became of the answers."""


class Sender:
    """Sends files with one uploader."""

    def __init__(self, uploader: Uploader, sleep: Callable[[float], None] = time.sleep) -> None:
        self._uploader = uploader
        self._sleep = sleep

    def send(self, record: BiginRecord, copy: ArchivedCopy, file: IO[bytes]) -> Sent:
        """Attach the file to the record.

        Raises NeverSeenError, and whatever :meth:`Uploader.send` raises but AnswerLostError.
        """
        lost = ""
        for times in range(1, SENDS + 1):
            try:
                return self._claimed(record, Sent(self._upload(record, copy, file), is_compared=False, times=times))
            except AnswerLostError as error:
                lost = str(error)
            if found := self._appeared(record, copy):
                return self._claimed(record, Sent(found, is_compared=True, times=times))
        raise NeverSeenError(lost)

    def _claimed(self, record: BiginRecord, sent: Sent) -> Sent:
        record.claimed.add(sent.attachment_id)
        return sent

    def _upload(self, record: BiginRecord, copy: ArchivedCopy, file: IO[bytes]) -> str:
        if copy.link is None:
            kind = _TYPES.guess_type(copy.name)[0] or "application/octet-stream"
            form = MultipartForm.of_file(copy.name, kind, file, copy.size_bytes)
            return patiently(self._sleep, lambda: self._uploader.send(record.record, form))
        fields = {"attachmentUrl": copy.link.url, **({"title": copy.link.title} if copy.link.title else {})}
        form = MultipartForm.of_fields(fields)
        try:
            return patiently(self._sleep, lambda: self._uploader.send(record.record, form))
        except RefusedError as error:
            if error.refusal.code not in _FORM_IS_WRONG:
                raise
        # One version of the platform's specification has the fields in the form, another in the query.
        return patiently(self._sleep, lambda: self._uploader.send(record.record, form, fields))

    def _appeared(self, record: BiginRecord, copy: ArchivedCopy) -> str | None:
        """The id of the file if it appeared after all. Files that were there before do not count."""
        new: set[str] = set()
        for wait_s in WAITS_S:
            self._sleep(wait_s)
            try:
                new |= record.refresh()
            except AttachmentGoneError:
                raise RecordGoneError from None
            if found := record.find(copy, new):
                return found
        return None
