"""The Bigin simulator takes attachments: what it accepts, what it refuses, and what can go wrong on the way."""

import json
import time
from typing import Any

import pytest
import requests

from tests.bigin import TOKEN, Simulator, sha256

RECORD_ID = "5570213000000100002"  # a contact without attachments
SCOPE = "ZohoBigin.modules.contacts.CREATE ZohoBigin.modules.attachments.CREATE"
READING = "ZohoBigin.modules.contacts.READ ZohoBigin.modules.attachments.READ"
WRITER = "1000.writer"


@pytest.fixture(autouse=True)
def _token(bigin: Simulator) -> None:
    bigin.control("POST", "tokens", {"token": WRITER, "scope": f"{SCOPE} {READING}"})


def upload(
    bigin: Simulator, token: str = WRITER, record_id: str = RECORD_ID, module: str = "Contacts", **form: Any
) -> requests.Response:
    return requests.post(
        f"{bigin.url}/bigin/v2/{module}/{record_id}/Attachments",
        headers={"Authorization": f"Zoho-oauthtoken {token}"},
        timeout=20,
        **form,
    )


def listed(bigin: Simulator) -> list[dict[str, Any]]:
    answer = requests.get(
        f"{bigin.url}/bigin/v2/Contacts/{RECORD_ID}/Attachments",
        params={"fields": "id,File_Name,Size,$link_url"},
        headers={"Authorization": f"Zoho-oauthtoken {WRITER}"},
        timeout=20,
    )
    return list(answer.json()["data"]) if answer.content else []


def code_of(answer: requests.Response) -> tuple[int, str]:
    return answer.status_code, answer.json()["code"]


@pytest.mark.parametrize("name", ["test file (1).txt", "Смета.txt", "見積書.txt", 'the "final".txt', "🏺.txt"])
def test_a_file_is_attached_under_its_name(bigin: Simulator, name: str) -> None:
    """The answer names the new id and neither name nor size; list and download show what was sent."""
    answer = upload(bigin, files={"file": (name, b"content", "text/plain")})

    (item,) = answer.json()["data"]
    assert (200, "SUCCESS", "success") == (answer.status_code, item["code"], item["status"])
    assert {"id", "Created_Time", "Modified_Time", "Created_By", "Modified_By"} == set(item["details"])
    assert [(item["details"]["id"], name, "7")] == [(one["id"], one["File_Name"], one["Size"]) for one in listed(bigin)]
    (found,) = (one for one in bigin.attachments() if one["attachment_id"] == item["details"]["id"])
    assert (sha256(b"content"), "text/plain") == (found["sha256"], found["content_type"])


def test_the_same_file_twice_is_two_attachments(bigin: Simulator) -> None:
    """The same file sent twice is two attachments: there is no idempotency key."""
    for _ in range(2):
        upload(bigin, files={"file": ("a.txt", b"a")})

    assert ["a.txt", "a.txt"] == [one["File_Name"] for one in listed(bigin)]


@pytest.mark.parametrize("where", ["form", "query"])
def test_a_link_is_attached(bigin: Simulator, where: str) -> None:
    """A link is attached by fields of the form or by parameters of the query."""
    link = {"attachmentUrl": "https://example.com/a?b=c", "title": "Zeichnung №1"}
    if where == "form":
        sent: dict[str, Any] = {"files": {name: (None, value) for name, value in link.items()}}
    else:
        sent = {"params": link, "files": {"unused": (None, "x")}}

    assert 200 == upload(bigin, **sent).status_code
    assert [(link["title"], link["attachmentUrl"])] == [(one["File_Name"], one["$link_url"]) for one in listed(bigin)]


BIG, SMALL = {"file": ("a.bin", bytes(2000))}, {"file": ("a.txt", b"a")}


@pytest.mark.parametrize(
    ("settings", "sent", "expected"),
    [
        ({}, {"data": {"a": "b"}}, (400, "INVALID_REQUEST")),
        ({}, {"files": {"other": ("a.txt", b"a")}}, (400, "INVALID_REQUEST")),
        ({}, {"files": SMALL, "record_id": "1"}, (400, "INVALID_DATA")),
        ({}, {"files": SMALL, "module": "Nowhere"}, (400, "INVALID_MODULE")),
        ({"upload_limit_bytes": 1000}, {"files": BIG}, (413, "FILE_SIZE_MORE_THAN_ALLOWED_SIZE")),
        (
            {"upload_limit_bytes": 1000, "upload_limit_status": 415, "upload_limit_code": "BODY_SIZE_REACHED"},
            {"files": BIG},
            (415, "BODY_SIZE_REACHED"),
        ),
        ({}, {"files": {"file": ("setup.EXE", b"a")}}, (400, "INVALID_FILE_EXTENSION")),
        ({}, {"files": {"file": ("x" * 251, b"a")}}, (400, "INVALID_FILE_NAME")),
        ({"empty_uploads": False}, {"files": {"file": ("a.txt", b"")}}, (400, "EMPTY_FILE_NOT_ALLOWED")),
        ({"storage_bytes": 1}, {"files": SMALL}, (400, "STORAGE_LIMIT_EXCEEDED")),
        ({}, {"files": {"attachmentUrl": (None, "no address")}}, (400, "INVALID_URL_PATTERN")),
        ({}, {"files": SMALL, "token": TOKEN}, (401, "OAUTH_SCOPE_MISMATCH")),
        ({}, {"files": SMALL, "token": "nobody's"}, (401, "INVALID_TOKEN")),
    ],
)
def test_refusals(bigin: Simulator, settings: dict[str, Any], sent: dict[str, Any], expected: tuple[int, str]) -> None:
    """Each refusal has its published status and code, and attaches nothing."""
    bigin.control("PATCH", "settings", settings)
    before = len(bigin.attachments())

    assert expected == code_of(upload(bigin, **sent))
    assert before == len(bigin.attachments())


def test_an_upload_needs_the_scope_of_module_and_attachments(bigin: Simulator) -> None:
    """An upload needs the writing scopes of module and attachments; neither alone is enough."""
    for scope in (*SCOPE.split(), READING):
        bigin.control("POST", "tokens", {"token": "1000.half", "scope": scope})
        assert (401, "OAUTH_SCOPE_MISMATCH") == code_of(upload(bigin, token="1000.half", files=SMALL))


def test_an_answer_is_lost_after_the_commit(bigin: Simulator) -> None:
    """The connection is reset after the file was attached."""
    bigin.fault({"kind": "reset-before-headers"}, call="upload")

    with pytest.raises(requests.ConnectionError):
        upload(bigin, files=SMALL)
    assert ["a.txt"] == [one["File_Name"] for one in listed(bigin)]


def test_an_answer_comes_late(bigin: Simulator) -> None:
    """The file is there before the answer, so a client that gives up has uploaded it all the same."""
    bigin.fault({"kind": "late", "seconds": 5}, call="upload")

    with pytest.raises(requests.Timeout):
        requests.post(
            f"{bigin.url}/bigin/v2/Contacts/{RECORD_ID}/Attachments",
            headers={"Authorization": f"Zoho-oauthtoken {WRITER}"},
            files=SMALL,
            timeout=0.3,
        )
    assert ["a.txt"] == [one["File_Name"] for one in listed(bigin)]


def test_a_file_appears_after_its_connection_was_lost(bigin: Simulator) -> None:
    """A file whose connection was lost appears only after the list was read once."""
    bigin.fault({"kind": "deferred", "seconds": 0.2}, call="commit")

    with pytest.raises(requests.ConnectionError):
        upload(bigin, files=SMALL)
    assert not listed(bigin)
    ends_at = time.monotonic() + 10
    while not listed(bigin):
        assert time.monotonic() < ends_at


def test_what_becomes_of_an_upload(bigin: Simulator) -> None:
    """An upload can get another name, other bytes or size, be missing in the list, or meet a deleted record."""
    for fault in (
        {"kind": "altered", "file_name": "b.txt"},
        {"kind": "altered", "content": True},
        {"kind": "altered", "size_listed": 5},
    ):
        bigin.fault(fault, call="commit")
        assert upload(bigin, files=SMALL).ok
    found = {one["id"]: one for one in listed(bigin)}
    assert [("a.txt", "5"), ("a.txt", "1"), ("b.txt", "1")] == [(f["File_Name"], f["Size"]) for f in found.values()]
    digests = [one["sha256"] for one in bigin.attachments() if one["attachment_id"] in found]
    assert [True, False, True] == [digest == sha256(b"a") for digest in digests]

    bigin.fault({"kind": "hidden", "lists": 1}, call="commit")
    assert upload(bigin, files=SMALL).ok
    assert [3, 4] == [len(listed(bigin)), len(listed(bigin))]

    bigin.fault({"kind": "record-deleted"}, call="commit")
    assert (400, "INVALID_DATA") == code_of(upload(bigin, files=SMALL))


def grant(bigin: Simulator, code: str, **more: Any) -> dict[str, Any]:
    bigin.control("POST", "codes", {"code": code, **more})
    form = {"grant_type": "authorization_code", "client_id": "test", "client_secret": "test", "code": code}
    answer: dict[str, Any] = requests.post(f"{bigin.url}/oauth/v2/token", data=form, timeout=20).json()
    return answer


@pytest.mark.parametrize("how", ["data", "params"])
def test_a_grant_ends_with_its_tokens(bigin: Simulator, how: str) -> None:
    """It has the scopes that its code was made with, and no token of it lives on; a second end is refused."""
    granted = grant(bigin, "code", scope=SCOPE)
    assert SCOPE == granted["scope"]
    assert upload(bigin, token=granted["access_token"], files=SMALL).ok

    sent: dict[str, Any] = {how: {"token": granted["refresh_token"]}, "timeout": 20}
    answers = [requests.post(f"{bigin.url}/oauth/v2/token/revoke", **sent) for _ in range(2)]

    assert [200, 400] == [answer.status_code for answer in answers]
    assert (401, "INVALID_TOKEN") == code_of(upload(bigin, token=granted["access_token"], files=SMALL))
    assert 1 == bigin.control("GET", "tokens")["refresh_tokens"]


def test_an_access_token_may_outlive_its_grant(bigin: Simulator) -> None:
    """A setting lets an access token outlive its grant, which Zoho says that it does not."""
    bigin.control("PATCH", "settings", {"access_outlives_refresh": True})
    granted = grant(bigin, "code", scope=SCOPE)
    requests.post(f"{bigin.url}/oauth/v2/token/revoke", data={"token": granted["refresh_token"]}, timeout=20)

    assert upload(bigin, token=granted["access_token"], files=SMALL).ok


def test_the_twenty_first_grant_ends_the_oldest(bigin: Simulator) -> None:
    """The oldest grant may be the one that the stack uses."""
    form = {"grant_type": "refresh_token", "client_id": "test", "client_secret": "test", "refresh_token": "test"}
    for number in range(19):
        grant(bigin, str(number))
    assert "access_token" in requests.post(f"{bigin.url}/oauth/v2/token", data=form, timeout=20).json()

    grant(bigin, "the last drop")

    assert {"error": "invalid_code"} == requests.post(f"{bigin.url}/oauth/v2/token", data=form, timeout=20).json()
    assert 20 == bigin.control("GET", "tokens")["refresh_tokens"]


def test_a_revocation_can_fail(bigin: Simulator) -> None:
    """A revocation can fail, as any call of the accounts server."""
    bigin.fault({"kind": "answer", "status": 503}, call="revoke")
    answer = requests.post(f"{bigin.url}/oauth/v2/token/revoke", data={"token": "test"}, timeout=20)

    assert (503, 1) == (answer.status_code, bigin.control("GET", "tokens")["refresh_tokens"])


def test_both_kinds_of_429_are_told_apart_by_their_text(bigin: Simulator) -> None:
    """Too many calls at once, and used-up credits; the code is the same."""
    texts = []
    for settings in ({"concurrency_limit": 0}, {"concurrency_limit": 10, "daily_credits": 0}):
        bigin.control("PATCH", "settings", settings)
        answer = upload(bigin, files=SMALL)
        assert (429, "TOO_MANY_REQUESTS") == code_of(answer)
        texts.append(json.loads(answer.text)["message"])

    assert ["concurrent" in text for text in texts] == [True, False]
