"""Bigin where its clients have seen it answer in two ways."""

import json

import pytest

from bigin_archive.archive_request import ArchiveRequest
from bigin_archive.archiving.message import Message
from bigin_archive.bigin.client import Bigin
from bigin_archive.bigin.listing import LISTING_FIELDS
from bigin_archive.deadline import Deadline
from bigin_archive.errors import AttachmentGoneError, BiginScopeMissingError, BiginUnavailableError
from bigin_archive.network.transport import session
from tests.account import Tokens
from tests.aws import Aws
from tests.bigin import Simulator

pytestmark = pytest.mark.in_memory


@pytest.fixture
def client(bigin: Simulator) -> Bigin:
    return Bigin(session(1), bigin.url, Tokens())


def test_fields_are_left_out_where_bigin_refuses_them(client: Bigin, bigin: Simulator) -> None:
    """Where Bigin refuses ``fields``, the list is read without them, also the next time."""
    added = bigin.add(b"12345", file_name="a.txt")
    request = ArchiveRequest(added["module"], added["record_id"])
    bigin.control("PATCH", "settings", {"fields_refused": True})
    bigin.control("DELETE", "calls")

    found = [list(client.attachments(request, Deadline(10))) for _ in range(2)]

    assert all(("a.txt", 5) in [(one.name, one.size_bytes) for one in entries] for entries in found)
    assert 3 == bigin.calls()["total"]


def test_another_error_of_a_list_is_told_as_before(client: Bigin, bigin: Simulator) -> None:
    """A record that is gone is gone, also where the answer has details."""
    details = {"related_status": "invalid", "resource_path_index": 1}
    bigin.answer(400, {"code": "INVALID_DATA", "message": "m", "status": "error", "details": details})

    with pytest.raises(AttachmentGoneError):
        client.page("/Contacts/1/Attachments", LISTING_FIELDS, {"page": "1"}, Deadline(10))


@pytest.mark.parametrize("as_string", [True, False])
def test_a_size_may_have_a_dollar_sign(client: Bigin, bigin: Simulator, *, as_string: bool) -> None:
    """A size is read from Size or $size, as text or as a number."""
    added = bigin.add(b"12345")
    bigin.control("PATCH", "settings", {"size_key": "$size", "size_as_string": as_string})
    request = ArchiveRequest(added["module"], added["record_id"], added["attachment_id"])

    assert 5 == client.listed_size(request, Deadline(10))


@pytest.mark.parametrize(("kind", "error"), [("html", BiginUnavailableError), ("scope", BiginScopeMissingError)])
def test_an_account_without_bigin_is_told(client: Bigin, bigin: Simulator, kind: str, error: type[Exception]) -> None:
    """Without Bigin an account answers with a web page or a missing scope: the error names what may be the cause."""
    bigin.control("PATCH", "settings", {"no_bigin": kind})

    with pytest.raises(error, match=r"(?:has no|without) Bigin"):
        client.page("/Contacts", "id", {"page": "1"}, Deadline(10))


def test_too_many_calls_at_one_time_hold_up_one_file_alone(aws: Aws, bigin: Simulator) -> None:
    """The others of its batch are archived; nothing pauses, and the file comes back after seconds."""
    requests = [bigin.add(b"%d" % number) for number in range(5)]
    body = {"code": "TOO_MANY_REQUESTS", "message": "Many requests fired in concurrent than the allowed limit"}
    bigin.answer(429, {**body, "status": "error", "details": {}})
    worker = aws.worker(RETRY_DELAY_S="30", RETRY_DELAY_MAX_S="3600", DOWNLOAD_THREADS="1")
    messages = [Message(str(number), json.dumps(request), "h", 1) for number, request in enumerate(requests)]

    staying = worker.work(messages, Deadline(60))

    assert 1 == len(staying)
    assert 4 == len(aws.objects())
    assert [] == worker.work([message for message in messages if message.message_id in staying], Deadline(60))
