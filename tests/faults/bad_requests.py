"""Hostile messages, requests and webhooks: each is refused or parked with a reason, and holds nobody else up."""

import base64
import itertools
import json
from collections.abc import Iterator
from typing import Any

from tests.faults import reading
from tests.faults.aws_proxy import json_error
from tests.faults.bench import Bench
from tests.faults.lab import Lab
from tests.faults.relay import Fault, LoseAnswer, Script, Wait
from tests.faults.runtime import CrashedError, WorkerProcess
from tests.faults.tally import Row, of_checks
from tests.lambdas import api_event

GOOD = {"module": "Contacts", "record_id": "1", "attachment_id": "2"}
_IDS: tuple[object, ...] = (
    1, 1.5, -1, True, None, [], {}, "", " ", "0x1", "-1", "+1", "1.0", "1e5", "1 ", " 1", "1\n", "1\0", "１２", "٣",
    "²", "../1", "1/../2", "1?x=1", "1#", "%31", "1;DROP TABLE x", "' OR 1=1", "${jndi:x}", "9" * 51, "a",
)  # fmt: skip
_MODULES: tuple[object, ...] = (
    None, "", "contacts", "CONTACTS", "Leads", "Contacts ", "Contacts/1", "../Contacts", 1, [], {}, "Contacts\0",
    "Ｃontacts",
)  # fmt: skip
_TEXTS = (
    "", " ", "null", "true", "0", '"text"', "[]", "[{}]", "{", "}", "{}", "{'a': 1}", "{\"module\": }", "NaN",
    "Infinity", '{"module": "Contacts", "record_id": "1", "attachment_id": "2"', "\ufeff{}", "<xml/>",
    "module=Contacts", "\0", "[" * 30_000, '{"a":' * 20_000, "9" * 6000, '{"record_id": ' + "9" * 5000 + "}",
    "x" * 70_000, json.dumps({**GOOD, "padding": "x" * 66_000}), '{"module": "Contacts", "record_id": "\\ud800"}',
    "\\", "\\u0000",
)  # fmt: skip


def bodies() -> list[str]:
    """At least sixty bodies that are no request."""
    found = [json.dumps({**GOOD, name: value}) for name in ("record_id", "attachment_id") for value in _IDS]
    found += [json.dumps({**GOOD, "module": value}) for value in _MODULES]
    return list(dict.fromkeys([*found, *(text for text in _TEXTS if text.strip("\0 "))]))


def poison(lab: Lab) -> Iterator[Row]:
    """Parks every bad body unchanged at its first delivery, and archives its good neighbours with one download each."""
    bad = bodies()
    with lab.bench() as bench:
        good = [bench.file(100) for _ in bad]
        # One good, one bad: each batch has both.
        for request, body in zip(good, bad, strict=True):
            bench.send(request, body)
        bench.drain()
        parked = [(body, code) for body, code, _ in reading.bodies(bench.aws, bench.aws.dead_letter_queue_url)]
        bench.empty_dead_letters()
        row = bench.row("malformed message")
        row.injected = len(bad)
        missing = [body for body in bad if parked.count((body, "invalid_request")) != 1]
        row.survived = len(bad) - len(missing)
        row.complaints += [f"not parked once and unchanged: {body[:60]!a}" for body in missing]
        twice = sum(bench.bigin.downloads(request) != 1 for request in good)
        row.complaints += [f"{twice} good neighbours were downloaded again"] if twice else []
        yield row
    yield _posted(lab, bad)


def _posted(lab: Lab, bad: list[str]) -> Row:
    """Sends the bodies by POST: bad ones are answered with 400, and whatever is answered with 202 is archived."""
    complaints = []
    with lab.bench() as bench:
        function = WorkerProcess(bench.env, bench.functions, bench.log, "archive_now")
        try:
            for body, encoded in itertools.product(bad, (False, True)):
                event = api_event(_encoded(body.encode(errors="surrogatepass")) if encoded else body)
                answer = function.invoke({**event, "isBase64Encoded": encoded}, 29)
                if answer["statusCode"] != 400:
                    complaints.append(f"{body[:60]!a}: {answer['statusCode']}")
            for raw in ODD_BUT_ACCEPTABLE:
                request = bench.file(50)
                event = api_event(_encoded(raw(json.dumps(request))), {"Prefer": "respond-async"})
                answer = function.invoke({**event, "isBase64Encoded": True}, 29)
                if answer["statusCode"] != 202:
                    bench.expected_outcomes.pop(request["attachment_id"])
                if answer["statusCode"] not in (202, 400):
                    complaints.append(f"{raw(json.dumps(GOOD))[:20]!r}: {answer['statusCode']}")
        finally:
            function.stop()
        bench.drain()
        row = bench.row("malformed POST")
    row.injected = 2 * len(bad) + len(ODD_BUT_ACCEPTABLE)
    row.survived = row.injected - len(complaints)
    row.complaints += complaints
    return row


def _encoded(content: bytes) -> str:
    return base64.b64encode(content).decode()


ODD_BUT_ACCEPTABLE = (
    lambda text: b"\xef\xbb\xbf" + text.encode(),
    lambda text: text.encode("utf-16"),
    lambda text: text.encode("utf-16-le"),
    lambda text: text.encode("utf-32"),
    lambda text: b"\r\n\t " + text.encode() + b"\n",
    lambda text: text.replace("}", ', "extra": "\x7f\u2028\u00e9"}').encode(),
    lambda text: text.replace("}", ', "extra": "\\ud800"}').encode(),
    lambda text: text.replace("}", ', "extra": "\uffff"}').encode(),
    lambda text: text.replace("{", '{"module": "Leads", ', 1).encode(),
)


# ---- Webhooks --------------------------------------------------------------------------------------------------------

SECRET = "w" * 40


def webhooks(lab: Lab) -> Iterator[Row]:
    """Forged webhooks cost nothing. Good ones are queued before they are answered, or answered with an error."""
    with lab.bench() as bench:
        bench.aws.put_secret(bench.aws.webhook_secret_id, {"webhook_secret": SECRET})
        function = WorkerProcess(bench.env, bench.functions, bench.log, "receive_webhook")
        try:
            yield _forged(bench, function)
            yield _flood(lab, bench, function)
            yield _not_queued(bench, function)
            yield _queued_at_last(bench)
        finally:
            function.stop()


def _forged(bench: Bench, function: WorkerProcess) -> Row:
    body = {"module": "Contacts", "ids": ["1"]}
    secrets: tuple[Any, ...] = (
        None,
        "",
        "x",
        SECRET[:-1],
        SECRET + "x",
        SECRET.upper(),
        SECRET + "\0",
        "\ud800",
        "é" * 40,
        SECRET * 2,
    )
    events = [api_event(body, {} if secret is None else {"X-Webhook-Secret": secret}) for secret in secrets]
    events += [api_event({**body, "token": secret}) for secret in (*secrets, 5, [], {}, [SECRET])]
    events += [api_event(body, queryStringParameters={"secret": secret}) for secret in secrets[1:]]
    events += [api_event({**body, "token": SECRET}, {"X-Webhook-Secret": "wrong"})]
    events += [api_event(text) for text in ("", "{", "x" * 200_000, "[" * 30_000)]
    statuses = [function.invoke(event, 20)["statusCode"] for event in events]
    complaints = [f"answered with {status}" for status in statuses if status != 401]
    if not bench.source.is_empty() or bench.bigin.calls()["total"]:
        complaints.append("something was queued, or Bigin was called")
    return of_checks("webhook forged", complaints, len(events))


def _flood(lab: Lab, bench: Bench, function: WorkerProcess) -> Row:
    count = lab.scaled(1000, least=100)
    complaints = []
    for number in range(count):
        event = api_event({"module": "Contacts", "record_id": str(number), "attachment_id": "7", "token": SECRET})
        status = function.invoke(event, 20)["statusCode"]
        if status != 202:
            complaints.append(f"answered with {status}")
    queued = {body for body, _, _ in reading.bodies(bench.aws, bench.aws.queue_url)}
    if len(queued) != count:
        complaints.append(f"{len(queued)} of {count} are in the queue")
    if bench.bigin.calls()["total"]:
        complaints.append("Bigin was called")
    return of_checks("webhooks in a flood", complaints, count)


_BUSY: dict[str, Fault] = {
    "InternalFailure": json_error(500, "InternalFailure"),
    "ServiceUnavailable": json_error(503, "ServiceUnavailable"),
    "reset": Script((), reset=True),
    "answer lost": LoseAnswer(),
}
_CLOSED: dict[str, Fault] = {
    **_BUSY,
    "AccessDenied": json_error(400, "AccessDenied"),
    "OverLimit": json_error(400, "OverLimit"),
    "hangs": Wait(8.0),
}


def _not_queued(bench: Bench, function: WorkerProcess) -> Row:
    """A webhook that SQS did not take is answered with an error, so that its sender sees it."""
    complaints = []
    events = [
        api_event({"module": "Contacts", "record_id": "9", "attachment_id": "9", "token": SECRET}),
        api_event({"module": "Contacts", "ids": ["9"], "token": SECRET}),
    ]
    for (name, fault), event in itertools.product(_CLOSED.items(), events):
        bench.aws_relay.fault(fault, "sqs.send-batch", times=2)
        try:
            status = function.invoke(event, 20)["statusCode"]
        except CrashedError:
            status = "nothing, until the function's time was over"
        bench.disarm()
        if status != 503:
            complaints.append(f"{name}: answered with {status}")
    return of_checks("webhook that cannot be queued", complaints, len(_CLOSED) * len(events))


def _queued_at_last(bench: Bench) -> Row:
    """A webhook may never be sent again: what AWS grants at the second try is no reason to refuse it."""
    complaints = []
    for number, (call, name) in enumerate(itertools.product(("secrets.get", "sqs.send-batch"), _BUSY)):
        request = {"module": "Contacts", "record_id": f"8{number}", "attachment_id": "8"}
        function = WorkerProcess(bench.env, bench.functions, bench.log, "receive_webhook")
        bench.aws_relay.fault(_BUSY[name], call)
        status = function.invoke(api_event({**request, "token": SECRET}), 20)["statusCode"]
        function.stop()
        bench.disarm()
        queued = [body for body, _, _ in reading.bodies(bench.aws, bench.aws.queue_url) if json.loads(body) == request]
        if status != 202 or not queued:
            complaints.append(f"{call}, {name}: answered with {status}, {len(queued)} messages")
    return of_checks("webhook that is queued at the second try", complaints, 2 * len(_BUSY))
