"""Asks Bigin at most twenty questions, one credit each, and compares the answers with what this version expects."""

import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from bigin_archive.archive_request import MODULES
from bigin_archive.bigin.classify import classify
from bigin_archive.bigin.credit_meter import REMAINING_HEADER
from bigin_archive.bigin.probed_answers import LISTED_SIZE, NO_WHOLE_LIST, OTHER_SIZE, WHOLE_LIST
from bigin_archive.network.transport import Session
from operate.connect.token_probe import get
from operate.findings import Finding
from operate.selftest.check import Check, NotDecidedError

_TIMEOUT_S = 30
_MOST_BYTES = 1024 * 1024
_FILE_TYPES = ("fileupload", "imageupload")
_FIELDS = "id,File_Name,Size,$link_url"


@dataclass(frozen=True, slots=True)
class _Answer:
    status: int
    headers: Mapping[str, str]
    content: bytes

    @property
    def rows(self) -> list[dict[str, Any]]:
        try:
            found = json.loads(self.content or b"{}").get("data", [])
        except (ValueError, AttributeError):
            return []
        return [row for row in found if isinstance(row, dict)] if isinstance(found, list) else []

    @property
    def outcome(self) -> str:
        """``taken``, or the code with which Bigin refused."""
        error = None if self.status == 204 else classify(self.status, self.headers, self.content)
        return "taken" if error is None else f"refused ({error.code})"


class AccountProbe:
    """One account, with a token that may read."""

    def __init__(self, session: Session, api_url: str, token: str) -> None:
        self._session = session
        self._root = f"{api_url}/bigin/v2"
        self._token = token
        self._place = ""  # the path to the attachments of a record that has at least one

    def findings(self) -> Iterator[Finding]:
        """One finding for each question."""
        for check in self._checks():
            yield check.run()

    def _checks(self) -> Iterator[Check]:
        yield Check("records", self._find, "found one with attachments", "Nothing else can be tried with this account.")
        yield Check("a list with fields", lambda: self._list().outcome, "taken", "Lists are read without fields.")
        yield Check("sizes", self._sizes, "Size, as text", "Sizes are compared in this form, too.")
        yield Check(
            LISTED_SIZE, self._listed_size, "the length of the file", "Sweeps and audits compare no sizes for 90 days."
        )
        yield Check("names of a download", self._name, "told", "Files are called attachment.")
        yield Check(
            "end of a download", self._length, "told by its length", "Files are spooled before they are stored."
        )
        yield Check(
            "fields that hold files", self._file_fields, "none", "Files in fields are not archived: get them in Bigin."
        )
        yield Check(WHOLE_LIST, self._whole, NO_WHOLE_LIST, "Sweeps may read the whole account at once.")
        yield Check(
            "headers about limits",
            self._limits,
            "none while little is used",
            "Bigin's own count of credits is kept, too.",
        )

    def _find(self) -> str:
        for module in MODULES:
            for record in self._rows_of(f"/{module}"):
                path = f"/{module}/{record.get('id')}/Attachments"
                if any(_is_file(row) for row in self._rows_of(path)):
                    self._place = path
                    return "found one with attachments"
        return "found none with attachments"

    def _list(self) -> _Answer:
        if not self._place:
            raise NotDecidedError("no attachment to try it with")
        return self._get(self._place, {"fields": _FIELDS, "per_page": "5"})

    def _rows_of(self, path: str) -> list[dict[str, Any]]:
        return self._get(path, {"fields": _FIELDS, "per_page": "5"}).rows or self._get(path, {"per_page": "5"}).rows

    def _rows(self) -> list[dict[str, Any]]:
        """The entries that are files: a link has no size."""
        if not self._place:
            raise NotDecidedError("no attachment to try it with")
        return [row for row in self._rows_of(self._place) if _is_file(row)]

    def _sizes(self) -> str:
        for row in self._rows():
            for key in ("Size", "$size"):
                if row.get(key) is not None:
                    return f"{key}, as {'text' if isinstance(row[key], str) else 'a number'}"
        return "no size in the list"

    def _listed_size(self) -> str:
        rows, headers = self._rows(), self._download().headers
        length, size = headers.get("content-length", ""), str(rows[0].get("Size", rows[0].get("$size")) if rows else "")
        is_plain = headers.get("content-encoding", "identity").lower() == "identity"
        if not (length.isdecimal() and size.isdecimal() and is_plain):
            raise NotDecidedError("the list or the download tells no size")
        return "the length of the file" if int(size) == int(length) else OTHER_SIZE

    def _download(self) -> _Answer:
        rows = self._rows()
        if not rows:
            raise NotDecidedError("no attachment to try it with")
        return self._get(f"{self._place}/{rows[0].get('id')}", {}, read=False)

    def _name(self) -> str:
        return "told" if "filename" in self._download().headers.get("content-disposition", "") else "not told"

    def _length(self) -> str:
        headers = self._download().headers
        if headers.get("content-encoding", "identity").lower() != "identity":
            return "encoded without being asked for"
        if "chunked" in headers.get("transfer-encoding", ""):
            return "told by chunks"
        return "told by its length" if "content-length" in headers else "not told"

    def _file_fields(self) -> str:
        count = 0
        for module in ("Contacts", "Accounts", "Pipelines"):
            answer = self._get("/settings/fields", {"module": module})
            if answer.status != 200:
                raise NotDecidedError("the fields may not be read")
            try:
                fields = json.loads(answer.content).get("fields", [])
            except (ValueError, AttributeError):
                raise NotDecidedError("the fields cannot be read") from None
            count += sum(isinstance(field, dict) and field.get("data_type") in _FILE_TYPES for field in fields)
        return f"{count} of them" if count else "none"

    def _whole(self) -> str:
        answer = self._get("/Attachments", {"fields": "id", "per_page": "1"})
        return "there is one" if answer.rows else NO_WHOLE_LIST

    def _limits(self) -> str:
        headers = self._get("/Contacts", {"fields": "id", "per_page": "1"}).headers
        found = [name for name in headers if name == REMAINING_HEADER.lower() or "ratelimit" in name.replace("-", "")]
        return ", ".join(sorted(found)) or "none while little is used"

    def _get(self, path: str, params: Mapping[str, str], *, read: bool = True) -> _Answer:
        most_bytes = _MOST_BYTES if read else 0
        return _Answer(
            *get(self._session, self._root + path, self._token, params, timeout_s=_TIMEOUT_S, max_bytes=most_bytes)
        )


def _is_file(row: Mapping[str, object]) -> bool:
    return not row.get("$link_url") and (row.get("Size") or row.get("$size")) not in (None, "", "0", 0)
