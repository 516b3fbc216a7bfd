"""`redrive`: dead letters are shown by reason and sent back; nothing is lost, wherever it is interrupted."""

import json
from collections import Counter
from collections.abc import Callable
from contextlib import suppress
from typing import Any

import pytest
from botocore.exceptions import ClientError, EndpointConnectionError

from operate.errors import OperateError
from operate.redrive.dead_letter_queue import DeadLetterQueue
from operate.redrive.redrive import Choice, Sent, look, send_back
from tests.aws import Aws
from tests.functional.test_operate_authorize import converse
from tests.functional.test_operate_stack import deploy, run

pytestmark = pytest.mark.in_memory

ALL = Choice(all=True)
DETAIL = "Bigin refuses the download (NO_PERMISSION). Ask an administrator."


def bury(aws: Aws, body: str, code: str | None = "bigin_refused", **attributes: str) -> str:
    """Put a message into the dead-letter queue, as the worker parks it; with ``code`` None as SQS moves it."""
    given = {"error_code": code, "error_detail": DETAIL if code else None, **attributes}
    answer = aws.sqs.send_message(
        QueueUrl=aws.dead_letter_queue_url,
        MessageBody=body,
        MessageAttributes={
            name: {"DataType": "String", "StringValue": value} for name, value in given.items() if value is not None
        },
    )
    return str(answer["MessageId"])


def bodies(aws: Aws, url: str) -> Counter[str]:
    """What lies visible in a queue, taken out."""
    return Counter(message["Body"] for message in aws.messages(url))


def counts(aws: Aws, url: str) -> tuple[int, int]:
    """Visible and hidden messages."""
    names = ["ApproximateNumberOfMessages", "ApproximateNumberOfMessagesNotVisible"]
    figures = aws.sqs.get_queue_attributes(QueueUrl=url, AttributeNames=names)["Attributes"]
    return int(figures[names[0]]), int(figures[names[1]])


def queue_of(aws: Aws, client: Any = None) -> DeadLetterQueue:
    return DeadLetterQueue(client or aws.sqs, aws.dead_letter_queue_url, aws.queue_url, wait_s=0)


class Interrupted:
    """A client whose calls go through until the chosen one, which is interrupted before or after it reached SQS."""

    def __init__(self, client: Any, at: int, error: BaseException, *, before: bool, for_ever: bool) -> None:
        self._client = client
        self._at = at
        self._error = error
        self._before = before
        self._for_ever = for_ever
        self.calls = 0
        self._received: list[str] = []

    def show_again(self, url: str) -> None:
        """What the visibility time-out does in the end."""
        for handle in self._received:
            with suppress(ClientError):  # deleted
                self._client.change_message_visibility(QueueUrl=url, ReceiptHandle=handle, VisibilityTimeout=0)

    def __getattr__(self, name: str) -> Callable[..., Any]:
        def call(**arguments: Any) -> Any:
            self.calls += 1
            now = self.calls == self._at
            if (now and self._before) or (self._for_ever and self.calls > self._at):
                raise self._error
            answer = getattr(self._client, name)(**arguments)
            self._received += [message["ReceiptHandle"] for message in answer.get("Messages", [])]
            if now:
                raise self._error
            return answer

        return call


def test_dead_letters_are_shown_by_reason_and_stay(
    aws: Aws, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """Count, age, detail and remedy of each reason; afterwards every message is visible as before."""
    stack = deploy(aws)
    for number in range(12):
        bury(aws, json.dumps({"module": "Contacts", "record_id": str(number)}))
    bury(aws, "poison", "invalid_request")
    bury(aws, json.dumps({"module": "Notes", "record_id": "1"}), None)

    assert 0 == run(monkeypatch, "redrive", "--stack", stack)
    printed = capsys.readouterr().out
    assert 0 == run(monkeypatch, "redrive", "--stack", stack, "--json")
    report = json.loads(capsys.readouterr().out)

    assert {"bigin_refused": 12, "invalid_request": 1, "gave_up": 1} == {
        group["reason"]: group["count"] for group in report["groups"]
    }
    assert DETAIL in {group["detail"] for group in report["groups"]}
    assert "NO_PERMISSION" in printed
    assert "Gave up after" in printed
    assert f"--stack {stack} --reason bigin_refused" in printed
    assert (14, 0) == counts(aws, aws.dead_letter_queue_url)
    assert (0, 0) == counts(aws, aws.queue_url)


@pytest.mark.processes
def test_the_number_of_tries_is_the_queue_s_own(
    aws: Aws, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """What SQS moved itself carries no reason: it gave up after maxReceiveCount."""
    names = ["QueueArn"]
    arn = aws.sqs.get_queue_attributes(QueueUrl=aws.dead_letter_queue_url, AttributeNames=names)["Attributes"][
        "QueueArn"
    ]
    policy = json.dumps({"deadLetterTargetArn": arn, "maxReceiveCount": 100})
    aws.sqs.set_queue_attributes(QueueUrl=aws.queue_url, Attributes={"RedrivePolicy": policy})
    bury(aws, "{}", None)

    run(monkeypatch, "redrive", "--stack", deploy(aws), "--json")

    assert "100 tries" in json.loads(capsys.readouterr().out)["groups"][0]["meaning"]


def test_an_empty_queue_is_told(aws: Aws, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    """Without dead letters there is nothing to do, and that is fine."""
    assert 0 == run(monkeypatch, "redrive", "--stack", deploy(aws))

    assert "There are none." in capsys.readouterr().out


def test_a_reason_is_sent_back_and_the_rest_stays_visible(
    aws: Aws, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """The chosen go back with their body and own attributes, without the reason; the others are visible at once."""
    bury(aws, "chosen", own="kept")
    bury(aws, "other", "content_conflict")

    status = run(monkeypatch, "redrive", "--stack", deploy(aws), "--reason", "bigin_refused", "--yes", "--json")

    [back] = aws.messages(aws.queue_url)
    assert 0 == status
    assert {
        "sent": 1,
        "by_reason": {"bigin_refused": 1},
        "refused": 0,
        "not_found": [],
        "complete": True,
    } == json.loads(capsys.readouterr().out)
    assert ("chosen", {"own", "correlation_id", "sent_back"}) == (back["Body"], set(back["MessageAttributes"]))
    assert {"other": 1} == bodies(aws, aws.dead_letter_queue_url)


def test_one_message_is_sent_back_by_its_id(
    aws: Aws, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """By id exactly that message goes; an id that is not there is told, with status 1."""
    stack = deploy(aws)
    ids = [bury(aws, f"body {number}") for number in range(15)]

    assert 0 == run(monkeypatch, "redrive", "--stack", stack, "--message-id", ids[7], "--yes")
    assert 1 == run(monkeypatch, "redrive", "--stack", stack, "--message-id", "nowhere", "--yes")

    assert "Not found: nowhere" in capsys.readouterr().err
    assert {"body 7": 1} == bodies(aws, aws.queue_url)
    assert 14 == bodies(aws, aws.dead_letter_queue_url).total()


def test_a_dry_run_sends_nothing(aws: Aws, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    """--dry-run shows what would go."""
    bury(aws, "chosen")
    bury(aws, "other", "content_conflict")

    assert 0 == run(monkeypatch, "redrive", "--stack", deploy(aws), "--reason", "bigin_refused", "--dry-run", "--json")

    report = json.loads(capsys.readouterr().out)
    assert (["bigin_refused"], 2) == ([group["reason"] for group in report["groups"]], report["looked_at"])
    assert (2, 0) == counts(aws, aws.dead_letter_queue_url)
    assert (0, 0) == counts(aws, aws.queue_url)


@pytest.mark.processes
@pytest.mark.parametrize(("typed", "sent"), [("y\n", 3), ("\n", 0), ("\x03", 0)])
def test_a_person_is_asked_first(aws: Aws, typed: str, sent: int) -> None:
    """On a terminal the count is shown before anything is sent; no, nothing and Ctrl-C leave everything."""
    for number in range(3):
        bury(aws, f"body {number}")

    _, screen = converse(["redrive", "--stack", deploy(aws), "--all"], [("Send 3 back to the queue? [y/N]: ", typed)])

    assert sent == counts(aws, aws.queue_url)[0], screen
    assert (3 - sent, 0) == counts(aws, aws.dead_letter_queue_url)
    assert "Traceback" not in screen


@pytest.mark.parametrize("error", [KeyboardInterrupt(), EndpointConnectionError(endpoint_url="x")], ids=type)
@pytest.mark.parametrize("before", [True, False], ids=["before", "after"])
@pytest.mark.parametrize("for_ever", [True, False], ids=["killed", "once"])
def test_an_interruption_between_any_two_steps_loses_nothing(
    aws: Aws, error: BaseException, before: bool, for_ever: bool
) -> None:
    """Stopped before or after each call in turn, every message is still in one of the queues at least."""
    chosen, others = {f"chosen {number}" for number in range(12)}, {f"other {number}" for number in range(3)}
    choice = Choice(reasons=frozenset({"bigin_refused"}))
    for at in range(1, 40):
        for body in chosen | others:
            bury(aws, body, "bigin_refused" if body in chosen else "content_conflict")
        client = Interrupted(aws.sqs, at, error, before=before, for_ever=for_ever)
        with suppress(KeyboardInterrupt, OperateError):
            send_back(queue_of(aws, client), choice, Sent())
        client.show_again(aws.dead_letter_queue_url)

        dead, back = bodies(aws, aws.dead_letter_queue_url), bodies(aws, aws.queue_url)

        assert chosen | others == set(dead) | set(back), at
        assert others <= set(dead), at
        if client.calls < at:
            assert chosen == set(back)
            return
        for url in (aws.queue_url, aws.dead_letter_queue_url):
            aws.sqs.purge_queue(QueueUrl=url)
    pytest.fail("the redrive never came to its end")


def test_what_fails_again_at_once_does_not_go_round(aws: Aws) -> None:
    """A message that is parked again during a pass is not sent again by that pass."""

    class Failing:
        """A worker that parks at once whatever comes."""

        sends = 0

        def __getattr__(self, name: str) -> Callable[..., Any]:
            def call(**arguments: Any) -> Any:
                answer = getattr(aws.sqs, name)(**arguments)
                if name == "send_message_batch":
                    self.sends += 1
                    assert self.sends < 3, "round and round"
                    for entry in arguments["Entries"]:
                        bury(aws, entry["MessageBody"])
                return answer

            return call

    for number in range(5):
        bury(aws, f"body {number}")
    sent = Sent()

    send_back(queue_of(aws, Failing()), ALL, sent)

    assert (5, True) == (sent.by_reason.total(), sent.fine)
    assert (5, 0) == counts(aws, aws.dead_letter_queue_url)


def test_what_sqs_refuses_stays_a_dead_letter(aws: Aws) -> None:
    """Only what SQS confirmed is deleted; the rest is counted, and visible again."""

    class Choosy:
        def __getattr__(self, name: str) -> Callable[..., Any]:
            def call(**arguments: Any) -> Any:
                if name != "send_message_batch":
                    return getattr(aws.sqs, name)(**arguments)
                first, *rest = arguments["Entries"]
                answer = aws.sqs.send_message_batch(**{**arguments, "Entries": rest})
                return {**answer, "Failed": [{"Id": first["Id"], "Code": "InternalError", "SenderFault": False}]}

            return call

    for number in range(3):
        bury(aws, f"body {number}")
    sent = Sent()

    send_back(queue_of(aws, Choosy()), ALL, sent)

    assert (2, 1, False) == (sent.by_reason.total(), sent.refused, sent.fine)
    assert (1, 0) == counts(aws, aws.dead_letter_queue_url)
    assert (2, 0) == counts(aws, aws.queue_url)


def test_many_and_large_messages_go_in_batches_that_sqs_takes(aws: Aws) -> None:
    """250 messages, some of 100 KiB, arrive each once."""
    wanted = Counter(f"{number} " + "x" * (100_000 if number % 10 == 0 else 10) for number in range(250))
    for body in wanted:
        bury(aws, body)
    sent = Sent()

    send_back(queue_of(aws), ALL, sent)

    found: Counter[str] = Counter()
    for _ in range(5):
        found += bodies(aws, aws.queue_url)
    assert sent.fine
    assert wanted == found


def test_a_queue_that_is_gone_is_explained(
    aws: Aws, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """A deleted dead-letter queue is a sentence, not a traceback."""
    stack = deploy(aws)
    aws.sqs.delete_queue(QueueUrl=aws.dead_letter_queue_url)

    assert 1 == run(monkeypatch, "redrive", "--stack", stack)

    assert "deploy the stack again" in capsys.readouterr().err


def test_what_others_wrote_does_not_reach_the_terminal_raw(
    aws: Aws, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """Control characters and markup in a reason are shown harmless."""
    aws.sqs.send_message(
        QueueUrl=aws.dead_letter_queue_url,
        MessageBody="{}",
        MessageAttributes={
            "error_code": {"DataType": "String", "StringValue": "[red]new"},
            "error_detail": {"DataType": "String", "StringValue": "a\tb [/red]\u009b31m"},
        },
    )

    assert 0 == run(monkeypatch, "redrive", "--stack", deploy(aws), "--list")

    printed = capsys.readouterr().out
    assert "[red]new" in printed
    assert "a?b [/red]?31m" in printed


def test_messages_are_listed_with_what_they_ask_for(
    aws: Aws, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """--list shows ids for --message-id, and the request that is in the body."""
    message_id = bury(aws, json.dumps({"module": "Companies", "record_id": "12", "attachment_id": "34"}))
    bury(aws, "poison", "invalid_request")

    assert 0 == run(monkeypatch, "redrive", "--stack", deploy(aws), "--list")

    printed = capsys.readouterr().out
    assert message_id in printed
    assert "Accounts/12/34" in printed
    assert "malformed" in printed


def test_a_look_counts_what_is_hidden_elsewhere(aws: Aws) -> None:
    """What another reader holds is counted, not shown."""
    bury(aws, "a")
    bury(aws, "b")
    aws.sqs.receive_message(QueueUrl=aws.dead_letter_queue_url, VisibilityTimeout=60)

    view = look(queue_of(aws))

    assert (1, 1) == (view.count, view.depth.hidden)
