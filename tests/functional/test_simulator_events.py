"""What the simulator sends by itself: notifications of its channels, and a workflow rule's webhooks."""

import email
import json
from collections.abc import Iterator
from typing import Any
from urllib.parse import parse_qs, urlsplit

import pytest
import requests

from local.emulator import Emulator
from tests.bigin import TOKEN, Simulator
from tests.receiver import Receiver, receiving, until


@pytest.fixture
def receiver() -> Iterator[Receiver]:
    with receiving() as found:
        yield found


def subscribe(bigin: Simulator, url: str, *events: str, **more: Any) -> None:
    channel = {"channel_id": "90210", "events": list(events), "notify_url": url, "token": "t0ken", **more}
    answer = requests.post(
        f"{bigin.url}/bigin/v2/actions/watch",
        json={"watch": [channel]},
        headers={"Authorization": f"Zoho-oauthtoken {TOKEN}"},
        timeout=20,
    )
    assert 201 == answer.status_code, answer.text


def deliveries(bigin: Simulator, count: int) -> dict[str, Any]:
    """The counts, once so many are done."""

    def done() -> dict[str, Any] | None:
        found: dict[str, Any] = bigin.control("GET", "deliveries")
        return found if found["pending"] == 0 and len(found["log"]) >= count else None

    found: dict[str, Any] = until(done)
    return found


def test_a_changed_record_is_told_to_its_channel(bigin: Simulator, receiver: Receiver) -> None:
    """A record that is created, edited, attached to or deleted causes one notification each, with its documented
    fields.
    """
    subscribe(bigin, receiver.url, "Contacts.all")

    bigin.control("POST", "records", {"module": "Contacts", "record_id": "77001"})
    receiver.wait_for(1)
    bigin.control("PATCH", "records", {"module": "Contacts", "record_ids": ["77001"]})
    receiver.wait_for(2)
    bigin.add(b"x", record_id="77001")
    receiver.wait_for(3)
    bigin.control("DELETE", "records", {"module": "Contacts", "record_ids": ["77001"]})

    bodies = [json.loads(call.body) for call in receiver.wait_for(4)]
    assert ["insert", "update", "update", "delete"] == [body["operation"] for body in bodies]
    assert all(isinstance(body.pop("server_time"), int) for body in bodies)
    assert {
        "query_params": {},
        "module": "Contacts",
        "resource_uri": "https://www.zohoapis.com/bigin/v1/Contacts",
        "ids": ["77001"],
        "affected_fields": [],
        "operation": "insert",
        "channel_id": "90210",
        "token": "t0ken",
    } == bodies[0]


def test_only_what_a_channel_watches_is_told(bigin: Simulator, receiver: Receiver) -> None:
    """The channel hears nothing of other modules, other operations and links between them."""
    subscribe(bigin, receiver.url, "Contacts.create")

    bigin.add(b"x", module="Tasks")
    bigin.add(b"x", record_id="77002")
    bigin.add(b"x", record_id="77002")

    assert 1 == deliveries(bigin, 1)["delivered"]
    assert ["77002"] == json.loads(receiver.calls[0].body)["ids"]


def test_attaching_may_count_as_no_edit(bigin: Simulator, receiver: Receiver) -> None:
    """Nobody knows whether Bigin announces an attachment, so the simulator has a switch for it."""
    subscribe(bigin, receiver.url, "Contacts.edit")
    bigin.control("PATCH", "settings", {"attaching_edits": False})
    bigin.control("POST", "records", {"module": "Contacts", "record_id": "77003"})

    bigin.add(b"x", record_id="77003")

    assert [] == deliveries(bigin, 0)["log"]


def test_many_records_are_told_in_several_calls(bigin: Simulator, receiver: Receiver) -> None:
    """A notification names a hundred records at most."""
    subscribe(bigin, receiver.url, "Contacts.create")

    made = bigin.control("POST", "records", {"module": "Contacts", "count": 250})

    ids = [record for call in receiver.wait_for(3) for record in json.loads(call.body)["ids"]]
    assert sorted(made["record_ids"]) == sorted(ids)


def test_a_channel_that_has_expired_is_silent(bigin: Simulator, receiver: Receiver) -> None:
    """With a shorter life than asked for it is gone soon, from the list as well, and back when it is renewed."""
    bigin.control("PATCH", "settings", {"channel_lifetime_s": 0})
    subscribe(bigin, receiver.url, "Contacts.all")
    bigin.add(b"x")
    headers = {"Authorization": f"Zoho-oauthtoken {TOKEN}"}
    gone = requests.get(f"{bigin.url}/bigin/v2/actions/watch", headers=headers, timeout=20)

    bigin.control("PATCH", "settings", {"channel_lifetime_s": None})
    subscribe(bigin, receiver.url, "Contacts.all")
    bigin.add(b"x")

    assert 204 == gone.status_code
    assert 1 == deliveries(bigin, 1)["delivered"]


@pytest.mark.parametrize("form", ["json", "form", "query", "multipart"])
def test_a_workflow_rule_sends_its_webhook(bigin: Simulator, receiver: Receiver, form: str) -> None:
    """A rule sends the same fields as JSON, form fields, query parameters or multipart, with any headers."""
    sent = {
        "url": f"{receiver.url}?secret=s3cret",
        "as": form,
        "module": "Notes",
        "record_id": "77",
        "fields": {"attachment_id": ""},
        "headers": {"X-Webhook-Secret": "s3cret"},
    }

    bigin.control("POST", "webhooks", sent)

    (call,) = receiver.wait_for(1)
    fields = {
        "json": lambda: json.loads(call.body),
        "form": lambda: flat(call.body.decode()),
        "query": lambda: {k: v for k, v in flat(urlsplit(call.path).query).items() if k != "secret"},
        "multipart": lambda: parts(call.headers["Content-Type"], call.body),
    }[form]()
    assert {"module": "Notes", "record_id": "77", "attachment_id": ""} == fields
    assert "s3cret" == call.headers["X-Webhook-Secret"]
    assert ["s3cret"] == parse_qs(urlsplit(call.path).query)["secret"]
    assert "s3cret" not in json.dumps(deliveries(bigin, 1))


def flat(query: str) -> dict[str, str]:
    return {name: values[-1] for name, values in parse_qs(query, keep_blank_values=True).items()}


def parts(content_type: str, body: bytes) -> dict[str, str]:
    form = email.message_from_bytes(f"Content-Type: {content_type}\r\n\r\n".encode() + body)
    return {
        str(part.get_param("name", header="content-disposition")): str(part.get_payload())
        for part in form.walk()
        if not part.is_multipart()
    }


def test_what_is_not_taken_is_counted(bigin: Simulator, receiver: Receiver) -> None:
    """A call that is refused or meets nobody is tried once, and listed with the reason."""
    receiver.status = 401
    for url in (receiver.url, "http://127.0.0.1:1/"):
        bigin.control("POST", "webhooks", {"url": url, "module": "Notes", "record_id": "1"})

    found = deliveries(bigin, 2)

    assert (0, 2) == (found["delivered"], found["undelivered"])
    assert {(401, None), (None, "ClientConnectorError")} == {(one["status"], one["error"]) for one in found["log"]}
    assert 1 == len(receiver.calls)


def test_a_slow_receiver_holds_nothing_up(bigin: Simulator, receiver: Receiver) -> None:
    """What is delivered in the background does not keep the control interface or the API waiting."""
    receiver.delay_s = 1
    subscribe(bigin, receiver.url, "Contacts.all")

    for _ in range(5):
        bigin.add(b"x")

    assert 5 == bigin.control("GET", "deliveries")["pending"]
    assert 5 == deliveries(bigin, 5)["delivered"]


@pytest.mark.parametrize("url", ["https://example.com/", "http://10.0.0.1/", "ftp://127.0.0.1/", "nonsense", ""])
def test_no_other_machine_is_called(bigin: Simulator, url: str) -> None:
    """A webhook elsewhere is refused; a channel elsewhere stays undelivered."""
    with pytest.raises(AssertionError, match="only addresses of this machine"):
        bigin.control("POST", "webhooks", {"url": url, "module": "Notes", "record_id": "1"})
    if url:
        subscribe(bigin, url, "Contacts.all")
        bigin.add(b"x")

        assert 1 == deliveries(bigin, 1)["undelivered"]


def test_a_receiver_with_tls_is_verified(bigin: Simulator, emulator: Emulator) -> None:
    """With the certificate that --callback-ca names it is told, with any other it is not."""
    knowing = Simulator.start("--callback-ca", str(emulator.ca_bundle))
    try:
        for simulator in (knowing, bigin):
            simulator.control("POST", "webhooks", {"url": emulator.url, "module": "Notes", "record_id": "1"})
        known, unknown = deliveries(knowing, 1)["log"][0], deliveries(bigin, 1)["log"][0]
    finally:
        knowing.stop()

    assert known["status"] is not None
    assert (None, "ClientConnectorCertificateError") == (unknown["status"], unknown["error"])
