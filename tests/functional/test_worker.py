"""The queue's worker: every message by its own outcome."""

import json
from concurrent.futures import ThreadPoolExecutor
from functools import cached_property
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from bigin_archive.archive_request import Hints
from bigin_archive.archiving.message import Message
from bigin_archive.archiving.queue_worker import Worker
from bigin_archive.deadline import Deadline
from tests.aws import Aws
from tests.bigin import TOKEN, Simulator

pytestmark = pytest.mark.in_memory

ERROR = {"status": "error", "message": "m", "details": {}}


def visible_in_s(aws: Aws, message_id: str, within_s: int) -> bool:
    """Whether the message comes back within so many seconds (long polling, no sleep)."""
    for _ in range(within_s):
        answer = aws.sqs.receive_message(QueueUrl=aws.queue_url, WaitTimeSeconds=1, MaxNumberOfMessages=10)
        if message_id in [found["MessageId"] for found in answer.get("Messages", [])]:
            return True
    return False


@pytest.mark.processes
def test_a_batch_of_good_poison_and_transient_messages(aws: Aws, bigin: Simulator) -> None:
    """Good messages are archived once, malformed ones are parked with their reason, failing ones come back."""
    good = [bigin.add(f"good {number}".encode(), file_name=f"{number}.txt") for number in range(5)]
    cut = bigin.add(b"cut" * 100, file_name="cut.txt")
    bigin.fault({"kind": "cut", "after": "half", "framing": "content-length"}, attachment_id=cut["attachment_id"])
    refused = bigin.add(b"refused")
    bigin.answer(403, {"code": "NO_PERMISSION", **ERROR}, attachment_id=refused["attachment_id"])
    poison = ["not json", json.dumps({"module": "Leads", "record_id": "1", "attachment_id": "2"})]
    messages = aws.deliver(*good, cut, refused, *poison)

    staying = aws.worker().work(messages, Deadline(60))

    assert [messages[5].message_id] == staying
    assert sorted(f"good {number}".encode() for number in range(5)) == sorted(aws.objects().values())
    assert [1] * 5 == [bigin.downloads(request) for request in good]
    parked = {
        message["Body"]: message["MessageAttributes"]["error_code"]["StringValue"]
        for message in aws.messages(aws.dead_letter_queue_url)
    }
    assert {
        json.dumps(refused): "bigin_refused",
        poison[0]: "invalid_request",
        poison[1]: "invalid_request",
    } == parked
    assert visible_in_s(aws, staying[0], 5)


@pytest.mark.processes
def test_duplicate_deliveries_end_in_one_object_and_one_version(aws: Aws, bigin: Simulator) -> None:
    """Ten deliveries of one message, four at a time: one object, one version, all done."""
    request = bigin.add(b"once", file_name="once.txt")
    bigin.fault({"kind": "delay", "seconds": 0.05}, times=None)
    worker = aws.worker()

    assert [] == worker.work(aws.deliver(*[request] * 10), Deadline(60))

    assert [b"once"] == list(aws.objects().values())


def test_gone_and_link_attachments_are_done(aws: Aws, bigin: Simulator) -> None:
    """What Bigin no longer has leaves the queue without an object, a link with its shortcut; no dead letter."""
    bigin.control("PATCH", f"attachments/{bigin.attachments()[-1]['attachment_id']}", {"kind": "gone"})
    wanted = [found for found in bigin.attachments() if found["kind"] in ("gone", "link")]
    messages = aws.deliver(*[{k: f[k] for k in ("module", "record_id", "attachment_id")} for f in wanted])

    assert [] == aws.worker().work(messages, Deadline(60))

    links = {found["attachment_id"] for found in wanted if found["kind"] == "link"}
    assert len(wanted) > len(links) > 0
    assert links == {key.split("/")[3] for key in aws.objects()}
    assert [] == aws.messages(aws.dead_letter_queue_url)


@pytest.mark.processes
def test_a_message_that_cannot_be_parked_stays_on_the_queue(aws: Aws, bigin: Simulator) -> None:
    """Without the dead-letter queue, a malformed message stays on the queue."""
    messages = aws.deliver("poison")

    staying = aws.worker(DEAD_LETTER_QUEUE_URL=aws.queue_url + "-gone").work(messages, Deadline(60))

    assert [messages[0].message_id] == staying


def test_a_record_is_queued_attachment_by_attachment(aws: Aws, bigin: Simulator) -> None:
    """A request without attachment_id becomes one message for each attachment, with the listed name, size and time."""
    fields = {"file_name": "Größe &.txt", "created_time": "2026-03-02T09:30:00+03:00"}
    requests = [bigin.add(bytes(number), record_id="88001", module="Notes", **fields) for number in range(205)]
    messages = aws.deliver({"module": "Notes", "record_id": "88001"})

    assert [] == aws.worker().work(messages, Deadline(60))

    queued = []
    while found := aws.messages(aws.queue_url):
        queued += [
            (json.loads(m["Body"]), {name: value["StringValue"] for name, value in m["MessageAttributes"].items()})
            for m in found
        ]
    hints = {
        "listed_name": "Gr%C3%B6%C3%9Fe%20%26.txt",
        "listed_modified_time": "2026-03-02T09:30:00+03:00",
        "correlation_id": messages[0].message_id,
    }
    expected = [(request, {"listed_size_bytes": str(size), **hints}) for size, request in enumerate(requests)]
    assert sorted(expected, key=json.dumps) == sorted(queued, key=json.dumps)
    # Two pages, read twice: a listing that changes in between would show in the second pass.
    assert {"list": 4} == {name: count for name, count in bigin.calls()["by_call"].items() if count}


def test_links_of_a_record_become_shortcuts(aws: Aws, bigin: Simulator) -> None:
    """A link is archived as an Internet shortcut with its address, and never fetched."""
    urls = {
        "Drawing": "https://example.com/drawings/17?view=full&page=2",
        "Trick": "file://host/share\r\nURL=http://x",
        "Ü/b": "http://example.com/ü",
    }
    for title, url in urls.items():
        bigin.add(record_id="88003", kind="link", file_name=title, link_url=url)
    for _ in range(2):
        assert aws.worker().work(aws.deliver({"module": "Contacts", "record_id": "88003"}), Deadline(60)) == []

    stored = {key.rpartition("/")[2]: content for key, content in aws.objects().items()}
    assert {
        "Drawing.url": b"[InternetShortcut]\r\nURL=https://example.com/drawings/17?view=full&page=2\r\n",
        "Trick.url": b"[InternetShortcut]\r\n; not opened: file://host/share%0D%0AURL=http://x\r\n",
        "Ü_b.url": b"[InternetShortcut]\r\nURL=http://example.com/%C3%BC\r\n",
    } == stored
    key = next(key for key in aws.objects() if key.endswith("Drawing.url"))
    assert urls["Drawing"] == aws.head(key)["Metadata"]["link-url"]
    assert 0 == bigin.calls()["by_call"].get("download", 0)


def test_a_listing_that_changes_between_pages_loses_nothing(aws: Aws, bigin: Simulator) -> None:
    """An attachment deleted while pages are read moves others to a page that was read; they are found all the same."""
    requests = [bigin.add(b"x", record_id="88004") for _ in range(250)]
    # The second page of the first pass is answered as if ten attachments had moved to the first page meanwhile.
    listed = [{"id": request["attachment_id"], "File_Name": "f", "Size": "1"} for request in requests]
    bigin.answer(200, {"data": listed[210:], "info": {"more_records": False, "count": 40}}, call="list", skip=1)

    assert aws.worker().work(aws.deliver({"module": "Contacts", "record_id": "88004"}), Deadline(60)) == []

    queued = set()
    while found := aws.messages(aws.queue_url):
        queued |= {json.loads(message["Body"])["attachment_id"] for message in found}
    assert {request["attachment_id"] for request in requests} == queued


def test_a_record_without_attachments_is_done(aws: Aws, bigin: Simulator) -> None:
    """Nothing to list is an outcome, not an error."""
    bigin.control("POST", "records", {"module": "Notes", "record_id": "88002"})
    messages = aws.deliver({"module": "Notes", "record_id": "88002"})

    assert [] == aws.worker().work(messages, Deadline(60))

    assert [] == aws.messages(aws.queue_url)


def test_a_dead_token_costs_one_call_and_parks_nothing(aws: Aws, bigin: Simulator) -> None:
    """With a revoked token a cold worker makes one call. All messages stay, and the circuit breaker is still open for
    the next batch.
    """
    bigin.control("DELETE", "tokens")
    worker = aws.worker(RETRY_DELAY_S="30", RETRY_DELAY_MAX_S="3600")
    requests = [bigin.add(b"%d" % number) for number in range(20)]
    first, second = aws.deliver(*requests[:10]), aws.deliver(*requests[10:])

    assert len(worker.work(first, Deadline(60))) == 10
    assert len(worker.work(second, Deadline(60))) == 10

    assert 1 == bigin.calls()["total"]
    assert [] == aws.messages(aws.dead_letter_queue_url)


@pytest.mark.processes
def test_a_mended_token_ends_the_pause(aws: Aws, bigin: Simulator) -> None:
    """After the pause the worker archives all that it gave back."""
    bigin.control("DELETE", "tokens")
    worker = aws.worker()
    request = bigin.add(b"late")
    messages = aws.deliver(request)
    assert len(worker.work(messages, Deadline(60))) == 1
    bigin.control("POST", "tokens", {"token": TOKEN})

    for _ in range(20):
        found = aws.sqs.receive_message(
            QueueUrl=aws.queue_url, WaitTimeSeconds=1, AttributeNames=["ApproximateReceiveCount"]
        ).get("Messages", [])
        again = [
            Message(m["MessageId"], m["Body"], m["ReceiptHandle"], int(m["Attributes"]["ApproximateReceiveCount"]))
            for m in found
        ]
        if again and worker.work(again, Deadline(60)) == []:
            break

    assert [b"late"] == list(aws.objects().values())


@pytest.mark.parametrize(
    ("status", "body", "code"),
    [
        (401, {"code": "OAUTH_SCOPE_MISMATCH", **ERROR}, "bigin_scope_missing"),
        (429, {"code": "TOO_MANY_REQUESTS", **ERROR}, "bigin_rate_limited"),
    ],
)
def test_the_brake_spares_a_sick_bigin(
    aws: Aws, bigin: Simulator, capsys: pytest.CaptureFixture[str], status: int, body: Any, code: str
) -> None:
    """After one call that shows an outage, the rest of the batch goes back to the queue without a call."""
    bigin.answer(status, body, times=None)
    messages = aws.deliver(*[bigin.add(b"%d" % number) for number in range(10)])

    assert len(aws.worker().work(messages, Deadline(60))) == 10

    assert 1 == bigin.calls()["total"]
    lines = [json.loads(line) for line in capsys.readouterr().out.splitlines()]
    assert [code] * 10 == [line["error_code"] for line in lines if "outcome" in line]


def test_one_broken_file_does_not_pull_the_brake(aws: Aws, bigin: Simulator) -> None:
    """A file that Bigin answers with 500 each time holds up none of its neighbours."""
    broken = bigin.add(b"broken")
    bigin.answer(500, {"code": "INTERNAL_ERROR", **ERROR}, attachment_id=broken["attachment_id"], times=None)
    good = [bigin.add(b"%d" % number) for number in range(9)]
    messages = aws.deliver(broken, *good)

    assert [messages[0].message_id] == aws.worker().work(messages, Deadline(60))

    assert len(aws.objects()) == 9


def test_a_dead_bigin_is_called_three_times(aws: Aws, bigin: Simulator) -> None:
    """Three different files in a row that fail are an outage."""
    bigin.answer(503, "<html>down</html>", {"Content-Type": "text/html"}, call="any", times=None)
    messages = aws.deliver(*[bigin.add(b"%d" % number) for number in range(10)])

    assert len(aws.worker().work(messages, Deadline(60))) == 10

    assert 3 == bigin.calls()["total"]


def test_nothing_is_begun_near_the_end_of_the_time(aws: Aws, bigin: Simulator) -> None:
    """With little time left messages are given back without a call."""
    messages = aws.deliver(*[bigin.add(b"%d" % number) for number in range(3)])

    assert len(aws.worker().work(messages, Deadline(3))) == 3

    assert 0 == bigin.calls()["total"]


@pytest.mark.processes
def test_at_most_the_configured_number_of_downloads_runs_at_once(aws: Aws, bigin: Simulator) -> None:
    """Four threads, four downloads; one thread, one download."""
    for threads, expected, delay_s in (("4", 4, 0.5), ("1", 1, 0.05)):
        bigin.fault({"kind": "delay", "seconds": delay_s}, times=None)
        bigin.control("DELETE", "calls")
        aws.worker(DOWNLOAD_THREADS=threads).work(
            aws.deliver(*[bigin.add(b"%d" % number) for number in range(6)]), Deadline(60)
        )
        bigin.control("DELETE", "faults")

        assert expected == bigin.calls()["max_concurrent_downloads"]


def test_the_largest_file_of_a_batch_is_begun_first(
    aws: Aws, bigin: Simulator, capsys: pytest.CaptureFixture[str]
) -> None:
    """One thread works through a batch from the largest file to the smallest."""
    messages = [
        Message(str(size), json.dumps(bigin.add(b"x" * size)), "handle", 1, hints=Hints(size)) for size in (2, 9, 0, 5)
    ]

    assert [] == aws.worker(DOWNLOAD_THREADS="1").work(messages, Deadline(60))

    lines = [json.loads(line) for line in capsys.readouterr().out.splitlines()]
    assert [9, 5, 2, 0] == [line["size_bytes"] for line in lines if line.get("outcome") == "archived"]


@pytest.mark.processes
def test_a_large_file_at_a_cold_start_holds_up_nothing(aws: Aws, bigin: Simulator) -> None:
    """As soon as Bigin begins to answer, the rest of the batch goes on beside the first file."""
    slow = bigin.add(b"x" * 400)
    bigin.fault({"kind": "drip", "bytes_per_second": 400}, attachment_id=slow["attachment_id"])
    quick = [bigin.add(b"%d" % number) for number in range(9)]
    messages = aws.deliver(slow, *quick)
    with ThreadPoolExecutor(1) as caller:
        work = caller.submit(aws.worker().work, messages, Deadline(60))
        while len(aws.stored_keys()) < 9 and not work.done():
            pass
        was_under_way = not work.done()

        assert [] == work.result()
    assert was_under_way
    assert 10 == len(aws.objects())


def test_a_redriven_conflict_stays_a_conflict(aws: Aws, bigin: Simulator) -> None:
    """The listed size travels along to the dead-letter queue, so that the comparison can be made again."""
    request = bigin.add(b"abc", file_name="a.txt")
    key = f"bigin/Contacts/{request['record_id']}/{request['attachment_id']}/a.txt"
    aws.s3.put_object(Bucket=aws.bucket, Key=key, Body=b"other")

    aws.worker().work([Message("1", json.dumps(request), "handle", 1, hints=Hints(3))], Deadline(60))

    (parked,) = aws.messages(aws.dead_letter_queue_url)
    assert "3" == parked["MessageAttributes"]["listed_size_bytes"]["StringValue"]


@pytest.mark.parametrize(
    "listing", ["{}", '{"data": null}', '{"data": {}}', '{"data": [{"File_Name": "x"}]}', "[]", ""]
)
def test_a_damaged_listing_loses_nothing(aws: Aws, bigin: Simulator, listing: str) -> None:
    """A listing that cannot be read is no empty record: the message comes back."""
    bigin.add(b"x", record_id="88005")
    bigin.answer(200, listing, {"Content-Type": "application/json"}, call="list", times=1)

    assert len(aws.worker().work(aws.deliver({"module": "Contacts", "record_id": "88005"}), Deadline(60))) == 1


json_values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=20),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=10), inner, max_size=4),
    max_leaves=8,
)
ids = (
    st.sampled_from(["1", "../1", "1?x=1", "1#", "%2e", "", " 1", "１２", "1\n"])
    | st.integers()
    | st.none()
    | st.text()
)
bodies = (
    st.text(max_size=200)
    | json_values.map(json.dumps)
    | st.fixed_dictionaries(
        {"module": st.sampled_from(["Contacts", "contacts", "Leads", 5, None]), "record_id": ids},
        optional={"attachment_id": ids, "extra": json_values},
    ).map(json.dumps)
)


@settings(max_examples=40, deadline=None, suppress_health_check=list(HealthCheck))
@given(batch=st.lists(bodies, min_size=10, max_size=10))
def test_no_body_is_lost_or_a_bug(fuzzed: "Fuzzed", batch: list[str]) -> None:
    """Whatever 400 bodies hold: done, parked with a reason, or waiting; never an internal error."""
    staying = fuzzed.worker.work(
        [Message(str(number), body, "no-receipt", 1) for number, body in enumerate(batch)], Deadline(60)
    )

    lines = [json.loads(line) for line in fuzzed.capsys.readouterr().out.splitlines()]
    outcomes = [line for line in lines if "outcome" in line]
    assert len(outcomes) == 10
    assert [] == [line for line in outcomes if line.get("error_code") == "internal_error"]
    assert len(staying) == len([line for line in outcomes if line["outcome"] == "retried"])
    parked = [message["Body"] for message in fuzzed.aws.messages(fuzzed.aws.dead_letter_queue_url)]
    unparsed = [line for line in outcomes if line["outcome"] == "parked"]
    assert len(unparsed) == len(parked)
    assert set(parked) <= set(batch)


class Fuzzed:
    """One worker for all examples."""

    def __init__(self, aws: Aws, capsys: pytest.CaptureFixture[str]) -> None:
        self.aws, self.capsys = aws, capsys

    @cached_property
    def worker(self) -> Worker:
        return self.aws.worker()


@pytest.fixture
def fuzzed(aws: Aws, capsys: pytest.CaptureFixture[str]) -> Fuzzed:
    return Fuzzed(aws, capsys)
