"""`bigin-archive request`: what a person names is archived as any other request is."""

import json

import pytest

from tests.account import Account
from tests.aws import Aws
from tests.bigin import Simulator
from tests.functional.test_operate_stack import deploy, run

pytestmark = pytest.mark.in_memory


def test_an_attachment_and_a_record_are_archived(
    aws: Aws, bigin: Simulator, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """By their ids; a record brings all that it has, and nothing else is touched."""
    bigin.add(b"one", module="Accounts", record_id="701", attachment_id="1", file_name="one")
    bigin.add(b"two", module="Accounts", record_id="701", attachment_id="2", file_name="two")
    for number in ("3", "4"):
        bigin.add(b"more", module="Contacts", record_id="702", attachment_id=number, file_name=number)

    status = run(monkeypatch, "request", "Companies/701/1", "Contacts/702", "--stack", deploy(aws), "--json")

    assert (0, {"queued": 2}) == (status, json.loads(capsys.readouterr().out))
    Account(aws, bigin).drain()
    assert {"bigin/Accounts/701/1/one", "bigin/Contacts/702/3/3", "bigin/Contacts/702/4/4"} == set(aws.objects())


WRONG = {
    "Calls/1": "module must be one of",
    "Contacts": "The record's id must be a string of 1 to 50 digits",
    "Contacts/x": "The record's id must be",
    "Contacts/1/": "The attachment's id must be",
    "Contacts/1/2/3": "The attachment's id must be",
}


@pytest.mark.parametrize(("place", "message"), WRONG.items(), ids=WRONG)
def test_what_names_nothing_is_told(
    aws: Aws, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], place: str, message: str
) -> None:
    """In a sentence, with status 2; the good ones beside it are not queued either."""
    assert 2 == run(monkeypatch, "request", "Contacts/1/2", place, "--stack", "none")

    assert message in " ".join(capsys.readouterr().err.split())
    assert [] == aws.messages(aws.queue_url)
