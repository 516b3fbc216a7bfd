"""Sending one file once: an answer that is lost is looked for in the record's list before anything is sent again."""

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

SENDS = 3  # of one file, where the lists after each that got lost do not show it
WAITS_S = (0, 2, 10)  # before the lists in which a sent file may appear
_FORM_IS_WRONG = ("INVALID_REQUEST", "REQUIRED_PARAM_MISSING", "MANDATORY_NOT_FOUND")
# Python's own table; the machine's /etc/mime.types would make the result depend on where it runs.
_TYPES = mimetypes.MimeTypes(filenames=())


@dataclass(frozen=True, slots=True)
class Sent:
    """Under which id a file is there; whether its bytes were compared already, and how often it was sent."""

    attachment_id: str
    is_compared: bool
    times: int


class NeverSeenError(Exception):
    """Sent, and in no list: ``str()`` says what became of the answers."""


class Sender:
    """Sends files with one uploader."""

    def __init__(self, uploader: Uploader, sleep: Callable[[float], None] = time.sleep) -> None:
        self._uploader = uploader
        self._sleep = sleep

    def send(self, record: BiginRecord, copy: ArchivedCopy, file: IO[bytes]) -> Sent:
        """Attach it to the record. Raises NeverSeenError, and what :meth:`Uploader.send` raises but AnswerLostError."""
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
        """The id under which it is there after all; what was there before does not count."""
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
