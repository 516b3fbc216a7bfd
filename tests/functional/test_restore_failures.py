"""Failures of a restore, one at a time: every file is in Bigin once, or the command says why not."""

from dataclasses import replace
from typing import Any

import pytest

from bigin_archive.archive_request import ArchiveRequest
from bigin_archive.bigin.client import Bigin
from bigin_archive.bigin.credit_meter import CreditMeter
from bigin_archive.errors import ArchiveError
from bigin_archive.ledger.ledger_entry import LedgerEntry
from bigin_archive.network.transport import session
from bigin_archive.settings import DataCenter
from bigin_archive.token.oauth import request_grant
from operate.restore.grant import GrantedTokens, scope_line
from operate.restore.notes import RestoreNotes
from operate.restore.outcome import Run, Wanted
from operate.restore.restorer import Restorer
from operate.restore.sender import Sender
from operate.restore.uploader import Uploader
from tests.archived import Archive, content
from tests.aws import Aws
from tests.bigin import Simulator, sha256
from tests.functional.test_operate_restore import RECORD, expected, held, operators_archive, record_of

SCOPE = scope_line(("Contacts",))


class Way:
    """The way back of one archive, without a command line and without waiting."""

    def __init__(self, archive: Archive) -> None:
        self.archive, self.bigin = archive, archive.bigin
        self.hosts = DataCenter(archive.bigin.url, archive.bigin.url)
        self._operators = operators_archive(archive, self.hosts)
        self.slept_s: list[float] = []

    def __call__(self, entries: list[LedgerEntry], *, limit_mib: int = 20, **options: Any) -> Run:
        """Restore the files to their record; what an error ends is in the run's failure."""
        http = session(1)
        tokens, meter = self._tokens(), CreditMeter()
        rows = self.archive.ledger.find([entry.request for entry in entries])
        wanted = [Wanted(rows[entry.request.place], ArchiveRequest(entry.module, entry.record_id)) for entry in entries]
        made = Run(dry=False, wanted=wanted)
        bigin = Bigin(http, self.hosts.api_url, tokens, meter=meter)
        sender = Sender(Uploader(session(1), self.hosts.api_url, tokens, meter), self.slept_s.append)
        notes = RestoreNotes(self._operators)
        options = {"limit_mib": limit_mib, "sleep": self.slept_s.append, **options}
        try:
            Restorer(self._operators, bigin, sender, notes, **options).restore(wanted, made.outcomes.append)
        except ArchiveError as error:
            made.failure = error.code
        self.last_calls: dict[str, int] = self.bigin.calls()["by_call"]
        self.bigin.control("DELETE", "calls")
        return made

    def _tokens(self) -> GrantedTokens:
        self.bigin.control("POST", "codes", {"code": "a code", "scope": SCOPE})
        client = {"client_id": "test", "client_secret": "test"}
        form = {**client, "code": "a code", "grant_type": "authorization_code"}
        http = session(1)
        grant = request_grant(http, self.hosts.accounts_url, self.hosts.api_url, form)
        return GrantedTokens(http, self.hosts, client, grant)


@pytest.fixture
def archive(aws: Aws, bigin: Simulator) -> Archive:
    made = Archive(aws, bigin)
    made.empty_bigin()
    bigin.control("DELETE", "calls")
    return made


@pytest.fixture
def way(archive: Archive) -> Way:
    return Way(archive)


def outcomes(run: Run) -> list[str]:
    return [one.outcome for one in run.all_outcomes()]


@pytest.mark.parametrize(
    "fault",
    [
        {"kind": "reset-before-headers"},
        {"kind": "cut", "after": 3},
        {"kind": "answer", "status": 503},
        {"kind": "answer", "status": 500, "body": {"code": "INTERNAL_ERROR", "status": "error"}},
        {"kind": "answer", "status": 200, "body": "<html>sign in</html>"},
        {"kind": "answer", "status": 302, "headers": {"Location": "https://example.com/"}},
        {"kind": "answer", "status": 200, "body": {"data": [{"status": "success", "code": "SUCCESS"}]}},
    ],
)
def test_a_lost_answer_makes_no_second_file(way: Way, archive: Archive, fault: dict[str, Any]) -> None:
    """Whether or not Bigin had taken the file when its answer was lost, it is there once."""
    entries = record_of(archive, 2)
    archive.bigin.fault(fault, call="upload", times=1)

    assert ["restored"] * 2 == outcomes(way(entries))
    assert expected(entries) == held(archive.bigin)
    assert ["already_there"] * 2 == outcomes(way(entries))


def test_a_file_that_appears_late_is_waited_for(way: Way, archive: Archive) -> None:
    """Bigin takes the file and lists it a little later; the restore waits for that."""
    entries = record_of(archive, 1)
    archive.bigin.fault({"kind": "hidden", "lists": 2}, call="commit")

    assert ["restored"] == outcomes(way(entries))
    assert [0, 2, 10] == way.slept_s
    assert expected(entries) == held(archive.bigin)


def test_what_no_list_shows_is_unconfirmed(way: Way, archive: Archive) -> None:
    """A file that no list shows is neither sent again nor noted."""
    (entry,) = record_of(archive, 1)
    archive.bigin.fault({"kind": "hidden", "lists": None}, call="commit")

    run = way([entry])

    assert ["unconfirmed"] == outcomes(run)
    assert 2 == run.exit_status
    assert 1 == len(held(archive.bigin)[str(entry.file_name)])
    assert archive.ledger.find([entry.request])[entry.request.place].restored_as is None


def test_a_file_that_is_never_taken_is_unconfirmed(way: Way, archive: Archive) -> None:
    """The restore sends the file three times, and looks at the list after each."""
    entries = record_of(archive, 1)
    archive.bigin.answer(503, call="upload", times=None)

    run = way(entries)

    assert ["unconfirmed"] == outcomes(run)
    assert {} == held(archive.bigin)
    assert "sent 3 times" in run.outcomes[0].detail


def test_a_file_that_comes_twice_is_told(way: Way, archive: Archive) -> None:
    """A file whose answer was lost and that no list showed was sent again; then both appear, and the report says so."""
    entries = record_of(archive, 1)
    archive.bigin.fault({"kind": "hidden", "lists": 3}, call="commit")
    archive.bigin.fault({"kind": "reset-before-headers"}, call="upload")

    run = way(entries)

    assert ["restored"] == outcomes(run)
    assert "twice" in run.outcomes[0].detail
    assert "Delete the attachment" in run.outcomes[0].remedy


def test_other_bytes_in_bigin_are_told(way: Way, archive: Archive) -> None:
    """The list shows the right name and size, so only a download tells that the bytes are others."""
    entries = record_of(archive, 2)
    archive.bigin.fault({"kind": "altered", "content": True}, call="commit")

    run = way(entries)

    assert ["unconfirmed", "restored"] == outcomes(run)
    assert "other bytes" in run.outcomes[0].detail
    assert str(run.outcomes[0].attachment_id) in run.outcomes[0].remedy


def test_the_same_name_and_size_are_not_the_same_file(way: Way, archive: Archive) -> None:
    """If other bytes have the name and size of the file, it is sent, and both are there."""
    (entry,) = record_of(archive, 1)
    other = bytes(len(content(entry)))
    where = {"module": entry.module, "record_id": entry.record_id, "file_name": entry.file_name}
    archive.bigin.add(other, **where)

    assert ["restored"] == outcomes(way([entry]))
    assert {sha256(other), str(entry.sha256)} == set(held(archive.bigin)[str(entry.file_name)])


def test_a_copy_that_was_changed_is_no_copy_any_more(way: Way, archive: Archive) -> None:
    """If Bigin lists another time for a copy that was proved, its bytes are compared again, and the file is sent."""
    (entry,) = record_of(archive, 1)
    first = way([entry]).outcomes[0]
    where = {"module": entry.module, "record_id": entry.record_id, "file_name": entry.file_name}
    archive.bigin.control("DELETE", f"attachments/{first.attachment_id}")
    later = "2031-01-01T09:00:00+03:00"
    archive.bigin.add(bytes(len(content(entry))), attachment_id=first.attachment_id, created_time=later, **where)

    assert ["restored"] == outcomes(way([entry]))
    assert str(entry.sha256) in held(archive.bigin)[str(entry.file_name)]


def test_another_name_is_told_and_known_again(way: Way, archive: Archive) -> None:
    """Bigin may change the name. The copy is known by its bytes, even if the run died before it noted it."""
    entries = record_of(archive, 1)
    archive.bigin.fault({"kind": "altered", "file_name": "Angebot_1_.pdf"}, call="commit")
    run = way(entries)
    assert ("restored", "Angebot_1_.pdf") == (run.outcomes[0].outcome, run.outcomes[0].name_in_bigin)

    archive.drop_row(replace(entries[0], attachment_id=str(run.outcomes[0].attachment_id)))
    archive.change_row(entries[0], restored_as=None)

    assert ["already_there"] == outcomes(way(entries))
    assert 1 == len(held(archive.bigin))


def test_another_listed_size_is_no_second_upload(way: Way, archive: Archive) -> None:
    """The bytes count, not what the list says."""
    entries = record_of(archive, 1)
    archive.bigin.fault({"kind": "altered", "size_listed": 7}, call="commit")

    assert ["restored"] == outcomes(way(entries))
    assert ["already_there"] == outcomes(way(entries))
    assert expected(entries) == held(archive.bigin)


def test_a_record_that_is_deleted_on_the_way(way: Way, archive: Archive) -> None:
    """No other file is sent to a record that was deleted on the way; other records get theirs."""
    entries = record_of(archive, 3)
    others = record_of(archive, 1, record="Contacts/5557005")
    archive.bigin.fault({"kind": "record-deleted"}, call="commit", skip=1)

    assert ["record_gone"] * 3 + ["restored"] == outcomes(way([*entries, *others]))
    # That the first one was sent is not told: it went with its record.
    assert expected(others) == held(archive.bigin, "Contacts/5557005")


def test_the_token_ends_in_the_middle(way: Way, archive: Archive) -> None:
    """The token is renewed in memory, and the file that met the 401 is there once."""
    entries = record_of(archive, 3)
    archive.bigin.answer(401, {"code": "INVALID_TOKEN", "status": "error"}, call="upload", skip=1)
    archive.bigin.answer(401, {"code": "INVALID_TOKEN", "status": "error"}, call="download")

    assert ["restored"] * 3 == outcomes(way(entries))
    assert expected(entries) == held(archive.bigin)


def test_a_dead_grant_ends_the_run(way: Way, archive: Archive) -> None:
    """What was sent is reported. The rest is not tried, and comes with the next run."""
    entries = record_of(archive, 3)
    archive.bigin.answer(401, {"code": "INVALID_TOKEN", "status": "error"}, call="upload", skip=1, times=None)

    run = way(entries)
    assert ["restored", "not_tried", "not_tried"] == outcomes(run)
    assert (1, "bigin_scope_missing") == (run.exit_status, run.failure)

    archive.bigin.no_faults()
    assert ["already_there", "restored", "restored"] == outcomes(way(entries))
    assert expected(entries) == held(archive.bigin)


def test_too_many_calls_at_once_are_waited_out(way: Way, archive: Archive) -> None:
    """The restore waits for seconds, and sends nothing twice."""
    entries = record_of(archive, 1)
    body = {"code": "TOO_MANY_REQUESTS", "message": "Many requests fired in concurrent than the allowed limit"}
    archive.bigin.answer(429, body, call="upload", times=2)

    assert ["restored"] == outcomes(way(entries))
    assert expected(entries) == held(archive.bigin)


def test_used_up_credits_end_the_run(way: Way, archive: Archive) -> None:
    """What was sent is reported, compared or not, and the next run goes on."""
    entries = record_of(archive, 3)
    archive.bigin.control("PATCH", "settings", {"daily_credits": 3})

    run = way(entries)
    assert (1, "bigin_rate_limited") == (run.exit_status, run.failure)
    assert ["unconfirmed", "unconfirmed", "not_tried"] == outcomes(run)

    archive.bigin.control("PATCH", "settings", {"daily_credits": None})
    assert ["already_there", "already_there", "restored"] == outcomes(way(entries))
    assert expected(entries) == held(archive.bigin)


REFUSALS: list[tuple[dict[str, Any], int, str]] = [
    ({"upload_limit_bytes": 5}, 413, "FILE_SIZE_MORE_THAN_ALLOWED_SIZE"),
    ({"upload_limit_bytes": 5, "upload_limit_status": 415}, 415, "FILE_SIZE_MORE_THAN_ALLOWED_SIZE"),
    ({"upload_limit_bytes": 5, "upload_limit_status": 400, "upload_limit_code": "BODY_SIZE_REACHED"}, 400,
     "BODY_SIZE_REACHED"),
    ({"refused_extensions": "pdf"}, 400, "INVALID_FILE_EXTENSION"),
    ({"storage_bytes": 0}, 400, "STORAGE_LIMIT_EXCEEDED"),
]  # fmt: skip
CODES = [
    (400, "EMPTY_FILE_NOT_ALLOWED"),
    (400, "UNMATCHED_FILE_CONTENT_TYPE"),
    (400, "INVALID_FILE_NAME"),
    (400, "VIRUS_DETECTED"),
    (400, "failure_in_attachment_handling"),
    (400, "INVALID_REQUEST"),
    (400, "INVALID_MODULE"),
    (404, "INVALID_MODULE"),
    (403, "NO_PERMISSION"),
    (400, "AUTHORIZATION_FAILED"),
    (400, "RECORD_LOCKED"),
    (400, "API_NOT_SUPPORTED"),
    (400, "SOMETHING_NEW"),
]


@pytest.mark.parametrize(("settings", "status", "code"), REFUSALS)
def test_each_refusal_of_bigin_is_an_outcome(
    way: Way, archive: Archive, settings: dict[str, Any], status: int, code: str
) -> None:
    """With Bigin's own code and a remedy; the answer is read even where it comes before all was sent."""
    entries = record_of(archive, 1)
    archive.bigin.control("PATCH", "settings", settings)

    run = way(entries)

    assert ["refused"] == outcomes(run)
    assert code == run.outcomes[0].code
    assert run.outcomes[0].remedy
    assert {} == held(archive.bigin)


def test_each_code_that_is_known_is_an_outcome(way: Way, archive: Archive) -> None:
    """Each code is the outcome of one file, with a remedy, and holds up no other. It may also stand inside the item."""
    entries = record_of(archive, len(CODES) + 1)
    for status, code in CODES:
        archive.bigin.answer(status, {"code": code, "status": "error", "details": {}, "message": "m"}, call="upload")
    archive.bigin.answer(200, {"data": [{"code": "LIMIT_EXCEEDED", "status": "error", "details": {}}]}, call="upload")

    run = way(entries)

    outcomes = [(one.outcome, one.code) for one in run.outcomes]
    assert [("refused", code) for _, code in (*CODES, (200, "LIMIT_EXCEEDED"))] == outcomes
    assert all(one.remedy for one in run.outcomes)


def test_a_full_disk_of_bigin_names_the_storage(way: Way, archive: Archive) -> None:
    """The remedy is about Bigin's storage, not about the file."""
    entries = record_of(archive, 1)
    archive.bigin.control("PATCH", "settings", {"storage_bytes": 0})

    assert "file storage of the Bigin account" in way(entries).outcomes[0].remedy


def test_two_files_that_are_the_same_are_two(way: Way, archive: Archive) -> None:
    """A record that held the same file twice holds it twice again, and not a third time."""
    (one,) = record_of(archive, 1)
    twin = replace(one, attachment_id="424242")
    assert archive.ledger.put(twin)

    assert ["restored"] * 2 == outcomes(way([one, twin]))
    assert ["already_there"] * 2 == outcomes(way([one, twin]))
    assert {str(one.file_name): [one.sha256] * 2} == held(archive.bigin)


def test_a_repetition_compares_no_bytes_again(way: Way, archive: Archive) -> None:
    """What was proved under its id, size and time costs a list call and no download."""
    entries = record_of(archive, 3)
    way(entries)

    assert ["already_there"] * 3 == outcomes(way(entries))
    assert {"list": 1} == {name: n for name, n in way.last_calls.items() if name in ("list", "download", "upload")}


def test_every_name_comes_back(way: Way, archive: Archive) -> None:
    """Names come back in any script, with quotes, blanks and dots."""
    names = ["Смета и договор.xlsx", "عرض السعر.pdf", "見積書 2026年3月.pdf", "नमूना सूची.html", "logo 🏺✨.png",
             'The "final" version; signed.jpg', "naïve façade.txt", "Þórdís & Größe №2.docx", " spaces .txt",
             "한국어 문서.hwp", "עברית.doc", "100% & 41.txt", "a'b.txt", ".hidden", "no extension"]  # fmt: skip
    entries = [record_of(archive, 1, file_name=name)[0] for name in names]

    run = way(entries)

    assert ["restored"] * len(names) == outcomes(run)
    assert sorted(names) == sorted(held(archive.bigin))
    assert RECORD == f"{entries[0].module}/{entries[0].record_id}"
